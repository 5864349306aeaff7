//! The counter: where people see cases and say what they wish. Everything here may wait for the disk.

use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Wish};
use super::gate::{Path, Rail};
use super::store::{self, Brake, Waiting};
use super::{CaseId, limit};
use crate::config::block::BlockSettings;
use crate::detect::MachineKey;
use crate::journal;
use crate::model::{Timestamp, clock};
use crate::store::{Store, StoreError};

/// How often it is looked for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Events of a case that are shown.
const STORY: u32 = 200;

/// What the configuration and the network say now.
pub trait Rules: Send + Sync {
    /// What the configuration says.
    fn settings(&self) -> Arc<BlockSettings>;
    /// Everything that protects a machine: lines and facts.
    fn explain(&self, machine: MachineKey) -> Vec<Rail>;
}

/// The counter.
pub struct Counter {
    store: Store,
    rules: Arc<dyn Rules>,
}

impl Counter {
    /// Over the cases of a database.
    pub fn new(store: Store, rules: Arc<dyn Rules>) -> Self {
        Self { store, rules }
    }

    /// What the configuration and the network say now.
    pub fn rules(&self) -> &dyn Rules {
        &*self.rules
    }

    /// Cases, the newest first; those that are over too when wanted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list(&self, with_over: bool, most: u32) -> Result<Vec<Case>, StoreError> {
        store::now(&self.store, |file| store::list(file, with_over, most))
    }

    /// The cases of a machine, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of_machine(&self, machine: &str, most: u32) -> Result<Vec<Case>, StoreError> {
        store::now(&self.store, |file| store::of_machine(file, machine, most))
    }

    /// One case.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn one(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        store::now(&self.store, |file| store::case(file, id))
    }

    /// What the journal says of a case, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn story(&self, id: CaseId) -> Result<Vec<journal::Recorded>, StoreError> {
        store::now(&self.store, |file| store::story(file, id, STORY))
    }

    /// What the journal says of work on a port, the newest first, `most` at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn works(&self, device: &str, port: &str, most: u32) -> Result<Vec<journal::Recorded>, StoreError> {
        store::now(&self.store, |file| store::works(file, device, port, most))
    }

    /// The breaker and the freeze.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn brake(&self) -> Result<Brake, StoreError> {
        store::now(&self.store, store::brake)
    }

    /// Whether the breaker is open at a moment.
    pub fn is_tripped(brake: &Brake, now: Timestamp) -> bool {
        brake.tripped.is_some_and(|tripped| now.since(tripped) < limit::HOUR)
    }

    /// The wishes that nobody has taken yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        store::now(&self.store, store::wishes)
    }

    /// Writes a wish down and waits for what becomes of it, `patience` at most; `None` while the desk has not taken it.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn wish(&self, path: &Path, wish: &Wish, patience: Duration) -> Result<Option<String>, StoreError> {
        let (path, wish, now) = (path.clone(), wish.clone(), clock::wall());
        let id = self.store.write_blocking(move |file| store::wish(file, now, &path, &wish))?;
        let until = clock::monotonic() + patience;
        // Nobody ever sends: waiting for it is how this thread rests.
        let (_nobody, rest) = std::sync::mpsc::sync_channel::<()>(0);
        loop {
            let answer = store::now(&self.store, |file| store::answer(file, id))?;
            if answer.is_some() || clock::monotonic() >= until {
                return Ok(answer);
            }
            let _ = rest.recv_timeout(LOOK_EVERY);
        }
    }
}
