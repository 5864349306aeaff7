//! Samples in the hand: a device's polls over some time, with each port's rows in columns. What the blocks on disk
//! hold, what queries walk over.

use std::collections::{BTreeMap, HashMap};

use crate::model::{DeviceId, Gap, METRICS, PortId, Timestamp};

use super::sample::{DeviceSample, PortSample};

/// One poll of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Poll {
    /// When, milliseconds since the epoch.
    pub time_ms: i64,
    /// The interval in force, seconds.
    pub interval_s: u32,
    /// Why all of it is missing.
    pub gap: Option<Gap>,
}

/// The rows of one port, the earliest first. All columns are as long as `at`, or empty when nothing was ever present.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// Which poll of the stretch each row belongs to, growing.
    pub at: Vec<u32>,
    /// The mark's code, 0 for none.
    pub mark: Vec<u8>,
    /// How much later than the poll's time, milliseconds.
    pub skew_ms: Vec<i32>,
    /// Which metrics are present, by bit.
    pub mask: Vec<u16>,
    /// The values by metric; 0 where absent.
    pub values: [Vec<u64>; METRICS],
}

impl Rows {
    /// Nothing yet, with room for so many rows.
    fn with_room(rows: usize) -> Self {
        let room = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        Self { at: room.0, mark: room.1, skew_ms: room.2, mask: room.3, values: Default::default() }
    }

    /// Appends a row. Values whose bit is not in `mask` are ignored.
    pub fn push(&mut self, at: u32, mark: u8, skew_ms: i32, mask: u16, values: &[u64; METRICS]) {
        let earlier = self.at.len();
        self.at.push(at);
        self.mark.push(mark);
        self.skew_ms.push(skew_ms);
        self.mask.push(mask);
        for (index, (column, value)) in self.values.iter_mut().zip(values).enumerate() {
            let present = mask >> index & 1 == 1;
            if present || !column.is_empty() {
                if column.len() < earlier {
                    column.resize(earlier, 0);
                }
                if column.is_empty() {
                    column.reserve_exact(self.at.capacity());
                }
                column.push(if present { *value } else { 0 });
            }
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// The value of a metric in a row, when present.
    pub fn value(&self, metric: usize, row: usize) -> Option<u64> {
        let present = self.mask.get(row)? >> metric & 1 == 1;
        self.values.get(metric)?.get(row).copied().filter(|_| present)
    }

    /// Whether a metric that every row has keeps one value.
    pub fn is_still(&self, metric: usize) -> bool {
        self.values.get(metric).and_then(|column| column.split_first()).is_some_and(|(first, rest)| rest.iter().all(|value| value == first))
    }

    /// Row number `row` of `from` as a row of poll `at` here.
    fn push_from(&mut self, from: &Self, row: usize, at: u32) {
        let mut values = [0; METRICS];
        for (value, column) in values.iter_mut().zip(&from.values) {
            *value = column.get(row).copied().unwrap_or(0);
        }
        let cell = |column: &[u8]| column.get(row).copied().unwrap_or(0);
        let mask = from.mask.get(row).copied().unwrap_or(0);
        self.push(at, cell(&from.mark), from.skew_ms.get(row).copied().unwrap_or(0), mask, &values);
    }
}

/// A device's polls over some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Whose.
    pub device: DeviceId,
    /// The polls in the order of time.
    pub polls: Vec<Poll>,
    /// The rows of each port.
    pub ports: BTreeMap<PortId, Rows>,
}

impl Stretch {
    /// Nothing yet.
    pub const fn new(device: DeviceId) -> Self {
        Self { device, polls: Vec::new(), ports: BTreeMap::new() }
    }

    /// Nothing yet, with room for so many polls.
    pub fn with_room(device: DeviceId, polls: usize) -> Self {
        Self { device, polls: Vec::with_capacity(polls), ports: BTreeMap::new() }
    }

