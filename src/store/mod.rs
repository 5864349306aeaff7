//! The store: the only place that opens SQLite.
//!
//! [`DataDir`] takes the data directory for this process. [`Store`] is `netroom.db` in it: one writer thread that commits
//! in groups, as many readers as wanted, migrations at the start, backups while running. [`sqlite`] opens single files
//! with the settings that keep data safe; the series room, which has files of its own, uses it directly.
//!
//! A write walks: [`Store::write`] puts a closure into the bounded queue → the writer runs all that wait in one
//! transaction, each in its own savepoint → one commit to the disk → every caller gets its own result.

pub mod dir;
pub mod error;
mod migrate;
mod shared;
pub mod sqlite;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

pub use dir::DataDir;
pub use error::StoreError;
pub use shared::Shared;
use sqlite::Format;
use writer::Writer;

/// `netroom.db`: "netr" and a 1, and as many versions as migrations.
pub const FORMAT: Format = Format { application_id: 0x6e65_7431, version: migrate::LATEST, what: "netroom's database" };

/// The database of records. Cheap to clone; the file is closed when the last clone goes.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<Path>,
    writer: Arc<Writer>,
}

impl Store {
    /// Opens (or makes) the database and brings it to the newest format; a snapshot of an older one is kept beside it.
    ///
    /// # Errors
    /// When the file is damaged, foreign, newer than this program, locked, or the disk does not take it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut file = sqlite::open_live(path, None)?;
        migrate::run(&mut file, path)?;
        let path: Arc<Path> = path.into();
        let writer = Writer::start(file, Arc::clone(&path))?;
        Ok(Self { path, writer: Arc::new(writer) })
    }

    /// Opens the database beside the process that holds it, which has brought it to its format.
    ///
    /// # Errors
    /// When that format is not ours, or the file cannot be opened.
    pub fn join(path: &Path) -> Result<Self, StoreError> {
        let file = sqlite::open_live(path, None)?;
        if FORMAT.found(&file, path)? != FORMAT.version {
            return Err(StoreError::OtherVersion { path: path.to_path_buf() });
        }
        let path: Arc<Path> = path.into();
        let writer = Writer::start(file, Arc::clone(&path))?;
        Ok(Self { path, writer: Arc::new(writer) })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in the writer's transaction and returns when it is on the disk. An error of `work` undoes only its
    /// own changes.
    ///
    /// # Errors
    /// What SQLite said to `work` or to the commit; [`StoreError::Closed`] at shutdown.
    pub async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (job, done) = writer::job(work);
        self.writer.submit(job).await?;
        done.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// As [`Self::write`], for threads outside of the async runtime.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_blocking<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (job, done) = writer::job(work);
        self.writer.submit_blocking(job)?;
        done.blocking_recv().unwrap_or_else(|_| Err(self.closed()))
    }

    /// Another connection, for reading only: never waits for the writer, sees the last commit.
    ///
    /// # Errors
    /// When the file can no longer be opened.
    pub fn reader(&self) -> Result<Connection, StoreError> {
        sqlite::open_live_readonly(&self.path)
    }

    /// Writes a consistent copy of the whole database to `to` while the writer goes on. An existing file is replaced,
    /// and only by a whole one.
    ///
    /// # Errors
    /// When the copy cannot be made; then nothing stands under that name.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        sqlite::copy(&self.reader()?, to)
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { path: self.path.to_path_buf() }
    }
}

#[cfg(test)]
mod tests;
