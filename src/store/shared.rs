//! The database for a command beside the daemon, which may run or not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::dir::database_of;
use super::{DataDir, Store, StoreError};

/// The database, held alone or shared with a daemon that runs: SQLite's WAL lets one after the other write.
#[derive(Debug)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// Keeps a daemon from starting meanwhile, when none runs: it would find the format changing.
    held: Option<DataDir>,
}

impl Shared {
    /// Whether no daemon runs on the data directory.
    pub const fn is_alone(&self) -> bool {
        self.held.is_some()
    }

    /// Opens the database of a data directory. Beside a daemon of another version nothing is opened.
    ///
    /// # Errors
    /// When it cannot be opened, or when we run as another user than the daemon: files that we make it could not write.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let path = database_of(data);
        for path in [path.as_path(), data] {
            match fs::metadata(path) {
                Ok(metadata) => {
                    owned_by_us(path, metadata.uid())?;
                    break;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io(path, error)),
            }
        }
        match DataDir::take(data) {
            Ok(held) => Ok(Self { store: Store::open(&held.database())?, held: Some(held) }),
            Err(StoreError::Taken { .. }) => Ok(Self { store: Store::join(&path)?, held: None }),
            Err(error) => Err(error),
        }
    }
}

fn owned_by_us(path: &Path, owner: u32) -> Result<(), StoreError> {
    // The kernel shows each process as its own user's.
    let us = fs::metadata("/proc/self").map_err(|error| StoreError::io(Path::new("/proc/self"), error))?.uid();
    if us == owner { Ok(()) } else { Err(StoreError::OtherOwner { path: path.to_path_buf(), owner }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_writes_beside_the_one_that_holds_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let add = |store: &Store, name: &'static str| {
            store.write_blocking(move |file| file.execute("INSERT INTO device (name, first_seen, last_seen) VALUES (?1, 0, 0)", [name]))
        };
        let alone = Shared::open(dir.path()).unwrap();
        assert!(DataDir::take(dir.path()).is_err(), "nobody starts meanwhile");
        drop(alone);
        let held = DataDir::take(dir.path()).unwrap();
        let daemon = Store::open(&held.database()).unwrap();
        let beside = Shared::open(dir.path()).unwrap();
        add(&daemon, "a").unwrap();
        add(&beside.store, "b").unwrap();
        drop(beside);
        add(&daemon, "c").unwrap();
        let count =
            |store: &Store| store.reader().unwrap().query_row("SELECT count(*) FROM device", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count(&daemon), 3);
    }

    #[test]
    fn beside_another_version_nothing_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::take(dir.path()).unwrap();
        let daemon = Store::open(&held.database()).unwrap();
        daemon.write_blocking(|file| file.pragma_update(None, "user_version", 1)).unwrap();
        let refused = Shared::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("another version"), "{refused}");
    }
}
