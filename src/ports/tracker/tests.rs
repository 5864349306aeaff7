use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::observe::{CounterRow, InterfaceRow, Inventory, SystemInfo};
use crate::model::sample::PortSample;
use crate::model::{Gap, IfIndex, METRICS, PortId, PortMetric, Timestamp, Zone, clock};
use crate::ports::live::{DeviceState, PortLive, PortState};

const IN: PortMetric = PortMetric::InOctets;
const MINUTE: u64 = 60;

/// A switch, our two clocks, and the tracker that polls it.
struct Bench {
    tracker: Tracker,
    live: Arc<DeviceLive>,
    origin: Instant,
    steady: Duration,
    wall: Timestamp,
    uptime: u64,
    ports: Vec<SimPort>,
}

#[derive(Clone, Debug)]
struct SimPort {
    index: u32,
    name: &'static str,
    descr: String,
    mac: u8,
    octets: u64,
    narrow: bool,
    oper: u64,
    admin: u8,
    speed: u64,
}

fn sim(index: u32, name: &'static str) -> SimPort {
    SimPort {
        index,
        name,
        descr: format!("port {name}"),
        mac: index as u8,
        octets: 1_000_000,
        narrow: false,
        oper: 1,
        admin: 1,
        speed: 1_000_000_000,
    }
}

fn label(interval_s: u32) -> Arc<DeviceLabel> {
    Arc::new(DeviceLabel {
        id: DeviceId(1),
        name: "sw-1".into(),
        address: "192.0.2.1:161".parse().unwrap(),
        site: "".into(),
        zone: Zone::Inner,
        interval_s,
    })
}

impl Bench {
    fn new(ports: Vec<SimPort>) -> Self {
        Self::with(Catalogue::default(), ports)
    }

    fn with(catalogue: Catalogue, ports: Vec<SimPort>) -> Self {
        let origin = clock::monotonic();
        let mut tracker = Tracker::new(catalogue, origin);
        let live = tracker.set_devices(vec![label(60)]).remove(0);
        let wall = Timestamp::from_secs(1_790_000_000);
        Self { tracker, live, origin, steady: Duration::ZERO, wall, uptime: 900_000, ports }
    }

    fn pass(&mut self, seconds: u64) {
        self.steady += Duration::from_secs(seconds);
        self.wall = self.wall + Duration::from_secs(seconds);
        self.uptime += seconds * 100;
    }

    fn carry(&mut self, octets: u64) {
        self.ports.iter_mut().for_each(|port| port.octets += octets);
    }

    fn reboot(&mut self) {
        self.uptime = 0;
        self.ports.iter_mut().for_each(|port| port.octets = 0);
    }

    fn round(&self) -> PollRound {
        PollRound {
            device: DeviceId(1),
            due: self.wall,
            started: self.wall,
            finished: self.wall,
            uptime_ticks: Some(self.uptime as u32),
            engine_time: None,
            rtt_us: Some(800),
            inventory: None,
            rows: self.ports.iter().map(|port| port.row(self.uptime as u32, self.wall)).collect(),
            gap: None,
            detail: None,
        }
    }

    fn inventory(&self) -> Arc<Inventory> {
        let interfaces = self.ports.iter().map(SimPort::interface).collect();
        Arc::new(Inventory { system: SystemInfo::default(), engine_time: None, interfaces })
    }

    fn observe(&mut self, round: &PollRound) -> Observed {
        let now = Moment { wall: self.wall, steady: self.origin + self.steady };
        let observed = self.tracker.observe(round, now).unwrap();
        self.live = Arc::clone(&observed.live);
        observed
    }

    fn poll(&mut self) -> Observed {
        self.observe(&self.round())
    }

    fn poll_with_inventory(&mut self) -> Observed {
        self.observe(&PollRound { inventory: Some(self.inventory()), ..self.round() })
    }

    fn silence(&mut self, gap: Gap) -> Observed {
        self.observe(&PollRound { uptime_ticks: None, rows: Vec::new(), gap: Some(gap), ..self.round() })
    }

    fn port(&self, name: &str) -> &PortLive {
        self.live.ports.iter().find(|port| &*port.identity.name == name).unwrap()
    }

    fn id(&self, name: &str) -> PortId {
        self.port(name).identity.id
    }

