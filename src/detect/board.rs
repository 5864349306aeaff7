//! What pages and programs read of the machines: a table of now that the one who judges renews every few seconds. Readers
//! never wait, and never make anybody wait.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::class;
use super::detection::{Detection, Machine, MachineKey};
use super::kept;
use super::kind::Level;
use super::learn;
use super::portrait::Portrait;
use super::standing::Known;
use crate::capture::packet::Nanos;
use crate::model::Timestamp;

/// What the rest of the house knows of machines, from the tables of switches and routers and from the configuration.
pub trait Surroundings: Send + Sync {
    /// The access port that a machine is behind, as device and port; `None` when nobody knows.
    fn port(&self, machine: &Machine) -> Option<(Arc<str>, Arc<str>)>;

    /// What the site holds a machine to be, and who exempted it.
    fn known(&self, machine: &Machine) -> Known;
}

/// The table.
#[derive(Default)]
pub struct Board {
    machines: ArcSwap<Vec<Arc<Portrait>>>,
    sources: Mutex<[Arc<Vec<Arc<Portrait>>>; 2]>,
    held: ArcSwap<Vec<Arc<Detection>>>,
    learnt: ArcSwap<Vec<learn::Known>>,
    learners: Mutex<[Vec<learn::Known>; 2]>,
    traffic: ArcSwap<class::Report>,
    /// Whether a mirror port has shown traffic.
    mirrored: AtomicBool,
    surroundings: ArcSwapOption<Box<dyn Surroundings>>,
    shed: [AtomicU64; 4],
}

/// Where machines are seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// On mirror ports.
    Mirror,
    /// In flow records.
    Flows,
}

/// The bounded tables of detection, by the word of the exposition.
const TABLES: [&str; 4] = ["waiting", "ledger", "incidents", "machines"];

/// Where something found no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// Of what the engine said, on its way to the task.
    Waiting,
    /// The ledger.
    Ledger,
    /// On the way to the incidents.
    Incidents,
    /// The portraits.
    Machines,
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("machines", &self.machines.load().len())
            .field("held", &self.held.load().len())
            .finish_non_exhaustive()
    }
}

impl Board {
    /// Every machine that is remembered, in no order.
    pub fn machines(&self) -> Arc<Vec<Arc<Portrait>>> {
        self.machines.load_full()
    }

    /// Everything that is held against somebody, or was within the last day.
    pub fn held(&self) -> Arc<Vec<Arc<Detection>>> {
        self.held.load_full()
    }

    /// What the traffic showed machines to be.
    pub fn learnt(&self) -> Arc<Vec<learn::Known>> {
        self.learnt.load_full()
    }

    /// Who has how much of which class of traffic; empty as long as nothing was captured.
    pub fn traffic(&self) -> Arc<class::Report> {
        self.traffic.load_full()
    }

    /// The machine with this address. Of several that have had an IP address the one that had it last.
    pub fn machine(&self, key: MachineKey) -> Option<Arc<Portrait>> {
        kept::find(&self.machines.load(), key).cloned()
    }

    /// What is held against a machine, by any of its addresses; the weightiest first.
    pub fn held_against(&self, key: MachineKey) -> Vec<Arc<Detection>> {
        let own = self.machine(key).map(|portrait| portrait.key);
        let is_it = |detection: &&Arc<Detection>| kept::is_about(&detection.machine, key, own);
        let mut held: Vec<Arc<Detection>> = self.held.load().iter().filter(is_it).cloned().collect();
        held.sort_by_key(|detection| (detection.cleared, std::cmp::Reverse(detection.level), detection.kind));
        held
    }

    /// The port that a machine is behind.
    pub fn port(&self, machine: &Machine) -> Option<(Arc<str>, Arc<str>)> {
        self.surroundings.load().as_ref()?.port(machine)
    }

    /// What the site holds a machine to be, and what it was seen to be.
    pub fn known(&self, machine: &Machine, now: Timestamp) -> Known {
        let mut known = self.surroundings.load().as_ref().map(|surroundings| surroundings.known(machine)).unwrap_or_default();
        known.learnt = learn::held(&self.learnt.load(), machine, now.into()).cloned().collect();
        known
    }

    /// Whether a behaviour is excused by what the machine was seen to be: a weak one, and nothing else is held against it.
    pub fn excuses(&self, detection: &Detection, now: Timestamp) -> bool {
        let learnt = self.learnt.load();
        let mut roles = learn::held(&learnt, &detection.machine, now.into());
        let Some(role) = roles.find(|progress| progress.role.excuses().contains(&detection.kind)).map(|progress| progress.role) else {
            return false;
        };
        let Some(key) = detection.machine.key() else { return false };
        let weighs = |held: &Arc<Detection>| !held.cleared && held.level > Level::Label && !role.excuses().contains(&held.kind);
        !self.held_against(key).iter().any(weighs)
    }

    /// How much has found no room so far, in which table.
    pub fn set_shed(&self, table: Table, count: u64) {
        if let Some(shed) = self.shed.get(table as usize) {
            shed.store(count, Ordering::Relaxed);
        }
    }

