//! The schedule against a network that is only a list of fates.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn target(id: u32, interval_s: u64, probes: u8) -> Target {
    let address = IpAddr::from([10, 0, (id >> 8) as u8, id as u8]);
    Target { id: HostId(id), address, interval: Duration::from_secs(interval_s), probes, size: 56 }
}

fn schedule(targets: &[Target]) -> Schedule {
    let mut schedule = Schedule::new(Duration::from_secs(2));
    schedule.set_targets(targets, 0);
    schedule
}

const UNREACHABLE: Refusal = Refusal { family: Family::V4, kind: 3, code: 10 };

/// What the network does with a probe.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Answer { after_ms: i64, times: u8 },
    Nothing,
    Refuse { quoted: bool },
    OurFault,
}

/// Runs the schedule until `end_ns`; messages arrive in their order, nothing is looked at more often than it asks.
fn run(schedule: &mut Schedule, end_ns: i64, mut fate: impl FnMut(&Probe) -> Fate) -> Vec<Event> {
    let mut events = Vec::new();
    let mut under_way: Vec<(i64, IpAddr, Arrival)> = Vec::new();
    let mut now = 0;
    loop {
        let next = schedule.next_ns().unwrap_or(end_ns);
        let arriving = under_way.iter().map(|(at, ..)| *at).min().unwrap_or(end_ns);
        now = next.min(arriving).max(now);
        if now >= end_ns {
            return events;
        }
        under_way.sort_by_key(|(at, ..)| *at);
        while under_way.first().is_some_and(|(at, ..)| *at <= now) {
            let (at, from, arrival) = under_way.remove(0);
            schedule.arrived(Some(from), at, arrival, &mut |event| events.push(event));
        }
        schedule.give_up(now, &mut |event| events.push(event));
        while let Some(probe) = schedule.next_probe(now) {
            match fate(&probe) {
                Fate::OurFault => {
                    schedule.unsent(&probe, now, &mut |event| events.push(event));
                    continue;
                }
                Fate::Nothing => {}
                Fate::Answer { after_ms, times } => {
                    for time in 0..i64::from(times) {
                        let at = now + after_ms * 1_000_000 + time;
                        under_way.push((at, probe.address, Arrival::Reply { ident: 7, mark: probe.mark }));
                    }
                }
                Fate::Refuse { quoted } => {
                    let (to, seq) = (probe.address, probe.seq);
                    let mark = quoted.then_some(probe.mark);
                    let router = IpAddr::from([192, 0, 2, 1]);
                    under_way.push((now + 1000, router, Arrival::Refused { refusal: UNREACHABLE, to, ident: 7, seq, mark }));
                }
            }
            schedule.sent(&probe, now);
        }
    }
}

fn rounds(events: &[Event]) -> Vec<(HostId, Round)> {
    let round = |event: &Event| match event {
        Event::Round { host, round, .. } => Some((*host, round.clone())),
        Event::Probe { .. } => None,
    };
    events.iter().filter_map(round).collect()
}

#[test]
fn five_probes_a_minute_are_spread_over_it() {
    let mut schedule = schedule(&[target(1, 60, 5)]);
    let mut sent = Vec::new();
    let events = run(&mut schedule, 130 * SECOND, |probe| {
        sent.push(probe.mark.number);
        Fate::Answer { after_ms: 3, times: 1 }
    });
    assert_eq!(rounds(&events).len(), 2);
    assert!((10..=11).contains(&sent.len()), "{sent:?}");
    for (_, round) in rounds(&events) {
        assert_eq!((round.sent, round.lost), (5, 0));
        assert_eq!(round.times_ns, [3_000_000; 5]);
    }
}

#[test]
fn hosts_are_spread_over_the_time_between_probes() {
    let targets: Vec<Target> = (0..1200).map(|id| target(id, 60, 5)).collect();
    let mut schedule = schedule(&targets);
    let mut by_second = [0; 12];
    for second in 0..12 {
        schedule.give_up((second + 1) * SECOND, &mut |_| {});
        while let Some(probe) = schedule.next_probe((second + 1) * SECOND - 1) {
            schedule.sent(&probe, second * SECOND);
            by_second[second as usize] += 1;
        }
    }
    assert!(by_second.iter().all(|&count| (90..=110).contains(&count)), "{by_second:?}");
}