    fn names(&self) -> Vec<&str> {
        self.live.ports.iter().map(|port| &*port.identity.name).collect()
    }
}

impl SimPort {
    fn row(&self, uptime_ticks: u32, received: Timestamp) -> CounterRow {
        let mut values = [None; METRICS];
        values[IN.index()] = Some(if self.narrow { self.octets % (1 << 32) } else { self.octets });
        values[PortMetric::OperStatus.index()] = Some(self.oper);
        CounterRow {
            if_index: IfIndex(self.index),
            uptime_ticks,
            received,
            values,
            narrow: u16::from(self.narrow),
            admin: Some(self.admin),
            discontinuity: None,
        }
    }

    fn interface(&self) -> InterfaceRow {
        InterfaceRow {
            if_index: self.index,
            if_name: (!self.name.is_empty()).then(|| self.name.into()),
            if_descr: Some(self.descr.as_str().into()),
            if_type: Some(6),
            phys_address: Some(vec![2, 0, 0, 0, 0, self.mac]),
            if_speed: Some(self.speed),
            admin: Some(self.admin),
            ..InterfaceRow::default()
        }
    }
}

fn row_of(observed: &Observed, port: PortId) -> &PortSample {
    observed.sample.as_ref().unwrap().rows.iter().find(|row| row.port == port).unwrap()
}

/// A bench after two polls, so that rates are known.
fn running(ports: Vec<SimPort>) -> Bench {
    let mut bench = Bench::new(ports);
    bench.poll_with_inventory();
    bench.pass(MINUTE);
    bench.carry(6_000);
    bench.poll();
    bench
}

#[test]
fn the_first_poll_has_counters_and_the_second_has_rates() {
    let mut bench = Bench::new(vec![sim(1, "ge1"), sim(2, "ge2")]);
    let first = bench.poll_with_inventory();
    assert_eq!(first.records.len(), 2);
    let row = row_of(&first, bench.id("ge1"));
    assert_eq!((row.mark, row.values[IN.index()]), (Some(Gap::First), Some(1_000_000)));
    assert_eq!(bench.port("ge1").gap, Some(Gap::First));
    bench.pass(MINUTE);
    bench.carry(6_000);
    let second = bench.poll();
    assert!(second.records.is_empty());
    assert_eq!(row_of(&second, bench.id("ge2")).mark, None);
    let port = bench.port("ge2");
    assert_eq!((port.rate(IN), port.counter(IN), port.gap, port.state), (Some(100.0), Some(1_006_000), None, PortState::Up));
    let passed = second.sample.unwrap().time.since(first.sample.unwrap().time);
    assert_eq!(passed, Duration::from_secs(60));
    assert_eq!((bench.live.health.state, bench.live.health.booted), (DeviceState::Up, Some(Timestamp::from_secs(1_790_000_000 - 9_000))));
}

#[test]
fn cards_swapped_at_a_reboot_keep_the_past_of_their_ports() {
    let mut bench = running(vec![sim(1, "ge1/1"), sim(2, "ge1/2"), sim(3, "ge2/1"), sim(4, "ge2/2")]);
    let before: Vec<_> = ["ge1/1", "ge1/2", "ge2/1", "ge2/2"].map(|name| bench.id(name)).into();
    bench.pass(MINUTE);
    bench.reboot();
    bench.pass(30);
    // The cards changed places: other numbers, other addresses, other order.
    for (port, index) in bench.ports.iter_mut().zip([13, 14, 11, 12]) {
        (port.index, port.mac, port.octets) = (index, index as u8, 500);
    }
    bench.ports.rotate_left(2);
    let observed = bench.poll_with_inventory();
    assert_eq!(["ge1/1", "ge1/2", "ge2/1", "ge2/2"].map(|name| bench.id(name)).to_vec(), before);
    assert!(observed.sample.unwrap().rows.iter().all(|row| matches!(row.mark, Some(Gap::Reset | Gap::Replaced))));
    assert!(bench.live.ports.iter().all(|port| port.rate(IN).is_none()));
    bench.pass(MINUTE);
    bench.carry(600);
    assert!(bench.poll().sample.unwrap().rows.iter().all(|row| row.mark.is_none()));
    assert_eq!(bench.port("ge2/1").rate(IN), Some(10.0));
}

