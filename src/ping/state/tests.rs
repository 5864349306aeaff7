//! The judge with the real schedule over a small world: who is dead, who stands behind whom, and what is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::super::codec::{Arrival, Family, Refusal};
use super::super::round::Outcome;
use super::super::schedule::{Event, HostId, Probe, Schedule, Target};
use super::*;
use crate::model::{Finding, Severity, Subject, Verdict};

const SECOND: i64 = 1_000_000_000;
const TIMEOUT: Duration = Duration::from_secs(3);

/// How one host is at the moment.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Health {
    Alive,
    Dead,
    Refusing,
    /// Loses this share of the probes, percent.
    Lossy(u64),
    Slow(i64),
}

struct World {
    schedule: Schedule,
    judge: Judge,
    watches: Vec<Watch>,
    health: Vec<Health>,
    /// Whether our own cable is out (the machine does not know).
    cut: bool,
    now_ns: i64,
    dice: u64,
    under_way: Vec<(i64, Probe)>,
    told: Vec<Finding>,
    probes_again: usize,
}

fn address(id: u32) -> IpAddr {
    IpAddr::from([10, 0, (id >> 8) as u8, id as u8])
}

fn watch(id: u32, parents: &[u32]) -> Watch {
    Watch {
        id: HostId(id),
        subject: Subject::Host(format!("h{id}").into()),
        address: address(id),
        parents: parents.iter().map(|parent| HostId(*parent)).collect(),
        is_local: false,
        is_gateway: false,
        thresholds: Thresholds::default(),
    }
}

impl World {
    fn new(watches: Vec<Watch>) -> Self {
        let targets: Vec<Target> = watches
            .iter()
            .map(|watch| Target { id: watch.id, address: watch.address, interval: Duration::from_secs(60), probes: 5, size: 56 })
            .collect();
        let mut schedule = Schedule::new(TIMEOUT);
        schedule.set_targets(&targets, 0);
        let mut judge = Judge::new(TIMEOUT.as_nanos() as i64);
        judge.set(watches.clone(), Vec::new(), TIMEOUT.as_nanos() as i64, 0);
        let health = vec![Health::Alive; watches.len()];
        Self {
            schedule,
            judge,
            watches,
            health,
            cut: false,
            now_ns: 0,
            dice: 0x9e37_79b9_7f4a_7c15,
            under_way: Vec::new(),
            told: Vec::new(),
            probes_again: 0,
        }
    }

    fn chain(length: u32) -> Self {
        Self::new((0..length).map(|id| watch(id, &if id == 0 { vec![] } else { vec![id - 1] })).collect())
    }

    /// Whether packets get as far as this host.
    fn is_reached(&self, place: usize) -> bool {
        let parents = &self.watches[place].parents;
        let through = |parent: &HostId| {
            let parent = parent.0 as usize;
            !matches!(self.health[parent], Health::Dead) && self.is_reached(parent)
        };
        !self.cut && (parents.is_empty() || parents.iter().any(through))
    }

    fn dice(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice >> 11
    }

    fn run(&mut self, seconds: i64) {
        let end = self.now_ns + seconds * SECOND;
        loop {
            let due = [self.schedule.next_ns(), self.judge.next_deadline(), self.under_way.iter().map(|(at, _)| *at).min()];
            let next = due.into_iter().flatten().min().unwrap_or(end);
            if next >= end {
                self.now_ns = end;
                return;
            }
            self.now_ns = next.max(self.now_ns);
            self.turn();
        }
    }

