//! Buckets of equal length into which known stretches are shared out: growth in proportion to time, so that totals stay
//! exact, and the largest and smallest rate of any poll that touches the bucket.

use crate::model::{Gap, METRICS, PortMetric};

use super::Values;
use super::rate::{Hole, Known, Walk};
use super::stretch::Rows;

/// Equal buckets over some time.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// The start of the first bucket, milliseconds.
    pub(super) t0_ms: i64,
    /// The length of a bucket, milliseconds.
    pub(super) step_ms: i64,
    /// How many buckets.
    pub(super) count: usize,
    /// What is shared out.
    pub(super) values: Values,
}

impl Grid {
    /// The first millisecond after the last bucket.
    pub(super) const fn end_ms(&self) -> i64 {
        self.t0_ms.saturating_add(self.step_ms.saturating_mul(self.count as i64))
    }
}

/// A known stretch of a port as its metrics are shared out over the buckets.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Share {
    /// The row at its end, and at its beginning when counters may be compared with it.
    row: usize,
    since: Option<usize>,
    /// 1000 by its length in milliseconds: growth times this is a rate per second.
    per_second: f64,
    /// Its parts among all parts.
    parts: (usize, usize),
}

/// The part of a stretch that lies in one bucket.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Part {
    bucket: usize,
    share_ms: f64,
    /// As a part of the whole stretch.
    fraction: f64,
}

/// How all known stretches of a port are shared out: the same for all its metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Shares {
    values: Values,
    shares: Vec<Share>,
    parts: Vec<Part>,
}

/// What is known in one bucket of one metric.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Cell {
    /// Counter: growth. Gauge: value times milliseconds.
    pub(super) sum: f64,
    /// How much of the bucket is known, milliseconds.
    pub(super) known_ms: f64,
    /// The largest rate per second, or gauge value.
    pub(super) max: f64,
    /// The smallest.
    pub(super) min: f64,
}

impl Cell {
    /// Adds a stretch within the bucket.
    pub(super) fn add(&mut self, sum: f64, known_ms: f64, max: f64, min: f64) {
        if known_ms <= 0.0 {
            return;
        }
        if self.known_ms > 0.0 {
            self.max = self.max.max(max);
            self.min = self.min.min(min);
        } else {
            self.max = max;
            self.min = min;
        }
        self.sum += sum;
        self.known_ms += known_ms;
    }

    /// The average over the known part: a rate per second, or a gauge value.
    pub(super) fn average(&self, gauge: bool) -> Option<f64> {
        (self.known_ms > 0.0).then(|| self.sum / self.known_ms * if gauge { 1.0 } else { 1000.0 })
    }
}

impl Grid {
    /// The share of `[from_ms, to_ms)` that lies in each bucket it touches: bucket and milliseconds.
    pub(super) fn shares(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = (usize, i64)> + use<> {
        let (t0, step) = (self.t0_ms, self.step_ms);
        let (from, to) = (from_ms.max(t0), to_ms.min(self.end_ms()));
        let first = if from < to { (from - t0) / step } else { 0 };
        let last = if from < to { (to - 1 - t0) / step + 1 } else { 0 };
        (first..last).map(move |bucket| {
            let start = t0 + bucket * step;
            (bucket as usize, to.min(start + step) - from.max(start))
        })
    }

    /// How each known stretch is shared out, as far as it lies in `[clip.0, clip.1)`.
    pub(super) fn spread(&self, known: &[Known], clip: (i64, i64)) -> Shares {
        let mut out =
            Shares { values: self.values, shares: Vec::with_capacity(known.len()), parts: Vec::with_capacity(known.len() * 3 / 2) };
        for of in known {
            let length_ms = (of.to_ms - of.from_ms) as f64;
            let first = out.parts.len();
            for (bucket, share) in self.shares(of.from_ms.max(clip.0), of.to_ms.min(clip.1)) {
                let share_ms = share as f64;
                out.parts.push(Part { bucket, share_ms, fraction: share_ms / length_ms });
            }
            if first < out.parts.len() {
                let parts = (first, out.parts.len());
                out.shares.push(Share { row: of.row, since: of.since, per_second: 1000.0 / length_ms, parts });
            }
        }
        out
    }

    /// Shares out one metric of a port's known stretches.
    pub(super) fn fill(cells: &mut [Cell], shares: &Shares, rows: &Rows, metric: PortMetric) {
        let (index, gauge) = (metric.index(), shares.values.is_gauge(metric));
        for share in &shares.shares {
            let Some(value) = rows.value(index, share.row) else { continue };
            let (whole, rate) = if gauge {
                (value as f64, value as f64)
            } else {
                // A counter that fell without a mark tells nothing.
                let earlier = share.since.and_then(|since| rows.value(index, since));
                let Some(growth) = earlier.and_then(|earlier| value.checked_sub(earlier)) else { continue };
                (growth as f64, growth as f64 * share.per_second)
            };
            for part in shares.parts.get(share.parts.0..share.parts.1).unwrap_or_default() {
                if let Some(cell) = cells.get_mut(part.bucket) {
                    let weight = if gauge { part.share_ms } else { part.fraction };
                    cell.add(whole * weight, part.share_ms, rate, rate);
                }
            }
        }
    }

    /// How much of each bucket has comparable counters, and why the longest hole of each bucket is there.
    pub(super) fn coverage(&self, walk: &Walk) -> (Vec<u64>, Vec<u8>) {
        let mut known = vec![0_u64; self.count];
        for stretch in walk.known.iter().filter(|stretch| stretch.since.is_some()) {
            for (bucket, share) in self.shares(stretch.from_ms, stretch.to_ms) {
                if let Some(known) = known.get_mut(bucket) {
                    *known += share as u64;
                }
            }
        }
        let mut longest: Vec<(i64, u8)> = vec![(0, 0); self.count];
        for hole in &walk.holes {
            for (bucket, share) in self.shares(hole.from_ms, hole.to_ms) {
                if let Some(longest) = longest.get_mut(bucket)
                    && share > longest.0
                {
                    *longest = (share, hole.gap.code());
                }
            }
        }
        (known, longest.into_iter().map(|(_, code)| code).collect())
    }
}

/// Adds a hole to a list in order, joining it to the last one of the same reason.
pub(super) fn join(holes: &mut Vec<Hole>, hole: Hole) {
    if hole.from_ms >= hole.to_ms {
        return;
    }
    match holes.last_mut() {
        Some(last) if last.gap == hole.gap && hole.from_ms <= last.to_ms => last.to_ms = last.to_ms.max(hole.to_ms),
        _ => holes.push(hole),
    }
}

/// The bits of some metrics.
pub(super) fn bits(metrics: &[PortMetric]) -> u16 {
    metrics.iter().fold(0, |mask, metric| mask | 1 << metric.index())
}

/// Holes over which every wanted metric is absent although the port was polled.
pub(super) fn absent(walk: &Walk, rows: &Rows, wanted: u16) -> Vec<Hole> {
    let mut holes = Vec::new();
    for stretch in &walk.known {
        if rows.mask.get(stretch.row).is_some_and(|mask| mask & wanted == 0) {
            join(&mut holes, Hole { from_ms: stretch.from_ms, to_ms: stretch.to_ms, gap: Gap::Absent });
        }
    }
    holes
}

const _: () = assert!(METRICS <= 16, "presence bits are kept in a u16");
