//! What is held against whom at this moment, and what was until lately: the last word of the engine on each machine and
//! behaviour. Bounded: [`MOST`] entries; what is over longest goes first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::detection::{Detection, MachineKey};
use super::kind::Kind;
use crate::capture::packet::Nanos;

/// Entries at most.
pub const MOST: usize = 8192;
/// What is over is shown for so long.
const SHOWN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The list.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<(MachineKey, Kind), Arc<Detection>>,
    shed: u64,
}

impl Ledger {
    /// Takes what the engine says. A machine without an address is nobody.
    pub fn take(&mut self, detection: Detection) {
        let Some(key) = detection.machine.key() else { return };
        let place = (key, detection.kind);
        if !self.entries.contains_key(&place) && self.entries.len() >= MOST && !self.make_room(&detection) {
            self.shed += 1;
            return;
        }
        // What was held stays readable when it is over; the level that counts is the strongest one of its time.
        let before = self.entries.get(&place).filter(|before| !before.cleared);
        let level = before.filter(|_| detection.cleared).map_or(detection.level, |before| before.level.max(detection.level));
        self.entries.insert(place, Arc::new(Detection { level, ..detection }));
    }

    /// Lets go what is over for a day.
    pub fn forget(&mut self, now: Nanos) {
        self.entries.retain(|_, held| !held.cleared || now.since(held.last) < SHOWN_AFTER.as_nanos() as u64);
    }

    /// All of it, by machine and kind.
    pub fn list(&self) -> Vec<Arc<Detection>> {
        self.entries.values().cloned().collect()
    }

    /// What found no room.
    pub const fn shed(&self) -> u64 {
        self.shed
    }

    /// Something that is over makes room first, else the weakest of the oldest.
    fn make_room(&mut self, coming: &Detection) -> bool {
        let weakest = self.entries.iter().min_by_key(|(_, held)| (!held.cleared, held.level, held.last));
        let Some((place, _)) = weakest.filter(|(_, held)| held.cleared || held.level <= coming.level) else { return false };
        let place = *place;
        self.entries.remove(&place);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Level, Machine};
    use crate::model::{Evidence, MacAddr};

    fn detection(number: usize, level: Level, cleared: bool) -> Detection {
        let [.., a, b] = number.to_be_bytes();
        let machine = Machine { mac: Some(MacAddr([2, 0, 0, 0, a, b])), ..Machine::default() };
        let at = Nanos(number as u64);
        Detection { kind: Kind::TcpScan, level, cleared, machine, first: at, last: at, contacts: 9, evidence: Evidence::new() }
    }

    #[test]
    fn what_is_over_is_kept_with_its_level_for_a_day() {
        let mut ledger = Ledger::default();
        ledger.take(detection(1, Level::Virus, false));
        ledger.take(detection(1, Level::Suspect, true));
        assert_eq!(ledger.list().iter().map(|held| (held.level, held.cleared)).collect::<Vec<_>>(), [(Level::Virus, true)]);
        ledger.forget(Nanos(3600 * 1_000_000_000));
        assert_eq!(ledger.list().len(), 1);
        ledger.forget(Nanos(25 * 3600 * 1_000_000_000));
        assert!(ledger.list().is_empty());
    }

    #[test]
    fn a_full_list_keeps_what_weighs_more() {
        let mut ledger = Ledger::default();
        for number in 0..MOST {
            ledger.take(detection(number, Level::Virus, false));
        }
        ledger.take(detection(MOST, Level::Suspect, false));
        assert_eq!((ledger.list().len(), ledger.shed()), (MOST, 1));
        ledger.take(detection(MOST, Level::BlockWorthy, false));
        assert_eq!((ledger.list().len(), ledger.list().iter().filter(|held| held.level == Level::BlockWorthy).count()), (MOST, 1));
    }
}
