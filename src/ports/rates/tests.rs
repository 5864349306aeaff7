use proptest::prelude::*;

use super::*;
use crate::model::{IfIndex, Timestamp};

const GIGABIT: Limits = Limits { speed_bps: Some(1_000_000_000) };
const FAST: Limits = Limits { speed_bps: Some(100_000_000) };
const UNKNOWN: Limits = Limits { speed_bps: None };
const IN: PortMetric = PortMetric::InOctets;
/// One second of a gigabit, in octets.
const SECOND: u64 = 125_000_000;

fn row(values: &[(PortMetric, u64)]) -> CounterRow {
    let mut row = CounterRow {
        if_index: IfIndex(1),
        uptime_ticks: 0,
        received: Timestamp::default(),
        values: [None; METRICS],
        narrow: 0,
        admin: Some(1),
        discontinuity: None,
    };
    for (metric, value) in values {
        row.values[metric.index()] = Some(*value);
    }
    row
}

fn narrow(mut row: CounterRow) -> CounterRow {
    row.narrow = u16::MAX;
    row
}

fn at(uptime: u32) -> Clocks {
    Clocks { uptime, steady: uptime.wrapping_sub(7_777), wall: uptime.wrapping_add(5_555) }
}

/// Judges one row after the other, each with the seconds since the one before.
fn run(limits: Limits, rows: &[(u32, CounterRow)]) -> Vec<Verdict> {
    let mut now = 1_000_000_u32;
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (seconds, row) in rows {
        now = now.wrapping_add(seconds * 100);
        let before = verdicts.last().map(|last| Before { memory: last.memory, counters: &last.counters, rates: &last.rates });
        verdicts.push(judge(before, row, at(now), None, limits).unwrap());
    }
    verdicts
}

fn last(limits: Limits, rows: &[(u32, CounterRow)]) -> Verdict {
    *run(limits, rows).last().unwrap()
}

#[test]
fn rates_of_octets() {
    let wide = |value| row(&[(IN, value)]);
    let thin = |value| narrow(row(&[(IN, value)]));
    let top = WRAP - 1_000;
    for (limits, first, seconds, second, rate, mark, case) in [
        (GIGABIT, wide(0), 60, wide(6_000), Some(100.0), None, "plain"),
        (GIGABIT, wide(5), 60, wide(5), Some(0.0), None, "idle is 0, not unknown"),
        (GIGABIT, wide(0), 60, wide(60 * SECOND), Some(125e6), None, "line rate"),
        (GIGABIT, wide(0), 60, wide(62 * SECOND), Some(129_166_664.0), None, "jitter up to 1.05"),
        (GIGABIT, wide(0), 60, wide(66 * SECOND), None, Some(Gap::Impossible), "above 1.05 with nothing known before"),
        (GIGABIT, wide(0), 60, wide(90 * SECOND), None, Some(Gap::Impossible), "above 1.25"),
        (UNKNOWN, wide(0), 60, wide(90 * SECOND), Some(187.5e6), None, "speed unknown"),
        (UNKNOWN, wide(0), 60, wide(1 << 60), None, Some(Gap::Impossible), "faster than anything"),
        (GIGABIT, wide(1_000_000), 60, wide(999_999), None, Some(Gap::Reset), "64 bits going back a little"),
        (GIGABIT, wide(u64::MAX - 10), 60, wide(20), None, Some(Gap::Reset), "the end of 64 bits"),
        (GIGABIT, wide(WRAP - 10), 60, wide(WRAP + 590), Some(10.0), None, "64 bits through 2^32"),
        (FAST, thin(top), 60, thin(5_000), Some(100.0), None, "32 bits wrap"),
        (FAST, thin(0), 60, thin(6_000), Some(100.0), None, "32 bits plain"),
        (FAST, thin(2_000_000_000), 60, thin(50), None, Some(Gap::Reset), "32 bits cleared: a wrap of that size is impossible"),
        (GIGABIT, thin(0), 30, thin(6_000), Some(200.0), None, "a gigabit wraps every 34 s: safe at 30 s"),
        (GIGABIT, thin(0), 60, thin(6_000), None, Some(Gap::Ambiguous), "at 60 s it may have wrapped twice"),
        (GIGABIT, thin(9), 60, thin(9), Some(0.0), None, "unless it did not move"),
        (UNKNOWN, thin(0), 60, thin(6_000), None, Some(Gap::Ambiguous), "32 bits and no speed: taken for a gigabit"),
    ] {
        let verdict = last(limits, &[(0, first), (seconds, second)]);
        assert_eq!((verdict.rates.get(IN), verdict.mark), (rate, mark), "{case}");
    }
}

