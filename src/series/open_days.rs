//! The open days' files for writing: one connection each, kept while the day grows, so that readers find the
//! write-ahead log in place also when the disk is full.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::store::sqlite::open_live;

use super::Shared;
use super::day::{DayFile, prepare};
use super::error::SeriesError;
use super::layout::Day;

/// Connections kept; the bulk path goes through many days again and again.
const KEPT: usize = 48;

#[derive(Debug, Default)]
struct Inside {
    kept: BTreeMap<Day, Connection>,
    /// Transactions so far, by day.
    writes: BTreeMap<Day, u64>,
}

/// The connections by day. Whoever writes holds the lock for one transaction.
#[derive(Debug, Default)]
pub(super) struct OpenDays(Mutex<Inside>);

impl OpenDays {
    /// One transaction on a day's open file, made when it is not there.
    pub(super) fn write<T>(
        &self,
        shared: &Shared,
        day: Day,
        write: impl FnOnce(DayFile<'_>) -> Result<T, SeriesError>,
    ) -> Result<T, SeriesError> {
        let path = shared.layout.open_day(day);
        let mut inside = self.lock();
        *inside.writes.entry(day).or_default() += 1;
        let kept = &mut inside.kept;
        let file = match kept.remove(&day) {
            Some(file) => file,
            None => {
                let file = open_live(&path, None)?;
                prepare(&file, &path)?;
                file
            }
        };
        let sqlite = SeriesError::sqlite(&path);
        let outcome = file.execute_batch("BEGIN IMMEDIATE").map_err(&sqlite).and_then(|()| {
            let written = write(DayFile { file: &file, path: &path, day, sealed: false })?;
            file.execute_batch("COMMIT").map_err(&sqlite)?;
            Ok(written)
        });
        if !file.is_autocommit() {
            // Void either way; the first error is the one to tell.
            let _void = file.execute_batch("ROLLBACK");
        }
        while kept.len() >= KEPT {
            kept.pop_first();
        }
        kept.insert(day, file);
        if outcome.is_ok() {
            shared.days.change(day, |files| files.open = true);
        }
        outcome
    }

    /// How many transactions a day has seen since the start.
    pub(super) fn writes(&self, day: Day) -> u64 {
        self.lock().writes.get(&day).copied().unwrap_or(0)
    }

    /// Closes a day's file and deletes it, unless something was written since `writes` was read. True when it is gone.
    pub(super) fn remove(&self, shared: &Shared, day: Day, writes: u64) -> Result<bool, SeriesError> {
        let mut inside = self.lock();
        if inside.writes.get(&day).copied().unwrap_or(0) != writes {
            return Ok(false);
        }
        inside.kept.remove(&day);
        inside.writes.remove(&day);
        let path = shared.layout.open_day(day);
        shared.pool.forget(&path);
        remove_database(&path)?;
        shared.days.change(day, |files| files.open = false);
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes a database with its write-ahead log. What is not there is as good as deleted.
pub(super) fn remove_database(path: &Path) -> Result<(), SeriesError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let name = PathBuf::from(name);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(SeriesError::io(&name)(error)),
            _ => {}
        }
    }
    Ok(())
}
