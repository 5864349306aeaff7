//! What pages and the API see of the outbox, and the one thing that people may do to it: have a message tried now.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::delivery::{Event, State};
use super::driver::Sender;
use super::store;
use crate::journal::{self, Actor, Entry};
use crate::model::{Notice, Severity, Timestamp, clock};
use crate::store::StoreError;

/// Messages that are listed at once.
const LISTED: usize = 200;

/// A message as it stands.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// `alarm`, `daily` or `second`.
    pub kind: String,
    /// Whom it was planned for: `duty`, a person's name, or `hook:NAME`.
    pub recipient: String,
    /// Whom it came to.
    pub target: String,
    /// `mail`, or the webhook's name.
    pub channel: String,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub tries: u32,
    /// How often it may have arrived without an answer.
    pub repeats: u32,
    /// When it was planned.
    pub created: Timestamp,
    /// Not tried before.
    pub not_before: Timestamp,
    /// When it was taken.
    pub sent: Option<Timestamp>,
    /// The rules that wanted it.
    pub why: String,
    /// What the other side said last.
    pub result: String,
    /// How many changes it tells.
    pub notices: u64,
    /// The first of them.
    pub first: Option<First>,
}

/// The first change that a message tells.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct First {
    /// The incident.
    pub incident: i64,
    /// What happened to it.
    pub change: &'static str,
    /// How much it mattered.
    pub severity: Severity,
    /// What it is about, as people say it.
    pub subject: String,
}

impl From<Notice> for First {
    fn from(notice: Notice) -> Self {
        Self { incident: notice.incident.0, change: notice.change.word(), severity: notice.severity, subject: notice.subject.name() }
    }
}

impl Sender {
    /// The newest messages, those in one state when one is named. Blocks on the disk.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list(&self, state: Option<State>) -> Result<Vec<Listed>, StoreError> {
        let file = self.store.reader()?;
        list(&file, state).map_err(|source| StoreError::sqlite(self.store.path(), source))
    }

    /// Has a message tried now, and writes into the journal who wanted it. False when there is nothing to try: it was sent,
    /// or there is none of this number.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn retry(&self, id: i64, actor: Actor) -> Result<bool, StoreError> {
        let (now, give_up) = (clock::wall(), self.setup.load().settings.give_up);
        let retried = self.store.write(move |tx| {
            let mut query = tx.prepare_cached("SELECT state FROM delivery WHERE id = ?1")?;
            let before = query.query_row([id], |row| store::state(row, 0)).optional()?;
            let Some(before) = before.filter(|state| !matches!(state, State::Sent | State::Spared | State::Sending)) else {
                return Ok(false);
            };
            store::step(tx, id, Event::Retry, "", now, give_up)?;
            let payload = serde_json::json!({ "before": before.word() });
            journal::append(tx, &Entry::new(now, actor, "notice.retried", format!("delivery:{id}"), payload))?;
            Ok(true)
        });
        let retried = retried.await?;
        if retried {
            self.wake_channels();
        }
        Ok(retried)
    }
}

fn list(file: &Connection, state: Option<State>) -> rusqlite::Result<Vec<Listed>> {
    let mut query = file.prepare(
        "SELECT id, kind, recipient, target, channel, state, tries, repeats, created, not_before, sent, why, result,
           (SELECT COUNT(*) FROM told WHERE delivery = d.id),
           (SELECT n.body FROM told t JOIN notice n ON n.id = t.notice WHERE t.delivery = d.id ORDER BY n.at, n.id LIMIT 1)
         FROM delivery d WHERE ?1 IS NULL OR state = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    query.query_map(params![state.map(State::word), LISTED as i64], listed)?.collect()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let time = |column| row.get(column).map(Timestamp::from_millis);
    let has_notice = row.get::<_, Option<String>>(14)?.is_some();
    Ok(Listed {
        id: row.get(0)?,
        kind: row.get(1)?,
        recipient: row.get(2)?,
        target: row.get(3)?,
        channel: row.get(4)?,
        state: store::state(row, 5)?,
        tries: row.get(6)?,
        repeats: row.get(7)?,
        created: time(8)?,
        not_before: time(9)?,
        sent: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
        why: row.get(11)?,
        result: row.get(12)?,
        notices: row.get::<_, i64>(13).map(|count| u64::try_from(count).unwrap_or(0))?,
        first: if has_notice { Some(store::notice(row, 14)?.into()) } else { None },
    })
}
