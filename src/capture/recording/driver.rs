//! The recorder: makes what was allowed, one recording after the other, deletes what is due, and after a crash says what became of
//! what it was making.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::desk::{Desk, DeskError};
use super::life::{self, Counts, Deed, Fault, Recording, State, Why};
use super::{files, store};
use crate::capture::tap::{self, Order, TapError};
use crate::journal::Actor;
use crate::model::{Timestamp, clock};

/// How often the token is looked at while nothing is to be done.
const WAIT: Duration = Duration::from_millis(500);
/// How often is looked for what is due.
const LOOK: Duration = Duration::from_secs(60);

impl Desk {
    /// Records and deletes until told to stop.
    ///
    /// # Errors
    /// When the database does not answer; to be called again then.
    pub fn run(&self, token: &CancellationToken) -> Result<(), DeskError> {
        self.recover()?;
        let mut looked = None;
        while !token.is_cancelled() {
            if looked.is_none_or(|at| clock::monotonic() - at >= LOOK) {
                looked = Some(clock::monotonic());
                self.sweep(clock::wall())?;
            }
            for recording in self.read(|file| store::standing(file, &[State::Approved]))? {
                if !token.is_cancelled() {
                    self.record(&recording, token)?;
                }
            }
            self.count()?;
            let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
            while !token.is_cancelled() && looked.is_some_and(|at| clock::monotonic() - at < LOOK) {
                if rung.recv_timeout(WAIT).is_ok() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What was being made when netroom last ended without a word is cut: what its file holds is whole.
    fn recover(&self) -> Result<(), DeskError> {
        for recording in self.read(|file| store::standing(file, &[State::Running]))? {
            tracing::warn!(capture = recording.id, "netroom ended while it made capture {}; it is kept as far as it goes", recording.id);
            self.broken(recording.id, Fault { why: Why::Crash, detail: String::new() })?;
        }
        Ok(())
    }

    /// Ends what was not answered in time, deletes what is due, and removes files that no record knows.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<(), DeskError> {
        let standing = self.read(|file| store::standing(file, &[State::Asked, State::Approved, State::Kept, State::Cut]))?;
        for recording in &standing {
            if let Some(deed) = life::due(recording, now) {
                tracing::info!(capture = recording.id, "capture {} of {}: {}", recording.id, recording.machine, deed.action());
                self.own_at(recording.id, &deed, now)?;
            }
        }
        let standing = self.read(|file| store::standing(file, &[State::Kept, State::Cut]))?;
        let known: BTreeSet<i64> = standing.iter().map(|recording| recording.id).collect();
        let found = files::numbers(&self.dir).map_err(|error| DeskError::File { path: self.dir.clone(), error })?;
        found.into_iter().filter(|id| !known.contains(id)).for_each(|id| self.unlink(id));
        Ok(())
    }

    fn record(&self, recording: &Recording, token: &CancellationToken) -> Result<(), DeskError> {
        let id = recording.id;
        if let Some(deed) = life::due(recording, clock::wall()) {
            return self.own(id, &deed);
        }
        if let Err(error) = self.room(recording.most_octets) {
            return self.own(id, &Deed::Fail(Fault { why: Why::NoRoom, detail: error.to_string() }));
        }
        let rules = self.rules();
        let Ok(host) = recording.machine.parse() else {
            return self.own(id, &Deed::Fail(Fault { why: Why::NoInterface, detail: recording.machine.clone() }));
        };
        let order = Order {
            host,
            interfaces: rules.interfaces.clone(),
            promiscuous: rules.promiscuous,
            longest: Duration::from_secs(recording.seconds),
            most_octets: recording.most_octets,
        };
        self.own(id, &Deed::Start)?;
        tracing::info!(capture = id, machine = recording.machine, "capture {id} begins: the frames of {}", recording.machine);
        let path = files::path(&self.dir, id);
        if let Err(error) = files::make(&self.dir) {
            return self.broken(id, Fault { why: Why::File, detail: format!("{}: {error}", self.dir.display()) });
        }
        let began = clock::monotonic();
        match tap::take(&order, &path, token) {
            Ok(taken) => {
                let counts = Counts { packets: taken.packets, octets: taken.octets, dropped: taken.dropped, is_full: taken.is_full };
                let whole = taken.is_full || clock::monotonic() - began >= order.longest;
                match File::open(&path).and_then(|mut file| files::digest(&mut file)) {
                    Err(error) => self.broken(id, Fault { why: Why::File, detail: error.to_string() }),
                    Ok(digest) if whole => self.own(id, &Deed::End(counts, digest)),
                    Ok(digest) => self.own(id, &Deed::Cut(Fault { why: Why::Stopped, detail: String::new() }, counts, digest)),
                }
            }
            Err(error) => {
                tracing::error!(capture = id, %error, "capture {id} could not be made: {error}");
                let why = match &error {
                    TapError::NoInterface | TapError::Missing(_) => Why::NoInterface,
                    TapError::Refused { .. } => Why::NotAllowed,
                    TapError::File { error, .. } if error.kind() == std::io::ErrorKind::StorageFull => Why::NoRoom,
                    TapError::File { .. } => Why::File,
                };
                self.broken(id, Fault { why, detail: error.to_string() })
            }
        }
    }

    /// Keeps what there is of a recording that ended early; where there is nothing it has failed.
    fn broken(&self, id: i64, fault: Fault) -> Result<(), DeskError> {
        let path = files::path(&self.dir, id);
        let digest = || File::open(&path).and_then(|mut file| files::digest(&mut file));
        let deed = match files::mend(&path).and_then(|counts| Ok((counts, digest()?))) {
            Ok((counts, digest)) if counts.packets > 0 => Deed::Cut(fault, counts, digest),
            Ok(_) | Err(_) => Deed::Fail(fault),
        };
        self.own(id, &deed)?;
        if matches!(deed, Deed::Fail(_)) {
            self.unlink(id);
        }
        Ok(())
    }

    /// What netroom does itself. A record that somebody else has moved on meanwhile is left as it is.
    fn own(&self, id: i64, deed: &Deed) -> Result<(), DeskError> {
        self.own_at(id, deed, clock::wall())
    }

    fn own_at(&self, id: i64, deed: &Deed, now: Timestamp) -> Result<(), DeskError> {
        match self.act(id, deed, &Actor::daemon(), now) {
            Err(DeskError::Refused(refused)) => {
                tracing::debug!(capture = id, %refused, "capture {id} has moved on: {refused}");
                Ok(())
            }
            done => done.map(drop),
        }
    }
}
