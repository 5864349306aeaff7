//! The journal as JSON lines, for evidence outside: each line holds what is needed to check its hash.

use std::io::{self, Write};

use rusqlite::Connection;

use super::chain;
use super::row::{self, Malformed, Read};

/// Why the journal could not be written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// SQLite failed.
    #[error("the journal cannot be read: {0}; restore the database from a backup if it is damaged")]
    Sqlite(#[from] rusqlite::Error),
    /// The reader of the lines has gone away, or the disk is full.
    #[error("the journal cannot be written out: {0}")]
    Write(#[from] io::Error),
    /// A value of a wrong type.
    #[error("event {0} holds a value of a wrong type; `netroom journal verify` says more")]
    Malformed(i64),
}

/// Writes every event as one line: `header` in the octets that were hashed, `prev_hash`, `hash`, and unless destroyed
/// `salt` and `payload` in the octets that were digested. Returns how many.
///
/// # Errors
/// When the database cannot be read or `out` does not take it.
pub fn export(file: &Connection, out: &mut impl Write) -> Result<i64, ExportError> {
    let mut query = file.prepare(row::QUERY)?;
    let mut rows = query.query([])?;
    let (mut line, mut events) = (Vec::with_capacity(1024), 0);
    while let Some(row) = rows.next()? {
        let malformed = |Malformed| ExportError::Malformed(events + 1);
        let read = Read::of(row, row::number(row).map_err(malformed)?).map_err(malformed)?;
        line.clear();
        line.extend_from_slice(b"{\"header\":");
        read.header.canonical(&mut line);
        for (key, value) in [("prev_hash", Some(read.prev_hash)), ("hash", Some(read.hash)), ("salt", read.payload.map(|(salt, _)| salt))] {
            if let Some(value) = value {
                line.extend_from_slice(format!(",\"{key}\":\"{}\"", chain::hex(value)).as_bytes());
            }
        }
        if let Some((_, json)) = read.payload {
            line.extend_from_slice(b",\"payload\":");
            line.extend_from_slice(json);
        }
        line.extend_from_slice(b"}\n");
        out.write_all(&line)?;
        events += 1;
    }
    Ok(events)
}
