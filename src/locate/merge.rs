//! Laying what a reading brought over what was known. Pure. A table that was read whole replaces the one before, and rows
//! that are the same keep the time since when they are; of one that was not, the rows that did not come are kept.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::layout::Layout;
use super::table::{Binding, By, DeviceTables, Identity, Interface, MOST_ROWS, Neighbour, Seat};
use crate::model::{MacAddr, Timestamp};
use crate::snmp::tables::arp::ArpEntry;
use crate::snmp::tables::capability::Capabilities;
use crate::snmp::tables::fdb::FdbEntry;
use crate::snmp::tables::reading::Seen;

/// Rows that no whole reading has confirmed are forgotten after this time.
const FORGET: Duration = Duration::from_secs(24 * 3600);

/// dot1qTpFdbStatus, dot1dTpFdbStatus learned(3) and mgmt(5): somebody sits there; self(4) is the bridge itself.
const STATUS_INVALID: u32 = 2;
const STATUS_SELF: u32 = 4;
/// ipNetToMediaType, ipNetToPhysicalType invalid(2).
const TYPE_INVALID: u32 = 2;
/// ipNetToPhysicalType local(5): the router's own.
const TYPE_LOCAL: u32 = 5;
/// ipNetToPhysicalState invalid(5) and incomplete(7).
const STATE_INVALID: u32 = 5;
const STATE_INCOMPLETE: u32 = 7;

/// The next snapshot of a device.
pub fn merge(before: &DeviceTables, seen: &Seen, interfaces: &[Interface], now: Timestamp) -> DeviceTables {
    let mut shed = 0;
    let layout = Layout::next(&before.layout, seen);
    let seats = seats(before, &layout, seen, now, &mut shed);
    let bindings = bindings(before, seen, now, &mut shed);
    let neighbours = if seen.holes.neighbours { Arc::clone(&before.neighbours) } else { neighbours(seen).into() };
    let identity = if seen.holes.own { Arc::clone(&before.identity) } else { Arc::new(identity(&before.identity, seen, interfaces)) };
    DeviceTables {
        device: Arc::clone(&before.device),
        zone: before.zone,
        at: now,
        ports: Arc::new(interfaces.iter().map(|interface| (interface.if_index, Arc::clone(&interface.name))).collect()),
        seats: seats.into(),
        seats_whole: if seen.holes.fdb { before.seats_whole } else { Some(now) },
        bindings: bindings.into(),
        bindings_whole: if seen.holes.arp { before.bindings_whole } else { Some(now) },
        neighbours,
        identity,
        layout,
        shed,
    }
}

fn seats(before: &DeviceTables, layout: &Layout, seen: &Seen, now: Timestamp, shed: &mut u64) -> Vec<Seat> {
    let known: HashMap<(MacAddr, u32, u32), Timestamp> =
        before.seats.iter().map(|seat| ((seat.mac, seat.vlan, seat.if_index), seat.since)).collect();
    let sits = |entry: &&FdbEntry| !matches!(entry.status, Some(STATUS_INVALID | STATUS_SELF)) && is_station(entry.address);
    let seat = |entry: &FdbEntry| {
        let (vlan, if_index) = (
            entry.vlan.or(entry.fdb_id.map(|database| layout.vlan_of(database))).unwrap_or(0),
            seen.bridge_ports.if_index(entry.port).unwrap_or(0),
        );
        let since = known.get(&(entry.address, vlan, if_index)).copied().unwrap_or(now);
        Seat { mac: entry.address, vlan, if_index, since, seen: now }
    };
    let mut seats: Vec<Seat> = seen.fdb.iter().filter(sits).map(seat).collect();
    if seen.holes.fdb {
        seats.extend(before.seats.iter().filter(|seat| now.since(seat.seen) < FORGET));
    }
    // Of one address in one VLAN the latest word counts: a bridge has it behind one port.
    seats.sort_by_key(|seat| (seat.mac, seat.vlan, std::cmp::Reverse(seat.seen)));
    seats.dedup_by_key(|seat| (seat.mac, seat.vlan));
    cut(&mut seats, shed);
    seats
}

