//! Opening one SQLite file with the settings that keep data safe (SQLite "pragma", "WAL" and "URI filenames" pages).
//!
//! Three ways: a live file that is written all the time, a sealed file that never changes again, and a file under
//! construction that becomes real only by [`publish`].

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// How long a statement waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(5);

/// What a file is: written into its header, so that no program mistakes it.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// SQLite's application_id.
    pub application_id: i32,
    /// The newest user_version this program knows; 0 is a file without tables.
    pub version: i32,
    /// For messages: `"the database of netroom"`.
    pub what: &'static str,
}

impl Format {
    /// The version of an open file: 0 when it is new and empty. Refuses files of others and of newer programs.
    pub fn found(&self, file: &Connection, path: &Path) -> Result<i32, StoreError> {
        let number = |pragma| file.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let tables = || file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
        let read = || Ok((number("application_id")?, number("user_version")?, tables()?));
        let (id, version, tables) = read().map_err(|error| StoreError::sqlite(path, error))?;
        if id == self.application_id {
            if version > self.version {
                return Err(StoreError::Newer { path: path.to_path_buf(), found: version, known: self.version });
            }
            return Ok(version);
        }
        if id == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        Err(StoreError::Foreign { path: path.to_path_buf(), wanted: self.what })
    }

    /// Writes application_id and user_version; call it inside the transaction that made the tables.
    pub fn stamp(&self, file: &Connection, version: i32) -> rusqlite::Result<()> {
        file.pragma_update(None, "application_id", self.application_id)?;
        file.pragma_update(None, "user_version", version)
    }
}

/// Opens (or makes) a file that is written all the time: WAL, every commit on the disk before it returns.
/// `page_size` counts only while the file is empty; `None` is SQLite's 4,096.
pub fn open_live(path: &Path, page_size: Option<u32>) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = open(path, path, flags)?;
    let prepare = || {
        file.busy_timeout(BUSY)?;
        if let Some(size) = page_size {
            file.pragma_update(None, "page_size", size)?;
        }
        // The answer is the mode in force; a file system without shared memory refuses WAL silently.
        let mode: String = file.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        file.pragma_update(None, "synchronous", "full")?;
        file.pragma_update(None, "foreign_keys", true)?;
        file.pragma_update(None, "trusted_schema", false)?;
        Ok(mode)
    };
    let mode = prepare().map_err(|error| StoreError::sqlite(path, error))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(file);
    }
    Err(StoreError::Io {
        path: path.to_path_buf(),
        source: std::io::Error::other("its file system does not allow SQLite's WAL (network share?); use a local disk"),
    })
}

/// Opens a live file once more, for reading only. The file must exist.
pub fn open_live_readonly(path: &Path) -> Result<Connection, StoreError> {
    let file = open(path, path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let prepare = || {
        file.busy_timeout(BUSY)?;
        file.pragma_update(None, "trusted_schema", false)?;
        // Reads the header now, so that a damaged file is told here.
        file.pragma_query_value(None, "schema_version", |_| Ok(()))
    };
    prepare().map_err(|error| StoreError::sqlite(path, error))?;
    Ok(file)
}

/// Opens a sealed file that nothing will ever write again: no locks, no side files, works on a full disk.
pub fn open_sealed_readonly(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let file = open(Path::new(&immutable_uri(path)), path, flags)?;
    let prepare = || {
        file.pragma_update(None, "trusted_schema", false)?;
        file.pragma_query_value(None, "schema_version", |_| Ok(()))
    };
    prepare().map_err(|error| StoreError::sqlite(path, error))?;
    Ok(file)
}

/// Makes a file anew for building: no journal and no syncing, because [`publish`] makes it whole or it is thrown away.
/// Whatever an interrupted build left under this name is removed first.
pub fn open_temp_build(path: &Path, page_size: Option<u32>) -> Result<Connection, StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::io(path, error)),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = open(path, path, flags)?;
    let prepare = || {
        if let Some(size) = page_size {
            file.pragma_update(None, "page_size", size)?;
        }
        file.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        file.pragma_update(None, "synchronous", "off")?;
        file.pragma_update_and_check(None, "locking_mode", "exclusive", |_| Ok(()))?;
        file.pragma_update(None, "trusted_schema", false)
    };
    prepare().map_err(|error| StoreError::sqlite(path, error))?;
    Ok(file)
}

