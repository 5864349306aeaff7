//! The consolidated tiers: 5 minutes (a row a port and day, a file a month), 1 hour (a row a week, a file a year) and
//! 1 day (a row a month, one file). Written when a day is sealed; writing a day again changes nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::model::{METRICS, PortId, PortMetric};
use crate::store::StoreError;

use super::codec::cells::{Cells, Column};
use super::error::SeriesError;
use super::grid::{Cell, Grid};
use super::history::Tier;
use super::layout::{DAY_MS, Day, HOUR_MS, Layout, TIER};
use super::pool::Kind;
use super::rate::walk;
use super::stretch::{Poll, Rows};
use super::{Shared, Values};

/// The length of a bucket in milliseconds; of raw samples the shortest interval there is.
pub(super) const fn length_ms(tier: Tier) -> i64 {
    match tier {
        Tier::Raw => 1000,
        Tier::Minutes5 => 300_000,
        Tier::Hour => HOUR_MS,
        Tier::Day => DAY_MS,
    }
}

/// Where a day's buckets of a tier lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The file.
    pub(super) path: PathBuf,
    /// The row's number, below the port's in the key.
    pub(super) row: i64,
    /// The row's first day.
    pub(super) first: Day,
    /// How many buckets a row has.
    pub(super) count: usize,
    /// The place of the day's first bucket in the row.
    pub(super) offset: usize,
}

/// Buckets of a day.
pub(super) const fn per_day(tier: Tier) -> usize {
    (DAY_MS / length_ms(tier)) as usize
}

/// Where a day's buckets lie.
pub(super) fn place(layout: &Layout, tier: Tier, day: Day) -> Place {
    match tier {
        Tier::Raw | Tier::Minutes5 => {
            let (year, month, _) = day.civil();
            Place { path: layout.m5().join(format!("{year:04}-{month:02}.db")), row: day.0, first: day, count: 288, offset: 0 }
        }
        Tier::Hour => {
            // Weeks begin on Monday; a week lies in the file of the year in which it begins.
            let week = (day.0 + 3).div_euclid(7);
            let first = Day(week * 7 - 3);
            let offset = (day.0 - first.0) as usize * per_day(tier);
            Place { path: layout.h1().join(format!("{:04}.db", first.civil().0)), row: week, first, count: 168, offset }
        }
        Tier::Day => {
            let (year, month, date) = day.civil();
            let first = Day::of_civil(year, month, 1);
            Place { path: layout.d1(), row: year * 12 + month, first, count: 31, offset: date as usize - 1 }
        }
    }
}

/// The row's key.
const fn key(port: PortId, row: i64) -> i64 {
    (port.0 as i64 & 0xff_ffff) << 24 | row & 0xff_ffff
}

/// Makes the table of a new file, or checks that of an old one.
pub(super) fn prepare(file: &Connection, path: &Path) -> Result<(), SeriesError> {
    if TIER.found(file, path)? == 0 {
        file.execute_batch("BEGIN IMMEDIATE; CREATE TABLE cells (k INTEGER PRIMARY KEY, b BLOB NOT NULL);")
            .and_then(|()| TIER.stamp(file, TIER.version))
            .and_then(|()| file.execute_batch("COMMIT"))
            .map_err(|error| StoreError::sqlite(path, error))?;
    }
    Ok(())
}

