//! Cisco IOS: one forwarding database of BRIDGE-MIB per VLAN, asked for under the community `community@VLAN`, or in the
//! SNMPv3 context `vlan-VLAN` (CISCO-VTP-MIB vtpVlanTable, CISCO-VLAN-MEMBERSHIP-MIB vmMembershipTable).

use std::collections::BTreeSet;

use super::number32;
use super::vlan::Vlan;
use crate::model::DeviceText;
use crate::snmp::job::{Credentials, Secret};
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table};

/// vtpVlanState operational(1).
const OPERATIONAL: u32 = 1;
/// vtpVlanType ethernet(1); the others are FDDI and Token Ring, 1002 to 1005.
const ETHERNET: u32 = 1;

/// The columns of vtpVlanTable: state, type, name.
pub fn vlan_columns() -> Vec<Oid> {
    super::columns(&mib::VTP_VLAN_ENTRY, &[2, 3, 4])
}

/// The column vmVlan: the VLAN of each access port.
pub fn membership_columns() -> Vec<Oid> {
    super::columns(&mib::VM_MEMBERSHIP_ENTRY, &[2])
}

/// The Ethernet VLANs that are in use. The index is the VTP domain and the VLAN; in several domains it is one VLAN.
pub fn vlans(table: &Table) -> Vec<Vlan> {
    let mut numbers = BTreeSet::new();
    let in_use = |row: &&super::TableRow| number32(row, 0) == Some(OPERATIONAL) && number32(row, 1).is_none_or(|kind| kind == ETHERNET);
    let vlan = |row: &super::TableRow| match *row.index {
        [_, number @ 1..=4094] if numbers.insert(number) => {
            Some(Vlan { number, name: row.cell(2).and_then(Kept::octets).map(DeviceText::decode), ..Vlan::default() })
        }
        _ => None,
    };
    table.rows.iter().filter(in_use).filter_map(vlan).collect()
}

/// The VLANs whose databases are worth asking for: those with an access port, as each costs a request at least. Where the
/// device does not tell the VLANs of its ports, all.
pub fn with_access_ports(vlans: &[Vlan], membership: &Table) -> Vec<u32> {
    let used: BTreeSet<u32> = membership.rows.iter().filter_map(|row| number32(row, 0)).collect();
    vlans.iter().map(|vlan| vlan.number).filter(|number| used.is_empty() || used.contains(number)).collect()
}

/// Who we are in a VLAN.
pub fn in_vlan(credentials: &Credentials, vlan: u32) -> Credentials {
    match credentials {
        Credentials::Community { version, community } => {
            let community = Secret::new([community.expose(), format!("@{vlan}").as_bytes()].concat());
            Credentials::Community { version: *version, community }
        }
        Credentials::User { user, auth, privacy, .. } => {
            let (auth, privacy) = (auth.clone(), privacy.clone());
            Credentials::User { user: user.clone(), auth, privacy, context: format!("vlan-{vlan}") }
        }
    }
}
