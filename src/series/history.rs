//! What the store gives out: curves over any span, from the tier that fits.

use serde::Serialize;

use crate::model::{Gap, PortId, PortMetric, Timestamp};

/// The resolutions kept on disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As polled.
    Raw,
    /// 5 minutes.
    Minutes5,
    /// 1 hour.
    Hour,
    /// 1 day.
    Day,
}

/// A question about one port.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// Which port.
    pub port: PortId,
    /// Which metrics.
    pub metrics: Vec<PortMetric>,
    /// The first moment.
    pub from: Timestamp,
    /// The end, not included.
    pub to: Timestamp,
    /// The step of the answer in seconds. Buckets begin at multiples of it since the epoch plus `origin_s`.
    pub step_s: u32,
    /// Shift of the buckets in seconds, so that days begin at local midnight.
    pub origin_s: i32,
}

/// The answer: one bucket a step, the same time line for all metrics.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct History {
    /// The tier it was read from.
    pub tier: Tier,
    /// The start of the first bucket.
    pub t0: Timestamp,
    /// The length of a bucket in seconds.
    pub step_s: u32,
    /// One curve a metric, in the order asked.
    pub curves: Vec<Curve>,
    /// Where and why the port's samples are missing, in order, joined where the reason is the same.
    pub gaps: Vec<GapSpan>,
}

/// One metric over time. Counters are given as rates per second, gauges as values. `None` is unknown.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Curve {
    /// Which metric.
    pub metric: PortMetric,
    /// The average over the known part of each bucket (exact: from counter differences).
    pub average: Vec<Option<f64>>,
    /// The largest rate between two polls in each bucket.
    pub maximum: Vec<Option<f64>>,
    /// The smallest; empty where the tier does not keep it.
    pub minimum: Vec<Option<f64>>,
}

/// A stretch without samples, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct GapSpan {
    /// From here.
    pub from: Timestamp,
    /// To here, not included.
    pub to: Timestamp,
    /// The reason.
    pub reason: Gap,
}
