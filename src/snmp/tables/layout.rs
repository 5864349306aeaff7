//! How ports are set up: the VLAN of untagged frames (dot1qPvid of Q-BRIDGE-MIB, vmVlan of CISCO-VLAN-MEMBERSHIP-MIB), trunks
//! (CISCO-VTP-MIB vlanTrunkPortDynamicStatus), and bundles (dot3adAggPortAttachedAggID of IEEE8023-LAG-MIB, ifStackTable).

use super::{number, number32};
use crate::model::observe::InterfaceRow;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::Table;

/// vlanTrunkPortDynamicStatus trunking(1).
const TRUNKING: u64 = 1;
/// ifType ieee8023adLag(161) and propMultiplexor(54), which makers use for bundles from before the standard.
const BUNDLES: [u32; 2] = [161, 54];

/// The setup of a device's ports, as its tables say it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// dot1qPvid, by bridge port.
    pub pvids: Vec<(u32, u32)>,
    /// vmVlan, by ifIndex.
    pub access: Vec<(u32, u32)>,
    /// The ifIndexes that carry frames with tags at this moment, as Cisco tells it.
    pub trunks: Vec<u32>,
    /// A member's ifIndex with that of its bundle.
    pub bundles: Vec<(u32, u32)>,
}

/// The column dot1qPvid.
pub fn pvid_columns() -> Vec<Oid> {
    vec![mib::DOT1Q_PVID.clone()]
}

/// The column vlanTrunkPortDynamicStatus.
pub fn trunk_columns() -> Vec<Oid> {
    vec![mib::VLAN_TRUNK_PORT_DYNAMIC_STATUS.clone()]
}

/// The column dot3adAggPortAttachedAggID.
pub fn bundle_columns() -> Vec<Oid> {
    vec![mib::DOT3AD_AGG_PORT_ATTACHED_AGG_ID.clone()]
}

/// The column ifStackStatus.
pub fn stack_columns() -> Vec<Oid> {
    vec![mib::IF_STACK_STATUS.clone()]
}

/// Rows whose index is one number and whose value is one.
pub(super) fn pairs(table: &Table) -> Vec<(u32, u32)> {
    let pair = |row: &super::TableRow| match *row.index {
        [index] => Some((index, number32(row, 0)?)),
        _ => None,
    };
    table.rows.iter().filter_map(pair).collect()
}

/// The interfaces that are trunks now.
pub(super) fn trunks(table: &Table) -> Vec<u32> {
    let trunk = |row: &super::TableRow| match *row.index {
        [if_index] if number(row, 0) == Some(TRUNKING) => Some(if_index),
        _ => None,
    };
    table.rows.iter().filter_map(trunk).collect()
}

/// Members with their bundle. A port that is attached to none says 0, and one that could be a bundle of its own its own number.
pub(super) fn bundles(table: &Table) -> Vec<(u32, u32)> {
    pairs(table).into_iter().filter(|(member, bundle)| *bundle > 0 && member != bundle).collect()
}

/// Members with their bundle, out of the order of layers: the index is the upper and the lower interface. The upper one must
/// be a bundle by its type, for VLAN interfaces and tunnels lie on others too.
pub(super) fn stacked(table: &Table, interfaces: &[InterfaceRow]) -> Vec<(u32, u32)> {
    let is_bundle =
        |if_index: u32| interfaces.iter().any(|row| row.if_index == if_index && row.if_type.is_some_and(|kind| BUNDLES.contains(&kind)));
    let pair = |row: &super::TableRow| match *row.index {
        [upper, lower] if upper > 0 && lower > 0 && number(row, 0) == Some(1) && is_bundle(upper) => Some((lower, upper)),
        _ => None,
    };
    table.rows.iter().filter_map(pair).collect()
}
