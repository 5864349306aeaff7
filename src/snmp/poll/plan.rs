//! What to ask in a steady poll: the ports and columns of a device cut into requests that are encoded once and kept.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::columns::{self, COLUMNS, ColumnSet};
use super::inventory::{Epoch, Reading};
use super::mib;
use super::packing::Packing;
use crate::model::observe::InterfaceRow;
use crate::snmp::job::{Ask, Request};
use crate::snmp::message::{Varbinds, encode_names};
use crate::snmp::oid::Oid;

/// Runs of fewer like rows than this are asked by GET: GETBULK would cost as much and answer less surely.
const FEWEST_BULK_ROWS: usize = 3;
/// Short values are counted as this long: counters grow until the next identity read.
const LEAST_VALUE: usize = 6;
/// Tags and lengths around one varbind.
const VARBIND_FRAME: usize = 4;

/// A port as the plan sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlannedPort {
    /// ifIndex.
    pub if_index: u32,
    /// The columns that it has.
    pub columns: ColumnSet,
    /// A digest of ifName, ifDescr and ifPhysAddress: differs when another port stands at this ifIndex.
    pub identity: u64,
    /// Which of the device's intervals it follows: 0 is the device's own.
    pub class: u8,
}

/// What a device is asked, until its next identity read.
#[derive(Clone, Debug)]
pub struct Plan {
    ports: Vec<PlannedPort>,
    /// Octets of a value of each column, with tag and length.
    value_octets: [usize; COLUMNS],
    epoch: Epoch,
}

/// One cell to ask: which port of the plan, which column of `columns::ALL`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Place in [`Plan::ports`].
    pub port: u32,
    /// Place in `columns::ALL`.
    pub column: u8,
}

/// Which cells a request asks for, in the order of the answer.
#[derive(Clone, Debug)]
enum Cells {
    Grid(Run),
    List(Arc<[Cell]>),
}

/// Neighbouring ports with the same columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    /// Place in [`Plan::ports`].
    first: usize,
    rows: usize,
    columns: ColumnSet,
}

impl Run {
    /// Row after row.
    fn cells(self) -> impl Iterator<Item = Cell> {
        let row = move |port| self.columns.iter().map(move |column| Cell { port: port as u32, column: column as u8 });
        (self.first..self.first + self.rows).flat_map(row)
    }

    const fn len(self) -> usize {
        self.rows * self.columns.len()
    }
}

/// One request of a plan.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Ready to send.
    pub request: Request,
    cells: Cells,
}

impl Chunk {
    /// How many cells it asks for.
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Grid(run) => run.len(),
            Cells::List(cells) => cells.len(),
        }
    }

    /// How many names it carries, with those in front.
    pub fn names(&self) -> usize {
        Varbinds::new(&self.request.varbinds).count()
    }

    /// How many varbinds its answer should bring, with those in front.
    pub fn varbinds(&self) -> usize {
        self.in_front() + self.len()
    }

    /// Whether it asks for nothing but the state of the device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many names stand before the cells.
    pub fn in_front(&self) -> usize {
        match self.request.ask {
            Ask::GetBulk { non_repeaters, .. } => usize::from(non_repeaters),
            _ => Varbinds::new(&self.request.varbinds).count().saturating_sub(self.len()),
        }
    }

    /// How many rows it asks for by GETBULK; `None` when it asks by GET.
    pub const fn bulk_rows(&self) -> Option<usize> {
        match &self.cells {
            Cells::Grid(run) => Some(run.rows),
            Cells::List(_) => None,
        }
    }

    /// The cells in the order in which the answer should bring them.
    pub fn cells(&self) -> Vec<Cell> {
        match &self.cells {
            Cells::List(cells) => cells.to_vec(),
            Cells::Grid(run) => run.cells().collect(),
        }
    }
}

/// The names at the front of a request that tell the device's epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Front {
    /// Where there is hardly room: sysUpTime.
    Bare,
    /// In every other request: ifTableLastChange as well.
    Usual,
    /// In the first of a round: snmpEngineTime and ifNumber as well.
    First,
}

impl Plan {
    /// From an identity read; `class_of` tells which interval a port follows.
    pub fn new(reading: &Reading, class_of: impl Fn(&InterfaceRow) -> u8) -> Self {
        let rows = reading.inventory.interfaces.iter().zip(&reading.columns);
        let ports =
            rows.map(|(row, &columns)| PlannedPort { if_index: row.if_index, columns, identity: identity(row), class: class_of(row) });
        let mut value_octets = [0; COLUMNS];
        for ((octets, column), &seen) in value_octets.iter_mut().zip(columns::ALL.iter()).zip(&reading.longest) {
            *octets = column.value_octets.min(seen.max(LEAST_VALUE));
        }
        Self { ports: ports.collect(), value_octets, epoch: reading.epoch }
    }

