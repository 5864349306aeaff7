//! A poll of 13 columns that checks every value: what is measured is the engine under it.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use netroom::snmp::job::{Answer, Ask, AskError, End, Job, Request, Step};
use netroom::snmp::message::encode_names;
use netroom::snmp::oid::{Oid, Subids};
use netroom::snmp::value::Value;

use crate::farm::formula::{self, Count};

/// How many rows a request asks for: 4 x 13 values and sysUpTime are about 1,300 octets.
const ROWS: u32 = 4;

const COLUMNS: [(&str, Option<Count>); 13] = [
    ("1.3.6.1.2.1.2.2.1.8", None),
    ("1.3.6.1.2.1.2.2.1.13", Some(Count::InDiscards)),
    ("1.3.6.1.2.1.2.2.1.14", Some(Count::InErrors)),
    ("1.3.6.1.2.1.2.2.1.19", Some(Count::OutDiscards)),
    ("1.3.6.1.2.1.2.2.1.20", Some(Count::OutErrors)),
    ("1.3.6.1.2.1.31.1.1.1.6", Some(Count::InOctets)),
    ("1.3.6.1.2.1.31.1.1.1.7", Some(Count::InUcast)),
    ("1.3.6.1.2.1.31.1.1.1.8", Some(Count::InMulticast)),
    ("1.3.6.1.2.1.31.1.1.1.9", Some(Count::InBroadcast)),
    ("1.3.6.1.2.1.31.1.1.1.10", Some(Count::OutOctets)),
    ("1.3.6.1.2.1.31.1.1.1.11", Some(Count::OutUcast)),
    ("1.3.6.1.2.1.31.1.1.1.12", Some(Count::OutMulticast)),
    ("1.3.6.1.2.1.31.1.1.1.13", Some(Count::OutBroadcast)),
];

/// The requests of a poll, encoded once for all devices.
pub(crate) struct Plan {
    ports: u32,
    columns: Vec<(Oid, Option<Count>)>,
    requests: Vec<Arc<[u8]>>,
}

impl Plan {
    /// For devices with this many ports.
    pub(crate) fn new(ports: u32) -> Result<Self, crate::Failure> {
        let columns = COLUMNS.iter().map(|(text, count)| Ok((text.parse()?, *count))).collect::<Result<Vec<(Oid, _)>, crate::Failure>>()?;
        let uptime: Oid = "1.3.6.1.2.1.1.3".parse()?;
        let request = |row: u32| {
            let cells: Vec<Oid> = columns.iter().map(|(column, _)| if row == 0 { column.clone() } else { column.child(&[row]) }).collect();
            Arc::from(encode_names(std::iter::once(&uptime).chain(&cells)))
        };
        let requests = (0..ports).step_by(ROWS as usize).map(request).collect();
        Ok(Self { ports, columns, requests })
    }

    /// How many values a poll brings.
    pub(crate) fn values(&self) -> u32 {
        self.ports * COLUMNS.len() as u32
    }
}

/// What came of a poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Right values.
    pub(crate) right: u32,
    /// Wrong values.
    pub(crate) wrong: u32,
    /// Requests.
    pub(crate) requests: u32,
}

/// The poll of one device.
pub(crate) struct Poll {
    plan: Arc<Plan>,
    device: u32,
    outcome: Outcome,
    done: SyncSender<Outcome>,
}

impl Poll {
    pub(crate) const fn new(plan: Arc<Plan>, device: u32, done: SyncSender<Outcome>) -> Self {
        Self { plan, device, outcome: Outcome { right: 0, wrong: 0, requests: 0 }, done }
    }

    fn right(&self, count: Option<Count>, port: u32, ticks: u32, value: &Value<'_>) -> bool {
        match (value, count) {
            (Value::Counter64(number), Some(count)) => *number == formula::counter(self.device, port, count, ticks),
            (Value::Counter32(number), Some(count)) => *number == formula::counter(self.device, port, count, ticks) as u32,
            (Value::Integer(state), None) => *state == i64::from(formula::oper_status(port)),
            _ => false,
        }
    }
}

impl Job for Poll {
    fn next(&mut self, _now: Instant) -> Step {
        let Some(varbinds) = self.plan.requests.get(self.outcome.requests as usize) else { return Step::Finished };
        self.outcome.requests += 1;
        let ask = Ask::GetBulk { non_repeaters: 1, max_repetitions: ROWS as u16 };
        Step::Send(Request { ask, varbinds: Arc::clone(varbinds) })
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        let mut varbinds = answer.varbinds;
        let Some(Ok((_, Value::TimeTicks(ticks)))) = varbinds.next() else { return };
        let first = (self.outcome.requests - 1) * ROWS + 1;
        for (place, item) in varbinds.enumerate() {
            let (column, count) = &self.plan.columns[place % COLUMNS.len()];
            let port = first + (place / COLUMNS.len()) as u32;
            if port > self.plan.ports {
                return;
            }
            let right = item.is_ok_and(|(name, value)| {
                name.below(column).and_then(Subids::only) == Some(port) && self.right(*count, port, ticks, &value)
            });
            self.outcome.right += u32::from(right);
            self.outcome.wrong += u32::from(!right);
        }
    }

    fn failed(&mut self, _error: &AskError) {}

    fn finish(self: Box<Self>, _end: End) {
        // The run that waits has room for every device.
        let _ = self.done.try_send(self.outcome);
    }
}
