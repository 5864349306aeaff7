//! The outbox over a real database: who is told, once, through every stop in between.

use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::config::notify::{LadderSettings, MailSettings, NotifySettings, RouteSettings, StepSettings, Tls};
use crate::model::{Severity, Subject};
use crate::notify::roster::Roster;
use crate::notify::roster::tests::{person, roster};
use crate::store::Store;

const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

/// An office with a database, at a time of its own.
struct House {
    _dir: tempfile::TempDir,
    store: Store,
    settings: Arc<NotifySettings>,
    people: Arc<Roster>,
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + secs)
}

impl House {
    fn new(rules: Vec<RouteSettings>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        let people = roster(
            &[person("anna", &[]), person("bela", &[]), person("chief", &["section_chief"])],
            &[(&["anna"], date(2020, 1, 1), None)],
            "UTC",
        );
        let mail = MailSettings {
            server: "localhost".into(),
            port: 25,
            tls: Tls::None,
            login: None,
            from: "netroom@example.org".into(),
            hello: None,
            ca: None,
            timeout: Duration::from_secs(10),
        };
        let settings = NotifySettings { mail: Some(mail), rules, ..NotifySettings::default() };
        Self { _dir: dir, store, settings: Arc::new(settings), people: Arc::new(people) }
    }

    fn tx<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static) -> T {
        self.store.write_blocking(work).unwrap()
    }

    fn tell(&self, notices: Vec<Notice>) {
        self.tx(move |tx| notices.iter().try_for_each(|notice| insert(tx, notice)));
    }

    fn plan(&self, now: Timestamp) {
        let (settings, people) = (Arc::clone(&self.settings), Arc::clone(&self.people));
        while self.tx({
            let (settings, people) = (Arc::clone(&settings), Arc::clone(&people));
            move |tx| plan(tx, Office { settings: &settings, people: &*people, zone: &TimeZone::UTC }, now)
        }) {}
    }

    fn due(&self, now: Timestamp) -> Vec<i64> {
        let found = due(&self.store.reader().unwrap(), true, now, 1000).unwrap();
        found.into_iter().map(|(id, _)| id).collect()
    }

    fn take(&self, id: i64, now: Timestamp) -> Option<Parcel> {
        let people = Arc::clone(&self.people);
        self.tx(move |tx| take(tx, id, &*people, &format!("m{id}@x"), now))
    }

    fn step(&self, id: i64, event: Event, now: Timestamp) -> State {
        self.tx(move |tx| step(tx, id, event, "", now, GIVE_UP)).unwrap()
    }

    /// Sends everything that is due, and says what went to whom.
    fn send(&self, now: Timestamp) -> Vec<Parcel> {
        let parcels: Vec<Parcel> = self.due(now).into_iter().filter_map(|id| self.take(id, now)).collect();
        for parcel in &parcels {
            self.step(parcel.id, Event::Passing, now);
            assert_eq!(self.step(parcel.id, Event::Accepted, now), State::Sent);
        }
        parcels
    }
}

fn notice(incident: i64, event: i64, change: Change, severity: Severity) -> Notice {
    Notice {
        incident: IncidentId(incident),
        event,
        change,
        rule: "port-down".into(),
        subject: Subject::Port("sw-a3".into(), format!("Gi0/{incident}").into()),
        severity,
        opened: at(0),
        at: at(0),
        site: "A3".into(),
        zone: None,
        tags: Vec::new(),
        children: Vec::new(),
        evidence: Default::default(),
        person: None,
        comment: None,
        is_muted: false,
    }
}

fn rule(to: &[Recipient]) -> RouteSettings {
    RouteSettings {
        name: "r".into(),
        severity: Severity::Minor,
        sites: Vec::new(),
        zones: Vec::new(),
        tags: Vec::new(),
        rules: Vec::new(),
        when: None,
        to: to.to_vec(),
        webhooks: Vec::new(),
        quiet: None,
        window: Duration::from_secs(60),
        digest: None,
        stop: false,
    }
}

fn targets(parcels: &[Parcel]) -> Vec<String> {
    parcels.iter().map(|parcel| parcel.target.key()).collect()
}