#[test]
fn an_index_given_to_another_port_inherits_nothing_and_a_port_that_returns_is_itself() {
    let mut bench = running(vec![sim(1, "ge1"), sim(7, "po1")]);
    let gone = bench.id("po1");
    bench.pass(MINUTE);
    bench.ports[1] = SimPort { octets: 77, ..sim(7, "vlan7") };
    let observed = bench.poll_with_inventory();
    assert_ne!(bench.id("vlan7"), gone);
    assert_eq!(row_of(&observed, bench.id("vlan7")).mark, Some(Gap::First));
    let absent = row_of(&observed, gone);
    assert_eq!((absent.mark, absent.values), (Some(Gap::Absent), [None; METRICS]));
    let port = bench.port("po1");
    assert_eq!((port.state, port.gap, port.rate(IN)), (PortState::Unknown, Some(Gap::Absent), None));
    bench.pass(MINUTE);
    bench.ports.push(sim(9, "po1"));
    let returned = bench.poll_with_inventory();
    assert_eq!(bench.id("po1"), gone);
    assert_eq!(row_of(&returned, gone).mark, Some(Gap::First));
}

#[test]
fn a_row_that_moved_without_a_restart_is_not_compared_with_the_row_that_stood_there() {
    let mut bench = running(vec![sim(1, "ge1"), sim(2, "ge2")]);
    bench.pass(MINUTE);
    bench.carry(6_000);
    (bench.ports[0].index, bench.ports[1].index) = (2, 1);
    let observed = bench.poll_with_inventory();
    assert!(observed.sample.unwrap().rows.iter().all(|row| row.mark == Some(Gap::Replaced)));
}

#[test]
fn names_that_stand_twice_are_numbered_and_stay_with_their_ports() {
    let twin = |index, mac| SimPort { mac, descr: "same".to_owned(), ..sim(index, "eth") };
    let mut bench = running(vec![twin(1, 1), twin(2, 2), twin(3, 3)]);
    assert_eq!(bench.names(), ["eth", "eth#2", "eth#3"]);
    let before = ["eth", "eth#2", "eth#3"].map(|name| (bench.id(name), bench.port(name).identity.mac));
    bench.ports.reverse();
    bench.ports.iter_mut().for_each(|port| port.index += 100);
    bench.pass(MINUTE);
    bench.poll_with_inventory();
    assert_eq!(["eth", "eth#2", "eth#3"].map(|name| (bench.id(name), bench.port(name).identity.mac)), before);
}

#[test]
fn ports_without_ifname_go_by_ifdescr_then_by_index_and_take_their_name_when_it_comes() {
    let nameless = |index| SimPort { descr: String::new(), mac: 0, ..sim(index, "") };
    let mut bench = running(vec![sim(1, ""), nameless(5)]);
    assert_eq!(bench.names(), ["port", "ifIndex 5"]);
    let id = bench.id("port");
    bench.ports[0].name = "ge1";
    bench.pass(MINUTE);
    let observed = bench.poll_with_inventory();
    assert_eq!(bench.id("ge1"), id);
    assert_eq!(observed.records.iter().map(|record| (record.id, &*record.name)).collect::<Vec<_>>(), [(id, "ge1")]);
}

#[test]
fn an_outage_is_one_gap_and_the_rate_after_it_is_the_mean_over_it() {
    let mut bench = running(vec![sim(1, "ge1")]);
    bench.pass(MINUTE);
    let silent = bench.silence(Gap::Timeout);
    let sample = silent.sample.unwrap();
    assert_eq!((sample.gap, sample.rows.len()), (Some(Gap::Timeout), 0));
    let port = bench.port("ge1");
    assert_eq!((port.state, port.gap, port.rate(IN), port.counter(IN)), (PortState::Unknown, Some(Gap::Timeout), None, Some(1_006_000)));
    assert_eq!(bench.live.health.state, DeviceState::Down);
    let since = bench.live.health.since;
    bench.pass(MINUTE);
    bench.silence(Gap::Timeout);
    assert_eq!(bench.live.health.since, since);
    bench.pass(MINUTE);
    bench.carry(18_000);
    let back = bench.poll();
    assert_eq!(row_of(&back, bench.id("ge1")).mark, None);
    assert_eq!(bench.port("ge1").rate(IN), Some(100.0));
    assert_eq!(bench.live.health.state, DeviceState::Up);
}

