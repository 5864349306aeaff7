//! Devices that misbehave: too much asked, endless or looping tables, restarts and renumbering in the middle of a round.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use netroom::demo::agent::{Datum, Endless, Looping, Manners, Table, respond};
use netroom::model::{Gap, PortMetric, Timestamp};
use netroom::snmp::ber::Writer;
use netroom::snmp::job::End;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, status};
use netroom::snmp::oid::Oid;
use netroom::snmp::poll::packing::Packing;
use netroom::snmp::poll::table::{TableJob, TableOutcome};
use netroom::snmp::poll::walk::{Caps, Cut};

use super::harness::{Line, Polled};

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

fn set(table: &Table, name: &str, value: Datum) {
    table.set(oid(name), value);
}

/// A switch whose counters tell the port and the epoch: port p counts `epoch * 1000 + p` octets in and twice that out.
fn switch(ports: u32) -> Table {
    let table = Table::new();
    set(&table, "1.3.6.1.2.1.1.5.0", Datum::octets("sw-1"));
    set(&table, "1.3.6.1.2.1.2.1.0", Datum::Integer(i64::from(ports)));
    set(&table, "1.3.6.1.2.1.31.1.5.0", Datum::TimeTicks(7));
    uptime(&table, 100_000);
    (1..=ports).for_each(|port| fill(&table, port, &format!("Gi0/{port}"), u64::from(port)));
    table
}

fn uptime(table: &Table, ticks: u32) {
    set(table, "1.3.6.1.2.1.1.3.0", Datum::TimeTicks(ticks));
}

fn fill(table: &Table, row: u32, name: &str, octets: u64) {
    let if_table = |column: u32, value: Datum| set(table, &format!("1.3.6.1.2.1.2.2.1.{column}.{row}"), value);
    let if_x_table = |column: u32, value: Datum| set(table, &format!("1.3.6.1.2.1.31.1.1.1.{column}.{row}"), value);
    if_table(2, Datum::octets(name));
    if_table(3, Datum::Integer(6));
    if_table(7, Datum::Integer(1));
    if_table(8, Datum::Integer(1));
    for column in [13, 14, 19, 20] {
        if_table(column, Datum::Counter32(octets as u32 + column));
    }
    if_x_table(1, Datum::octets(name));
    if_x_table(6, Datum::Counter64(octets));
    if_x_table(10, Datum::Counter64(2 * octets));
}

fn in_octets(round: &netroom::model::observe::PollRound) -> Vec<(u32, Option<u64>)> {
    round.rows.iter().map(|row| (row.if_index.0, row.values[PortMetric::InOctets.index()])).collect()
}

fn status_answer(datagram: &[u8], error_status: i64, error_index: i64) -> Vec<u8> {
    let request = Message::decode(datagram).unwrap();
    let varbinds = request.pdu.varbinds.octets();
    let parts = PduParts { kind: PduKind::Response, request_id: request.pdu.request_id, error_status, error_index, varbinds };
    let mut writer = Writer::default();
    Message::encode(request.version, request.community, &parts, &mut writer);
    writer.as_slice().to_vec()
}

fn names(datagram: &[u8]) -> Vec<String> {
    Message::decode(datagram).unwrap().pdu.varbinds.map(|item| item.unwrap().0.to_string()).collect()
}

fn is_get(datagram: &[u8]) -> bool {
    Message::decode(datagram).unwrap().pdu.kind == PduKind::Get
}

fn asks_counters(datagram: &[u8]) -> bool {
    names(datagram).iter().any(|name| name.starts_with("1.3.6.1.2.1.31.1.1.1.6") || name.starts_with("1.3.6.1.2.1.2.2.1.14"))
}

/// A device after its first poll, whose identity is known.
fn known(table: &Table) -> Polled {
    let mut device = Polled::new(Version::V2c);
    let round = device.poll(&mut Line::to(Version::V2c, table, Manners::default())).round;
    assert_eq!(round.gap, None);
    device
}

