//! The engine by tables, by random operations against what must always hold, and through a day.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::record::Phase;
use super::super::scope::{Place, Scope};
use super::super::windows::{Purpose, Target, When, Window, Windows};
use super::*;
use crate::model::Notice;
use crate::model::notice::Change;

const T0: i64 = 1_795_363_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(T0 + seconds)
}

fn device(name: &str) -> Subject {
    Subject::Device(name.into())
}

fn host(name: impl std::fmt::Display) -> Subject {
    Subject::Host(name.to_string().into())
}

fn port(name: &str) -> Subject {
    Subject::Port("sw1".into(), name.into())
}

/// An engine with its clock, and all that it ever told.
struct Desk {
    engine: Engine,
    now: Timestamp,
    told: Vec<Told>,
}

impl Desk {
    fn new(subjects: usize) -> Self {
        let places = [("sw1", "A"), ("sw2", "A")];
        let place = |site: &str| Place { site: site.into(), zone: None, tags: vec!["lab".into()] };
        let places: HashMap<Arc<str>, Place> = places.into_iter().map(|(name, site)| (name.into(), place(site))).collect();
        let mut engine = Engine::new(Limits::default(), Scope::new(places), Windows::default());
        engine.set_watched(subjects);
        Self { engine, now: at(0), told: Vec::new() }
    }

    fn find(&mut self, rule: &str, subject: Subject, verdict: Verdict, cause: Option<Subject>) {
        let finding = Finding { rule: rule.into(), subject, verdict, at: self.now, cause, evidence: Evidence::new() };
        self.engine.take(finding, self.now);
    }

    fn raise(&mut self, rule: &str, subject: Subject) {
        self.find(rule, subject, Verdict::Raised(Severity::Major), None);
    }

    fn behind(&mut self, subject: Subject, cause: Subject) {
        self.find("host-unreachable", subject, Verdict::Raised(Severity::Minor), Some(cause));
    }

    fn clear(&mut self, rule: &str, subject: Subject) {
        self.find(rule, subject, Verdict::Cleared, None);
    }

    /// Lets time pass, waking the engine when it asks to be.
    fn pass(&mut self, seconds: i64) -> Vec<String> {
        let (until, before) = (self.now + Duration::from_secs(seconds as u64), self.told.len());
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.engine.tick(self.now);
        }
        self.now = until;
        self.told.extend(self.engine.drain().events);
        self.told[before..].iter().filter_map(|told| told.notice.as_ref()).filter(|notice| !notice.is_muted).map(line).collect()
    }

    fn act(&mut self, id: i64, action: &Action) -> Result<(), Refused> {
        self.engine.act(IncidentId(id), &"li".into(), action, self.now)
    }

    fn open(&self) -> Vec<String> {
        let mut open: Vec<&Incident> = self.engine.open().collect();
        open.sort_by_key(|incident| incident.id);
        open.iter().map(|incident| format!("{} {} {}", incident.rule, incident.subject().name(), incident.affected)).collect()
    }
}

fn line(notice: &Notice) -> String {
    format!("{} {} {}", notice.change.word(), notice.rule, notice.subject.name())
}

#[test]
fn three_judges_of_one_dead_device_make_one_incident_with_the_weightiest_words() {
    let mut desk = Desk::new(100);
    desk.find("device-silent", device("sw1"), Verdict::Raised(Severity::Minor), None);
    assert_eq!(desk.pass(1), ["opened device-silent sw1"]);
    desk.raise("host-down", device("sw1"));
    assert_eq!(desk.pass(1), ["worsened host-down sw1"]);
    desk.raise("device-down", device("sw1"));
    assert!(desk.pass(1).is_empty());
    desk.clear("host-down", device("sw1"));
    desk.clear("device-silent", device("sw1"));
    assert_eq!(desk.pass(1), ["updated device-down sw1"]);
    desk.clear("device-down", device("sw1"));
    assert_eq!(desk.pass(1), ["cleared device-down sw1"]);
}