#[test]
fn a_refusal_is_never_an_answer_however_little_it_quotes() {
    for quoted in [true, false] {
        // Hosts whose sequence numbers are alike: 8,192 places apart.
        let targets: Vec<Target> = (0..8_300).map(|id| target(id, 10, 1)).collect();
        let mut schedule = schedule(&targets);
        let events = run(&mut schedule, 21 * SECOND, |_| Fate::Refuse { quoted });
        let rounds = rounds(&events);
        assert!(rounds.len() >= 8_300, "{}", rounds.len());
        assert!(rounds.iter().all(|(_, round)| (round.lost, round.refused) == (1, 1) && round.refusal == Some(UNREACHABLE)));
        assert_eq!((schedule.counts().answered, schedule.counts().strange), (0, 0));
    }
}

#[test]
fn what_is_late_or_comes_twice_is_counted_and_no_answer() {
    let mut schedule = schedule(&[target(1, 10, 1)]);
    let fates = [Fate::Answer { after_ms: 2_500, times: 1 }, Fate::Answer { after_ms: 1, times: 3 }];
    let events = run(&mut schedule, 35 * SECOND, |probe| fates[(probe.mark.number % 2) as usize]);
    let rounds = rounds(&events);
    assert_eq!(rounds[0].1.lost, 1);
    assert_eq!((rounds[1].1.lost, rounds[1].1.late), (0, 1));
    assert_eq!((rounds[2].1.lost, rounds[2].1.duplicates), (1, 2));
}

#[test]
fn a_stall_of_ours_is_not_their_loss() {
    let mut schedule = schedule(&[target(1, 10, 1)]);
    let probe = schedule.next_probe(10 * SECOND).unwrap();
    schedule.sent(&probe, 10 * SECOND);
    // We wake up eight seconds later; the kernel stamped the reply when it came.
    let mut events = Vec::new();
    schedule.arrived(Some(probe.address), 10 * SECOND + 5_000, Arrival::Reply { ident: 7, mark: probe.mark }, &mut |event| {
        events.push(event);
    });
    schedule.give_up(18 * SECOND, &mut |event| events.push(event));
    assert_eq!(rounds(&events)[0].1.times_ns, [5_000]);
    // And what was missed meanwhile is not sent in a burst.
    let mut burst = 0;
    while let Some(probe) = schedule.next_probe(500 * SECOND) {
        schedule.sent(&probe, 500 * SECOND);
        burst += 1;
    }
    assert_eq!(burst, 1);
}

#[test]
fn messages_that_our_socket_threw_away_are_not_measured() {
    let mut schedule = schedule(&[target(1, 10, 1)]);
    let probe = schedule.next_probe(10 * SECOND).unwrap();
    schedule.sent(&probe, 10 * SECOND);
    schedule.dropped(11 * SECOND);
    let mut events = Vec::new();
    schedule.give_up(13 * SECOND, &mut |event| events.push(event));
    assert!(!rounds(&events)[0].1.is_measured());
    assert_eq!((schedule.counts().lost, schedule.counts().unmeasured), (0, 1));
}

#[test]
fn extra_probes_go_out_at_once_and_outside_of_the_rounds() {
    let mut schedule = schedule(&[target(1, 60, 5)]);
    let mut asked = false;
    let mut sent = Vec::new();
    let events = {
        schedule.probe_again(HostId(1), 4, 0);
        schedule.probe_again(HostId(1), 4, 0);
        run(&mut schedule, 3 * SECOND, |probe| {
            sent.push(probe.mark.number);
            asked = true;
            Fate::Nothing
        })
    };
    let extras = events.iter().filter(|event| matches!(event, Event::Probe { extra: true, outcome: Outcome::Lost, .. })).count();
    assert!(asked && extras == 4, "{events:?}");
    assert!(rounds(&events).is_empty());
}

