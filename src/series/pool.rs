//! Read connections kept open between queries, and the list of days on disk. A file that is replaced or dropped is
//! forgotten here first.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use rusqlite::Connection;

use crate::store::StoreError;
use crate::store::sqlite::{open_live_readonly, open_sealed_readonly};

use super::error::SeriesError;
use super::layout::{Day, Layout};

/// Idle connections kept over all files.
const KEPT: usize = 64;

/// Which files a day has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct DayFiles {
    /// It still grows.
    pub(super) open: bool,
    /// It has been sealed.
    pub(super) sealed: bool,
}

/// The days on disk.
#[derive(Debug, Default)]
pub(super) struct Days(RwLock<BTreeMap<Day, DayFiles>>);

impl Days {
    /// Reads the directory.
    pub(super) fn load(layout: &Layout) -> Result<Self, StoreError> {
        let directory = layout.days();
        let mut days = BTreeMap::<Day, DayFiles>::new();
        for entry in std::fs::read_dir(&directory).map_err(|error| StoreError::io(&directory, error))? {
            let entry = entry.map_err(|error| StoreError::io(&directory, error))?;
            let name = entry.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".db")) else { continue };
            if let Some(day) = stem.strip_suffix(".open").and_then(Day::parse) {
                days.entry(day).or_default().open = true;
            } else if let Some(day) = Day::parse(stem) {
                days.entry(day).or_default().sealed = true;
            }
        }
        Ok(Self(RwLock::new(days)))
    }

    /// Which files a day has.
    pub(super) fn of(&self, day: Day) -> DayFiles {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&day).copied().unwrap_or_default()
    }

    /// All days in order.
    pub(super) fn all(&self) -> Vec<(Day, DayFiles)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(day, files)| (*day, *files)).collect()
    }

    /// Notes a change.
    pub(super) fn change(&self, day: Day, change: impl FnOnce(&mut DayFiles)) {
        let mut days = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let files = days.entry(day).or_default();
        change(files);
        if *files == DayFiles::default() {
            days.remove(&day);
        }
    }
}

/// How a file is opened for reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It is written meanwhile.
    Live,
    /// It never changes.
    Sealed,
}

#[derive(Debug, Default)]
struct Idle {
    connections: HashMap<PathBuf, Vec<Connection>>,
    count: usize,
    /// Grows whenever a file is forgotten: a connection borrowed before is not taken back.
    age: u64,
}

/// Idle read connections.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Idle>);

impl Pool {
    /// Reads a file; `None` when it does not exist.
    pub(super) fn with<T>(
        &self,
        path: &Path,
        kind: Kind,
        read: impl FnOnce(&Connection) -> Result<T, SeriesError>,
    ) -> Result<Option<T>, SeriesError> {
        let (kept, age) = {
            let mut idle = self.idle();
            let kept = idle.connections.get_mut(path).and_then(Vec::pop);
            idle.count -= usize::from(kept.is_some());
            (kept, idle.age)
        };
        let (connection, keep) = match kept {
            Some(connection) => (connection, true),
            None => match open(path, kind) {
                // Also when it went away a moment ago.
                Err(_) if !path.exists() => return Ok(None),
                opened => opened?,
            },
        };
        // One look at one moment; without this every statement would take and give back its own lock on the log.
        let answer = match kind {
            Kind::Live => {
                let look = connection.unchecked_transaction().map_err(SeriesError::sqlite(path))?;
                let answer = read(&look)?;
                look.finish().map_err(SeriesError::sqlite(path))?;
                answer
            }
            Kind::Sealed => read(&connection)?,
        };
        let mut idle = self.idle();
        if keep && idle.age == age {
            if idle.count >= KEPT {
                idle.connections.clear();
                idle.count = 0;
            }
            idle.connections.entry(path.to_path_buf()).or_default().push(connection);
            idle.count += 1;
        }
        Ok(Some(answer))
    }

    /// Closes the idle connections of a file that is replaced or dropped.
    pub(super) fn forget(&self, path: &Path) {
        let mut idle = self.idle();
        idle.age += 1;
        idle.count -= idle.connections.remove(path).map_or(0, |gone| gone.len());
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a file for reading, and says whether the connection may be kept.
fn open(path: &Path, kind: Kind) -> Result<(Connection, bool), StoreError> {
    match kind {
        Kind::Sealed => open_sealed_readonly(path).map(|file| (file, true)),
        Kind::Live => match open_live_readonly(path) {
            Ok(file) => Ok((file, true)),
            Err(error) if has_log(path) => Err(error),
            // A month that nobody writes any more has no log, and on a full disk there is no room to make one, not even an
            // empty one. Nor can anybody write it then: for one look it is as good as sealed.
            Err(error) => open_sealed_readonly(path).map(|file| (file, false)).map_err(|_| error),
        },
    }
}

/// Whether a file has a write-ahead log that is not empty.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|found| found.len() > 0)
}
