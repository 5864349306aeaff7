//! The rows of one poll while they come in: cells in any order become one value a metric.

use super::columns::{self, Field};
use super::meaning;
use super::plan::{Cell, Plan};
use crate::model::observe::{CounterRow, Width};
use crate::model::{IfIndex, METRICS, PortMetric, Timestamp};
use crate::snmp::value::Value;

/// What became of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It has a value.
    Value,
    /// It has none that can be understood.
    Absent,
    /// The device says that there is no such row or object, although the identity read found it.
    Vanished,
}

/// The rows of a plan, being filled.
#[derive(Debug, Default)]
pub struct Rows {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    values: [Option<u64>; METRICS],
    narrow: u16,
    /// sysUpTime and arrival of the first PDU with anything.
    when: Option<(u32, Timestamp)>,
    /// The same of the PDUs with the octets, in and out.
    octets: [Option<(u32, Timestamp)>; 2],
    admin: Option<u8>,
    discontinuity: Option<u32>,
    heard: bool,
}

impl Rows {
    /// Empty rows for a plan.
    pub fn new(plan: &Plan) -> Self {
        Self { slots: vec![Slot::default(); plan.ports().len()] }
    }

    /// Takes a cell from the answer that carried `uptime` and arrived at `received`.
    pub fn take(&mut self, cell: Cell, value: &Value<'_>, uptime: u32, received: Timestamp) -> Taken {
        let (Some(slot), Some(column)) = (self.slots.get_mut(cell.port as usize), columns::ALL.get(usize::from(cell.column))) else {
            return Taken::Absent;
        };
        slot.heard = true;
        slot.when.get_or_insert((uptime, received));
        if value.is_exception() {
            return Taken::Vanished;
        }
        let Some(number) = meaning::number(value) else { return Taken::Absent };
        match column.field {
            Field::Admin => slot.admin = meaning::state(value),
            Field::Discontinuity => slot.discontinuity = u32::try_from(number).ok(),
            Field::Metric(metric, width) => {
                // An agent that sends Counter64 in a 32-bit column has a counter that does not wrap at 2^32.
                let width = if matches!(value, Value::Counter64(_)) { Width::Bits64 } else { width };
                let taken = slot.merge(metric.index(), width, number);
                match metric {
                    PortMetric::InOctets if taken => slot.octets[0] = Some((uptime, received)),
                    PortMetric::OutOctets if taken => slot.octets[1] = Some((uptime, received)),
                    _ => {}
                }
            }
        }
        Taken::Value
    }

    /// How many rows have anything.
    pub fn heard(&self) -> usize {
        self.slots.iter().filter(|slot| slot.heard).count()
    }

    /// The rows that came in; `kept` decides by the place in the plan. A due port that has no counters at all is a row
    /// without values, read at `otherwise`. `apart`: the device cannot be asked for two names at once.
    pub fn finish(self, plan: &Plan, otherwise: Option<(u32, Timestamp)>, apart: bool, kept: impl Fn(usize) -> bool) -> Vec<CounterRow> {
        let rows = self.slots.into_iter().zip(plan.ports()).enumerate().filter(|(place, _)| kept(*place));
        let rows = rows.filter_map(|(_, (mut slot, port))| {
            let bare = otherwise.filter(|_| port.columns.is_empty());
            let (uptime_ticks, received) = slot.settle(apart).or(bare)?;
            Some(CounterRow {
                if_index: IfIndex(port.if_index),
                uptime_ticks,
                received,
                values: slot.values,
                narrow: slot.narrow,
                admin: slot.admin,
                discontinuity: slot.discontinuity,
            })
        });
        rows.collect()
    }
}

impl Slot {
    /// When the row was read. A row has one sysUpTime for its octets: of two that were read apart only the later is a value
    /// at that time. Both are kept of a device that cannot be asked otherwise.
    fn settle(&mut self, apart: bool) -> Option<(u32, Timestamp)> {
        let [inward, outward] = self.octets;
        let (Some(inward), Some(outward)) = (inward, outward) else { return inward.or(outward).or(self.when) };
        let (later, lost) = if inward.1 > outward.1 { (inward, PortMetric::OutOctets) } else { (outward, PortMetric::InOctets) };
        if let Some(value) = self.values.get_mut(lost.index()).filter(|_| inward.0 != outward.0 && !apart) {
            *value = None;
        }
        Some(later)
    }

    /// The wide form is the value, unless it is 0 while the narrow one counts. Whether this was taken.
    fn merge(&mut self, index: usize, width: Width, number: u64) -> bool {
        let Some(value) = self.values.get_mut(index) else { return false };
        let bit = 1 << index;
        let narrow_before = self.narrow & bit != 0;
        match (width, *value) {
            (Width::Bits64, Some(before)) if narrow_before && before > 0 && number == 0 => return false,
            (Width::Bits32, Some(before)) if !narrow_before && (before > 0 || number == 0) => return false,
            (Width::Bits64, _) => {
                *value = Some(number);
                self.narrow &= !bit;
            }
            (Width::Bits32, _) => {
                *value = Some(number);
                self.narrow |= bit;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(order: &[(Width, u64)]) -> (Option<u64>, bool) {
        let mut slot = Slot::default();
        order.iter().for_each(|&(width, number)| {
            slot.merge(0, width, number);
        });
        (slot.values[0], slot.narrow & 1 == 1)
    }

    #[test]
    fn the_wide_counter_counts_unless_it_is_stuck_at_zero() {
        use Width::{Bits32 as N, Bits64 as W};
        for (wide, narrow, expected) in
            [(9, 9, (Some(9), false)), (0, 7, (Some(7), true)), (0, 0, (Some(0), false)), (9, 0, (Some(9), false))]
        {
            assert_eq!(merged(&[(W, wide), (N, narrow)]), expected, "{wide} {narrow}");
            assert_eq!(merged(&[(N, narrow), (W, wide)]), expected, "{narrow} {wide}");
        }
        assert_eq!(merged(&[(N, 3)]), (Some(3), true));
    }

    #[test]
    fn octets_read_apart_are_not_told_as_of_one_time() {
        let at = |ticks: u32| Some((ticks, Timestamp::from_millis(i64::from(ticks) * 10)));
        let row = |inward, outward, apart| {
            let mut slot = Slot { when: at(90), octets: [inward, outward], ..Slot::default() };
            (slot.values[PortMetric::InOctets.index()], slot.values[PortMetric::OutOctets.index()]) = (Some(1), Some(2));
            let when = slot.settle(apart);
            (when, slot.values[PortMetric::InOctets.index()], slot.values[PortMetric::OutOctets.index()])
        };
        assert_eq!(row(at(100), at(100), false), (at(100), Some(1), Some(2)));
        assert_eq!(row(at(100), at(130), false), (at(130), None, Some(2)));
        assert_eq!(row(at(130), at(100), false), (at(130), Some(1), None));
        assert_eq!(row(at(130), at(100), true), (at(130), Some(1), Some(2)), "this device takes no two at once");
        assert_eq!(row(at(100), None, false).0, at(100));
        assert_eq!(row(None, None, false).0, at(90));
    }
}