    /// Appends a poll that is later than all before.
    pub fn push(&mut self, sample: &DeviceSample) {
        let at = self.polls.len() as u32;
        self.polls.push(Poll { time_ms: sample.time.millis(), interval_s: sample.interval_s, gap: sample.gap });
        let put = |rows: &mut Rows, row: &PortSample| {
            let (mask, values) = unfold(&row.values);
            rows.push(at, row.mark.map_or(0, Gap::code), row.skew_ms, mask, &values);
        };
        // The usual poll has the ports of those before it, in their order: walked in step, not looked up.
        if self.ports.len() == sample.rows.len() && self.ports.keys().zip(&sample.rows).all(|(port, row)| *port == row.port) {
            self.ports.values_mut().zip(&sample.rows).for_each(|(rows, row)| put(rows, row));
        } else {
            let room = self.polls.capacity();
            sample.rows.iter().for_each(|row| put(self.ports.entry(row.port).or_insert_with(|| Rows::with_room(room)), row));
        }
    }

    /// The first poll's time.
    pub fn first(&self) -> Option<Timestamp> {
        self.polls.first().map(|poll| Timestamp::from_millis(poll.time_ms))
    }

    /// The same, cut to the polls in `[from_ms, to_ms)`; without a copy when nothing is cut.
    pub fn cut(self, from_ms: i64, to_ms: i64) -> Self {
        let within = |poll: Option<&Poll>| poll.is_none_or(|poll| (from_ms..to_ms).contains(&poll.time_ms));
        if within(self.polls.first()) && within(self.polls.last()) { self } else { self.part(from_ms, to_ms) }
    }

    /// The polls in `[from_ms, to_ms)`, with their rows.
    pub fn part(&self, from_ms: i64, to_ms: i64) -> Self {
        let start = self.polls.partition_point(|poll| poll.time_ms < from_ms);
        let end = self.polls.partition_point(|poll| poll.time_ms < to_ms).max(start);
        self.range(start, end)
    }

    /// The same, cut to the polls numbered `start..end`; without a copy when nothing is cut.
    pub fn cut_range(self, start: usize, end: usize) -> Self {
        if start == 0 && end >= self.polls.len() { self } else { self.range(start, end) }
    }

    /// The polls numbered `start..end`, with their rows.
    pub fn range(&self, start: usize, end: usize) -> Self {
        let polls = self.polls.get(start..end).unwrap_or_default().to_vec();
        let mut part = Self { device: self.device, polls, ports: BTreeMap::new() };
        for (port, rows) in &self.ports {
            let rows = rows.range(start, end);
            if !rows.is_empty() {
                part.ports.insert(*port, rows);
            }
        }
        part
    }

    /// Joins two stretches of the same device by time. Where both have a poll of the same time, `newer` wins.
    pub fn merge(older: Self, newer: Self) -> Self {
        if newer.polls.is_empty() {
            return older;
        }
        if older.polls.is_empty() {
            return newer;
        }
        let (Some(last), Some(first)) = (older.polls.last(), newer.polls.first()) else { return newer };
        if last.time_ms < first.time_ms {
            return Self::concat(older, newer);
        }
        Self::interleave(&older, &newer)
    }

    fn concat(mut older: Self, newer: Self) -> Self {
        let shift = older.polls.len() as u32;
        older.polls.extend(newer.polls);
        for (port, rows) in newer.ports {
            older.ports.entry(port).or_default().extend(&rows, shift);
        }
        older
    }

