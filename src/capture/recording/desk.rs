//! Where people come with what they want of recordings, and get files. Everything here waits for the disk: called from
//! threads that may.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rusqlite::Connection;

use super::life::{self, Approval, Deed, Recording, Refused, Said, State};
use super::{files, store};
use crate::capture::tap::{Host, LONGEST, MOST_OCTETS};
use crate::journal::Actor;
use crate::model::Timestamp;
use crate::store::{Store, StoreError};

/// Requests that are not yet over, at most.
const OPEN_MOST: usize = 20;
/// The smallest file that may be asked for, octets.
const LEAST_OCTETS: u64 = 1 << 20;

/// What the configuration says of recordings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// How many persons one takes.
    pub approval: Approval,
    /// Where frames are recorded.
    pub interfaces: Vec<Arc<str>>,
    /// Whether frames for others are wanted.
    pub promiscuous: bool,
}

/// What somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Whose frames.
    pub machine: Host,
    /// For how long, seconds; the longest when not given.
    pub seconds: Option<u64>,
    /// How long the file may become, octets; the most when not given.
    pub most_octets: Option<u64>,
    /// Why.
    pub reason: String,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The life of the recording forbids it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is none of this number.
    #[error("there is no capture {0}")]
    Unknown(i64),
    /// Nothing is watched.
    #[error("no mirror port is watched: name one in capture.interfaces")]
    NoInterface,
    /// The disk is too full.
    #[error("a capture of {needed} MiB needs {} MiB free on the disk of the data directory, {free} MiB are; free some or delete captures", needed + (files::RESERVE >> 20))]
    NoRoom {
        /// What is free, MiB.
        free: u64,
        /// What the file may become, MiB.
        needed: u64,
    },
    /// One of this machine is on its way.
    #[error("capture {0} of this machine is not over yet")]
    Already(i64),
    /// Too many are on their way.
    #[error("{OPEN_MOST} captures are asked for and not over yet; answer those first")]
    Busy,
    /// The file is not what was recorded.
    #[error("the file of capture {0} is not what was recorded: its SHA-256 is another")]
    Changed(i64),
    /// The file cannot be used.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The system's word, part of the message.
        error: io::Error,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many recordings stand where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// By state; those without any are left out.
    pub states: BTreeMap<State, u64>,
    /// Octets of the files that are there.
    pub octets: u64,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    pub(super) store: Store,
    pub(super) dir: PathBuf,
    rules: ArcSwap<Rules>,
    bell: SyncSender<()>,
    pub(super) rung: Mutex<Receiver<()>>,
    summary: Mutex<Summary>,
}

impl Desk {
    /// Over the database and a data directory; nothing is recorded before [`Self::run`].
    pub fn new(store: Store, data: &Path, rules: Rules) -> Self {
        let (bell, rung) = sync_channel(1);
        Self {
            store,
            dir: data.join("captures"),
            rules: ArcSwap::from_pointee(rules),
            bell,
            rung: Mutex::new(rung),
            summary: Mutex::default(),
        }
    }

    /// From now on by these rules.
    pub fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// The rules of the moment.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Somebody asks for a recording. Where one person is enough it begins at once.
    ///
    /// # Errors
    /// Why there will be none.
    pub fn ask(&self, ask: &Ask, actor: &Actor, now: Timestamp) -> Result<Recording, DeskError> {
        let rules = self.rules();
        if rules.interfaces.is_empty() {
            return Err(DeskError::NoInterface);
        }
        let words = life::reason(&ask.reason)?;
        let by = actor.person.clone().ok_or(Refused::Nobody)?;
        let recording = Recording {
            id: 0,
            machine: ask.machine.to_string(),
            seconds: ask.seconds.unwrap_or(LONGEST.as_secs()).clamp(1, LONGEST.as_secs()),
            most_octets: ask.most_octets.unwrap_or(MOST_OCTETS).clamp(LEAST_OCTETS, MOST_OCTETS),
            state: State::Asked,
            asked: Said { by: Some(by), at: now, words },
            answered: None,
            started: None,
            ended: None,
            counts: None,
            sha256: None,
            fault: None,
            hold: None,
            deleted: None,
        };
        self.room(recording.most_octets)?;
        let actor = actor.clone();
        self.change(move |file| {
            let open = store::standing(file, &[State::Asked, State::Approved, State::Running])?;
            if let Some(other) = open.iter().find(|other| other.machine == recording.machine) {
                return Ok(Err(DeskError::Already(other.id)));
            }
            if open.len() >= OPEN_MOST {
                return Ok(Err(DeskError::Busy));
            }
            let added = store::add(file, &actor, &recording)?;
            match rules.approval {
                Approval::Two => Ok(Ok(added)),
                Approval::One => done(file, &added, &Deed::Approve, &actor, rules.approval, now),
            }
        })
    }

