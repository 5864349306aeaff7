//! The way out: curves over any span, from the tier that fits each day, put together without seams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Gap, PortId, PortMetric, Timestamp};

use super::Shared;
use super::answer::{Answer, Run};
use super::error::SeriesError;
use super::grid::{Grid, bits};
use super::history::{History, HistoryQuery, Tier};
use super::layout::{Day, HOUR_MS, time};
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
        let grid = self.grid_of(query)?;
        let plan = plan::plan(&self.shared, query, grid.t0_ms, grid.end_ms());
        let mut answers = [(query.clone(), Answer::new(query, grid))];
        for run in &plan {
            self.run(run, &mut answers)?;
        }
        let tier = plan.iter().map(|run| run.tier).max().unwrap_or(Tier::Raw);
        let [(_, answer)] = answers;
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

    /// A metric of many ports at once, for small pictures: averages by step, in the order asked. A device's raw samples are
    /// read once for all its ports.
    pub fn sparklines(
        &self,
        ports: &[PortId],
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        step_s: u32,
    ) -> Result<Vec<Vec<Option<f64>>>, SeriesError> {
        let mut devices = BTreeMap::<_, Vec<PortId>>::new();
        for &port in ports {
            devices.entry(self.shared.tail.device_of(port)).or_default().push(port);
        }
        let query = |port| HistoryQuery { port, metrics: vec![metric], from, to, step_s, origin_s: 0 };
        let mut lines = BTreeMap::new();
        for (_, members) in devices {
            let mut answers = Vec::new();
            for &port in &members {
                answers.push((query(port), Answer::new(&query(port), self.grid_of(&query(port))?)));
            }
            let Some((first, _)) = answers.first() else { continue };
            let grid = self.grid_of(first)?;
            for run in plan::plan(&self.shared, first, grid.t0_ms, grid.end_ms()) {
                self.run(&run, &mut answers)?;
            }
            lines.extend(answers.into_iter().map(|(query, answer)| (query.port, answer.finish(&query, Tier::Raw))));
        }
        let line = |port: &PortId| lines.get(port).and_then(|line| Some(line.curves.first()?.average.clone())).unwrap_or_default();
        Ok(ports.iter().map(line).collect())
    }

    /// The first and the last moment of which something is known of a port; `None` when it has no samples. As exact as the
    /// finest tier that still holds the day.
    pub fn span(&self, port: PortId) -> Result<Option<(Timestamp, Timestamp)>, SeriesError> {
        let shared = &self.shared;
        let Some(newest) = shared.tail.newest_ms() else { return Ok(None) };
        let mut days = BTreeSet::new();
        let wanted = u16::MAX;
        let begin = Day::of_civil(2000, 1, 1).start_ms();
        tiers::read(shared, Tier::Day, port, wanted, begin, newest + 1, |start_ms, cells| {
            let known = cells.known_ms.iter().enumerate().filter(|(_, known)| **known > 0);
            days.extend(known.map(|(bucket, _)| Day(Day::of(start_ms).0 + bucket as i64)));
        })?;
        days.extend(shared.days.all().into_iter().filter(|(_, files)| files.open).map(|(day, _)| day));
        let tail_from = shared.tail.earliest_ms().map_or(i64::MAX, |earliest| Day::of(earliest).0);
        days.extend((tail_from..=Day::of(newest).0).map(Day));
        let edge = |mut days: Box<dyn Iterator<Item = Day> + '_>| days.find_map(|day| self.known_in(port, day).transpose()).transpose();
        let first = edge(Box::new(days.iter().copied()))?;
        let last = edge(Box::new(days.iter().rev().copied()))?;
        Ok(first.zip(last).map(|((first, _), (_, last))| (time(first), time(last))))
    }

    /// The first and last known moment of a port within a day.
    fn known_in(&self, port: PortId, day: Day) -> Result<Option<(i64, i64)>, SeriesError> {
        if let Some(device) = self.shared.tail.device_of(port) {
            let stretch = source::read(&self.shared, device, Some(port), &[port], day.start_ms(), day.end_ms(), 0xffff)?;
            if let Some(rows) = stretch.ports.get(&port) {
                let times = rows.at.iter().zip(&rows.mask).filter(|(_, mask)| **mask != 0).map(|(&at, _)| at as usize);
                let mut times = times.filter_map(|at| stretch.polls.get(at)).map(|poll| poll.time_ms);
                if let Some(first) = times.next() {
                    return Ok(Some((first, times.next_back().unwrap_or(first))));
                }
            }
        }
        let mut found: Option<(i64, i64)> = None;
        for tier in [Tier::Minutes5, Tier::Hour, Tier::Day] {
            let length = tiers::length_ms(tier);
            tiers::read(&self.shared, tier, port, 0, day.start_ms(), day.end_ms(), |start_ms, cells| {
                for (bucket, _) in cells.known_ms.iter().enumerate().filter(|(_, known)| **known > 0) {
                    let at = start_ms + bucket as i64 * length;
                    if Day::of(at) == day {
                        found = Some(found.map_or((at, at + length), |(first, _)| (first, at + length)));
                    }
                }
            })?;
            if found.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// How the store is doing.
    pub fn stats(&self) -> super::stats::Stats {
        self.shared.counters.stats(self.shared.tail.size().0)
    }

    /// Pours one run into the answers of ports of the same device.
    fn run(&self, run: &Run, answers: &mut [(HistoryQuery, Answer)]) -> Result<(), SeriesError> {
        if run.tier == Tier::Raw {
            return self.raw_run(run, answers);
        }
        answers.iter_mut().try_for_each(|(query, answer)| self.tier_run(query, run, run.tier, answer))
    }

    fn raw_run(&self, run: &Run, answers: &mut [(HistoryQuery, Answer)]) -> Result<(), SeriesError> {
        let shared = &self.shared;
        let Some((first, _)) = answers.first() else { return Ok(()) };
        let (wanted, only) = (bits(&first.metrics), Some(first.port).filter(|_| answers.len() == 1));
        let ports: Vec<PortId> = answers.iter().map(|(query, _)| query.port).collect();
        let horizon = shared.tail.newest_ms().unwrap_or(i64::MIN);
        let device = shared.tail.device_of(first.port);
        let (from_ms, to_ms) = (run.from_ms - MARGIN_MS, run.to_ms + MARGIN_MS);
        let found = device.map(|device| source::read(shared, device, only, &ports, from_ms, to_ms, wanted)).transpose()?;
        let found = found.filter(|stretch| !stretch.polls.is_empty());
        let nothing = Rows::default();
        for (query, answer) in answers {
            match &found {
                None => answer.hole(run, Hole { from_ms: run.from_ms, to_ms: horizon.min(run.to_ms), gap: Gap::DaemonDown }),
                Some(stretch) => {
                    let rows = stretch.ports.get(&query.port).unwrap_or(&nothing);
                    answer.raw(run, query, &stretch.polls, rows, horizon);
                }
            }
        }
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

    fn grid_of(&self, query: &HistoryQuery) -> Result<Grid, SeriesError> {
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
        Ok(Grid { t0_ms, step_ms, count: asked as usize, values: self.shared.values })
    }
}
