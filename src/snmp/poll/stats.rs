//! Figures of the poller, for metrics and pages.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Gap;
use crate::model::observe::PollRound;

/// A snapshot. All but the first three only grow.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Devices configured.
    pub devices: usize,
    /// Polls under way.
    pub in_flight: usize,
    /// Finished rounds that wait for the rooms above to take them.
    pub waiting: usize,
    /// Whole polls.
    pub ok: u64,
    /// Polls with holes, by reason, in the order of `Gap::ALL`.
    pub failed: [u64; Gap::ALL.len()],
    /// Rows handed up.
    pub rows: u64,
    /// Identity reads.
    pub identity_reads: u64,
    /// Cycles skipped because the device was still being asked.
    pub late: u64,
    /// Cycles skipped because the machine slept or was overloaded.
    pub stalled: u64,
    /// Turns that the transport did not take.
    pub refused: u64,
    /// Rounds thrown away because nobody took them.
    pub shed: u64,
}

impl Stats {
    /// Polls that failed for this reason.
    pub fn failed_by(&self, gap: Gap) -> u64 {
        Gap::ALL.iter().position(|&other| other == gap).and_then(|place| self.failed.get(place)).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, round: &PollRound) {
        self.rows += round.rows.len() as u64;
        self.identity_reads += u64::from(round.inventory.is_some());
        let place = round.gap.and_then(|gap| Gap::ALL.iter().position(|&other| other == gap));
        match place.and_then(|place| self.failed.get_mut(place)) {
            Some(count) => *count += 1,
            None => self.ok += 1,
        }
    }
}

/// Where the poller writes and others read.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(Arc<Mutex<Stats>>);

impl Board {
    pub(super) fn read(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
