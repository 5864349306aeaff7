//! What the desk has done and what stands open, for whoever counts it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::case::{Case, Phase};

/// The counts, shared with those who read them.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

/// All counts of one moment. Sums begin anew with the program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Cases that are not over, by phase.
    pub open: BTreeMap<Phase, u64>,
    /// How often a case came into a phase.
    pub entered: BTreeMap<Phase, u64>,
    /// How often a rail stood in the way when a case came to a stop, by its name.
    pub rails: BTreeMap<&'static str, u64>,
    /// Places that are held now.
    pub held: u64,
    /// Whether persons are asked because too much was cut off by itself.
    pub is_tripped: bool,
    /// Whether a person has frozen blocks.
    pub is_frozen: bool,
    /// How long all blocks together took, from the first packet of their evidence until they were read back.
    pub took: Duration,
    /// How long the last one took.
    pub took_last: Duration,
}

impl Tally {
    /// As it is now.
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A case has come into its phase.
    pub(super) fn entered(&self, case: &Case) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entered.entry(case.phase).or_default() += 1;
        if matches!(case.phase, Phase::Observed | Phase::Waiting | Phase::Refused) {
            for rail in &case.rails {
                *counts.rails.entry(rail.word()).or_default() += 1;
            }
        }
        if case.phase == Phase::Blocked
            && let Some(took) = case.took_ms().map(Duration::from_millis)
        {
            counts.took += took;
            counts.took_last = took;
        }
    }

    /// What stands open now.
    pub(super) fn stands<'a>(&self, cases: impl Iterator<Item = &'a Case>, held: usize, (is_tripped, is_frozen): (bool, bool)) {
        let mut open = BTreeMap::new();
        for case in cases.filter(|case| !case.phase.is_over()) {
            *open.entry(case.phase).or_default() += 1;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.open, counts.held) = (open, u64::try_from(held).unwrap_or(u64::MAX));
        (counts.is_tripped, counts.is_frozen) = (is_tripped, is_frozen);
    }
}
