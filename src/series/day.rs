//! The files of a day: open (blocks as they come, an hour or a few long) and sealed (blocks of a fixed number of polls).
//!
//! Both have `times` and `raw` blobs and each device's ports (`members`). In an open day blobs are keyed by the hour in which they
//! begin; in a sealed day by the device's or port's number and the place in sequence. A sealed day also holds each
//! device's last poll before it and first poll after it, so that it tells every rate that touches the day.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::model::{DeviceId, PortId};
use crate::store::StoreError;

use super::codec::block::{ALL, decode_port, decode_ports, decode_times, encode_port, encode_ports, encode_times};
use super::error::SeriesError;
use super::layout::{DAY, DAY_MS, Day, HOUR_MS, hour_device, hour_of, hour_port};
use super::stretch::Stretch;

/// Blocks written by the bulk path begin at multiples of so many hours.
pub(super) const BULK_HOURS: i64 = 4;
/// Polls in a block of a sealed day.
const SEALED_POLLS: usize = 240;
/// A device's blocks in a sealed day are numbered with eight bits.
const MOST_BLOCKS: usize = 255;

const TABLES: &str = "
    CREATE TABLE times (k INTEGER PRIMARY KEY, b BLOB NOT NULL);
    CREATE TABLE raw (k INTEGER PRIMARY KEY, b BLOB NOT NULL);
    CREATE TABLE members (device INTEGER PRIMARY KEY, b BLOB NOT NULL);
";

/// Makes the tables of a new file, or checks those of an old one.
pub(super) fn prepare(file: &Connection, path: &Path) -> Result<(), SeriesError> {
    if DAY.found(file, path)? == 0 {
        file.execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| file.execute_batch(TABLES))
            .and_then(|()| DAY.stamp(file, DAY.version))
            .and_then(|()| file.execute_batch("COMMIT"))
            .map_err(|error| StoreError::sqlite(path, error))?;
    }
    Ok(())
}

/// A day's file, open for reading.
#[derive(Clone, Copy)]
pub(super) struct DayFile<'a> {
    /// The connection.
    pub(super) file: &'a Connection,
    /// Its name, for messages.
    pub(super) path: &'a Path,
    /// Which day.
    pub(super) day: Day,
    /// Whether it is sealed.
    pub(super) sealed: bool,
}

