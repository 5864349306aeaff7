//! The live table of who sits where: one immutable snapshot a device, replaced as a whole after each reading.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::model::{MacAddr, Timestamp, Zone};
use crate::snmp::tables::capability::Capabilities;

/// The most addresses that are kept of one forwarding database or one neighbour cache.
pub const MOST_ROWS: usize = 32_768;

/// MAC addresses by device and port.
pub type ByPort = HashMap<(Arc<str>, Arc<str>), HashSet<MacAddr>>;

/// An interface of a device, as far as the tables need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// ifIndex.
    pub if_index: u32,
    /// The port's name.
    pub name: Arc<str>,
    /// ifPhysAddress.
    pub mac: Option<MacAddr>,
}

/// A MAC address behind a port of a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// Who.
    pub mac: MacAddr,
    /// In which VLAN, or filtering database; 0 where the device does not say.
    pub vlan: u32,
    /// The port's ifIndex; 0 where the bridge port is no interface.
    pub if_index: u32,
    /// Since when it is seen there without a break.
    pub since: Timestamp,
    /// When it was last seen there.
    pub seen: Timestamp,
}

/// An IP address with the MAC address that a router has resolved it to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The IP address.
    pub address: IpAddr,
    /// The MAC address; `None` while nobody answers (incomplete).
    pub mac: Option<MacAddr>,
    /// The router's interface, by ifIndex.
    pub if_index: u32,
    /// Since when the pair is the same.
    pub since: Timestamp,
    /// When it was last in the cache.
    pub seen: Timestamp,
}

/// A neighbour by LLDP, CDP, or spanning tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Neighbour {
    /// Our port's ifIndex; 0 when it could not be told.
    pub if_index: u32,
    /// By which protocol: `lldp`, `cdp` or `stp`.
    pub by: By,
    /// Its chassis identifier; of spanning tree the designated bridge.
    pub chassis: Option<Arc<str>>,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its port.
    pub port: Option<Arc<str>>,
    /// What it says that it does.
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// The protocol that tells of a neighbour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// IEEE 802.1AB.
    Lldp,
    /// Cisco's own.
    Cdp,
    /// The designated bridge of IEEE 802.1D.
    Stp,
}

/// What a device says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Whether it is a router: ipForwarding.
    pub forwards: bool,
    /// Its addresses, with the MAC address of their interface.
    pub addresses: Vec<(IpAddr, Option<MacAddr>)>,
    /// Where its default routes lead.
    pub next_hops: Vec<IpAddr>,
    /// All MAC addresses that are its own: of the bridge, of LLDP, of its interfaces. Sorted.
    pub macs: Vec<MacAddr>,
    /// Its chassis identifier by LLDP, in the form that its neighbours show.
    pub chassis: Option<Arc<str>>,
    /// Serial numbers of its parts. Sorted.
    pub serials: Vec<Arc<str>>,
}

/// One device's tables at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceTables {
    /// The device's configured name.
    pub device: Arc<str>,
    /// Its side of the separated network.
    pub zone: Zone,
    /// When it was read.
    pub at: Timestamp,
    /// The names of its ports, by ifIndex.
    pub ports: Arc<HashMap<u32, Arc<str>>>,
    /// Its forwarding database, sorted by MAC address and VLAN.
    pub seats: Arc<[Seat]>,
    /// When the database was last read whole; `None` when it never was.
    pub seats_whole: Option<Timestamp>,
    /// Its neighbour cache, sorted by IP address.
    pub bindings: Arc<[Binding]>,
    /// When the cache was last read whole.
    pub bindings_whole: Option<Timestamp>,
    /// Its neighbours.
    pub neighbours: Arc<[Neighbour]>,
    /// What it says of itself.
    pub identity: Arc<Identity>,
    /// How its ports are set up.
    pub layout: Arc<Layout>,
    /// Rows that were too many to keep.
    pub shed: u64,
}

/// Where a MAC address was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The device.
    pub device: Arc<str>,
    /// The port's name.
    pub port: Arc<str>,
    /// Its ifIndex.
    pub if_index: u32,
    /// The VLAN, 0 where not told.
    pub vlan: u32,
    /// Since when.
    pub since: Timestamp,
    /// When it was last seen there.
    pub seen: Timestamp,
    /// How many MAC addresses were seen on that port: the fewer, the nearer.
    pub beside: usize,
}

