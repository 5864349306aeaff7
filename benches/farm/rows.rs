//! The farm's MIB: which cell a name is, which comes next, and its varbind on the wire.

use netroom::snmp::oid::{Oid, OidRef};
use netroom::snmp::value::{COUNTER32, COUNTER64, END_OF_MIB_VIEW, GAUGE32, TIME_TICKS};

use super::formula::{Count, counter, oper_status};

const INTEGER: u8 = 2;
const OCTETS: u8 = 4;
const OBJECT: u8 = 6;
/// The columns of ifTable and ifXTable.
const IF_COLUMNS: u32 = 22;
const X_COLUMNS: u32 = 19;

/// A cell, in the order of the MIB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cell {
    /// system, objects 1 to 7.
    System(u32),
    /// ifNumber.
    IfNumber,
    /// ifTable: column, ifIndex.
    If(u32, u32),
    /// ifXTable: column, ifIndex.
    X(u32, u32),
}

/// Whose cells, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The device's number.
    pub(crate) device: u32,
    /// How many ports it has.
    pub(crate) ports: u32,
    /// Its sysUpTime.
    pub(crate) uptime_ticks: u32,
}

/// The subidentifiers behind 1.3.6.1.2.1, at most eight of them; `Err` tells whether a name outside is before it.
fn below(name: OidRef<'_>, mib2: &Oid) -> Result<([u32; 8], usize), bool> {
    let Some(subids) = name.below(mib2) else { return Err(name.octets() < mib2.octets()) };
    let mut arcs = [0; 8];
    let mut length = 0;
    for (arc, subid) in arcs.iter_mut().zip(subids) {
        *arc = subid;
        length += 1;
    }
    Ok((arcs, length))
}

/// The cell of exactly this name.
pub(crate) fn exact(name: OidRef<'_>, mib2: &Oid, ports: u32) -> Option<Cell> {
    let (arcs, length) = below(name, mib2).ok()?;
    let row = |port: u32| (1..=ports).contains(&port);
    match arcs[..length] {
        [1, object @ 1..=7, 0] => Some(Cell::System(object)),
        [2, 1, 0] => Some(Cell::IfNumber),
        [2, 2, 1, column @ 1..=IF_COLUMNS, port] if row(port) => Some(Cell::If(column, port)),
        [31, 1, 1, 1, column @ 1..=X_COLUMNS, port] if row(port) => Some(Cell::X(column, port)),
        _ => None,
    }
}

/// The cell behind this name.
pub(crate) fn next(name: OidRef<'_>, mib2: &Oid, ports: u32) -> Option<Cell> {
    let (arcs, length) = match below(name, mib2) {
        Ok(found) => found,
        Err(before) => return before.then_some(Cell::System(1)),
    };
    match arcs[..length] {
        [] | [0, ..] | [1] => Some(Cell::System(1)),
        [1, object] => system(object.max(1)),
        [1, object, ..] => system(object + 1),
        [2] | [2, 0 | 1] | [2, 0, ..] => Some(Cell::IfNumber),
        [2, ..] => {
            table(&arcs[1..length], &[2, 1], IF_COLUMNS, ports).map_or(Some(Cell::X(1, 1)), |(column, port)| Some(Cell::If(column, port)))
        }
        [3..=30, ..] => Some(Cell::X(1, 1)),
        [31, ..] => table(&arcs[1..length], &[1, 1, 1], X_COLUMNS, ports).map(|(column, port)| Cell::X(column, port)),
        _ => None,
    }
}

fn system(object: u32) -> Option<Cell> {
    Some(if object <= 7 { Cell::System(object) } else { Cell::IfNumber })
}

/// Column and row behind `arcs` in a table whose entry is `entry`; `None` behind its end.
fn table(arcs: &[u32], entry: &[u32], columns: u32, ports: u32) -> Option<(u32, u32)> {
    let Some(rest) = arcs.strip_prefix(entry) else { return (arcs < entry).then_some((1, 1)) };
    let (column, port) = match *rest {
        [] | [0, ..] => (1, 1),
        [column] => (column, 1),
        [column, port, ..] if port < ports => (column, port + 1),
        [column, ..] => (column + 1, 1),
    };
    (column <= columns).then_some((column, port))
}

/// The octets of a cell's name behind 1.3.6.1.2.1.
fn name(cell: Cell, out: &mut [u8; 12]) -> usize {
    let (head, port): (&[u8], u32) = match cell {
        Cell::System(object) => (&[1, object as u8, 0], 0),
        Cell::IfNumber => (&[2, 1, 0], 0),
        Cell::If(column, port) => (&[2, 2, 1, column as u8], port),
        Cell::X(column, port) => (&[31, 1, 1, 1, column as u8], port),
    };
    let mut length = head.len();
    out[..length].copy_from_slice(head);
    for shift in [14, 7] {
        if port >> shift != 0 {
            out[length] = 0x80 | (port >> shift & 0x7f) as u8;
            length += 1;
        }
    }
    if port > 0 {
        out[length] = (port & 0x7f) as u8;
        length += 1;
    }
    length
}

/// Appends the varbind of a cell.
pub(crate) fn write(cell: Cell, moment: &Moment, out: &mut Vec<u8>) {
    let mut contents = [0; 64];
    let (tag, value) = value(cell, moment, &mut contents);
    write_varbind(cell, tag, value, out);
}

/// Appends endOfMibView under the name of the last cell.
pub(crate) fn write_end(cell: Cell, out: &mut Vec<u8>) {
    write_varbind(cell, END_OF_MIB_VIEW, &[], out);
}

