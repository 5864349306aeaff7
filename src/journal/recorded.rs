//! Reading the journal a page at a time.

use rusqlite::{Connection, params};

use super::chain;
use crate::model::Timestamp;

/// An event as it is read, for pages and API; nothing about it is verified here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What it was done to.
    pub subject: String,
    /// Who did it.
    pub actor: Option<String>,
    /// Whom that person stood in for.
    pub on_behalf_of: Option<String>,
    /// The door.
    pub via: String,
    /// What was done.
    pub action: String,
    /// What is peculiar about it.
    pub flags: String,
    /// Its hash in hexadecimal digits.
    pub hash: String,
    /// Canonical JSON; `None` when it was destroyed.
    pub payload: Option<String>,
}

/// The events of one thing whose action begins with this word and a dot, the oldest first, `most` at most.
///
/// # Errors
/// When SQLite fails.
pub fn about(file: &Connection, word: &str, subject: &str, most: u32) -> rusqlite::Result<Vec<Recorded>> {
    let mut query = file.prepare_cached(
        "SELECT e.seq, e.ts_ms, e.subject, e.actor, e.on_behalf_of, e.via, e.action, e.flags, e.hash, p.json
         FROM journal_event e LEFT JOIN journal_payload p ON p.seq = e.seq
         WHERE e.action > ?1 || '.' AND e.action < ?1 || '/' AND e.subject = ?2 ORDER BY e.seq LIMIT ?3",
    )?;
    let rows = query.query_map(params![word, subject, most], read)?;
    rows.collect()
}

/// The events of one thing and one action, the newest first, `most` at most.
///
/// # Errors
/// When SQLite fails.
pub fn newest(file: &Connection, action: &str, subject: &str, most: u32) -> rusqlite::Result<Vec<Recorded>> {
    let mut query = file.prepare_cached(
        "SELECT e.seq, e.ts_ms, e.subject, e.actor, e.on_behalf_of, e.via, e.action, e.flags, e.hash, p.json
         FROM journal_event e LEFT JOIN journal_payload p ON p.seq = e.seq
         WHERE e.subject = ?2 AND e.action = ?1 ORDER BY e.seq DESC LIMIT ?3",
    )?;
    let rows = query.query_map(params![action, subject, most], read)?;
    rows.collect()
}

/// The newest events before number `before`, the newest first, `most` at most.
///
/// # Errors
/// When SQLite fails.
pub fn latest(file: &Connection, before: i64, most: u32) -> rusqlite::Result<Vec<Recorded>> {
    let mut query = file.prepare_cached(
        "SELECT e.seq, e.ts_ms, e.subject, e.actor, e.on_behalf_of, e.via, e.action, e.flags, e.hash, p.json
         FROM journal_event e LEFT JOIN journal_payload p ON p.seq = e.seq WHERE e.seq < ?1 ORDER BY e.seq DESC LIMIT ?2",
    )?;
    let rows = query.query_map(params![before, most], read)?;
    rows.collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded {
        seq: row.get(0)?,
        at: Timestamp::from_millis(row.get(1)?),
        subject: row.get(2)?,
        actor: row.get(3)?,
        on_behalf_of: row.get(4)?,
        via: row.get(5)?,
        action: row.get(6)?,
        flags: row.get(7)?,
        hash: chain::hex(&row.get::<_, [u8; 32]>(8)?),
        payload: row.get(9)?,
    })
}