#[test]
fn a_trap_is_hearsay_that_a_later_look_ends() {
    let mut desk = Desk::new(100);
    desk.raise("trap-link-down", port("Gi1"));
    assert_eq!(desk.pass(1), ["opened trap-link-down sw1 Gi1"]);
    assert_eq!(desk.engine.hearsay(), HashSet::from([port("Gi1")]));
    desk.raise("port-down", port("Gi1"));
    desk.pass(60);
    // The linkUp was lost on its way.
    desk.clear("port-down", port("Gi1"));
    assert_eq!(desk.pass(1), ["cleared port-down sw1 Gi1"]);
}

#[test]
fn a_dead_core_switch_with_400_hosts_is_one_incident_that_lists_them() {
    let mut desk = Desk::new(500);
    for number in 0..400 {
        desk.behind(host(number), device("sw1"));
    }
    desk.raise("host-down", device("sw1"));
    assert_eq!(desk.pass(60), ["opened host-down sw1"]);
    assert_eq!(desk.open(), ["host-down sw1 400"]);
    let notice = desk.told.iter().find_map(|told| told.notice.as_ref()).unwrap();
    assert_eq!((notice.children.len(), notice.severity), (200, Severity::Critical));
    assert_eq!(notice.evidence["affected"], crate::model::Fact::Count(400));
    // It comes back; two of its hosts do not.
    desk.clear("host-down", device("sw1"));
    assert_eq!(desk.pass(1), ["cleared host-down sw1"]);
    for number in 2..400 {
        desk.clear("host-unreachable", host(number));
    }
    assert!(desk.pass(120).is_empty(), "the children have a while to follow");
    assert_eq!(desk.pass(120), ["opened host-unreachable 0", "opened host-unreachable 1"]);
}

#[test]
fn a_cause_that_arrives_late_adopts_what_was_opened_before() {
    let mut desk = Desk::new(500);
    desk.raise("port-down", port("Gi1"));
    desk.behind(host("h1"), device("sw2"));
    assert_eq!(desk.pass(5).len(), 2);
    desk.raise("device-down", device("sw1"));
    // sw2 is behind sw1: what follows from sw2 follows from sw1.
    desk.behind(device("sw2"), device("sw1"));
    assert_eq!(desk.pass(30), ["opened device-down sw1"]);
    assert_eq!(desk.open(), ["device-down sw1 3"]);
    let merged = desk.engine.incidents.values().filter(|incident| matches!(incident.phase, Phase::Merged(_))).count();
    assert_eq!(merged, 2);
    desk.clear("device-down", device("sw1"));
    desk.clear("host-unreachable", device("sw2"));
    desk.clear("host-unreachable", host("h1"));
    assert_eq!(desk.pass(240), ["cleared device-down sw1", "reopened port-down sw1 Gi1"]);
}

#[test]
fn what_comes_back_soon_is_the_same_incident_and_what_comes_back_often_flaps() {
    let mut desk = Desk::new(100);
    let mut told = Vec::new();
    for _ in 0..8 {
        desk.raise("port-down", port("Gi1"));
        told.extend(desk.pass(20));
        desk.clear("port-down", port("Gi1"));
        told.extend(desk.pass(20));
    }
    let changes: Vec<&str> = told.iter().filter_map(|line| line.split(' ').next()).collect();
    let (pair, back) = (["opened", "cleared"], ["reopened", "cleared"]);
    assert_eq!(changes, [&pair[..], &back, &back, &back, &["reopened"]].concat(), "then it is known to flap, and quiet");
    assert_eq!(desk.open(), ["port-down sw1 Gi1 0"]);
    assert_eq!(desk.pass(600), ["cleared port-down sw1 Gi1"]);
    desk.pass(3600);
    desk.raise("port-down", port("Gi1"));
    assert_eq!(desk.pass(1), ["opened port-down sw1 Gi1"]);
}

