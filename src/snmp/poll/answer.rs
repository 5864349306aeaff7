//! Reading the answer to a request of a plan: the signs of the device's epoch, and cells told by their names.

use super::columns;
use super::meaning;
use super::mib;
use super::plan::{Cell, Chunk, Plan};
use crate::model::Timestamp;
use crate::snmp::job::Answer;
use crate::snmp::oid::{OidRef, Subids};
use crate::snmp::value::Value;

/// The scalars at the front of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signs {
    /// sysUpTime in ticks.
    pub uptime: Option<u32>,
    /// ifTableLastChange in ticks.
    pub table_last_change: Option<u32>,
    /// snmpEngineTime in seconds.
    pub engine_time: Option<u32>,
    /// ifNumber.
    pub if_number: Option<u32>,
}

/// How many names a plan puts at the front at most.
const MOST_SIGNS: usize = 4;

impl Signs {
    /// Reads them, told by their names.
    pub fn of(answer: &Answer<'_>) -> Self {
        let mut signs = Self::default();
        for (name, value) in answer.varbinds.take(MOST_SIGNS).map_while(Result::ok) {
            let places = [
                (&*mib::SYS_UP_TIME, &mut signs.uptime),
                (&*mib::IF_TABLE_LAST_CHANGE, &mut signs.table_last_change),
                (&*mib::SNMP_ENGINE_TIME, &mut signs.engine_time),
                (&*mib::IF_NUMBER, &mut signs.if_number),
            ];
            match places.into_iter().find(|(object, _)| mib::is_scalar(name, object)) {
                Some((_, place)) => *place = meaning::number32(&value),
                None => break,
            }
        }
        signs
    }
}

/// Hundredths of a second of our own clock, for the rare device that has no sysUpTime.
pub const fn ticks_of(received: Timestamp) -> u32 {
    (received.millis() / 10) as u32
}

/// Gives each cell of the answer that was asked for to `sink`, in whatever order they come, and returns those missing.
pub fn match_cells(plan: &Plan, chunk: &Chunk, answer: &Answer<'_>, sink: &mut dyn FnMut(Cell, Value<'_>)) -> Vec<Cell> {
    let cells = chunk.cells();
    let mut missing: Vec<Option<Cell>> = cells.iter().copied().map(Some).collect();
    let mut expected = 0;
    for (name, value) in answer.varbinds.map_while(Result::ok) {
        let is_it = |place: usize| missing.get(place).copied().flatten().is_some_and(|cell| is_cell(plan, cell, name));
        // The usual answer is in order; only a strange one is searched.
        let place = if is_it(expected) { Some(expected) } else { (0..missing.len()).find(|&place| is_it(place)) };
        let Some(place) = place else { continue };
        if let Some(cell) = missing.get_mut(place).and_then(Option::take) {
            sink(cell, value);
        }
        expected = place + 1;
    }
    missing.into_iter().flatten().collect()
}

fn is_cell(plan: &Plan, cell: Cell, name: OidRef<'_>) -> bool {
    let column = columns::ALL.get(usize::from(cell.column));
    let port = plan.ports().get(cell.port as usize);
    column.zip(port).is_some_and(|(column, port)| name.below(&column.oid).and_then(Subids::only) == Some(port.if_index))
}

/// When a GETBULK answer is right but ends early: the request for the rest, and how many cells were given.
pub fn cut_short(plan: &Plan, chunk: &Chunk, answer: &Answer<'_>, missing: &[Cell]) -> Option<(Chunk, usize)> {
    if chunk.bulk_rows().is_none() || answer.varbinds.count() >= chunk.in_front() + chunk.len() {
        return None;
    }
    let cells = chunk.cells();
    let given = cells.len().checked_sub(missing.len())?;
    let is_end = cells.get(given..) == Some(missing);
    let columns = cells.iter().take_while(|cell| cells.first().is_some_and(|first| first.port == cell.port)).count();
    let rows_in = given.checked_div(columns)?;
    let rest = plan.after(chunk, rows_in).filter(|_| is_end)?;
    Some((rest, given))
}
