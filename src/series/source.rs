//! Raw samples of a device or of one of its ports over any span, put together from sealed days, open days and the tail.

use crate::model::{DeviceId, PortId};

use super::Shared;
use super::day::{DayFile, join};
use super::error::SeriesError;
use super::layout::Day;
use super::pool::Kind;
use super::stretch::Stretch;
use super::tail::decode;

/// The device's polls in `[from_ms, to_ms)` with the rows of `ports`; of the tail, the rows of `only` or of all ports.
pub(super) fn read(
    shared: &Shared,
    device: DeviceId,
    only: Option<PortId>,
    ports: &[PortId],
    from_ms: i64,
    to_ms: i64,
    wanted: u16,
) -> Result<Stretch, SeriesError> {
    // The tail first: what leaves it is in a day's file already.
    let mut tail = shared.tail.rows(device);
    tail.truncate(tail.partition_point(|row| row.time_ms < to_ms));
    let mut found = Stretch::new(device);
    let touched = shared.days.all().into_iter().filter(|(day, _)| day.end_ms() > from_ms && day.start_ms() < to_ms);
    for (day, _) in touched {
        let here = day_of(shared, device, day, |file| file.read(device, ports, from_ms, to_ms, wanted))?;
        // A sealed day repeats its neighbours' polls at its ends, and blocks reach beyond what is asked.
        let told = found.polls.last().map_or(from_ms, |last| last.time_ms + 1);
        found = Stretch::merge(found, here.cut(told, to_ms));
    }
    if tail.last().is_some_and(|last| last.time_ms >= from_ms) {
        found = join(found, decode(device, &tail, only).0);
    }
    Ok(found.cut(from_ms, to_ms))
}

/// A day from its sealed and its open file.
fn day_of(
    shared: &Shared,
    device: DeviceId,
    day: Day,
    read: impl Fn(DayFile<'_>) -> Result<Stretch, SeriesError>,
) -> Result<Stretch, SeriesError> {
    let from = |sealed: bool| {
        let (path, kind) = if sealed { (shared.layout.sealed_day(day), Kind::Sealed) } else { (shared.layout.open_day(day), Kind::Live) };
        shared.pool.with(&path, kind, |file| read(DayFile { file, path: &path, day, sealed }))
    };
    // Open before sealed: when the open file vanishes meanwhile, the sealed one is there.
    let files = shared.days.of(day);
    let open = if files.open { from(false)? } else { None };
    let sealed = if files.sealed || open.is_none() { from(true)? } else { None };
    Ok(match (sealed, open) {
        (Some(sealed), Some(open)) => join(sealed, open),
        (one, other) => one.or(other).unwrap_or_else(|| Stretch::new(device)),
    })
}
