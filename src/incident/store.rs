//! The incidents in `netroom.db`: incident, log entry, journal entry and notices in one transaction, and the questions that
//! pages and programs ask of them.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::engine::{Outcome, Saved};
use super::family::Key;
use super::record::{Child, Event, Incident};
use super::windows::Window;
use crate::journal::{self, Actor, Entry};
use crate::model::notice::Change;
use crate::model::{IncidentId, Notice, Severity, Timestamp};
use crate::store::{Store, StoreError};

/// The outbox, as the incidents see it.
pub trait Notices: Send + Sync {
    /// Puts a notice into the outbox, within the transaction of the change that it tells of.
    ///
    /// # Errors
    /// What SQLite says; the change is undone with it.
    fn enqueue(&self, change: &Connection, notice: &Notice) -> rusqlite::Result<()>;
}

/// What is written at once for one outcome: called within a transaction. The number of the last log entry, when there is one.
///
/// # Errors
/// What SQLite says; then nothing of it may stay.
pub fn keep(file: &Connection, outcome: &Outcome, actor: &Actor, notices: &dyn Notices) -> rusqlite::Result<Option<i64>> {
    for incident in &outcome.incidents {
        put_incident(file, incident)?;
    }
    for (id, key, child) in &outcome.children {
        put_child(file, *id, key, child)?;
    }
    for (key, condition) in &outcome.conditions {
        let subject = key.subject.to_string();
        match condition {
            Some(condition) => {
                let mut put =
                    file.prepare_cached("INSERT OR REPLACE INTO incident_condition (subject, family, state) VALUES (?1, ?2, ?3)")?;
                put.execute(params![subject, &*key.family, text(condition)?])?;
            }
            None => {
                let mut gone = file.prepare_cached("DELETE FROM incident_condition WHERE subject = ?1 AND family = ?2")?;
                gone.execute(params![subject, &*key.family])?;
            }
        }
    }
    let mut last = None;
    for told in &outcome.events {
        let id = put_event(file, &told.event)?;
        last = Some(id);
        journal(file, &told.event, actor)?;
        if let Some(notice) = &told.notice {
            notices.enqueue(file, &Notice { event: id, ..notice.clone() })?;
        }
    }
    Ok(last)
}

/// Everything but the coming and going of children and facts goes into the journal.
fn journal(file: &Connection, event: &Event, actor: &Actor) -> rusqlite::Result<()> {
    let action = match event.change {
        Change::Opened => "incident.opened",
        Change::Reopened => "incident.reopened",
        Change::Worsened => "incident.worsened",
        Change::Acknowledged => "incident.acknowledged",
        Change::Unacknowledged => "incident.unacknowledged",
        Change::Commented => "incident.commented",
        Change::Cleared => "incident.cleared",
        Change::StillOpen => "incident.stillopen",
        Change::Updated if event.person.is_some() => "incident.muted",
        Change::Updated => return Ok(()),
    };
    let payload = json!({
        "rule": &*event.rule,
        "subject": event.subject.to_string(),
        "severity": event.severity.word(),
        "comment": event.comment,
        "muted": event.is_muted,
    });
    let actor = if event.person.is_some() { actor.clone() } else { Actor::daemon() };
    journal::append(file, &Entry::new(event.at, actor, action, format!("incident:{}", event.incident.0), payload)).map(drop)
}

fn put_incident(file: &Connection, incident: &Incident) -> rusqlite::Result<()> {
    let mut put = file.prepare_cached(
        "INSERT INTO incident (id, subject, family, rule, phase, severity, opened, changed, cleared, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, phase = excluded.phase, severity = excluded.severity,
             changed = excluded.changed, cleared = excluded.cleared, state = excluded.state",
    )?;
    put.execute(params![
        incident.id.0,
        incident.subject().to_string(),
        &*incident.key.family,
        &*incident.rule,
        incident.phase.word(),
        incident.severity as i64,
        incident.opened.millis(),
        incident.changed.millis(),
        incident.cleared.map(Timestamp::millis),
        text(incident)?,
    ])?;
    Ok(())
}

