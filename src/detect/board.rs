//! What pages and programs read of the machines: a table of now that the one who judges renews every few seconds. Readers
//! never wait, and never make anybody wait.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::class;
use super::detection::{Detection, Machine, MachineKey};
use super::portrait::Portrait;
use super::standing::Known;

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

    /// Who has how much of which class of traffic; empty as long as nothing was captured.
    pub fn traffic(&self) -> Arc<class::Report> {
        self.traffic.load_full()
    }

    /// The machine with this address. Of several that have had an IP address the one that had it last.
    pub fn machine(&self, key: MachineKey) -> Option<Arc<Portrait>> {
        let machines = self.machines.load();
        let had = |portrait: &Arc<Portrait>| {
            let own = portrait.addresses.iter().find(|(ip, _)| MachineKey::Ip(*ip) == key);
            own.map(|(_, at)| *at)
        };
        let by_key = machines.iter().find(|portrait| portrait.key == key);
        let by_ip = || machines.iter().filter(|portrait| had(portrait).is_some()).max_by_key(|portrait| had(portrait));
        by_key.or_else(by_ip).cloned()
    }

    /// What is held against a machine, by any of its addresses; the weightiest first.
    pub fn held_against(&self, key: MachineKey) -> Vec<Arc<Detection>> {
        let portrait = self.machine(key);
        let is_it = |detection: &Arc<Detection>| {
            let machine = &detection.machine;
            let keys = [machine.mac.map(MachineKey::Mac), machine.ip.map(MachineKey::Ip)];
            keys.into_iter().flatten().any(|own| own == key)
                || machine.key().is_some_and(|own| portrait.as_ref().is_some_and(|portrait| portrait.key == own))
        };
        let mut held: Vec<Arc<Detection>> = self.held.load().iter().filter(|detection| is_it(detection)).cloned().collect();
        held.sort_by_key(|detection| (detection.cleared, std::cmp::Reverse(detection.level), detection.kind));
        held
    }

    /// The port that a machine is behind.
    pub fn port(&self, machine: &Machine) -> Option<(Arc<str>, Arc<str>)> {
        self.surroundings.load().as_ref()?.port(machine)
    }

    /// What the site holds a machine to be.
    pub fn known(&self, machine: &Machine) -> Known {
        self.surroundings.load().as_ref().map(|surroundings| surroundings.known(machine)).unwrap_or_default()
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
        let seen: HashSet<IpAddr> = mirrored.iter().flat_map(|portrait| portrait.addresses.iter().map(|(ip, _)| *ip)).collect();
        let is_other = |portrait: &&Arc<Portrait>| !portrait.addresses.iter().any(|(ip, _)| seen.contains(ip));
        let all = mirrored.iter().chain(flows.iter().filter(is_other)).cloned().collect();
        self.machines.store(Arc::new(all));
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
    use crate::capture::packet::Nanos;
    use crate::detect::portrait::Portraits;
    use crate::model::MacAddr;

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
}
