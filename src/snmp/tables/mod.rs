//! What the tables of bridges, neighbours and addresses mean: pure readings of what [`super::poll::table`] brought.
//!
//! Each module names the columns to walk and turns their rows into entries. Rows that make no sense are left out.
//! [`reading`] is the order in which they are asked of one device.

pub mod address;
pub mod arp;
pub mod capability;
pub mod cdp;
pub mod cisco;
pub mod fdb;
pub mod layout;
pub mod lldp;
pub mod own;
pub mod reading;
pub mod vlan;

use super::oid::Oid;
use super::poll::table::{Kept, TableRow};

/// Columns of an entry by their numbers.
fn columns(entry: &Oid, numbers: &[u32]) -> Vec<Oid> {
    numbers.iter().map(|&number| entry.child(&[number])).collect()
}

/// Subidentifiers as octets; `None` when one is above 255.
fn octets(subids: &[u32]) -> Option<Vec<u8>> {
    subids.iter().map(|&subid| u8::try_from(subid).ok()).collect()
}

fn number(row: &TableRow, column: usize) -> Option<u64> {
    row.cell(column).and_then(Kept::number)
}

fn number32(row: &TableRow, column: usize) -> Option<u32> {
    number(row, column).and_then(|number| u32::try_from(number).ok())
}

/// PortList (RFC 4363): bit 7 of the first octet is bridge port 1.
fn port_list(octets: &[u8]) -> Vec<u32> {
    let bits = octets.iter().flat_map(|&octet| (0..8).map(move |bit| octet >> (7 - bit) & 1 == 1));
    (1_u32..).zip(bits).filter(|(_, is_in)| *is_in).map(|(port, _)| port).collect()
}

#[cfg(test)]
mod tests;