#[test]
fn rows_that_did_not_come_in_time_are_told_and_rows_that_were_not_due_are_left_out() {
    let mut bench = running(vec![sim(1, "ge1"), sim(2, "ge2"), sim(3, "slow")]);
    // From now on "slow" is asked only every other minute.
    for turn in 0..4 {
        bench.pass(MINUTE);
        bench.carry(6_000);
        let mut round = bench.round();
        if turn % 2 == 0 {
            round.rows.truncate(2);
        }
        let observed = bench.observe(&round);
        assert_eq!(observed.sample.unwrap().rows.len(), if turn % 2 == 0 { 2 } else { 3 });
    }
    assert_eq!(bench.port("slow").rate(IN), Some(100.0));
    bench.pass(MINUTE);
    let mut late = bench.round();
    late.rows.truncate(1);
    late.gap = Some(Gap::Deadline);
    let observed = bench.observe(&late);
    assert_eq!(row_of(&observed, bench.id("ge2")).mark, Some(Gap::Deadline));
    assert_eq!(observed.sample.unwrap().rows.len(), 2, "a minute after its last reading the slow port was not due");
    assert_eq!((bench.live.health.state, bench.port("ge2").gap), (DeviceState::Degraded, Some(Gap::Deadline)));
}

#[test]
fn after_a_restart_nothing_is_taken_before_the_identity_was_read_again() {
    let mut bench = running(vec![sim(1, "ge1"), sim(2, "ge2")]);
    bench.reboot();
    bench.pass(MINUTE);
    // The device has renumbered, which we do not know yet.
    (bench.ports[0].index, bench.ports[1].index) = (2, 1);
    bench.ports[0].octets = 5_000;
    let blind = bench.poll();
    assert!(blind.sample.unwrap().rows.iter().all(|row| row.mark == Some(Gap::Reset) && row.values == [None; METRICS]));
    bench.pass(MINUTE);
    bench.poll_with_inventory();
    assert_eq!(bench.port("ge1").counter(IN), Some(5_000));
    assert_eq!(bench.live.health.booted, Some(bench.wall - Duration::from_secs(120)));
}

#[test]
fn a_restart_hidden_by_a_long_outage_is_a_reset_but_no_reason_to_wait() {
    let mut bench = running(vec![sim(1, "ge1")]);
    bench.uptime = 3_000;
    bench.pass(MINUTE);
    bench.poll_with_inventory();
    for _ in 0..60 {
        bench.pass(MINUTE);
        bench.silence(Gap::Timeout);
    }
    bench.reboot();
    bench.pass(120);
    bench.ports[0].octets = 2_000_000;
    // 120 s up against 90 s at the last answer: sysUpTime did not fall, so the poller reads no identity.
    let back = bench.poll();
    let row = row_of(&back, bench.id("ge1"));
    assert_eq!((row.mark, row.values[IN.index()]), (Some(Gap::Reset), Some(2_000_000)));
    bench.pass(MINUTE);
    bench.carry(6_000);
    bench.poll();
    assert_eq!(bench.port("ge1").rate(IN), Some(100.0));
}

#[test]
fn a_restart_of_netroom_keeps_numbers_and_begins_with_first_samples() {
    let mut bench = Bench::new(vec![sim(1, "ge1"), sim(2, "ge2")]);
    let records = bench.poll_with_inventory().records;
    let (one, two) = (bench.id("ge1"), bench.id("ge2"));
    let catalogue = Catalogue { last_port: 2, ports: HashMap::from([(DeviceId(1), records)]), ..Catalogue::default() };
    let mut later = Bench::with(catalogue, vec![sim(12, "ge2"), sim(11, "ge1"), sim(13, "ge3")]);
    assert_eq!((later.names(), later.port("ge1").gap), (vec!["ge1", "ge2"], Some(Gap::First)), "listed before the device has answered");
    let observed = later.poll_with_inventory();
    assert_eq!((later.id("ge1"), later.id("ge2"), later.id("ge3")), (one, two, PortId(3)));
    assert!(observed.sample.unwrap().rows.iter().all(|row| row.mark == Some(Gap::First)));
}

