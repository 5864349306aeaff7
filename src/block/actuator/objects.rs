//! Orders about ports as SNMP objects: what is read, what it means, what is set (IF-MIB, RFC 2863; Q-BRIDGE-MIB, RFC 4363;
//! POWER-ETHERNET-MIB, RFC 3621). Pure.

use crate::block::{Observation, Order, Spot};
use crate::model::{DeviceText, Timestamp};
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::set::{Datum, Varbind};

/// Columns of ifTable and ifXTable.
const IF_DESCR: u32 = 2;
const IF_ADMIN_STATUS: u32 = 7;
const IF_OPER_STATUS: u32 = 8;
const IF_NAME: u32 = 1;
const IF_ALIAS: u32 = 18;
/// dot1qVlanStaticRowStatus.
const ROW_STATUS: u32 = 5;
/// ifAdminStatus.
const UP: i32 = 1;
const DOWN: i32 = 2;
/// TruthValue.
const TRUE: i32 = 1;
const FALSE: i32 = 2;

/// What is read of a port, whatever the order is about.
pub(super) fn names(spot: &Spot) -> [Oid; 6] {
    let port = spot.if_index.0;
    [
        mib::SYS_UP_TIME.child(&[0]),
        mib::if_x_column(IF_NAME).child(&[port]),
        mib::if_column(IF_DESCR).child(&[port]),
        mib::if_x_column(IF_ALIAS).child(&[port]),
        mib::if_column(IF_ADMIN_STATUS).child(&[port]),
        mib::if_column(IF_OPER_STATUS).child(&[port]),
    ]
}

/// What the answers to [`names`] say. A port without an ifName is called by its ifDescr, as everywhere in the house.
pub(super) fn observation(found: &[Option<Datum>], at: Timestamp) -> Observation {
    let datum = |place: usize| found.get(place).and_then(Option::as_ref);
    let text = |place: usize| datum(place).and_then(Datum::octets).map(|octets| DeviceText::decode(octets).as_str().to_owned());
    let status = |place: usize| datum(place).and_then(Datum::number).and_then(|number| u8::try_from(number).ok());
    Observation {
        at,
        uptime_ticks: datum(0).and_then(Datum::number),
        if_name: text(1).filter(|name| !name.is_empty()).or_else(|| text(2)),
        alias: text(3),
        admin: status(4),
        oper: status(5),
        ..Observation::default()
    }
}

/// dot1qPvid of a bridge port, the interface that the bridge calls by that number, and whether there is this VLAN.
pub(super) fn bridge_names(base_port: u32, pvid: u16) -> [Oid; 3] {
    let vlan = mib::DOT1Q_VLAN_STATIC_ENTRY.child(&[ROW_STATUS, pvid.into()]);
    [mib::DOT1Q_PVID.child(&[base_port]), mib::DOT1D_BASE_PORT_IF_INDEX.child(&[base_port]), vlan]
}

/// The objects that an order about a port sets, with their values; empty when the device has to be read for that first, or
/// when the order is about no port.
pub fn varbinds(order: &Order, now: Option<&Observation>) -> Vec<Varbind> {
    let status = |is: bool, yes, no| Datum::Integer(if is { yes } else { no });
    let one = |name, value| vec![Varbind::new(name, value)];
    match order {
        Order::PortAdmin { spot, up } => one(mib::if_column(IF_ADMIN_STATUS).child(&[spot.if_index.0]), status(*up, UP, DOWN)),
        Order::Pvid { base_port, pvid, .. } => one(mib::DOT1Q_PVID.child(&[*base_port]), Datum::Unsigned((*pvid).into())),
        Order::Alias { spot, alias } => one(mib::if_x_column(IF_ALIAS).child(&[spot.if_index.0]), Datum::Octets(alias.as_bytes().to_vec())),
        Order::Power { on, .. } => now
            .and_then(|now| now.pse)
            .map(|(group, port)| one(mib::PETH_PSE_PORT_ADMIN_ENABLE.child(&[group, port]), status(*on, TRUE, FALSE)))
            .unwrap_or_default(),
        Order::Filter { .. } | Order::Session { .. } | Order::Script { .. } => Vec::new(),
    }
}

