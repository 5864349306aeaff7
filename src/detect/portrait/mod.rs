//! What is remembered of each machine besides the judgement: addresses, names, how many contacts it made in each five
//! minutes of the last day, and a sample of whom it turned to. Bounded by construction: [`MOST`] machines of some
//! kilobytes each; whoever was not seen for a while makes room.
//!
//! The [`Onlooker`] tells each first contact and its outcome; [`Portraits::snapshot`] is cheap enough for every few seconds,
//! because what has not changed since is shared.

mod onlooker;
mod past;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::detection::{Machine, MachineKey};
use crate::capture::packet::Nanos;

pub use onlooker::Onlooker;
pub use past::{Past, SLOT_S, SLOTS, Slot};

/// Machines remembered at most.
pub const MOST: usize = 4096;
/// A machine that was seen within so many seconds does not make room for another.
const FRESH_S: u64 = 300;
/// A target stays in the sample for so many seconds at least.
const SHOWN_S: u64 = 60;
/// How many candidates are asked when room is needed.
const LOOKED_AT: usize = 16;
/// Addresses, names, targets and ports of one machine at most.
const ADDRESSES: usize = 8;
const NAMES: usize = 4;
/// See [`ADDRESSES`].
pub const TARGETS: usize = 48;
/// See [`ADDRESSES`].
pub const PORTS: usize = 12;
/// The longest name, in characters.
const LONGEST: usize = 64;

/// By which means a machine turns to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Way {
    /// A TCP connection.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP echo.
    Icmp,
    /// An ARP request.
    Arp,
}

impl Way {
    /// The word for pages and API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Arp => "arp",
        }
    }
}

/// What a machine wants of another: the way and the port (0 where there are none).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Service {
    /// The way.
    pub way: Way,
    /// The destination port.
    pub port: u16,
}

/// How often, and with which success.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// First contacts.
    pub contacts: u32,
    /// Those that were refused or not answered.
    pub failed: u32,
    /// Those that were answered.
    pub answered: u32,
}

impl Tally {
    const fn count(&mut self, outcome: Option<bool>) {
        let counter = match outcome {
            None => &mut self.contacts,
            Some(true) => &mut self.answered,
            Some(false) => &mut self.failed,
        };
        *counter = counter.saturating_add(1);
    }
}

/// One whom a machine turned to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Who.
    pub ip: IpAddr,
    /// For what.
    pub service: Service,
    /// How often.
    pub tally: Tally,
    /// When last.
    pub last: Nanos,
}

/// Who told a name. The more trustworthy come later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum NameSource {
    /// The machine itself, in a DHCP request (option 12).
    Dhcp,
    /// The machine itself, by multicast DNS (RFC 6762).
    Mdns,
    /// The machine itself, by LLMNR (RFC 4795).
    Llmnr,
    /// The machine itself, by NetBIOS (RFC 1002).
    Netbios,
}

impl NameSource {
    /// The word for pages and API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dhcp => "dhcp",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Netbios => "netbios",
        }
    }
}

/// One machine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Portrait {
    /// What it is known by.
    pub key: MachineKey,
    /// Its VLAN identifier, as last seen.
    pub vlan: Option<u16>,
    /// Its addresses with when each was last seen, the newest first.
    pub addresses: Vec<(IpAddr, Nanos)>,
    /// What it calls itself.
    pub names: Vec<(NameSource, Arc<str>)>,
    /// When it was first seen since the start.
    pub first: Nanos,
    /// When it was last seen.
    pub last: Nanos,
    /// All of it.
    pub total: Tally,
    /// The last day in slots of five minutes.
    pub past: Past,
    /// A sample of whom it turned to, from many ports rather than from the busiest one alone.
    pub targets: Vec<Target>,
    /// By service, the busiest kept.
    pub services: Vec<(Service, Tally)>,
}

