//! The file `tail.db`: written by one thread, one transaction a second, synced. It is read only at the start.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use crate::model::{DeviceId, PortId, clock};
use crate::store::StoreError;
use crate::store::sqlite::open_live;

use super::Shared;
use super::error::SeriesError;
use super::layout::{TAIL, tail_device, tail_key};
use super::stats::StoreState;
use super::tail::{Tail, TailRow};

const TABLES: &str = "
    CREATE TABLE tail (k INTEGER PRIMARY KEY, t_ms INTEGER NOT NULL, b BLOB NOT NULL);
    CREATE TABLE ports (port INTEGER PRIMARY KEY, device INTEGER NOT NULL);
";

/// Rows deleted in one transaction, so that none takes long.
const FORGET_ROWS: i64 = 1000;

/// What awaits the next commit, and the file.
pub(super) struct Journal {
    file: Connection,
    path: PathBuf,
    pending: Vec<(DeviceId, i64, Arc<[u8]>)>,
    pending_rows: u64,
    pending_bytes: usize,
    most_bytes: usize,
    superseded: Vec<(DeviceId, i64)>,
    ports: Vec<(PortId, DeviceId)>,
    forget_before_ms: Option<i64>,
    failing: Option<String>,
}

impl Journal {
    /// Opens the file and reads it into `tail`.
    pub(super) fn open(path: &Path, most_bytes: usize, tail: &Tail) -> Result<Self, SeriesError> {
        let file = open_live(path, None)?;
        let sqlite = SeriesError::sqlite(path);
        if TAIL.found(&file, path)? == 0 {
            file.execute_batch("BEGIN IMMEDIATE")
                .and_then(|()| file.execute_batch(TABLES))
                .and_then(|()| TAIL.stamp(&file, TAIL.version))
                .and_then(|()| file.execute_batch("COMMIT"))
                .map_err(&sqlite)?;
        }
        load(&file, tail).map_err(&sqlite)?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            pending: Vec::new(),
            pending_rows: 0,
            pending_bytes: 0,
            most_bytes,
            superseded: Vec::new(),
            ports: Vec::new(),
            forget_before_ms: None,
            failing: None,
        })
    }

    /// Adds a poll to the next commit.
    pub(super) fn push(&mut self, device: DeviceId, time_ms: i64, blob: Arc<[u8]>, rows: u64, superseded: Vec<i64>, unknown: &[PortId]) {
        if !superseded.is_empty() {
            let gone: HashSet<i64> = superseded.iter().copied().collect();
            self.pending.retain(|(of, at, _)| *of != device || !gone.contains(at));
            self.superseded.extend(superseded.into_iter().map(|at| (device, at)));
        }
        self.pending_bytes += blob.len() + size_of::<(DeviceId, i64, Arc<[u8]>)>();
        self.pending_rows += rows;
        self.pending.push((device, time_ms, blob));
        self.ports.extend(unknown.iter().map(|port| (*port, device)));
    }

    /// Adds a port to the next commit.
    pub(super) fn learn(&mut self, port: PortId, device: DeviceId) {
        self.ports.push((port, device));
    }

    /// Polls before this time are to be deleted, a few at each commit.
    pub(super) fn forget_before(&mut self, before_ms: i64) {
        self.forget_before_ms = self.forget_before_ms.max(Some(before_ms));
    }

    /// Whether no more may be held.
    pub(super) const fn is_overfull(&self) -> bool {
        self.pending_bytes > self.most_bytes
    }

    /// How many polls could not be written so far.
    pub(super) fn held(&self) -> u64 {
        if self.failing.is_some() { self.pending.len() as u64 } else { 0 }
    }

    /// Why samples are held, when they are.
    pub(super) fn held_reason(&self) -> Option<String> {
        self.failing.clone()
    }

    /// Writes what awaits. On a full disk the reserve is given up and the commit tried once more.
    pub(super) fn commit(&mut self, shared: &Shared) {
        if self.pending.is_empty() && self.ports.is_empty() && self.superseded.is_empty() && self.forget_before_ms.is_none() {
            return;
        }
        let began = clock::monotonic();
        let mut outcome = self.transact();
        if outcome.as_ref().is_err_and(SeriesError::is_full) && shared.space.release_reserve(&shared.layout) {
            outcome = self.transact();
        }
        match outcome {
            Ok(()) => {
                let counters = &shared.counters;
                counters.stored.fetch_add(self.pending_rows, Ordering::Relaxed);
                counters.last_commit_ms.store(clock::wall().millis(), Ordering::Relaxed);
                let took = clock::monotonic().saturating_duration_since(began);
                counters.commit_ms.store(u64::try_from(took.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
                self.pending.clear();
                self.superseded.clear();
                self.ports.clear();
                (self.pending_rows, self.pending_bytes) = (0, 0);
                if self.failing.take().is_some() {
                    tracing::info!("series: samples reach the disk again");
                    shared.counters.slow(|slow| (slow.writing, slow.writing_reason) = (StoreState::Ok, None));
                }
            }
            Err(error) => self.fail(shared, &error),
        }
        shared.counters.held.store(self.held(), Ordering::Relaxed);
    }

    fn fail(&mut self, shared: &Shared, error: &SeriesError) {
        let reason = error.to_string();
        let state = if error.is_full() { StoreState::Full } else { StoreState::Failing };
        if self.failing.is_none() {
            tracing::error!(held_polls = self.pending.len(), "series: samples are held in memory, polling goes on: {reason}");
        }
        shared.counters.slow(|slow| (slow.writing, slow.writing_reason) = (state, Some(reason.clone())));
        self.failing = Some(reason);
    }

    fn transact(&mut self) -> Result<(), SeriesError> {
        let written = self.write();
        if written.is_err() && !self.file.is_autocommit() {
            // The transaction is void either way; an error here says nothing new.
            let _void = self.file.execute_batch("ROLLBACK");
        }
        let more = written.map_err(|error| SeriesError::Store(StoreError::sqlite(&self.path, error)))?;
        if !more {
            self.forget_before_ms = None;
        }
        Ok(())
    }

    /// One transaction; true when more is left to delete.
    fn write(&self) -> rusqlite::Result<bool> {
        self.file.execute_batch("BEGIN IMMEDIATE")?;
        let mut delete = self.file.prepare_cached("DELETE FROM tail WHERE k = ?1 AND t_ms = ?2")?;
        for (device, time_ms) in &self.superseded {
            delete.execute((tail_key(*time_ms, *device), time_ms))?;
        }
        let mut insert = self.file.prepare_cached("INSERT OR REPLACE INTO tail (k, t_ms, b) VALUES (?1, ?2, ?3)")?;
        for (device, time_ms, blob) in &self.pending {
            insert.execute((tail_key(*time_ms, *device), time_ms, &**blob))?;
        }
        let mut port = self.file.prepare_cached("INSERT OR REPLACE INTO ports (port, device) VALUES (?1, ?2)")?;
        for (number, device) in &self.ports {
            port.execute([number.0, device.0])?;
        }
        let mut more = false;
        if let Some(before_ms) = self.forget_before_ms {
            let gone = self
                .file
                .prepare_cached("DELETE FROM tail WHERE k IN (SELECT k FROM tail WHERE k < ?1 AND t_ms < ?2 ORDER BY k LIMIT ?3)")?
                .execute((tail_key(before_ms, DeviceId(0)), before_ms, FORGET_ROWS))?;
            more = gone as i64 == FORGET_ROWS;
        }
        self.file.execute_batch("COMMIT")?;
        Ok(more)
    }
}

fn load(file: &Connection, tail: &Tail) -> rusqlite::Result<()> {
    let mut ports = file.prepare("SELECT port, device FROM ports")?;
    let mut rows = ports.query([])?;
    while let Some(row) = rows.next()? {
        tail.learn(PortId(row.get(0)?), DeviceId(row.get(1)?));
    }
    let mut polls = file.prepare("SELECT k, t_ms, b FROM tail ORDER BY k")?;
    let mut rows = polls.query([])?;
    while let Some(row) = rows.next()? {
        let blob: Vec<u8> = row.get(2)?;
        tail.push(tail_device(row.get(0)?), TailRow { time_ms: row.get(1)?, blob: blob.into() }, std::iter::empty());
    }
    Ok(())
}
