//! Exemptions in `netroom.db`, each change with its event in the journal. None is ever deleted: who was exempt when stays known.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;

use super::{Exemption, LONGEST, Source};
use crate::config::exempt::Who;
use crate::detect::Kind;
use crate::journal::{self, Actor, Entry};
use crate::model::Timestamp;
use crate::store::{Store, StoreError};

/// An exemption to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct New {
    /// Whom it is about.
    pub who: Who,
    /// Which kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub until: Timestamp,
}

/// Why an exemption was not made or not ended.
#[derive(Debug, thiserror::Error)]
pub enum ExemptError {
    /// Nobody answers for it, or nobody says why.
    #[error("an exemption needs an owner and a reason")]
    Words,
    /// It would have ended already.
    #[error("the end lies in the past")]
    Past,
    /// It would last too long.
    #[error("an exemption lasts a year at most; somebody has to look at it again then")]
    TooLong,
    /// There is none of this number that is in force.
    #[error("there is no exemption {0} in force; `netroom detect exempt list` shows them")]
    Unknown(i64),
    /// SQLite, within a change.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a change, from outside of the async runtime.
///
/// # Errors
/// Why it was refused, or that the database did not take it.
pub fn apply<T: Send + 'static>(
    store: &Store,
    change: impl FnOnce(&Connection) -> Result<T, ExemptError> + Send + 'static,
) -> Result<T, ExemptError> {
    store.write_blocking(move |file| match change(file) {
        Err(ExemptError::Sqlite(error)) => Err(error),
        done => Ok(done),
    })?
}

/// Makes an exemption and gives its number.
///
/// # Errors
/// When it lacks something, or the database does not take it.
pub fn add(file: &Connection, now: Timestamp, actor: &Actor, new: &New) -> Result<i64, ExemptError> {
    if new.owner.trim().is_empty() || new.reason.trim().is_empty() {
        return Err(ExemptError::Words);
    }
    if new.until <= now {
        return Err(ExemptError::Past);
    }
    if new.until.since(now) > LONGEST {
        return Err(ExemptError::TooLong);
    }
    let kinds = words(&new.kinds);
    let id: i64 = file.query_row(
        "INSERT INTO exemption (who, kinds, owner, reason, until_ms, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        params![new.who.to_string(), kinds, new.owner.trim(), new.reason.trim(), new.until.millis(), now.millis()],
        |row| row.get(0),
    )?;
    let payload = json!({
        "who": new.who.to_string(), "kinds": kinds, "owner": new.owner.trim(), "reason": new.reason.trim(), "until_ms": new.until.millis(),
    });
    journal::append(file, &Entry::new(now, actor.clone(), "exemption.added", format!("exemption:{id}"), payload))?;
    Ok(id)
}

/// Ends an exemption before its time.
///
/// # Errors
/// When there is none in force, or the database does not take it.
pub fn end(file: &Connection, now: Timestamp, actor: &Actor, id: i64) -> Result<(), ExemptError> {
    let who: Option<String> = file
        .query_row(
            "UPDATE exemption SET ended_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL AND until_ms > ?2 RETURNING who",
            params![id, now.millis()],
            |row| row.get(0),
        )
        .optional()?;
    let who = who.ok_or(ExemptError::Unknown(id))?;
    journal::append(file, &Entry::new(now, actor.clone(), "exemption.ended", format!("exemption:{id}"), json!({ "who": who })))?;
    Ok(())
}

/// All exemptions that were made, the ended ones with the end that they came to.
///
/// # Errors
/// When the database cannot be read.
pub fn load(file: &Connection) -> rusqlite::Result<Vec<Exemption>> {
    let mut query =
        file.prepare("SELECT id, who, kinds, owner, reason, min(until_ms, ifnull(ended_ms, until_ms)) FROM exemption ORDER BY id")?;
    let rows = query.query_map([], |row| {
        let (who, kinds): (String, String) = (row.get(1)?, row.get(2)?);
        let (owner, reason): (String, String) = (row.get(3)?, row.get(4)?);
        let Ok(who) = who.parse() else { return Ok(None) };
        Ok(Some(Exemption {
            source: Source::Recorded(row.get(0)?),
            who,
            kinds: kinds.split(',').filter_map(Kind::from_word).collect(),
            owner: owner.into(),
            reason: reason.into(),
            until: Timestamp::from_millis(row.get(5)?),
        }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

fn words(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(",")
}
