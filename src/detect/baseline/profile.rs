//! What is usual: learnt from weeks of samples, kept in a few kilobytes a port.

use std::time::Duration;

use super::calendar::SLOTS;
use super::{MEASURES, Measure, Values};
use crate::model::Timestamp;

/// It learns so long before it speaks.
const LEAST: Duration = Duration::from_secs(7 * 86_400);
/// An hour of the week speaks from so many samples on, its neighbours' included.
const LEAST_SAMPLES: usize = 30;
/// From the MAD to the standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Samples on their way to a baseline.
#[derive(Debug)]
pub struct Learner {
    samples: Vec<Vec<Vec<f32>>>,
    from: Option<Timestamp>,
    to: Timestamp,
}

impl Default for Learner {
    fn default() -> Self {
        Self { samples: vec![vec![Vec::new(); SLOTS]; MEASURES], from: None, to: Timestamp::default() }
    }
}

impl Learner {
    /// Takes the values of one moment, which lies in this hour of the week.
    pub fn take(&mut self, at: Timestamp, slot: usize, values: &Values) {
        for ((measure, value), slots) in Measure::ALL.into_iter().zip(values).zip(&mut self.samples) {
            if let (Some(value), Some(samples)) = (value, slots.get_mut(slot)) {
                samples.push(measure.scaled(*value) as f32);
                self.from.get_or_insert(at);
                self.to = self.to.max(at);
            }
        }
    }

    /// The baseline; `None` before a week has been seen.
    pub fn finish(self) -> Option<Baseline> {
        if self.to.since(self.from?) < LEAST {
            return None;
        }
        let profile = |(measure, slots): (Measure, &Vec<Vec<f32>>)| Profile::of(measure, slots);
        Some(Baseline { profiles: Measure::ALL.into_iter().zip(&self.samples).map(profile).collect() })
    }
}

/// What is usual for one port.
#[derive(Clone, PartialEq, Debug)]
pub struct Baseline {
    profiles: Vec<Profile>,
}

/// What is usual for one measure in one hour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Usual {
    /// The middle, in the measure's own unit.
    pub median: f64,
    /// Two sigmas below and above it.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// The value that 98 of 100 samples of all hours stay below.
    pub p98: f64,
    scaled_median: f64,
    sigma: f64,
}

impl Usual {
    /// How many sigmas a value stands off; negative below.
    pub fn z(&self, measure: Measure, value: f64) -> f64 {
        (measure.scaled(value) - self.scaled_median) / self.sigma
    }
}

impl Baseline {
    /// What is usual in this hour of the week; `None` where too little is known.
    pub fn usual(&self, measure: Measure, slot: usize) -> Option<Usual> {
        let profile = self.profiles.get(measure as usize)?;
        let (median, sigma) = *profile.slots.get(slot)?;
        if !sigma.is_finite() {
            return None;
        }
        let (median, sigma) = (f64::from(median), f64::from(sigma));
        let plain = |scaled: f64| measure.plain(scaled);
        let (low, high) = (plain(median - 2.0 * sigma), plain(median + 2.0 * sigma));
        Some(Usual { median: plain(median), low, high, p98: plain(f64::from(profile.p98)), scaled_median: median, sigma })
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Profile {
    /// Median and sigma of each hour; sigma is not a number where too little is known.
    slots: Vec<(f32, f32)>,
    p98: f32,
}

impl Profile {
    fn of(measure: Measure, slots: &[Vec<f32>]) -> Self {
        let pooled = |slot: usize| -> Vec<f32> {
            // The hour itself has the majority, or a nightly backup of one hour would be unusual each night.
            let around = [slot + SLOTS - 1, slot, slot, slot, slot + 1].map(|near| near % SLOTS);
            around.into_iter().filter_map(|near| slots.get(near)).flatten().copied().collect()
        };
        let spread = |slot: usize| {
            let mut samples = pooled(slot);
            if samples.len() < LEAST_SAMPLES {
                return (0.0, f32::NAN);
            }
            let middle = quantile(&mut samples, 0.5);
            samples.iter_mut().for_each(|sample| *sample = (*sample - middle).abs());
            let mad = f64::from(quantile(&mut samples, 0.5));
            (middle, (MAD_TO_SIGMA * mad).max(measure.least_sigma()) as f32)
        };
        let mut all: Vec<f32> = slots.iter().flatten().copied().collect();
        Self { slots: (0..SLOTS).map(spread).collect(), p98: quantile(&mut all, 0.98) }
    }
}

/// The value of which this share lies below; 0 of nothing.
fn quantile(values: &mut [f32], share: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = ((values.len() - 1) as f64 * share).round() as usize;
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}