fn put_child(file: &Connection, id: IncidentId, key: &Key, child: &Child) -> rusqlite::Result<()> {
    let mut put = file.prepare_cached(
        "INSERT OR REPLACE INTO incident_child (incident, subject, family, rule, severity, joined, gone) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let left = child.left.map(Timestamp::millis);
    put.execute(params![id.0, key.subject.to_string(), &*key.family, &*child.rule, child.severity as i64, child.joined.millis(), left])?;
    Ok(())
}

fn put_event(file: &Connection, event: &Event) -> rusqlite::Result<i64> {
    let mut put =
        file.prepare_cached("INSERT INTO incident_event (incident, at, change, person, comment, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    put.execute(params![event.incident.0, event.at.millis(), event.change.word(), event.person.as_deref(), event.comment, text(event)?])?;
    Ok(file.last_insert_rowid())
}

/// Everything that the engine needs to go on.
///
/// # Errors
/// When the database cannot be read.
pub fn load(store: &Store, reopenable_since: Timestamp) -> Result<Saved, StoreError> {
    let file = store.reader()?;
    let read = || {
        let last_id = file.query_row("SELECT coalesce(max(id), 0) FROM incident", [], |row| row.get(0))?;
        let wanted = "phase = 'open' OR changed >= ?1";
        let incidents =
            all(&file, &format!("SELECT state FROM incident WHERE {wanted} ORDER BY id"), params![reopenable_since.millis()], state)?;
        let children = all(
            &file,
            "SELECT incident, subject, family, rule, severity, joined, gone FROM incident_child
             WHERE incident IN (SELECT id FROM incident WHERE phase = 'open')",
            [],
            |row| Ok((IncidentId(row.get(0)?), key(row, 1)?, child(row, 3)?)),
        )?;
        let conditions = all(&file, "SELECT subject, family, state FROM incident_condition", [], |row| {
            let text: String = row.get(2)?;
            Ok((key(row, 0)?, parse(2, &text)?))
        })?;
        Ok(Saved { last_id, incidents, children, conditions })
    };
    read().map_err(|error| StoreError::sqlite(store.path(), error))
}

/// Writes a window; its number.
///
/// # Errors
/// What SQLite says.
pub fn put_window(file: &Connection, window: &Window, actor: &Actor, now: Timestamp) -> rusqlite::Result<i64> {
    file.execute("INSERT INTO incident_window (made, state) VALUES (?1, ?2)", params![now.millis(), text(window)?])?;
    let id = file.last_insert_rowid();
    let payload = serde_json::to_value(window).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    journal::append(file, &Entry::new(now, actor.clone(), "maintenance.planned", format!("maintenance:{id}"), payload))?;
    Ok(id)
}

/// Takes a window back; whether there was one.
///
/// # Errors
/// What SQLite says.
pub fn end_window(file: &Connection, id: i64, actor: &Actor, now: Timestamp) -> rusqlite::Result<bool> {
    let is_ended = file.execute("UPDATE incident_window SET ended = ?2 WHERE id = ?1 AND ended IS NULL", params![id, now.millis()])? == 1;
    if is_ended {
        journal::append(file, &Entry::new(now, actor.clone(), "maintenance.ended", format!("maintenance:{id}"), json!({})))?;
    }
    Ok(is_ended)
}

/// Which incidents of the past are looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    /// Stands in the subject, the rule, the evidence or a comment; empty for all.
    pub text: String,
    /// At least so severe.
    pub severity: Option<Severity>,
    /// Begun at this time or later.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub to: Option<Timestamp>,
    /// Numbers below this one: the next page.
    pub before: Option<IncidentId>,
    /// Only those that are over.
    pub is_over: bool,
    /// So many at most.
    pub limit: usize,
}

/// The questions of pages and programs. Cheap to clone; the calls block on the file.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
}