#[test]
fn ports_gone_for_long_are_not_listed_but_not_forgotten() {
    let mut bench = running(vec![sim(1, "ge1"), sim(2, "veth7")]);
    let gone = bench.id("veth7");
    let veth = bench.ports.pop().unwrap();
    for _ in 0..32 {
        bench.pass(86_400);
        bench.poll_with_inventory();
    }
    assert_eq!(bench.names(), ["ge1"]);
    bench.ports.push(veth);
    bench.pass(MINUTE);
    bench.poll_with_inventory();
    assert_eq!(bench.id("veth7"), gone);
}

#[test]
fn our_clock_set_back_disturbs_no_rate_and_stores_nothing_twice() {
    let mut bench = running(vec![sim(1, "ge1")]);
    let mut stored: Vec<Timestamp> = Vec::new();
    for turn in 0..12 {
        bench.pass(MINUTE);
        bench.carry(6_000);
        if turn == 5 {
            bench.wall = bench.wall - Duration::from_secs(150);
        }
        let observed = bench.poll();
        assert_eq!(bench.port("ge1").rate(IN), Some(100.0));
        if let Some(sample) = observed.sample {
            let first_after = stored.len() == 5;
            assert_eq!(sample.rows[0].mark, first_after.then_some(Gap::ClockStep), "poll {turn}");
            stored.push(sample.time);
        }
    }
    assert_eq!(stored.len(), 10);
    assert!(stored.is_sorted() && stored.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn what_was_not_stored_is_owed_to_the_next_sample() {
    let mut bench = running(vec![sim(1, "ge1"), sim(2, "ge2")]);
    bench.ports[1].octets = 0;
    bench.pass(MINUTE);
    let lost = bench.poll().sample.unwrap();
    assert_eq!(lost.rows[1].mark, Some(Gap::Reset));
    bench.tracker.not_stored(&lost);
    bench.pass(MINUTE);
    let next = bench.poll();
    assert_eq!((row_of(&next, bench.id("ge1")).mark, row_of(&next, bench.id("ge2")).mark), (None, Some(Gap::Reset)));
    assert_eq!(bench.port("ge2").gap, None, "the live rate is known all the same");
    bench.pass(MINUTE);
    assert_eq!(row_of(&bench.poll(), bench.id("ge2")).mark, None);
}

#[test]
fn narrow_counters_are_continued_into_the_samples() {
    let port = SimPort { narrow: true, octets: (1 << 32) - 100, speed: 100_000_000, ..sim(1, "fe1") };
    let mut bench = running(vec![port]);
    assert_eq!(bench.port("fe1").counter(IN), Some((1 << 32) + 5_900));
    bench.pass(MINUTE);
    bench.carry(600);
    assert_eq!(row_of(&bench.poll(), bench.id("fe1")).values[IN.index()], Some((1 << 32) + 6_500));
}

#[test]
fn states_are_told_by_what_the_device_says_now() {
    let mut bench = running(vec![sim(1, "ge1")]);
    for (admin, oper, state) in
        [(1, 2, PortState::Down), (2, 2, PortState::Shut), (1, 6, PortState::Down), (1, 4, PortState::Unknown), (1, 1, PortState::Up)]
    {
        (bench.ports[0].admin, bench.ports[0].oper) = (admin, oper);
        bench.pass(MINUTE);
        bench.poll();
        assert_eq!((bench.port("ge1").state, bench.port("ge1").identity.admin), (state, admin), "admin {admin} oper {oper}");
    }
}

#[test]
fn a_link_that_comes_up_faster_than_before_is_not_held_to_the_old_speed() {
    let mut bench = running(vec![SimPort { oper: 2, speed: 10_000_000, ..sim(1, "ge1") }]);
    bench.pass(MINUTE);
    bench.ports[0].oper = 1;
    bench.carry(6_000_000_000);
    bench.poll();
    assert_eq!(bench.port("ge1").rate(IN), Some(100_000_000.0));
}

#[test]
fn an_interface_that_gives_no_counter_is_absent_not_zero() {
    let mut bench = running(vec![sim(1, "ge1")]);
    bench.pass(MINUTE);
    let mut round = bench.round();
    round.rows[0].values = [None; METRICS];
    let observed = bench.observe(&round);
    assert_eq!(row_of(&observed, bench.id("ge1")).mark, Some(Gap::Absent));
    assert_eq!(bench.port("ge1").counter(IN), None);
}

#[test]
fn devices_leave_and_return_with_their_ports() {
    let mut bench = running(vec![sim(1, "ge1")]);
    let id = bench.id("ge1");
    assert!(bench.tracker.set_devices(Vec::new()).is_empty());
    let now = Moment { wall: bench.wall, steady: bench.origin + bench.steady };
    assert!(bench.tracker.observe(&bench.round(), now).is_none());
    bench.live = bench.tracker.set_devices(vec![label(300)]).remove(0);
    assert_eq!((bench.id("ge1"), bench.live.label.interval_s), (id, 300));
    let kept = bench.tracker.set_devices(vec![label(60)]).remove(0);
    assert_eq!((kept.ports.len(), kept.label.interval_s), (1, 60));
}

#[test]
fn rows_of_one_poll_carry_their_own_times() {
    let mut bench = Bench::new(vec![sim(1, "ge1"), sim(2, "ge2")]);
    let mut round = PollRound { inventory: Some(bench.inventory()), ..bench.round() };
    round.rows[1].uptime_ticks += 250;
    round.rows[1].received = round.rows[1].received + Duration::from_millis(2_900);
    bench.pass(3);
    let observed = bench.observe(&round);
    assert_eq!(row_of(&observed, bench.id("ge2")).skew_ms, 2_500, "by the agent's clock, not by when the answer came");
    assert_eq!(bench.port("ge2").sampled, Some(observed.sample.unwrap().time + Duration::from_millis(2_500)));
}

/// What can happen to a switch between two polls.
#[derive(Clone, Debug)]
enum Event {
    Poll,
    Renumber(u32),
    Reboot,
    Pull(prop::sample::Index),
    Plug,
    Outage,
    SetClock(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Poll),
        2 => (1_u32..1_000).prop_map(Event::Renumber),
        2 => Just(Event::Reboot),
        1 => any::<prop::sample::Index>().prop_map(Event::Pull),
        1 => Just(Event::Plug),
        1 => Just(Event::Outage),
        1 => (-100_000_i64..100_000).prop_map(Event::SetClock),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_numbers_stay_and_no_rate_is_invented(events in proptest::collection::vec(event(), 1..60)) {
        const NAMES: [&str; 6] = ["ge1", "ge2", "ge3", "ge4", "eth", "eth"];
        let ports: Vec<SimPort> = NAMES.iter().zip(1..).map(|(name, index)| SimPort { descr: format!("slot {index}"), ..sim(index, name) }).collect();
        let mut bench = running(ports);
        let numbers: HashMap<Option<crate::model::MacAddr>, PortId> = bench.live.ports.iter().map(|port| (port.identity.mac, port.identity.id)).collect();
        let mut pulled: Vec<SimPort> = Vec::new();
        for event in events {
            let mut read = false;
            match event {
                Event::Poll => {}
                Event::Outage => {
                    bench.pass(MINUTE);
                    bench.carry(6_000);
                    bench.silence(Gap::Timeout);
                }
                Event::Renumber(offset) => {
                    bench.ports.reverse();
                    bench.ports.iter_mut().zip(offset..).for_each(|(port, index)| port.index = index);
                    read = true;
                }
                Event::Reboot => {
                    bench.reboot();
                    read = true;
                }
                Event::Pull(which) => {
                    if !bench.ports.is_empty() {
                        pulled.push(bench.ports.remove(which.index(bench.ports.len())));
                    }
                    read = true;
                }
                Event::Plug => {
                    let highest = bench.ports.iter().map(|port| port.index).max().unwrap_or(0);
                    bench.ports.extend(pulled.pop().map(|port| SimPort { index: highest + 1, octets: 3, ..port }));
                    read = true;
                }
                Event::SetClock(seconds) => bench.wall = Timestamp::from_millis(bench.wall.millis() + seconds * 1_000),
            }
            bench.pass(MINUTE);
            bench.carry(6_000);
            if read { bench.poll_with_inventory(); } else { bench.poll(); }
            prop_assert_eq!(bench.live.ports.len(), NAMES.len());
            for port in bench.live.ports.iter() {
                prop_assert_eq!(Some(&port.identity.id), numbers.get(&port.identity.mac));
                prop_assert!(port.rate(IN).is_none_or(|rate| (rate - 100.0).abs() < 0.01), "{:?}", port);
                prop_assert!(port.rate(IN).is_some() != port.gap.is_some());
            }
        }
    }
}
