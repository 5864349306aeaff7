//! The series room: every sample of every port for years, in files of its own.
//!
//! [`sample`] is what comes in, [`history`] what is asked for. The walk of one sample: [`Writer::append`] hands it to
//! the writer's thread, which puts it into the tail (memory and `tail.db`, committed every second). Past the hour the
//! [`Keeper`] moves the tail into the day's open file in compressed blocks; past midnight it seals the day and
//! consolidates it into the tiers of 5 minutes, 1 hour and 1 day. [`Reader::history`] puts all of them together, and
//! [`backup`] copies all of them while they are written.
//!
//! ```text
//! tail.db                  this hour, one row a device's poll
//! day/2026-11-23.open.db   today, blocks of an hour
//! day/2026-11-22.db        sealed, never written again; .sha256 beside it
//! m5/2026-11.db  h1/2026.db  d1.db
//! reserve                  given up when the disk is full
//! damaged/                 files that failed a check
//! ```

mod answer;
mod backup;
mod bulk;
pub mod codec;
mod compact;
mod day;
pub mod error;
mod grid;
pub mod history;
mod journal;
mod keeper;
mod layout;
mod open_days;
mod plan;
mod pool;
mod query;
mod rate;
mod retention;
mod seal;
mod source;
mod space;
pub mod stats;
pub mod stretch;
mod tail;
mod tiers;
mod top;
mod verify;
mod writer;

pub use crate::model::sample;
pub use backup::{Copied, backup};
pub use error::SeriesError;
pub use keeper::Keeper;
pub use query::Reader;
pub use stats::{Stats, StoreState};
pub use verify::{Report, verify};
pub use writer::Writer;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::settings::RetentionSettings;
use crate::model::PortMetric;

/// How the store is to work.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each tier is kept, and what a filling disk does.
    pub retention: RetentionSettings,
    /// Device polls that may wait for the writer.
    pub queue: usize,
    /// How often what has come is brought to the disk.
    pub commit_every: Duration,
    /// Bytes of polls held in memory while they cannot be written.
    pub hold_bytes: usize,
    /// What the values are.
    pub values: Values,
}

/// What the values of samples are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Values {
    /// What ports count, and their state: [`PortMetric`] says which is which.
    #[default]
    Ports,
    /// Momentary values only, whatever the numbers of the columns mean elsewhere; nobody is ranked by them.
    Gauges,
}

impl Values {
    /// Whether a column is a momentary value rather than a counter.
    pub(crate) const fn is_gauge(self, metric: PortMetric) -> bool {
        matches!(self, Self::Gauges) || metric.is_gauge()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention: RetentionSettings::default(),
            queue: 8192,
            commit_every: Duration::from_secs(1),
            hold_bytes: 64 << 20,
            values: Values::Ports,
        }
    }
}

/// What the handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    layout: layout::Layout,
    retention: RetentionSettings,
    tail: tail::Tail,
    days: pool::Days,
    pool: pool::Pool,
    open_days: open_days::OpenDays,
    counters: stats::Counters,
    lost: writer::Lost,
    space: space::Space,
    top: top::Top,
    values: Values,
}

/// Opens the series under `dir` (made when it is not there) and starts the writer's thread.
pub fn open(dir: &Path, options: Options) -> Result<(Writer, Reader, Keeper), SeriesError> {
    let layout = layout::Layout::new(dir);
    for directory in [layout.root().to_path_buf(), layout.days(), layout.m5(), layout.h1()] {
        fs::create_dir_all(&directory).map_err(SeriesError::io(&directory))?;
    }
    let tail = tail::Tail::default();
    let journal = journal::Journal::open(&layout.tail(), options.hold_bytes, &tail)?;
    let shared = Arc::new(Shared {
        days: pool::Days::load(&layout)?,
        tail,
        pool: pool::Pool::default(),
        open_days: open_days::OpenDays::default(),
        counters: stats::Counters::default(),
        lost: writer::Lost::default(),
        space: space::Space::new(options.retention.disk_reserve),
        top: top::Top::default(),
        values: options.values,
        retention: options.retention,
        layout,
    });
    recall(&shared)?;
    let reader = Reader { shared: Arc::clone(&shared) };
    let (writer, thread) = writer::start(Arc::clone(&shared), journal, options.queue, options.commit_every)?;
    let keeper = Keeper::new(shared, writer.clone(), thread);
    Ok((writer, reader, keeper))
}

/// Takes up where the last run ended: the newest sample, and the last hour of every port.
fn recall(shared: &Shared) -> Result<(), SeriesError> {
    for (day, _) in shared.days.all().into_iter().filter(|(_, files)| files.open) {
        // Brings back what its log holds, and makes the tables when a crash came before them.
        shared.open_days.write(shared, day, |_| Ok(()))?;
    }
    for (day, _) in shared.days.all().into_iter().rev().take(1) {
        let mut newest = None;
        for device in shared.tail.members().into_keys() {
            let stretch = source::read(shared, device, None, &[], day.start_ms(), day.end_ms(), 0)?;
            newest = newest.max(stretch.polls.last().map(|poll| poll.time_ms));
        }
        newest.into_iter().for_each(|newest| shared.tail.raise_newest(newest));
    }
    let Some(newest) = shared.tail.newest_ms().filter(|_| shared.values == Values::Ports) else { return Ok(()) };
    for (device, ports) in shared.tail.members() {
        shared.top.learn(&source::read(shared, device, None, &ports, newest - layout::HOUR_MS, newest + 1, u16::MAX)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