    fn turn(&mut self) {
        let (now, mut events) = (self.now_ns, Vec::new());
        let (arrived, waiting) = std::mem::take(&mut self.under_way).into_iter().partition(|(at, _)| *at <= now);
        self.under_way = waiting;
        for (at, probe) in arrived {
            let (refused, from) = (self.health[probe.mark.slot as usize] == Health::Refusing, probe.address);
            let refusal = Refusal { family: Family::V4, kind: 3, code: 10 };
            let arrival = match refused {
                true => Arrival::Refused { refusal, to: from, ident: 7, seq: probe.seq, mark: Some(probe.mark) },
                false => Arrival::Reply { ident: 7, mark: probe.mark },
            };
            self.schedule.arrived(Some(from), at, arrival, &mut |event| events.push(event));
        }
        self.schedule.give_up(now, &mut |event| events.push(event));
        while let Some(probe) = self.schedule.next_probe(now) {
            self.schedule.sent(&probe, now);
            let place = probe.mark.slot as usize;
            let dice = self.dice() % 100;
            let after = match self.health[place] {
                _ if !self.is_reached(place) => None,
                Health::Dead => None,
                Health::Lossy(share) if dice < share => None,
                Health::Slow(ms) => Some(ms * 1_000_000),
                _ => Some(1_000_000),
            };
            self.under_way.extend(after.map(|after| (now + after, probe)));
        }
        let mut effects = Vec::new();
        events.iter().for_each(|event: &Event| self.judge.observe(event, &mut effects));
        self.judge.tick(now, &mut effects);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::ProbeAgain(host, count) => {
                    self.probes_again += 1;
                    self.schedule.probe_again(host, count, self.now_ns);
                }
                Effect::Tell(finding) => self.told.push(finding),
                Effect::Changed(_) | Effect::CheckAgain(_) => {}
            }
        }
    }

    /// What was told since the last time: `+host-down h1`, `-host-down h1`, `+host-unreachable h2 <h1`.
    fn take_told(&mut self) -> Vec<String> {
        let line = |finding: Finding| {
            let sign = if finding.verdict == Verdict::Cleared { '-' } else { '+' };
            let cause = finding.cause.map(|cause| format!(" <{}", cause.name())).unwrap_or_default();
            format!("{sign}{} {}{cause}", finding.rule, finding.subject.name())
        };
        std::mem::take(&mut self.told).into_iter().map(line).collect()
    }

    /// Lets everybody answer once, and forgets what was told by it.
    fn settled(mut self) -> Self {
        self.run(70);
        assert!(self.take_told().iter().all(|line| line.starts_with('-')), "nobody is accused who answers");
        self
    }
}

#[test]
fn a_dead_host_is_down_within_ninety_seconds_wherever_it_was_in_its_round() {
    for offset in 0..24 {
        let mut world = World::chain(1).settled();
        world.run(offset);
        world.health[0] = Health::Dead;
        let dead_ns = world.now_ns;
        world.run(90);
        let at_ns = world.told.first().expect("it is told").at.millis() * 1_000_000;
        let took = (at_ns - dead_ns) / SECOND;
        assert!((48..=90).contains(&took), "after {took} s");
        assert_eq!(world.take_told(), ["+host-down h0"]);
        world.health[0] = Health::Alive;
        world.run(20);
        assert_eq!(world.take_told(), ["-host-down h0"]);
    }
}

#[test]
fn those_behind_a_dead_one_are_not_down() {
    let mut world = World::chain(4).settled();
    world.health[1] = Health::Dead;
    world.run(100);
    let mut told = world.take_told();
    told.sort();
    assert_eq!(told, ["+host-down h1", "+host-unreachable h2 <h1", "+host-unreachable h3 <h1"]);
    // h3 died meanwhile; h2 comes back with h1.
    world.health[3] = Health::Dead;
    world.health[1] = Health::Alive;
    world.run(100);
    let mut told = world.take_told();
    told.sort();
    assert_eq!(told, ["+host-down h3", "-host-down h1", "-host-unreachable h2", "-host-unreachable h3"]);
}

#[test]
fn a_second_way_keeps_a_host_in_reach() {
    let mut world = World::new(vec![watch(0, &[]), watch(1, &[]), watch(2, &[0, 1])]).settled();
    world.health[0] = Health::Dead;
    world.run(100);
    assert_eq!(world.take_told(), ["+host-down h0"]);
    world.health[1] = Health::Dead;
    world.run(100);
    let mut told = world.take_told();
    told.sort();
    assert_eq!(told, ["+host-down h1", "+host-unreachable h2 <h0"]);
}

#[test]
fn a_refusing_host_is_down_and_the_network_is_quoted() {
    let mut world = World::chain(1).settled();
    world.health[0] = Health::Refusing;
    world.run(90);
    let finding = world.told.last().unwrap();
    assert_eq!(finding.verdict, Verdict::Raised(Severity::Major));
    assert_eq!(finding.evidence["refusal"], crate::model::Fact::Text("prohibited".into()));
    assert_eq!(finding.evidence["icmp_code"], crate::model::Fact::Count(10));
}

