//! The store of series as the pages ask it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::baseline::Baselines;
use crate::graph::Usual;
use crate::model::{PortId, PortMetric, Timestamp};
use crate::ports::driver::Counts;
use crate::series::history::{History, HistoryQuery};
use crate::series::{Reader, SeriesError};
use crate::web::{HistoryError, HistorySource, Keeping};

/// The step of percentiles, seconds: what a bill for traffic rests on.
const PERCENTILE_STEP_S: u32 = 300;

/// A reader of the store, and what was lost on the way to it.
pub(super) struct Past {
    pub(super) reader: Reader,
    pub(super) counts: Arc<Counts>,
    /// What is usual for ports; hosts have none.
    pub(super) baselines: Option<Arc<Baselines>>,
}

impl HistorySource for Past {
    fn history(&self, query: &HistoryQuery) -> Result<History, HistoryError> {
        self.reader.history(query).map_err(|error| unreadable(&error))
    }

    fn percentile(
        &self,
        port: PortId,
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        percent: f64,
    ) -> Result<Option<f64>, HistoryError> {
        self.reader.percentile(port, metric, from, to, PERCENTILE_STEP_S, percent).map_err(|error| unreadable(&error))
    }

    fn usual(&self, port: PortId, from: Timestamp, step_s: u32, buckets: usize) -> Option<Usual> {
        self.baselines.as_ref()?.band(port, from, step_s, buckets)
    }

    fn keeping(&self) -> Keeping {
        let stats = self.reader.stats();
        let uncatalogued = self.counts.rows_uncatalogued.load(Ordering::Relaxed);
        Keeping { state: stats.state, held_polls: stats.held_polls, lost_samples: stats.lost_rows + uncatalogued }
    }
}

fn unreadable(error: &SeriesError) -> HistoryError {
    HistoryError::Unreadable(error.to_string())
}