impl Portrait {
    fn new(key: MachineKey, at: Nanos) -> Self {
        Self {
            key,
            vlan: None,
            addresses: Vec::new(),
            names: Vec::new(),
            first: at,
            last: at,
            total: Tally::default(),
            past: Past::default(),
            targets: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Its addresses of now.
    pub fn machine(&self) -> Machine {
        let ip = self.addresses.first().map(|(ip, _)| *ip);
        match self.key {
            MachineKey::Mac(mac) => Machine { ip, mac: Some(mac), vlan: self.vlan },
            MachineKey::Ip(own) => Machine { ip: Some(own), mac: None, vlan: self.vlan },
        }
    }

    /// Whether this address is one of its own.
    pub fn is(&self, key: MachineKey) -> bool {
        self.key == key || matches!(key, MachineKey::Ip(ip) if self.addresses.iter().any(|(own, _)| *own == ip))
    }

    fn see(&mut self, machine: &Machine, at: Nanos) {
        self.last = self.last.max(at);
        self.vlan = machine.vlan.or(self.vlan);
        let Some(ip) = machine.ip else { return };
        match self.addresses.iter_mut().find(|(own, _)| *own == ip) {
            Some((_, last)) => *last = at,
            None => {
                self.addresses.truncate(ADDRESSES - 1);
                self.addresses.push((ip, at));
            }
        }
        self.addresses.sort_by_key(|(_, last)| std::cmp::Reverse(*last));
    }

    fn count(&mut self, ip: IpAddr, service: Service, outcome: Option<bool>, at: Nanos) {
        self.total.count(outcome);
        self.past.count(ip, outcome, at);
        self.serve(service, outcome);
        if let Some(target) = self.targets.iter_mut().find(|target| target.ip == ip && target.service == service) {
            target.tally.count(outcome);
            target.last = at;
            return;
        }
        // An outcome of a target that has made room is in the sums; it does not come back for it.
        if outcome.is_some() {
            return;
        }
        if self.targets.len() >= TARGETS && !self.make_room(at) {
            return;
        }
        let tally = Tally { contacts: 1, ..Tally::default() };
        self.targets.push(Target { ip, service, tally, last: at });
    }

    fn serve(&mut self, service: Service, outcome: Option<bool>) {
        if let Some((_, tally)) = self.services.iter_mut().find(|(own, _)| *own == service) {
            tally.count(outcome);
            return;
        }
        if outcome.is_some() {
            return;
        }
        if self.services.len() >= PORTS
            && let Some(least) = self.services.iter().enumerate().min_by_key(|(_, (_, tally))| tally.contacts).map(|(place, _)| place)
        {
            self.services.swap_remove(least);
        }
        self.services.push((service, Tally { contacts: 1, ..Tally::default() }));
    }

    /// The oldest target of the service that has most of them goes, once it has been shown for a while: a fast scan would
    /// leave none in the sample for long enough to learn its outcome.
    fn make_room(&mut self, at: Nanos) -> bool {
        let of = |service: Service| self.targets.iter().filter(|target| target.service == service).count();
        let crowded = self.targets.iter().map(|target| (of(target.service), target.service)).max().map(|(_, service)| service);
        let oldest = self.targets.iter().enumerate().filter(|(_, target)| Some(target.service) == crowded);
        let oldest = oldest.min_by_key(|(_, target)| target.last).map(|(place, target)| (place, target.last));
        let Some((place, _)) = oldest.filter(|(_, last)| at.since(*last) >= SHOWN_S * 1_000_000_000) else { return false };
        self.targets.swap_remove(place);
        true
    }
}

/// All machines.
#[derive(Debug)]
pub struct Portraits {
    most: usize,
    all: HashMap<MachineKey, Arc<Portrait>>,
    /// Everybody once, in the order in which they are asked to make room.
    turn: VecDeque<MachineKey>,
    shed: u64,
}

impl Default for Portraits {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Portraits {
    /// Of `most` machines.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), all: HashMap::new(), turn: VecDeque::new(), shed: 0 }
    }

    /// A machine turned to somebody for the first time in a while.
    pub fn contact(&mut self, machine: &Machine, target: IpAddr, service: Service, at: Nanos) {
        if let Some(portrait) = self.of(machine, at) {
            portrait.see(machine, at);
            portrait.count(target, service, None, at);
        }
    }

    /// What became of a contact that was told before.
    pub fn outcome(&mut self, machine: &Machine, target: IpAddr, service: Service, is_answered: bool, at: Nanos) {
        if let Some(portrait) = self.known(machine) {
            portrait.count(target, service, Some(is_answered), at);
        }
    }

    /// A machine was seen with these addresses.
    pub fn seen(&mut self, machine: &Machine, at: Nanos) {
        if let Some(portrait) = self.of(machine, at) {
            portrait.see(machine, at);
        }
    }

    /// A machine called itself so.
    pub fn named(&mut self, machine: &Machine, source: NameSource, name: &str, at: Nanos) {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let Some(portrait) = self.of(machine, at).filter(|_| !name.is_empty()) else { return };
        if portrait.names.iter().any(|(own, known)| *own == source && **known == *name) {
            return;
        }
        portrait.names.retain(|(own, _)| *own != source);
        portrait.names.truncate(NAMES - 1);
        portrait.names.push((source, name.into()));
    }

    /// Goes on with machines that were known before a restart, the newest first when there is no room for all.
    pub fn restore(&mut self, mut machines: Vec<Arc<Portrait>>) {
        machines.sort_by_key(|portrait| std::cmp::Reverse(portrait.last));
        machines.truncate(self.most);
        for portrait in machines {
            self.turn.push_front(portrait.key);
            self.all.insert(portrait.key, portrait);
        }
    }

    /// Machines that found no room.
    pub const fn shed(&self) -> u64 {
        self.shed
    }

    /// Everybody as they are now.
    pub fn snapshot(&self) -> Vec<Arc<Portrait>> {
        self.all.values().cloned().collect()
    }

    fn known(&mut self, machine: &Machine) -> Option<&mut Portrait> {
        self.all.get_mut(&machine.key()?).map(Arc::make_mut)
    }

    fn of(&mut self, machine: &Machine, at: Nanos) -> Option<&mut Portrait> {
        let key = machine.key()?;
        if !self.all.contains_key(&key) {
            if self.all.len() >= self.most && !self.evict(at) {
                self.shed += 1;
                return None;
            }
            self.turn.push_back(key);
        }
        Some(Arc::make_mut(self.all.entry(key).or_insert_with(|| Arc::new(Portrait::new(key, at)))))
    }

    /// Makes room, if one of the next candidates was not seen for a while.
    fn evict(&mut self, at: Nanos) -> bool {
        for _ in 0..LOOKED_AT {
            let Some(key) = self.turn.pop_front() else { return false };
            let is_stale = |portrait: &Arc<Portrait>| at.since(portrait.last) > FRESH_S * 1_000_000_000;
            if self.all.get(&key).is_none_or(is_stale) {
                self.all.remove(&key);
                return true;
            }
            self.turn.push_back(key);
        }
        false
    }
}

#[cfg(test)]
mod tests;