fn write_varbind(cell: Cell, tag: u8, value: &[u8], out: &mut Vec<u8>) {
    let mut tail = [0; 12];
    let name_length = name(cell, &mut tail);
    // All names and values of the farm are short enough for lengths of one octet.
    let (name_octets, value_octets) = (5 + name_length as u8, value.len() as u8);
    out.extend_from_slice(&[0x30, 4 + name_octets + value_octets, OBJECT, name_octets, 0x2b, 6, 1, 2, 1]);
    out.extend_from_slice(&tail[..name_length]);
    out.extend_from_slice(&[tag, value_octets]);
    out.extend_from_slice(value);
}

fn value<'a>(cell: Cell, moment: &Moment, room: &'a mut [u8; 64]) -> (u8, &'a [u8]) {
    match cell {
        Cell::System(1) => (OCTETS, text(room, format_args!("Farm device {} with {} ports", moment.device, moment.ports))),
        Cell::System(2) => (OBJECT, &[0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 1]),
        Cell::System(3) => (TIME_TICKS, unsigned(room, u64::from(moment.uptime_ticks))),
        Cell::System(4) => (OCTETS, b"bench"),
        Cell::System(5) => (OCTETS, text(room, format_args!("farm-{}", moment.device))),
        Cell::System(6) => (OCTETS, b"loopback"),
        Cell::System(_) => (INTEGER, &[2]),
        Cell::IfNumber => (INTEGER, unsigned(room, u64::from(moment.ports))),
        Cell::If(column, port) => if_value(column, port, moment, room),
        Cell::X(column, port) => x_value(column, port, moment, room),
    }
}

fn if_value<'a>(column: u32, port: u32, moment: &Moment, room: &'a mut [u8; 64]) -> (u8, &'a [u8]) {
    let count = match column {
        1 => return (INTEGER, unsigned(room, u64::from(port))),
        2 => return (OCTETS, text(room, format_args!("GigabitEthernet1/0/{port}"))),
        3 => return (INTEGER, &[6]),
        4 => return (INTEGER, &[0x05, 0xdc]),
        5 => return (GAUGE32, &[0x3b, 0x9a, 0xca, 0x00]),
        6 => {
            let device = moment.device.to_be_bytes();
            room[..6].copy_from_slice(&[2, device[2], device[3], 0, (port >> 8) as u8, port as u8]);
            return (OCTETS, &room[..6]);
        }
        7 => return (INTEGER, &[1]),
        8 => return (INTEGER, unsigned(room, u64::from(oper_status(port)))),
        9 => return (TIME_TICKS, &[0]),
        10 => Count::InOctets,
        11 => Count::InUcast,
        12 => Count::InMulticast,
        13 => Count::InDiscards,
        14 => Count::InErrors,
        15 => Count::InUnknownProtos,
        16 => Count::OutOctets,
        17 => Count::OutUcast,
        18 => Count::OutMulticast,
        19 => Count::OutDiscards,
        20 => Count::OutErrors,
        21 => return (GAUGE32, &[0]),
        _ => return (OBJECT, &[0]),
    };
    (COUNTER32, low_half(room, counter(moment.device, port, count, moment.uptime_ticks)))
}

fn x_value<'a>(column: u32, port: u32, moment: &Moment, room: &'a mut [u8; 64]) -> (u8, &'a [u8]) {
    const WIDE: [Count; 8] = [
        Count::InOctets,
        Count::InUcast,
        Count::InMulticast,
        Count::InBroadcast,
        Count::OutOctets,
        Count::OutUcast,
        Count::OutMulticast,
        Count::OutBroadcast,
    ];
    let counted = |count| counter(moment.device, port, count, moment.uptime_ticks);
    match column {
        1 => (OCTETS, text(room, format_args!("Gi1/0/{port}"))),
        2 => (COUNTER32, low_half(room, counted(Count::InMulticast))),
        3 => (COUNTER32, low_half(room, counted(Count::InBroadcast))),
        4 => (COUNTER32, low_half(room, counted(Count::OutMulticast))),
        5 => (COUNTER32, low_half(room, counted(Count::OutBroadcast))),
        6..=13 => (COUNTER64, unsigned(room, counted(WIDE[column as usize - 6]))),
        14 | 17 => (INTEGER, &[1]),
        15 => (GAUGE32, &[0x03, 0xe8]),
        16 => (INTEGER, &[2]),
        18 => (OCTETS, text(room, format_args!("desk {port}"))),
        _ => (TIME_TICKS, &[0]),
    }
}

fn low_half(room: &mut [u8; 64], value: u64) -> &[u8] {
    unsigned(room, value & u64::from(u32::MAX))
}

/// The fewest octets, with a leading zero where the sign bit would be set.
fn unsigned(room: &mut [u8; 64], value: u64) -> &[u8] {
    room[0] = 0;
    room[1..9].copy_from_slice(&value.to_be_bytes());
    // 7 bits of value fit into the last octet, 15 into the last two.
    let octets = (64 - value.leading_zeros() as usize) / 8 + 1;
    &room[9 - octets..9]
}

fn text<'a>(room: &'a mut [u8; 64], words: std::fmt::Arguments<'_>) -> &'a [u8] {
    use std::io::Write;
    let mut rest = &mut room[..];
    // 64 octets hold every text of the farm.
    let _ = rest.write_fmt(words);
    let written = 64 - rest.len();
    &room[..written]
}
