//! Cases, holds and wishes in `netroom.db`, each change of a case with its event in the journal in one transaction.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::CaseId;
use super::case::{Case, Phase, Wish};
use super::gate::Path;
use super::hold::{Hold, Holds};
use super::limit::Before;
use crate::journal::{self, Actor, Entry, Via};
use crate::model::Timestamp;
use crate::store::{Store, StoreError};

/// The breaker and the freeze.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// When the breaker was opened.
    pub tripped: Option<Timestamp>,
    /// Until when nothing is blocked without a person, why, and who said so.
    pub frozen: Option<(Timestamp, String, String)>,
}

/// A wish that waits.
#[derive(Clone, PartialEq, Debug)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub at: Timestamp,
    /// By whom, and through which door.
    pub path: Path,
    /// What is wanted.
    pub wish: Wish,
}

/// All that a desk begins with.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Kept {
    /// Cases that are not over, and those that were released within the last hour.
    pub cases: Vec<Case>,
    /// What is held.
    pub holds: Holds,
    /// The breaker and the freeze.
    pub brake: Brake,
}

/// Who acts, as the journal names it.
pub fn actor(path: &Path) -> Actor {
    match path {
        Path::Page(person) => Actor::person(person.clone(), Via::Web),
        Path::Api(person) => Actor::person(person.clone(), Via::Api),
        Path::Command(person) => Actor::person(person.clone(), Via::Cli),
        Path::Auto | Path::Pursuit | Path::Reassert | Path::Expiry => Actor::daemon(),
    }
}

/// The next case's number.
///
/// # Errors
/// When the database cannot be read.
pub fn next_id(file: &Connection) -> rusqlite::Result<CaseId> {
    file.query_row("SELECT ifnull(max(id), 0) + 1 FROM block_case", [], |row| row.get(0).map(CaseId))
}

/// Keeps a case as it is now, with what it holds and its event in the journal. `from` is the phase before.
///
/// # Errors
/// What SQLite says; then nothing of it stays.
pub fn keep(file: &Connection, case: &Case, from: Option<Phase>, holds: &Holds, actor: &Actor) -> rusqlite::Result<()> {
    let mut put = file.prepare_cached(
        "INSERT INTO block_case (id, machine, phase, is_over, opened, changed, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, is_over = excluded.is_over, changed = excluded.changed, state = excluded.state",
    )?;
    let (opened, changed) = (case.opened.millis(), case.changed.millis());
    put.execute(params![case.id.0, case.machine(), case.phase.word(), case.phase.is_over(), opened, changed, text(case)?])?;
    if let Some(order) = &case.order {
        let (device, place, kind) = Holds::key(order);
        match holds.at(order) {
            Some(hold) => file.execute(
                "INSERT OR REPLACE INTO block_hold (device, place, kind, state) VALUES (?1, ?2, ?3, ?4)",
                params![&*device, place, kind, text(hold)?],
            )?,
            None => {
                file.execute("DELETE FROM block_hold WHERE device = ?1 AND place = ?2 AND kind = ?3", params![&*device, place, kind])?
            }
        };
    }
    if from == Some(case.phase) {
        return Ok(());
    }
    let payload = json!({
        "machine": case.machine(),
        "ip": case.ip.map(|ip| ip.to_string()),
        "rule": &*case.rule,
        "reason": case.reason,
        "path": case.path.word(),
        "order": case.order.as_ref().map(ToString::to_string),
        "varbinds": case.varbinds,
        "rails": case.rails.iter().map(|rail| rail.word()).collect::<Vec<_>>(),
        "approved": case.votes.iter().map(|yes| &*yes.person).collect::<Vec<_>>(),
        "before": case.before,
        "after": case.after,
        "until_ms": case.until.map(Timestamp::millis),
        "note": case.note,
    });
    let mut entry = Entry::new(case.changed, actor.clone(), case.phase.action(), format!("block:{}", case.id), payload);
    entry.from_state = from.map(|phase| phase.word().to_owned());
    entry.to_state = Some(case.phase.word().to_owned());
    journal::append(file, &entry).map(drop)
}

/// Keeps the breaker and the freeze, with the event and its reason.
///
/// # Errors
/// What SQLite says.
pub fn keep_brake(
    file: &Connection,
    brake: &Brake,
    (what, reason): (&'static str, &str),
    actor: &Actor,
    now: Timestamp,
) -> rusqlite::Result<()> {
    file.execute("INSERT OR REPLACE INTO block_brake (id, state) VALUES (1, ?1)", [text(brake)?])?;
    let payload = json!({ "tripped_ms": brake.tripped.map(Timestamp::millis), "frozen": brake.frozen, "reason": reason });
    journal::append(file, &Entry::new(now, actor.clone(), what, "part:block", payload)).map(drop)
}

/// What a desk begins with.
///
/// # Errors
/// When the database cannot be read.
pub fn load(file: &Connection, now: Timestamp) -> rusqlite::Result<Kept> {
    let since = now.millis() - 3_600_000;
    let cases = states(file, "SELECT state FROM block_case WHERE is_over = 0 OR changed >= ?1 ORDER BY id", [since])?;
    let holds: Vec<Hold> = states(file, "SELECT state FROM block_hold", [])?;
    Ok(Kept { cases, holds: Holds::new(holds), brake: brake(file)? })
}

/// The breaker and the freeze.
///
/// # Errors
/// When the database cannot be read.
pub fn brake(file: &Connection) -> rusqlite::Result<Brake> {
    Ok(states(file, "SELECT state FROM block_brake", [])?.pop().unwrap_or_default())
}

/// One case.
///
/// # Errors
/// When the database cannot be read.
pub fn case(file: &Connection, id: CaseId) -> rusqlite::Result<Option<Case>> {
    Ok(states(file, "SELECT state FROM block_case WHERE id = ?1", [id.0])?.pop())
}

/// Cases, the newest first: those that are not over, or all.
///
/// # Errors
/// When the database cannot be read.
pub fn list(file: &Connection, with_over: bool, most: u32) -> rusqlite::Result<Vec<Case>> {
    states(file, "SELECT state FROM block_case WHERE is_over = 0 OR ?1 ORDER BY is_over, id DESC LIMIT ?2", params![with_over, most])
}

/// The cases of a machine, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn of_machine(file: &Connection, machine: &str, most: u32) -> rusqlite::Result<Vec<Case>> {
    states(file, "SELECT state FROM block_case WHERE machine = ?1 ORDER BY id DESC LIMIT ?2", params![machine, most])
}

