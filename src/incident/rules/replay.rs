//! A rule over the past: the same judging, with readings put together from the store's curves.

use super::port::{PortPlan, PortTrack, Reading};
use crate::model::{Evidence, PortMetric, Timestamp, Verdict};
use crate::ports::live::{PortState, Rates};
use crate::series::history::History;

/// The metrics that a replay needs.
pub fn metrics() -> Vec<PortMetric> {
    PortMetric::ALL.to_vec()
}

/// One time that the rule would have held.
#[derive(Clone, PartialEq, Debug)]
pub struct Episode {
    /// From here.
    pub from: Timestamp,
    /// To here; `None` when it holds still.
    pub to: Option<Timestamp>,
    /// What it was raised by.
    pub evidence: Evidence,
}

/// Runs a plan over curves of all metrics. `speed_bps` is the port's speed now: the store does not keep the past one.
pub fn run(plan: &PortPlan, history: &History, speed_bps: Option<u64>) -> Vec<(&'static str, Episode)> {
    let mut track = PortTrack::default();
    let mut episodes: Vec<(&'static str, Episode)> = Vec::new();
    let steps = history.curves.iter().map(|curve| curve.average.len()).max().unwrap_or(0);
    for step in 0..steps {
        // A bucket is known at its end.
        let end = history.t0.millis() + i64::try_from(step + 1).unwrap_or(i64::MAX).saturating_mul(i64::from(history.step_s) * 1000);
        let at = Timestamp::from_millis(end);
        let reading = reading(history, step, at, speed_bps);
        track.judge(plan, &reading, |rule, verdict, evidence| match verdict {
            Verdict::Raised(_) => {
                let goes_on = episodes.iter().any(|(name, episode)| *name == rule && episode.to.is_none());
                if !goes_on {
                    episodes.push((rule, Episode { from: at, to: None, evidence }));
                }
            }
            Verdict::Cleared => {
                if let Some((_, episode)) = episodes.iter_mut().rev().find(|(name, episode)| *name == rule && episode.to.is_none()) {
                    episode.to = Some(at);
                }
            }
            Verdict::Unknown => {}
        });
    }
    episodes
}

fn reading(history: &History, step: usize, at: Timestamp, speed_bps: Option<u64>) -> Reading {
    let mut rates = Rates::default();
    let mut state = PortState::Unknown;
    for curve in &history.curves {
        let Some(value) = curve.average.get(step).copied().flatten() else { continue };
        if curve.metric == PortMetric::OperStatus {
            // An average of states: up in every poll, or not.
            state = if value <= 1.0 { PortState::Up } else { PortState::Down };
        } else {
            rates.set(curve.metric, Some(value as f32));
        }
    }
    Reading { at, state, rates, speed_bps, duplex: None, gap: None }
}
