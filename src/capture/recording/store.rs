//! Recordings in `netroom.db`: each change with its event in the journal, in the caller's transaction.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::json;

use super::life::{Deed, Recording, State};
use crate::journal::{self, Actor, Entry};
use crate::model::Timestamp;

/// Rows of one answer at most.
pub const ROWS: i64 = 500;

const COLUMNS: &str = "SELECT id, body FROM capture";

/// Writes a new recording with its number, and that it was asked for.
///
/// # Errors
/// What SQLite says.
pub fn add(file: &Connection, actor: &Actor, recording: &Recording) -> rusqlite::Result<Recording> {
    file.execute(
        "INSERT INTO capture (machine, state, asked_ms, octets, body) VALUES (?1, ?2, ?3, 0, '{}')",
        params![recording.machine, recording.state.word(), recording.asked.at.millis()],
    )?;
    let recording = Recording { id: file.last_insert_rowid(), ..recording.clone() };
    put(file, &recording)?;
    let payload = json!({
        "machine": recording.machine, "reason": recording.asked.words, "seconds": recording.seconds, "most_octets": recording.most_octets,
    });
    write(file, recording.asked.at, actor, "capture.asked", recording.id, payload)?;
    Ok(recording)
}

/// Writes what became of a recording by a deed.
///
/// # Errors
/// What SQLite says.
pub fn change(file: &Connection, actor: &Actor, deed: &Deed, next: &Recording, now: Timestamp) -> rusqlite::Result<()> {
    put(file, next)?;
    let mut payload = serde_json::Map::new();
    let mut tell = |name: &str, value: serde_json::Value| payload.insert(name.to_owned(), value);
    tell("machine", next.machine.as_str().into());
    match deed {
        Deed::End(counts, digest) | Deed::Cut(_, counts, digest) => {
            tell("packets", counts.packets.into());
            tell("octets", counts.octets.into());
            tell("dropped", counts.dropped.into());
            tell("sha256", digest.as_str().into());
        }
        Deed::Refuse(reason) | Deed::Hold(reason) | Deed::Delete(reason) => {
            tell("reason", reason.trim().into());
        }
        Deed::Sweep => {
            tell("reason", "30 days are over".into());
        }
        Deed::Download => {
            tell("sha256", next.sha256.clone().into());
        }
        _ => {}
    }
    if let Deed::Cut(fault, ..) | Deed::Fail(fault) = deed {
        tell("why", fault.why.word().into());
        tell("detail", fault.detail.as_str().into());
    }
    let actor = if deed.is_own() { Actor::daemon() } else { actor.clone() };
    write(file, now, &actor, deed.action(), next.id, payload.into())
}

fn put(file: &Connection, recording: &Recording) -> rusqlite::Result<()> {
    let body = serde_json::to_string(recording).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let octets = recording.counts.filter(|_| recording.state.has_file()).map_or(0, |counts| counts.octets);
    file.execute(
        "UPDATE capture SET state = ?2, octets = ?3, body = ?4 WHERE id = ?1",
        params![recording.id, recording.state.word(), i64::try_from(octets).unwrap_or(i64::MAX), body],
    )?;
    Ok(())
}

fn write(
    file: &Connection,
    at: Timestamp,
    actor: &Actor,
    action: &'static str,
    id: i64,
    payload: serde_json::Value,
) -> rusqlite::Result<()> {
    journal::append(file, &Entry::new(at, actor.clone(), action, format!("capture:{id}"), payload)).map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Recording> {
    let (id, body): (i64, String) = (row.get(0)?, row.get(1)?);
    let recording: Recording =
        serde_json::from_str(&body).map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?;
    Ok(Recording { id, ..recording })
}

/// One by its number.
///
/// # Errors
/// What SQLite says.
pub fn find(file: &Connection, id: i64) -> rusqlite::Result<Option<Recording>> {
    file.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?.query_row([id], read).optional()
}

/// The newest first: of one machine when one is named, in one state when one is named, behind a number.
///
/// # Errors
/// What SQLite says.
pub fn list(file: &Connection, machine: Option<&str>, state: Option<State>, before: Option<i64>) -> rusqlite::Result<Vec<Recording>> {
    let sql = format!(
        "{COLUMNS} WHERE (?1 IS NULL OR machine = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR id < ?3)
         ORDER BY id DESC LIMIT {ROWS}"
    );
    file.prepare_cached(&sql)?.query_map(params![machine, state.map(State::word), before], read)?.collect()
}

/// Those of these states, the oldest first.
///
/// # Errors
/// What SQLite says.
pub fn standing(file: &Connection, states: &[State]) -> rusqlite::Result<Vec<Recording>> {
    let mut all = Vec::new();
    for state in states {
        let mut query = file.prepare_cached(&format!("{COLUMNS} WHERE state = ?1 ORDER BY id"))?;
        all.extend(query.query_map([state.word()], read)?.collect::<Result<Vec<_>, _>>()?);
    }
    all.sort_by_key(|recording| recording.id);
    Ok(all)
}

/// How many stand where, and the octets of their files.
///
/// # Errors
/// What SQLite says.
pub fn tally(file: &Connection) -> rusqlite::Result<(BTreeMap<State, u64>, u64)> {
    let mut query = file.prepare_cached("SELECT state, count(*), sum(octets) FROM capture GROUP BY state")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    let (mut states, mut octets) = (BTreeMap::new(), 0);
    for row in rows {
        let (word, count, sum) = row?;
        if let Some(state) = State::from_word(&word) {
            states.insert(state, u64::try_from(count).unwrap_or(0));
        }
        octets += u64::try_from(sum).unwrap_or(0);
    }
    Ok((states, octets))
}