impl DayFile<'_> {
    /// A device's ports in it.
    pub(super) fn ports(&self, device: DeviceId) -> Result<Vec<PortId>, SeriesError> {
        let key = i64::from(device.0);
        let Some(blob) = self.blob("SELECT b FROM members WHERE device = ?1", key)? else { return Ok(Vec::new()) };
        decode_ports(&blob).map_err(|error| SeriesError::block(self.path, key, error))
    }

    /// The devices that have polls in it.
    pub(super) fn devices(&self) -> Result<Vec<DeviceId>, SeriesError> {
        let sqlite = SeriesError::sqlite(self.path);
        let of_key = if self.sealed { "k >> 8" } else { "k & 0xfffff" };
        let mut statement = self.file.prepare_cached(&format!("SELECT DISTINCT {of_key} FROM times ORDER BY 1")).map_err(&sqlite)?;
        let rows = statement.query_map([], |row| Ok(DeviceId(row.get(0)?))).map_err(&sqlite)?;
        rows.collect::<Result<_, _>>().map_err(&sqlite)
    }

    /// A device's polls in `[from_ms, to_ms)` (more when blocks reach beyond) with the rows of `ports`, metrics `wanted`.
    pub(super) fn read(&self, device: DeviceId, ports: &[PortId], from_ms: i64, to_ms: i64, wanted: u16) -> Result<Stretch, SeriesError> {
        let mut stretch = Stretch::new(device);
        let sqlite = SeriesError::sqlite(self.path);
        let mut raw = self.file.prepare_cached("SELECT b FROM raw WHERE k = ?1").map_err(&sqlite)?;
        for part in self.parts(device, from_ms, to_ms)? {
            let Some(times) = self.blob("SELECT b FROM times WHERE k = ?1", part.times)? else { continue };
            let polls = decode_times(&times).map_err(|error| SeriesError::block(self.path, part.times, error))?;
            let (Some(first), Some(last)) = (polls.first(), polls.last()) else { continue };
            if last.time_ms < from_ms || first.time_ms >= to_ms {
                continue;
            }
            let mut here = Stretch { device, polls, ports: Default::default() };
            for &port in ports {
                let key = (part.port)(port);
                let mut found = raw.query([key]).map_err(&sqlite)?;
                let Some(row) = found.next().map_err(&sqlite)? else { continue };
                let blob = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(&sqlite)?;
                let block = decode_port(blob, wanted).map_err(|error| SeriesError::block(self.path, key, error))?;
                if block.device == device && block.polls == here.polls.len() {
                    here.ports.insert(port, block.rows);
                }
            }
            stretch = Stretch::merge(stretch, here);
        }
        Ok(stretch)
    }

    /// The keys of a device's blocks that may touch `[from_ms, to_ms)`.
    fn parts(&self, device: DeviceId, from_ms: i64, to_ms: i64) -> Result<Vec<Part>, SeriesError> {
        if self.sealed {
            let (low, high) = (i64::from(device.0) << 8, i64::from(device.0) << 8 | 0xff);
            let sqlite = SeriesError::sqlite(self.path);
            let mut statement = self.file.prepare_cached("SELECT k FROM times WHERE k BETWEEN ?1 AND ?2 ORDER BY k").map_err(&sqlite)?;
            let keys = statement.query_map([low, high], |row| row.get::<_, i64>(0)).map_err(&sqlite)?;
            let keys: Vec<i64> = keys.collect::<Result<_, _>>().map_err(&sqlite)?;
            return Ok(keys.into_iter().map(|key| Part { times: key, port: sealed_port(key & 0xff) }).collect());
        }
        let (start, end) = (from_ms.max(self.day.start_ms()), to_ms.min(self.day.end_ms()));
        if start >= end {
            return Ok(Vec::new());
        }
        let first = hour_of(start) / BULK_HOURS * BULK_HOURS;
        Ok((first..=hour_of(end - 1)).map(|hour| Part { times: hour_device(hour, device), port: open_port(hour) }).collect())
    }

    fn blob(&self, sql: &str, key: i64) -> Result<Option<Vec<u8>>, SeriesError> {
        let sqlite = SeriesError::sqlite(self.path);
        let mut statement = self.file.prepare_cached(sql).map_err(&sqlite)?;
        statement.query_row([key], |row| row.get(0)).optional().map_err(&sqlite)
    }
}

/// A block's times and where its ports' rows are.
struct Part {
    times: i64,
    port: Box<dyn Fn(PortId) -> i64>,
}

fn sealed_port(sequence: i64) -> Box<dyn Fn(PortId) -> i64> {
    Box::new(move |port| i64::from(port.0) << 8 | sequence)
}

fn open_port(hour: i64) -> Box<dyn Fn(PortId) -> i64> {
    Box::new(move |port| hour_port(hour, port))
}

/// Writes a device's polls of one day into its open file, joined with what is there: the new polls win from the first
/// of them on, within the block. `hours` is the length of a block. Call it inside a transaction.
pub(super) fn write_open(file: DayFile<'_>, stretch: &Stretch, hours: i64, scratch: &mut Vec<u64>) -> Result<(), SeriesError> {
    let mut at = file.day.start_ms();
    while at < file.day.end_ms() {
        let end = at + hours * HOUR_MS;
        let part = stretch.part(at, end);
        if !part.polls.is_empty() {
            write_block(file, part, hour_of(at), scratch)?;
        }
        at = end;
    }
    write_ports(file, stretch)
}

