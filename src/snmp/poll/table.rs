//! Reading a whole table as a [`Job`]: FDB, ARP, LLDP neighbours, VLANs. Polite to weak devices: it rests after each
//! answer for as long as the answer took.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::meaning;
use super::packing::Packing;
use super::walk::{Caps, Cut, Walk};
use crate::snmp::job::{Answer, AskError, End, Job, Step};
use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

/// The longest rest between two requests.
const LONGEST_REST: Duration = Duration::from_millis(500);

/// A value kept beyond its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// A non-negative number of any type.
    Number(u64),
    /// A negative INTEGER.
    Negative(i64),
    /// Octets of a string, Opaque or malformed value.
    Octets(Box<[u8]>),
    /// IpAddress.
    Ip(Ipv4Addr),
    /// OBJECT IDENTIFIER.
    Name(Oid),
}

impl Kept {
    /// What there is to keep of a value.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        Some(match *value {
            Value::Integer(number) if number < 0 => Self::Negative(number),
            Value::IpAddress(octets) => Self::Ip(Ipv4Addr::from(octets)),
            Value::Oid(oid) => Self::Name(oid.to_owned()),
            Value::OctetString(octets) | Value::Opaque(octets) => Self::Octets(octets.into()),
            _ => Self::Number(value.number()?),
        })
    }

    /// As a number, also when sent as decimal digits.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Octets(octets) => meaning::number(&Value::OctetString(octets)),
            _ => None,
        }
    }

    /// The octets of a string.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }
}

/// A table as read: the rows in the device's order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// The rows.
    pub rows: Vec<TableRow>,
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableRow {
    /// The subidentifiers behind the column.
    pub index: Box<[u32]>,
    /// The cells in the order of the columns asked; `None` is absent.
    pub cells: Box<[Option<Kept>]>,
}

impl TableRow {
    /// The cell of a column.
    pub fn cell(&self, column: usize) -> Option<&Kept> {
        self.cells.get(column)?.as_ref()
    }
}

/// How a table read ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableOutcome {
    /// What came in.
    pub table: Table,
    /// Why it is not the whole table, in words.
    pub cut: Option<Cut>,
    /// How the conversation ended.
    pub end: End,
    /// How many columns ended because the agent repeated a name.
    pub loops: usize,
    /// What the device has shown it can take.
    pub packing: Packing,
}

/// The job.
pub struct TableJob {
    walk: Walk,
    columns: usize,
    table: Table,
    places: HashMap<Box<[u32]>, usize>,
    rest: Option<Duration>,
    done: Box<dyn FnOnce(TableOutcome) + Send>,
}

impl TableJob {
    /// Reads `columns`; `done` gets the outcome and must not block.
    pub fn new(columns: &[Oid], packing: Packing, caps: Caps, done: impl FnOnce(TableOutcome) + Send + 'static) -> Self {
        Self {
            walk: Walk::new(columns, packing, caps),
            columns: columns.len(),
            table: Table::default(),
            places: HashMap::new(),
            rest: None,
            done: Box::new(done),
        }
    }

    /// What came in, of a job that was given back ([`crate::snmp::ask::one`]) instead of finished.
    pub fn into_outcome(self, end: End) -> TableOutcome {
        self.split(end).0
    }

    fn split(self, end: End) -> (TableOutcome, Box<dyn FnOnce(TableOutcome) + Send>) {
        let (cut, loops, packing) = (self.walk.cut().cloned(), self.walk.loops(), self.walk.packing());
        (TableOutcome { table: self.table, cut, end, loops, packing }, self.done)
    }
}

impl Job for TableJob {
    fn next(&mut self, now: Instant) -> Step {
        if let Some(rest) = self.rest.take() {
            return now.checked_add(rest).map_or(Step::Finished, Step::Pause);
        }
        self.walk.request().map_or(Step::Finished, Step::Send)
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        self.rest = Some(answer.rtt.min(LONGEST_REST));
        let (table, places, width) = (&mut self.table, &mut self.places, self.columns);
        self.walk.answered(answer, &mut |column, index, value| {
            let index: Box<[u32]> = index.collect();
            let place = *places.entry(index).or_insert_with_key(|index| {
                table.rows.push(TableRow { index: index.clone(), cells: vec![None; width].into() });
                table.rows.len() - 1
            });
            if let Some(cell) = table.rows.get_mut(place).and_then(|row| row.cells.get_mut(column)) {
                *cell = Kept::of(&value);
            }
        });
    }

    fn failed(&mut self, error: &AskError) {
        self.walk.failed(error);
    }

    fn finish(self: Box<Self>, end: End) {
        let (outcome, done) = self.split(end);
        done(outcome);
    }
}
