//! What the pages ask of the store of samples. A trait, so that pages can be tried without a store and the daemon
//! decides which one stands behind them.

use crate::model::{PortId, PortMetric, Timestamp};
use crate::series::history::{History, HistoryQuery};

/// Answers questions about the past. The calls may block on the disk; pages ask on blocking threads.
pub trait HistorySource: Send + Sync + 'static {
    /// The curves of one port.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn history(&self, query: &HistoryQuery) -> Result<History, HistoryError>;

    /// The value below which `percent` of the 5-minute averages of a metric lie, per second; `None` without samples.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn percentile(
        &self,
        port: PortId,
        metric: PortMetric,
        from: Timestamp,
        to: Timestamp,
        percent: f64,
    ) -> Result<Option<f64>, HistoryError>;
}

/// Why the past cannot be told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HistoryError {
    /// The store could not be read.
    #[error("the sample store cannot be read: {0}; check the data directory and the free space on its disk")]
    Unreadable(String),
}