fn write_block(file: DayFile<'_>, part: Stretch, hour: i64, scratch: &mut Vec<u64>) -> Result<(), SeriesError> {
    let device = part.device;
    let key = hour_device(hour, device);
    let part = match file.blob("SELECT b FROM times WHERE k = ?1", key)? {
        None => part,
        Some(_) => {
            let ports = file.ports(device)?;
            let from = file.day.start_ms() + hour * HOUR_MS;
            let before = file.read(device, &ports, from, from + 1, ALL)?;
            join(before, part)
        }
    };
    put(file, "INSERT OR REPLACE INTO times (k, b) VALUES (?1, ?2)", key, &encode_times(&part.polls, scratch))?;
    for (port, rows) in &part.ports {
        let blob = encode_port(device, part.polls.len(), rows, scratch);
        put(file, "INSERT OR REPLACE INTO raw (k, b) VALUES (?1, ?2)", hour_port(hour, *port), &blob)?;
    }
    Ok(())
}

/// Old and new polls of the same time. Where they interleave the clock was set back between them, and a comparison
/// across the two lines of time would be a spike: the old ones from the first new one up to the last new one go.
pub(super) fn join(old: Stretch, new: Stretch) -> Stretch {
    let (Some(first), Some(last)) = (new.polls.first(), new.polls.last()) else { return old };
    let (first, last) = (first.time_ms, last.time_ms);
    let after =
        if old.polls.last().is_some_and(|end| end.time_ms > last) { old.part(last + 1, i64::MAX) } else { Stretch::new(old.device) };
    let before = old.cut(i64::MIN, first);
    Stretch::merge(Stretch::merge(before, new), after)
}

fn write_ports(file: DayFile<'_>, stretch: &Stretch) -> Result<(), SeriesError> {
    let known: BTreeSet<PortId> = file.ports(stretch.device)?.into_iter().collect();
    if stretch.ports.keys().all(|port| known.contains(port)) {
        return Ok(());
    }
    let all: BTreeSet<PortId> = known.into_iter().chain(stretch.ports.keys().copied()).collect();
    let key = i64::from(stretch.device.0);
    put(file, "INSERT OR REPLACE INTO members (device, b) VALUES (?1, ?2)", key, &encode_ports(all.into_iter()))
}

fn put(file: DayFile<'_>, sql: &str, key: i64, blob: &[u8]) -> Result<(), SeriesError> {
    let sqlite = SeriesError::sqlite(file.path);
    file.file.prepare_cached(sql).and_then(|mut statement| statement.execute((key, blob))).map(|_| ()).map_err(sqlite)
}

/// Writes a device's whole day into a file under construction, its ports one after the other.
pub(super) fn write_sealed(file: DayFile<'_>, stretch: &Stretch, scratch: &mut Vec<u64>) -> Result<(), SeriesError> {
    let block = SEALED_POLLS.max(stretch.polls.len().div_ceil(MOST_BLOCKS));
    for (sequence, polls) in stretch.polls.chunks(block).enumerate() {
        let key = i64::from(stretch.device.0) << 8 | sequence as i64;
        put(file, "INSERT INTO times (k, b) VALUES (?1, ?2)", key, &encode_times(polls, scratch))?;
    }
    for (port, rows) in &stretch.ports {
        for (sequence, polls) in stretch.polls.chunks(block).enumerate() {
            let part = rows.range(sequence * block, sequence * block + polls.len());
            if !part.is_empty() {
                let blob = encode_port(stretch.device, polls.len(), &part, scratch);
                put(file, "INSERT INTO raw (k, b) VALUES (?1, ?2)", i64::from(port.0) << 8 | sequence as i64, &blob)?;
            }
        }
    }
    write_ports(file, stretch)
}

const _: () = assert!(DAY_MS / HOUR_MS % BULK_HOURS == 0, "bulk blocks divide the day");
