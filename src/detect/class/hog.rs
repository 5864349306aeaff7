//! A machine that has far more of the line than is usual: the one that watches films all day.
//!
//! Each minute every machine's traffic with the outside is weighed. It counts when it is above a floor in bits per second, a
//! large share of all that passes (or of the line, where its rate is set), several times what the office's machines usually have and
//! what it usually has itself. After ten such minutes in a row it is told, in working hours where these are set.
//!
//! Facts: `rate` (bits per second, mean of the minutes), `share`, `count` (minutes), `window`, `threshold` (bits per second),
//! `class` (of most of it, this hour), `direction` (`in` or `out`, by the larger).

use serde::{Deserialize, Serialize};

/// When a machine has too much.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// From so many bits per second.
    pub floor_bps: f64,
    /// And this share of all traffic, or of the line.
    pub share: f64,
    /// The rate of the line in bits per second; 0 where it is not known.
    pub line_bps: f64,
    /// So many minutes in a row.
    pub minutes: u16,
    /// And so many times the median of the machines that have any traffic, and so many times its own usual.
    pub times_usual: f64,
    /// With fewer machines at work than this there is no usual.
    pub machines: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { floor_bps: 10e6, share: 0.25, line_bps: 0.0, minutes: 10, times_usual: 4.0, machines: 5 }
    }
}

/// Machines with less than this are not at work.
const AT_WORK_BPS: f64 = 10_000.0;
/// Own minutes after which a machine's usual is known.
const KNOWN_AFTER: u16 = 60;
/// Minutes over which the own usual is smoothed.
const USUAL_MINUTES: f64 = 240.0;

/// What one machine has had, minute by minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    usual_bps: f64,
    known_minutes: u16,
    streak: u16,
    streak_bps: f64,
}

/// All machines in one minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minute {
    all_bps: f64,
    median_bps: f64,
    at_work: usize,
}

impl Minute {
    /// From the rates of all machines.
    pub(super) fn of(rates_bps: impl Iterator<Item = f64>) -> Self {
        let mut at_work: Vec<f64> = Vec::new();
        let mut all_bps = 0.0;
        for rate in rates_bps {
            all_bps += rate;
            if rate >= AT_WORK_BPS {
                at_work.push(rate);
            }
        }
        at_work.sort_unstable_by(f64::total_cmp);
        let median_bps = at_work.get(at_work.len() / 2).copied().unwrap_or(0.0);
        Self { all_bps, median_bps, at_work: at_work.len() }
    }

    /// The share of a rate in all that passes, or in the line where that is known.
    fn share(&self, bps: f64, settings: &Settings) -> f64 {
        let whole = if settings.line_bps > 0.0 { settings.line_bps } else { self.all_bps };
        if whole > 0.0 { bps / whole } else { 0.0 }
    }
}

/// What is told of a machine that has too much.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Hogging {
    /// Minutes in a row.
    pub minutes: u16,
    /// Their mean in bits per second.
    pub bps: f64,
    /// The share of the last of them.
    pub share: f64,
}

impl Record {
    /// A minute has ended in which the machine had so much.
    pub(super) fn minute(&mut self, bps: f64, all: &Minute, settings: &Settings, counts: bool) -> Option<Hogging> {
        let share = all.share(bps, settings);
        let unusual = self.known_minutes < KNOWN_AFTER || bps >= settings.times_usual * self.usual_bps;
        let above = bps >= settings.floor_bps && share >= settings.share && bps >= settings.times_usual * all.median_bps && unusual;
        if !(counts && above && all.at_work >= usize::from(settings.machines)) {
            (self.streak, self.streak_bps) = (0, 0.0);
            self.learn(bps);
            return None;
        }
        self.streak = self.streak.saturating_add(1);
        self.streak_bps += (bps - self.streak_bps) / f64::from(self.streak);
        (self.streak >= settings.minutes).then_some(Hogging { minutes: self.streak, bps: self.streak_bps, share })
    }

    fn learn(&mut self, bps: f64) {
        self.known_minutes = self.known_minutes.saturating_add(1);
        self.usual_bps += (bps - self.usual_bps) / f64::from(self.known_minutes).min(USUAL_MINUTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: f64 = 12e6;

    fn office() -> Minute {
        Minute::of([FILM, 1e6, 0.5e6, 0.2e6, 2e6, 5_000.0].into_iter())
    }

    fn minutes(record: &mut Record, count: u16, bps: f64, all: &Minute, settings: &Settings) -> Option<Hogging> {
        (0..count).map(|_| record.minute(bps, all, settings, true)).last().flatten()
    }

    #[test]
    fn ten_minutes_in_a_row_are_told_and_nine_are_not() {
        let (settings, all) = (Settings::default(), office());
        let mut record = Record::default();
        assert_eq!(minutes(&mut record, 9, FILM, &all, &settings), None);
        let told = record.minute(FILM, &all, &settings, true).unwrap();
        assert_eq!((told.minutes, told.bps), (10, FILM));
        let mut broken = Record::default();
        minutes(&mut broken, 9, FILM, &all, &settings);
        broken.minute(1e6, &all, &settings, true);
        assert_eq!(broken.minute(FILM, &all, &settings, true), None);
    }

    #[test]
    fn each_condition_must_hold() {
        let all = office();
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            minutes(&mut Record::default(), 10, FILM, &all, &settings)
        };
        assert!(with(&|_| {}).is_some());
        assert_eq!(with(&|settings| settings.floor_bps = FILM + 1.0), None);
        assert_eq!(with(&|settings| settings.share = 0.8), None);
        assert_eq!(with(&|settings| settings.line_bps = 100e6), None, "12 of 100 Mbit/s");
        assert!(with(&|settings| settings.line_bps = 40e6).is_some());
        assert_eq!(with(&|settings| settings.times_usual = 13.0), None, "the median is 1 Mbit/s");
        assert_eq!(with(&|settings| settings.machines = 6), None, "the sixth has too little to count");
        let out_of_hours = (0..20).filter_map(|_| Record::default().minute(FILM, &all, &Settings::default(), false)).count();
        assert_eq!(out_of_hours, 0);
    }

    #[test]
    fn who_always_has_so_much_is_usual() {
        let (settings, all) = (Settings::default(), office());
        let mut record = Record::default();
        for _ in 0..KNOWN_AFTER {
            record.minute(FILM, &all, &settings, false);
        }
        assert_eq!(minutes(&mut record, 30, FILM, &all, &settings), None);
        assert!(minutes(&mut record, 30, FILM * 5.0, &all, &settings).is_some());
    }
}
