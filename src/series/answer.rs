//! An answer in the making: runs of time from different tiers are poured into the same buckets.

use crate::model::{Gap, PortMetric};

use super::codec::block::gap_of;
use super::codec::cells::Cells;
use super::grid::{Cell, Grid, absent, bits, join};
use super::history::{Curve, GapSpan, History, HistoryQuery, Tier};
use super::layout::time;
use super::rate::{Hole, walk};
use super::stretch::{Poll, Rows};

/// Some whole time read from one tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    /// Which.
    pub(super) tier: Tier,
    /// From here, milliseconds.
    pub(super) from_ms: i64,
    /// To here.
    pub(super) to_ms: i64,
}

/// The buckets so far.
#[derive(Debug)]
pub(super) struct Answer {
    grid: Grid,
    cells: Vec<Vec<Cell>>,
    /// By metric: whether some part came from a tier that keeps no minimum of it.
    no_minimum: Vec<bool>,
    holes: Vec<Hole>,
}

impl Answer {
    /// Nothing known yet.
    pub(super) fn new(query: &HistoryQuery, grid: Grid) -> Self {
        let cells = vec![vec![Cell::default(); grid.count]; query.metrics.len()];
        Self { grid, cells, no_minimum: vec![false; query.metrics.len()], holes: Vec::new() }
    }

    /// Adds a hole, as far as it lies in the run.
    pub(super) fn hole(&mut self, run: &Run, hole: Hole) {
        join(&mut self.holes, Hole { from_ms: hole.from_ms.max(run.from_ms), to_ms: hole.to_ms.min(run.to_ms), gap: hole.gap });
    }

    /// Adds a run of raw samples. `horizon_ms` is the newest sample of any device: nothing is missing after it.
    pub(super) fn raw(&mut self, run: &Run, query: &HistoryQuery, polls: &[Poll], rows: &Rows, horizon_ms: i64) {
        let walked = walk(polls, rows);
        let shares = self.grid.spread(&walked.known, (run.from_ms, run.to_ms));
        for (cells, metric) in self.cells.iter_mut().zip(&query.metrics) {
            Grid::fill(cells, &shares, rows, *metric);
        }
        let mut holes = walked.holes.clone();
        let begins = |hole: Option<i64>, known: Option<i64>| hole.into_iter().chain(known).min();
        let first = begins(walked.holes.first().map(|hole| hole.from_ms), walked.known.first().map(|known| known.from_ms));
        let polled = polls.first().map_or(i64::MAX, |poll| poll.time_ms - i64::from(poll.interval_s) * 1000);
        let first = first.unwrap_or(i64::MAX);
        // Before the first poll nobody asked; before the port's own first row the device did not have it.
        holes.push(Hole { from_ms: run.from_ms, to_ms: polled.min(first), gap: Gap::DaemonDown });
        holes.push(Hole { from_ms: polled.max(run.from_ms), to_ms: first.min(horizon_ms), gap: Gap::Absent });
        if let Some(end) = walked.end.filter(|end| first < i64::MAX && horizon_ms - end.told_ms > end.patience_ms) {
            let gone = end.polled_ms - end.told_ms > end.patience_ms;
            let reason = if gone { Gap::Absent } else { Gap::DaemonDown };
            holes.push(Hole { from_ms: end.told_ms, to_ms: horizon_ms, gap: reason });
        }
        holes.extend(absent(&walked, rows, bits(&query.metrics)));
        holes.sort_by_key(|hole| hole.from_ms);
        holes.into_iter().for_each(|hole| self.hole(run, hole));
    }