#[test]
fn a_flood_is_one_storm() {
    let mut desk = Desk::new(10_000);
    for number in 0..10_000 {
        desk.raise("port-down", port(&number.to_string()));
    }
    assert_eq!(desk.pass(60), ["opened storm A"]);
    assert_eq!(desk.open(), ["storm A 10000"]);
    for number in 3..10_000 {
        desk.clear("port-down", port(&number.to_string()));
    }
    assert_eq!(desk.pass(5), ["cleared storm A"]);
    assert_eq!(desk.pass(240).len(), 3, "what is still there after the storm speaks for itself");
}

#[test]
fn a_storm_that_comes_in_drops_takes_in_those_already_told() {
    let mut desk = Desk::new(1_000);
    let mut told = Vec::new();
    for number in 0..600 {
        desk.raise("port-down", port(&number.to_string()));
        desk.now = desk.now + Duration::from_millis(100);
        told.extend(desk.pass(0));
    }
    told.extend(desk.pass(5));
    assert_eq!(told.iter().filter(|line| line.starts_with("opened port-down")).count(), 50);
    assert_eq!(told.iter().filter(|line| line.starts_with("opened storm")).count(), 1);
    assert_eq!(desk.open(), ["storm A 600"]);
}

#[test]
fn a_blind_monitor_accuses_nobody() {
    let mut desk = Desk::new(1_000);
    desk.raise("host-down", host("h1"));
    assert_eq!(desk.pass(5).len(), 1);
    desk.raise("monitor-blind", Subject::Part("link".into()));
    for number in 0..900 {
        desk.raise("host-down", host(number));
    }
    assert_eq!(desk.pass(60), ["opened monitor-blind link"]);
    assert_eq!(desk.open(), ["monitor-blind link 901"]);
    desk.raise("disk-low", Subject::Part("disk".into()));
    assert_eq!(desk.pass(1), ["opened disk-low disk"], "what concerns the monitor itself is told");
}

#[test]
fn an_acknowledgement_has_a_person_words_and_an_end() {
    let mut desk = Desk::new(100);
    desk.find("port-in-errors", port("Gi1"), Verdict::Raised(Severity::Minor), None);
    desk.pass(1);
    let ack = |comment: &str, until| Action::Acknowledge { comment: comment.into(), until };
    assert_eq!(desk.act(1, &ack(" ", None)), Err(Refused::NoComment));
    assert_eq!(desk.act(7, &ack("mine", None)), Err(Refused::Unknown));
    assert_eq!(desk.act(1, &ack("mine", Some(at(0)))), Err(Refused::Past));
    desk.act(1, &ack("cable ordered", Some(at(3600)))).unwrap();
    assert_eq!(desk.pass(60), ["acknowledged port-in-errors sw1 Gi1"]);
    desk.find("port-in-errors", port("Gi1"), Verdict::Raised(Severity::Major), None);
    assert_eq!(desk.pass(60), ["unacknowledged port-in-errors sw1 Gi1"], "it grew: the word was for the smaller thing");
    desk.act(1, &ack("cable ordered", Some(at(3600)))).unwrap();
    assert_eq!(desk.pass(3600), ["acknowledged port-in-errors sw1 Gi1", "unacknowledged port-in-errors sw1 Gi1"]);
    desk.act(1, &Action::Mute { comment: "known".into(), until: at(9000) }).unwrap();
    assert!(desk.pass(60).is_empty());
    desk.find("port-in-errors", port("Gi1"), Verdict::Raised(Severity::Critical), None);
    assert!(desk.pass(60).is_empty());
    assert_eq!(desk.pass(9000), ["stillopen port-in-errors sw1 Gi1"]);
    desk.clear("port-in-errors", port("Gi1"));
    desk.pass(1);
    assert_eq!(desk.act(1, &ack("late", None)), Err(Refused::Over));
    desk.act(1, &Action::Comment { comment: "it was the cable".into() }).unwrap();
    assert_eq!(desk.pass(1), ["commented port-in-errors sw1 Gi1"]);
}