/// Reads the rows of a port that touch `[from_ms, to_ms)`, the earliest first, with the start of their first bucket.
pub(super) fn read(
    shared: &Shared,
    tier: Tier,
    port: PortId,
    wanted: u16,
    from_ms: i64,
    to_ms: i64,
    mut each: impl FnMut(i64, &Cells),
) -> Result<(), SeriesError> {
    let mut day = Day::of(from_ms);
    while day.start_ms() < to_ms {
        let here = place(&shared.layout, tier, day);
        // The rows up to the last one in the same file.
        let (mut last, mut next) = (here.clone(), day);
        while next.start_ms() < to_ms {
            let there = place(&shared.layout, tier, next);
            if there.path != here.path {
                break;
            }
            next = after(tier, &there);
            last = there;
        }
        shared.pool.with(&here.path, Kind::Live, |file| {
            let sqlite = SeriesError::sqlite(&here.path);
            let mut rows = file.prepare_cached("SELECT k, b FROM cells WHERE k BETWEEN ?1 AND ?2 ORDER BY k").map_err(&sqlite)?;
            let mut rows = rows.query([key(port, here.row), key(port, last.row)]).map_err(&sqlite)?;
            while let Some(row) = rows.next().map_err(&sqlite)? {
                let number: i64 = row.get(0).map_err(&sqlite)?;
                let blob = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(&sqlite)?;
                let cells = Cells::decode(blob, wanted).map_err(|error| SeriesError::block(&here.path, number, error))?;
                each(first_day(tier, number & 0xff_ffff).start_ms(), &cells);
            }
            Ok(())
        })?;
        day = next;
    }
    Ok(())
}

/// The first day of a row.
const fn first_day(tier: Tier, row: i64) -> Day {
    match tier {
        Tier::Raw | Tier::Minutes5 => Day(row),
        Tier::Hour => Day(row * 7 - 3),
        Tier::Day => Day::of_civil((row - 1).div_euclid(12), (row - 1).rem_euclid(12) + 1, 1),
    }
}

/// The first day after a row.
const fn after(tier: Tier, place: &Place) -> Day {
    match tier {
        Tier::Raw | Tier::Minutes5 => Day(place.first.0 + 1),
        Tier::Hour => Day(place.first.0 + 7),
        Tier::Day => first_day(tier, place.row + 1),
    }
}

/// A port's day in 5-minute buckets, from its raw samples.
pub(super) fn consolidate(day: Day, polls: &[Poll], rows: &Rows, values: Values, min_for_counters: bool) -> Cells {
    let grid = Grid { t0_ms: day.start_ms(), step_ms: length_ms(Tier::Minutes5), count: 288, values };
    let walked = walk(polls, rows);
    let (known_ms, gap) = grid.coverage(&walked);
    let scale_s = polls.iter().map(|poll| poll.interval_s).max().unwrap_or(1).max(1);
    let mut cells = Cells { scale_s, gap, known_ms, metrics: Default::default() };
    let present = rows.mask.iter().fold(0, |any, mask| any | mask);
    let always = rows.mask.iter().fold(u16::MAX, |all, mask| all & mask);
    let shares = grid.spread(&walked.known, (day.start_ms(), day.end_ms()));
    let mut buckets = vec![Cell::default(); grid.count];
    // Counters that stand still all day (errors, ports without a link) all look the same.
    let mut still: Option<Option<Column>> = None;
    for (metric, into) in PortMetric::ALL.into_iter().zip(&mut cells.metrics) {
        if present >> metric.index() & 1 == 0 {
            continue;
        }
        let gauge = values.is_gauge(metric);
        let stands = !gauge && always >> metric.index() & 1 == 1 && rows.is_still(metric.index());
        if let Some(same) = still.as_ref().filter(|_| stands) {
            into.clone_from(same);
            continue;
        }
        buckets.fill(Cell::default());
        Grid::fill(&mut buckets, &shares, rows, metric);
        *into = column(&buckets, &cells.known_ms, gauge, scale_s, min_for_counters);
        if stands {
            still = Some(into.clone());
        }
    }
    cells
}

