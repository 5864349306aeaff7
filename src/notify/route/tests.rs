//! Tables of who is told what when, and what must hold for any notice.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::config::notify::{DrillSettings, LadderSettings, MailSettings, StepSettings, Tls};
use crate::config::week::{TimeOfDay, WeekTimes};
use crate::model::{IncidentId, Zone};
use crate::notify::roster::Roster;
use crate::notify::roster::tests::{moment, person, roster};

const ZONE: &str = "Europe/Berlin";

fn office_people() -> Roster {
    roster(
        &[person("anna", &["staff"]), person("chief", &["section_chief"]), person("boss", &["director"])],
        &[(&["anna"], date(2025, 1, 1), None)],
        ZONE,
    )
}

fn notice(change: Change, severity: Severity) -> Notice {
    Notice {
        incident: IncidentId(1),
        event: 1,
        change,
        rule: "port-down".into(),
        subject: Subject::Port("sw-a3".into(), "Gi0/17".into()),
        severity,
        opened: Timestamp::from_secs(0),
        at: Timestamp::from_secs(0),
        site: "A3".into(),
        zone: Some(Zone::Outer),
        tags: vec!["core".into()],
        children: Vec::new(),
        evidence: Default::default(),
        person: None,
        comment: None,
        is_muted: false,
    }
}

fn rule(name: &str, to: &[Recipient]) -> RouteSettings {
    RouteSettings { name: name.into(), to: to.to_vec(), ..rules(&with_mail())[0].clone() }
}

fn with_mail() -> NotifySettings {
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
    NotifySettings { mail: Some(mail), ..NotifySettings::default() }
}

fn settings(rules: Vec<RouteSettings>) -> NotifySettings {
    NotifySettings { rules, ..with_mail() }
}

fn told(settings: &NotifySettings, notice: &Notice, alarmed: &[Target], at: &str) -> Vec<String> {
    let (people, zone) = (office_people(), TimeZone::get(ZONE).unwrap());
    let office = Office { settings, people: &people, zone: &zone };
    let clock = |at: Timestamp| crate::config::week::civil(at, &zone).strftime("%dT%H:%M:%S").to_string();
    let orders = orders(notice, alarmed, office, moment(at, ZONE));
    orders.iter().map(|order| format!("{} {} {}", order.target.key(), order.pace.word(), clock(order.not_before))).collect()
}

fn anna() -> Target {
    Target::Person("anna".into())
}

#[test]
fn without_rules_duty_is_told_from_minor_on() {
    let settings = with_mail();
    let monday = "2026-11-23T12:00:00";
    assert_eq!(told(&settings, &notice(Change::Opened, Severity::Minor), &[], monday), ["duty prompt 23T12:00:02"]);
    assert!(told(&settings, &notice(Change::Opened, Severity::Info), &[], monday).is_empty());
    assert!(told(&NotifySettings::default(), &notice(Change::Opened, Severity::Critical), &[], monday).is_empty());
}

#[test]
fn rules_choose_by_what_it_is_and_when() {
    let base = || rule("r", &[Recipient::Person("anna".into())]);
    let week = |text| WeekTimes::parse([text]).ok();
    let cases: Vec<(RouteSettings, Severity, &str, bool)> = vec![
        (RouteSettings { severity: Severity::Major, ..base() }, Severity::Minor, "2026-11-23T12:00", false),
        (RouteSettings { severity: Severity::Major, ..base() }, Severity::Critical, "2026-11-23T12:00", true),
        (RouteSettings { sites: vec!["A*".parse().unwrap()], ..base() }, Severity::Minor, "2026-11-23T12:00", true),
        (RouteSettings { sites: vec!["B*".parse().unwrap()], ..base() }, Severity::Minor, "2026-11-23T12:00", false),
        (RouteSettings { zones: vec![Zone::Inner], ..base() }, Severity::Minor, "2026-11-23T12:00", false),
        (RouteSettings { zones: vec![Zone::Inner, Zone::Outer], ..base() }, Severity::Minor, "2026-11-23T12:00", true),
        (RouteSettings { tags: vec!["access".into()], ..base() }, Severity::Minor, "2026-11-23T12:00", false),
        (RouteSettings { tags: vec!["access".into(), "core".into()], ..base() }, Severity::Minor, "2026-11-23T12:00", true),
        (RouteSettings { rules: vec!["host-*".parse().unwrap()], ..base() }, Severity::Minor, "2026-11-23T12:00", false),
        (RouteSettings { rules: vec!["port-*".parse().unwrap()], ..base() }, Severity::Minor, "2026-11-23T12:00", true),
        (RouteSettings { when: week("mon-fri 08:00-18:00"), ..base() }, Severity::Minor, "2026-11-23T17:59", true),
        (RouteSettings { when: week("mon-fri 08:00-18:00"), ..base() }, Severity::Minor, "2026-11-23T18:00", false),
        (RouteSettings { when: week("thu 22:00-02:00"), ..base() }, Severity::Minor, "2027-01-01T01:59", true),
        (RouteSettings { when: week("thu 22:00-02:00"), ..base() }, Severity::Minor, "2027-01-01T02:00", false),
    ];
    for (rule, severity, at, expected) in cases {
        let all = told(&settings(vec![rule.clone()]), &notice(Change::Opened, severity), &[], at);
        assert_eq!(!all.is_empty(), expected, "{rule:?} {severity:?} {at}");
    }
}

