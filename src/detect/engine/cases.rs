//! The judgements that stand. Each rule, of the engine and of `lan`, says what it sees as often as it likes; here it becomes one
//! case for each machine and behaviour, which is told when it begins, when it rises or doubles, and when it has ended.

use std::collections::HashMap;

use crate::detect::settings::Levels;
use crate::detect::sight::Sight;
use crate::detect::{Detection, Kind, Level, MachineKey};

use super::level;

/// No more detections wait to be taken than this; the rest is counted.
const WAITING: usize = 8192;

#[derive(Debug)]
struct Case {
    detection: Detection,
    /// In engine seconds.
    raised: u32,
    seen: u32,
    /// Contacts when it was raised, and now. A detection bears the first; how far it has come stands in its evidence.
    contacts_raised: u64,
    contacts: u64,
    /// The level and the contacts that were told last.
    told: Option<(Level, u64)>,
    /// Whether something has changed since it was told.
    untold: bool,
}

impl Case {
    /// The same again, with what is known now.
    fn grow(&mut self, now: Detection, second: u32) {
        self.seen = second;
        self.untold = true;
        self.contacts = self.contacts.max(now.contacts);
        let held = &mut self.detection;
        held.level = held.level.max(now.level);
        held.last = now.last;
        held.first = held.first.min(now.first);
        held.evidence = now.evidence;
        held.machine.ip = held.machine.ip.or(now.machine.ip);
        held.machine.vlan = held.machine.vlan.or(now.machine.vlan);
    }
}

/// All of them, at most as many as the settings allow.
#[derive(Debug)]
pub(super) struct Cases {
    levels: Levels,
    most: usize,
    cases: HashMap<(MachineKey, Kind), Case, std::hash::BuildHasherDefault<crate::detect::quick::QuickHasher>>,
    told: Vec<Detection>,
    minute: u32,
    new_this_minute: u32,
    shed: u64,
}

impl Cases {
    pub(super) fn new(levels: Levels, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { levels, most, cases: HashMap::default(), told: Vec::new(), minute: 0, new_this_minute: 0, shed: 0 }
    }

    /// Judgements that were not kept because too many stood, came at once, or waited.
    pub(super) const fn shed(&self) -> u64 {
        self.shed
    }

    /// What is to be told, in the order in which it was found.
    pub(super) fn take(&mut self) -> Vec<Detection> {
        std::mem::take(&mut self.told)
    }

    /// A rule has seen something (again).
    pub(super) fn note(&mut self, detection: Detection, second: u32, sight: &Sight) {
        let Some(who) = detection.machine.key() else { return };
        if sight.is_exempt(detection.machine.ip, detection.machine.mac) {
            return;
        }
        let key = (who, detection.kind);
        if let Some(case) = self.cases.get_mut(&key) {
            case.grow(detection, second);
        } else if self.may_begin(second) {
            let contacts = detection.contacts;
            let case = Case { detection, raised: second, seen: second, contacts_raised: contacts, contacts, told: None, untold: true };
            self.cases.insert(key, case);
        } else {
            self.shed += 1;
            return;
        }
        self.rise(who, second, sight);
    }

    /// What was quiet for long has ended.
    pub(super) fn pulse(&mut self, second: u32) {
        let quiet = self.levels.quiet_s;
        let mut ended: Vec<(MachineKey, Kind)> =
            self.cases.iter().filter(|(_, case)| second.saturating_sub(case.seen) >= quiet).map(|(key, _)| *key).collect();
        ended.sort_unstable();
        for key in ended {
            if let Some(mut case) = self.cases.remove(&key) {
                case.detection.cleared = true;
                self.tell(case.detection);
            }
        }
    }

    /// The end of a file: what has grown since it was told is told once more.
    pub(super) fn finish(&mut self) {
        let mut keys: Vec<(MachineKey, Kind)> = self.cases.iter().filter(|(_, case)| case.untold).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        for key in keys {
            if let Some(case) = self.cases.get_mut(&key) {
                case.untold = false;
                let detection = case.detection.clone();
                self.tell(detection);
            }
        }
    }

    fn may_begin(&mut self, second: u32) -> bool {
        if second / 60 != self.minute {
            self.minute = second / 60;
            self.new_this_minute = 0;
        }
        self.new_this_minute += 1;
        self.cases.len() < self.most && self.new_this_minute <= self.levels.new_per_minute
    }

