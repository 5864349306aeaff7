//! The VLANs of a switch: dot1qVlanCurrentTable and dot1qVlanStaticTable of Q-BRIDGE-MIB (RFC 4363).

use std::collections::BTreeMap;

use super::{number32, port_list};
use crate::model::DeviceText;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// One VLAN.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vlan {
    /// dot1qVlanIndex: the VLAN's number.
    pub number: u32,
    /// dot1qVlanStaticName.
    pub name: Option<DeviceText>,
    /// dot1qVlanFdbId: the forwarding database that it uses.
    pub fdb_id: Option<u32>,
    /// dot1qVlanStatus: 1 other, 2 permanent, 3 dynamicGvrp.
    pub status: Option<u32>,
    /// dot1qVlanStaticRowStatus: 1 active.
    pub row_status: Option<u32>,
    /// Bridge ports that are in the VLAN.
    pub egress: Vec<u32>,
    /// Bridge ports that send its frames without a tag.
    pub untagged: Vec<u32>,
}

/// The columns of dot1qVlanCurrentTable: FDB, egress ports, untagged ports, status.
pub fn current_columns() -> Vec<Oid> {
    super::columns(&mib::DOT1Q_VLAN_CURRENT_ENTRY, &[3, 4, 5, 6])
}

/// The columns of dot1qVlanStaticTable: name, egress ports, untagged ports, row status.
pub fn static_columns() -> Vec<Oid> {
    super::columns(&mib::DOT1Q_VLAN_STATIC_ENTRY, &[1, 2, 4, 5])
}

/// Both tables put together, by the VLAN's number. The ports are those of the current table, where it has them.
pub fn vlans(current: &Table, fixed: &Table) -> Vec<Vlan> {
    let mut vlans: BTreeMap<u32, Vlan> = BTreeMap::new();
    let ports = |row: &TableRow, column| row.cell(column).and_then(Kept::octets).map(port_list);
    for row in &fixed.rows {
        let [number] = *row.index else { continue };
        let vlan = vlans.entry(number).or_insert_with(|| Vlan { number, ..Vlan::default() });
        vlan.name = row.cell(0).and_then(Kept::octets).map(DeviceText::decode);
        vlan.egress = ports(row, 1).unwrap_or_default();
        vlan.untagged = ports(row, 2).unwrap_or_default();
        vlan.row_status = number32(row, 3);
    }
    // The index of the current table begins with a time mark.
    for row in &current.rows {
        let [_, number] = *row.index else { continue };
        let vlan = vlans.entry(number).or_insert_with(|| Vlan { number, ..Vlan::default() });
        vlan.fdb_id = number32(row, 0);
        vlan.egress = ports(row, 1).unwrap_or_else(|| std::mem::take(&mut vlan.egress));
        vlan.untagged = ports(row, 2).unwrap_or_else(|| std::mem::take(&mut vlan.untagged));
        vlan.status = number32(row, 3);
    }
    vlans.into_values().collect()
}