    /// All ports in the device's order.
    pub fn ports(&self) -> &[PlannedPort] {
        &self.ports
    }

    /// The epoch that the plan belongs to.
    pub const fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Leaves a cell out from now on: the device announces it and does not give it.
    pub fn forget(&mut self, cell: Cell) {
        if let Some(port) = self.ports.get_mut(cell.port as usize) {
            port.columns.remove(usize::from(cell.column));
        }
    }

    /// The requests for the ports whose class is in the bit set `classes`, the mandatory columns of all of them first.
    pub fn chunks(&self, classes: u32, packing: Packing) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        if self.fitting(packing, Front::First) != Front::First {
            chunks.push(self.sign_of_life());
        }
        for pass in [ColumnSet::FIRST_PASS, ColumnSet::SECOND_PASS] {
            let mut pool = Vec::new();
            for run in self.runs(classes, pass) {
                if packing.bulk() && run.rows >= FEWEST_BULK_ROWS {
                    self.grids(run, packing, front(&chunks), &mut chunks);
                } else {
                    pool.extend(run.cells());
                }
            }
            self.lists(&pool, packing, front(&chunks), &mut chunks);
        }
        if chunks.is_empty() {
            chunks.push(self.sign_of_life());
        }
        chunks
    }

    /// A request for just these cells.
    pub fn explicit(&self, cells: &[Cell]) -> Chunk {
        self.list(cells, Front::Usual)
    }

    /// The cells of a request in requests of the size that the device takes by now.
    pub fn packed_anew(&self, chunk: &Chunk, packing: Packing) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        match &chunk.cells {
            Cells::Grid(run) if packing.bulk() => self.grids(*run, packing, Front::Usual, &mut chunks),
            Cells::Grid(run) => self.lists(&run.cells().collect::<Vec<_>>(), packing, Front::Usual, &mut chunks),
            Cells::List(cells) => self.lists(cells, packing, Front::Usual, &mut chunks),
        }
        chunks
    }

    /// What is left of a GETBULK request after its first `rows` rows came in.
    pub fn after(&self, chunk: &Chunk, rows_in: usize) -> Option<Chunk> {
        match chunk.cells {
            Cells::Grid(run) if rows_in > 0 && rows_in < run.rows => {
                Some(self.grid(Run { first: run.first + rows_in, rows: run.rows - rows_in, ..run }, Front::Usual))
            }
            _ => None,
        }
    }

    /// Stretches of neighbouring due ports with the same columns of a pass.
    fn runs(&self, classes: u32, pass: ColumnSet) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (place, port) in self.ports.iter().enumerate() {
            let columns = port.columns.and(pass);
            if columns.is_empty() || classes >> port.class & 1 == 0 {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.columns == columns && run.first + run.rows == place => run.rows += 1,
                _ => runs.push(Run { first: place, rows: 1, columns }),
            }
        }
        runs
    }

    /// Adds GETBULK requests for a run: as many columns as the device takes names, as many rows as fill an answer.
    fn grids(&self, run: Run, packing: Packing, front: Front, chunks: &mut Vec<Chunk>) {
        let mut front = self.fitting(packing, front);
        let room = self.room(packing, front);
        for columns in run.columns.groups(room) {
            let per_answer = self.rows_per_answer(Run { columns, ..run }, packing, self.front(front).len());
            for start in (0..run.rows).step_by(per_answer) {
                let rows = per_answer.min(run.rows - start);
                chunks.push(self.grid(Run { first: run.first + start, rows, columns }, front));
                front = self.fitting(packing, Front::Usual);
            }
        }
    }

    fn rows_per_answer(&self, run: Run, packing: Packing, front: usize) -> usize {
        let index = self.ports.get(run.first + run.rows - 1).map_or(5, |port| index_octets(port.if_index));
        let row: usize = run.columns.iter().map(|column| self.cell_octets(column, index)).sum();
        (packing.varbinds_behind(front) / run.columns.len().max(1)).min(packing.octets_behind(front) / row.max(1)).max(1)
    }

    /// Adds GET requests for a pool of cells.
    fn lists(&self, pool: &[Cell], packing: Packing, front: Front, chunks: &mut Vec<Chunk>) {
        let mut front = self.fitting(packing, front);
        let most = self.room(packing, front);
        let octets = packing.octets_behind(self.front(front).len());
        for cells in self.packets(pool, most, octets) {
            chunks.push(self.list(cells, front));
            front = self.fitting(packing, Front::Usual);
        }
    }

    fn cell_octets(&self, column: usize, index_octets: usize) -> usize {
        let value = self.value_octets.get(column).copied().unwrap_or(0);
        columns::ALL.get(column).map_or(0, |column| VARBIND_FRAME + column.oid.octets().len() + index_octets + value)
    }

    /// As much in front as leaves room for two names: the octets in and out of a row must be of one time.
    fn fitting(&self, packing: Packing, front: Front) -> Front {
        let fronts = [front, Front::Usual, Front::Bare];
        fronts.into_iter().find(|&front| packing.names_behind(self.front(front).len()) >= 2).unwrap_or(Front::Bare)
    }

    /// How many names may stand behind those in front.
    fn room(&self, packing: Packing, front: Front) -> usize {
        let front = self.front(front).len();
        packing.names_behind(front).min(packing.varbinds_behind(front))
    }

    /// Cuts a pool of cells into requests of `most` and of `room` octets; a row's cells stay together where they fit.
    fn packets<'c>(&self, pool: &'c [Cell], most: usize, room: usize) -> Vec<&'c [Cell]> {
        let mut packets = Vec::new();
        let mut start = 0;
        let mut octets = 0;
        let mut end = 0;
        for row in pool.chunk_by(|a, b| a.port == b.port) {
            let index = row.first().and_then(|cell| self.ports.get(cell.port as usize)).map_or(5, |port| index_octets(port.if_index));
            let row_octets: usize = row.iter().map(|cell| self.cell_octets(usize::from(cell.column), index)).sum();
            let full = end - start + row.len() > most || octets + row_octets > room;
            if full && end > start {
                packets.extend(pool.get(start..end).into_iter().flat_map(|cells| cells.chunks(most)));
                (start, octets) = (end, 0);
            }
            end += row.len();
            octets += row_octets;
        }
        packets.extend(pool.get(start..end).into_iter().flat_map(|cells| cells.chunks(most)));
        packets
    }

    fn grid(&self, run: Run, front: Front) -> Chunk {
        let before = run.first.checked_sub(1).and_then(|before| self.ports.get(before)).map(|port| port.if_index);
        let objects = self.front(front);
        let non_repeaters = objects.len() as u16;
        let start = |column: usize| {
            let oid = columns::ALL.get(column).map(|column| &column.oid);
            oid.map(|oid| before.map_or_else(|| oid.clone(), |index| oid.child(&[index])))
        };
        let names: Vec<Oid> = objects.into_iter().cloned().chain(run.columns.iter().filter_map(start)).collect();
        let ask = Ask::GetBulk { non_repeaters, max_repetitions: run.rows as u16 };
        let request = Request { ask, varbinds: Arc::from(encode_names(names.iter())) };
        Chunk { request, cells: Cells::Grid(run) }
    }

    fn list(&self, cells: &[Cell], front: Front) -> Chunk {
        let name = |cell: &Cell| {
            let port = self.ports.get(cell.port as usize)?;
            Some(columns::ALL.get(usize::from(cell.column))?.oid.child(&[port.if_index]))
        };
        let scalars = self.front(front).into_iter().map(|object| object.child(&[0]));
        let names: Vec<Oid> = scalars.chain(cells.iter().filter_map(name)).collect();
        let request = Request { ask: Ask::Get, varbinds: Arc::from(encode_names(names.iter())) };
        Chunk { request, cells: Cells::List(Arc::from(cells)) }
    }

    /// What a device without due counters is asked: whether it is there, and still the same.
    fn sign_of_life(&self) -> Chunk {
        let mut objects = self.front(Front::First);
        if self.epoch.uptime.is_none() {
            objects.push(&*mib::SYS_UP_TIME);
        }
        let names: Vec<Oid> = objects.into_iter().map(|object| object.child(&[0])).collect();
        let request = Request { ask: Ask::Get, varbinds: Arc::from(encode_names(names.iter())) };
        Chunk { request, cells: Cells::List(Arc::from([])) }
    }

    fn front(&self, front: Front) -> Vec<&'static Oid> {
        let first = front == Front::First;
        let wanted = [
            (self.epoch.uptime.is_some(), &*mib::SYS_UP_TIME),
            (front != Front::Bare && self.epoch.table_last_change.is_some(), &*mib::IF_TABLE_LAST_CHANGE),
            (first && self.epoch.engine_time.is_some(), &*mib::SNMP_ENGINE_TIME),
            (first && self.epoch.if_number.is_some(), &*mib::IF_NUMBER),
        ];
        wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, object)| object).collect()
    }
}

fn front(chunks: &[Chunk]) -> Front {
    if chunks.is_empty() { Front::First } else { Front::Usual }
}

/// A digest of what makes a row this port and no other.
fn identity(row: &InterfaceRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.if_name.as_ref().map(|name| name.raw()).hash(&mut hasher);
    row.if_descr.as_ref().map(|descr| descr.raw()).hash(&mut hasher);
    row.phys_address.hash(&mut hasher);
    hasher.finish()
}

const fn index_octets(if_index: u32) -> usize {
    match if_index {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        0x20_0000..=0x0fff_ffff => 4,
        _ => 5,
    }
}
