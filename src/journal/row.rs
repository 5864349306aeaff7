//! Events as they lie in the file. They are taken as octets, because a hand-edited file may hold anything.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::chain::Header;

/// All events in their order, with their payloads.
pub(super) const QUERY: &str =
    "SELECT e.seq, e.ts_ms, e.subject, e.rev, e.actor, e.on_behalf_of, e.via, e.action, e.from_state, e.to_state,
         e.payload_digest, e.prev_hash, e.hash, e.flags, p.salt, p.json
     FROM journal_event e LEFT JOIN journal_payload p ON p.seq = e.seq ORDER BY e.seq";

/// One event as it lies in the file.
pub(super) struct Read<'a> {
    pub header: Header<'a>,
    pub prev_hash: &'a [u8],
    pub hash: &'a [u8],
    /// Salt and text; `None` when it was destroyed.
    pub payload: Option<(&'a [u8], &'a [u8])>,
}

/// A value of a wrong type.
pub(super) struct Malformed;

impl<'a> Read<'a> {
    pub(super) fn of(row: &'a Row<'_>, seq: i64) -> Result<Self, Malformed> {
        let header = Header {
            seq,
            ts_ms: integer(row, 1)?.ok_or(Malformed)?,
            subject: text(row, 2)?.ok_or(Malformed)?,
            rev: integer(row, 3)?,
            actor: text(row, 4)?,
            on_behalf_of: text(row, 5)?,
            via: text(row, 6)?.ok_or(Malformed)?,
            action: text(row, 7)?.ok_or(Malformed)?,
            from_state: text(row, 8)?,
            to_state: text(row, 9)?,
            payload_digest: octets(row, 10)?.ok_or(Malformed)?,
            flags: text(row, 13)?.ok_or(Malformed)?,
        };
        let payload = match (octets(row, 14)?, row.get_ref(15)) {
            (Some(salt), Ok(ValueRef::Text(json))) => Some((salt, json)),
            (None, Ok(ValueRef::Null)) => None,
            _ => return Err(Malformed),
        };
        let hash = |index| octets(row, index)?.ok_or(Malformed);
        Ok(Self { header, prev_hash: hash(11)?, hash: hash(12)?, payload })
    }
}

/// The number of the event in a row.
pub(super) fn number(row: &Row<'_>) -> Result<i64, Malformed> {
    integer(row, 0)?.ok_or(Malformed)
}

fn integer(row: &Row<'_>, index: usize) -> Result<Option<i64>, Malformed> {
    match row.get_ref(index) {
        Ok(ValueRef::Integer(value)) => Ok(Some(value)),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Malformed),
    }
}

fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<Option<&'a str>, Malformed> {
    match row.get_ref(index) {
        Ok(ValueRef::Text(value)) => std::str::from_utf8(value).map(Some).map_err(|_| Malformed),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Malformed),
    }
}

fn octets<'a>(row: &'a Row<'_>, index: usize) -> Result<Option<&'a [u8]>, Malformed> {
    match row.get_ref(index) {
        Ok(ValueRef::Blob(value)) => Ok(Some(value)),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Malformed),
    }
}