#[test]
fn without_our_cable_we_are_blind_and_accuse_nobody() {
    let gateway = Watch { subject: Subject::Part("gateway".into()), is_gateway: true, ..watch(0, &[]) };
    let mut world = World::new([gateway].into_iter().chain((1..200).map(|id| watch(id, &[]))).collect()).settled();
    world.cut = true;
    world.run(600);
    assert_eq!(world.take_told(), ["+monitor-blind link"]);
    world.cut = false;
    world.run(100);
    assert_eq!(world.take_told(), ["-monitor-blind link"]);
    // A gateway that is silent while others answer does not make us blind.
    world.health[0] = Health::Dead;
    world.health[7] = Health::Dead;
    world.run(100);
    assert_eq!(world.take_told(), ["+host-down h7"]);
}

#[test]
fn without_a_carrier_we_are_blind_at_once() {
    let mut world = World::chain(3).settled();
    world.cut = true;
    let mut effects = Vec::new();
    world.judge.link(false, world.now_ns, &mut effects);
    world.perform(effects);
    world.run(300);
    assert_eq!(world.take_told(), ["+monitor-blind link"]);
    world.cut = false;
    world.judge.link(true, world.now_ns, &mut Vec::new());
    world.run(60);
    assert_eq!(world.take_told(), ["-monitor-blind link"]);
}

#[test]
fn what_cannot_be_sent_is_our_doing() {
    let mut judge = Judge::new(3 * SECOND);
    judge.set((0..4).map(|id| watch(id, &[])).collect(), Vec::new(), 3 * SECOND, 0);
    let mut effects = Vec::new();
    for second in 0..40 {
        let event =
            Event::Probe { host: HostId(second % 4), at_ns: i64::from(second) * SECOND, extra: false, outcome: Outcome::Unmeasured };
        judge.observe(&event, &mut effects);
    }
    let told: Vec<_> = effects.iter().filter(|effect| matches!(effect, Effect::Tell(_))).collect();
    assert!(matches!(told.as_slice(), [Effect::Tell(finding)] if &*finding.rule == "monitor-blind"), "{told:?}");
}

#[test]
fn lossy_and_slow_have_margins() {
    let mut world = World::chain(1).settled();
    world.health[0] = Health::Lossy(40);
    world.run(1200);
    assert!(world.take_told().contains(&"+host-lossy h0".to_owned()));
    world.health[0] = Health::Alive;
    world.run(600);
    assert_eq!(world.take_told(), ["-host-lossy h0"]);
    world.health[0] = Health::Slow(300);
    world.run(400);
    assert_eq!(world.take_told(), ["+host-slow h0"]);
    // Between four fifths of the limit and the limit nothing changes.
    world.health[0] = Health::Slow(230);
    world.run(600);
    assert!(world.take_told().is_empty());
    world.health[0] = Health::Slow(10);
    world.run(400);
    assert_eq!(world.take_told(), ["-host-slow h0"]);
}

#[test]
fn a_host_that_comes_and_goes_is_flapping() {
    let mut world = World::chain(1).settled();
    for _ in 0..3 {
        world.health[0] = Health::Dead;
        world.run(100);
        world.health[0] = Health::Alive;
        world.run(60);
    }
    let told = world.take_told();
    assert_eq!(told.iter().filter(|line| *line == "+host-flapping h0").count(), 1, "{told:?}");
    world.run(2000);
    assert_eq!(world.take_told(), ["-host-flapping h0"]);
}

fn service(host: Option<u32>) -> ServiceWatch {
    ServiceWatch {
        id: ServiceId(1),
        subject: Subject::Service("h0".into(), "https".into()),
        host: host.map(HostId),
        is_local: false,
        thresholds: ServiceThresholds::default(),
    }
}

fn checked(second: i64, took_ms: Option<f64>, days: Option<i64>) -> Checked {
    let certificate = days.map(|days| Certificate { days, subject: "CN=h0".into(), issuer: "CN=ca".into() });
    Checked {
        at_ns: second * SECOND,
        took_ns: took_ms.map(|ms| ms * 1e6),
        fault: took_ms.is_none().then_some(Fault::Refused),
        said: "connection refused".into(),
        certificate,
    }
}

