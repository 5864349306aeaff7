//! Room on the disk: how much is free, and a reserve that is given up when there is none, because on a full disk not
//! even a deletion can be written.

use std::fs::{self, File};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::SeriesError;
use super::layout::Layout;

/// The reserve and its size.
#[derive(Debug, Default)]
pub(super) struct Space {
    reserve_bytes: AtomicU64,
}

/// What the file system says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Room {
    /// Bytes that this user may still write.
    pub(super) free: u64,
    /// Bytes in all.
    pub(super) total: u64,
}

impl Room {
    /// Whether less than `percent` is free.
    pub(super) fn is_below(self, percent: f64) -> bool {
        (self.free as f64) < self.total as f64 * percent / 100.0
    }
}

impl Space {
    pub(super) const fn new(reserve_bytes: u64) -> Self {
        Self { reserve_bytes: AtomicU64::new(reserve_bytes) }
    }

    /// The room on the file system of the series.
    pub(super) fn room(layout: &Layout) -> Result<Room, SeriesError> {
        let found = rustix::fs::statvfs(layout.root()).map_err(|error| SeriesError::io(layout.root())(error.into()))?;
        Ok(Room { free: found.f_bavail.saturating_mul(found.f_frsize), total: found.f_blocks.saturating_mul(found.f_frsize) })
    }

    /// Makes the reserve when it is not there and at least twice its size is free. The blocks are written, not only
    /// promised, because some file systems promise what they do not have.
    pub(super) fn keep_reserve(&self, layout: &Layout) -> Result<(), SeriesError> {
        let (path, bytes) = (layout.reserve(), self.reserve_bytes.load(Ordering::Relaxed));
        if bytes == 0 || path.exists() || Self::room(layout)?.free < bytes.saturating_mul(2) {
            return Ok(());
        }
        let fill = || {
            let mut file = File::create(&path)?;
            let zeros = [0; 65_536];
            let mut left = bytes;
            while left > 0 {
                let part = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
                file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
                left -= part as u64;
            }
            file.sync_all()
        };
        let made = fill();
        if made.is_err() {
            // Half a reserve helps nobody; the space is needed.
            let _absent = fs::remove_file(&path);
        }
        made.map_err(SeriesError::io(&path))
    }

    /// Gives the reserve up. False when there was none.
    pub(super) fn release_reserve(&self, layout: &Layout) -> bool {
        let released = fs::remove_file(layout.reserve()).is_ok();
        if released {
            tracing::warn!(reserve_bytes = self.reserve_bytes.load(Ordering::Relaxed), "series: the disk is full, the reserve is given up");
        }
        released
    }
}
