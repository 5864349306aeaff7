//! A day of one machine in slots of five minutes: how many first contacts, how many failed, how many different targets.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::capture::packet::Nanos;
use crate::model::Timestamp;

/// The length of a slot in seconds.
pub const SLOT_S: u64 = 300;
/// Slots kept: a day.
pub const SLOTS: usize = 288;
/// Bits of the estimate of different targets (linear counting, Whang et al. 1990): within 5 % up to about 1,500 targets.
const BITS: usize = 1024;

/// Five minutes of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(u32, u32, u32, u16)", into = "(u32, u32, u32, u16)")]
pub struct Slot {
    /// Which: the number of slots since the epoch.
    number: u32,
    /// First contacts.
    pub contacts: u32,
    /// Failures that became known in it.
    pub failed: u32,
    /// Different targets, estimated.
    pub targets: u16,
}

impl Slot {
    /// When it began.
    pub fn from(&self) -> Timestamp {
        Timestamp::from_secs(i64::from(self.number) * SLOT_S as i64)
    }
}

impl From<(u32, u32, u32, u16)> for Slot {
    fn from((number, contacts, failed, targets): (u32, u32, u32, u16)) -> Self {
        Self { number, contacts, failed, targets }
    }
}

impl From<Slot> for (u32, u32, u32, u16) {
    fn from(slot: Slot) -> Self {
        (slot.number, slot.contacts, slot.failed, slot.targets)
    }
}

/// A day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Past {
    /// Slots in which something was counted, in their order.
    slots: VecDeque<Slot>,
    /// Whom it turned to in the newest slot.
    #[serde(skip)]
    seen: Option<Box<[u64; BITS / 64]>>,
}

/// Two days are the same when their slots are.
impl PartialEq for Past {
    fn eq(&self, other: &Self) -> bool {
        self.slots == other.slots
    }
}

impl Past {
    /// The slots of the last day in which something was counted, in their order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    pub(super) fn count(&mut self, target: IpAddr, outcome: Option<bool>, at: Nanos) {
        let number = u32::try_from(at.0 / (SLOT_S * 1_000_000_000)).unwrap_or(u32::MAX);
        // A stamp that is a little older than the newest counts with it.
        if self.slots.back().is_none_or(|slot| slot.number < number) {
            self.begin(number);
        }
        let is_new = outcome.is_none() && self.note(target);
        let estimate = is_new.then(|| self.estimate());
        let Some(slot) = self.slots.back_mut() else { return };
        match outcome {
            None => slot.contacts = slot.contacts.saturating_add(1),
            Some(false) => slot.failed = slot.failed.saturating_add(1),
            Some(true) => {}
        }
        // After a restart those of before are not known one by one.
        slot.targets = estimate.unwrap_or_default().max(slot.targets);
    }

    fn begin(&mut self, number: u32) {
        let oldest = number.saturating_sub(SLOTS as u32 - 1);
        while self.slots.front().is_some_and(|slot| slot.number < oldest) || self.slots.len() >= SLOTS {
            self.slots.pop_front();
        }
        self.slots.push_back(Slot { number, contacts: 0, failed: 0, targets: 0 });
        self.seen = None;
    }

    /// Whether the target is none of those that were seen in this slot.
    fn note(&mut self, target: IpAddr) -> bool {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(target) as usize % BITS;
        let seen = self.seen.get_or_insert_with(|| Box::new([0; BITS / 64]));
        let Some(word) = seen.get_mut(hash / 64) else { return false };
        let bit = 1_u64 << (hash % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn estimate(&self) -> u16 {
        let set: u32 = self.seen.iter().flat_map(|seen| seen.iter()).map(|word| word.count_ones()).sum();
        let empty = (BITS as u32).saturating_sub(set).max(1);
        let estimate = -(BITS as f64) * (f64::from(empty) / BITS as f64).ln();
        estimate.round().clamp(0.0, f64::from(u16::MAX)) as u16
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn ip(number: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    #[test]
    fn targets_are_estimated_closely_and_each_slot_begins_anew() {
        let mut past = Past::default();
        for number in 0..3_000_u32 {
            past.count(ip(number % 1_000), None, Nanos(SLOT_S * SECOND * 7));
            past.count(ip(number % 1_000), Some(number % 3 == 0), Nanos(SLOT_S * SECOND * 7));
        }
        past.count(ip(1), None, Nanos(SLOT_S * SECOND * 9));
        let slots: Vec<Slot> = past.slots().copied().collect();
        assert_eq!((slots[0].contacts, slots[0].failed, slots[0].from()), (3_000, 2_000, Timestamp::from_secs(2_100)));
        assert!((940..=1_060).contains(&slots[0].targets), "{}", slots[0].targets);
        assert_eq!((slots[1].contacts, slots[1].targets), (1, 1));
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut past = Past::default();
        for number in 0..1_000 {
            past.count(ip(number), None, Nanos(u64::from(number) * SLOT_S * SECOND));
        }
        assert_eq!(past.slots().count(), SLOTS);
        // After a long silence what is older than a day is gone.
        past.count(ip(0), None, Nanos(2_000 * SLOT_S * SECOND));
        assert_eq!(past.slots().count(), 1);
    }
}