#[test]
fn the_first_reading_has_counters_but_no_rates() {
    let verdict = last(GIGABIT, &[(0, row(&[(IN, 42)]))]);
    assert_eq!((verdict.mark, verdict.counters.get(IN), verdict.rates), (Some(Gap::First), Some(42), Rates::default()));
}

#[test]
fn thirty_two_bits_are_continued_over_many_wraps() {
    let mut rows = vec![(0, narrow(row(&[(IN, 3_000_000_000)])))];
    let mut truth = 3_000_000_000_u64;
    for _ in 0..50 {
        truth += 700_000_000;
        rows.push((60, narrow(row(&[(IN, truth % WRAP)]))));
    }
    let verdicts = run(FAST, &rows);
    assert_eq!(verdicts.last().unwrap().counters.get(IN), Some(truth));
    assert!(verdicts[1..].iter().all(|verdict| verdict.mark.is_none()));
}

#[test]
fn few_packets_tell_that_a_narrow_counter_cannot_have_wrapped_twice() {
    use PortMetric::{InBroadcast, InMulticast, InUcast};
    let read = |octets, packets| narrow(row(&[(IN, octets), (InUcast, packets), (InMulticast, 0), (InBroadcast, 0)]));
    let quiet = last(GIGABIT, &[(0, read(0, 0)), (60, read(6_000_000, 10_000))]);
    assert_eq!((quiet.rates.get(IN), quiet.mark), (Some(100_000.0), None));
    let busy = last(GIGABIT, &[(0, read(0, 0)), (60, read(6_000_000, 3_000_000))]);
    assert_eq!(busy.mark, Some(Gap::Ambiguous));
    let partly = narrow(row(&[(IN, 6_000_000), (InUcast, 10_000)]));
    assert_eq!(last(GIGABIT, &[(0, read(0, 0)), (60, partly)]).mark, Some(Gap::Ambiguous), "multicast unknown: no bound");
}

#[test]
fn counters_refreshed_in_bursts_are_no_fault() {
    // Polled every 10 s, refreshed every 20 s, at 60 % of the line: nothing, then the double.
    let burst = 12 * SECOND;
    let rows = [(0, 0), (10, burst), (10, burst), (10, 2 * burst), (10, 2 * burst), (10, 3 * burst)];
    let verdicts = run(GIGABIT, &rows.map(|(seconds, value)| (seconds, row(&[(IN, value)]))));
    assert_eq!(verdicts[1].mark, Some(Gap::Impossible), "no interval before it to make it plausible");
    assert!(verdicts[2..].iter().all(|verdict| verdict.mark.is_none()));
    assert_eq!(verdicts[3].rates.get(IN), Some(150e6));
    // Twice in a row it is no burst.
    let steady = [(0, 0), (10, 0), (10, burst), (10, 2 * burst)].map(|(seconds, value)| (seconds, row(&[(IN, value)])));
    assert_eq!(run(GIGABIT, &steady)[3].mark, Some(Gap::Impossible));
}

#[test]
fn packets_are_bounded_by_the_smallest_frame() {
    let packets = |value| row(&[(IN, 0), (PortMetric::InUcast, value)]);
    let most = 1_000_000_000 / 512 * 60;
    assert_eq!(last(GIGABIT, &[(0, packets(0)), (60, packets(most))]).mark, None);
    assert_eq!(last(GIGABIT, &[(0, packets(0)), (60, packets(most * 13 / 10))]).mark, Some(Gap::Impossible));
}

