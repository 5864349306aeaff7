//! Is what is on the disk what was written? SQLite's own check, the SHA-256 of sealed days, the CRC-32C of every block.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Serialize;

use crate::store::sqlite::{open_live_readonly, open_sealed_readonly};

use super::codec::block::{ALL, decode_port, decode_times};
use super::codec::cells::Cells;
use super::codec::poll;
use super::error::SeriesError;
use super::layout::{DAY, Day, Layout, TAIL, TIER};
use super::seal::sha256;

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Files looked at.
    pub files: u64,
    /// Blocks whose checksum was computed.
    pub blocks: u64,
    /// Files with damage, and what is wrong.
    pub damaged: Vec<(PathBuf, String)>,
}

/// Checks every file under a series directory. Reads only; may run while the store is in use.
pub fn verify(dir: &Path) -> Result<Report, SeriesError> {
    let layout = Layout::new(dir);
    let mut report = Report::default();
    let mut files = vec![layout.d1(), layout.tail()];
    for directory in [layout.days(), layout.m5(), layout.h1()] {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        files.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    files.sort();
    for path in files {
        if path.extension().is_some_and(|extension| extension == "db") && path.exists() {
            report.files += 1;
            if let Err(why) = check_file(&layout, &path, &mut report.blocks) {
                report.damaged.push((path, why));
            }
        }
    }
    Ok(report)
}

/// Checks a sealed day by its sum alone, which covers every octet and costs a hundredth of reading all blocks; without a
/// sum by everything else.
pub(super) fn check_sealed(layout: &Layout, day: Day) -> Result<(), String> {
    let (path, manifest) = (layout.sealed_day(day), layout.manifest(day));
    if manifest.exists() && !layout.open_day(day).exists() { check_sum(&path, &manifest) } else { check_file(layout, &path, &mut 0) }
}

/// Checks one file by its name; `Err` says what is wrong.
fn check_file(layout: &Layout, path: &Path, blocks: &mut u64) -> Result<(), String> {
    let day = path.file_stem().and_then(|stem| Day::parse(stem.to_str()?));
    let sealed = day.filter(|_| path.starts_with(layout.days()));
    let file = match sealed {
        Some(_) => open_sealed_readonly(path),
        None => open_live_readonly(path),
    };
    let file = file.map_err(|error| error.to_string())?;
    // A day with an open file beside it is about to be sealed anew; its sum may be the old one.
    if let Some(day) = sealed.filter(|&day| !layout.open_day(day).exists()) {
        check_sum(path, &layout.manifest(day))?;
    }
    let format = match path {
        path if path.starts_with(layout.days()) => DAY,
        path if path == layout.tail() => TAIL,
        _ => TIER,
    };
    if format.found(&file, path).map_err(|error| error.to_string())? == 0 {
        // Made a moment before a crash: nothing was ever written to it.
        return Ok(());
    }
    let said: String = file.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| error.to_string())?;
    if said != "ok" {
        return Err(format!("SQLite says: {said}"));
    }
    if path.starts_with(layout.days()) {
        each_blob(&file, "SELECT k, b FROM times", blocks, |blob| decode_times(blob).map(|_| ()))?;
        each_blob(&file, "SELECT k, b FROM raw", blocks, |blob| decode_port(blob, ALL).map(|_| ()))
    } else if path == layout.tail() {
        each_blob(&file, "SELECT k, b FROM tail", blocks, poll::check)
    } else {
        each_blob(&file, "SELECT k, b FROM cells", blocks, |blob| Cells::decode(blob, ALL).map(|_| ()))
    }
}

/// Compares a sealed file with its manifest. A missing manifest says nothing against the file.
fn check_sum(path: &Path, manifest: &Path) -> Result<(), String> {
    let Ok(text) = fs::read_to_string(manifest) else { return Ok(()) };
    let wanted = text.split_whitespace().next().unwrap_or_default();
    let found = sha256(path).map_err(|error| error.to_string())?;
    if wanted == found { Ok(()) } else { Err(format!("its SHA-256 is {found}, not {wanted} as when it was sealed")) }
}

fn each_blob(
    file: &Connection,
    sql: &str,
    blocks: &mut u64,
    check: impl Fn(&[u8]) -> Result<(), super::codec::DecodeError>,
) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut statement = file.prepare(sql).map_err(text)?;
    let mut rows = statement.query([]).map_err(text)?;
    while let Some(row) = rows.next().map_err(text)? {
        let key: i64 = row.get(0).map_err(text)?;
        let blob = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(text)?;
        check(blob).map_err(|error| format!("block {key}: {error}"))?;
        *blocks += 1;
    }
    Ok(())
}