#[test]
fn maintenance_is_quiet_and_its_end_tells_what_is_still_broken() {
    let mut desk = Desk::new(100);
    let window = |target| Window {
        id: 1,
        purpose: Purpose::Maintenance,
        target,
        when: When::Once { from: at(100), to: at(1000) },
        by: "li".into(),
        comment: String::new(),
    };
    let target = Target { devices: vec!["sw1".into()], ..Target::default() };
    desk.engine.set_windows(Windows::new(jiff::tz::TimeZone::UTC, [window(target)]), at(0));
    desk.raise("port-down", port("Gi0"));
    assert_eq!(desk.pass(100), ["opened port-down sw1 Gi0"]);
    for name in ["Gi1", "Gi2"] {
        desk.raise("port-down", port(name));
    }
    desk.raise("port-down", Subject::Port("sw9".into(), "x".into()));
    assert_eq!(desk.pass(100), ["opened port-down sw9 x"], "others are heard");
    desk.clear("port-down", port("Gi1"));
    desk.clear("port-down", port("Gi0"));
    assert_eq!(desk.pass(100), ["cleared port-down sw1 Gi0"], "who was alarmed hears of the end");
    assert_eq!(desk.pass(800), ["stillopen port-down sw1 Gi2"]);
    let log: Vec<Change> = desk.told.iter().filter(|told| told.event.is_muted).map(|told| told.event.change).collect();
    assert_eq!(log, [Change::Opened, Change::Opened, Change::Cleared], "the log has what was not told");
}

#[test]
fn a_restart_forgets_nothing_and_drops_what_nobody_says_again() {
    let mut desk = Desk::new(100);
    desk.raise("host-down", device("sw1"));
    desk.behind(host("h1"), device("sw1"));
    desk.raise("port-down", Subject::Port("sw9".into(), "x".into()));
    desk.pass(10);
    desk.act(1, &Action::Acknowledge { comment: "on my way".into(), until: None }).unwrap();
    let engine = &desk.engine;
    let saved = Saved {
        last_id: engine.last_id,
        incidents: engine.incidents.values().cloned().collect(),
        children: engine.children.iter().flat_map(|(id, all)| all.iter().map(|(key, child)| (*id, key.clone(), child.clone()))).collect(),
        conditions: engine.conditions.keys().filter_map(|key| Some((key.clone(), engine.saved(key)?))).collect(),
    };
    desk.engine = Engine::restore(Limits::default(), engine.scope.clone(), Windows::default(), saved, desk.now);
    assert_eq!(desk.open(), ["host-down sw1 1", "port-down sw9 x 0"]);
    desk.raise("host-down", device("sw1"));
    desk.behind(host("h1"), device("sw1"));
    assert!(desk.pass(600).is_empty(), "what is said again is no news");
    assert_eq!(desk.pass(600), ["cleared port-down sw9 x"]);
    assert_eq!(desk.open(), ["host-down sw1 1"]);
    assert!(desk.engine.incident(IncidentId(1)).unwrap().ack.is_some());
}

/// What random days are made of.
#[derive(Clone, Debug)]
enum Step {
    Raise(usize, usize, Option<usize>),
    Clear(usize, usize),
    Unknown(usize, usize),
    Ack(i64),
    Pass(u32),
}

const RULES: [&str; 5] = ["host-down", "device-down", "port-down", "trap-link-down", "port-in-errors"];