/// A metric's buckets as whole numbers. Growth is rounded as a running total, so that a day's sum stays exact.
fn column(buckets: &[Cell], port_known: &[u64], gauge: bool, scale_s: u32, min_for_counters: bool) -> Option<Column> {
    if buckets.iter().all(|cell| cell.known_ms <= 0.0) {
        return None;
    }
    let scale = if gauge { 1.0 } else { f64::from(scale_s) };
    let mut into = Column::default();
    let (mut total, mut told) = (0.0, 0_u64);
    for cell in buckets {
        total += cell.sum;
        let now = whole(total).max(told);
        into.sum.push(now - told);
        told = now;
        into.max.push(whole(cell.max * scale));
        if gauge || min_for_counters {
            into.min.push(whole(cell.min * scale));
        }
        into.known_ms.push(whole(cell.known_ms));
    }
    if into.known_ms == port_known {
        into.known_ms.clear();
    }
    Some(into)
}

/// The nearest whole number to one that is not negative. As `round`, which is a call into the C library on x86-64.
const fn whole(value: f64) -> u64 {
    (value + 0.5) as u64
}

/// Buckets `factor` times as long.
pub(super) fn coarser(cells: &Cells, factor: usize) -> Cells {
    let length = cells.gap.len() / factor;
    let mut out = Cells::empty(length);
    out.scale_s = cells.scale_s;
    out.known_ms = add_up(&cells.known_ms, factor);
    out.gap = cells.gap.chunks(factor).zip(cells.known_ms.chunks(factor)).map(|(gaps, known)| longest_gap(gaps, known)).collect();
    for (from, into) in cells.metrics.iter().zip(&mut out.metrics) {
        let Some(from) = from else { continue };
        let own = if from.known_ms.is_empty() { &cells.known_ms } else { &from.known_ms };
        let known = |at: usize| own.get(at).is_some_and(|&known| known > 0);
        // Only known buckets have a say in the largest and the smallest.
        let fold = |column: &[u64], choose: fn(u64, u64) -> u64| -> Vec<u64> {
            let chunks = column.chunks(factor).enumerate();
            chunks
                .map(|(chunk, values)| {
                    let known = values.iter().enumerate().filter(|(at, _)| known(chunk * factor + at));
                    known.map(|(_, value)| *value).reduce(choose).unwrap_or(0)
                })
                .collect()
        };
        let known_ms = add_up(own, factor);
        *into = Some(Column {
            sum: add_up(&from.sum, factor),
            max: fold(&from.max, u64::max),
            min: if from.min.is_empty() { Vec::new() } else { fold(&from.min, u64::min) },
            known_ms: if known_ms == out.known_ms { Vec::new() } else { known_ms },
        });
    }
    out
}

fn add_up(column: &[u64], factor: usize) -> Vec<u64> {
    column.chunks(factor).map(|values| values.iter().fold(0, |sum: u64, value| sum.saturating_add(*value))).collect()
}

/// The reason that stands for most of the unknown time.
fn longest_gap(gaps: &[u8], known: &[u64]) -> u8 {
    let most = known.iter().copied().max().unwrap_or(0);
    let mut unknown = [0_u64; 256];
    for (&code, &known_ms) in gaps.iter().zip(known) {
        if code != 0 {
            // Every bucket with a reason weighs something, the emptier the more.
            unknown[usize::from(code)] += 1 + most.saturating_sub(known_ms);
        }
    }
    let longest = unknown.iter().enumerate().rev().max_by_key(|(_, weight)| **weight);
    longest.filter(|(_, weight)| **weight > 0).map_or(0, |(code, _)| code as u8)
}

