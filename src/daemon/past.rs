//! The store of series as the pages ask it.

use crate::model::{PortId, PortMetric, Timestamp};
use crate::series::history::{History, HistoryQuery};
use crate::series::{Reader, SeriesError};
use crate::web::{HistoryError, HistorySource};

/// The step of percentiles, seconds: what a bill for traffic rests on.
const PERCENTILE_STEP_S: u32 = 300;

/// A reader of the store.
pub(super) struct Past(pub(super) Reader);

impl HistorySource for Past {
    fn history(&self, query: &HistoryQuery) -> Result<History, HistoryError> {
        self.0.history(query).map_err(|error| unreadable(&error))
    }

    fn percentile(
        &self,
        port: PortId,
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        percent: f64,
    ) -> Result<Option<f64>, HistoryError> {
        self.0.percentile(port, metric, from, to, PERCENTILE_STEP_S, percent).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &SeriesError) -> HistoryError {
    HistoryError::Unreadable(error.to_string())
}
