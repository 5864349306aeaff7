//! The store against a plain list: random days of polls with gaps, resets, silences, absent columns and ports that are
//! not due, taken in while the keeper compacts and seals and the program restarts. Times are whole seconds, so that
//! the list can be judged second by second.

use super::*;
use crate::model::Timestamp;
use crate::series::sample::PortSample;

const INTERVAL: i64 = 120;
const SECONDS: usize = 200_000;

/// A small generator: the same numbers at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What is known of each second that ends at the index.
#[derive(Clone)]
struct Truth {
    rate: Vec<Option<f64>>,
    gap: Vec<Option<Gap>>,
    newest: i64,
}

impl Truth {
    fn gap(&mut self, from: i64, to: i64, gap: Gap) {
        for second in from.max(0)..to {
            self.gap[second as usize] = Some(gap);
        }
    }
}

/// Judges a list of polls of one port and metric by the rules of the house, second by second.
fn judge(polls: &[DeviceSample]) -> Truth {
    let mut truth = Truth { rate: vec![None; SECONDS], gap: vec![None; SECONDS], newest: 0 };
    let second = |time: Timestamp| (time.millis() - START) / 1000;
    let (mut good, mut told, mut last_poll): (Option<(i64, u64)>, Option<i64>, Option<i64>) = (None, None, None);
    let (mut missed, mut reason) = (0, Gap::First);
    for poll in polls {
        let at = second(poll.time);
        if let Some(last) = last_poll.filter(|last| at - last > INTERVAL * 5 / 2) {
            truth.gap(told.unwrap_or(last), at, Gap::DaemonDown);
            (good, told, missed, reason) = (None, Some(at), 1, Gap::DaemonDown);
        }
        let begin = told.unwrap_or(at - INTERVAL);
        let row = poll.rows.first();
        let missing = poll.gap.or_else(|| row.filter(|row| row.values.iter().all(Option::is_none)).map(|row| row.mark.unwrap()));
        if let Some(gap) = missing {
            missed += 1;
            let from = if missed == 1 { last_poll.map_or(begin, |last| last.max(begin)) } else { begin };
            truth.gap(from, at, gap);
            if missed > 1 {
                good = None;
            }
            (reason, told) = (gap, Some(at));
        } else if let Some(row) = row {
            let value = row.values[0].unwrap();
            match (good, row.mark) {
                (Some((from, earlier)), None) => {
                    let rate = (value - earlier) as f64 / (at - from) as f64;
                    truth.rate[from as usize..at as usize].fill(Some(rate));
                }
                (Some(_), Some(mark)) => truth.gap(begin, at, mark),
                (None, mark) => truth.gap(begin, at, if missed > 0 { reason } else { mark.unwrap_or(Gap::First) }),
            }
            (good, told, missed) = (Some((at, value)), Some(at), 0);
        } else {
            missed = 0;
        }
        last_poll = Some(at);
        truth.newest = at;
    }
    truth
}

fn random_polls(dice: &mut Dice) -> Vec<DeviceSample> {
    let (mut polls, mut at, mut counter) = (Vec::new(), 300 + dice.below(500) as i64, dice.below(1 << 40));
    let mut fresh = true;
    while at < SECONDS as i64 - 1000 {
        let mut poll = sample(START + at * 1000, 0);
        poll.interval_s = INTERVAL as u32;
        let width = dice.below(30) + 1;
        counter += dice.below(1 << width);
        let row = &mut poll.rows[0];
        row.mark = std::mem::take(&mut fresh).then_some(Gap::First);
        row.values[0] = Some(counter);
        match dice.below(60) {
            0 | 1 => {
                poll.gap = Some(if dice.below(2) == 0 { Gap::Timeout } else { Gap::Unreachable });
                poll.rows.clear();
            }
            2 => poll.rows.clear(),
            3 => {
                counter = dice.below(1000);
                (row.mark, row.values[0]) = (Some(Gap::Reset), Some(counter));
            }
            4 => (row.mark, row.values) = (Some(Gap::Deadline), [None; METRICS]),
            _ => {}
        }
        polls.push(poll);
        at += INTERVAL + dice.below(5) as i64 - 2;
        if dice.below(150) == 0 {
            at += dice.below(20_000) as i64;
            fresh = true;
        }
    }
    polls
}

/// Takes the polls in with restarts, and lets the keeper work at random moments.
fn store(dir: &Path, polls: &[DeviceSample], dice: &mut Dice) -> (Writer, Reader, Keeper) {
    let (mut writer, mut reader, mut keeper) = open(dir, options()).unwrap();
    for poll in polls {
        writer.append(poll.clone());
        if dice.below(100) == 0 {
            writer.flush().unwrap();
            keeper.tick(poll.time).unwrap();
        }
        if dice.below(400) == 0 {
            keeper.close().unwrap();
            (writer, reader, keeper) = open(dir, options()).unwrap();
        }
    }
    writer.flush().unwrap();
    (writer, reader, keeper)
}

