//! Walking columns of a table side by side by GETBULK (RFC 3416 section 4.2.3) without trusting the agent.
//!
//! OIDs may go backwards inside the column: many agents store tables unsorted. A column ends when the agent leaves it,
//! repeats a name, or says endOfMibView or noSuchName; the walk is cut at a cap of rows and of octets. So every walk
//! ends: each request brings a new name, closes a column, or makes the next request smaller.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use thiserror::Error;

use super::mib;
use super::packing::Packing;
use crate::snmp::job::{Answer, Ask, AskError, Request};
use crate::snmp::message::{encode_varbinds, status};
use crate::snmp::oid::{Oid, OidRef, Subids};
use crate::snmp::value::Value;

/// More repetitions than this bring no more, as the answer is full by then.
const MOST_REPETITIONS: usize = 48;

/// What an agent may make us read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// Rows of one column.
    pub rows: usize,
    /// Octets of names and values in all columns together.
    pub octets: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { rows: 200_000, octets: 32 << 20 }
    }
}

/// Why a walk was cut off.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Cut {
    /// The cap of rows.
    #[error(
        "the table at {column} did not end after {rows} rows and was cut off: its agent is faulty, restart the device or update its software"
    )]
    Rows {
        /// The column.
        column: Oid,
        /// The cap.
        rows: usize,
    },
    /// The cap of octets.
    #[error(
        "the tables at {column} gave more than {octets} octets and were cut off: the agent is faulty, restart the device or update its software"
    )]
    Octets {
        /// The column that broke the cap.
        column: Oid,
        /// The cap.
        octets: usize,
    },
    /// The device stopped answering within the walk.
    #[error("{0}")]
    Ask(AskError),
    /// The agent answers, but with an error-status to even the smallest question.
    #[error("the device answers with error-status {error_status} below {column}")]
    Status {
        /// The column.
        column: Oid,
        /// error-status.
        error_status: i64,
    },
}

/// Takes the cells: number of the column (as given to [`Walk::new`]), index of the row, value.
pub type Sink<'s> = dyn FnMut(usize, Subids<'_>, Value<'_>) + 's;

#[derive(Clone, Debug)]
struct Cursor {
    root: Oid,
    /// The last name, encoded.
    at: Vec<u8>,
    open: bool,
    seen: HashSet<u64>,
}

/// A walk over several columns at once.
#[derive(Clone, Debug)]
pub struct Walk {
    cursors: Vec<Cursor>,
    caps: Caps,
    octets: usize,
    packing: Packing,
    bulk: bool,
    hasher: RandomState,
    asked: Vec<usize>,
    repetitions: usize,
    narrow: bool,
    uptime_asked: bool,
    has_uptime: bool,
    uptime: Option<u32>,
    silent: u8,
    /// What was known before the device fell silent.
    before_silence: Option<Packing>,
    backwards: bool,
    loops: usize,
    refusal: Option<i64>,
    cut: Option<Cut>,
}

impl Walk {
    /// Over `columns`; `packing` tells what the device can take.
    pub fn new(columns: &[Oid], packing: Packing, caps: Caps) -> Self {
        let cursors = columns
            .iter()
            .map(|root| Cursor { root: root.clone(), at: root.octets().to_vec(), open: true, seen: HashSet::new() })
            .collect();
        Self {
            cursors,
            caps,
            octets: 0,
            packing,
            bulk: packing.bulk(),
            hasher: RandomState::new(),
            asked: Vec::new(),
            repetitions: 1,
            narrow: false,
            uptime_asked: false,
            has_uptime: true,
            uptime: None,
            silent: 0,
            before_silence: None,
            backwards: false,
            loops: 0,
            refusal: None,
            cut: None,
        }
    }

    /// The first column that has not ended.
    pub fn column(&self) -> Option<&Oid> {
        self.cursors.iter().find(|cursor| cursor.open).map(|cursor| &cursor.root)
    }

    /// The next question; `None` when the walk is over.
    pub fn request(&mut self) -> Option<Request> {
        if self.cut.is_some() {
            return None;
        }
        let front = usize::from(self.has_uptime);
        let at_once = if self.narrow { 1 } else { self.packing.names_behind(front).min(self.packing.varbinds_behind(front)) };
        self.asked.clear();
        self.asked.extend(self.cursors.iter().enumerate().filter(|(_, cursor)| cursor.open).map(|(number, _)| number).take(at_once));
        if self.asked.is_empty() {
            self.cut = self
                .refusal
                .filter(|_| self.octets == 0)
                .and_then(|error_status| Some(Cut::Status { column: self.cursors.first()?.root.clone(), error_status }));
            return None;
        }
        self.repetitions = if self.bulk { (self.packing.varbinds_behind(front) / self.asked.len()).clamp(1, MOST_REPETITIONS) } else { 1 };
        self.uptime_asked = self.has_uptime;
        let cursors = self.asked.iter().filter_map(|&number| self.cursors.get(number));
        let uptime = self.uptime_asked.then_some(mib::SYS_UP_TIME.as_ref());
        let names: Vec<OidRef<'_>> = uptime.into_iter().chain(cursors.filter_map(|cursor| OidRef::parse(&cursor.at).ok())).collect();
        let ask = if self.bulk {
            Ask::GetBulk { non_repeaters: u16::from(self.uptime_asked), max_repetitions: self.repetitions as u16 }
        } else {
            Ask::GetNext
        };
        Some(Request { ask, varbinds: Arc::from(encode_varbinds(names.into_iter().map(|name| (name, Value::Null)))) })
    }

    /// Takes an answer and gives its cells to `sink`.
    pub fn answered(&mut self, answer: &Answer<'_>, sink: &mut Sink<'_>) {
        self.after_silence();
        match answer.error_status {
            status::NO_ERROR => self.take(answer, sink),
            status::NO_SUCH_NAME => self.no_such_name(answer.error_index),
            other => self.refused(other),
        }
    }

