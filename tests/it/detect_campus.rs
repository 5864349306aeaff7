//! A small campus by a seed, minutes of it, against the engine: those who spread are found, the innocent are left alone, and
//! the same seed gives the same octets and the same judgements. At full size: `cargo bench --bench campus_worms`.

#[expect(dead_code, reason = "the parts that only the bench needs")]
#[path = "../../benches/campus_worms/mod.rs"]
mod campus;

use std::hash::{DefaultHasher, Hash, Hasher};

use campus::Plan;
use campus::engine::{Knowledge, Netroom};
use campus::score::{Run, run};
use campus::town::Town;
use netroom::detect::Level;

/// A campus as the engine sees it, with a sum over its frames.
fn judged(plan: &Plan) -> (Run, u64) {
    let mut judge = Netroom::new(&Town::new(plan), Knowledge::All);
    let mut sum = DefaultHasher::new();
    let run = run(plan, &mut judge, &mut |at, wire, octets| (at, wire, octets).hash(&mut sum));
    (run, sum.finish())
}

fn offended() -> Plan {
    let mut plan = Plan::new(11, 150, 150);
    (plan.scanners, plan.others) = (9, 7);
    plan.hard = false;
    plan
}

#[test]
fn those_who_spread_are_found_and_nobody_else_is_accused() {
    let (run, _) = judged(&offended());
    let fates = run.fates();
    assert!(fates.len() >= 12, "{}", fates.len());
    // The slowest have not made enough contacts in minutes.
    for fate in fates.iter().filter(|fate| fate.made >= 90) {
        assert!(fate.suspect.is_some_and(|(contacts, _)| contacts >= 1), "missed, or told before it began: {fate:?}");
        assert!(fate.named || !fate.scanner, "no more than suspected: {fate:?}");
    }
    let blamed = run.accused(Level::Virus);
    assert!(blamed.is_empty(), "{blamed:?}");
}

#[test]
fn a_campus_where_nobody_does_wrong_is_quiet_through_outage_crash_and_power_cut() {
    let (run, _) = judged(&Plan::benign(12, 150, 240));
    let blamed = run.accused(Level::Suspect);
    assert!(blamed.is_empty(), "{blamed:?}");
    assert!(run.packets > 20_000, "{} packets are no campus", run.packets);
}

#[test]
fn the_same_seed_is_the_same_campus_with_the_same_judgements() {
    let mut plan = offended();
    plan.seconds = 60;
    let ((one, octets), (two, again)) = (judged(&plan), judged(&plan));
    assert_eq!(octets, again);
    let told = |run: &Run| run.heard.iter().map(|(about, heard)| (*about, heard.last.clone())).collect::<Vec<_>>();
    assert_eq!(told(&one), told(&two));
    plan.seed += 1;
    assert_ne!(judged(&plan).1, octets, "another seed is another campus");
}
