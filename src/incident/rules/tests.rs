//! Rules over whole snapshots: what is told, what is not, and that nothing is judged twice.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::config::rules::{PortClass, RuleMatch, RuleSettings};
use crate::model::{DeviceId, Fact, IfIndex, PortMetric, Severity, Zone};
use crate::ports::live::{Counters, DeviceHealth, DeviceLabel, Rates};

const T0: i64 = 1_795_363_200;

/// One switch whose state the test sets, looked at once a minute.
struct Room {
    rules: Rules,
    minute: i64,
    state: DeviceState,
    booted: Timestamp,
    ports: Vec<PortLive>,
    reach: Option<bool>,
    hearsay: HashSet<Subject>,
}

fn port(number: u32, name: &str, alias: &str) -> PortLive {
    let identity = PortIdentity {
        id: PortId(number),
        if_index: IfIndex(number),
        name: name.into(),
        descr: "".into(),
        alias: alias.into(),
        if_type: 6,
        mac: None,
        speed_bps: Some(1_000_000_000),
        mtu: None,
        admin: 1,
        connector: None,
        duplex: Some(3),
        last_change_ticks: None,
    };
    let (counters, rates) = (Counters::default(), Rates::default());
    PortLive { identity: Arc::new(identity), state: PortState::Up, sampled: None, counters, rates, gap: None }
}

