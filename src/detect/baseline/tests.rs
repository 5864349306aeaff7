//! Weeks of an office's port, with the noise that ports have, and what is done to it.

use super::*;
use crate::model::Timestamp;

const MONDAY: i64 = 1_795_363_200;
const STEP: i64 = 300;

/// A repeatable spread around 1: about half to double.
fn noise(seed: i64) -> f64 {
    let mut x = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut sum = 0.0;
    for _ in 0..4 {
        x ^= x >> 27;
        x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
        sum += (x >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    }
    (sum * 0.8).exp()
}

/// An office's traffic, bits per second: 40 Mbit/s in working hours, 1 Mbit/s else; a backup each night at two.
fn office(at: i64) -> f64 {
    let (hour, day) = ((at - MONDAY).rem_euclid(86_400) / 3600, (at - MONDAY).div_euclid(86_400).rem_euclid(7));
    let level = match hour {
        2 => 200e6,
        8..=17 if day < 5 => 40e6,
        _ => 1e6,
    };
    level * noise(at)
}

fn values_of(bps: f64) -> Values {
    let octets = bps / 8.0;
    values([Some(octets), Some(octets / 4.0), Some(octets / 800.0), Some(octets / 1600.0), Some(octets / 80_000.0)])
}

fn calendar() -> Calendar {
    Calendar::new(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(), [], [])
}

fn learnt(weeks: i64) -> Option<Baseline> {
    let (calendar, mut learner) = (calendar(), Learner::default());
    for at in (MONDAY..MONDAY + weeks * 7 * 86_400).step_by(STEP as usize) {
        let time = Timestamp::from_secs(at);
        learner.take(time, calendar.slot(time), &values_of(office(at)));
    }
    learner.finish()
}

/// The fifth week, with something done to it; the steps at which a measure was told.
fn week(change: impl Fn(i64, f64) -> f64) -> Vec<(i64, Measure, bool)> {
    let (baseline, calendar, mut watch, mut told) = (learnt(4).unwrap(), calendar(), Watch::default(), Vec::new());
    let begin = MONDAY + 4 * 7 * 86_400;
    for at in (begin..begin + 7 * 86_400).step_by(STEP as usize) {
        let slot = calendar.slot(Timestamp::from_secs(at));
        watch.judge(&baseline, slot, &values_of(change(at - begin, office(at))), false, |measure, what| {
            told.push(((at - begin) / STEP, measure, matches!(what, Told::Raised { .. })));
        });
    }
    told
}

#[test]
fn it_learns_a_week_before_it_speaks() {
    let mut learner = Learner::default();
    learner.take(Timestamp::from_secs(MONDAY), 0, &values_of(1e6));
    learner.take(Timestamp::from_secs(MONDAY + 6 * 86_400), 0, &values_of(1e6));
    assert!(learner.finish().is_none());
    assert!(learnt(1).is_none(), "a week is seven whole days, and the first sample stands at its beginning");
    assert!(learnt(2).is_some());
}

#[test]
fn an_ordinary_week_is_silent_and_the_backup_is_ordinary() {
    assert_eq!(week(|_, bps| bps), []);
}

#[test]
fn a_hog_is_found_in_three_steps_and_over_when_it_is() {
    // Tuesday, 10:00, for an hour, at ten times the usual.
    let from = 86_400 + 10 * 3600;
    let told = week(|at, bps| if (from..from + 3600).contains(&at) { bps * 30.0 } else { bps });
    let of_in: Vec<(i64, bool)> =
        told.iter().filter(|(_, measure, _)| *measure == Measure::In).map(|(step, _, raised)| (step - from / STEP, *raised)).collect();
    assert_eq!(of_in.first(), Some(&(2, true)));
    assert_eq!(of_in.len(), 2, "told once, and once that it is over: {of_in:?}");
    assert!((14..20).contains(&of_in[1].0), "{of_in:?}");
}

#[test]
fn more_than_ever_at_night_is_found_and_what_is_usual_then_is_known() {
    let night = 22 * 3600;
    let told = week(|at, bps| if (night..night + 1800).contains(&at) { 600e6 } else { bps });
    assert!(told.iter().any(|(_, measure, raised)| *measure == Measure::In && *raised));
    let (baseline, slot) = (learnt(4).unwrap(), calendar().slot(Timestamp::from_secs(MONDAY + night)));
    let usual = baseline.usual(Measure::In, slot).unwrap();
    assert!(usual.low < 1e6 && usual.high > 1e6 && usual.high < 10e6, "{usual:?}");
}

#[test]
fn a_breakdown_is_found_where_much_is_usual() {
    let from = 86_400 + 10 * 3600;
    let told = week(|at, bps| if (from..from + 3600).contains(&at) { bps * 0.005 } else { bps });
    let mut of_in = told.iter().filter(|(_, measure, _)| *measure == Measure::In).map(|(_, _, raised)| *raised);
    assert_eq!((of_in.next(), of_in.next(), of_in.next()), (Some(true), Some(false), None));
}

#[test]
fn many_ports_at_once_are_the_network() {
    let mut group = Group::default();
    assert_eq!(group.look(3, 0, 10), None, "three are not many");
    assert_eq!(group.look(0, 30, 100), Some(Shift::Began { way: Way::Down, ports: 30 }));
    assert!(group.is_guarding());
    assert_eq!(group.look(0, 15, 100), None);
    assert_eq!(group.look(2, 3, 100), Some(Shift::Ended));
    let (baseline, mut watch) = (learnt(4).unwrap(), Watch::default());
    let slot = calendar().slot(Timestamp::from_secs(MONDAY + 10 * 3600));
    for _ in 0..9 {
        watch.judge(&baseline, slot, &values_of(4e9), true, |measure, told| panic!("{measure:?} {told:?}"));
    }
    assert_eq!(watch.leaning(), Some(Way::Up));
}
