//! How the ports of a device are set up: VLANs with their ports, trunks, bundles, the way to the root of the spanning tree.
//! It is read now and then only, as it hardly changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::snmp::tables::reading::Seen;

/// The setup of one device.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// The names of its VLANs, by number; empty where one has none.
    pub vlans: BTreeMap<u32, Arc<str>>,
    /// Its ports, by ifIndex.
    pub ports: BTreeMap<u32, PortLayout>,
    /// The ifIndex of the port that leads to the root of the spanning tree.
    pub root_port: Option<u32>,
    /// The VLAN of a filtering database, where the numbers differ.
    pub databases: BTreeMap<u32, u32>,
}

/// The setup of one port.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PortLayout {
    /// The number by which the bridge calls it; `None` where it is no port of the bridge.
    pub bridge_port: Option<u32>,
    /// The VLAN of frames without a tag.
    pub pvid: Option<u32>,
    /// The VLANs whose frames leave with a tag.
    pub tagged: BTreeSet<u32>,
    /// The VLANs whose frames leave without one.
    pub untagged: BTreeSet<u32>,
    /// The device says that it is a trunk.
    pub is_trunk: bool,
    /// The ifIndex of the bundle that it is part of.
    pub bundle: Option<u32>,
    /// It is a bundle of others.
    pub is_bundle: bool,
}

impl Layout {
    /// Out of a reading that asked for it. The port to the root is asked for each time.
    pub(super) fn next(before: &Arc<Self>, seen: &Seen) -> Arc<Self> {
        let root_port =
            if seen.holes.own { before.root_port } else { seen.own.root_port.and_then(|port| seen.bridge_ports.if_index(port)) };
        if seen.layout.is_none() || seen.holes.layout || seen.holes.fdb {
            if before.root_port == root_port {
                return Arc::clone(before);
            }
            return Arc::new(Self { root_port, ..Self::clone(before) });
        }
        Arc::new(Self { root_port, ..Self::of(seen) })
    }

    fn of(seen: &Seen) -> Self {
        let mut layout = Self::default();
        let bridge = &seen.bridge_ports;
        let said = seen.layout.as_ref();
        for (port, pvid) in said.iter().flat_map(|said| &said.pvids) {
            if let Some(if_index) = bridge.if_index(*port) {
                let of = layout.ports.entry(if_index).or_default();
                (of.pvid, of.bridge_port) = (Some(*pvid).filter(|pvid| *pvid > 0), Some(*port));
            }
        }
        for (if_index, vlan) in said.iter().flat_map(|said| &said.access) {
            layout.ports.entry(*if_index).or_default().pvid = Some(*vlan).filter(|vlan| *vlan > 0);
        }
        for vlan in &seen.vlans {
            let name = vlan.name.as_ref().map_or("", |name| name.as_str().trim());
            layout.vlans.insert(vlan.number, name.into());
            for port in &vlan.egress {
                let Some(if_index) = bridge.if_index(*port) else { continue };
                let of = layout.ports.entry(if_index).or_default();
                of.bridge_port = Some(*port);
                let list = if vlan.untagged.contains(port) { &mut of.untagged } else { &mut of.tagged };
                list.insert(vlan.number);
            }
        }
        for if_index in said.iter().flat_map(|said| &said.trunks) {
            layout.ports.entry(*if_index).or_default().is_trunk = true;
        }
        for (member, bundle) in said.iter().flat_map(|said| &said.bundles) {
            layout.ports.entry(*member).or_default().bundle = Some(*bundle);
            layout.ports.entry(*bundle).or_default().is_bundle = true;
        }
        let mut users: HashMap<u32, Vec<u32>> = HashMap::new();
        for vlan in &seen.vlans {
            users.entry(vlan.fdb_id.unwrap_or(vlan.number)).or_default().push(vlan.number);
        }
        // A database that several VLANs share says nothing about the VLAN.
        let single = users.into_iter().filter_map(|(database, vlans)| match *vlans {
            [vlan] if vlan != database => Some((database, vlan)),
            _ => None,
        });
        layout.databases = single.collect();
        layout
    }

    /// The VLAN of a filtering database: on most devices the numbers are the same.
    pub fn vlan_of(&self, fdb_id: u32) -> u32 {
        self.databases.get(&fdb_id).copied().unwrap_or(fdb_id)
    }

    /// The ports that carry the frames of this one: itself, and the members of the bundle that it is.
    pub fn carriers(&self, if_index: u32) -> impl Iterator<Item = u32> + '_ {
        let members = self.ports.iter().filter(move |(_, port)| port.bundle == Some(if_index)).map(|(member, _)| *member);
        std::iter::once(if_index).chain(members)
    }
}