#[test]
fn sys_up_time_is_in_every_counter_request_and_octets_come_before_errors() {
    let table = switch(60);
    let mut device = known(&table);
    let mut requests = Vec::new();
    let mut line = Line::scripted(Version::V2c, |_, datagram, now| {
        requests.push(names(datagram));
        respond(datagram, &table, &Manners::default(), now)
    });
    let round = device.poll(&mut line).round;
    drop(line);
    assert_eq!((round.rows.len(), round.gap), (60, None));
    assert!(requests.iter().all(|names| names[0].starts_with("1.3.6.1.2.1.1.3")));
    let first_errors = requests.iter().position(|names| names.iter().any(|name| name.starts_with("1.3.6.1.2.1.2.2.1.14"))).unwrap();
    let last_octets = requests.iter().rposition(|names| names.iter().any(|name| name.starts_with("1.3.6.1.2.1.31.1.1.1.6"))).unwrap();
    assert!(last_octets < first_errors);
    assert!(round.rows.iter().all(|row| row.uptime_ticks == 100_000 && row.admin == Some(1)));
}

#[test]
fn too_big_and_gen_err_halve_what_is_asked_and_it_is_remembered() {
    for refusal in [status::TOO_BIG, status::GEN_ERR] {
        let table = switch(48);
        let mut device = known(&table);
        let choke = |_: usize, datagram: &[u8], now: Timestamp| {
            let answer = respond(datagram, &table, &Manners::default(), now)?;
            let cells = Message::decode(&answer).unwrap().pdu.varbinds.count();
            Some(if cells > 14 { status_answer(datagram, refusal, 0) } else { answer })
        };
        let mut line = Line::scripted(Version::V2c, choke);
        let round = device.poll(&mut line).round;
        assert_eq!((round.gap, in_octets(&round)), (None, (1..=48).map(|port| (port, Some(u64::from(port)))).collect()));
        assert!(round.rows.iter().all(|row| row.values[PortMetric::InErrors.index()] == Some(u64::from(row.if_index.0) + 14)));
        let first = line.sent;
        device.poll(&mut line);
        let second = line.sent - first;
        assert!(second < first, "the second time {second} requests, after {first}");
    }
}

/// A network that loses every eleventh datagram.
fn lossy<'a>(agent: impl Fn(&[u8], Timestamp) -> Option<Vec<u8>> + 'a) -> Line<'a> {
    let mut line = Line::scripted(Version::V2c, move |number, datagram, now| if number % 11 == 10 { None } else { agent(datagram, now) });
    line.rtt = Duration::from_millis(15);
    line
}

