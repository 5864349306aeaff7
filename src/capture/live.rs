//! The table that everybody reads: each watched interface, what became of it, and what it has counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Timestamp;

/// What becomes of a watched interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Not yet looked at.
    Starting,
    /// Frames are received.
    Watching,
    /// It is there, but set down or without carrier; frames come by themselves when it is up again.
    Down,
    /// It has this name now; it is watched on, but would not be found at the next start.
    Renamed(Arc<str>),
    /// There is none of this name; it is looked for each second.
    Missing,
    /// It cannot be watched, for this reason; tried again each second.
    Refused(Arc<str>),
}

impl State {
    /// A stable word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Watching => "watching",
            Self::Down => "down",
            Self::Renamed(_) => "renamed",
            Self::Missing => "missing",
            Self::Refused(_) => "refused",
        }
    }

    /// Whether frames that pass are seen.
    pub const fn sees(&self) -> bool {
        matches!(self, Self::Watching | Self::Renamed(_))
    }
}

/// One interface as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceNow {
    /// The name by which it is configured.
    pub name: Arc<str>,
    /// What became of it.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Frames received. With `dropped`: all that were sent to it.
    pub received: u64,
    /// Octets of these on the wire.
    pub octets: u64,
    /// Frames for which the ring had no room.
    pub dropped: u64,
    /// Times at which the ring was full.
    pub full: u64,
    /// Frames sent by this machine are not looked at; these carried a VLAN tag.
    pub tagged: u64,
}

/// What one interface has counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    received: AtomicU64,
    octets: AtomicU64,
    dropped: AtomicU64,
    full: AtomicU64,
    tagged: AtomicU64,
}

impl Counts {
    /// Adds what one turn has counted.
    pub(super) fn add(&self, turn: &Turn) {
        for (counter, more) in [
            (&self.received, turn.received),
            (&self.octets, turn.octets),
            (&self.dropped, turn.dropped),
            (&self.full, turn.full),
            (&self.tagged, turn.tagged),
        ] {
            if more > 0 {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
    }
}

/// What one thread counted since it last said so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    pub(super) received: u64,
    pub(super) octets: u64,
    pub(super) dropped: u64,
    pub(super) full: u64,
    pub(super) tagged: u64,
}

/// One interface of the board.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: Arc<str>,
    pub(super) counts: Counts,
    state: Mutex<(State, Timestamp)>,
}

impl Row {
    /// Another state; says whether it is another one.
    pub(super) fn set(&self, state: State, now: Timestamp) -> bool {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = held.0 != state;
        if is_other {
            *held = (state, now);
        }
        is_other
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Board {
    pub(super) rows: Vec<Arc<Row>>,
}

impl Board {
    pub(super) fn new(names: &[Arc<str>], now: Timestamp) -> Self {
        let row = |name: &Arc<str>| Row { name: Arc::clone(name), counts: Counts::default(), state: Mutex::new((State::Starting, now)) };
        Self { rows: names.iter().map(|name| Arc::new(row(name))).collect() }
    }

    /// Every watched interface, in the order of the configuration.
    pub fn interfaces(&self) -> Vec<InterfaceNow> {
        let row = |row: &Arc<Row>| {
            let (state, since) = row.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let Counts { received, octets, dropped, full, tagged } = &row.counts;
            InterfaceNow {
                name: Arc::clone(&row.name),
                state,
                since,
                received: read(received),
                octets: read(octets),
                dropped: read(dropped),
                full: read(full),
                tagged: read(tagged),
            }
        };
        self.rows.iter().map(row).collect()
    }
}
