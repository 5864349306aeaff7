//! Neighbours by CDP: cdpCacheTable (CISCO-CDP-MIB). Its index begins with the local interface itself.

use super::capability::Capabilities;
use super::number32;
use crate::model::DeviceText;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// One neighbour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CdpEntry {
    /// The local ifIndex.
    pub if_index: u32,
    /// cdpCacheDeviceId: its name, with its domain or serial number behind it on some devices.
    pub name: DeviceText,
    /// cdpCacheDevicePort.
    pub port: Option<DeviceText>,
    /// cdpCacheNativeVLAN.
    pub native_vlan: Option<u32>,
    /// cdpCacheCapabilities.
    pub capabilities: Capabilities,
}

/// The columns: device, port, native VLAN, capabilities.
pub fn columns() -> Vec<Oid> {
    super::columns(&mib::CDP_CACHE_ENTRY, &[6, 7, 11, 9])
}

/// The rows of cdpCacheTable; the index is ifIndex and a running number.
pub fn neighbours(table: &Table) -> Vec<CdpEntry> {
    let text = |row: &TableRow, column| row.cell(column).and_then(Kept::octets).map(DeviceText::decode);
    let entry = |row: &TableRow| {
        let [if_index, _] = *row.index else { return None };
        let capabilities = row.cell(3).and_then(Kept::octets).map(Capabilities::cdp).unwrap_or_default();
        Some(CdpEntry { if_index, name: text(row, 0)?, port: text(row, 1), native_vlan: number32(row, 2), capabilities })
    };
    table.rows.iter().filter_map(entry).collect()
}
