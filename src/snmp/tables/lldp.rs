//! Neighbours by LLDP: lldpRemTable, and which interface a local port number means (LLDP-MIB, IEEE 802.1AB).

use std::net::IpAddr;

use super::capability::Capabilities;
use super::fdb::BridgePorts;
use super::{number, number32};
use crate::model::observe::InterfaceRow;
use crate::model::{DeviceText, MacAddr};
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// One neighbour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Neighbour {
    /// lldpRemLocalPortNum.
    pub local_port: u32,
    /// lldpRemChassisIdSubtype: 4 is a MAC address, 5 a network address.
    pub chassis_subtype: Option<u64>,
    /// lldpRemChassisId, readable.
    pub chassis: Option<String>,
    /// lldpRemPortIdSubtype: 3 is a MAC address, 4 a network address, 5 an interface name.
    pub port_subtype: Option<u64>,
    /// lldpRemPortId, readable.
    pub port: Option<String>,
    /// lldpRemPortDesc.
    pub port_descr: Option<DeviceText>,
    /// lldpRemSysName.
    pub name: Option<DeviceText>,
    /// lldpRemSysDesc.
    pub descr: Option<DeviceText>,
    /// lldpRemSysCapEnabled.
    pub capabilities: Capabilities,
}

/// The columns of lldpRemTable: chassis, port, port description, name, description, capabilities.
pub fn remote_columns() -> Vec<Oid> {
    super::columns(&mib::LLDP_REM_ENTRY, &[4, 5, 6, 7, 8, 9, 10, 12])
}

/// The columns of lldpLocPortTable: port and its description.
pub fn local_columns() -> Vec<Oid> {
    super::columns(&mib::LLDP_LOC_PORT_ENTRY, &[2, 3, 4])
}

/// The rows of lldpRemTable; the index is a time mark, the local port and a running number.
pub fn neighbours(remote: &Table) -> Vec<Neighbour> {
    let text = |row: &TableRow, column| row.cell(column).and_then(Kept::octets).map(DeviceText::decode);
    let neighbour = |row: &TableRow| {
        let [_, local_port, _] = *row.index else { return None };
        let (chassis_subtype, port_subtype) = (number(row, 0), number(row, 2));
        let id = |column, is_mac: bool, is_address: bool| {
            row.cell(column).and_then(Kept::octets).map(|octets| readable(octets, is_mac, is_address))
        };
        Some(Neighbour {
            local_port,
            chassis_subtype,
            chassis: id(1, chassis_subtype == Some(4), chassis_subtype == Some(5)),
            port_subtype,
            port: id(3, port_subtype == Some(3), port_subtype == Some(4)),
            port_descr: text(row, 4),
            name: text(row, 5),
            descr: text(row, 6),
            capabilities: row.cell(7).and_then(Kept::octets).map(Capabilities::lldp).unwrap_or_default(),
        })
    };
    remote.rows.iter().filter_map(neighbour).collect()
}

/// An identifier by its subtype: a MAC address, an address with the number of its family before it, or text.
fn readable(octets: &[u8], is_mac: bool, is_address: bool) -> String {
    if is_mac && let Some(mac) = MacAddr::from_octets(octets) {
        return mac.to_string();
    }
    match octets {
        [1, a, b, c, d] if is_address => IpAddr::from([*a, *b, *c, *d]).to_string(),
        [2, rest @ ..] if is_address && rest.len() == 16 => {
            rest.first_chunk::<16>().map(|octets| IpAddr::from(*octets).to_string()).unwrap_or_default()
        }
        _ => DeviceText::decode(octets).as_str().to_owned(),
    }
}

/// Which interface each local port number means.
#[derive(Clone, Debug)]
pub struct LocalPorts<'a> {
    local: &'a Table,
    interfaces: &'a [InterfaceRow],
    bridge: &'a BridgePorts,
}

impl<'a> LocalPorts<'a> {
    /// From lldpLocPortTable and what is known of the device.
    pub const fn new(local: &'a Table, interfaces: &'a [InterfaceRow], bridge: &'a BridgePorts) -> Self {
        Self { local, interfaces, bridge }
    }

    /// The ifIndex of a local port number. The texts of lldpLocPortTable come first, as some devices number ports their
    /// own way (Huawei VRP, where the bridge port even leads to a wrong interface); then the number as ifIndex; then as
    /// bridge port.
    pub fn if_index(&self, port: u32) -> Option<u32> {
        self.by_text(port)
            .or_else(|| self.interfaces.iter().map(|row| row.if_index).find(|&if_index| if_index == port))
            .or_else(|| self.bridge.if_index(port))
    }

    fn by_text(&self, port: u32) -> Option<u32> {
        let row = self.local.rows.iter().find(|row| *row.index == [port])?;
        let subtype = number32(row, 0);
        let texts = [1, 2].into_iter().filter(|&column| column == 2 || !matches!(subtype, Some(3 | 4)));
        texts
            .filter_map(|column| row.cell(column).and_then(Kept::octets))
            .map(DeviceText::decode)
            .filter(|text| !text.is_empty())
            .find_map(|text| self.named(text.as_str()))
    }

    /// The one interface of this name; two of one name tell nothing.
    fn named(&self, text: &str) -> Option<u32> {
        let is = |name: &Option<DeviceText>| name.as_ref().is_some_and(|name| name.as_str() == text);
        let by = |which: fn(&InterfaceRow) -> &Option<DeviceText>| {
            let mut fitting = self.interfaces.iter().filter(|row| is(which(row)));
            fitting.next().filter(|_| fitting.next().is_none()).map(|row| row.if_index)
        };
        by(|row| &row.if_name).or_else(|| by(|row| &row.if_descr))
    }
}
