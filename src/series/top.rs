//! Who is busiest: the last hour of every port in memory, in slots of five minutes.

use std::sync::{PoisonError, RwLock};

use crate::model::{METRICS, PortId, PortMetric};

use super::rate::patience_ms;
use super::sample::DeviceSample;
use super::stretch::{Stretch, unfold};

const SLOT_MS: i64 = 300_000;
/// An hour and the slot that is growing.
const SLOTS: usize = 13;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    growth: f32,
    max: f32,
}

#[derive(Debug)]
struct Finished {
    held: [(i64, f32); SLOTS],
    slots: [[Slot; SLOTS]; METRICS],
}

#[derive(Debug)]
struct Port {
    time_ms: i64,
    mask: u16,
    values: [u64; METRICS],
    /// The five minutes that are growing, apart from the finished ones so that a poll touches little memory: which,
    /// counted from the epoch, and how much of them is known (ms).
    held: (i64, f32),
    growing: [Slot; METRICS],
    finished: Box<Finished>,
}

/// The last hour of every port.
#[derive(Debug, Default)]
pub(super) struct Top(RwLock<Ports>);

/// Found by number: the catalogue gives port numbers one after the other, and looking each up in a map would cost more
/// than all the rest of a sample here.
#[derive(Debug, Default)]
struct Ports {
    /// The place of each port in `ports`, plus one; 0 for ports without samples.
    places: Vec<u32>,
    ports: Vec<(PortId, Port)>,
}

impl Ports {
    fn port(&mut self, id: PortId) -> Option<&mut Port> {
        let number = id.0 as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, 0);
        }
        let place = self.places.get_mut(number)?;
        if *place == 0 {
            self.ports.push((id, Port::default()));
            *place = u32::try_from(self.ports.len()).ok()?;
        }
        self.ports.get_mut(*place as usize - 1).map(|(_, port)| port)
    }
}

impl Top {
    /// Adds a poll; `fresh` when nothing may be compared with what came before.
    pub(super) fn push(&self, sample: &DeviceSample, fresh: bool) {
        let mut ports = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for row in &sample.rows {
            let (mask, values) = unfold(&row.values);
            let time_ms = sample.time.millis() + i64::from(row.skew_ms);
            let comparable = !fresh && row.mark.is_none();
            if let Some(port) = ports.port(row.port) {
                port.push(time_ms, sample.interval_s, comparable, mask, &values);
            }
        }
    }

    /// Adds what the files hold of the last hour.
    pub(super) fn learn(&self, stretch: &Stretch) {
        let mut ports = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (port, rows) in &stretch.ports {
            let Some(port) = ports.port(*port) else { continue };
            for (row, &at) in rows.at.iter().enumerate() {
                let Some(poll) = stretch.polls.get(at as usize) else { continue };
                let mut values = [0; METRICS];
                for (value, column) in values.iter_mut().zip(&rows.values) {
                    *value = column.get(row).copied().unwrap_or(0);
                }
                let time_ms = poll.time_ms + i64::from(rows.skew_ms.get(row).copied().unwrap_or(0));
                let comparable = rows.mark.get(row) == Some(&0);
                port.push(time_ms, poll.interval_s, comparable, rows.mask.get(row).copied().unwrap_or(0), &values);
            }
        }
    }

    /// The `n` ports with the highest average over the slots that touch `[from_ms, to_ms)`, with their largest rate.
    pub(super) fn best(&self, metric: PortMetric, from_ms: i64, to_ms: i64, n: usize) -> Vec<(PortId, f64, f64)> {
        let ports = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (from_ms.div_euclid(SLOT_MS), (to_ms - 1).div_euclid(SLOT_MS));
        let mut best: Vec<(PortId, f64, f64)> = ports
            .ports
            .iter()
            .filter_map(|(id, port)| {
                let (mut growth, mut known, mut max) = (0.0, 0.0, 0.0_f64);
                let growing = port.growing.get(metric.index()).zip(Some(&port.held));
                let finished = port.finished.slots.get(metric.index())?.iter().zip(&port.finished.held);
                for (slot, &(number, known_ms)) in finished.chain(growing) {
                    if (first..=last).contains(&number) {
                        growth += f64::from(slot.growth);
                        known += f64::from(known_ms);
                        max = max.max(f64::from(slot.max));
                    }
                }
                (known > 0.0).then(|| (*id, growth * 1000.0 / known, max))
            })
            .collect();
        rank(&mut best, n);
        best
    }
}

/// Keeps the `n` with the highest average, the highest first; equal ones by number.
pub(super) fn rank(best: &mut Vec<(PortId, f64, f64)>, n: usize) {
    let order = |a: &(PortId, f64, f64), b: &(PortId, f64, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < best.len() {
        best.select_nth_unstable_by(n, order);
        best.truncate(n);
    }
    best.sort_unstable_by(order);
}

impl Default for Port {
    fn default() -> Self {
        Self {
            time_ms: i64::MIN,
            mask: 0,
            values: [0; METRICS],
            held: (i64::MIN, 0.0),
            growing: Default::default(),
            finished: Box::new(Finished { held: [(i64::MIN, 0.0); SLOTS], slots: Default::default() }),
        }
    }
}

impl Port {
    /// Adds a sample; `comparable` when nothing speaks against comparing it with the one before.
    fn push(&mut self, time_ms: i64, interval_s: u32, comparable: bool, mask: u16, values: &[u64; METRICS]) {
        if mask == 0 {
            return;
        }
        // A port with a longer interval of its own is late by its device's measure; an hour is late by any.
        let late_ms = patience_ms(interval_s).max(SLOT_MS * SLOTS as i64);
        if comparable && self.time_ms != i64::MIN && time_ms > self.time_ms && time_ms - self.time_ms <= late_ms {
            self.grow(time_ms, mask, values);
        }
        (self.time_ms, self.mask, self.values) = (time_ms, mask, *values);
    }

    /// Puts the growth since the last sample into the slot of this one.
    fn grow(&mut self, time_ms: i64, mask: u16, values: &[u64; METRICS]) {
        let number = time_ms.div_euclid(SLOT_MS);
        if self.held.0 != number {
            self.finish();
            self.held = (number, 0.0);
        }
        let span_ms = (time_ms - self.time_ms) as f32;
        self.held.1 += span_ms;
        let both = mask & self.mask;
        for (metric, ((slot, now), before)) in self.growing.iter_mut().zip(values).zip(&self.values).enumerate() {
            if both >> metric & 1 == 1
                && let Some(growth) = now.checked_sub(*before)
            {
                slot.growth += growth as f32;
                slot.max = slot.max.max(growth as f32 * (1000.0 / span_ms));
            }
        }
    }

    /// Puts the growing slot among the finished ones.
    fn finish(&mut self) {
        let place = self.held.0.rem_euclid(SLOTS as i64) as usize;
        if let Some(held) = self.finished.held.get_mut(place) {
            *held = self.held;
        }
        for (slots, growing) in self.finished.slots.iter_mut().zip(&mut self.growing) {
            if let Some(slot) = slots.get_mut(place) {
                *slot = std::mem::take(growing);
            }
        }
    }
}
