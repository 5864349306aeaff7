//! What a device says of itself as a router, a bridge and a piece of hardware: ipForwarding, dot1dBaseBridgeAddress,
//! lldpLocChassisId, dot1dStpPortDesignatedBridge, entPhysicalSerialNum.

use std::net::IpAddr;

use super::number;
use crate::model::{DeviceText, MacAddr};
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// What a device says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Own {
    /// ipForwarding forwarding(1): it is a router.
    pub forwards: bool,
    /// dot1dBaseBridgeAddress: it is this bridge to its neighbours.
    pub bridge: Option<MacAddr>,
    /// lldpLocChassisId, when it is a MAC address.
    pub chassis: Option<MacAddr>,
    /// Where its default routes lead.
    pub next_hops: Vec<IpAddr>,
    /// The bridge port that leads to the root of the spanning tree (dot1dStpRootPort); `None` on the root itself.
    pub root_port: Option<u32>,
    /// The bridge that is heard on each of its bridge ports, other than itself (dot1dStpPortDesignatedBridge).
    pub designated: Vec<(u32, MacAddr)>,
    /// entPhysicalSerialNum of its parts.
    pub serials: Vec<String>,
}

/// ipForwarding, dot1dBaseBridgeAddress, lldpLocChassisId, dot1dStpRootPort: each has the one row 0.
pub fn scalar_columns() -> Vec<Oid> {
    vec![
        mib::IP_FORWARDING.clone(),
        mib::DOT1D_BASE_BRIDGE_ADDRESS.clone(),
        mib::LLDP_LOC_CHASSIS_ID.clone(),
        mib::DOT1D_STP_ROOT_PORT.clone(),
    ]
}

/// The column dot1dStpPortDesignatedBridge.
pub fn designated_columns() -> Vec<Oid> {
    vec![mib::DOT1D_STP_PORT_DESIGNATED_BRIDGE.clone()]
}

/// The column entPhysicalSerialNum.
pub fn serial_columns() -> Vec<Oid> {
    vec![mib::ENT_PHYSICAL_SERIAL_NUM.clone()]
}

impl Own {
    /// Takes the scalars.
    pub(super) fn take_scalars(&mut self, table: &Table) {
        let scalar = |row: &&TableRow| *row.index == [0];
        for row in table.rows.iter().filter(scalar) {
            let mac = |column| row.cell(column).and_then(Kept::octets).and_then(MacAddr::from_octets);
            self.forwards |= number(row, 0) == Some(1);
            self.bridge = self.bridge.or_else(|| mac(1));
            self.chassis = self.chassis.or_else(|| mac(2));
            self.root_port = self.root_port.or_else(|| super::number32(row, 3).filter(|port| *port > 0));
        }
    }
}

/// The bridges heard on its ports: BridgeId is a priority of two octets and the bridge's address.
pub(super) fn designated(table: &Table) -> Vec<(u32, MacAddr)> {
    let heard = |row: &TableRow| {
        let [port] = *row.index else { return None };
        let octets = row.cell(0).and_then(Kept::octets)?;
        Some((port, MacAddr::from_octets(octets.get(2..)?)?))
    };
    table.rows.iter().filter_map(heard).collect()
}

/// Serial numbers, each once, without those that are no numbers of one thing.
pub(super) fn serials(table: &Table) -> Vec<String> {
    let text = |row: &TableRow| row.cell(0).and_then(Kept::octets).map(|octets| DeviceText::decode(octets).as_str().trim().to_owned());
    let mut serials: Vec<String> = table.rows.iter().filter_map(text).filter(|serial| is_serial(serial)).collect();
    serials.sort();
    serials.dedup();
    serials
}

/// Empty, `N/A`, `0`, `0000000` and the like stand in thousands of devices.
fn is_serial(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphanumeric());
    let first = letters.next();
    text.len() >= 5 && letters.any(|c| Some(c) != first) && text.chars().any(|c| c.is_ascii_digit())
}
