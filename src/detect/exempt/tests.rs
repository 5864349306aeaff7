use super::store::{ExemptError, New};
use super::*;
use crate::capture::packet::Nanos;
use crate::config::exempt::KINDS;
use crate::detect::Level;
use crate::journal::{Actor, Via};
use crate::store::Store;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(second)
}

fn machine(ip: &str) -> Machine {
    Machine { ip: ip.parse().ok(), mac: None, vlan: None }
}

fn exemption(who: &str, kinds: &[Kind], until: i64) -> Exemption {
    let (owner, reason) = ("Li Ming".into(), "scanner".into());
    Exemption { source: Source::Recorded(1), who: who.parse().unwrap(), kinds: kinds.to_vec(), owner, reason, until: at(until) }
}

fn detection(kind: Kind, ip: &str) -> Detection {
    let (first, last) = (Nanos(1), Nanos(2));
    Detection { kind, level: Level::Virus, cleared: false, machine: machine(ip), first, last, contacts: 9, evidence: Evidence::new() }
}

#[test]
fn configuration_and_engine_know_the_same_kinds() {
    assert_eq!(KINDS, Kind::ALL.map(Kind::word));
}

#[test]
fn an_exemption_covers_its_kinds_of_its_machines_until_its_end() {
    let list = Exemptions(vec![exemption("10.1.9.0/24", &[Kind::TcpScan], 1_000)]);
    let covered = |kind, ip: &str, now| list.covering(kind, &machine(ip), at(now)).is_some();
    assert!(covered(Kind::TcpScan, "10.1.9.7", 999));
    assert!(covered(Kind::TcpScan, "::ffff:10.1.9.7", 999), "the same address in its other form");
    assert!(!covered(Kind::TcpScan, "10.1.9.7", 1_000), "it has ended");
    assert!(!covered(Kind::Spam, "10.1.9.7", 999) && !covered(Kind::TcpScan, "10.1.8.7", 999));
    assert_eq!(list.about(&machine("10.1.9.7")).count(), 1);
}

#[test]
fn what_was_held_back_is_told_when_the_exemption_ends() {
    let list = Exemptions(vec![exemption("10.1.9.7", &[], 1_000)]);
    let mut gate = Gate::default();
    let passed =
        gate.pass(vec![detection(Kind::TcpScan, "10.1.9.7"), detection(Kind::TcpScan, "10.1.9.8")], |one| list.excuses(one, at(10)));
    assert_eq!(passed, [detection(Kind::TcpScan, "10.1.9.8")]);
    assert_eq!(gate.again(|one| list.excuses(one, at(999))), []);
    assert_eq!(gate.again(|one| list.excuses(one, at(1_000))), [detection(Kind::TcpScan, "10.1.9.7")]);
    assert_eq!(gate.again(|one| list.excuses(one, at(1_001))), [], "told once");
}

#[test]
fn a_new_exemption_takes_back_what_was_told() {
    let mut gate = Gate::default();
    let told = detection(Kind::Spam, "10.1.9.7");
    assert_eq!(gate.pass(vec![told.clone()], |_| false).len(), 1);
    let list = Exemptions(vec![exemption("10.1.9.7", &[Kind::Spam], 1_000)]);
    let over = Detection { cleared: true, ..told.clone() };
    assert_eq!(gate.again(|one| list.excuses(one, at(20))), std::slice::from_ref(&over));
    assert_eq!(gate.pass(vec![told], |one| list.excuses(one, at(30))), [], "and what comes is held back");
    assert_eq!(gate.pass(vec![over], |one| list.excuses(one, at(40))), [], "its end too, for nobody knows that it goes on");
}

#[test]
fn an_end_that_comes_is_told_a_week_before_and_once() {
    const DAY: i64 = 86_400;
    let list = Exemptions(vec![exemption("10.1.9.7", &[], 30 * DAY)]);
    let mut expiry = Expiry::default();
    assert_eq!(expiry.look(&list, at(23 * DAY - 1)), []);
    let told = expiry.look(&list, at(23 * DAY));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].verdict, told[0].subject.to_string()), (Verdict::Raised(Severity::Info), "part:exemption 10.1.9.7".to_owned()));
    assert_eq!(told[0].evidence.get("until"), Some(&Fact::Time(at(30 * DAY))));
    assert_eq!(expiry.look(&list, at(24 * DAY)), []);
    assert_eq!(expiry.look(&list, at(30 * DAY))[0].verdict, Verdict::Cleared);
    let mut restarted = Expiry::default();
    restarted.assume(told[0].subject.clone());
    assert_eq!(restarted.look(&Exemptions::default(), at(31 * DAY))[0].verdict, Verdict::Cleared, "also over a restart");
}

#[test]
fn an_exemption_is_made_and_ended_with_its_events() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("netroom.db")).unwrap();
    let actor = Actor::person("Li Ming", Via::Cli);
    let new = New {
        who: "00:25:90".parse().unwrap(),
        kinds: vec![Kind::TcpScan, Kind::IcmpSweep],
        owner: "Li Ming".into(),
        reason: " scanner ".into(),
        until: at(1_000),
    };
    let (id, events) = store
        .write_blocking(move |file| {
            let refused = |new: &New| store::add(file, at(10), &actor, new).unwrap_err().to_string();
            assert!(refused(&New { owner: " ".into(), ..new.clone() }).contains("owner"));
            assert!(refused(&New { until: at(10), ..new.clone() }).contains("past"));
            assert!(refused(&New { until: at(10) + LONGEST * 2, ..new.clone() }).contains("a year"));
            let id = store::add(file, at(10), &actor, &new).unwrap();
            let [one] = &store::load(file)?[..] else { panic!("one was made") };
            assert_eq!((one.source, one.kinds.as_slice(), &*one.reason), (Source::Recorded(id), &new.kinds[..], "scanner"));
            store::end(file, at(500), &actor, id).unwrap();
            assert!(matches!(store::end(file, at(501), &actor, id), Err(ExemptError::Unknown(_))), "it has ended");
            assert_eq!(store::load(file)?[0].until, at(500), "it stays known with the end that it came to");
            let mut actions = file.prepare("SELECT action FROM journal_event ORDER BY seq")?;
            let actions: Vec<String> = actions.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok((id, actions))
        })
        .unwrap();
    assert_eq!((id, events), (1, vec!["exemption.added".to_owned(), "exemption.ended".to_owned()]));
}