#[test]
fn a_notice_reaches_the_person_on_duty_once_and_its_end_follows_in_one_conversation() {
    let house = House::new(Vec::new());
    let opened = notice(1, 1, Change::Opened, Severity::Major);
    house.tell(vec![opened.clone(), opened]);
    house.plan(at(0));
    assert!(house.due(at(1)).is_empty(), "it settles first");
    let sent = house.send(at(2));
    assert_eq!((targets(&sent), sent[0].total, sent[0].thread.clone()), (vec!["anna".to_owned()], 1, None));
    house.plan(at(3));
    assert!(house.send(at(4)).is_empty());
    house.tell(vec![notice(1, 2, Change::Cleared, Severity::Major)]);
    house.plan(at(100));
    let sent = house.send(at(102));
    assert_eq!((targets(&sent), sent[0].thread.as_deref()), (vec!["anna".to_owned()], Some("m1@x")));
}

#[test]
fn who_was_not_alarmed_hears_no_end() {
    let house = House::new(vec![RouteSettings { severity: Severity::Major, ..rule(&[Recipient::Duty]) }]);
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Minor), notice(1, 2, Change::Cleared, Severity::Minor)]);
    house.plan(at(0));
    assert!(house.send(at(10_000)).is_empty());
    // Alarmed but never reached: no end either.
    house.tell(vec![notice(2, 3, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    let id = house.due(at(2))[0];
    house.take(id, at(2)).unwrap();
    assert_eq!(house.step(id, Event::Refused(crate::notify::delivery::Refusal::Permanent), at(2)), State::Failed);
    house.tell(vec![notice(2, 4, Change::Cleared, Severity::Major)]);
    house.plan(at(5));
    assert!(house.send(at(10_000)).is_empty());
}

#[test]
fn ten_thousand_changes_at_once_are_one_mail_for_each() {
    let house = House::new(vec![rule(&[Recipient::Duty, Recipient::Person("bela".into())])]);
    house.tell((1..=10_000).map(|n| notice(n, n, Change::Opened, Severity::Major)).collect());
    house.plan(at(0));
    let sent = house.send(at(2));
    assert_eq!(targets(&sent), ["anna", "bela"]);
    assert!(sent.iter().all(|parcel| parcel.total == 10_000 && parcel.notices.len() == SHOWN));
    assert!(house.send(at(10_000)).is_empty());
}

#[test]
fn one_storm_incident_is_one_mail_for_each_and_a_second_waits_for_the_window() {
    let house = House::new(vec![rule(&[Recipient::Duty])]);
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    assert_eq!(house.send(at(2)).len(), 1);
    for event in 2..50 {
        house.tell(vec![notice(event, event, Change::Opened, Severity::Major)]);
        house.plan(at(event));
        assert!(house.send(at(event)).is_empty(), "second {event}");
    }
    let sent = house.send(at(62));
    assert_eq!((sent.len(), sent[0].total), (1, 48));
}

#[test]
fn a_digest_groups_what_comes_within_it_and_an_alarm_does_not_wait_for_it() {
    let hourly = RouteSettings { digest: Some(Duration::from_secs(3600)), ..rule(&[Recipient::Duty]) };
    let house = House::new(vec![hourly]);
    for minute in 0..50 {
        house.tell(vec![notice(minute + 1, minute + 1, Change::Opened, Severity::Minor)]);
        house.plan(at(minute * 60));
    }
    house.tell(vec![notice(99, 99, Change::Opened, Severity::Critical)]);
    house.plan(at(3000));
    let critical = house.send(at(3002));
    assert_eq!((critical.len(), critical[0].total), (1, 1));
    let digest = house.send(at(3600));
    assert_eq!((digest.len(), digest[0].total), (1, 50));
}

#[test]
fn the_same_person_by_two_rules_is_told_once() {
    // Duty is resolved when it is sent, so that the rules alone cannot know that both are anna.
    let house = House::new(vec![rule(&[Recipient::Duty, Recipient::Person("anna".into())])]);
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    assert_eq!(house.due(at(2)).len(), 2);
    assert_eq!(targets(&house.send(at(2))), ["anna"]);
    assert!(house.send(at(10_000)).is_empty());
}

#[test]
fn duty_is_resolved_when_it_is_sent_and_the_end_goes_to_whom_it_reached() {
    let mut house = House::new(Vec::new());
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    let id = house.due(at(2))[0];
    // The server is down; meanwhile bela takes over.
    assert_eq!(house.take(id, at(2)).unwrap().target.key(), "anna");
    house.step(id, Event::Refused(crate::notify::delivery::Refusal::Unreachable), at(2));
    house.people = Arc::new(roster(&[person("anna", &[]), person("bela", &[])], &[(&["bela"], date(2020, 1, 1), None)], "UTC"));
    assert_eq!(targets(&house.send(at(100))), ["bela"]);
    house.people = Arc::new(roster(&[person("anna", &[]), person("bela", &[])], &[(&["anna"], date(2020, 1, 1), None)], "UTC"));
    house.tell(vec![notice(1, 2, Change::Cleared, Severity::Major)]);
    house.plan(at(200));
    assert_eq!(targets(&house.send(at(210))), ["bela"]);
}

#[test]
fn a_crash_before_the_point_of_no_return_leaves_no_mark_and_one_behind_it_does() {
    let house = House::new(vec![rule(&[Recipient::Duty, Recipient::Person("bela".into())])]);
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    let [first, second] = house.due(at(2))[..] else { panic!() };
    house.take(first, at(2)).unwrap();
    house.take(second, at(2)).unwrap();
    house.step(second, Event::Passing, at(2));
    assert_eq!(house.tx(|tx| restart(tx, at(3), GIVE_UP)), 1);
    let marks: Vec<(i64, bool)> = house.send(at(1000)).iter().map(|parcel| (parcel.id, parcel.is_repeat)).collect();
    assert_eq!(marks, [(first, false), (second, true)]);
    assert!(house.send(at(10_000)).is_empty());
}

#[test]
fn what_waits_for_a_server_that_is_down_is_joined_by_what_comes_meanwhile() {
    let house = House::new(vec![rule(&[Recipient::Duty])]);
    let mut now = 0;
    for event in 1..=100 {
        house.tell(vec![notice(event, event, Change::Opened, Severity::Major)]);
        house.plan(at(now));
        for id in house.due(at(now)) {
            house.take(id, at(now)).unwrap();
            house.step(id, Event::Refused(crate::notify::delivery::Refusal::Unreachable), at(now));
        }
        now += 864;
    }
    let sent = house.send(at(now + 100));
    assert_eq!((sent.len(), sent[0].total), (1, 100), "a day's notices in one mail, none lost");
}

#[test]
fn the_ladder_is_climbed_until_somebody_acknowledges() {
    let step = |to, minutes: u64| StepSettings { to, after: Duration::from_secs(minutes * 60) };
    let steps = vec![step(Recipient::Duty, 0), step(Recipient::Role("section_chief".into()), 15)];
    let mut house = House::new(vec![rule(&[Recipient::Duty])]);
    let line = LadderSettings { name: "line".into(), severity: Severity::Major, sites: Vec::new(), steps };
    house.settings = Arc::new(NotifySettings { ladders: vec![line], ..(*house.settings).clone() });
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major), notice(2, 2, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    assert_eq!(targets(&house.send(at(2))), ["anna"], "rule and rung are one mail");
    house.tell(vec![notice(2, 3, Change::Acknowledged, Severity::Major)]);
    house.plan(at(60));
    house.plan(at(15 * 60));
    let sent = house.send(at(15 * 60 + 2));
    let up: Vec<&Parcel> = sent.iter().filter(|parcel| parcel.target.key() == "chief").collect();
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].notices.iter().map(|notice| notice.incident.0).collect::<Vec<_>>(), [1]);
    // The end reaches the chief too, who was alarmed by the ladder.
    house.tell(vec![notice(1, 4, Change::Cleared, Severity::Major)]);
    house.plan(at(1000));
    assert_eq!(targets(&house.send(at(1100))), ["anna", "chief"]);
}

#[test]
fn late_mail_is_told_to_the_second_way_once() {
    let house = House::new(vec![rule(&[Recipient::Duty])]);
    let hook = Target::Hook("office".into());
    house.tell(vec![notice(1, 1, Change::Opened, Severity::Major)]);
    house.plan(at(0));
    let relay_at = |secs: i64| {
        let hook = hook.clone();
        house.tx(move |tx| relay(tx, &hook, at(secs) - Duration::from_secs(600), at(secs)))
    };
    assert!(relay_at(599).is_empty());
    assert_eq!(relay_at(603).iter().map(|late| late.target.as_str()).collect::<Vec<_>>(), ["duty"]);
    assert!(relay_at(604).is_empty());
    let found = due(&house.store.reader().unwrap(), false, at(604), 10).unwrap();
    assert_eq!(found.len(), 1);
    let parcel = house.take(found[0].0, at(604)).unwrap();
    assert_eq!((parcel.kind, parcel.total), (Kind::Second, 1));
}
