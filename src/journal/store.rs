//! The journal in the database: appending within somebody's transaction, its end, lawful destruction.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::canonical;
use super::chain::{self, Header};
use super::event::{Actor, Entry, Flags, Stamp};
use super::heads::HEAD_ACTION;
use crate::model::Timestamp;

/// What stands before the first event.
pub const GENESIS: Stamp = Stamp { seq: 0, hash: [0; 32] };

/// A smaller step back of the clock is not worth a flag.
const STEP_BACK_MS: i64 = 2_000;

/// Writes an event as part of the caller's transaction: it stands if and only if the caller's change does.
///
/// # Errors
/// When SQLite fails, or the payload holds a fraction, which is a fault of the caller.
pub fn append(change: &Connection, entry: &Entry) -> rusqlite::Result<Stamp> {
    let mut json = Vec::new();
    canonical::write(&entry.payload, &mut json).map_err(refused)?;
    let json = String::from_utf8(json).map_err(refused)?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(refused)?;
    let (before, last_ms) = end(change)?.unwrap_or((GENESIS, i64::MIN));
    let now_ms = entry.at.millis();
    let flags = Flags { clock: now_ms.saturating_add(STEP_BACK_MS) < last_ms };
    let digest = chain::digest(&salt, json.as_bytes());
    let header = Header {
        seq: before.seq + 1,
        ts_ms: now_ms.max(last_ms),
        subject: &entry.subject,
        rev: entry.rev,
        actor: entry.actor.person.as_deref(),
        on_behalf_of: entry.actor.on_behalf_of.as_deref(),
        via: entry.actor.via.word(),
        action: entry.action,
        from_state: entry.from_state.as_deref(),
        to_state: entry.to_state.as_deref(),
        payload_digest: &digest,
        flags: flags.words(),
    };
    let hash = header.hash(&before.hash, &mut Vec::with_capacity(512));
    insert(change, &header, &before.hash, &hash)?;
    change.prepare_cached("INSERT INTO journal_payload (seq, salt, json) VALUES (?1, ?2, ?3)")?.execute(params![header.seq, salt, json])?;
    Ok(Stamp { seq: header.seq, hash })
}

fn insert(change: &Connection, header: &Header<'_>, prev: &[u8; 32], hash: &[u8; 32]) -> rusqlite::Result<()> {
    let mut insert = change.prepare_cached(
        "INSERT INTO journal_event (seq, ts_ms, subject, rev, actor, on_behalf_of, via, action, from_state, to_state,
             payload_digest, prev_hash, hash, flags)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    insert.execute(params![
        header.seq,
        header.ts_ms,
        header.subject,
        header.rev,
        header.actor,
        header.on_behalf_of,
        header.via,
        header.action,
        header.from_state,
        header.to_state,
        header.payload_digest,
        prev,
        hash,
        header.flags
    ])?;
    Ok(())
}

/// The end of the chain; [`GENESIS`] while it is empty.
///
/// # Errors
/// When SQLite fails.
pub fn head(file: &Connection) -> rusqlite::Result<Stamp> {
    Ok(end(file)?.map_or(GENESIS, |(stamp, _)| stamp))
}

/// The last event and its time in milliseconds.
fn end(file: &Connection) -> rusqlite::Result<Option<(Stamp, i64)>> {
    file.prepare_cached("SELECT seq, hash, ts_ms FROM journal_event ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((Stamp { seq: row.get(0)?, hash: row.get(1)? }, row.get(2)?)))
        .optional()
}

/// Writes the daily head: an event that names the event before it.
///
/// # Errors
/// When SQLite fails.
pub fn append_head(change: &Connection, at: Timestamp) -> rusqlite::Result<Stamp> {
    let Stamp { seq, hash } = head(change)?;
    let payload = json!({ "seq": seq, "hash": chain::hex(&hash) });
    append(change, &Entry::new(at, Actor::daemon(), HEAD_ACTION, "journal", payload))
}

/// When the last daily head was written.
///
/// # Errors
/// When SQLite fails.
pub fn last_head_at(file: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    file.query_row("SELECT ts_ms FROM journal_event WHERE action = ?1 ORDER BY seq DESC LIMIT 1", [HEAD_ACTION], |row| {
        row.get(0).map(Timestamp::from_millis)
    })
    .optional()
}

/// Why payloads could not be destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// A destruction must stay explainable.
    #[error("event {0} is itself the record of a destruction; its payload is kept")]
    IsRecord(i64),
    /// There is nothing to destroy.
    #[error("event {0} does not exist, or its payload was destroyed before")]
    Missing(i64),
    /// SQLite failed.
    #[error("the database failed while payloads were destroyed; nothing was changed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// The action of a lawful destruction.
pub(super) const DESTROYED: &str = "journal.destroyed";

/// Destroys the payloads of `events` (ascending) for `reason`: salts and texts are overwritten, the headers stay and the
/// chain still verifies. To be followed by a `VACUUM` and a checkpoint, which take the last copies off the disk.
///
/// # Errors
/// When one of them is missing or is the record of a destruction; the caller's transaction is then to be undone.
pub fn destroy(change: &Connection, at: Timestamp, actor: Actor, events: &[i64], reason: &str) -> Result<Stamp, DestroyError> {
    change.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    let payload = json!({ "events": Value::from(events), "reason": reason });
    let record = append(change, &Entry::new(at, actor, DESTROYED, "journal", payload))?;
    for seq in events {
        let action: Option<String> = change
            .prepare_cached("SELECT action FROM journal_event JOIN journal_payload USING (seq) WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .optional()?;
        match action.as_deref() {
            None => return Err(DestroyError::Missing(*seq)),
            Some(DESTROYED) => return Err(DestroyError::IsRecord(*seq)),
            Some(_) => {}
        }
        change.execute("INSERT INTO journal_destruction (seq, record) VALUES (?1, ?2)", [*seq, record.seq])?;
        change.execute("DELETE FROM journal_payload WHERE seq = ?1", [seq])?;
    }
    Ok(record)
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
