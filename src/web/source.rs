//! What the pages ask of the store of samples. A trait, so that pages can be tried without a store and the daemon
//! decides which one stands behind them.

use crate::graph::Usual;
use crate::model::{PortId, PortMetric, Timestamp};
use crate::series::StoreState;
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

    /// What is usual for a port in each of so many buckets, bits per second; `None` where it has not been learnt. Must not
    /// wait for the disk.
    fn usual(&self, port: PortId, from: Timestamp, step_s: u32, buckets: usize) -> Option<Usual> {
        let _ = (port, from, step_s, buckets);
        None
    }

    /// Whether what is measured is kept; asked for each overview, so it must not wait for the disk.
    fn keeping(&self) -> Keeping {
        Keeping::default()
    }
}

/// Whether what is measured is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Keeping {
    /// Whether samples reach the disk.
    pub state: StoreState,
    /// Device polls that wait in memory because they cannot be written now.
    pub held_polls: u64,
    /// Port samples lost since the start because neither disk nor memory had room.
    pub lost_samples: u64,
}

/// Why the past cannot be told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HistoryError {
    /// The store could not be read.
    #[error("the sample store cannot be read: {0}; check the data directory and the free space on its disk")]
    Unreadable(String),
}