    /// The same, to be told.
    pub fn shed(&self) -> [(&'static str, u64); 4] {
        let mut all = TABLES.map(|table| (table, 0));
        all.iter_mut().zip(&self.shed).for_each(|((_, count), shed)| *count = shed.load(Ordering::Relaxed));
        all
    }

    /// Whoever judges shows the machines as they are now. Of a machine that is seen on a mirror port flows say nothing new.
    pub fn show_machines(&self, source: Source, machines: Vec<Arc<Portrait>>) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = sources.get_mut(source as usize) {
            *place = Arc::new(machines);
        }
        let [mirrored, flows] = &*sources;
        if flows.is_empty() {
            self.machines.store(Arc::clone(mirrored));
            return;
        }
        // What was known by flows before a restart stands here until the flows tell of it anew.
        let told: HashMap<MachineKey, Nanos> = flows.iter().map(|portrait| (portrait.key, portrait.last)).collect();
        let is_old = |portrait: &&Arc<Portrait>| told.get(&portrait.key).is_some_and(|last| *last >= portrait.last);
        let mirrored: Vec<&Arc<Portrait>> = mirrored.iter().filter(|portrait| !is_old(portrait)).collect();
        let seen: HashSet<IpAddr> = mirrored.iter().flat_map(|portrait| portrait.addresses.iter().map(|(ip, _)| *ip)).collect();
        let is_other = |portrait: &&Arc<Portrait>| !portrait.addresses.iter().any(|(ip, _)| seen.contains(ip));
        let all = mirrored.iter().copied().chain(flows.iter().filter(is_other)).cloned().collect();
        self.machines.store(Arc::new(all));
    }

    /// Whoever judges shows what was learnt.
    pub fn show_learnt(&self, source: Source, learnt: Vec<learn::Known>) {
        let mut learners = self.learners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = learners.get_mut(source as usize) {
            *place = learnt;
        }
        let [mirror, flows] = &*learners;
        self.learnt.store(Arc::new(learn::together(&[mirror, flows])));
    }

    /// The addresses of those against whom something is held now.
    pub fn suspects(&self) -> HashSet<IpAddr> {
        let weighs = |held: &&Arc<Detection>| !held.cleared && held.level > Level::Label;
        self.held.load().iter().filter(weighs).filter_map(|held| held.machine.ip).collect()
    }

    /// Whoever takes in what is found shows what is held.
    pub fn show_held(&self, held: Vec<Arc<Detection>>) {
        self.held.store(Arc::new(held));
    }

    /// Whoever judges shows the classes of traffic. What a mirror port shows counts more than flows, which have no names.
    pub fn show_traffic(&self, source: Source, report: class::Report) {
        let is_mirrored = source == Source::Mirror && !report.hours.is_empty();
        if self.mirrored.fetch_or(is_mirrored, Ordering::Relaxed) && source == Source::Flows {
            return;
        }
        self.traffic.store(Arc::new(report));
    }

    /// From now on the rest of the house is asked here.
    pub fn set_surroundings(&self, surroundings: Box<dyn Surroundings>) {
        self.surroundings.store(Some(Arc::new(surroundings)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Kind;
    use crate::detect::learn::{Known, Progress, Role};
    use crate::detect::portrait::Portraits;
    use crate::model::{Evidence, MacAddr};

    fn machines(all: &[(Option<u8>, u8)]) -> Vec<Arc<Portrait>> {
        let mut portraits = Portraits::default();
        for (mac, ip) in all {
            let machine = Machine { ip: Some([10, 1, 0, *ip].into()), mac: mac.map(|last| MacAddr([0, 1, 2, 3, 4, last])), vlan: None };
            portraits.seen(&machine, Nanos(1));
        }
        portraits.snapshot()
    }

    #[test]
    fn machines_that_only_flows_know_stand_beside_those_of_the_mirror() {
        let board = Board::default();
        board.show_machines(Source::Flows, machines(&[(None, 1), (None, 2)]));
        board.show_machines(Source::Mirror, machines(&[(Some(1), 1), (Some(3), 3)]));
        let mut keys: Vec<String> = board.machines().iter().map(|portrait| portrait.key.to_string()).collect();
        keys.sort();
        assert_eq!(keys, ["00:01:02:03:04:01", "00:01:02:03:04:03", "10.1.0.2"]);
        assert!(board.machine("10.1.0.2".parse().unwrap()).is_some());
    }

    #[test]
    fn what_was_learnt_excuses_weak_kinds_of_those_against_whom_nothing_else_is_held() {
        let (board, day) = (Board::default(), 20_000);
        let server = Progress { role: Role::Server, days: 3, last: day - 1, facts: Evidence::new() };
        board.show_learnt(Source::Mirror, vec![Known { ip: [10, 1, 0, 1].into(), progress: vec![server.clone()] }]);
        board.show_learnt(Source::Flows, vec![Known { ip: [10, 1, 0, 2].into(), progress: vec![Progress { days: 2, ..server }] }]);
        let now = Timestamp::from_secs(i64::from(day) * 86_400);
        let held = |kind, last: u8| {
            let machine = Machine { ip: Some([10, 1, 0, last].into()), ..Machine::default() };
            let (first, level, evidence) = (Nanos(1), Level::Virus, Evidence::new());
            Detection { kind, level, cleared: false, machine, first, last: first, contacts: 25, evidence }
        };
        assert!(board.excuses(&held(Kind::Lateral, 1), now));
        assert!(!board.excuses(&held(Kind::TcpScan, 1), now), "outcomes excuse nobody");
        assert!(!board.excuses(&held(Kind::Lateral, 2), now), "two days are not enough");
        assert_eq!(board.known(&held(Kind::Lateral, 1).machine, now).learnt.len(), 1);
        board.show_held(vec![Arc::new(held(Kind::Lateral, 1)), Arc::new(held(Kind::TcpScan, 1))]);
        assert!(!board.excuses(&held(Kind::Lateral, 1), now), "a server that scans is ill");
        assert!(!board.suspects().is_empty());
    }
}