#[test]
fn a_told_discontinuity_begins_anew_and_a_missing_one_says_nothing() {
    let told = |value, when| CounterRow { discontinuity: when, ..row(&[(IN, value)]) };
    let rows =
        [(0, told(0, Some(7))), (60, told(600, None)), (60, told(1_200, Some(7))), (60, told(1_800, Some(9))), (60, told(2_400, Some(9)))];
    let marks: Vec<_> = run(GIGABIT, &rows).into_iter().map(|verdict| verdict.mark).collect();
    assert_eq!(marks, [Some(Gap::First), None, None, Some(Gap::Reset), None]);
}

#[test]
fn a_change_of_width_begins_anew() {
    let rows = [(0, row(&[(IN, 1 << 40)])), (60, narrow(row(&[(IN, 77)]))), (60, narrow(row(&[(IN, 677)]))), (60, row(&[(IN, 1 << 40)]))];
    let marks: Vec<_> = run(FAST, &rows).into_iter().map(|verdict| verdict.mark).collect();
    assert_eq!(marks, [Some(Gap::First), Some(Gap::Reset), None, Some(Gap::Reset)]);
}

#[test]
fn a_metric_missing_once_is_unknown_and_comes_back_without_a_spike() {
    let errors = PortMetric::InErrors;
    let both = |octets, count| row(&[(IN, octets), (errors, count)]);
    let verdicts = run(GIGABIT, &[(0, both(0, 0)), (60, row(&[(IN, 600)])), (60, both(1_200, 120)), (60, both(1_800, 180))]);
    assert_eq!(verdicts[1].rates.get(IN), Some(10.0));
    let rates: Vec<_> = verdicts.iter().map(|verdict| verdict.rates.get(errors)).collect();
    assert_eq!(rates, [None, None, None, Some(1.0)]);
    let gone = run(GIGABIT, &[(0, both(0, 5)), (60, row(&[(IN, 600)])), (60, row(&[(IN, 1_200)]))]);
    assert_eq!(gone[2].counters.get(errors), None, "absent twice is absent");
}

#[test]
fn the_same_reading_twice_says_nothing() {
    let reading = row(&[(IN, 5)]);
    let first = judge(None, &reading, at(500), None, GIGABIT).unwrap();
    let before = Before { memory: first.memory, counters: &first.counters, rates: &first.rates };
    assert_eq!(judge(Some(before), &reading, at(500), None, GIGABIT), None);
}

#[test]
fn five_hundred_days_of_a_device_that_is_never_restarted() {
    // Half an hour a step: 24,000 steps, once through the end of sysUpTime.
    let step = 1_800;
    let mut truth = 0_u64;
    let rows: Vec<_> = (0..24_000_u64)
        .map(|number| {
            truth += number % 1_000 * step;
            (step as u32, row(&[(IN, truth)]))
        })
        .collect();
    let verdicts = run(GIGABIT, &rows);
    assert!(verdicts[1..].iter().all(|verdict| verdict.mark.is_none()));
    let carried: f64 = verdicts[1..].iter().map(|verdict| f64::from(verdict.rates.get(IN).unwrap()) * step as f64).sum();
    let moved = truth as f64;
    assert!((carried - moved).abs() / moved < 1e-6, "{carried} of {moved}");
}

/// What happens between two polls.
#[derive(Clone, Debug)]
enum Event {
    /// So many seconds pass and the port carries this share of its line.
    Traffic(u32, f64),
    /// The device restarts: uptime and counters begin at 0.
    Restart,
    /// Only the counters begin anew, and the device says so.
    ToldReset,
    /// The next answer is lost.
    Lost,
    /// Our wall clock is set by so many seconds.
    SetClock(i32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (5_u32..120, 0.0..1.0_f64).prop_map(|(seconds, share)| Event::Traffic(seconds, share)),
        1 => Just(Event::Restart),
        1 => Just(Event::ToldReset),
        2 => Just(Event::Lost),
        1 => (-100_000_i32..100_000).prop_map(Event::SetClock),
    ]
}

/// A switch with one port and a true counter that never wraps.
struct Switch {
    uptime: u64,
    octets: u64,
    discontinuity: u32,
    carried: u64,
    steady: u32,
    wall: u32,
    narrow: bool,
}