    /// Adds the buckets of a tier that lie in the run; returns the end of the last of them.
    pub(super) fn tier(&mut self, run: &Run, query: &HistoryQuery, start_ms: i64, length_ms: i64, cells: &Cells) -> i64 {
        for (at, metric) in query.metrics.iter().enumerate() {
            self.pour(at, *metric, run, start_ms, length_ms, cells);
        }
        let mut end = start_ms;
        for bucket in 0..cells.gap.len() {
            let from_ms = start_ms + bucket as i64 * length_ms;
            let to_ms = from_ms + length_ms;
            if to_ms <= run.from_ms || from_ms >= run.to_ms {
                continue;
            }
            end = to_ms;
            let port_known = cells.known_ms.get(bucket).is_some_and(|&known| known > 0);
            let wanted_known = || query.metrics.iter().any(|metric| metric_known_ms(cells, *metric, bucket) > 0);
            if !wanted_known() {
                let told = cells.gap.get(bucket).copied().and_then(gap_of);
                let gap = told.unwrap_or(if port_known { Gap::Absent } else { Gap::DaemonDown });
                self.hole(run, Hole { from_ms, to_ms, gap });
            }
        }
        end
    }

    fn pour(&mut self, at: usize, metric: PortMetric, run: &Run, start_ms: i64, length_ms: i64, cells: &Cells) {
        let Some(Some(column)) = cells.metrics.get(metric.index()) else { return };
        if column.min.is_empty()
            && let Some(flag) = self.no_minimum.get_mut(at)
        {
            *flag = true;
        }
        let Some(into) = self.cells.get_mut(at) else { return };
        let gauge = self.grid.values.is_gauge(metric);
        let scale = if gauge { 1.0 } else { f64::from(cells.scale_s) };
        for (bucket, &sum) in column.sum.iter().enumerate() {
            let known = metric_known_ms(cells, metric, bucket) as f64;
            if known <= 0.0 {
                continue;
            }
            let from_ms = start_ms + bucket as i64 * length_ms;
            let average = sum as f64 / known * if gauge { 1.0 } else { 1000.0 };
            let of = |column: &[u64]| column.get(bucket).map(|&value| value as f64 / scale);
            // Extremes are whole counts per interval: rounding must not put them on the wrong side of the average.
            let rounding = if gauge { 0.0 } else { 0.5 / scale };
            let max = of(&column.max).map_or(average, |max| max.max(average.min(max + rounding)));
            let min = of(&column.min).map_or(average, |min| min.min(average.max(min - rounding)));
            let (from, to) = (from_ms.max(run.from_ms), (from_ms + length_ms).min(run.to_ms));
            for (target, share) in self.grid.shares(from, to) {
                if let Some(cell) = into.get_mut(target) {
                    let part = share as f64 / length_ms as f64;
                    cell.add(sum as f64 * part, known * part, max, min);
                }
            }
        }
    }

    /// The finished answer.
    pub(super) fn finish(self, query: &HistoryQuery, tier: Tier) -> History {
        let curves = self.cells.iter().zip(&query.metrics).zip(&self.no_minimum).map(|((cells, metric), &no_minimum)| Curve {
            metric: *metric,
            average: cells.iter().map(|cell| cell.average(self.grid.values.is_gauge(*metric))).collect(),
            maximum: cells.iter().map(|cell| (cell.known_ms > 0.0).then_some(cell.max)).collect(),
            minimum: if no_minimum { Vec::new() } else { cells.iter().map(|cell| (cell.known_ms > 0.0).then_some(cell.min)).collect() },
        });
        let (from_ms, to_ms) = (query.from.millis(), query.to.millis());
        let clipped =
            self.holes.iter().map(|hole| Hole { from_ms: hole.from_ms.max(from_ms), to_ms: hole.to_ms.min(to_ms), gap: hole.gap });
        let gaps = clipped.filter(|hole| hole.from_ms < hole.to_ms);
        History {
            tier,
            t0: time(self.grid.t0_ms),
            step_s: query.step_s,
            curves: curves.collect(),
            gaps: gaps.map(|hole| GapSpan { from: time(hole.from_ms), to: time(hole.to_ms), reason: hole.gap }).collect(),
        }
    }
}

/// How much of a bucket is known of a metric.
fn metric_known_ms(cells: &Cells, metric: PortMetric, bucket: usize) -> u64 {
    let Some(Some(column)) = cells.metrics.get(metric.index()) else { return 0 };
    let own = if column.known_ms.is_empty() { &cells.known_ms } else { &column.known_ms };
    own.get(bucket).copied().unwrap_or(0)
}