fn bindings(before: &DeviceTables, seen: &Seen, now: Timestamp, shed: &mut u64) -> Vec<Binding> {
    let known: HashMap<IpAddr, &Binding> = before.bindings.iter().map(|binding| (binding.address, binding)).collect();
    let is_entry = |entry: &&ArpEntry| {
        !matches!(entry.kind, Some(TYPE_INVALID | TYPE_LOCAL)) && entry.state != Some(STATE_INVALID) && !entry.address.is_multicast()
    };
    let binding = |entry: &ArpEntry| {
        let mac = MacAddr::from_octets(&entry.physical).filter(|mac| is_station(*mac) && entry.state != Some(STATE_INCOMPLETE));
        let same = known.get(&entry.address).filter(|binding| binding.mac == mac);
        Binding { address: entry.address, mac, if_index: entry.if_index, since: same.map_or(now, |binding| binding.since), seen: now }
    };
    let mut bindings: Vec<Binding> = seen.physical.iter().chain(&seen.media).filter(is_entry).map(binding).collect();
    if seen.holes.arp {
        bindings.extend(before.bindings.iter().filter(|binding| now.since(binding.seen) < FORGET));
    }
    bindings.sort_by_key(|binding| (binding.address, std::cmp::Reverse((binding.seen, binding.mac.is_some()))));
    bindings.dedup_by_key(|binding| binding.address);
    cut(&mut bindings, shed);
    bindings
}

/// Too many rows are cut at the end of their order, which is no worse than any other choice, and counted.
fn cut<T>(rows: &mut Vec<T>, shed: &mut u64) {
    *shed += rows.len().saturating_sub(MOST_ROWS) as u64;
    rows.truncate(MOST_ROWS);
}

fn neighbours(seen: &Seen) -> Vec<Neighbour> {
    let text = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(Arc::from);
    let lldp = seen.neighbours.iter().map(|(neighbour, if_index)| Neighbour {
        if_index: if_index.unwrap_or(0),
        by: By::Lldp,
        chassis: neighbour.chassis.as_deref().and_then(text),
        name: neighbour.name.as_ref().and_then(|name| text(name.as_str())),
        port: neighbour.port.as_deref().and_then(text),
        capabilities: neighbour.capabilities,
    });
    let cdp = seen.cdp.iter().map(|neighbour| Neighbour {
        if_index: neighbour.if_index,
        by: By::Cdp,
        chassis: None,
        name: text(neighbour.name.as_str()),
        port: neighbour.port.as_ref().and_then(|port| text(port.as_str())),
        capabilities: neighbour.capabilities,
    });
    let heard = seen.own.designated.iter().filter(|(_, bridge)| Some(*bridge) != seen.own.bridge);
    let stp = heard.map(|(port, bridge)| Neighbour {
        if_index: seen.bridge_ports.if_index(*port).unwrap_or(0),
        by: By::Stp,
        chassis: Some(bridge.to_string().into()),
        name: None,
        port: None,
        capabilities: Capabilities { bridge: true, ..Capabilities::default() },
    });
    let mut all: Vec<Neighbour> = lldp.chain(cdp).chain(stp).collect();
    all.truncate(MOST_ROWS);
    all
}

fn identity(before: &Identity, seen: &Seen, interfaces: &[Interface]) -> Identity {
    let mac_of = |if_index: u32| interfaces.iter().find(|interface| interface.if_index == if_index).and_then(|interface| interface.mac);
    let mut macs: Vec<MacAddr> =
        interfaces.iter().filter_map(|interface| interface.mac).chain(seen.own.bridge).chain(seen.own.chassis).collect();
    macs.sort();
    macs.dedup();
    let serials: Vec<Arc<str>> = seen.own.serials.iter().map(|serial| serial.as_str().into()).collect();
    Identity {
        forwards: seen.own.forwards,
        addresses: seen.addresses.iter().map(|own| (own.address, mac_of(own.if_index))).collect(),
        next_hops: seen.own.next_hops.clone(),
        macs,
        chassis: seen.own.chassis.map(|mac| mac.to_string().into()),
        // They are not read each time.
        serials: if serials.is_empty() { before.serials.clone() } else { serials },
    }
}

/// Whether an address is one of a station: neither of a group nor of nobody.
pub(super) fn is_station(mac: MacAddr) -> bool {
    let [first, ..] = mac.0;
    first & 1 == 0 && mac.0 != [0; 6]
}

#[cfg(test)]
mod tests;
