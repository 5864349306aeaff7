//! Which ports lead to other bridges: pure. Who is seen there is somewhere behind, not there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::merge::is_station;
use super::table::{By, DeviceTables, Seat};
use crate::model::MacAddr;

/// A port with a neighbour that nobody polls leads on when more than so many sit behind it: a telephone has one or two.
const FEW: usize = 8;
/// So many sit behind no socket of a room.
const MANY: usize = 256;
/// A port on which machines of so many VLANs are seen is a trunk: telephone and computer are two.
const TRUNK_VLANS: usize = 3;

/// All MAC addresses, chassis identifiers and names of the devices that are watched.
#[derive(Clone, Debug, Default)]
pub struct Infrastructure {
    macs: HashMap<MacAddr, Arc<str>>,
    names: HashMap<Arc<str>, Arc<str>>,
}

impl Infrastructure {
    /// Of these devices; `said` gives the name that a device calls itself (sysName).
    pub fn new(all: &[Arc<DeviceTables>], said: &dyn Fn(&str) -> Option<Arc<str>>) -> Self {
        let mut known = Self::default();
        for tables in all {
            let device = &tables.device;
            known.macs.extend(tables.identity.macs.iter().filter(|mac| is_station(**mac)).map(|mac| (*mac, Arc::clone(device))));
            known.names.extend(tables.identity.chassis.iter().map(|chassis| (Arc::clone(chassis), Arc::clone(device))));
            known.names.insert(Arc::clone(device), Arc::clone(device));
            known.names.extend(said(device).map(|name| (name, Arc::clone(device))));
        }
        known
    }

    /// The device that has this MAC address.
    pub fn device_of(&self, mac: MacAddr) -> Option<&Arc<str>> {
        self.macs.get(&mac)
    }

    /// The device that a neighbour is, by its chassis or its name. CDP writes a domain or a serial number behind names.
    pub fn neighbour(&self, neighbour: &super::Neighbour) -> Option<&Arc<str>> {
        let by_chassis = neighbour
            .chassis
            .as_deref()
            .and_then(|chassis| self.names.get(chassis).or_else(|| chassis.parse().ok().and_then(|mac: MacAddr| self.macs.get(&mac))));
        let name = || neighbour.name.as_deref().map(|name| name.split(['.', '(']).next().unwrap_or(name));
        by_chassis.or_else(|| self.names.get(neighbour.name.as_deref()?)).or_else(|| self.names.get(name()?))
    }
}

/// Why a port leads on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The configuration names it.
    Listed,
    /// The address of another watched device is behind it.
    Behind(Arc<str>),
    /// A watched device says that it is the neighbour there.
    Neighbour(Arc<str>),
    /// Another bridge is heard there by spanning tree.
    Bridge,
    /// Too many addresses for a room.
    Crowd,
    /// Addresses of several VLANs.
    Vlans,
    /// A neighbour that nobody watches, with more behind it than it can be itself.
    Unwatched,
    /// It is no interface at all.
    Nowhere,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed => f.write_str("named in the configuration"),
            Self::Behind(device) => write!(f, "{device} is behind it"),
            Self::Neighbour(device) => write!(f, "{device} says that it is the neighbour"),
            Self::Bridge => f.write_str("another bridge is heard by spanning tree"),
            Self::Crowd => f.write_str("too many addresses for a room"),
            Self::Vlans => f.write_str("addresses of several VLANs"),
            Self::Unwatched => f.write_str("a neighbour that nobody watches, with more behind it"),
            Self::Nowhere => f.write_str("no interface"),
        }
    }
}

/// Who is behind one port.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crowd {
    /// The addresses.
    pub macs: BTreeSet<MacAddr>,
    /// Their VLANs.
    pub vlans: BTreeSet<u32>,
    /// Another watched device among them.
    pub device: Option<Arc<str>>,
}

impl Crowd {
    /// Behind one port of a device.
    pub fn of(tables: &DeviceTables, infrastructure: &Infrastructure, if_index: u32) -> Self {
        let mut crowd = Self::default();
        tables.seats.iter().filter(|seat| seat.if_index == if_index).for_each(|seat| crowd.add(seat, tables, infrastructure));
        crowd
    }

    fn add(&mut self, seat: &Seat, tables: &DeviceTables, infrastructure: &Infrastructure) {
        if let Some(device) = infrastructure.device_of(seat.mac) {
            if *device == tables.device {
                return;
            }
            self.device = Some(Arc::clone(device));
        }
        self.macs.insert(seat.mac);
        self.vlans.insert(seat.vlan);
    }