#[test]
fn quiet_hours_hold_all_but_the_critical_and_end_by_the_wall_clock() {
    let quiet = RouteSettings { quiet: WeekTimes::parse(["22:00-07:00"]).ok(), ..rule("night", &[Recipient::Duty]) };
    let settings = settings(vec![quiet]);
    let opened = |severity| notice(Change::Opened, severity);
    assert_eq!(told(&settings, &opened(Severity::Major), &[], "2026-12-31T23:00"), ["duty quiet 01T07:00:00"]);
    assert_eq!(told(&settings, &opened(Severity::Critical), &[], "2026-12-31T23:00"), ["duty prompt 31T23:00:02"]);
    assert_eq!(told(&settings, &opened(Severity::Major), &[], "2026-03-29T01:30"), ["duty quiet 29T07:00:00"]);
    assert_eq!(told(&settings, &opened(Severity::Major), &[], "2026-10-25T02:30"), ["duty quiet 25T07:00:00"]);
    assert_eq!(told(&settings, &opened(Severity::Major), &[], "2026-03-29T07:00"), ["duty prompt 29T07:00:02"]);
}

#[test]
fn the_sooner_of_two_rules_counts_and_stop_stops() {
    let anna = || rule("now", &[Recipient::Person("anna".into())]);
    let digest = || RouteSettings { digest: Some(Duration::from_secs(3600)), name: "hourly".into(), ..anna() };
    let chief = || rule("chief", &[Recipient::Role("section_chief".into()), Recipient::Role("deputy".into())]);
    let opened = notice(Change::Opened, Severity::Major);
    let at = "2026-11-23T12:00";
    assert_eq!(told(&settings(vec![digest(), anna()]), &opened, &[], at), ["anna prompt 23T12:00:02"]);
    assert_eq!(told(&settings(vec![digest()]), &opened, &[], at), ["anna digest 23T13:00:00"]);
    // Nobody is deputy: the director stands in.
    let all = told(&settings(vec![anna(), chief()]), &opened, &[], at);
    assert_eq!(all, ["anna prompt 23T12:00:02", "boss prompt 23T12:00:02", "chief prompt 23T12:00:02"]);
    assert_eq!(told(&settings(vec![RouteSettings { stop: true, ..anna() }, chief()]), &opened, &[], at).len(), 1);
}

#[test]
fn the_end_goes_to_those_who_were_alarmed() {
    let settings = settings(vec![rule("r", &[Recipient::Duty])]);
    let at = "2026-11-23T12:00";
    assert!(told(&settings, &notice(Change::Cleared, Severity::Major), &[], at).is_empty());
    let alarmed = [anna(), Target::Hook("office".into())];
    assert_eq!(
        told(&settings, &notice(Change::Cleared, Severity::Major), &alarmed, at),
        ["anna prompt 23T12:00:02", "hook:office prompt 23T12:00:02"]
    );
    let mut acknowledged = notice(Change::Acknowledged, Severity::Major);
    acknowledged.person = Some("anna".into());
    assert_eq!(told(&settings, &acknowledged, &alarmed, at), ["hook:office prompt 23T12:00:02"], "not to the one who did it");
    assert!(told(&settings, &notice(Change::Updated, Severity::Major), &alarmed, at).is_empty());
    let muted = Notice { is_muted: true, ..notice(Change::Opened, Severity::Critical) };
    assert!(told(&settings, &muted, &alarmed, at).is_empty());
}

#[test]
fn the_drill_goes_its_own_way() {
    let at = TimeOfDay::new(8, 0).unwrap();
    let drill = DrillSettings { at, to: vec![Recipient::Duty], within: Duration::from_secs(600) };
    let quiet = RouteSettings { quiet: WeekTimes::parse(["22:00-10:00"]).ok(), ..rule("r", &[Recipient::Person("chief".into())]) };
    let settings = NotifySettings { drill: Some(drill), ..settings(vec![quiet]) };
    let exercise = |change| Notice { rule: DRILL.into(), subject: Subject::Part("mail".into()), ..notice(change, Severity::Info) };
    assert_eq!(told(&settings, &exercise(Change::Opened), &[], "2026-11-23T08:00"), ["duty prompt 23T08:00:00"]);
    assert!(told(&settings, &exercise(Change::Cleared), &[Target::Duty], "2026-11-23T08:00").is_empty());
}

