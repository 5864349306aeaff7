//! A day becomes final: everything of it in one file that is never written again, and its tiers. Can be interrupted
//! anywhere and begun again: the tiers are written first (writing them again changes nothing), then the file appears
//! whole, and only then the open file goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::model::{DeviceId, PortId};
use crate::store::sqlite::{open_live, open_temp_build, publish};

use super::codec::block::ALL;
use super::day::{self, DayFile, write_sealed};
use super::error::SeriesError;
use super::history::Tier;
use super::layout::{Day, HOUR_MS};
use super::pool::Kind;
use super::source;
use super::stretch::Stretch;
use super::tiers::{self, Place};
use super::{Shared, Values};

/// Pages of sealed files: large ones waste least on blobs of a kilobyte or two.
const PAGE_BYTES: u32 = 32_768;
/// A day's neighbours are looked at so far, for ports with the longest interval there is (15 minutes).
const REACH_MS: i64 = 20 * 60_000;
/// Devices in one transaction of the tiers.
const CHUNK: usize = 64;

/// Seals a day. Returns whether its open file is gone; when something was written meanwhile it stays for the next time.
pub(super) fn seal(shared: &Shared, day: Day, scratch: &mut Vec<u64>) -> Result<bool, SeriesError> {
    let writes = shared.open_days.writes(day);
    let members = members(shared, day)?;
    let (built, name) = (shared.layout.days().join(format!("{day}.tmp")), shared.layout.sealed_day(day));
    let file = open_temp_build(&built, Some(PAGE_BYTES))?;
    day::prepare(&file, &built)?;
    let sqlite = SeriesError::sqlite(&built);
    file.execute_batch("BEGIN").map_err(&sqlite)?;
    let out = Tiers::open(shared, day)?;
    let devices: Vec<(DeviceId, Vec<PortId>)> = members.into_iter().map(|(device, ports)| (device, ports.into_iter().collect())).collect();
    for chunk in devices.chunks(CHUNK) {
        out.begin()?;
        for (device, ports) in chunk {
            let (from, to) = (day.start_ms() - HOUR_MS, day.end_ms() + HOUR_MS);
            let stretch = trim(source::read(shared, *device, None, ports, from, to, ALL)?, day);
            write_sealed(DayFile { file: &file, path: &built, day, sealed: true }, &stretch, scratch)?;
            for (port, rows) in &stretch.ports {
                let cells = tiers::consolidate(day, &stretch.polls, rows, shared.values, shared.retention.min_for_counters);
                out.write(*port, &cells, scratch)?;
            }
        }
        out.commit()?;
    }
    file.execute_batch("COMMIT").map_err(&sqlite)?;
    drop(out);
    publish(file, &built, &name)?;
    shared.pool.forget(&name);
    write_manifest(&name, &shared.layout.manifest(day))?;
    shared.days.change(day, |files| files.sealed = true);
    shared.open_days.remove(shared, day, writes)
}

/// The devices of a day and their ports.
fn members(shared: &Shared, day: Day) -> Result<BTreeMap<DeviceId, BTreeSet<PortId>>, SeriesError> {
    let mut members = BTreeMap::<DeviceId, BTreeSet<PortId>>::new();
    for (path, kind, sealed) in [(shared.layout.open_day(day), Kind::Live, false), (shared.layout.sealed_day(day), Kind::Sealed, true)] {
        shared.pool.with(&path, kind, |file| {
            let file = DayFile { file, path: &path, day, sealed };
            for device in file.devices()? {
                members.entry(device).or_default().extend(file.ports(device)?);
            }
            Ok(())
        })?;
    }
    Ok(members)
}

/// The day with as little of its neighbours as tells the rates across midnight: back (and on) to a poll by which every
/// port has been seen.
fn trim(stretch: Stretch, day: Day) -> Stretch {
    let start = stretch.polls.partition_point(|poll| poll.time_ms < day.start_ms());
    let end = stretch.polls.partition_point(|poll| poll.time_ms < day.end_ms());
    let mut first = start.saturating_sub(1);
    let mut last = (end + 1).min(stretch.polls.len());
    for rows in stretch.ports.values() {
        // Rows without values tell no rate: look past them.
        let full = |row: &usize| rows.mask.get(*row).is_some_and(|&mask| mask != 0);
        let poll = |row: usize| rows.at.get(row).map(|&at| at as usize);
        let before = (0..rows.at.partition_point(|&at| (at as usize) < start)).rev().find(full).and_then(poll);
        let after = (rows.at.partition_point(|&at| (at as usize) < end)..rows.len()).find(full).and_then(poll);
        first = before.map_or(first, |at| first.min(at));
        last = after.map_or(last, |at| last.max(at + 1));
    }
    let near = |at: &usize, edge: i64| stretch.polls.get(*at).is_some_and(|poll| (poll.time_ms - edge).abs() <= REACH_MS);
    let first = (first..start).find(|at| near(at, day.start_ms())).unwrap_or(start.saturating_sub(1));
    let last = (end..last).rev().find(|at| near(at, day.end_ms())).map_or((end + 1).min(stretch.polls.len()), |at| at + 1);
    stretch.cut_range(first, last)
}

/// The tiers' files while a day is consolidated.
struct Tiers(Vec<(Connection, Tier, Place)>, Values);

impl Tiers {
    fn open(shared: &Shared, day: Day) -> Result<Self, SeriesError> {
        let mut open = Vec::new();
        for tier in [Tier::Minutes5, Tier::Hour, Tier::Day] {
            let place = tiers::place(&shared.layout, tier, day);
            let file = open_live(&place.path, None)?;
            tiers::prepare(&file, &place.path)?;
            open.push((file, tier, place));
        }
        Ok(Self(open, shared.values))
    }

    fn each(&self, sql: &str) -> Result<(), SeriesError> {
        self.0.iter().try_for_each(|(file, _, place)| file.execute_batch(sql).map_err(SeriesError::sqlite(&place.path)))
    }

    fn begin(&self) -> Result<(), SeriesError> {
        self.each("BEGIN IMMEDIATE")
    }

    fn commit(&self) -> Result<(), SeriesError> {
        self.each("COMMIT")
    }

    fn write(&self, port: PortId, minutes5: &super::codec::cells::Cells, scratch: &mut Vec<u64>) -> Result<(), SeriesError> {
        for (file, tier, place) in &self.0 {
            let factor = tiers::per_day(Tier::Minutes5) / tiers::per_day(*tier);
            if factor == 1 {
                tiers::write(file, place, port, minutes5, self.1, scratch)?;
            } else {
                tiers::write(file, place, port, &tiers::coarser(minutes5, factor), self.1, scratch)?;
            }
        }
        Ok(())
    }
}

/// Writes a sealed file's SHA-256 in the form of sha256sum(1).
fn write_manifest(sealed: &Path, manifest: &Path) -> Result<(), SeriesError> {
    let sum = sha256(sealed)?;
    let name = sealed.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let built = manifest.with_extension("tmp");
    let write = || {
        let mut file = File::create(&built)?;
        writeln!(file, "{sum}  {name}")?;
        file.sync_all()?;
        fs::rename(&built, manifest)
    };
    write().map_err(SeriesError::io(manifest))
}

/// A file's SHA-256 in hexadecimal.
pub(super) fn sha256(path: &Path) -> Result<String, SeriesError> {
    let read = || {
        let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 18]);
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(hash.finalize());
            }
            hash.update(buffer.get(..count).unwrap_or_default());
        }
    };
    let digest = read().map_err(SeriesError::io(path))?;
    Ok(digest.iter().map(|octet| format!("{octet:02x}")).collect())
}