/// The last block of a machine that has ended, for the ladder of time.
///
/// # Errors
/// When the database cannot be read.
pub fn before(file: &Connection, machine: &str) -> rusqlite::Result<Option<Before>> {
    let cases: Vec<Case> =
        states(file, "SELECT state FROM block_case WHERE machine = ?1 AND phase = 'released' ORDER BY id DESC LIMIT 1", [machine])?;
    Ok(cases.first().and_then(|case| Some(Before { step: case.step, ended: case.released? })))
}

/// Blocks without a person since a moment, each with its switch.
///
/// # Errors
/// When the database cannot be read.
pub fn automatic(file: &Connection, since: Timestamp) -> rusqlite::Result<Vec<(Timestamp, std::sync::Arc<str>)>> {
    let cases: Vec<Case> = states(file, "SELECT state FROM block_case WHERE changed >= ?1 AND phase <> 'observed'", [since.millis()])?;
    let of = |case: Case| {
        let device = case.order.as_ref()?.device().cloned()?;
        (case.votes.is_empty() && case.path.person().is_none()).then_some((case.blocked.filter(|at| *at >= since)?, device))
    };
    Ok(cases.into_iter().filter_map(of).collect())
}

/// Makes a wish; its number. The desk takes it within a second.
///
/// # Errors
/// What SQLite says.
pub fn wish(file: &Connection, now: Timestamp, path: &Path, wish: &Wish) -> rusqlite::Result<i64> {
    file.query_row(
        "INSERT INTO block_wish (at, path, wish) VALUES (?1, ?2, ?3) RETURNING id",
        params![now.millis(), text(path)?, text(wish)?],
        |row| row.get(0),
    )
}

/// The wishes that wait, the oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn wishes(file: &Connection) -> rusqlite::Result<Vec<Waiting>> {
    let mut query = file.prepare_cached("SELECT id, at, path, wish FROM block_wish WHERE answer IS NULL ORDER BY id LIMIT 64")?;
    let rows = query.query_map([], |row| {
        let (path, wish): (String, String) = (row.get(2)?, row.get(3)?);
        Ok(Waiting { id: row.get(0)?, at: Timestamp::from_millis(row.get(1)?), path: parse(&path)?, wish: parse(&wish)? })
    })?;
    rows.collect()
}

/// What became of a wish; `None` while nobody has taken it.
///
/// # Errors
/// When the database cannot be read.
pub fn answer(file: &Connection, wish: i64) -> rusqlite::Result<Option<String>> {
    Ok(file.query_row("SELECT answer FROM block_wish WHERE id = ?1", [wish], |row| row.get(0)).optional()?.flatten())
}

/// Says what became of a wish.
///
/// # Errors
/// What SQLite says.
pub fn answered(file: &Connection, wish: i64, answer: &str) -> rusqlite::Result<()> {
    file.execute("UPDATE block_wish SET answer = ?2 WHERE id = ?1", params![wish, answer]).map(drop)
}

/// What the journal says of a case, the oldest first, `most` at most.
///
/// # Errors
/// When the database cannot be read.
pub fn story(file: &Connection, id: CaseId, most: u32) -> rusqlite::Result<Vec<journal::Recorded>> {
    journal::about(file, "block", &format!("block:{id}"), most)
}

/// What the journal says of work on a port, the newest first, `most` at most.
///
/// # Errors
/// When the database cannot be read.
pub fn works(file: &Connection, device: &str, port: &str, most: u32) -> rusqlite::Result<Vec<journal::Recorded>> {
    journal::newest(file, "port.worked", &format!("port:{device}/{port}"), most)
}

/// Asks the database at once; this thread waits.
///
/// # Errors
/// When it cannot be read.
pub fn now<T>(store: &Store, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
    ask(&store.reader()?).map_err(|error| StoreError::sqlite(store.path(), error))
}

/// Asks the database on a thread that may wait.
///
/// # Errors
/// When it cannot be read.
pub async fn read<T: Send + 'static>(
    store: &Store,
    ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    let read = tokio::task::spawn_blocking(move || now(&store, ask));
    read.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn states<T: DeserializeOwned>(file: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<T>> {
    let mut query = file.prepare_cached(sql)?;
    let rows = query.query_map(values, |row| parse(&row.get::<_, String>(0)?))?;
    rows.collect()
}

fn parse<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

fn text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