#[test]
fn a_service_is_checked_again_soon_before_it_is_down() {
    let mut judge = Judge::new(3 * SECOND);
    judge.set(Vec::new(), vec![service(None)], 3 * SECOND, 0);
    let tell = |judge: &mut Judge, second: i64, ok: bool| {
        let mut out = Vec::new();
        judge.checked(ServiceId(1), &checked(second, ok.then_some(5.0), None), &mut out);
        let lines = out.into_iter().map(|effect| match effect {
            Effect::CheckAgain(_) => "again".to_owned(),
            Effect::Tell(finding) => format!("{} {:?}", finding.rule, finding.verdict),
            other => format!("{other:?}"),
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(tell(&mut judge, 0, true), ["service-down Cleared"]);
    assert_eq!(tell(&mut judge, 60, false), ["again"]);
    assert_eq!(tell(&mut judge, 65, false), ["again"]);
    assert_eq!(tell(&mut judge, 70, false), ["service-down Raised(Major)"]);
    assert!(tell(&mut judge, 130, false).is_empty());
    assert_eq!(tell(&mut judge, 190, true), ["again"]);
    assert_eq!(tell(&mut judge, 195, true), ["service-down Cleared"]);
}

#[test]
fn a_service_on_a_dead_host_has_the_host_as_its_cause() {
    let mut world = World::chain(2).settled();
    world.judge.set(world.watches.clone(), vec![service(Some(1))], 3 * SECOND, world.now_ns);
    world.health[0] = Health::Dead;
    world.run(100);
    world.take_told();
    let mut effects = Vec::new();
    (0..3).for_each(|second| world.judge.checked(ServiceId(1), &checked(second, None, None), &mut effects));
    world.perform(effects);
    assert_eq!(world.take_told(), ["+service-down h0 https <h0"]);
}

#[test]
fn a_certificate_is_told_when_it_begins_to_matter_and_when_it_matters_more() {
    let mut judge = Judge::new(3 * SECOND);
    judge.set(Vec::new(), vec![service(None)], 3 * SECOND, 0);
    let mut told = Vec::new();
    for (second, days) in [90, 22, 21, 20, 7, 3, -1, 89].into_iter().enumerate() {
        let mut out = Vec::new();
        judge.checked(ServiceId(1), &checked(second as i64, Some(5.0), Some(days)), &mut out);
        told.extend(out.into_iter().filter_map(|effect| match effect {
            Effect::Tell(finding) if &*finding.rule == "certificate-expiring" => Some((days, finding.verdict)),
            _ => None,
        }));
    }
    use Verdict::{Cleared, Raised};
    let wanted = [(21, Raised(Severity::Minor)), (7, Raised(Severity::Major)), (-1, Raised(Severity::Critical)), (89, Cleared)];
    assert_eq!(told, wanted);
}

/// A day of a hundred hosts in a tree of switches, with faults of every kind.
#[test]
fn a_simulated_day() {
    // One core (0), nine switches (1 to 9), ninety hosts.
    let parent = |id: u32| match id {
        0 => vec![],
        1..=9 => vec![0],
        _ => vec![1 + id % 9],
    };
    let mut world = World::new((0..100).map(|id| watch(id, &parent(id))).collect()).settled();
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for hour in 0..24 {
        let (sick, health) = match hour % 4 {
            0 => (0, Health::Dead),
            1 => (3, Health::Dead),
            2 => (10 + hour, Health::Dead),
            _ => (20 + hour, Health::Lossy(50)),
        };
        world.health[sick] = health;
        world.run(600);
        world.health[sick] = Health::Alive;
        world.run(3000);
        if health == Health::Dead {
            *expected.entry(format!("+host-down h{sick}")).or_default() += 1;
        }
    }
    let mut open = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in world.take_told() {
        let key = line[1..].split(" <").next().unwrap().to_owned();
        if line.starts_with('+') {
            assert!(open.insert(key), "told twice: {line}");
        } else {
            assert!(open.remove(&key), "ended without a beginning: {line}");
        }
        if line.starts_with("+host-down") {
            *seen.entry(line.clone()).or_default() += 1;
        }
        if let Some((_, cause)) = line.split_once(" <") {
            assert!(cause == "h0" || cause == "h3", "{line}");
        }
    }
    // A host that loses half of its probes may well miss nine in a row; nobody else is accused.
    seen.retain(|line, _| !(20..44).step_by(1).any(|id| *line == format!("+host-down h{id}") && !expected.contains_key(line)));
    assert_eq!(seen, expected);
    assert_eq!(open, BTreeSet::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the tree and whoever dies: those whose every way is cut are unreachable behind somebody dead, those that
    /// are reached and dead are down, the others are fine; and when all is well again nothing stays told.
    #[test]
    fn the_dead_are_accused_and_nobody_else(
        parents in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..3), 2..14),
        dead in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        offset in 0_i64..60,
    ) {
        let watches: Vec<Watch> = (0_u32..).zip(&parents).map(|(id, parents)| {
            let above: BTreeSet<u32> = parents.iter().filter(|_| id > 0).map(|parent| parent.index(id as usize) as u32).collect();
            watch(id, &above.into_iter().collect::<Vec<_>>())
        }).collect();
        let mut world = World::new(watches).settled();
        world.run(offset);
        for index in &dead {
            let place = index.index(world.health.len());
            world.health[place] = Health::Dead;
        }
        world.run(150);
        for place in 0..world.health.len() {
            let (reached, alive) = (world.is_reached(place), world.health[place] == Health::Alive);
            let (phase, _, root) = world.judge.phase(HostId(place as u32)).unwrap();
            match (reached, alive) {
                (true, true) => prop_assert_eq!(phase, Phase::Up),
                (true, false) => prop_assert_eq!(phase, Phase::Down),
                (false, _) => {
                    prop_assert!(matches!(phase, Phase::Behind(_)), "{:?}", phase);
                    let root = root.unwrap().clone();
                    let dead_root = world.watches.iter().position(|watch| watch.subject == root).unwrap();
                    prop_assert!(world.health[dead_root] == Health::Dead && world.is_reached(dead_root));
                }
            }
        }
        world.health.fill(Health::Alive);
        world.run(150);
        let mut open = BTreeSet::new();
        for line in world.take_told() {
            let key = line[1..].split(" <").next().unwrap().to_owned();
            if line.starts_with('+') { prop_assert!(open.insert(key)) } else { prop_assert!(open.remove(&key)) }
        }
        prop_assert!(open.is_empty(), "{:?}", open);
    }

    /// One host alone, against the plain rule: it is down when five probes in a row were lost and none was answered before
    /// it was decided; it is up when three of the last five were answered.
    #[test]
    fn one_host_against_the_plain_rule(outcomes in proptest::collection::vec(prop::bool::weighted(0.3), 1..200)) {
        let mut judge = Judge::new(3 * SECOND);
        judge.set(vec![watch(0, &[])], Vec::new(), 3 * SECOND, 0);
        let (mut history, mut down): (Vec<bool>, bool) = (Vec::new(), false);
        for (at, answered) in (0_i64..).zip(outcomes) {
            let at_ns = at * 12 * SECOND;
            // Twelve seconds pass between probes: what was suspected is decided before the next.
            let mut effects = Vec::new();
            judge.tick(at_ns, &mut effects);
            let outcome = if answered { Outcome::Answered(1) } else { Outcome::Lost };
            judge.observe(&Event::Probe { host: HostId(0), at_ns, extra: false, outcome }, &mut effects);
            judge.tick(at_ns + 11 * SECOND, &mut effects);
            history.push(answered);
            let last = &history[history.len().saturating_sub(5)..];
            if !down && last.len() == 5 && last.iter().all(|answered| !answered) {
                down = true;
            } else if down && last.iter().filter(|answered| **answered).count() >= 3 {
                (down, history) = (false, Vec::new());
            } else if history.len() == 1 && answered && at == 0 {
                history.clear();
            }
            let phase = judge.phase(HostId(0)).unwrap().0;
            prop_assert_eq!(phase == Phase::Down, down, "{:?} {:?}", phase, history);
        }
    }
}