impl DeviceTables {
    /// Nothing known yet.
    pub fn empty(device: Arc<str>, zone: Zone) -> Self {
        Self {
            device,
            zone,
            at: Timestamp::default(),
            ports: Arc::default(),
            seats: Arc::from([]),
            seats_whole: None,
            bindings: Arc::from([]),
            bindings_whole: None,
            neighbours: Arc::from([]),
            identity: Arc::default(),
            layout: Arc::default(),
            shed: 0,
        }
    }

    /// The name of a port; its ifIndex where it has none.
    pub fn port(&self, if_index: u32) -> Arc<str> {
        self.ports.get(&if_index).cloned().unwrap_or_else(|| format!("ifIndex {if_index}").into())
    }

    /// The seats of a MAC address.
    pub fn seats_of(&self, mac: MacAddr) -> &[Seat] {
        let from = self.seats.partition_point(|seat| seat.mac < mac);
        let rest = self.seats.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|seat| seat.mac == mac)).unwrap_or_default()
    }

    /// The entry of an IP address.
    pub fn binding_of(&self, address: IpAddr) -> Option<&Binding> {
        self.bindings.get(self.bindings.binary_search_by_key(&address, |binding| binding.address).ok()?)
    }
}

/// All devices.
#[derive(Debug, Default)]
pub struct Tables {
    devices: ArcSwap<HashMap<Arc<str>, Arc<DeviceTables>>>,
}

impl Tables {
    /// Those of the moment, in the order of their names.
    pub fn all(&self) -> Vec<Arc<DeviceTables>> {
        let mut all: Vec<_> = self.devices.load().values().cloned().collect();
        all.sort_by(|one, other| one.device.cmp(&other.device));
        all
    }

    /// One device's.
    pub fn of(&self, device: &str) -> Option<Arc<DeviceTables>> {
        self.devices.load().get(device).cloned()
    }

    /// Takes a new snapshot. There is one writer.
    pub fn put(&self, next: &Arc<DeviceTables>) {
        self.devices.rcu(|devices| {
            let mut devices = HashMap::clone(devices);
            devices.insert(Arc::clone(&next.device), Arc::clone(next));
            devices
        });
    }

    /// Forgets the devices that are not watched any more.
    pub fn keep_only(&self, wanted: &dyn Fn(&str) -> bool) {
        if self.devices.load().keys().all(|name| wanted(name)) {
            return;
        }
        self.devices.rcu(|devices| {
            let mut devices = HashMap::clone(devices);
            devices.retain(|name, _| wanted(name));
            devices
        });
    }

    /// Where a MAC address is seen, the nearest port (with the fewest others) first.
    pub fn places(&self, mac: MacAddr) -> Vec<Place> {
        places(&self.all(), mac)
    }

    /// The MAC addresses that routers have for an IP address, the latest first, with the router.
    pub fn bindings(&self, address: IpAddr) -> Vec<(Arc<str>, Binding)> {
        bindings(&self.all(), address)
    }
}

/// Where a MAC address is seen, the nearest port (with the fewest others) first.
pub fn places(all: &[Arc<DeviceTables>], mac: MacAddr) -> Vec<Place> {
    let mut places = Vec::new();
    for tables in all {
        for seat in tables.seats_of(mac) {
            let beside = tables.seats.iter().filter(|other| other.if_index == seat.if_index).count();
            let (device, port) = (Arc::clone(&tables.device), tables.port(seat.if_index));
            places.push(Place { device, port, if_index: seat.if_index, vlan: seat.vlan, since: seat.since, seen: seat.seen, beside });
        }
    }
    places.sort_by(|one, other| (one.beside, &one.device, &one.port).cmp(&(other.beside, &other.device, &other.port)));
    places
}

/// The MAC addresses that routers have for an IP address, the latest first, with the router.
pub fn bindings(all: &[Arc<DeviceTables>], address: IpAddr) -> Vec<(Arc<str>, Binding)> {
    let of = |tables: &Arc<DeviceTables>| Some((Arc::clone(&tables.device), *tables.binding_of(address)?));
    let mut found: Vec<_> = all.iter().filter_map(of).collect();
    found.sort_by_key(|(_, binding)| std::cmp::Reverse(binding.seen));
    found
}
