//! A copy of the whole store while it is written. Sealed days are copied once, byte for byte, against their sum; files
//! that still grow as SQLite's own backup shows them at one moment.
//!
//! The files are not copied at one moment, but in the order in which samples walk: tail, open days, sealed days, tiers.
//! What leaves a file before it is copied stands in one that is copied later, and what stands in two reads as once. So
//! the copy opens as the store would after a power cut at the moment when the tail was copied.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::store::StoreError;
use crate::store::sqlite::{self, open_live_readonly};

use super::error::SeriesError;
use super::layout::{Day, Layout};
use super::seal::sha256;

/// How often a sealed day that is written anew meanwhile is copied again.
const TURNS: u32 = 3;

/// What was copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Copied {
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Sealed days that an earlier copy in the same place has already.
    pub kept: u64,
}

/// Copies the store under `dir` to `to` (made when it is not there), also while a daemon writes it. A later copy to the
/// same place takes only what has changed.
///
/// # Errors
/// When a file cannot be read or written, or a sealed day is not what it was when it was sealed. What was copied before
/// is whole; files of this copy that are not are named `*.part`.
pub fn backup(dir: &Path, to: &Path) -> Result<Copied, SeriesError> {
    let (from, to) = (Layout::new(dir), Layout::new(to));
    let mut copied = Copied::default();
    for directory in [to.root().to_path_buf(), to.days(), to.m5(), to.h1()] {
        fs::create_dir_all(&directory).map_err(SeriesError::io(&directory))?;
    }
    live(&from.tail(), &to.tail(), &mut copied)?;
    let (days, _) = list(&from)?;
    for day in days {
        live(&from.open_day(day), &to.open_day(day), &mut copied)?;
    }
    // Sealed days are looked for only now: one that was open a moment ago may be among them.
    let (_, days) = list(&from)?;
    for day in &days {
        sealed(&from, &to, *day, &mut copied)?;
    }
    forget(&from, &to)?;
    for (from, to) in [(from.m5(), to.m5()), (from.h1(), to.h1())] {
        for name in databases(&from)? {
            live(&from.join(&name), &to.join(&name), &mut copied)?;
        }
        for name in databases(&to)?.iter().filter(|name| !from.join(name).exists()) {
            remove(&to.join(name))?;
        }
    }
    live(&from.d1(), &to.d1(), &mut copied)?;
    Ok(copied)
}

/// Copies a file that may be written meanwhile, as it is at one moment. One that is not there is left out.
fn live(from: &Path, to: &Path, copied: &mut Copied) -> Result<(), SeriesError> {
    if !from.exists() {
        return Ok(());
    }
    let file = match open_live_readonly(from) {
        Err(_) if !from.exists() => return Ok(()),
        opened => opened?,
    };
    // A log that somebody left beside an earlier copy would be played into this one.
    for suffix in ["-wal", "-shm"] {
        let mut log = to.as_os_str().to_owned();
        log.push(suffix);
        remove(Path::new(&log))?;
    }
    sqlite::copy(&file, to)?;
    count(to, copied)
}

/// Copies a sealed day with its sum; not again what the same sum stands beside already.
fn sealed(from: &Layout, to: &Layout, day: Day, copied: &mut Copied) -> Result<(), SeriesError> {
    let (name, manifest) = (from.sealed_day(day), from.manifest(day));
    let (to_name, to_manifest) = (to.sealed_day(day), to.manifest(day));
    let mut found = String::new();
    for _ in 0..TURNS {
        let told = fs::read_to_string(&manifest).ok();
        if told.is_none() && from.open_day(day).exists() {
            // Its sealing has not ended: the open day has been copied.
            return Ok(());
        }
        if told.is_some() && to_name.exists() && fs::read_to_string(&to_manifest).ok() == told {
            copied.kept += 1;
            return Ok(());
        }
        let part = part_of(&to_name);
        match fs::copy(&name, &part) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(SeriesError::io(&part)(error)),
            Ok(_) => {}
        }
        found = sha256(&part)?;
        if told.as_ref().is_none_or(|told| told.split_whitespace().next() == Some(found.as_str())) {
            remove(&to_manifest)?;
            name_it(&part, &to_name)?;
            if let Some(told) = told {
                let part = part_of(&to_manifest);
                fs::write(&part, told).map_err(SeriesError::io(&part))?;
                name_it(&part, &to_manifest)?;
            }
            return count(&to_name, copied);
        }
    }
    let why = format!("its SHA-256 is {found}, not as when it was sealed");
    Err(StoreError::Damaged { path: name, why }.into())
}

/// Takes out of the copy what the store has not any more: open days that are sealed, sealed days that were dropped.
fn forget(from: &Layout, to: &Layout) -> Result<(), SeriesError> {
    let (open, sealed) = list(to)?;
    let same = |day: Day| fs::read(from.manifest(day)).ok() == fs::read(to.manifest(day)).ok();
    for day in open.into_iter().filter(|&day| !from.open_day(day).exists() && same(day)) {
        remove(&to.open_day(day))?;
    }
    for day in sealed.into_iter().filter(|&day| !from.sealed_day(day).exists()) {
        remove(&to.sealed_day(day))?;
        remove(&to.manifest(day))?;
    }
    Ok(())
}

/// The open and the sealed days.
fn list(layout: &Layout) -> Result<(Vec<Day>, Vec<Day>), SeriesError> {
    let (mut open, mut sealed) = (Vec::new(), Vec::new());
    for name in databases(&layout.days())? {
        let Some(stem) = name.strip_suffix(".db") else { continue };
        match stem.strip_suffix(".open") {
            Some(stem) => open.extend(Day::parse(stem)),
            None => sealed.extend(Day::parse(stem)),
        }
    }
    Ok((open, sealed))
}

/// The names of the databases in a directory, in order.
fn databases(directory: &Path) -> Result<Vec<String>, SeriesError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(SeriesError::io(directory))? {
        let name = entry.map_err(SeriesError::io(directory))?.file_name();
        names.extend(name.to_str().filter(|name| name.ends_with(".db")).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn part_of(name: &Path) -> PathBuf {
    let mut part = name.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Brings a file to the disk and gives it its name.
fn name_it(part: &Path, name: &Path) -> Result<(), SeriesError> {
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all()).map_err(SeriesError::io(path));
    sync(part)?;
    fs::rename(part, name).map_err(SeriesError::io(name))?;
    name.parent().map_or(Ok(()), sync)
}

fn remove(path: &Path) -> Result<(), SeriesError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SeriesError::io(path)(error)),
        _ => Ok(()),
    }
}

fn count(copy: &Path, copied: &mut Copied) -> Result<(), SeriesError> {
    copied.files += 1;
    copied.bytes += fs::metadata(copy).map_err(SeriesError::io(copy))?.len();
    Ok(())
}