#[test]
fn the_ladder_is_climbed_rung_by_rung() {
    let step = |to, minutes: u64| StepSettings { to, after: Duration::from_secs(minutes * 60) };
    let role = |role: &str| Recipient::Role(role.into());
    let steps = vec![step(Recipient::Duty, 0), step(role("section_chief"), 15), step(role("deputy"), 30), step(role("director"), 60)];
    let line = LadderSettings { name: "line".into(), severity: Severity::Major, sites: Vec::new(), steps };
    let settings = NotifySettings { ladders: vec![line.clone()], ..with_mail() };
    assert!(ladder(&notice(Change::Opened, Severity::Minor), &settings).is_none());
    assert!(ladder(&notice(Change::Opened, Severity::Major), &settings).is_some());
    let (people, zone) = (office_people(), TimeZone::UTC);
    let office = Office { settings: &settings, people: &people, zone: &zone };
    let mut climb = Climb { began: Timestamp::from_secs(0), rung: 0 };
    for (minute, told) in [(0, vec!["duty"]), (14, vec![]), (15, vec!["chief"]), (29, vec![]), (60, vec!["boss"]), (999, vec![])] {
        let (orders, next) = climb.climb(&line, office, Timestamp::from_secs(minute * 60));
        assert_eq!(orders.iter().map(|order| order.target.key()).collect::<Vec<_>>(), told, "minute {minute}");
        climb = next;
    }
    assert_eq!(climb.due(&line), None);
}

fn recipients() -> impl Strategy<Value = Recipient> {
    prop::sample::select(vec![
        Recipient::Duty,
        Recipient::Person("anna".into()),
        Recipient::Person("chief".into()),
        Recipient::Role("section_chief".into()),
        Recipient::Role("deputy".into()),
        Recipient::Role("director".into()),
    ])
}

#[test]
fn an_outbreak_goes_out_together_after_the_first() {
    let (settings, people, zone) = (with_mail(), office_people(), TimeZone::get(ZONE).unwrap());
    let office = Office { settings: &settings, people: &people, zone: &zone };
    let windows = |notice: &Notice| -> Vec<u64> {
        orders(notice, &[], office, moment("2026-11-23T10:00:00", ZONE)).iter().map(|order| order.window.as_secs()).collect()
    };
    let worm = Notice {
        rule: "tcp-scan".into(),
        subject: Subject::Machine("02:00:00:00:00:09".into()),
        ..notice(Change::Opened, Severity::Critical)
    };
    assert_eq!(windows(&worm), [60]);
    assert_eq!(windows(&notice(Change::Opened, Severity::Critical)), [0], "a dead core switch waits for nobody");
}

fn any_rule() -> impl Strategy<Value = RouteSettings> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let hooks = prop::collection::vec(prop::sample::select(vec!["x", "y"]), 0..3);
    let times = prop::option::of(prop::sample::select(vec!["22:00-07:00", "sat,sun", "mon-fri 08:00-18:00"]));
    (severity, prop::collection::vec(recipients(), 0..5), hooks, times.clone(), times, prop::option::of(0_u64..9000), any::<bool>())
        .prop_map(|(severity, to, hooks, when, quiet, digest, stop)| RouteSettings {
            severity,
            webhooks: hooks.into_iter().map(Arc::from).collect(),
            when: when.and_then(|text| WeekTimes::parse([text]).ok()),
            quiet: quiet.and_then(|text| WeekTimes::parse([text]).ok()),
            digest: digest.map(Duration::from_secs),
            stop,
            ..rule("r", &to)
        })
}

fn changes() -> impl Strategy<Value = Change> {
    prop::sample::select(vec![
        Change::Opened,
        Change::Reopened,
        Change::Worsened,
        Change::Updated,
        Change::Acknowledged,
        Change::Unacknowledged,
        Change::Commented,
        Change::Cleared,
        Change::StillOpen,
    ])
}

proptest! {
    #[test]
    fn nobody_twice_nobody_early_and_the_end_only_to_the_alarmed(
        rules in prop::collection::vec(any_rule(), 0..6),
        change in changes(),
        severity in prop::sample::select(Severity::ALL.to_vec()),
        alarmed in prop::collection::vec(prop::sample::select(vec![Target::Duty, anna(), Target::Hook("x".into())]), 0..4),
        minute in 0_i64..600_000,
    ) {
        let settings = settings(rules);
        let (people, zone) = (office_people(), TimeZone::get(ZONE).unwrap());
        let office = Office { settings: &settings, people: &people, zone: &zone };
        let now = Timestamp::from_secs(1_770_000_000 + minute * 60);
        let orders = orders(&notice(change, severity), &alarmed, office, now);
        let targets: std::collections::BTreeSet<&Target> = orders.iter().map(|order| &order.target).collect();
        prop_assert_eq!(targets.len(), orders.len(), "a target twice");
        for order in &orders {
            prop_assert!(order.not_before >= now);
            if !alarms(change) {
                prop_assert!(alarmed.contains(&order.target), "{:?} was not alarmed", order.target);
            }
            if severity == Severity::Critical {
                prop_assert!(order.not_before <= now + settings.settle, "the critical waits for nothing");
            }
        }
    }
}
