//! What can go wrong when series are read or kept.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::store::StoreError;

use super::codec::DecodeError;

/// Why an operation on the series failed.
#[derive(Debug, Error)]
pub enum SeriesError {
    /// A file could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block within a file is damaged.
    #[error("{}: block {key}: {source}; `netroom` moves a damaged day aside at its next check, the other days stay", .path.display())]
    Block {
        /// Which file.
        path: PathBuf,
        /// The block's key.
        key: i64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The question asks for more points than any answer may have.
    #[error("{asked} points asked, at most {most} are given; ask for a longer step or a shorter span")]
    TooMany {
        /// How many.
        asked: u64,
        /// The bound.
        most: u64,
    },
    /// The question's span or step is empty.
    #[error("the span and the step must be longer than nothing, and the span must begin before it ends")]
    EmptySpan,
    /// The writer's thread has ended.
    #[error("the series writer has stopped: the program is shutting down")]
    Stopped,
    /// What was sent is not yet on the disk; it is held in memory and will be tried again.
    #[error("samples are held in memory and not yet on disk: {0}")]
    Held(String),
}

impl SeriesError {
    /// A damaged block.
    pub(super) fn block(path: &Path, key: i64, source: DecodeError) -> Self {
        Self::Block { path: path.to_path_buf(), key, source }
    }

    /// An error of SQLite on a file.
    pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |error| Self::Store(StoreError::sqlite(path, error))
    }

    /// An error of the operating system on a file.
    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::Store(StoreError::io(path, error))
    }

    /// Whether it goes away by itself once there is space again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_full())
    }
}
