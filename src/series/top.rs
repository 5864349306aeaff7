//! Who is busiest: the last hour of every port in memory, in slots of five minutes.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::model::{METRICS, PortId, PortMetric};

use super::rate::patience_ms;
use super::sample::DeviceSample;
use super::stretch::unfold;

const SLOT_MS: i64 = 300_000;
/// An hour and the slot that is growing.
const SLOTS: usize = 13;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    growth: f32,
    max: f32,
}

#[derive(Debug)]
struct Port {
    time_ms: i64,
    mask: u16,
    values: [u64; METRICS],
    /// Which five minutes each slot holds, counted from the epoch, and how much of them is known (ms).
    held: [(i64, f32); SLOTS],
    slots: Box<[[Slot; SLOTS]; METRICS]>,
}

/// The last hour of every port.
#[derive(Debug, Default)]
pub(super) struct Top(RwLock<HashMap<PortId, Port>>);

impl Top {
    /// Adds a poll; `fresh` when nothing may be compared with what came before.
    pub(super) fn push(&self, sample: &DeviceSample, fresh: bool) {
        let mut ports = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let patience = patience_ms(sample.interval_s);
        for row in &sample.rows {
            let (mask, values) = unfold(&row.values);
            if mask == 0 {
                continue;
            }
            let time_ms = sample.time.millis() + i64::from(row.skew_ms);
            let port = ports.entry(row.port).or_insert_with(|| Port {
                time_ms: i64::MIN,
                mask: 0,
                values: [0; METRICS],
                held: [(i64::MIN, 0.0); SLOTS],
                slots: Default::default(),
            });
            let comparable = !fresh && row.mark.is_none() && port.time_ms != i64::MIN && time_ms > port.time_ms;
            // A port with a longer interval of its own is late by its device's measure; an hour is late by any.
            if comparable && time_ms - port.time_ms <= patience.max(SLOT_MS * SLOTS as i64) {
                port.grow(time_ms, mask, &values);
            }
            (port.time_ms, port.mask, port.values) = (time_ms, mask, values);
        }
    }

    /// The `n` ports with the highest average over the slots that touch `[from_ms, to_ms)`, with their largest rate.
    pub(super) fn best(&self, metric: PortMetric, from_ms: i64, to_ms: i64, n: usize) -> Vec<(PortId, f64, f64)> {
        let ports = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (from_ms.div_euclid(SLOT_MS), (to_ms - 1).div_euclid(SLOT_MS));
        let mut best: Vec<(PortId, f64, f64)> = ports
            .iter()
            .filter_map(|(id, port)| {
                let (mut growth, mut known, mut max) = (0.0, 0.0, 0.0_f64);
                for (slot, &(number, known_ms)) in port.slots.get(metric.index())?.iter().zip(&port.held) {
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

impl Port {
    /// Puts the growth since the last sample into the slot of this one.
    fn grow(&mut self, time_ms: i64, mask: u16, values: &[u64; METRICS]) {
        let number = time_ms.div_euclid(SLOT_MS);
        let place = number.rem_euclid(SLOTS as i64) as usize;
        let span_ms = (time_ms - self.time_ms) as f32;
        let Some(held) = self.held.get_mut(place) else { return };
        let anew = held.0 != number;
        *held = if anew { (number, span_ms) } else { (number, held.1 + span_ms) };
        for (metric, slots) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slots.get_mut(place) else { continue };
            if anew {
                *slot = Slot::default();
            }
            let both = (mask & self.mask) >> metric & 1 == 1;
            let (Some(now), Some(before)) = (values.get(metric), self.values.get(metric)) else { continue };
            if let Some(growth) = now.checked_sub(*before).filter(|_| both) {
                slot.growth += growth as f32;
                slot.max = slot.max.max(growth as f32 * 1000.0 / span_ms);
            }
        }
    }
}
