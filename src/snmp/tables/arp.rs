//! Which IP address has which MAC address: ipNetToMediaTable (IPv4) and ipNetToPhysicalTable (both families) of IP-MIB.

use std::net::IpAddr;

use super::number32;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// One entry of a device's neighbour cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArpEntry {
    /// The interface.
    pub if_index: u32,
    /// The IP address.
    pub address: IpAddr,
    /// The hardware address as sent.
    pub physical: Vec<u8>,
    /// 1 other, 2 invalid, 3 dynamic, 4 static (5 local).
    pub kind: Option<u32>,
    /// ipNetToPhysicalState: 1 reachable, 2 stale, 3 delay, 4 probe, 5 invalid, 6 unknown, 7 incomplete.
    pub state: Option<u32>,
}

/// The columns of ipNetToMediaTable: physical address, type.
pub fn media_columns() -> Vec<Oid> {
    super::columns(&mib::IP_NET_TO_MEDIA_ENTRY, &[2, 4])
}

/// The columns of ipNetToPhysicalTable: physical address, type, state.
pub fn physical_columns() -> Vec<Oid> {
    super::columns(&mib::IP_NET_TO_PHYSICAL_ENTRY, &[4, 6, 7])
}

/// Entries of ipNetToMediaTable; the index is ifIndex and the four octets of the address.
pub fn media(table: &Table) -> Vec<ArpEntry> {
    let entry = |row: &TableRow| {
        let (&if_index, address) = row.index.split_first()?;
        let address: [u8; 4] = super::octets(address)?.try_into().ok()?;
        ArpEntry::new(row, if_index, IpAddr::from(address), None)
    };
    table.rows.iter().filter_map(entry).collect()
}

/// Entries of ipNetToPhysicalTable; the index is ifIndex, the kind of address, its length and its octets. IPv4 and
/// IPv6 addresses with a zone (kinds 3 and 4) carry four more octets behind the address.
pub fn physical(table: &Table) -> Vec<ArpEntry> {
    let entry = |row: &TableRow| {
        let [if_index, kind, length, address @ ..] = &*row.index else { return None };
        if usize::try_from(*length).ok()? != address.len() {
            return None;
        }
        let octets = super::octets(address)?;
        let address = match (kind, octets.len()) {
            (1, 4) | (3, 8) => IpAddr::from(*octets.first_chunk::<4>()?),
            (2, 16) | (4, 20) => IpAddr::from(*octets.first_chunk::<16>()?),
            _ => return None,
        };
        ArpEntry::new(row, *if_index, address, number32(row, 2))
    };
    table.rows.iter().filter_map(entry).collect()
}

impl ArpEntry {
    fn new(row: &TableRow, if_index: u32, address: IpAddr, state: Option<u32>) -> Option<Self> {
        let physical = row.cell(0).and_then(Kept::octets).filter(|octets| !octets.is_empty())?.to_vec();
        Some(Self { if_index, address, physical, kind: number32(row, 1), state })
    }
}
