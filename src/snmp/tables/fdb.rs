//! The forwarding database: which MAC address was seen behind which port (Q-BRIDGE-MIB dot1qTpFdbTable, BRIDGE-MIB
//! dot1dTpFdbTable), and which interface a bridge port is (dot1dBasePortTable).

use std::collections::{HashMap, HashSet};

use super::number32;
use crate::model::MacAddr;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::Table;

/// On TP-Link JetStream the interface of bridge port p is 49152 + p, and dot1dBasePortTable does not say so.
const JETSTREAM_OFFSET: u32 = 49_152;

/// One learnt address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FdbEntry {
    /// The address.
    pub address: MacAddr,
    /// dot1qFdbId; `None` from BRIDGE-MIB, which knows no VLANs. On most devices it is the VLAN's number.
    pub fdb_id: Option<u32>,
    /// The VLAN whose database this is, where a device has one database per VLAN ([`super::cisco`]).
    pub vlan: Option<u32>,
    /// The bridge port, above 0.
    pub port: u32,
    /// 1 other, 2 invalid, 3 learned, 4 self, 5 mgmt.
    pub status: Option<u32>,
}

/// The columns of dot1qTpFdbTable: port, status.
pub fn q_bridge_columns() -> Vec<Oid> {
    super::columns(&mib::DOT1Q_TP_FDB_ENTRY, &[2, 3])
}

/// The columns of dot1dTpFdbTable: port, status.
pub fn bridge_columns() -> Vec<Oid> {
    super::columns(&mib::DOT1D_TP_FDB_ENTRY, &[2, 3])
}

/// The column dot1dBasePortIfIndex.
pub fn base_port_columns() -> Vec<Oid> {
    vec![mib::DOT1D_BASE_PORT_IF_INDEX.clone()]
}

/// Entries of dot1qTpFdbTable; the index is dot1qFdbId and the address.
pub fn q_bridge(table: &Table) -> Vec<FdbEntry> {
    let entry = |row: &crate::snmp::poll::table::TableRow| {
        let (&fdb_id, rest) = row.index.split_first()?;
        FdbEntry::new(rest, Some(fdb_id), number32(row, 0)?, number32(row, 1))
    };
    table.rows.iter().filter_map(entry).collect()
}

/// Entries of dot1dTpFdbTable; the index is the address.
pub fn bridge(table: &Table) -> Vec<FdbEntry> {
    table.rows.iter().filter_map(|row| FdbEntry::new(&row.index, None, number32(row, 0)?, number32(row, 1))).collect()
}

impl FdbEntry {
    /// Port 0 is an address whose port is not known; it tells nothing.
    fn new(address: &[u32], fdb_id: Option<u32>, port: u32, status: Option<u32>) -> Option<Self> {
        // Cisco CBS220 puts the length of the address before it.
        let address = match address {
            [6, rest @ ..] if rest.len() == 6 => rest,
            other => other,
        };
        let address: [u8; 6] = super::octets(address)?.try_into().ok()?;
        (port > 0).then_some(Self { address: MacAddr(address), fdb_id, vlan: None, port, status })
    }
}

/// Which interface a bridge port is.
#[derive(Clone, Debug, Default)]
pub struct BridgePorts {
    by_port: HashMap<u32, u32>,
    interfaces: HashSet<u32>,
}

impl BridgePorts {
    /// From dot1dBasePortIfIndex and the device's ifIndexes.
    pub fn new(table: &Table, interfaces: impl IntoIterator<Item = u32>) -> Self {
        let mut ports = Self { by_port: HashMap::new(), interfaces: interfaces.into_iter().collect() };
        ports.add(table);
        ports
    }

    /// Adds what the device says within a VLAN: Cisco IOS lists a bridge port only under a VLAN that it carries.
    pub fn add(&mut self, table: &Table) {
        let more = table.rows.iter().filter_map(|row| match *row.index {
            [port] => Some((port, number32(row, 0)?)),
            _ => None,
        });
        self.by_port.extend(more);
    }

    /// The bridge port of an interface: the number by which dot1qPvid and the port lists name it.
    pub fn port_of(&self, if_index: u32) -> Option<u32> {
        let said = self.by_port.iter().filter(|(_, said)| **said == if_index).map(|(port, _)| *port).min();
        said.or_else(|| Some(if_index).filter(|port| self.by_port.is_empty() && self.interfaces.contains(port)))
    }

    /// The ifIndex of a bridge port: as the device says; where it says nothing, the interface of the same number.
    pub fn if_index(&self, port: u32) -> Option<u32> {
        let said = self.by_port.get(&port).copied().filter(|&if_index| if_index > 0);
        if let Some(if_index) = said
            && self.interfaces.contains(&if_index)
        {
            return Some(if_index);
        }
        let jetstream = port.checked_add(JETSTREAM_OFFSET).filter(|if_index| self.interfaces.contains(if_index));
        jetstream.or(said).or_else(|| Some(port).filter(|port| self.by_port.is_empty() && self.interfaces.contains(port)))
    }
}
