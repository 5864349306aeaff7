//! What goes, and when: by age, by bytes, and the oldest raw days first when the disk fills. Dropping is deleting a
//! file, which works on a full disk too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::sqlite::open_live;

use super::Shared;
use super::error::SeriesError;
use super::layout::{Day, time};
use super::open_days::remove_database;
use super::space::Room;
use super::stats::Bytes;
use super::tiers::prepare;

/// Raw days that want of space never takes.
const SPARED_DAYS: usize = 2;

/// A file of a tier whose last day is known from its name.
struct Span {
    path: PathBuf,
    end: Day,
}

/// Drops what is older than its tier is kept. Returns how many files.
pub(super) fn by_age(shared: &Shared, now_ms: i64) -> Result<u64, SeriesError> {
    let keep = &shared.retention;
    let oldest = |kept: Duration| Day::of((time(now_ms) - kept).millis());
    let mut dropped = 0;
    for (day, files) in shared.days.all() {
        if files.sealed && !files.open && day < oldest(keep.raw) {
            drop_day(shared, day)?;
            dropped += 1;
        }
    }
    for span in months(&shared.layout.m5()).into_iter().filter(|span| span.end <= oldest(keep.m5)) {
        dropped += drop_file(shared, &span.path)?;
    }
    for span in years(&shared.layout.h1()).into_iter().filter(|span| span.end <= oldest(keep.h1)) {
        dropped += drop_file(shared, &span.path)?;
    }
    drop_old_days(shared, oldest(keep.d1))?;
    Ok(dropped)
}

/// Drops the oldest until the whole fits its bound: raw days, then 5-minute months. Returns how many files.
pub(super) fn by_bytes(shared: &Shared) -> Result<u64, SeriesError> {
    let Some(most) = shared.retention.max_bytes else { return Ok(0) };
    let mut dropped = 0;
    while measure(shared).total() > most {
        let months = months(&shared.layout.m5());
        if drop_oldest_day(shared)? {
            dropped += 1;
        } else if let Some(oldest) = months.first().filter(|_| months.len() > 1) {
            dropped += drop_file(shared, &oldest.path)?;
        } else {
            break;
        }
    }
    Ok(dropped)
}

/// Whether the file system has too little room.
pub(super) fn is_low(shared: &Shared, room: Room) -> bool {
    room.is_below(shared.retention.low_space_percent)
}

/// Drops the oldest raw day unless it is one of the last. True when one went.
pub(super) fn drop_oldest_day(shared: &Shared) -> Result<bool, SeriesError> {
    let sealed: Vec<Day> = shared.days.all().into_iter().filter(|(_, files)| files.sealed && !files.open).map(|(day, _)| day).collect();
    let Some(&oldest) = sealed.first().filter(|_| sealed.len() > SPARED_DAYS) else { return Ok(false) };
    drop_day(shared, oldest)?;
    Ok(true)
}

/// The bytes of each tier.
pub(super) fn measure(shared: &Shared) -> Bytes {
    let layout = &shared.layout;
    let of = |paths: Vec<PathBuf>| paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|found| found.len()).sum();
    let with_log = |path: PathBuf| {
        let log = path.with_extension("db-wal");
        of(vec![path, log])
    };
    Bytes {
        tail: with_log(layout.tail()),
        raw: of(files(&layout.days())),
        m5: of(files(&layout.m5())),
        h1: of(files(&layout.h1())),
        d1: with_log(layout.d1()),
    }
}

fn drop_day(shared: &Shared, day: Day) -> Result<(), SeriesError> {
    let path = shared.layout.sealed_day(day);
    shared.days.change(day, |files| files.sealed = false);
    shared.pool.forget(&path);
    let gone = |path: &Path| match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SeriesError::io(path)(error)),
        _ => Ok(()),
    };
    gone(&path)?;
    gone(&shared.layout.manifest(day))?;
    tracing::info!(%day, "series: raw samples of {day} dropped, their averages stay");
    Ok(())
}

fn drop_file(shared: &Shared, path: &Path) -> Result<u64, SeriesError> {
    shared.pool.forget(path);
    remove_database(path)?;
    tracing::info!(path = %path.display(), "series: {} dropped by age or size", path.display());
    Ok(1)
}

/// The tier of days is one file: old rows go from it once a month has passed.
fn drop_old_days(shared: &Shared, oldest: Day) -> Result<(), SeriesError> {
    let path = shared.layout.d1();
    let (year, month, date) = oldest.civil();
    if date != 1 || !path.exists() {
        return Ok(());
    }
    let file = open_live(&path, None)?;
    prepare(&file, &path)?;
    file.execute("DELETE FROM cells WHERE (k & 0xffffff) < ?1", [year * 12 + month]).map_err(SeriesError::sqlite(&path))?;
    Ok(())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn spans(directory: &Path, end: impl Fn(&str) -> Option<Day>) -> Vec<Span> {
    let named = files(directory).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    named.filter_map(|path| Some(Span { end: end(path.file_stem()?.to_str()?)?, path })).collect()
}

fn months(directory: &Path) -> Vec<Span> {
    spans(directory, |stem| {
        let (year, month) = stem.split_once('-')?;
        let next = year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()?;
        Some(Day::of_civil(next.div_euclid(12), next.rem_euclid(12) + 1, 1))
    })
}

fn years(directory: &Path) -> Vec<Span> {
    // The last week of a year reaches into the next.
    spans(directory, |stem| Some(Day(Day::of_civil(stem.parse::<i64>().ok()? + 1, 1, 1).0 + 7)))
}