#[test]
fn strangers_are_not_believed() {
    let mut schedule = schedule(&[target(1, 10, 1)]);
    let probe = schedule.next_probe(10 * SECOND).unwrap();
    schedule.sent(&probe, 10 * SECOND);
    let mut events = Vec::new();
    let wrong = [
        (probe.address, Mark { cookie: probe.mark.cookie ^ 1, ..probe.mark }),
        (IpAddr::from([192, 0, 2, 66]), probe.mark),
        (probe.address, Mark { slot: 9, ..probe.mark }),
        (probe.address, Mark { number: probe.mark.number.wrapping_add(1), ..probe.mark }),
    ];
    for (from, mark) in wrong {
        schedule.arrived(Some(from), 10 * SECOND + 1, Arrival::Reply { ident: 7, mark }, &mut |event| events.push(event));
    }
    assert_eq!((events.len(), schedule.counts().strange), (0, 4));
}

#[test]
fn a_reload_leaves_those_that_stay_alone() {
    let mut schedule = schedule(&[target(1, 60, 5), target(2, 60, 5)]);
    let before = schedule.next_ns();
    schedule.set_targets(&[target(2, 60, 5), target(1, 60, 5), target(3, 60, 5)], SECOND);
    assert_eq!(schedule.hosts(), 3);
    assert!(schedule.next_ns() <= before.or(Some(i64::MAX)));
    schedule.set_targets(&[target(3, 60, 5)], SECOND);
    let events = run(&mut schedule, 130 * SECOND, |_| Fate::Answer { after_ms: 1, times: 1 });
    assert!(rounds(&events).iter().all(|(host, _)| *host == HostId(3)));
    assert!(rounds(&events).len() >= 2);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0_i64..1_900).prop_map(|after_ms| Fate::Answer { after_ms, times: 1 }),
        1 => (0_i64..4_000, 1_u8..4).prop_map(|(after_ms, times)| Fate::Answer { after_ms, times }),
        2 => Just(Fate::Nothing),
        1 => any::<bool>().prop_map(|quoted| Fate::Refuse { quoted }),
        1 => Just(Fate::OurFault),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every probe has one end, and each round says what the network did.
    #[test]
    fn every_probe_is_accounted_for(
        fates in proptest::collection::vec(fate(), 1..60),
        hosts in 1_u32..12,
        interval_s in 10_u64..70,
        probes in 1_u8..6,
        again in proptest::collection::vec((0_u32..12, 1_u8..6), 0..4),
    ) {
        let targets: Vec<Target> = (0..hosts).map(|id| target(id, interval_s, probes)).collect();
        let mut schedule = schedule(&targets);
        for (host, count) in again {
            schedule.probe_again(HostId(host), count, 0);
        }
        let patience_ms = 2_000.min(interval_s as i64 * 1000 / i64::from(probes));
        let mut truth: HashMap<HostId, (u32, u32)> = HashMap::new();
        let mut turn = 0;
        let mut sent = 0;
        let events = run(&mut schedule, 400 * SECOND, |probe| {
            let fate = fates[turn % fates.len()];
            turn += 1;
            let (answered, other) = truth.entry(HostId(probe.mark.slot)).or_default();
            sent += u64::from(fate != Fate::OurFault);
            match fate {
                Fate::Answer { after_ms, .. } if after_ms <= patience_ms => *answered += 1,
                _ => *other += 1,
            }
            fate
        });
        let counts = schedule.counts();
        prop_assert_eq!(counts.sent, sent);
        prop_assert_eq!(counts.strange, 0);
        let mut seen: HashMap<HostId, (u32, u32)> = HashMap::new();
        for event in &events {
            match event {
                Event::Probe { host, outcome, .. } => {
                    let (answered, other) = seen.entry(*host).or_default();
                    if matches!(outcome, Outcome::Answered(_)) { *answered += 1 } else { *other += 1 }
                }
                Event::Round { round, .. } => {
                    prop_assert_eq!(round.sent, u32::from(probes));
                    prop_assert_eq!(round.sent, round.lost + round.unmeasured + round.times_ns.len() as u32);
                    prop_assert!(round.refused <= round.lost);
                }
            }
        }
        // At the end at most the probes of the last two seconds are open.
        for (host, (answered, other)) in truth {
            let (seen_answered, seen_other) = seen.get(&host).copied().unwrap_or_default();
            prop_assert!(seen_answered <= answered && answered <= seen_answered + 6);
            prop_assert!(seen_other <= other && other <= seen_other + 6);
        }
    }
}
