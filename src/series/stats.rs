//! How the store is doing: counted by the writer and the keeper, read by pages and metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::model::Timestamp;

/// Whether samples reach the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    /// All is well.
    #[default]
    Ok,
    /// Little space is left: the oldest raw days go early.
    LowSpace,
    /// No space is left: samples are held in memory and written as soon as there is some.
    Full,
    /// Writing fails for another reason: samples are held in memory and tried again.
    Failing,
}

impl StoreState {
    /// The stable word for labels and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::LowSpace => "low_space",
            Self::Full => "full",
            Self::Failing => "failing",
        }
    }
}

/// One reading of the store's numbers.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Stats {
    /// Whether samples reach the disk.
    pub state: StoreState,
    /// Why not, English, with what to do.
    pub reason: Option<String>,
    /// Port samples taken since the start.
    pub taken_rows: u64,
    /// Port samples acknowledged: on the disk for good.
    pub stored_rows: u64,
    /// Port samples lost since the start: the queue or the room in memory was full.
    pub lost_rows: u64,
    /// Port samples superseded because the clock was set back.
    pub superseded_polls: u64,
    /// Polls held in memory because they cannot be written.
    pub held_polls: u64,
    /// Device polls waiting in the queue.
    pub queued_polls: u64,
    /// When the last commit succeeded.
    pub last_commit: Option<Timestamp>,
    /// How long the last commit took, milliseconds.
    pub commit_ms: u64,
    /// Polls in the tail that are not yet in a day's file.
    pub tail_polls: u64,
    /// Bytes on disk by tier.
    pub bytes: Bytes,
    /// Free bytes of the file system, when known.
    pub free_bytes: Option<u64>,
    /// Days sealed since the start.
    pub sealed_days: u64,
    /// Files dropped by retention or for want of space since the start.
    pub dropped_files: u64,
    /// Files found damaged and moved aside since the start.
    pub damaged_files: u64,
    /// What the last integrity sample looked at.
    pub last_checked: Option<String>,
}

/// Bytes on disk by tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Bytes {
    /// The tail with its write-ahead log.
    pub tail: u64,
    /// Raw days.
    pub raw: u64,
    /// 5 minutes.
    pub m5: u64,
    /// 1 hour.
    pub h1: u64,
    /// 1 day.
    pub d1: u64,
}

impl Bytes {
    /// All of it.
    pub const fn total(self) -> u64 {
        self.tail + self.raw + self.m5 + self.h1 + self.d1
    }
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub struct Counters {
    /// See [`Stats::taken_rows`].
    pub taken: AtomicU64,
    /// See [`Stats::stored_rows`].
    pub stored: AtomicU64,
    /// See [`Stats::lost_rows`].
    pub lost: AtomicU64,
    /// See [`Stats::superseded_polls`].
    pub superseded: AtomicU64,
    /// See [`Stats::held_polls`].
    pub held: AtomicU64,
    /// See [`Stats::queued_polls`].
    pub queued: AtomicU64,
    /// Milliseconds since the epoch, 0 for never.
    pub last_commit_ms: AtomicI64,
    /// See [`Stats::commit_ms`].
    pub commit_ms: AtomicU64,
    slow: Mutex<Slow>,
}

/// What changes seldom.
#[derive(Clone, Debug, Default)]
pub struct Slow {
    /// What the writer says.
    pub writing: StoreState,
    /// Why.
    pub writing_reason: Option<String>,
    /// What the keeper says of the space.
    pub low_space: Option<String>,
    /// What the keeper says of its own work: `None` when all succeeds.
    pub keeping: Option<String>,
    /// Sizes as the keeper last found them.
    pub bytes: Bytes,
    /// See [`Stats::free_bytes`].
    pub free_bytes: Option<u64>,
    /// See [`Stats::sealed_days`].
    pub sealed_days: u64,
    /// See [`Stats::dropped_files`].
    pub dropped_files: u64,
    /// See [`Stats::damaged_files`].
    pub damaged_files: u64,
    /// See [`Stats::last_checked`].
    pub last_checked: Option<String>,
}

impl Counters {
    /// Changes what changes seldom.
    pub fn slow<T>(&self, change: impl FnOnce(&mut Slow) -> T) -> T {
        change(&mut self.slow.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One reading.
    pub fn stats(&self, tail_polls: u64) -> Stats {
        let slow = self.slow(|slow| slow.clone());
        let (state, reason) = match (slow.writing, slow.keeping, slow.low_space) {
            (StoreState::Ok, None, None) => (StoreState::Ok, None),
            (StoreState::Ok, None, Some(reason)) => (StoreState::LowSpace, Some(reason)),
            (StoreState::Ok, Some(reason), _) => (StoreState::Failing, Some(reason)),
            (state, _, _) => (state, slow.writing_reason),
        };
        let commit_ms = self.last_commit_ms.load(Ordering::Relaxed);
        Stats {
            state,
            reason,
            taken_rows: self.taken.load(Ordering::Relaxed),
            stored_rows: self.stored.load(Ordering::Relaxed),
            lost_rows: self.lost.load(Ordering::Relaxed),
            superseded_polls: self.superseded.load(Ordering::Relaxed),
            held_polls: self.held.load(Ordering::Relaxed),
            queued_polls: self.queued.load(Ordering::Relaxed),
            last_commit: (commit_ms != 0).then(|| Timestamp::from_millis(commit_ms)),
            commit_ms: self.commit_ms.load(Ordering::Relaxed),
            tail_polls,
            bytes: slow.bytes,
            free_bytes: slow.free_bytes,
            sealed_days: slow.sealed_days,
            dropped_files: slow.dropped_files,
            damaged_files: slow.damaged_files,
            last_checked: slow.last_checked,
        }
    }
}