    /// Why this port leads on to other bridges; nothing where it does not.
    pub fn leads_on(
        &self,
        tables: &DeviceTables,
        infrastructure: &Infrastructure,
        is_listed: &dyn Fn(&str, &str) -> bool,
        if_index: u32,
    ) -> Vec<Why> {
        // What is on no port at all is on none that leads anywhere.
        if if_index == 0 {
            return vec![Why::Nowhere];
        }
        let mut why = Vec::new();
        if tables.ports.get(&if_index).is_some_and(|name| is_listed(&tables.device, name)) {
            why.push(Why::Listed);
        }
        why.extend(self.device.clone().map(Why::Behind));
        // Neighbours are heard on the members of a bundle, addresses are learnt on the bundle.
        let carriers: Vec<u32> = tables.layout.carriers(if_index).collect();
        for neighbour in tables.neighbours.iter().filter(|neighbour| carriers.contains(&neighbour.if_index)) {
            match infrastructure.neighbour(neighbour) {
                _ if neighbour.by == By::Stp => why.push(Why::Bridge),
                Some(device) => why.push(Why::Neighbour(Arc::clone(device))),
                None if self.macs.len() > FEW => why.push(Why::Unwatched),
                None => {}
            }
        }
        if self.macs.len() > MANY {
            why.push(Why::Crowd);
        }
        if self.vlans.len() >= TRUNK_VLANS {
            why.push(Why::Vlans);
        }
        why.dedup();
        why
    }
}

/// The ports of a device that lead to other bridges, by ifIndex. `is_listed` says which the configuration names.
pub fn uplinks(tables: &DeviceTables, infrastructure: &Infrastructure, is_listed: &dyn Fn(&str, &str) -> bool) -> HashSet<u32> {
    let mut crowds: HashMap<u32, Crowd> = HashMap::new();
    for seat in tables.seats.iter() {
        crowds.entry(seat.if_index).or_default().add(seat, tables, infrastructure);
    }
    let told = tables.neighbours.iter().map(|neighbour| neighbour.if_index).chain(tables.ports.keys().copied());
    for if_index in told.chain([0]) {
        crowds.entry(if_index).or_default();
    }
    let leads = |(if_index, crowd): &(u32, Crowd)| !crowd.leads_on(tables, infrastructure, is_listed, *if_index).is_empty();
    crowds.into_iter().filter(leads).map(|(if_index, _)| if_index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::{Neighbour, table::Identity};
    use crate::model::{Timestamp, Zone};

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    fn seats(list: &[(u32, u32, u8)]) -> Arc<[Seat]> {
        let at = Timestamp::from_secs(1);
        list.iter().map(|&(if_index, vlan, last)| Seat { mac: mac(last), vlan, if_index, since: at, seen: at }).collect()
    }

    fn neighbour(if_index: u32, by: By, chassis: Option<&str>, name: Option<&str>) -> Neighbour {
        Neighbour {
            if_index,
            by,
            chassis: chassis.map(Into::into),
            name: name.map(Into::into),
            port: None,
            capabilities: Default::default(),
        }
    }

    #[test]
    fn ports_that_lead_on_are_told_from_sockets() {
        let core = Identity { macs: vec![mac(200)], chassis: Some("02:00:00:00:00:c9".into()), ..Identity::default() };
        let core = DeviceTables { identity: Arc::new(core), ..DeviceTables::empty("core".into(), Zone::Outer) };
        let mut rows = vec![(1, 10, 1), (1, 20, 2), (2, 10, 200), (3, 10, 3), (3, 20, 4), (3, 30, 5), (7, 10, 250)];
        rows.extend((0..9).map(|n| (6, 10, 100 + n)));
        let own = Identity { macs: vec![mac(250)], ..Identity::default() };
        let switch = DeviceTables {
            seats: seats(&rows),
            identity: Arc::new(own),
            ports: Arc::new(HashMap::from([(9, Arc::from("Gi0/9"))])),
            neighbours: [
                neighbour(1, By::Lldp, Some("phone"), Some("SEP0011")),
                neighbour(4, By::Stp, Some("02:00:00:00:00:aa"), None),
                neighbour(5, By::Cdp, None, Some("core.example.edu.cn(FOX1)")),
                neighbour(6, By::Lldp, Some("unknown"), Some("ap-7")),
                neighbour(8, By::Lldp, Some("02:00:00:00:00:c8"), None),
            ]
            .into(),
            ..DeviceTables::empty("sw".into(), Zone::Outer)
        };
        let all = [Arc::new(core), Arc::new(switch.clone())];
        let found = uplinks(&switch, &Infrastructure::new(&all, &|_| None), &|device, port| (device, port) == ("sw", "Gi0/9"));
        let mut found: Vec<u32> = found.into_iter().collect();
        found.sort_unstable();
        assert_eq!(found, [0, 2, 3, 4, 5, 6, 8, 9], "a telephone, a socket, and its own address are no uplinks");
    }
}