fn subject(number: usize) -> Subject {
    match number % 4 {
        0 | 1 => device(&format!("d{}", number / 4)),
        2 => Subject::Port(format!("d{}", number / 4).into(), "p".into()),
        _ => host(number / 4),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (rule, of) = (0..RULES.len(), 0_usize..24);
    prop_oneof![
        4 => (rule.clone(), of.clone(), proptest::option::of(0_usize..24)).prop_map(|(rule, of, cause)| Step::Raise(rule, of, cause)),
        3 => (rule.clone(), of.clone()).prop_map(|(rule, of)| Step::Clear(rule, of)),
        1 => (rule, of).prop_map(|(rule, of)| Step::Unknown(rule, of)),
        1 => (1_i64..40).prop_map(Step::Ack),
        4 => (0_u32..400).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens: what judges say holds is in exactly one open incident (once it has settled), nothing else is,
    /// the log of each incident alternates, and after the end of everything nothing is open.
    #[test]
    fn nothing_is_lost_and_nothing_is_told_twice(steps in proptest::collection::vec(step(), 1..120)) {
        let mut desk = Desk::new(30);
        let mut model: BTreeMap<(usize, Subject), ()> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Raise(rule, of, cause) => {
                    model.insert((rule, subject(of)), ());
                    desk.find(RULES[rule], subject(of), Verdict::Raised(Severity::Major), cause.map(subject));
                }
                Step::Clear(rule, of) => {
                    model.remove(&(rule, subject(of)));
                    // The poll that looks later ends what a trap told.
                    if RULES[rule] == "port-down" {
                        let key = Key::new("port-down", subject(of));
                        let told_now = desk.engine.conditions.get(&key).and_then(|condition| condition.reports.get("trap-link-down")).is_some_and(|report| report.at >= desk.now);
                        if !told_now {
                            model.remove(&(3, subject(of)));
                        }
                    }
                    desk.clear(RULES[rule], subject(of));
                }
                Step::Unknown(rule, of) => desk.find(RULES[rule], subject(of), Verdict::Unknown, None),
                Step::Ack(id) => {
                    // Refused where there is no such incident; both are fine here.
                    let _ = desk.act(id, &Action::Acknowledge { comment: "ok".into(), until: None });
                }
                Step::Pass(seconds) => {
                    desk.pass(i64::from(seconds));
                }
            }
            let wanted: BTreeSet<Key> = model.keys().map(|(rule, subject)| Key::new(super::super::family::family(RULES[*rule]), subject.clone())).collect();
            let known: BTreeSet<Key> = desk.engine.conditions.keys().cloned().collect();
            prop_assert_eq!(&wanted, &known);
            for (key, condition) in &desk.engine.conditions {
                match condition.stand {
                    Stand::Own(id) => {
                        let incident = &desk.engine.incidents[&id];
                        prop_assert!(incident.is_open() && incident.key == *key && incident.calm_at.is_none());
                    }
                    Stand::Child(id) => {
                        let incident = &desk.engine.incidents[&id];
                        prop_assert!(incident.is_open(), "{key:?} under {incident:?}");
                        prop_assert!(desk.engine.children[&id][key].left.is_none());
                    }
                    Stand::Held { due } | Stand::Released { due } => prop_assert!(due >= desk.now || desk.engine.next_deadline().is_some()),
                }
            }
            for incident in desk.engine.open() {
                let own = desk.engine.conditions.get(&incident.key).is_some_and(|condition| condition.stand == Stand::Own(incident.id));
                prop_assert!(own || incident.calm_at.is_some() || &*incident.key.family == "storm", "{incident:?}");
                let affected = desk.engine.children.get(&incident.id).into_iter().flatten().filter(|(_, child)| child.left.is_none());
                prop_assert_eq!(affected.clone().count(), incident.affected);
                for (key, _) in affected {
                    prop_assert_eq!(desk.engine.conditions[key].stand, Stand::Child(incident.id));
                }
            }
        }
        for (rule, subject) in model.into_keys() {
            desk.clear(RULES[rule], subject);
        }
        desk.pass(7200);
        prop_assert_eq!(desk.open(), Vec::<String>::new());
        prop_assert!(desk.engine.conditions.is_empty() && desk.engine.followers.is_empty() && desk.engine.incidents.is_empty());
        let mut open: HashMap<IncidentId, bool> = HashMap::new();
        for told in &desk.told {
            let event = &told.event;
            let is_open = open.entry(event.incident).or_insert(false);
            match event.change {
                Change::Opened | Change::Reopened => prop_assert!(!std::mem::replace(is_open, true), "{event:?}"),
                Change::Cleared => prop_assert!(std::mem::replace(is_open, false), "{event:?}"),
                Change::Updated if event.evidence.contains_key("merged") => *is_open = false,
                _ => {}
            }
        }
    }
}

