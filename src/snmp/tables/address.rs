//! The device's own addresses (ipAddrTable, ipAddressTable) and whom it sends everything else to (the default route in
//! ipCidrRouteTable and ipRouteTable): IP-MIB, IP-FORWARD-MIB, RFC 1213.

use std::net::{IpAddr, Ipv4Addr};

use super::number32;
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::poll::table::{Kept, Table, TableRow};

/// One address of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnAddress {
    /// The address.
    pub address: IpAddr,
    /// Its interface.
    pub if_index: u32,
}

/// The columns ipAdEntIfIndex and ipAddressIfIndex.
pub fn own_columns() -> Vec<Oid> {
    vec![mib::IP_AD_ENT_IF_INDEX.clone(), mib::IP_ADDRESS_IF_INDEX.clone()]
}

/// The device's addresses, each once. The index of the one table is the address, of the other its kind, length and octets.
pub fn own(table: &Table) -> Vec<OwnAddress> {
    let own = |row: &TableRow| {
        let (address, if_index) = match (number32(row, 0), number32(row, 1)) {
            (Some(if_index), None) => (ipv4(&row.index)?, if_index),
            (None, Some(if_index)) => (kind_and_octets(&row.index)?, if_index),
            _ => return None,
        };
        Some(OwnAddress { address, if_index })
    };
    let mut own: Vec<OwnAddress> = table.rows.iter().filter_map(own).filter(|own| !own.address.is_loopback()).collect();
    own.sort_by_key(|own| own.address);
    own.dedup_by_key(|own| own.address);
    own
}

/// The next hops of 0.0.0.0/0 alone, so that a router with the whole internet in its table is not read.
pub fn default_route_columns() -> Vec<Oid> {
    // ipCidrRouteNextHop.<dest>.<mask>; ipRouteNextHop.<dest> without its last number, as a walk asks for what lies below.
    vec![mib::IP_CIDR_ROUTE_NEXT_HOP.child(&[0; 8]), mib::IP_ROUTE_NEXT_HOP.child(&[0; 3])]
}

/// The next hops.
pub fn next_hops(table: &Table) -> Vec<IpAddr> {
    let hop = |row: &TableRow| {
        let of = |column| match row.cell(column)? {
            Kept::Ip(hop) => Some(*hop),
            _ => None,
        };
        let old = of(1).filter(|_| *row.index == [0]);
        of(0).or(old).filter(|hop| !hop.is_unspecified() && !hop.is_loopback()).map(IpAddr::from)
    };
    let mut hops: Vec<IpAddr> = table.rows.iter().filter_map(hop).collect();
    hops.sort();
    hops.dedup();
    hops
}

fn ipv4(index: &[u32]) -> Option<IpAddr> {
    let octets: [u8; 4] = super::octets(index)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets).into())
}

/// InetAddressType, the number of octets, the octets; with a zone four more.
fn kind_and_octets(index: &[u32]) -> Option<IpAddr> {
    let [kind, length, rest @ ..] = index else { return None };
    let octets = super::octets(rest)?;
    if usize::try_from(*length).ok()? != octets.len() {
        return None;
    }
    match (kind, octets.len()) {
        (1, 4) | (3, 8) => Some(IpAddr::from(*octets.first_chunk::<4>()?)),
        (2, 16) | (4, 20) => Some(IpAddr::from(*octets.first_chunk::<16>()?)),
        _ => None,
    }
}
