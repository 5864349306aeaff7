//! From the tail into the day's open file, hour by hour, some devices at a time. The blocks are synced before the tail
//! forgets: a crash between leaves polls in both places, which reads as once.

use super::Shared;
use super::day::write_open;
use super::error::SeriesError;
use super::layout::{Day, HOUR_MS};
use super::tail::decode;

/// Devices in one transaction.
const CHUNK: usize = 50;

/// Moves all polls before `before_ms` (a full hour) into the days' files. Returns how many could not be read.
pub(super) fn compact(shared: &Shared, before_ms: i64, scratch: &mut Vec<u64>) -> Result<u64, SeriesError> {
    let mut unreadable = 0;
    while let Some(earliest_ms) = shared.tail.earliest_ms().filter(|&earliest| earliest < before_ms) {
        let day = Day::of(earliest_ms);
        let hour_end = earliest_ms - earliest_ms.rem_euclid(HOUR_MS) + HOUR_MS;
        for devices in shared.tail.devices_before(hour_end).chunks(CHUNK) {
            let taken: Vec<_> = devices
                .iter()
                .map(|&device| {
                    let mut rows = shared.tail.rows(device);
                    rows.retain(|row| row.time_ms < hour_end);
                    (device, rows)
                })
                .collect();
            shared.open_days.write(shared, day, |file| {
                for (device, rows) in &taken {
                    let (stretch, bad) = decode(*device, rows, None);
                    unreadable += bad;
                    write_open(file, &stretch, 1, scratch)?;
                }
                Ok(())
            })?;
            for (device, rows) in taken {
                if let Some(last) = rows.last() {
                    shared.tail.forget(device, last.time_ms + 1);
                }
            }
        }
    }
    Ok(unreadable)
}