    /// Does something with a recording.
    ///
    /// # Errors
    /// Why it was not done; then nothing is changed.
    pub fn act(&self, id: i64, deed: &Deed, actor: &Actor, now: Timestamp) -> Result<Recording, DeskError> {
        if *deed == Deed::Approve {
            self.room(self.one(id)?.most_octets)?;
        }
        let (approval, deed, actor) = (self.rules().approval, deed.clone(), actor.clone());
        let next = self.change(move |file| match store::find(file, id)? {
            Some(recording) => done(file, &recording, &deed, &actor, approval, now),
            None => Ok(Err(DeskError::Unknown(id))),
        })?;
        if next.state == State::Deleted {
            self.unlink(id);
        }
        Ok(next)
    }

    /// One by its number.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub fn one(&self, id: i64) -> Result<Recording, DeskError> {
        self.read(|file| store::find(file, id))?.ok_or(DeskError::Unknown(id))
    }

    /// The newest first: see [`store::list`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn list(&self, machine: Option<&str>, state: Option<State>, before: Option<i64>) -> Result<Vec<Recording>, DeskError> {
        self.read(|file| store::list(file, machine, state, before))
    }

    /// Gives the file of a recording out, once it has been found to be what was recorded; the journal knows who has it.
    ///
    /// # Errors
    /// When there is no file, or it is another.
    pub fn open(&self, id: i64, actor: &Actor, now: Timestamp) -> Result<(Recording, File), DeskError> {
        let recording = self.one(id)?;
        if !recording.state.has_file() {
            return Err(Refused::State.into());
        }
        let path = files::path(&self.dir, id);
        let failed = |error| DeskError::File { path: path.clone(), error };
        let mut file = File::open(&path).map_err(failed)?;
        if recording.sha256.as_ref() != Some(&files::digest(&mut file).map_err(failed)?) {
            tracing::error!(capture = id, path = %path.display(), "the file of capture {id} is not what was recorded; it is not given out");
            return Err(DeskError::Changed(id));
        }
        Ok((self.act(id, &Deed::Download, actor, now)?, file))
    }

    /// How many stand where, as of the last change here or the last minute.
    pub fn summary(&self) -> Summary {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts anew how many stand where.
    pub(super) fn count(&self) -> Result<(), DeskError> {
        let (states, octets) = self.read(store::tally)?;
        *self.summary.lock().unwrap_or_else(PoisonError::into_inner) = Summary { states, octets };
        Ok(())
    }

    /// Whether there is room for a file of so many octets.
    pub(super) fn room(&self, octets: u64) -> Result<(), DeskError> {
        let free = files::free(&self.dir).map_err(|error| DeskError::File { path: self.dir.clone(), error })?;
        if free >= octets.saturating_add(files::RESERVE) {
            return Ok(());
        }
        Err(DeskError::NoRoom { free: free >> 20, needed: octets >> 20 })
    }

    /// Removes a file whose record says that it is gone; what cannot be removed now is at the next look.
    pub(super) fn unlink(&self, id: i64) {
        let path = files::path(&self.dir, id);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%error, path = %path.display(), "a deleted capture could not be removed: {error}; tried again"),
        }
    }

    pub(super) fn read<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DeskError> {
        let file = self.store.reader()?;
        question(&file).map_err(|error| StoreError::sqlite(self.store.path(), error).into())
    }

    fn change(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Result<Recording, DeskError>> + Send + 'static,
    ) -> Result<Recording, DeskError> {
        let changed = self.store.write_blocking(work)??;
        // Full when it has been rung already: that is enough.
        let _ = self.bell.try_send(());
        Ok(changed)
    }
}

/// One deed in the caller's transaction.
fn done(
    file: &Connection,
    recording: &Recording,
    deed: &Deed,
    actor: &Actor,
    approval: Approval,
    now: Timestamp,
) -> rusqlite::Result<Result<Recording, DeskError>> {
    match life::after(recording, deed, actor.person.as_ref(), approval, now) {
        Err(refused) => Ok(Err(refused.into())),
        Ok(next) => {
            store::change(file, actor, deed, &next, now)?;
            Ok(Ok(next))
        }
    }
}

#[cfg(test)]
mod tests;
