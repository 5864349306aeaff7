//! Who sits where, as the bridges of the campus have learnt it (BRIDGE-MIB, RFC 4188): the machines of the mirror port on one
//! floor, and the switches themselves behind each other.

use super::host::Class;
use super::mib::Row;
use super::plan::SWITCHES;
use super::switch::{Feed, Switch};
use super::{Campus, mib};
use crate::demo::mirror;
use crate::snmp::oid::{Oid, OidError};

/// The switch on whose sockets the machines of the mirror port sit.
const FLOOR: &str = "acc-a3";
/// dot1dTpFdbStatus.
const LEARNED: u32 = 3;
const OWN: u32 = 4;

/// dot1dBase, dot1dBasePortTable and dot1dTpFdbTable of the switch at this place.
pub(super) fn rows(campus: &Campus, place: usize) -> Result<Vec<Row>, OidError> {
    let bridge = Oid::new(&[1, 3, 6, 1, 2, 1, 17])?;
    let Some(switch) = campus.switches.get(place) else { return Ok(Vec::new()) };
    let sockets: Vec<(u32, u32)> = (1..)
        .zip(switch.ports.iter().filter(|port| !matches!(port.feed, Feed::Vlan)))
        .map(|(number, port)| (number, port.if_index))
        .collect();
    let mut rows = vec![
        (bridge.child(&[1, 1, 0]), mib::fixed(address(place))),
        (bridge.child(&[1, 2, 0]), mib::integer(sockets.len() as u32)),
        (bridge.child(&[1, 3, 0]), mib::integer(2)),
    ];
    for (number, if_index) in &sockets {
        rows.push((bridge.child(&[1, 4, 1, 1, *number]), mib::integer(*number)));
        rows.push((bridge.child(&[1, 4, 1, 2, *number]), mib::integer(*if_index)));
    }
    let number = |if_index: u32| sockets.iter().find(|(_, other)| *other == if_index).map(|(number, _)| *number);
    let others =
        (0..SWITCHES.len()).filter(|other| *other != place).filter_map(|other| Some((address(other), towards(switch, place, other)?)));
    let machines = seats(campus).into_iter().filter_map(|(mac, home, if_index)| {
        let port = if home == place { Some(if_index) } else { towards(switch, place, home) };
        Some((mac, port?))
    });
    let mut learnt: Vec<([u8; 6], u32, u32)> =
        others.chain(machines).filter_map(|(mac, if_index)| Some((mac, number(if_index)?, LEARNED))).collect();
    learnt.push((address(place), 0, OWN));
    for (mac, port, status) in learnt {
        let row = mac.map(u32::from);
        let cell = |column: u32| bridge.child(&[&[4, 3, 1, column][..], &row[..]].concat());
        rows.push((cell(1), mib::fixed(mac)));
        rows.push((cell(2), mib::integer(port)));
        rows.push((cell(3), mib::integer(status)));
    }
    Ok(rows)
}

/// dot1dBaseBridgeAddress: locally administered.
const fn address(place: usize) -> [u8; 6] {
    [0x02, 0x4e, 0x52, place as u8, 1, 0]
}

/// The machines of the mirror port: address, place of the switch, ifIndex. Those that are never switched off sit first, for
/// the wire shows them at any hour.
fn seats(campus: &Campus) -> Vec<([u8; 6], usize, u32)> {
    let Some(home) = SWITCHES.iter().position(|plan| plan.name == FLOOR) else { return Vec::new() };
    let Some(switch) = campus.switches.get(home) else { return Vec::new() };
    let of = |classes: &'static [Class]| {
        switch.ports.iter().filter(move |port| matches!(&port.feed, Feed::Host(host) if classes.contains(&host.class())))
    };
    let sockets = of(&[Class::Office, Class::Chatty]).chain(of(&[Class::Desk]));
    mirror::stations().into_iter().zip(sockets).map(|(mac, port)| (mac, home, port.if_index)).collect()
}

/// The port of a switch behind which another one is: below, or up.
fn towards(switch: &Switch, place: usize, other: usize) -> Option<u32> {
    // The child of this switch on the way from the other one up to the core.
    let mut below = Some(other);
    while let Some(child) = below {
        let parent = SWITCHES.get(child)?.parent;
        if parent == Some(place) {
            break;
        }
        below = parent;
    }
    let leads = |feed: &Feed| match (feed, below) {
        (Feed::Down(child), Some(below)) => *child == below,
        (Feed::Up, None) => true,
        _ => false,
    };
    switch.ports.iter().find(|port| leads(&port.feed)).map(|port| port.if_index)
}
