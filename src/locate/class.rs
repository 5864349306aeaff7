//! Which ports lead to other bridges: pure. Who is seen there is somewhere behind, not there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::table::{By, DeviceTables};
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
            known.macs.extend(tables.identity.macs.iter().map(|mac| (*mac, Arc::clone(device))));
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

/// The ports of a device that lead to other bridges, by ifIndex. `is_listed` says which the configuration names.
pub fn uplinks(tables: &DeviceTables, infrastructure: &Infrastructure, is_listed: &dyn Fn(&str, &str) -> bool) -> HashSet<u32> {
    let mut crowds: HashMap<u32, (HashSet<MacAddr>, HashSet<u32>)> = HashMap::new();
    let mut uplinks = HashSet::new();
    for seat in tables.seats.iter() {
        let (macs, vlans) = crowds.entry(seat.if_index).or_default();
        macs.insert(seat.mac);
        vlans.insert(seat.vlan);
        if infrastructure.device_of(seat.mac).is_some_and(|device| *device != tables.device) {
            uplinks.insert(seat.if_index);
        }
    }
    let crowd = |if_index: u32| crowds.get(&if_index).map_or(0, |(macs, _)| macs.len());
    uplinks.extend(crowds.iter().filter(|(_, (macs, vlans))| macs.len() > MANY || vlans.len() >= TRUNK_VLANS).map(|(port, _)| *port));
    let leads_on = |neighbour: &&super::Neighbour| {
        neighbour.by == By::Stp || infrastructure.neighbour(neighbour).is_some() || crowd(neighbour.if_index) > FEW
    };
    uplinks.extend(tables.neighbours.iter().filter(leads_on).map(|neighbour| neighbour.if_index));
    uplinks.extend(tables.ports.iter().filter(|(_, name)| is_listed(&tables.device, name)).map(|(if_index, _)| *if_index));
    // What is on no port at all is on none that leads anywhere.
    uplinks.insert(0);
    uplinks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::{Neighbour, Seat, table::Identity};
    use crate::model::{Timestamp, Zone};

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    fn seats(list: &[(u32, u32, u8)]) -> Arc<[Seat]> {
        let at = Timestamp::from_secs(1);
        list.iter().map(|&(if_index, vlan, last)| Seat { mac: mac(last), vlan, if_index, since: at, seen: at }).collect()
    }

    fn neighbour(if_index: u32, by: By, chassis: Option<&str>, name: Option<&str>) -> Neighbour {
        Neighbour { if_index, by, chassis: chassis.map(Into::into), name: name.map(Into::into), port: None }
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