    /// Takes the failure of the last question. Two others follow before the walk is given up: one of half the size, and
    /// one by GETNEXT, for agents that do not answer GETBULK.
    pub fn failed(&mut self, error: &AskError) {
        self.silent += 1;
        let worth_another = matches!(error, AskError::Timeout { .. } | AskError::Malformed { .. });
        if worth_another && self.silent == 1 {
            self.before_silence = Some(self.packing);
            self.packing.unanswered(self.names(), self.varbinds());
        } else if worth_another && self.silent == 2 && self.bulk {
            self.bulk = false;
        } else {
            self.cut = Some(Cut::Ask(error.clone()));
        }
    }

    /// Why the walk ended early; `None` while it runs and when it ended by itself.
    pub const fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// sysUpTime of the last answer, when given.
    pub const fn uptime(&self) -> Option<u32> {
        self.uptime
    }

    /// Octets of names and values taken.
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Whether names went backwards: the device keeps its tables unsorted.
    pub const fn went_backwards(&self) -> bool {
        self.backwards
    }

    /// How many columns ended because the agent repeated a name.
    pub const fn loops(&self) -> usize {
        self.loops
    }

    /// What was learnt about the device.
    pub const fn packing(&self) -> Packing {
        self.packing
    }

    fn take(&mut self, answer: &Answer<'_>, sink: &mut Sink<'_>) {
        let skip = usize::from(self.uptime_asked);
        let mut taken = 0;
        let mut closed = 0;
        for (position, varbind) in answer.varbinds.enumerate() {
            let Ok((name, value)) = varbind else { break };
            if position < skip {
                self.uptime =
                    value.number().and_then(|ticks| u32::try_from(ticks).ok()).filter(|_| mib::is_scalar(name, &mib::SYS_UP_TIME));
                self.has_uptime = self.uptime.is_some();
                continue;
            }
            let Some(&number) = self.asked.get((position - skip) % self.asked.len().max(1)) else { break };
            let Some(cursor) = self.cursors.get_mut(number).filter(|cursor| cursor.open) else { continue };
            let Some(index) = name.below(&cursor.root).filter(|index| !index.octets().is_empty() && value != Value::EndOfMibView) else {
                cursor.open = false;
                closed += 1;
                continue;
            };
            if !cursor.seen.insert(self.hasher.hash_one(index.octets())) {
                cursor.open = false;
                closed += 1;
                self.loops += 1;
                continue;
            }
            taken += 1;
            self.octets += name.octets().len() + size(&value) + 8;
            let before = OidRef::parse(&cursor.at).ok().and_then(|at| at.below(&cursor.root));
            self.backwards |= before.is_some_and(|before| index.lt(before));
            cursor.at.clear();
            cursor.at.extend_from_slice(name.octets());
            if cursor.seen.len() > self.caps.rows {
                self.cut = Some(Cut::Rows { column: cursor.root.clone(), rows: self.caps.rows });
                return;
            }
            if self.octets > self.caps.octets {
                self.cut = Some(Cut::Octets { column: cursor.root.clone(), octets: self.caps.octets });
                return;
            }
            sink(number, index, value);
        }
        if taken + skip >= self.varbinds() {
            self.packing.clean(self.names(), self.varbinds());
        } else if taken == 0 && closed == 0 {
            self.refused(status::NO_ERROR);
        }
    }

    /// An answer came: what helped, the smaller question or GETNEXT?
    const fn after_silence(&mut self) {
        if self.silent == 2
            && let Some(before) = self.before_silence
        {
            self.packing = before.without_bulk();
        }
        self.silent = 0;
    }

    fn no_such_name(&mut self, error_index: i64) {
        let position = usize::try_from(error_index).unwrap_or(0).checked_sub(1);
        let skip = usize::from(self.uptime_asked);
        match position {
            Some(0) if self.uptime_asked => self.has_uptime = false,
            Some(position) if position - skip < self.asked.len() => self.close(position - skip),
            _ if self.asked.len() == 1 => self.close(0),
            _ => self.narrow = true,
        }
    }

    fn close(&mut self, position: usize) {
        if let Some(cursor) = self.asked.get(position).and_then(|&number| self.cursors.get_mut(number)) {
            cursor.open = false;
        }
    }

    /// The agent answered, but not what was asked. What it refuses in the smallest form is left out.
    fn refused(&mut self, error_status: i64) {
        if self.shrink() {
            return;
        }
        if self.bulk {
            self.bulk = false;
        } else if self.has_uptime && error_status == status::NO_ERROR {
            self.has_uptime = false;
        } else {
            self.close(0);
            self.refusal = Some(error_status);
        }
    }

    /// Makes the next question smaller; false when it was the smallest already.
    fn shrink(&mut self) -> bool {
        let (names, varbinds) = (self.names(), self.varbinds());
        if self.asked.len() * self.repetitions <= 1 {
            return false;
        }
        if self.bulk {
            self.packing.bulk_refused(names, varbinds, self.repetitions);
        } else {
            self.packing.refused(names);
        }
        true
    }

    /// How many names the last question carried.
    fn names(&self) -> usize {
        self.asked.len() + usize::from(self.uptime_asked)
    }

    /// How many varbinds it asked for.
    fn varbinds(&self) -> usize {
        self.asked.len() * self.repetitions + usize::from(self.uptime_asked)
    }
}

fn size(value: &Value<'_>) -> usize {
    match value {
        Value::OctetString(octets) | Value::Opaque(octets) | Value::Malformed { octets, .. } => octets.len(),
        Value::Oid(oid) => oid.octets().len(),
        _ => 8,
    }
}