#[test]
fn a_weak_agent_on_a_bad_line_is_whole_within_the_deadline_of_its_first_poll() {
    let table = switch(48);
    let plain = Manners::default();
    let answered = |datagram: &[u8], now| respond(datagram, &table, &plain, now);
    let cells = |octets: &[u8]| Message::decode(octets).unwrap().pdu.varbinds.count();
    type Agent<'a> = Box<dyn Fn(&[u8], Timestamp) -> Option<Vec<u8>> + 'a>;
    let agents: [(&str, Agent<'_>); 4] = [
        (
            "eight names, else tooBig",
            Box::new(
                |datagram, now| {
                    if cells(datagram) > 8 { Some(status_answer(datagram, status::TOO_BIG, 0)) } else { answered(datagram, now) }
                },
            ),
        ),
        ("eight names, else silence", Box::new(|datagram, now| if cells(datagram) > 8 { None } else { answered(datagram, now) })),
        (
            "answers of 16, else genErr",
            Box::new(|datagram, now| {
                let answer = answered(datagram, now)?;
                Some(if cells(&answer) > 16 { status_answer(datagram, status::GEN_ERR, 0) } else { answer })
            }),
        ),
        ("answers of 600 octets, else silence", Box::new(|datagram, now| answered(datagram, now).filter(|answer| answer.len() <= 600))),
    ];
    for (weakness, agent) in agents {
        let mut device = Polled { deadline: Duration::from_secs(24), ..Polled::new(Version::V2c) };
        let mut line = lossy(agent);
        let round = device.poll(&mut line).round;
        assert_eq!((round.gap, round.rows.len()), (None, 48), "{weakness}: {:?}", round.detail);
        assert!(round.rows.iter().all(|row| row.values[PortMetric::OutErrors.index()].is_some()), "{weakness}");
        let first = line.sent;
        let second = device.poll(&mut line).round;
        assert_eq!((second.gap, second.rows.len()), (None, 48), "{weakness}");
        assert!(line.sent - first < first / 2, "{weakness}: {} datagrams after {first}", line.sent - first);
    }
}

#[test]
fn answers_come_to_fill_a_datagram_and_never_more() {
    let table = switch(48);
    let mut device = known(&table);
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    (0..6).for_each(|_| assert_eq!(device.poll(&mut line).round.rows.len(), 48));
    assert!((1_200..=1_452).contains(&line.longest.1), "{} octets", line.longest.1);
}

#[test]
fn an_identity_read_that_a_deadline_cuts_off_goes_on_in_the_next_turn() {
    let table = switch(400);
    let mut device = Polled { deadline: Duration::from_secs(8), ..Polled::new(Version::V2c) };
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    line.rtt = Duration::from_millis(100);
    let rounds: Vec<_> = (0..4).map(|_| device.poll(&mut line).round).collect();
    assert_eq!(rounds[0].gap, Some(Gap::Deadline), "the device is too slow for one turn, or this test shows nothing");
    let seen = rounds.iter().find_map(|round| round.inventory.as_ref()).expect("the identity comes in over the turns");
    let indexes: Vec<u32> = seen.interfaces.iter().map(|row| row.if_index).collect();
    assert_eq!(indexes, (1..=400).collect::<Vec<_>>());
    assert_eq!(rounds.last().map(|round| round.rows.len()), Some(400));
}

#[test]
fn an_identity_read_is_not_taken_up_again_after_a_restart() {
    let table = switch(400);
    let mut device = Polled { deadline: Duration::from_secs(6), ..Polled::new(Version::V2c) };
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    line.rtt = Duration::from_millis(100);
    assert_eq!(device.poll(&mut line).round.gap, Some(Gap::Deadline));
    uptime(&table, 50);
    (1..=400).for_each(|port| fill(&table, port, &format!("new{port}"), 1));
    device.deadline = Duration::from_secs(60);
    let round = device.poll(&mut line).round;
    let names: Vec<_> = round.inventory.unwrap().interfaces.iter().map(|row| row.if_descr.as_ref().unwrap().to_string()).collect();
    assert!(names.iter().all(|name| name.starts_with("new")), "{names:?}");
}

#[test]
fn a_cell_that_cannot_be_answered_does_not_make_the_other_requests_small() {
    let table = switch(48);
    let mut device = known(&table);
    let plain = device.memory.packing();
    let bad = "1.3.6.1.2.1.2.2.1.14.3";
    let mut line = Line::scripted(Version::V2c, |_, datagram, now| {
        let answer = respond(datagram, &table, &Manners::default(), now)?;
        let hit = Message::decode(&answer).unwrap().pdu.varbinds.any(|item| item.unwrap().0.to_string() == bad);
        Some(if hit { status_answer(datagram, status::GEN_ERR, 0) } else { answer })
    });
    let round = device.poll(&mut line).round;
    assert_eq!((round.gap, round.rows.len()), (None, 48));
    drop(line);
    assert!(device.memory.packing().varbinds_behind(0) >= plain.varbinds_behind(0), "{:?} after {plain:?}", device.memory.packing());
}

#[test]
fn a_cell_that_cannot_be_answered_is_absent_and_its_neighbours_are_not() {
    let table = switch(4);
    let mut device = known(&table);
    let bad = "1.3.6.1.2.1.2.2.1.14.3";
    let mut line = Line::scripted(Version::V2c, |_, datagram, now| {
        let answer = respond(datagram, &table, &Manners::default(), now)?;
        let touched = |item: &str| item == bad;
        let hit = Message::decode(&answer).unwrap().pdu.varbinds.any(|item| touched(&item.unwrap().0.to_string()));
        Some(if hit { status_answer(datagram, status::GEN_ERR, 0) } else { answer })
    });
    let round = device.poll(&mut line).round;
    assert_eq!(round.gap, None);
    let errors: Vec<_> = round.rows.iter().map(|row| row.values[PortMetric::InErrors.index()]).collect();
    assert_eq!(errors, [Some(15), Some(16), None, Some(18)]);
}

#[test]
fn large_questions_that_get_lost_are_halved_while_a_probe_is_answered() {
    let table = switch(48);
    let mut device = known(&table);
    let mut probes = 0;
    let mut line = Line::scripted(Version::V2c, |_, datagram, now| {
        probes += usize::from(names(datagram) == ["1.3.6.1.2.1.1.3.0"]);
        let answer = respond(datagram, &table, &Manners::default(), now)?;
        (answer.len() < 500).then_some(answer)
    });
    let round = device.poll(&mut line).round;
    drop(line);
    assert_eq!((round.gap, round.rows.len()), (None, 48));
    assert!(round.rows.iter().all(|row| row.values[PortMetric::OutErrors.index()].is_some()));
    assert!(probes >= 1);
}

#[test]
fn a_restart_in_the_middle_of_a_round_never_mixes_rows_of_two_epochs() {
    for at in 1..12 {
        let table = switch(48);
        let mut device = known(&table);
        let mut line = Line::scripted(Version::V2c, |number, datagram, now| {
            if number == at {
                uptime(&table, 50);
                (1..=48).for_each(|port| fill(&table, port, &format!("Gi0/{port}"), 1_000_000 + u64::from(port)));
            }
            respond(datagram, &table, &Manners::default(), now)
        });
        let round = device.poll(&mut line).round;
        drop(line);
        assert_eq!(round.gap, None);
        let epochs: Vec<bool> = round.rows.iter().map(|row| row.uptime_ticks == 50).collect();
        let counted_new = |row: &netroom::model::observe::CounterRow| {
            PortMetric::ALL.into_iter().take(2).all(|metric| row.values[metric.index()].is_some_and(|value| value > 1_000_000))
        };
        assert_eq!(round.rows.len(), 48, "at request {at}");
        assert!(epochs.iter().all(|&new| new == epochs[0]), "at request {at}: rows of two epochs");
        assert!(round.rows.iter().all(|row| counted_new(row) == epochs[0]), "at request {at}");
        assert_eq!(round.inventory.is_some(), epochs[0], "the identity is read anew after a restart");
    }
}

#[test]
fn a_renumbering_in_the_middle_of_a_round_gives_no_port_the_counters_of_another() {
    let renumber = |table: &Table| {
        (1..=48).for_each(|port: u32| fill(table, port, &format!("Gi0/{}", 49 - port), u64::from(49 - port)));
    };
    type Sign = (&'static str, fn(&Table));
    let signs: [Sign; 2] = [
        ("ifTableLastChange", |table| set(table, "1.3.6.1.2.1.31.1.5.0", Datum::TimeTicks(99_000))),
        ("a vanished row", |table| table.remove(&oid("1.3.6.1.2.1.31.1.1.1.6.48"))),
    ];
    for (sign, give) in signs {
        for at in 0..20 {
            let table = switch(48);
            let mut device = known(&table);
            let mut line = Line::scripted(Version::V2c, |number, datagram, now| {
                if number == at {
                    renumber(&table);
                    give(&table);
                }
                respond(datagram, &table, &Manners::default(), now)
            });
            let round = device.poll(&mut line).round;
            if line.sent <= at {
                break;
            }
            drop(line);
            let Some(inventory) = &round.inventory else {
                // The sign was not seen: the change came behind the last request that could have shown it.
                assert!(sign == "a vanished row" && at > 0, "{sign} at {at}");
                continue;
            };
            for row in &round.rows {
                let named = inventory.interfaces.iter().find(|interface| interface.if_index == row.if_index.0).unwrap();
                let number: u64 = named.if_name.as_ref().unwrap().as_str().strip_prefix("Gi0/").unwrap().parse().unwrap();
                let octets = row.values[PortMetric::InOctets.index()];
                assert!(octets.is_none_or(|octets| octets == number), "{sign} at {at}: {octets:?} for {number}");
            }
        }
    }
}

#[test]
fn a_device_whose_tables_change_all_the_time_is_still_polled() {
    let table = switch(20);
    let mut device = known(&table);
    let mut line = Line::scripted(Version::V2c, |number, datagram, now| {
        set(&table, "1.3.6.1.2.1.31.1.5.0", Datum::TimeTicks(1000 + number as u32));
        respond(datagram, &table, &Manners::default(), now)
    });
    let round = device.poll(&mut line).round;
    assert_eq!((round.gap, round.rows.len()), (None, 20));
}

#[test]
fn a_device_that_restarts_again_and_again_gives_no_rows_but_the_reason() {
    let table = switch(48);
    let mut device = known(&table);
    let mut line = Line::scripted(Version::V2c, |number, datagram, now| {
        uptime(&table, 90_000 - number as u32);
        respond(datagram, &table, &Manners::default(), now)
    });
    let round = device.poll(&mut line).round;
    assert_eq!((round.gap, round.rows.len()), (Some(Gap::Reset), 0));
}

#[test]
fn a_silent_device_is_asked_for_its_uptime_only() {
    let table = switch(8);
    let mut device = known(&table);
    let mut silent = Line::scripted(Version::V2c, |_, _, _| None);
    let round = device.poll(&mut silent).round;
    assert_eq!((round.gap, round.rows.len(), round.uptime_ticks), (Some(Gap::Timeout), 0, None));
    assert!(round.detail.unwrap().contains("did not answer"));
    let mut asked = Vec::new();
    let mut silent = Line::scripted(Version::V2c, |_, datagram, _| {
        asked.push(names(datagram));
        None
    });
    device.poll(&mut silent);
    drop(silent);
    assert_eq!(asked, vec![vec!["1.3.6.1.2.1.1.3.0"]; 3], "one probe, sent three times");
    let back = device.poll(&mut Line::to(Version::V2c, &table, Manners::default())).round;
    assert_eq!((back.gap, back.rows.len()), (None, 8));
    assert!(back.inventory.is_some(), "another device may stand there after a silence");
}

#[test]
fn what_came_in_before_the_deadline_is_kept() {
    let table = switch(48);
    let mut device = known(&table);
    device.deadline = Duration::from_millis(900);
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    line.rtt = Duration::from_millis(200);
    let round = device.poll(&mut line).round;
    assert_eq!(round.gap, Some(Gap::Deadline));
    assert!(
        !round.rows.is_empty() && round.rows.iter().all(|row| row.values[PortMetric::InOctets.index()] == Some(u64::from(row.if_index.0)))
    );
    device.deadline = Duration::from_secs(48);
    assert_eq!(device.poll(&mut line).round.gap, None);
}

#[test]
fn garbage_is_malformed_and_a_garbled_answer_costs_nothing() {
    let table = switch(8);
    let mut device = known(&table);
    let round = device.poll(&mut Line::scripted(Version::V2c, |_, _, _| Some(b"HTTP/1.1 400".to_vec()))).round;
    assert_eq!(round.gap, Some(Gap::Malformed));
    // The first poll after a silence reads the identity anew; the next one is plain again.
    assert_eq!(device.poll(&mut Line::to(Version::V2c, &table, Manners::default())).round.gap, None);
    let mut line = Line::scripted(Version::V2c, |number, datagram, now| {
        if number == 1 { Some(vec![0x30, 0x03, 0x02, 0x01]) } else { respond(datagram, &table, &Manners::default(), now) }
    });
    let round = device.poll(&mut line).round;
    assert_eq!((round.gap, round.rows.len()), (None, 8));
}

#[test]
fn v1_says_no_such_name_for_what_is_gone() {
    let table = switch(6);
    let mut device = Polled::new(Version::V1);
    let first = device.poll(&mut Line::to(Version::V1, &table, Manners::default())).round;
    assert_eq!((first.gap, first.rows.len()), (None, 6));
    assert!(first.rows.iter().all(|row| row.values[PortMetric::InErrors.index()].is_some()));
    table.remove(&oid("1.3.6.1.2.1.2.2.1.14.4"));
    let round = device.poll(&mut Line::to(Version::V1, &table, Manners::default())).round;
    assert!(round.inventory.is_some(), "a vanished cell puts the identity in doubt");
    let errors: Vec<_> = round.rows.iter().map(|row| row.values[PortMetric::InErrors.index()].is_some()).collect();
    assert_eq!((round.gap, errors), (None, vec![true, true, true, false, true, true]));
}

#[test]
fn a_cell_that_walks_show_and_get_denies_does_not_cost_an_identity_read_each_time() {
    let table = switch(6);
    let deny = |_: usize, datagram: &[u8], now: Timestamp| {
        if is_get(datagram) && asks_counters(datagram) {
            table.remove(&oid("1.3.6.1.2.1.2.2.1.14.2"));
        } else {
            set(&table, "1.3.6.1.2.1.2.2.1.14.2", Datum::Counter32(1));
        }
        respond(datagram, &table, &Manners { ignore_bulk: true, ..Manners::default() }, now)
    };
    let mut device = Polled::new(Version::V1);
    let mut line = Line::scripted(Version::V2c, deny);
    device.poll(&mut line);
    let reads = device.memory.identity_reads();
    for _ in 0..3 {
        let round = device.poll(&mut line).round;
        assert_eq!((round.gap, round.rows.len()), (None, 6));
    }
    assert_eq!(device.memory.identity_reads(), reads);
}

#[test]
fn port_classes_are_polled_when_they_are_due() {
    let table = switch(10);
    let mut device = Polled { second_class: vec![3, 7], ..Polled::new(Version::V2c) };
    device.classes = 0b11;
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    assert_eq!(device.poll(&mut line).round.rows.len(), 10);
    device.classes = 0b10;
    assert_eq!(in_octets(&device.poll(&mut line).round), [(3, Some(3)), (7, Some(7))]);
    device.classes = 0b01;
    assert_eq!(device.poll(&mut line).round.rows.len(), 8);
}

#[test]
fn identity_is_read_again_in_its_time_after_the_counters() {
    let table = switch(10);
    let mut device = Polled { identity_every: Duration::ZERO, ..Polled::new(Version::V2c) };
    let mut line = Line::to(Version::V2c, &table, Manners::default());
    device.poll(&mut line);
    fill(&table, 4, "Gi0/4-new", 4);
    let round = device.poll(&mut line).round;
    assert!(round.inventory.is_some());
    assert_eq!(round.rows.len(), 9, "a row that became another port meanwhile is left out");
}

fn walk(mib: &dyn netroom::demo::agent::Mib, columns: &[Oid], caps: Caps) -> TableOutcome {
    let (sender, receiver) = sync_channel(1);
    let job = TableJob::new(columns, Packing::new(Version::V2c), caps, move |outcome| sender.try_send(outcome).unwrap());
    let mut line = Line::to(Version::V2c, mib, Manners { max_response: 60_000, ..Manners::default() });
    let end = line.run(Box::new(job), Duration::from_secs(3600));
    let outcome = receiver.try_recv().unwrap();
    assert_eq!((outcome.end, end), (End::Complete, End::Complete));
    outcome
}

#[test]
fn a_looping_table_ends_at_the_first_repeated_name() {
    let looping = Looping { inner: switch(30), subtree: oid("1.3.6.1.2.1.2.2.1.14") };
    let outcome = walk(&looping, &[oid("1.3.6.1.2.1.2.2.1.14"), oid("1.3.6.1.2.1.2.2.1.13")], Caps::default());
    assert_eq!((outcome.table.rows.len(), outcome.loops, outcome.cut), (30, 1, None));
}

#[test]
fn an_agent_of_endless_rows_is_cut_off_with_a_clear_word() {
    let column = oid("1.3.6.1.2.1.17.4.3.1.2");
    let endless = Endless { inner: switch(2), column: column.clone(), row_octets: 200 };
    let rows = walk(&endless, std::slice::from_ref(&column), Caps { rows: 5_000, octets: usize::MAX });
    assert_eq!(rows.table.rows.len(), 5_000);
    assert_eq!(rows.cut, Some(Cut::Rows { column: column.clone(), rows: 5_000 }));
    let octets = walk(&endless, std::slice::from_ref(&column), Caps { rows: 200_000, octets: 1 << 20 });
    assert!(octets.table.rows.len() < 5_000);
    let words = octets.cut.unwrap().to_string();
    assert!(words.contains("1.3.6.1.2.1.17.4.3.1.2") && words.contains("1048576 octets"), "{words}");
}

#[test]
fn an_endless_interface_table_fails_the_poll_with_a_reason_and_bounded_memory() {
    let endless = Endless { inner: switch(2), column: oid("1.3.6.1.2.1.2.2.1.2"), row_octets: 20_000 };
    let calls = AtomicUsize::new(0);
    let manners = Manners { max_response: 65_000, ..Manners::default() };
    let mut line = Line::scripted(Version::V2c, |_, datagram, now| {
        calls.fetch_add(1, Ordering::Relaxed);
        respond(datagram, &endless, &manners, now)
    });
    let round = Polled::new(Version::V2c).poll(&mut line).round;
    drop(line);
    assert_eq!((round.gap, round.rows.len()), (Some(Gap::Malformed), 0));
    assert!(round.detail.unwrap().contains("more than 33554432 octets"));
    assert!(calls.into_inner() < 5_000);
}
