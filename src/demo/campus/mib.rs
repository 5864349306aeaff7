//! A switch of the campus as SNMP shows it: system group (SNMPv2-MIB), ifTable and ifXTable (IF-MIB), duplex
//! (EtherLike-MIB), engine time (SNMP-FRAMEWORK-MIB); who sits where is added by [`seats`].

use std::sync::{Arc, Mutex, PoisonError};

use super::plan::Quirk;
use super::switch::{Feed, Port, Switch};
use super::{Campus, Reader, seats};
use crate::demo::agent::{Datum, Mib, Missing};
use crate::model::{METRICS, PortMetric, Timestamp};
use crate::snmp::oid::{Oid, OidError};

/// sysContact of all switches.
pub(super) const CONTACT: &str = "网络值班室 8100";
/// ifMtu of all ports.
pub(super) const MTU: u32 = 1500;

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Fixed(Datum),
    UpTime,
    EngineBoots,
    EngineTime,
    OperStatus(usize),
    LastChange(usize),
    Duplex(usize),
    Counter32(usize, PortMetric),
    /// Multicast and broadcast packets in one, as ifTable had it: true is inbound.
    NonUnicast(usize, bool),
    Counter64(usize, PortMetric),
}

/// The objects of one switch.
#[derive(Debug)]
pub struct SwitchMib {
    campus: Arc<Campus>,
    place: usize,
    /// In the order of the MIB.
    cells: Vec<(Oid, Cell)>,
    reader: Mutex<Reader>,
}

impl SwitchMib {
    /// The objects of the switch at this place.
    pub(super) fn new(campus: Arc<Campus>, place: usize) -> Result<Self, OidError> {
        let mut cells = cells(place, &campus.switches[place])?;
        cells.extend(seats::rows(&campus, place)?);
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        let reader = Mutex::new(campus.reader());
        Ok(Self { campus, place, cells, reader })
    }

    fn switch(&self) -> &Switch {
        &self.campus.switches[self.place]
    }

    fn value(&self, cell: &Cell, now: Timestamp) -> Datum {
        let switch = self.switch();
        let wrapped = |number: u64| Datum::Counter32((number & u64::from(u32::MAX)) as u32);
        match *cell {
            Cell::Fixed(ref value) => value.clone(),
            Cell::UpTime => Datum::TimeTicks(switch.ticks(Some(now), now)),
            Cell::EngineBoots => Datum::Integer(i64::from(switch.boots(now))),
            Cell::EngineTime => Datum::Integer(now.since(switch.booted(now)).as_secs() as i64),
            Cell::OperStatus(port) => Datum::Integer(i64::from(switch.ports[port].oper(now))),
            Cell::LastChange(port) => Datum::TimeTicks(switch.ticks(switch.ports[port].last_change(now), now)),
            Cell::Duplex(port) => Datum::Integer(i64::from(switch.ports[port].duplex(now).unwrap_or(1))),
            Cell::Counter32(port, metric) => wrapped(self.counters(port, now)[metric.index()]),
            Cell::Counter64(port, metric) => Datum::Counter64(self.counters(port, now)[metric.index()]),
            Cell::NonUnicast(port, inbound) => {
                let counters = self.counters(port, now);
                let (multicast, broadcast) = if inbound {
                    (PortMetric::InMulticast, PortMetric::InBroadcast)
                } else {
                    (PortMetric::OutMulticast, PortMetric::OutBroadcast)
                };
                wrapped(counters[multicast.index()] + counters[broadcast.index()])
            }
        }
    }

    fn counters(&self, port: usize, now: Timestamp) -> [u64; METRICS] {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.campus.counters(&mut reader, self.place, now)[port]
    }
}

impl Mib for SwitchMib {
    fn get(&self, name: &Oid, now: Timestamp) -> Result<Datum, Missing> {
        match self.cells.binary_search_by(|(other, _)| other.cmp(name)) {
            Ok(found) => Ok(self.value(&self.cells[found].1, now)),
            Err(behind) => {
                let neighbours = [behind.checked_sub(1).and_then(|before| self.cells.get(before)), self.cells.get(behind)];
                Err(Missing::beside(name, neighbours.into_iter().flatten().map(|(other, _)| other)))
            }
        }
    }

    fn next(&self, name: &Oid, now: Timestamp) -> Option<(Oid, Datum)> {
        let behind = self.cells.partition_point(|(other, _)| other <= name);
        let (name, cell) = self.cells.get(behind)?;
        Some((name.clone(), self.value(cell, now)))
    }

    fn answers(&self, now: Timestamp) -> bool {
        self.switch().answers(now)
    }
}

/// A cell with its name.
pub(super) type Row = (Oid, Cell);
type Rows = Vec<Row>;

pub(super) fn fixed(octets: impl AsRef<[u8]>) -> Cell {
    Cell::Fixed(Datum::octets(octets))
}

pub(super) fn integer(number: u32) -> Cell {
    Cell::Fixed(Datum::Integer(i64::from(number)))
}

