//! What can go wrong with a file of the data directory, and what the reader can do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a file could not be opened, read or written. Each text names the file and the remedy.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file or its directory is not there.
    #[error("{} does not exist; check the data directory", .path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system does not let us.
    #[error("no permission to use {}; give its directory to the user that netroom runs as (chown, chmod u+rwX)", .path.display())]
    Permission {
        /// Which file.
        path: PathBuf,
    },
    /// No space is left.
    #[error("no space left for {}; free space on its file system or shorten the retention", .path.display())]
    Full {
        /// Which file.
        path: PathBuf,
    },
    /// Somebody else holds the file.
    #[error("{} is in use by another program; stop the other netroom, or close the SQLite shell that holds it", .path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// It is no SQLite file, or it is damaged.
    #[error("{} is damaged or no SQLite file ({why}); restore it from a backup, or move it away to begin anew", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// SQLite's words.
        why: String,
    },
    /// It belongs to another application.
    #[error("{} is not {wanted} but a file of another application; name another data directory", .path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        wanted: &'static str,
    },
    /// A newer netroom wrote it.
    #[error("{} was written by a newer netroom (format {found}, this one knows up to {known}); use that version again", .path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The format in the file.
        found: i32,
        /// The newest format of this program.
        known: i32,
    },
    /// The process that holds it is of another version.
    #[error("{} is held by a netroom of another version; use that one's command, or restart the daemon first", .path.display())]
    OtherVersion {
        /// Which file.
        path: PathBuf,
    },
    /// Files that we make could not be written by their owner.
    #[error("{} belongs to another user (number {owner}); run this command as that user: sudo -u '#{owner}' netroom ...", .path.display())]
    OtherOwner {
        /// Which file or directory.
        path: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// The operating system failed otherwise.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// SQLite failed otherwise.
    #[error("SQLite failed on {}: {source}", .path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// Another netroom holds the data directory.
    #[error("the data directory {} is in use by another netroom (process {holder}); stop that one or name another directory", .path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
        /// The process id that the other one left.
        holder: String,
    },
    /// The code that was to write failed.
    #[error("a write to {} was given up because of a fault in netroom; other writes go on, please report the fault", .path.display())]
    Fault {
        /// Which file.
        path: PathBuf,
    },
    /// The writer has stopped: the program is shutting down.
    #[error("{} is closed: the program is shutting down", .path.display())]
    Closed {
        /// Which file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Sorts an error of SQLite by what can be done about it.
    pub fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
                Self::Permission { path }
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged { path, why: source.to_string() },
            Some(ErrorCode::CannotOpen) => Self::cannot_open(path, source),
            _ => Self::Sqlite { path, source },
        }
    }

    /// SQLite says only that it cannot open; the operating system knows why.
    fn cannot_open(path: PathBuf, source: rusqlite::Error) -> Self {
        match std::fs::File::open(&path) {
            // The directory is there, yet the file could not be made in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.parent().is_some_and(Path::is_dir) => Self::Permission { path },
            Err(error) => Self::io(&path, error),
            Ok(_) => Self::Sqlite { path, source },
        }
    }

    /// Sorts an error of the operating system by what can be done about it.
    pub fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Permission { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, source },
        }
    }

    /// Whether it goes away by itself once there is space again.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// Whether an error of SQLite says that the disk is full.
pub fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