fn close_to(told: Option<f64>, true_value: Option<f64>, slack: f64) -> bool {
    match (told, true_value) {
        (Some(told), Some(value)) => (told - value).abs() <= slack + value.abs() * 1e-9,
        (told, value) => told == value,
    }
}

/// Compares buckets of `step` seconds. `slack` is the rounding that a tier's maxima are allowed.
fn compare(history: &History, truth: &Truth, step: usize, slack: f64, what: &str) {
    for bucket in 0..truth.newest as usize / step {
        let known: Vec<f64> = truth.rate[bucket * step..(bucket + 1) * step].iter().flatten().copied().collect();
        let average = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        let maximum = known.iter().copied().reduce(f64::max);
        let curve = &history.curves[0];
        // Growth is kept in whole counts: over a bucket that is hardly known, one count is much.
        let count = if slack < 1e-6 { slack } else { 1.0 / known.len().max(1) as f64 };
        assert!(close_to(curve.average[bucket], average, count), "{what}: average of {bucket}: {:?} {average:?}", curve.average[bucket]);
        assert!(close_to(curve.maximum[bucket], maximum, slack), "{what}: maximum of {bucket}: {:?} {maximum:?}", curve.maximum[bucket]);
    }
}

/// Every second has a reason exactly when the list says so, the same one.
fn compare_gaps(history: &History, truth: &Truth, from: usize, what: &str) {
    let mut told: Vec<Option<Gap>> = vec![None; SECONDS];
    for gap in &history.gaps {
        for second in (gap.from.millis() - START) / 1000..(gap.to.millis() - START) / 1000 {
            told[second as usize] = Some(gap.reason);
        }
    }
    for (second, (told, gap)) in told.iter().zip(&truth.gap).enumerate().take(truth.newest as usize).skip(from) {
        assert_eq!(told, gap, "{what}: second {second}");
    }
}

#[test]
fn random_days_read_back_as_a_plain_list_of_samples_would() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let polls = random_polls(&mut dice);
        let truth = judge(&polls);
        let first = (polls[0].time.millis() - START) as usize / 1000 - INTERVAL as usize;
        let dir = tempfile::tempdir().unwrap();
        let (writer, reader, mut keeper) = store(dir.path(), &polls, &mut dice);
        let end = START + truth.newest * 1000;
        let all = |step| ask(&reader, START, end, step);
        compare(&all(60), &truth, 60, 1e-9, &format!("seed {seed}, raw"));
        compare_gaps(&all(60), &truth, first, &format!("seed {seed}, raw"));
        compare(&all(3600), &truth, 3600, 1.0 / INTERVAL as f64, &format!("seed {seed}, hours, unsealed end"));
        keeper.tick(time(end + 2 * DAY_MS)).unwrap();
        assert_eq!((ask(&reader, START, end, 300).tier, reader.stats().tail_polls), (Tier::Minutes5, 0));
        compare(&all(60), &truth, 60, 1e-9, &format!("seed {seed}, sealed"));
        compare_gaps(&all(60), &truth, first, &format!("seed {seed}, sealed"));
        for step in [300, 900, 3600, 86_400] {
            compare(&all(step), &truth, step as usize, 1.0 / INTERVAL as f64, &format!("seed {seed}, step {step}"));
        }
        drop(writer);
        keeper.close().unwrap();
        assert_eq!(verify(dir.path()).unwrap().damaged, [], "seed {seed}");
    }
}

#[test]
fn a_port_that_is_polled_seldom_has_no_holes_between_its_samples() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), options()).unwrap();
    for minute in 0..2 * 1440 {
        let mut poll = sample(START + minute * 60_000, (minute * 6000) as u64);
        poll.rows.push(PortSample { port: PortId(8), ..poll.rows[0].clone() });
        if minute % 15 != 0 {
            poll.rows.remove(0);
        }
        writer.append(poll);
    }
    writer.flush().unwrap();
    for now in [START, START + 3 * DAY_MS] {
        keeper.tick(time(now)).unwrap();
        for step in [300, 3600] {
            let history = ask(&reader, START, START + 2 * DAY_MS - 15 * 60_000, step);
            assert_eq!(history.gaps, []);
            assert!(history.curves[0].average.iter().all(|rate| rate.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)), "step {step}");
        }
    }
    keeper.close().unwrap();
}
