//! Sparklines: the last day of a port in 48 points, read from the store in one go and kept for a few minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::source::HistorySource;
use crate::model::{PortId, PortMetric, Timestamp};
use crate::series::history::HistoryQuery;

const POINT_S: u32 = 1800;
const POINTS: u64 = 48;
const FRESH: Duration = Duration::from_secs(300);
/// Enough for every port that pages of a few readers show at once; about 500 B each.
const KEPT: usize = 4096;

/// The last day of a port, bits per second; `None` is unknown.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Spark {
    pub(crate) inbound: Vec<Option<f32>>,
    pub(crate) outbound: Vec<Option<f32>>,
}

/// Sparklines by port.
pub(crate) type SparkMap = HashMap<PortId, Arc<Spark>>;

/// Keeps sparklines for a while.
#[derive(Debug, Default)]
pub(crate) struct Sparks {
    kept: Mutex<HashMap<PortId, (Timestamp, Arc<Spark>)>>,
}

impl Sparks {
    /// The fresh ones among `ports`, and which are missing.
    pub(crate) fn known(&self, ports: &[PortId], now: Timestamp) -> (SparkMap, Vec<PortId>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = SparkMap::with_capacity(ports.len());
        let mut missing = Vec::new();
        for port in ports {
            match kept.get(port) {
                Some((at, spark)) if now.since(*at) < FRESH => {
                    known.insert(*port, Arc::clone(spark));
                }
                _ => missing.push(*port),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        (known, missing)
    }

    /// Reads the missing ones from the store (blocks on the disk).
    pub(crate) fn read(&self, source: &dyn HistorySource, ports: &[PortId], now: Timestamp) -> SparkMap {
        let mut read = SparkMap::with_capacity(ports.len());
        for port in ports {
            match source.history(&query(*port, now)) {
                Ok(history) => {
                    let mut curves = history.curves.into_iter().map(|curve| bits(&curve.average));
                    let spark = Spark { inbound: curves.next().unwrap_or_default(), outbound: curves.next().unwrap_or_default() };
                    read.insert(*port, Arc::new(spark));
                }
                Err(error) => {
                    tracing::warn!(port = port.0, %error, "no sparklines: {error}");
                    break;
                }
            }
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + read.len() > KEPT {
            kept.clear();
        }
        kept.extend(read.iter().map(|(port, spark)| (*port, (now, Arc::clone(spark)))));
        read
    }
}

fn query(port: PortId, now: Timestamp) -> HistoryQuery {
    let step = i64::from(POINT_S) * 1000;
    let to = Timestamp::from_millis(now.floor_to(step).millis() + step);
    HistoryQuery {
        port,
        metrics: vec![PortMetric::InOctets, PortMetric::OutOctets],
        from: to - Duration::from_secs(u64::from(POINT_S) * POINTS),
        to,
        step_s: POINT_S,
        origin_s: 0,
    }
}

fn bits(octets: &[Option<f64>]) -> Vec<Option<f32>> {
    octets.iter().map(|value| value.map(|value| (value * 8.0) as f32)).collect()
}