/// A day of an office: a nightly window with a reboot, a cut at noon, a flapping port, a user's port that goes home.
#[test]
fn a_day() {
    let mut desk = Desk::new(300);
    let target = Target { devices: vec!["sw2".into()], ..Target::default() };
    let night = When::Weekly { days: (1..=7).collect(), from: 2 * 60, to: 4 * 60 };
    let window = Window { id: 1, purpose: Purpose::Maintenance, target, when: night, by: "".into(), comment: String::new() };
    // The day begins at midnight in Shanghai.
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    desk.engine.set_windows(Windows::new(zone, [window]), at(0));
    let mut told = Vec::new();
    for minute in 0..24 * 60 {
        match minute {
            150 => desk.raise("host-down", device("sw2")),
            155 => desk.clear("host-down", device("sw2")),
            720 => {
                desk.raise("host-down", device("sw1"));
                (0..120).for_each(|number| desk.behind(host(number), device("sw1")));
            }
            740 => {
                desk.clear("host-down", device("sw1"));
                (0..120).for_each(|number| desk.clear("host-unreachable", host(number)));
            }
            900..=929 if minute % 2 == 0 => desk.raise("port-down", port("Gi9")),
            900..=929 => desk.clear("port-down", port("Gi9")),
            _ => {}
        }
        told.extend(desk.pass(60));
    }
    let count = |start: &str| told.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("opened host-down sw1"), count("cleared host-down sw1")), (1, 1));
    assert_eq!(count("opened host-unreachable"), 0);
    assert_eq!(told.iter().filter(|line| line.ends_with("sw2")).count(), 0);
    assert_eq!(told.iter().filter(|line| line.contains("Gi9")).count(), 10, "{told:?}");
    assert!(desk.open().is_empty());
}

fn machine(number: u32) -> Subject {
    let [_, b, c, d] = number.to_be_bytes();
    Subject::Machine(format!("02:00:00:{b:02x}:{c:02x}:{d:02x}").into())
}

#[test]
fn an_outbreak_is_many_machines_and_no_storm_nor_explained_by_one_or_by_blindness() {
    let mut desk = Desk::new(1_000);
    (0..60).for_each(|number| desk.raise("host-down", host(number)));
    desk.pass(5);
    desk.raise("monitor-blind", Subject::Part("link".into()));
    (0..200).for_each(|number| desk.raise("tcp-scan", machine(number)));
    desk.pass(15);
    let own: Vec<&Incident> = desk.engine.open().filter(|incident| &*incident.rule == "tcp-scan").collect();
    assert_eq!(own.len(), 200);
    let told = desk.told.iter().filter(|told| told.notice.as_ref().is_some_and(|notice| &*notice.rule == "tcp-scan"));
    assert_eq!(told.filter(|told| told.event.change == Change::Opened).count(), 200);
    // The hosts are of the storm all the same.
    assert_eq!(desk.engine.open().filter(|incident| &*incident.rule == "host-down").count(), 0);
}

#[test]
fn a_machine_belongs_where_its_socket_is() {
    let target = Target { sites: vec!["A".into()], ..Target::default() };
    let when = When::Once { from: at(0), to: at(1_000) };
    let window = Window { id: 1, purpose: Purpose::Maintenance, target, when, by: "".into(), comment: String::new() };
    let mut desk = Desk::new(1_000);
    desk.engine.set_windows(Windows::new(jiff::tz::TimeZone::UTC, [window]), at(0));
    for (number, socket) in [(1, vec![port("Gi0/1")]), (2, Vec::new())] {
        let evidence = Evidence::from([("socket".to_owned(), crate::model::Fact::Subjects(socket))]);
        let verdict = Verdict::Raised(Severity::Major);
        desk.engine.take(Finding { rule: "tcp-scan".into(), subject: machine(number), verdict, at: at(1), cause: None, evidence }, at(1));
    }
    desk.pass(10);
    let notices: Vec<(Arc<str>, bool)> =
        desk.told.iter().filter_map(|told| told.notice.as_ref()).map(|notice| (Arc::clone(&notice.site), notice.is_muted)).collect();
    assert_eq!(notices, [("A".into(), true), ("".into(), false)]);
}
