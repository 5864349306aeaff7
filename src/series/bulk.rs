//! The bulk path: polls of the past, device by device, gathered to a day each and written to that day's open file in
//! blocks of a few hours.

use std::collections::HashMap;

use crate::model::DeviceId;

use super::Shared;
use super::day::{BULK_HOURS, write_open};
use super::error::SeriesError;
use super::layout::Day;
use super::sample::DeviceSample;
use super::stretch::Stretch;

/// Device-days gathered at a time, each a few megabytes at most.
const MOST_GATHERED: usize = 64;

/// What is gathered.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    days: HashMap<DeviceId, (Day, Stretch)>,
    scratch: Vec<u64>,
}

impl Bulk {
    /// Gathers a poll; writes the device's day when this one belongs to another.
    pub(super) fn push(&mut self, shared: &Shared, sample: &DeviceSample) -> Result<(), SeriesError> {
        let (device, day) = (sample.device, Day::of(sample.time.millis()));
        let follows =
            |(of, stretch): &(Day, Stretch)| *of == day && stretch.polls.last().is_none_or(|last| last.time_ms < sample.time.millis());
        let mut written = Ok(());
        if !self.days.get(&device).is_some_and(follows) {
            if self.days.contains_key(&device) || self.days.len() < MOST_GATHERED {
                written = self.write(shared, device);
            } else {
                written = self.flush(shared);
            }
            self.days.insert(device, (day, Stretch::new(device)));
        }
        if let Some((_, stretch)) = self.days.get_mut(&device) {
            stretch.push(sample);
        }
        written
    }

    /// Writes everything gathered.
    pub(super) fn flush(&mut self, shared: &Shared) -> Result<(), SeriesError> {
        let mut devices: Vec<DeviceId> = self.days.keys().copied().collect();
        devices.sort_unstable();
        devices.into_iter().map(|device| self.write(shared, device)).fold(Ok(()), Result::and)
    }

    fn write(&mut self, shared: &Shared, device: DeviceId) -> Result<(), SeriesError> {
        let Some((day, stretch)) = self.days.remove(&device) else { return Ok(()) };
        let rows: u64 = stretch.ports.values().map(|rows| rows.len() as u64).sum();
        shared.open_days.write(shared, day, |file| write_open(file, &stretch, BULK_HOURS, &mut self.scratch))?;
        shared.counters.stored.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}