    fn interleave(older: &Self, newer: &Self) -> Self {
        // Which poll of which side stands at each place of the result; the later insert of a time wins.
        let mut order = BTreeMap::new();
        for (side, stretch) in [older, newer].into_iter().enumerate() {
            order.extend(stretch.polls.iter().enumerate().map(|(at, poll)| (poll.time_ms, (side, at as u32))));
        }
        let places: HashMap<(usize, u32), u32> = order.values().enumerate().map(|(place, from)| (*from, place as u32)).collect();
        let polls = order.values().filter_map(|&(side, at)| [older, newer].get(side)?.polls.get(at as usize).copied()).collect();
        let mut merged = Self { device: newer.device, polls, ports: BTreeMap::new() };
        let ports: std::collections::BTreeSet<_> = older.ports.keys().chain(newer.ports.keys()).copied().collect();
        for port in ports {
            let mut rows: Vec<(u32, &Rows, usize)> = Vec::new();
            for (side, stretch) in [older, newer].into_iter().enumerate() {
                let Some(from) = stretch.ports.get(&port) else { continue };
                rows.extend(from.at.iter().enumerate().filter_map(|(row, &at)| Some((*places.get(&(side, at))?, from, row))));
            }
            rows.sort_unstable_by_key(|&(place, _, _)| place);
            let mut into = Rows::default();
            for (place, from, row) in rows {
                into.push_from(from, row, place);
            }
            if !into.is_empty() {
                merged.ports.insert(port, into);
            }
        }
        merged
    }
}

impl Rows {
    /// Appends all rows of `from`, its poll numbers counted from `shift`.
    fn extend(&mut self, from: &Self, shift: u32) {
        let (before, after) = (self.len(), self.len() + from.len());
        self.at.extend(from.at.iter().map(|at| at + shift));
        self.mark.extend_from_slice(&from.mark);
        self.skew_ms.extend_from_slice(&from.skew_ms);
        self.mask.extend_from_slice(&from.mask);
        for (into, from) in self.values.iter_mut().zip(&from.values) {
            if !into.is_empty() || !from.is_empty() {
                into.resize(before, 0);
                into.extend_from_slice(from);
                into.resize(after, 0);
            }
        }
    }

    /// The rows of the polls numbered `start..end`, those numbers counted from `start`.
    pub fn range(&self, start: usize, end: usize) -> Self {
        let first = self.at.partition_point(|&at| (at as usize) < start);
        let last = self.at.partition_point(|&at| (at as usize) < end).max(first);
        let mut cut = Self {
            at: self.at.get(first..last).unwrap_or_default().iter().map(|at| at - start as u32).collect(),
            mark: self.mark.get(first..last).unwrap_or_default().to_vec(),
            skew_ms: self.skew_ms.get(first..last).unwrap_or_default().to_vec(),
            mask: self.mask.get(first..last).unwrap_or_default().to_vec(),
            values: Default::default(),
        };
        let any = cut.mask.iter().fold(0, |any, mask| any | mask);
        for (index, (into, from)) in cut.values.iter_mut().zip(&self.values).enumerate() {
            if any >> index & 1 == 1 {
                *into = from.get(first..last).unwrap_or_default().to_vec();
            }
        }
        cut
    }
}

/// Optional values as presence bits and bare numbers.
pub fn unfold(values: &[Option<u64>; METRICS]) -> (u16, [u64; METRICS]) {
    let (mut mask, mut bare) = (0, [0; METRICS]);
    for (index, (value, bare)) in values.iter().zip(&mut bare).enumerate() {
        if let Some(value) = value {
            mask |= 1 << index;
            *bare = *value;
        }
    }
    (mask, bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: i64, port: u32, octets: u64) -> DeviceSample {
        let mut values = [None; METRICS];
        values[0] = Some(octets);
        let rows = vec![PortSample { port: PortId(port), skew_ms: 3, mark: None, values }];
        DeviceSample { device: DeviceId(1), time: Timestamp::from_millis(time), interval_s: 60, gap: None, rows }
    }

    fn stretch(samples: &[(i64, u32, u64)]) -> Stretch {
        let mut stretch = Stretch::new(DeviceId(1));
        samples.iter().for_each(|&(time, port, octets)| stretch.push(&sample(time, port, octets)));
        stretch
    }

    #[test]
    fn joining_keeps_the_order_of_time_and_the_newer_of_two() {
        let older = stretch(&[(10, 1, 100), (20, 1, 200), (40, 2, 7)]);
        let newer = stretch(&[(20, 1, 222), (30, 1, 300)]);
        assert_eq!(Stretch::merge(older, newer), stretch(&[(10, 1, 100), (20, 1, 222), (30, 1, 300), (40, 2, 7)]));
    }

    #[test]
    fn a_part_put_back_together_is_the_whole() {
        let whole = stretch(&[(10, 1, 100), (20, 2, 200), (30, 1, 300), (40, 2, 400)]);
        assert_eq!(Stretch::merge(whole.part(0, 25), whole.part(25, 100)), whole);
        assert_eq!(Stretch::merge(whole.part(15, 100), whole.part(0, 15)), whole);
    }
}