impl Switch {
    fn poll(&self) -> (CounterRow, Clocks) {
        let value = if self.narrow { self.octets % WRAP } else { self.octets };
        let mut reading = row(&[(IN, value)]);
        reading.narrow = u16::from(self.narrow);
        reading.discontinuity = Some(self.discontinuity);
        (reading, Clocks { uptime: (self.uptime % WRAP) as u32, steady: self.steady, wall: self.wall })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_rate_is_wrong_and_no_more_is_reported_than_was_carried(
        events in proptest::collection::vec(event(), 1..120),
        is_narrow in any::<bool>(),
        uptime in prop_oneof![1_000_000_u64..2_000_000, WRAP - 100_000..WRAP],
        octets in prop_oneof![0_u64..1_000_000, WRAP - 1_000_000_000..WRAP],
    ) {
        // A gigabit in 64 bits; 100 Mbit/s in 32 bits, which wraps after 343 s.
        let (limits, line) = if is_narrow { (FAST, SECOND / 10) } else { (GIGABIT, SECOND) };
        let mut switch = Switch { uptime, octets, discontinuity: 0, carried: 0, steady: 9, wall: 99, narrow: is_narrow };
        let mut verdict: Option<Verdict> = None;
        let (mut reported, mut at_last_poll, mut lost, mut passed) = (0.0_f64, 0_u64, false, 0_u32);
        let (mut polls_of_this_run, mut uptime_at_last_poll) = (0, 0);
        for event in events {
            match event {
                Event::Traffic(seconds, share) => {
                    let moved = (line as f64 * share * f64::from(seconds)) as u64;
                    switch.octets += moved;
                    switch.carried += moved;
                    switch.uptime += u64::from(seconds) * 100;
                    switch.steady = switch.steady.wrapping_add(seconds * 100);
                    switch.wall = switch.wall.wrapping_add(seconds * 100);
                    passed += seconds;
                    if std::mem::take(&mut lost) {
                        continue;
                    }
                    let (reading, clocks) = switch.poll();
                    let before = verdict.as_ref().map(|last| Before { memory: last.memory, counters: &last.counters, rates: &last.rates });
                    // The engine's time does not wrap: without it, a restart at the very end of sysUpTime could not be told.
                    let engine_time = Some((switch.uptime / 100) as u32);
                    let Some(now) = judge(before, &reading, clocks, engine_time, limits) else { continue };
                    prop_assert!(now.mark.is_some() != now.rates.get(IN).is_some());
                    if let Some(rate) = now.rates.get(IN) {
                        prop_assert!(polls_of_this_run > 0, "a rate over a restart");
                        let truth = (switch.carried - at_last_poll) as f64 / f64::from(passed);
                        prop_assert!((f64::from(rate) - truth).abs() <= truth * 1e-5 + 0.01, "{rate} for {truth}");
                        reported += f64::from(rate) * f64::from(passed);
                    } else {
                        // A reading in the first seconds after a start is not told from one before another start.
                        let just_started = polls_of_this_run == 0 || uptime_at_last_poll < 2_000;
                        // After lost answers 32 bits may have wrapped twice: once takes 327 s at 1.05 of the line.
                        let twice = is_narrow && passed > 300 && now.mark == Some(Gap::Ambiguous);
                        prop_assert!(just_started || twice, "{:?} without a cause", now.mark);
                    }
                    uptime_at_last_poll = switch.uptime % WRAP;
                    verdict = Some(now);
                    at_last_poll = switch.carried;
                    passed = 0;
                    polls_of_this_run += 1;
                }
                Event::Restart => {
                    switch.uptime = 0;
                    switch.octets = 0;
                    polls_of_this_run = 0;
                }
                Event::ToldReset => {
                    switch.octets = 0;
                    switch.discontinuity += 1;
                    polls_of_this_run = 0;
                }
                Event::Lost => lost = true,
                Event::SetClock(seconds) => switch.wall = switch.wall.wrapping_add_signed(seconds * 100),
            }
        }
        prop_assert!(reported <= switch.carried as f64 * (1.0 + 1e-5) + 1.0);
    }
}