/// A row of pethPsePortTable: group, port, whether power is on.
pub(super) type PowerRow = (u32, u32, bool);

/// The row of a port. POWER-ETHERNET-MIB has no link to ifTable: makers number its ports by ifIndex or by the number at the end
/// of the name, its groups by the members of a stack. Where the two ways lead to different rows, none is taken.
pub(super) fn power_row(rows: &[PowerRow], spot: &Spot) -> Option<PowerRow> {
    let numbers: Vec<u32> = spot.if_name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    let only = |of: &dyn Fn(&PowerRow) -> bool| {
        let mut fitting = rows.iter().filter(|row| of(row));
        fitting.next().filter(|_| fitting.next().is_none()).copied()
    };
    let groups = rows.iter().any(|(group, ..)| rows.first().is_some_and(|(first, ..)| first != group));
    let by_index = only(&|(_, port, _)| *port == spot.if_index.0);
    let by_name = match numbers[..] {
        [] => None,
        [port] => only(&|row| row.1 == port && !groups),
        [member, .., port] => only(&|row| row.1 == port && (!groups || row.0 == member)),
    };
    match (by_index, by_name) {
        (Some(index), Some(name)) => Some(index).filter(|_| index == name),
        (one, other) => one.or(other),
    }
}

/// Whether a TruthValue says yes.
pub(super) const fn truth(number: u64) -> Option<bool> {
    match number {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IfIndex;

    fn spot(name: &str, index: u32) -> Spot {
        Spot { device: "sw".into(), if_name: name.into(), if_index: IfIndex(index) }
    }

    fn lines(order: &Order, now: Option<&Observation>) -> Vec<String> {
        varbinds(order, now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_dry_run_prints_the_very_objects() {
        let spot = spot("Gi0/17", 10117);
        assert_eq!(lines(&Order::PortAdmin { spot: spot.clone(), up: false }, None), ["1.3.6.1.2.1.2.2.1.7.10117 = INTEGER: 2"]);
        assert_eq!(lines(&Order::PortAdmin { spot: spot.clone(), up: true }, None), ["1.3.6.1.2.1.2.2.1.7.10117 = INTEGER: 1"]);
        let alias = Order::Alias { spot: spot.clone(), alias: "主楼 301".into() };
        assert_eq!(lines(&alias, None), ["1.3.6.1.2.1.31.1.1.1.18.10117 = STRING: \"主楼 301\""]);
        let pvid = Order::Pvid { spot: spot.clone(), base_port: 17, pvid: 999 };
        assert_eq!(lines(&pvid, None), ["1.3.6.1.2.1.17.7.1.4.5.1.1.17 = Gauge32: 999"]);
        let power = Order::Power { spot, on: false };
        assert!(lines(&power, None).is_empty(), "the row is not known before the device was read");
        let now = Observation { pse: Some((1, 17)), ..Observation::default() };
        assert_eq!(lines(&power, Some(&now)), ["1.3.6.1.2.1.105.1.1.1.3.1.17 = INTEGER: 2"]);
    }

    #[test]
    fn a_power_row_is_taken_only_where_no_other_could_be_meant() {
        let stack: Vec<PowerRow> = (1..=2).flat_map(|group| (1..=48).map(move |port| (group, port, true))).collect();
        let single: Vec<PowerRow> = (1..=48).map(|port| (1, port, true)).collect();
        let row = |rows: &[PowerRow], name, index| power_row(rows, &spot(name, index)).map(|(group, port, _)| (group, port));
        assert_eq!(row(&stack, "GigabitEthernet2/0/17", 10617), Some((2, 17)), "by the member of the stack");
        assert_eq!(row(&single, "Gi0/17", 10117), Some((1, 17)));
        assert_eq!(row(&single, "17", 17), Some((1, 17)), "both ways lead to it");
        assert_eq!(row(&single, "Gi0/17", 18), None, "two ways, two rows");
        assert_eq!(row(&stack, "port17", 10017), None, "nobody knows of which member");
        assert_eq!(row(&[(1, 10117, true)], "Gi0/17", 10117), Some((1, 10117)), "a maker who numbers by ifIndex");
        assert_eq!(row(&[], "Gi0/17", 17), None);
    }
}