impl Archive {
    /// Over the database.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// One incident.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.ask(|file| file.query_row("SELECT state FROM incident WHERE id = ?1", [id.0], state).optional())
    }

    /// What an incident took along, those still affected first; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn children(&self, id: IncidentId, limit: usize) -> Result<Vec<(Key, Child)>, StoreError> {
        let sql = "SELECT subject, family, rule, severity, joined, gone FROM incident_child WHERE incident = ?1
                   ORDER BY gone IS NOT NULL, severity DESC, subject LIMIT ?2";
        self.ask(|file| all(file, sql, params![id.0, bound(limit)], |row| Ok((key(row, 0)?, child(row, 2)?))))
    }

    /// The log of one incident, the oldest first; the last `limit` entries.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn log(&self, id: IncidentId, limit: usize) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT id, state FROM (SELECT id, state FROM incident_event WHERE incident = ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id";
        self.ask(|file| all(file, sql, params![id.0, bound(limit)], event))
    }

    /// The log of all incidents behind an entry, in its order; at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events_after(&self, id: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT id, state FROM incident_event WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.ask(|file| all(file, sql, params![id, bound(limit)], event))
    }

    /// The number of the newest log entry; 0 when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_event(&self) -> Result<i64, StoreError> {
        self.ask(|file| file.query_row("SELECT coalesce(max(id), 0) FROM incident_event", [], |row| row.get(0)))
    }

    /// Incidents that fit, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn search(&self, search: &Search) -> Result<Vec<Incident>, StoreError> {
        let text = search.text.trim();
        let like = (!text.is_empty()).then(|| format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        let sql = "SELECT state FROM incident
             WHERE (?1 IS NULL OR subject LIKE ?1 ESCAPE '\\' OR rule LIKE ?1 ESCAPE '\\' OR state LIKE ?1 ESCAPE '\\'
                    OR EXISTS (SELECT 1 FROM incident_event e WHERE e.incident = incident.id AND e.comment LIKE ?1 ESCAPE '\\'))
               AND severity >= ?2 AND opened >= ?3 AND opened < ?4 AND id < ?5 AND (?6 = 0 OR phase <> 'open')
             ORDER BY id DESC LIMIT ?7";
        self.ask(|file| {
            let severity = search.severity.map_or(0, |severity| severity as i64);
            let from = search.from.map_or(i64::MIN, Timestamp::millis);
            let to = search.to.map_or(i64::MAX, Timestamp::millis);
            let before = search.before.map_or(i64::MAX, |before| before.0);
            all(file, sql, params![like, severity, from, to, before, search.is_over, bound(search.limit)], state)
        })
    }

    /// The windows that people have made and not taken back, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn windows(&self) -> Result<Vec<Window>, StoreError> {
        self.ask(|file| {
            all(file, "SELECT id, state FROM incident_window WHERE ended IS NULL ORDER BY id DESC", [], |row| {
                let text: String = row.get(1)?;
                Ok(Window { id: row.get(0)?, ..parse(1, &text)? })
            })
        })
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        question(&self.store.reader()?).map_err(|error| StoreError::sqlite(self.store.path(), error))
    }
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn all<T>(
    file: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    file.prepare(sql)?.query_map(values, read)?.collect()
}

fn state(row: &Row<'_>) -> rusqlite::Result<Incident> {
    parse(0, &row.get::<_, String>(0)?)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event { id: row.get(0)?, ..parse(1, &row.get::<_, String>(1)?)? })
}

fn key(row: &Row<'_>, at: usize) -> rusqlite::Result<Key> {
    let subject: String = row.get(at)?;
    let subject = subject.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))?;
    let family: String = row.get(at + 1)?;
    Ok(Key { subject, family: family.into() })
}

fn child(row: &Row<'_>, at: usize) -> rusqlite::Result<Child> {
    let (rule, severity): (String, u8) = (row.get(at)?, row.get(at + 1)?);
    Ok(Child {
        rule: rule.into(),
        severity: Severity::ALL.get(usize::from(severity)).copied().unwrap_or(Severity::Critical),
        joined: Timestamp::from_millis(row.get(at + 2)?),
        left: row.get::<_, Option<i64>>(at + 3)?.map(Timestamp::from_millis),
    })
}

fn text(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn parse<T: serde::de::DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