/// Writes a day's buckets of a port into its row, beside what the row holds of other days. Within a transaction.
pub(super) fn write(
    file: &Connection,
    place: &Place,
    port: PortId,
    day: &Cells,
    values: Values,
    scratch: &mut Vec<u64>,
) -> Result<(), SeriesError> {
    let (key, path) = (key(port, place.row), &place.path);
    let sqlite = SeriesError::sqlite(path);
    let mut whole = None;
    if place.count > day.gap.len() {
        let mut select = file.prepare_cached("SELECT b FROM cells WHERE k = ?1").map_err(&sqlite)?;
        let earlier: Option<Vec<u8>> = select.query_row([key], |row| row.get(0)).optional().map_err(&sqlite)?;
        let earlier = earlier.map(|blob| Cells::decode(&blob, u16::MAX)).transpose();
        let mut row = earlier.map_err(|error| SeriesError::block(path, key, error))?.unwrap_or_else(|| Cells::empty(place.count));
        put(&mut row, place.offset, day, values);
        whole = Some(row);
    }
    let blob = whole.as_ref().unwrap_or(day).encode(scratch);
    let mut insert = file.prepare_cached("INSERT OR REPLACE INTO cells (k, b) VALUES (?1, ?2)").map_err(&sqlite)?;
    insert.execute((key, blob)).map_err(&sqlite).map(|_| ())
}

/// Puts a day's buckets into a row at `offset`.
fn put(row: &mut Cells, offset: usize, day: &Cells, values: Values) {
    let scale_s = row.scale_s.max(day.scale_s);
    let count = row.gap.len();
    splice(&mut row.gap, offset, &day.gap);
    let row_known_before = row.known_ms.clone();
    splice(&mut row.known_ms, offset, &day.known_ms);
    for (metric, (into, from)) in row.metrics.iter_mut().zip(&day.metrics).enumerate() {
        if into.is_none() && from.is_none() {
            continue;
        }
        let gauge = PortMetric::from_index(metric).is_some_and(|metric| values.is_gauge(metric));
        let zeros = || Column { sum: vec![0; count], max: vec![0; count], min: Vec::new(), known_ms: vec![0; count] };
        let mut column = into.take().unwrap_or_else(zeros);
        if column.known_ms.is_empty() {
            column.known_ms.clone_from(&row_known_before);
        }
        let none = Column { known_ms: vec![0; day.gap.len()], ..Column::default() };
        let from = from.as_ref().unwrap_or(&none);
        let from_known = if from.known_ms.is_empty() { &day.known_ms } else { &from.known_ms };
        let was_empty = column.known_ms.iter().all(|&known| known == 0);
        splice(&mut column.known_ms, offset, from_known);
        splice(&mut column.sum, offset, &padded(&from.sum, day.gap.len()));
        rescale(&mut column.max, if gauge { 1 } else { row.scale_s }, if gauge { 1 } else { scale_s });
        splice(&mut column.max, offset, &scaled(&from.max, day, scale_s, gauge));
        if !from.min.is_empty() && (was_empty || !column.min.is_empty()) {
            column.min.resize(count, 0);
            rescale(&mut column.min, if gauge { 1 } else { row.scale_s }, if gauge { 1 } else { scale_s });
            splice(&mut column.min, offset, &scaled(&from.min, day, scale_s, gauge));
        } else if !from.sum.is_empty() {
            // A row either has all its minima or none.
            column.min.clear();
        }
        if column.known_ms == row.known_ms {
            column.known_ms.clear();
        }
        *into = Some(column);
    }
    row.scale_s = scale_s;
}

fn splice<T: Copy>(row: &mut [T], offset: usize, part: &[T]) {
    for (into, from) in row.iter_mut().skip(offset).zip(part) {
        *into = *from;
    }
}

fn padded(column: &[u64], length: usize) -> Vec<u64> {
    let mut padded = column.to_vec();
    padded.resize(length, 0);
    padded
}

fn scaled(column: &[u64], day: &Cells, scale_s: u32, gauge: bool) -> Vec<u64> {
    let mut scaled = padded(column, day.gap.len());
    if !gauge {
        rescale(&mut scaled, day.scale_s, scale_s);
    }
    scaled
}

fn rescale(column: &mut [u64], from_s: u32, to_s: u32) {
    if from_s != to_s {
        for value in column {
            *value = (*value as f64 * f64::from(to_s) / f64::from(from_s)).round() as u64;
        }
    }
}

const _: () = assert!(METRICS == PortMetric::ALL.len(), "tiers go over all metrics");