/// Closes a file made by [`open_temp_build`], brings it to the disk and gives it its name: whole or not at all,
/// also through a power cut. An earlier file of that name is replaced.
pub fn publish(file: Connection, built: &Path, name: &Path) -> Result<(), StoreError> {
    file.close().map_err(|(_, error)| StoreError::sqlite(built, error))?;
    let sync = |path: &Path| File::open(path).and_then(|open| open.sync_all()).map_err(|error| StoreError::io(path, error));
    sync(built)?;
    fs::rename(built, name).map_err(|error| StoreError::io(name, error))?;
    name.parent().map_or(Ok(()), sync)
}

/// Copies an open database in one step, so that it shows one moment; its writers go on meanwhile. An earlier file of
/// that name is replaced, and only by a whole one.
pub fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = open_temp_build(&part, None)?;
    let copied = Backup::new(from, &mut file).and_then(|backup| backup.step(-1));
    match copied {
        Ok(StepResult::Done) => {
            // The copy took over the WAL mark of the header; a lone file must not need side files.
            file.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(|error| StoreError::sqlite(&part, error))?;
            publish(file, &part, to)
        }
        Ok(_) => Err(StoreError::Busy { path: part }),
        Err(error) => Err(StoreError::sqlite(&part, error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that opens SQLite files")]
fn open(opened: &Path, named: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    Connection::open_with_flags(opened, flags).map_err(|error| StoreError::sqlite(named, error))
}

/// `file:...?immutable=1` with everything escaped that a URI gives a meaning to.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for octet in path.as_os_str().as_encoded_bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*octet)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format { application_id: 0x6e65_7401, version: 3, what: "a test file" };

    #[test]
    fn a_live_file_is_wal_and_full() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("live.db");
        let file = open_live(&path, Some(16_384)).unwrap();
        file.execute_batch("CREATE TABLE t (a)").unwrap();
        let text = |pragma| file.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        assert_eq!(text("journal_mode"), "wal".to_owned().into());
        assert_eq!(text("synchronous"), 2.into());
        assert_eq!(text("foreign_keys"), 1.into());
        assert_eq!(text("page_size"), 16_384.into());
        let reader = open_live_readonly(&path).unwrap();
        assert!(reader.execute("INSERT INTO t VALUES (1)", []).is_err());
    }

    #[test]
    fn a_built_file_appears_whole_and_is_read_without_side_files() {
        let dir = tempfile::tempdir().unwrap();
        // A name with every character that a URI could trip over.
        let name = dir.path().join("day #1 100%?x=1&y 数据.db");
        let built = dir.path().join("day.tmp");
        fs::write(&built, b"left over by an interrupted build").unwrap();
        let file = open_temp_build(&built, Some(32_768)).unwrap();
        file.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (42)").unwrap();
        assert!(!name.exists());
        publish(file, &built, &name).unwrap();
        assert!(!built.exists());
        let sealed = open_sealed_readonly(&name).unwrap();
        assert_eq!(sealed.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 42);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_of_others_and_of_newer_programs_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it.db");
        let file = open_live(&path, None).unwrap();
        assert_eq!(FORMAT.found(&file, &path).unwrap(), 0);
        FORMAT.stamp(&file, 2).unwrap();
        assert_eq!(FORMAT.found(&file, &path).unwrap(), 2);
        FORMAT.stamp(&file, 4).unwrap();
        let newer = FORMAT.found(&file, &path).unwrap_err().to_string();
        assert!(newer.contains("it.db") && newer.contains("newer netroom (format 4, this one knows up to 3)"), "{newer}");
        file.pragma_update(None, "application_id", 7).unwrap();
        assert!(matches!(FORMAT.found(&file, &path), Err(StoreError::Foreign { .. })));
        file.pragma_update(None, "application_id", 0).unwrap();
        assert!(matches!(FORMAT.found(&file, &path), Err(StoreError::Foreign { .. })), "a database without our mark is not ours");
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("nowhere/a.db");
        assert!(matches!(open_live(&missing, None), Err(StoreError::Missing { .. })));
        assert!(matches!(open_live_readonly(&missing), Err(StoreError::Missing { .. })));
        let unwritable = Path::new("/proc/netroom.db");
        assert!(matches!(open_live(unwritable, None), Err(StoreError::Permission { .. })));
        assert!(matches!(open_sealed_readonly(&missing), Err(StoreError::Missing { .. })));
        let noise = dir.path().join("noise.db");
        fs::write(&noise, [0x55; 4096]).unwrap();
        assert!(matches!(open_live(&noise, None), Err(StoreError::Damaged { .. })));
        assert!(matches!(open_sealed_readonly(&noise), Err(StoreError::Damaged { .. })));
    }
}