    /// Raises the cases of a machine to the level that they have together, and tells what has changed.
    fn rise(&mut self, who: MachineKey, second: u32, sight: &Sight) {
        let standing: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| self.cases.contains_key(&(who, *kind))).collect();
        let together = level::together(&standing);
        let mut told = Vec::new();
        for kind in standing {
            let Some(case) = self.cases.get_mut(&(who, kind)) else { continue };
            let mut level = case.detection.level;
            if level > Level::Label {
                let held = level::held(kind, &self.levels, second.saturating_sub(case.raised), case.contacts, case.contacts_raised);
                level = level.max(held).max(if level::family(kind).is_some() { together } else { level });
                if level == Level::BlockWorthy && sight.is_protected(&case.detection.machine) {
                    level = Level::Virus;
                }
            }
            case.detection.level = level.max(case.detection.level);
            let begun = case.told.is_none();
            let risen = case.told.is_some_and(|(level, _)| case.detection.level > level);
            let doubled = case.told.is_some_and(|(_, contacts)| case.contacts >= contacts.saturating_mul(2).max(2));
            if begun || risen || doubled {
                case.told = Some((case.detection.level, case.contacts));
                case.untold = false;
                told.push(case.detection.clone());
            }
        }
        told.into_iter().for_each(|detection| self.tell(detection));
    }

    fn tell(&mut self, detection: Detection) {
        if self.told.len() < WAITING {
            self.told.push(detection);
        } else {
            self.shed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::Nanos;
    use crate::detect::{Machine, Site};
    use crate::model::Evidence;

    fn seen(kind: Kind, contacts: u64, host: u8) -> Detection {
        let machine = Machine { ip: Some([10, 0, 0, host].into()), ..Machine::default() };
        let level = level::first(kind);
        Detection { kind, level, cleared: false, machine, first: Nanos(1), last: Nanos(2), contacts, evidence: Evidence::new() }
    }

    fn cases() -> (Cases, Sight) {
        (Cases::new(Levels::default(), 16), Sight::new(Site::default(), 0))
    }

    #[test]
    fn it_is_told_once_then_when_it_doubles_then_when_it_ends() {
        let (mut cases, sight) = cases();
        for contacts in 15..=29 {
            cases.note(seen(Kind::IcmpSweep, contacts, 1), 5, &sight);
        }
        assert_eq!(cases.take().len(), 1);
        cases.note(seen(Kind::IcmpSweep, 30, 1), 6, &sight);
        let grown = cases.take();
        assert_eq!((grown.len(), grown[0].level), (1, Level::Virus));
        cases.pulse(6 + 599);
        assert!(cases.take().is_empty());
        cases.pulse(6 + 600);
        let ended = cases.take();
        assert!(ended.len() == 1 && ended[0].cleared);
        cases.note(seen(Kind::IcmpSweep, 15, 1), 700, &sight);
        assert_eq!(cases.take().len(), 1, "a new beginning is told");
    }

    #[test]
    fn two_independent_rules_are_reason_to_block_both() {
        let (mut cases, sight) = cases();
        cases.note(seen(Kind::TcpScan, 9, 1), 5, &sight);
        cases.note(seen(Kind::ArpSweep, 61, 1), 5, &sight);
        cases.note(seen(Kind::ArpSweep, 61, 2), 5, &sight);
        let told = cases.take();
        let highest = |kind, host: u8| {
            let ip = Some([10, 0, 0, host].into());
            told.iter().filter(|d| d.kind == kind && d.machine.ip == ip).map(|d| d.level).max()
        };
        assert_eq!(highest(Kind::TcpScan, 1), Some(Level::BlockWorthy));
        assert_eq!(highest(Kind::ArpSweep, 1), Some(Level::BlockWorthy));
        assert_eq!(highest(Kind::ArpSweep, 2), Some(Level::Suspect));
    }

    #[test]
    fn a_protected_machine_is_never_to_be_blocked_and_an_exempt_one_never_told() {
        let site = Site { servers: [[10, 0, 0, 1].into()].into(), exempt: [[10, 0, 0, 2].into()].into(), ..Site::default() };
        let (mut cases, sight) = (Cases::new(Levels::default(), 16), Sight::new(site, 0));
        for host in [1, 2] {
            cases.note(seen(Kind::TcpScan, 9, host), 5, &sight);
            cases.note(seen(Kind::Lateral, 25, host), 5, &sight);
        }
        let told = cases.take();
        assert!(!told.is_empty() && told.iter().all(|d| d.level < Level::BlockWorthy && d.machine.ip == Some([10, 0, 0, 1].into())));
    }

    #[test]
    fn no_more_stand_than_allowed() {
        let (mut cases, sight) = cases();
        for host in 0..40 {
            cases.note(seen(Kind::P2p, 9, host), 5, &sight);
        }
        assert_eq!((cases.take().len(), cases.shed()), (16, 24));
    }
}