fn cells(place: usize, switch: &Switch) -> Result<Rows, OidError> {
    let mib2 = Oid::new(&[1, 3, 6, 1, 2, 1])?;
    let engine = Oid::new(&[1, 3, 6, 1, 6, 3, 10, 2, 1])?;
    let null = Oid::new(&[0, 0])?;
    let system = [
        fixed(switch.text(switch.plan.descr)),
        Cell::Fixed(Datum::Oid(switch.plan.object_id.parse()?)),
        Cell::UpTime,
        fixed(switch.text(CONTACT)),
        fixed(switch.text(switch.plan.sys_name)),
        fixed(switch.text(&switch.location())),
        integer(6),
    ];
    let mut rows: Rows = (1..).zip(system).map(|(object, cell)| (mib2.child(&[1, object, 0]), cell)).collect();
    rows.push((mib2.child(&[2, 1, 0]), integer(switch.ports.len() as u32)));
    rows.push((mib2.child(&[31, 1, 5, 0]), Cell::Fixed(Datum::TimeTicks(0))));
    // snmpEngineID: format 4 (text) behind the enterprise number of the IANA's example range.
    rows.push((engine.child(&[1, 0]), fixed([&[0x80, 0, 0x7d, 0xd9, 4][..], switch.plan.name.as_bytes()].concat())));
    rows.push((engine.child(&[2, 0]), Cell::EngineBoots));
    rows.push((engine.child(&[3, 0]), Cell::EngineTime));
    for (number, port) in switch.ports.iter().enumerate() {
        let mut table = |prefix: &[u32], columns: Vec<(u32, Cell)>| {
            let entry = mib2.child(prefix);
            rows.extend(columns.into_iter().map(|(column, cell)| (entry.child(&[column, port.if_index]), cell)));
        };
        table(&[2, 2, 1], if_table(number, port, switch.mac(place, number), &null));
        table(&[31, 1, 1, 1], if_x_table(number, port, switch.plan.quirk == Quirk::Narrow));
        if !matches!(port.feed, Feed::Vlan) {
            table(&[10, 7, 2, 1], vec![(1, integer(port.if_index)), (19, Cell::Duplex(number))]);
        }
    }
    Ok(rows)
}

/// ifTable, columns 1 to 22.
fn if_table(number: usize, port: &Port, mac: [u8; 6], null: &Oid) -> Vec<(u32, Cell)> {
    let counter = |metric| Cell::Counter32(number, metric);
    let speed = u32::try_from(port.speed_bps).unwrap_or(u32::MAX);
    let columns = [
        integer(port.if_index),
        fixed(&port.descr),
        integer(port.if_type),
        integer(MTU),
        Cell::Fixed(Datum::Gauge32(speed)),
        fixed(mac),
        integer(if matches!(port.feed, Feed::Shut) { 2 } else { 1 }),
        Cell::OperStatus(number),
        Cell::LastChange(number),
        counter(PortMetric::InOctets),
        counter(PortMetric::InUcast),
        Cell::NonUnicast(number, true),
        counter(PortMetric::InDiscards),
        counter(PortMetric::InErrors),
        counter(PortMetric::InUnknownProtos),
        counter(PortMetric::OutOctets),
        counter(PortMetric::OutUcast),
        Cell::NonUnicast(number, false),
        counter(PortMetric::OutDiscards),
        counter(PortMetric::OutErrors),
        Cell::Fixed(Datum::Gauge32(0)),
        Cell::Fixed(Datum::Oid(null.clone())),
    ];
    (1..).zip(columns).collect()
}

/// ifXTable, columns 1 to 19; without 6 to 13 on a switch that has only 32-bit counters.
fn if_x_table(number: usize, port: &Port, narrow: bool) -> Vec<(u32, Cell)> {
    let counter = |metric| Cell::Counter32(number, metric);
    let wide = |metric| Cell::Counter64(number, metric);
    let truth = |yes: bool| integer(if yes { 1 } else { 2 });
    let columns = [
        fixed(&port.name),
        counter(PortMetric::InMulticast),
        counter(PortMetric::InBroadcast),
        counter(PortMetric::OutMulticast),
        counter(PortMetric::OutBroadcast),
        wide(PortMetric::InOctets),
        wide(PortMetric::InUcast),
        wide(PortMetric::InMulticast),
        wide(PortMetric::InBroadcast),
        wide(PortMetric::OutOctets),
        wide(PortMetric::OutUcast),
        wide(PortMetric::OutMulticast),
        wide(PortMetric::OutBroadcast),
        truth(true),
        Cell::Fixed(Datum::Gauge32((port.speed_bps / 1_000_000) as u32)),
        truth(false),
        truth(!matches!(port.feed, Feed::Vlan)),
        fixed(&port.alias),
        // ifCounterDiscontinuityTime: the counters are as old as the switch's last start.
        Cell::Fixed(Datum::TimeTicks(0)),
    ];
    (1..).zip(columns).filter(|(column, _)| !(narrow && (6..=13).contains(column))).collect()
}
