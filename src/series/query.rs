//! The way out: curves over any span, from the tier that fits each day, put together without seams.

use std::sync::Arc;

use crate::model::{Gap, PortId, PortMetric, Timestamp};

use super::Shared;
use super::answer::{Answer, Run};
use super::error::SeriesError;
use super::grid::{Grid, bits};
use super::history::{History, HistoryQuery, Tier};
use super::layout::HOUR_MS;
use super::rate::Hole;
use super::stretch::Rows;
use super::{plan, source, tiers};

/// The most points of one answer.
const MOST_POINTS: u64 = 200_000;
/// Raw samples are read so far beyond both ends, for the rates that reach across.
const MARGIN_MS: i64 = HOUR_MS;

/// The way out. Cheap to clone; its methods block on files.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
}

impl Reader {
    /// One port's curves and holes.
    pub fn history(&self, query: &HistoryQuery) -> Result<History, SeriesError> {
        let grid = grid_of(query)?;
        let plan = plan::plan(&self.shared, query, grid.t0_ms, grid.end_ms());
        let mut answer = Answer::new(query, grid);
        for run in &plan {
            match run.tier {
                Tier::Raw => self.raw_run(query, run, &mut answer)?,
                tier => self.tier_run(query, run, tier, &mut answer)?,
            }
        }
        let tier = plan.iter().map(|run| run.tier).max().unwrap_or(Tier::Raw);
        Ok(answer.finish(query, tier))
    }

    /// The `p`-th percentile (0 to 100, nearest rank) of a metric's averages over steps of `step_s`; `None` without data.
    pub fn percentile(
        &self,
        port: PortId,
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        step_s: u32,
        p: f64,
    ) -> Result<Option<f64>, SeriesError> {
        let query = HistoryQuery { port, metrics: vec![metric], from, to, step_s, origin_s: 0 };
        let history = self.history(&query)?;
        let mut known: Vec<f64> = history.curves.iter().flat_map(|curve| curve.average.iter().flatten().copied()).collect();
        known.sort_unstable_by(f64::total_cmp);
        let rank = (p.clamp(0.0, 100.0) / 100.0 * known.len() as f64).ceil().max(1.0) as usize;
        Ok(known.get(rank - 1).copied())
    }

    /// The `n` ports with the highest average of a metric, with their largest rate. Within the last hour from memory, to
    /// the nearest five minutes; else from the files.
    pub fn top(&self, metric: PortMetric, from: Timestamp, to: Timestamp, n: usize) -> Result<Vec<(PortId, f64, f64)>, SeriesError> {
        let newest = self.shared.tail.newest_ms().unwrap_or(0);
        if from.millis() >= newest - HOUR_MS {
            return Ok(self.shared.top.best(metric, from.millis(), to.millis(), n));
        }
        let step_s = u32::try_from((to.millis() - from.millis()).max(0) / 1000).unwrap_or(u32::MAX);
        let step_s = [86_400, 3_600, 300, 60].into_iter().find(|&step| step <= step_s / 4).unwrap_or(60);
        let mut best = Vec::new();
        for port in self.shared.tail.ports() {
            let history = self.history(&HistoryQuery { port, metrics: vec![metric], from, to, step_s, origin_s: 0 })?;
            let Some(curve) = history.curves.first() else { continue };
            let known: Vec<f64> = curve.average.iter().flatten().copied().collect();
            if !known.is_empty() {
                let max = curve.maximum.iter().flatten().copied().fold(0.0, f64::max);
                best.push((port, known.iter().sum::<f64>() / known.len() as f64, max));
            }
        }
        super::top::rank(&mut best, n);
        Ok(best)
    }

    /// A metric of many ports at once, for small pictures: averages by step, in the order asked.
    pub fn sparklines(
        &self,
        ports: &[PortId],
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        step_s: u32,
    ) -> Result<Vec<Vec<Option<f64>>>, SeriesError> {
        ports
            .iter()
            .map(|&port| {
                let mut history = self.history(&HistoryQuery { port, metrics: vec![metric], from, to, step_s, origin_s: 0 })?;
                Ok(history.curves.pop().map(|curve| curve.average).unwrap_or_default())
            })
            .collect()
    }

    /// How the store is doing.
    pub fn stats(&self) -> super::stats::Stats {
        self.shared.counters.stats(self.shared.tail.size().0)
    }

    fn raw_run(&self, query: &HistoryQuery, run: &Run, answer: &mut Answer) -> Result<(), SeriesError> {
        let wanted = bits(&query.metrics);
        let horizon = self.shared.tail.newest_ms().unwrap_or(i64::MIN);
        let device = self.shared.tail.device_of(query.port);
        let (from_ms, to_ms) = (run.from_ms - MARGIN_MS, run.to_ms + MARGIN_MS);
        let found = device.map(|device| source::read(&self.shared, device, Some(query.port), &[query.port], from_ms, to_ms, wanted));
        let Some(stretch) = found.transpose()?.filter(|stretch| !stretch.polls.is_empty()) else {
            answer.hole(run, Hole { from_ms: run.from_ms, to_ms: horizon.min(run.to_ms), gap: Gap::DaemonDown });
            return Ok(());
        };
        let nothing = Rows::default();
        let rows = stretch.ports.get(&query.port).unwrap_or(&nothing);
        answer.raw(run, query, &stretch.polls, rows, horizon);
        Ok(())
    }

    fn tier_run(&self, query: &HistoryQuery, run: &Run, tier: Tier, answer: &mut Answer) -> Result<(), SeriesError> {
        let mut told = run.from_ms;
        tiers::read(&self.shared, tier, query.port, bits(&query.metrics), run.from_ms, run.to_ms, |start_ms, cells| {
            answer.hole(run, Hole { from_ms: told, to_ms: start_ms, gap: Gap::DaemonDown });
            told = answer.tier(run, query, start_ms, tiers::length_ms(tier), cells);
        })?;
        answer.hole(run, Hole { from_ms: told, to_ms: run.to_ms, gap: Gap::DaemonDown });
        Ok(())
    }
}

fn grid_of(query: &HistoryQuery) -> Result<Grid, SeriesError> {
    let step_ms = i64::from(query.step_s) * 1000;
    let (from, to) = (query.from.millis(), query.to.millis());
    if step_ms == 0 || from >= to {
        return Err(SeriesError::EmptySpan);
    }
    let origin_ms = i64::from(query.origin_s) * 1000;
    let t0_ms = from.saturating_sub(from.saturating_sub(origin_ms).rem_euclid(step_ms));
    let asked = u64::try_from(to.saturating_sub(t0_ms)).unwrap_or(0).div_ceil(step_ms as u64);
    if asked > MOST_POINTS {
        return Err(SeriesError::TooMany { asked, most: MOST_POINTS });
    }
    Ok(Grid { t0_ms, step_ms, count: asked as usize })
}
