//! The data directory: one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;

/// The data directory, held by this process until dropped (or killed: the kernel lets go of the lock then).
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl DataDir {
    /// Makes the directory when it is not there (for our user only) and takes it.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another netroom holds it; otherwise why it cannot be used.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        fs::DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(|error| StoreError::io(path, error))?;
        let lock_path = path.join("netroom.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&lock_path)
            .map_err(|error| StoreError::io(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message: an unreadable number is no second failure.
                let _ = (&lock).take(20).read_to_string(&mut holder);
                return Err(StoreError::Taken { path: path.to_path_buf(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io(&lock_path, error)),
        }
        let sign = |lock: &mut File| {
            lock.set_len(0)?;
            lock.rewind()?;
            writeln!(lock, "{}", std::process::id())
        };
        // A full disk must not keep the room from running: the lock holds without the number.
        if let Err(error) = sign(&mut lock) {
            let error = StoreError::io(&lock_path, error);
            if !error.is_full() {
                return Err(error);
            }
        }
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database of records is.
    pub fn database(&self) -> PathBuf {
        database_of(&self.path)
    }

    /// Where the series of hosts and services are.
    pub fn hosts(&self) -> PathBuf {
        self.path.join("hosts")
    }

    /// Where the series are.
    pub fn series(&self) -> PathBuf {
        series_of(&self.path)
    }
}

/// Where the database of a data directory is, for those who do not hold it.
pub fn database_of(data: &Path) -> PathBuf {
    data.join("netroom.db")
}

/// Where the series of a data directory are, for those who only read.
pub fn series_of(data: &Path) -> PathBuf {
    data.join("series")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        let held = DataDir::take(&path).unwrap();
        let refused = DataDir::take(&path).unwrap_err().to_string();
        assert!(refused.contains("a/b") && refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        fs::write(&path, b"").unwrap();
        let error = DataDir::take(&path).unwrap_err().to_string();
        assert!(error.contains("data"), "{error}");
    }
}