impl Room {
    fn new(own: &[RuleSettings]) -> Self {
        let book = Book::new(own, &["sw1/Te*".parse().unwrap()]);
        Self {
            rules: Rules::new(book, Scope::default(), []),
            minute: 0,
            state: DeviceState::Up,
            booted: Timestamp::from_secs(0),
            ports: vec![port(1, "Te1", "to core"), port(2, "Gi1", "printer"), port(3, "Gi2", "")],
            reach: None,
            hearsay: HashSet::new(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(T0 + self.minute * 60)
    }

    fn snapshot(&self) -> Arc<DeviceLive> {
        let label = DeviceLabel {
            id: DeviceId(1),
            name: "sw1".into(),
            address: SocketAddr::from(([10, 0, 0, 1], 161)),
            site: "".into(),
            zone: Zone::Outer,
            interval_s: 60,
        };
        let health = DeviceHealth {
            state: self.state,
            gap: None,
            detail: None,
            since: Some(self.now()),
            last_poll: Some(self.now()),
            last_answer: (self.state != DeviceState::Down).then(|| self.now()),
            rtt_us: None,
            poll_ms: None,
            booted: Some(self.booted),
        };
        Arc::new(DeviceLive { label: Arc::new(label), system: None, health, ports: self.ports.clone().into() })
    }

    /// So many minutes; what is told, as `minute rule subject`.
    fn pass(&mut self, minutes: i64) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..minutes {
            self.minute += 1;
            let reach = self.reach;
            let fleet = [self.snapshot()];
            let now = self.now();
            let findings = self.rules.look(&fleet, &|_: &str| reach, &self.hearsay, now);
            assert!(self.rules.look(&fleet, &|_: &str| reach, &HashSet::new(), now).is_empty(), "nothing is judged twice");
            told.extend(findings.iter().map(|finding| {
                let mark = match finding.verdict {
                    Verdict::Raised(severity) => severity.word(),
                    Verdict::Cleared => "over",
                    Verdict::Unknown => "unknown",
                };
                format!("{} {} {mark}", finding.rule, finding.subject.name())
            }));
        }
        told
    }

    fn rate(&mut self, at: usize, metric: PortMetric, per_second: f32) {
        self.ports[at].rates.set(metric, Some(per_second));
    }
}

#[test]
fn a_port_down_matters_by_its_class() {
    let mut room = Room::new(&[]);
    assert!(room.pass(3).is_empty());
    for port in &mut room.ports {
        port.state = PortState::Down;
    }
    assert_eq!(room.pass(1), ["port-down sw1 Te1 major", "port-down sw1 Gi1 minor"], "nobody misses a socket that was used for minutes");
    room.ports.iter_mut().for_each(|port| port.state = PortState::Up);
    assert_eq!(room.pass(1), ["port-down sw1 Te1 over", "port-down sw1 Gi1 over"]);
    room.pass(24 * 60);
    room.ports[2].state = PortState::Down;
    assert_eq!(room.pass(1), ["port-down sw1 Gi2 info"], "after a day somebody does");
    room.ports[2].state = PortState::Shut;
    assert_eq!(room.pass(1), ["port-down sw1 Gi2 over"], "whoever shuts it means it");
}

#[test]
fn thresholds_are_inherited_from_site_to_port_and_the_nearest_counts() {
    let utilisation = |matches: RuleMatch, raise: f64| RuleSettings {
        name: "port-utilisation".into(),
        matches,
        raise: Some(raise),
        ..Default::default()
    };
    let any = RuleMatch::default;
    let own = [
        utilisation(RuleMatch { port: Some("Gi1".parse().unwrap()), ..any() }, 50.0),
        utilisation(RuleMatch { device: Some("sw*".parse().unwrap()), ..any() }, 70.0),
        RuleSettings { enabled: Some(false), ..utilisation(RuleMatch { class: Some(PortClass::Access), ..any() }, 1.0) },
    ];
    let mut room = Room::new(&own);
    (0..3).for_each(|at| room.rate(at, PortMetric::InOctets, 1e9 / 8.0 * 0.6));
    assert_eq!(room.pass(10), ["port-utilisation sw1 Gi1 minor"]);
    (0..3).for_each(|at| room.rate(at, PortMetric::InOctets, 1e9 / 8.0 * 0.75));
    assert_eq!(room.pass(10), ["port-utilisation sw1 Te1 major"]);
    // The margin moved along: 50 : 44.4.
    room.rate(1, PortMetric::InOctets, 1e9 / 8.0 * 0.46);
    assert!(room.pass(10).is_empty());
    room.rate(1, PortMetric::InOctets, 1e9 / 8.0 * 0.44);
    assert_eq!(room.pass(10), ["port-utilisation sw1 Gi1 over"]);
    // Another book: what holds no longer is taken back.
    room.rules.set_book(Book::new(&[RuleSettings { enabled: Some(false), ..utilisation(any(), 1.0) }], &[]), Scope::default());
    assert_eq!(room.pass(1), ["port-utilisation sw1 Te1 over"]);
}

#[test]
fn a_silent_device_says_nothing_of_its_ports_and_one_that_answers_pings_is_only_deaf() {
    let mut room = Room::new(&[]);
    room.pass(2);
    room.state = DeviceState::Down;
    room.ports.iter_mut().for_each(|port| port.state = PortState::Unknown);
    assert_eq!(room.pass(1), ["device-down sw1 major"]);
    room.reach = Some(true);
    assert_eq!(room.pass(1), ["device-silent sw1 minor", "device-down sw1 over"], "no moment in which nothing is wrong");
    room.state = DeviceState::Up;
    room.booted = room.now();
    room.ports.iter_mut().for_each(|port| port.state = PortState::Up);
    assert_eq!(room.pass(1), ["device-rebooted sw1 minor", "device-silent sw1 over"]);
    assert_eq!(room.pass(61), ["device-rebooted sw1 over"]);
}

#[test]
fn flaps_speeds_and_duplex_are_seen() {
    let mut room = Room::new(&[]);
    room.pass(2);
    let mut told = Vec::new();
    for minute in 0..6 {
        room.ports[1].state = if minute % 2 == 0 { PortState::Shut } else { PortState::Up };
        told.extend(room.pass(1));
    }
    assert_eq!(told, ["port-flapping sw1 Gi1 minor"]);
    assert_eq!(room.pass(11), ["port-flapping sw1 Gi1 over"]);
    let slow = PortIdentity { speed_bps: Some(100_000_000), duplex: Some(2), ..(*room.ports[1].identity).clone() };
    room.ports[1].identity = Arc::new(slow);
    assert_eq!(room.pass(3), ["port-speed sw1 Gi1 minor", "port-duplex sw1 Gi1 minor"]);
}

#[test]
fn what_was_raised_before_a_restart_is_taken_back_when_it_is_over() {
    let mut room = Room::new(&[]);
    let subject = Subject::Port("sw1".into(), "Gi1".into());
    room.rules =
        Rules::new(Book::new(&[], &[]), Scope::default(), [("port-down".into(), subject.clone()), ("port-in-errors".into(), subject)]);
    let errors = room.pass(20);
    assert_eq!(errors, ["port-down sw1 Gi1 over"], "errors are not known yet, so nothing is said of them");
    room.rate(1, PortMetric::InErrors, 0.0);
    assert_eq!(room.pass(20), ["port-in-errors sw1 Gi1 over"]);
    let fleet: [Arc<DeviceLive>; 0] = [];
    let now = room.now();
    room.ports[1].state = PortState::Down;
    room.pass(1);
    let told = room.rules.look(&fleet, &|_: &str| None, &HashSet::new(), now);
    assert_eq!(told.len(), 1, "a device that is no longer configured takes its faults with it");
}

#[test]
fn a_port_that_only_a_trap_spoke_of_is_looked_at() {
    let mut room = Room::new(&[]);
    room.pass(1);
    room.hearsay.insert(Subject::Port("sw1".into(), "Gi1".into()));
    assert_eq!(room.pass(1), ["port-down sw1 Gi1 over"]);
}

#[test]
fn the_evidence_is_in_the_rules_own_unit() {
    let mut room = Room::new(&[]);
    room.rate(0, PortMetric::InBroadcast, 2500.0);
    room.pass(2);
    room.minute += 1;
    let findings = room.rules.look(&[room.snapshot()], &|_: &str| None, &HashSet::new(), room.now());
    let evidence = &findings[0].evidence;
    assert_eq!((&evidence["value"], &evidence["threshold"]), (&Fact::PerSecond(2500.0), &Fact::PerSecond(1000.0)));
    assert_eq!(evidence["span"], Fact::Millis(Duration::from_secs(120).as_millis() as f64));
    assert_eq!(findings[0].verdict, Verdict::Raised(Severity::Major));
}
