//! The outbox in the database: notices as they come, deliveries as they are planned, and how each of them stands.
//! Every function here is one step inside of the caller's transaction.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::delivery::{Course, Event, State};
use super::driver::Waiting;
use super::roster::{People, resolve};
use super::route::{Climb, Office, Order, Pace, Target, alarms, ladder, orders};
use crate::config::notify::Recipient;
use crate::config::people::PersonSettings;
use crate::model::notice::Change;
use crate::model::{IncidentId, Notice, Timestamp};

/// Notices planned in one transaction.
const BATCH: i64 = 500;
/// Notices that one message holds in full; of more only the number is told.
pub const SHOWN: usize = 200;

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Changes of incidents.
    Alarm,
    /// The daily proof of life.
    Daily,
    /// That mail was not delivered, by the second way.
    Second,
}

impl Kind {
    /// The word of the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Daily => "daily",
            Self::Second => "second",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "daily" => Self::Daily,
            "second" => Self::Second,
            _ => Self::Alarm,
        }
    }
}

/// A delivery that is to be sent now, with all that its message is made of.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Its number.
    pub id: i64,
    /// What it is.
    pub kind: Kind,
    /// The person, for mail; `None` when nobody could be found or the person is gone from the configuration.
    pub person: Option<PersonSettings>,
    /// Whom it is for, as resolved now.
    pub target: Target,
    /// The names of the rules that wanted it.
    pub why: String,
    /// Its Message-ID without brackets, the same at every try.
    pub message_id: String,
    /// The Message-ID that its conversation began with, when it is about one incident that the person was told of before.
    pub thread: Option<String>,
    /// Whether it may have arrived before.
    pub is_repeat: bool,
    /// When it was planned.
    pub created: Timestamp,
    /// What it tells, oldest first, [`SHOWN`] at most.
    pub notices: Vec<Notice>,
    /// How many it tells in all.
    pub total: usize,
    /// The text of what is no alarm.
    pub body: Option<String>,
}

/// A mail that has not been delivered in time.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Late {
    /// The delivery's number.
    pub delivery: i64,
    /// For whom it is.
    pub target: String,
    /// Since when it should have been there.
    pub due: Timestamp,
    /// What the server said last, empty when it was never asked.
    pub result: String,
}

/// Writes a notice; one that is there already (the same event of the same incident) is left as it is.
pub fn insert(tx: &Connection, notice: &Notice) -> rusqlite::Result<()> {
    let body = serde_json::to_string(notice).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    tx.prepare_cached("INSERT OR IGNORE INTO notice (incident, event, at, change, rule, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![notice.incident.0, notice.event, notice.at.millis(), notice.change.word(), &*notice.rule, body])?;
    Ok(())
}

/// Plans the next notices and the rungs that are due. True when more notices wait.
pub fn plan(tx: &Connection, office: Office<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    let mut query = tx.prepare_cached("SELECT id, body FROM notice WHERE planned = 0 ORDER BY id LIMIT ?1")?;
    let waiting: Vec<(i64, Notice)> = query.query_map([BATCH], |row| Ok((row.get(0)?, notice(row, 1)?)))?.collect::<Result<_, _>>()?;
    for (id, notice) in &waiting {
        for order in orders(notice, &alarmed(tx, notice.incident)?, office, now) {
            place(tx, *id, notice, &order, now)?;
        }
        escalate(tx, *id, notice, office, now)?;
        tx.prepare_cached("UPDATE notice SET planned = 1 WHERE id = ?1")?.execute([id])?;
    }
    climb(tx, office, now)?;
    Ok(waiting.len() as i64 == BATCH)
}

/// Whom the earlier notices of an incident went to or wait to go to; not those whom nothing reached.
fn alarmed(tx: &Connection, incident: IncidentId) -> rusqlite::Result<Vec<Target>> {
    let mut query = tx.prepare_cached(
        "SELECT DISTINCT CASE WHEN d.state IN ('queued', 'deferred') THEN d.recipient ELSE t.target END, n.change
         FROM notice n JOIN told t ON t.notice = n.id JOIN delivery d ON d.id = t.delivery
         WHERE n.incident = ?1 AND d.kind = 'alarm' AND d.state NOT IN ('failed', 'spared')",
    )?;
    let rows = query.query_map([incident.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut targets = Vec::new();
    for row in rows {
        let (key, change) = row?;
        let target = Target::from_key(&key);
        if is_alarm(&change) && !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

fn is_alarm(word: &str) -> bool {
    const ALL: [Change; 5] = [Change::Opened, Change::Reopened, Change::Worsened, Change::Unacknowledged, Change::StillOpen];
    ALL.iter().any(|change| change.word() == word)
}

/// Puts a notice into the delivery that waits for the same target at the same pace, else into a new one. The end of an
/// incident joins its beginning while that has not left the house.
fn place(tx: &Connection, id: i64, notice: &Notice, order: &Order, now: Timestamp) -> rusqlite::Result<()> {
    let (key, channel) = (order.target.key(), order.target.channel());
    let mut told = tx.prepare_cached("SELECT 1 FROM told WHERE notice = ?1 AND channel = ?2 AND target = ?3")?;
    if told.exists(params![id, channel, key])? {
        return Ok(());
    }
    let mut open = tx.prepare_cached(
        "SELECT d.id, d.not_before, d.state, d.why FROM delivery d
         WHERE d.recipient = ?1 AND d.channel = ?2 AND d.sealed = 0 AND d.state IN ('queued', 'deferred') AND d.kind = 'alarm'
           AND (d.pace = ?3 OR (?4 AND EXISTS (SELECT 1 FROM told t JOIN notice n ON n.id = t.notice
                                               WHERE t.delivery = d.id AND n.incident = ?5)))
         ORDER BY d.id LIMIT 1",
    )?;
    let found: Option<(i64, i64, String, String)> = open
        .query_row(params![key, channel, order.pace.word(), !alarms(notice.change), notice.incident.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let not_before = paced(tx, &key, channel, order)?;
    let delivery = match found {
        Some((delivery, waits_for, state, why)) => {
            let sooner = if state == State::Queued.word() { waits_for.min(not_before.millis()) } else { waits_for };
            let why = if why.split(", ").any(|one| one == &*order.why) { why } else { format!("{why}, {}", order.why) };
            tx.prepare_cached("UPDATE delivery SET not_before = ?2, due = MIN(due, ?2), why = ?3 WHERE id = ?1")?
                .execute(params![delivery, sooner, why])?;
            delivery
        }
        None => add(tx, Kind::Alarm, &order.target, order.pace, not_before, &order.why, None, now)?,
    };
    tell(tx, id, channel, &key, delivery)
}

fn tell(tx: &Connection, notice: i64, channel: &str, target: &str, delivery: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO told (notice, channel, target, delivery) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![notice, channel, target, delivery])?;
    Ok(())
}

/// A new delivery.
#[expect(clippy::too_many_arguments, reason = "they are the columns of one row")]
fn add(
    tx: &Connection,
    kind: Kind,
    target: &Target,
    pace: Pace,
    not_before: Timestamp,
    why: &str,
    body: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let key = target.key();
    tx.prepare_cached(
        "INSERT INTO delivery (kind, recipient, target, channel, pace, state, created, since, due, not_before, changed, why, body)
         VALUES (?1, ?2, ?2, ?3, ?4, 'queued', ?5, ?6, ?6, ?6, ?5, ?7, ?8)",
    )?
    .execute(params![kind.word(), key, target.channel(), pace.word(), now.millis(), not_before.millis(), why, body])?;
    Ok(tx.last_insert_rowid())
}

/// The order's time, put off so that the target gets at most one message in its window.
fn paced(tx: &Connection, key: &str, channel: &str, order: &Order) -> rusqlite::Result<Timestamp> {
    if order.window.is_zero() {
        return Ok(order.not_before);
    }
    let mut last = tx.prepare_cached(
        "SELECT COALESCE(sent, not_before) FROM delivery WHERE recipient = ?1 AND channel = ?2 AND kind = 'alarm'
           AND pace = 'prompt' AND state IN ('sent', 'sending', 'uncertain') ORDER BY id DESC LIMIT 1",
    )?;
    let last: Option<i64> = last.query_row(params![key, channel], |row| row.get(0)).optional()?;
    let earliest = last.map_or(order.not_before, |last| Timestamp::from_millis(last) + order.window);
    Ok(order.not_before.max(earliest))
}

/// Begins, ends or leaves alone the climb of an incident.
fn escalate(tx: &Connection, id: i64, notice: &Notice, office: Office<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let incident = notice.incident.0;
    if matches!(notice.change, Change::Acknowledged | Change::Cleared) || notice.is_muted {
        tx.prepare_cached("DELETE FROM escalation WHERE incident = ?1")?.execute([incident])?;
        return Ok(());
    }
    let (true, Some(ladder)) = (alarms(notice.change), ladder(notice, office.settings)) else { return Ok(()) };
    let climb = Climb { began: now, rung: 0 };
    let Some(due) = climb.due(ladder) else { return Ok(()) };
    // An incident that grows while it is being climbed for goes on from where it is.
    tx.prepare_cached(
        "INSERT INTO escalation (incident, ladder, notice, began, rung, due) VALUES (?1, ?2, ?3, ?4, 0, ?5)
         ON CONFLICT (incident) DO UPDATE SET notice = excluded.notice",
    )?
    .execute(params![incident, &*ladder.name, id, now.millis(), due.millis()])?;
    Ok(())
}

/// Takes every rung that is due.
fn climb(tx: &Connection, office: Office<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let mut query = tx.prepare_cached(
        "SELECT e.incident, e.ladder, e.notice, e.began, e.rung, n.body FROM escalation e JOIN notice n ON n.id = e.notice
         WHERE e.due <= ?1 ORDER BY e.due LIMIT ?2",
    )?;
    type Due = (i64, String, i64, i64, i64, Notice);
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, notice(row, 5)?));
    let due: Vec<Due> = query.query_map(params![now.millis(), BATCH], row)?.collect::<Result<_, _>>()?;
    for (incident, name, id, began, rung, notice) in due {
        let Some(ladder) = office.settings.ladders.iter().find(|ladder| *ladder.name == *name) else {
            // The ladder is gone from the configuration.
            tx.prepare_cached("DELETE FROM escalation WHERE incident = ?1")?.execute([incident])?;
            continue;
        };
        let climb = Climb { began: Timestamp::from_millis(began), rung: usize::try_from(rung).unwrap_or(usize::MAX) };
        let (orders, next) = climb.climb(ladder, office, now);
        for order in orders {
            place(tx, id, &notice, &order, now)?;
        }
        match next.due(ladder) {
            Some(due) => tx.prepare_cached("UPDATE escalation SET rung = ?2, due = ?3 WHERE incident = ?1")?.execute(params![
                incident,
                next.rung as i64,
                due.millis()
            ])?,
            None => tx.prepare_cached("DELETE FROM escalation WHERE incident = ?1")?.execute([incident])?,
        };
    }
    Ok(())
}

/// When the next rung of any incident is due.
pub fn next_rung(file: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    file.query_row("SELECT MIN(due) FROM escalation", [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp::from_millis))
}

/// A message that is no alarm, for a recipient.
pub fn post(tx: &Connection, kind: Kind, target: &Target, body: &str, why: &str, now: Timestamp) -> rusqlite::Result<i64> {
    add(tx, kind, target, Pace::Prompt, now, why, Some(body), now)
}

/// Deliveries that are due, by the channel's name; `is_mail` chooses between mail and all that is not.
pub fn due(file: &Connection, is_mail: bool, now: Timestamp, most: usize) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut query = file.prepare_cached(
        "SELECT id, channel FROM delivery WHERE state IN ('queued', 'deferred', 'uncertain') AND not_before <= ?1
           AND (channel = 'mail') = ?2 ORDER BY not_before, id LIMIT ?3",
    )?;
    query.query_map(params![now.millis(), is_mail, most as i64], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Seals a delivery, finds whom it is for now, and hands out what its message is made of. `None` when it is not due any
/// more, or when the person it comes to has been told all of it already.
pub fn take(tx: &Connection, id: i64, people: &dyn People, new_id: &str, now: Timestamp) -> rusqlite::Result<Option<Parcel>> {
    let Some(row) = delivery(tx, id)? else { return Ok(None) };
    if !row.course.is_due(now) {
        return Ok(None);
    }
    let target = match Target::from_key(&row.recipient) {
        // What may have arrived stays with the person whom it may have reached.
        Target::Duty if row.course.repeats == 0 => {
            resolve(people, &Recipient::Duty, now).into_iter().next().map_or(Target::Duty, Target::Person)
        }
        Target::Duty => Target::from_key(&row.target),
        other => other,
    };
    if row.kind == Kind::Alarm && !address(tx, id, &target, &row)? {
        tx.prepare_cached("UPDATE delivery SET state = 'spared', sealed = 1, changed = ?2, target = ?3 WHERE id = ?1")?
            .execute(params![id, now.millis(), target.key()])?;
        return Ok(None);
    }
    tx.prepare_cached("UPDATE delivery SET sealed = 1, target = ?2, message_id = COALESCE(message_id, ?3) WHERE id = ?1")?
        .execute(params![id, target.key(), new_id])?;
    let (notices, total) = contents(tx, id)?;
    let thread = thread(tx, id, &target, &notices, total)?;
    let person = match &target {
        Target::Person(name) => people.person(name),
        Target::Duty | Target::Hook(_) => None,
    };
    Ok(Some(Parcel {
        id,
        kind: row.kind,
        person,
        target,
        why: row.why,
        message_id: row.message_id.unwrap_or_else(|| new_id.to_owned()),
        thread,
        is_repeat: row.course.repeats > 0,
        created: row.created,
        notices,
        total,
        body: row.body,
    }))
}

/// Writes the person's name to what is told; leaves out what the person was told by another delivery. False when nothing is left.
fn address(tx: &Connection, id: i64, target: &Target, row: &Delivery) -> rusqlite::Result<bool> {
    let (key, channel) = (target.key(), target.channel());
    if key != row.recipient || key != row.target {
        tx.prepare_cached(
            "DELETE FROM told WHERE delivery = ?1 AND target <> ?3 AND EXISTS
               (SELECT 1 FROM told o WHERE o.notice = told.notice AND o.channel = ?2 AND o.target = ?3)",
        )?
        .execute(params![id, channel, key])?;
        tx.prepare_cached("UPDATE told SET target = ?2 WHERE delivery = ?1")?.execute(params![id, key])?;
    }
    tx.prepare_cached("SELECT 1 FROM told WHERE delivery = ?1")?.exists([id])
}

fn contents(tx: &Connection, id: i64) -> rusqlite::Result<(Vec<Notice>, usize)> {
    let mut count = tx.prepare_cached("SELECT COUNT(*) FROM told WHERE delivery = ?1")?;
    let total: i64 = count.query_row([id], |row| row.get(0))?;
    let mut query =
        tx.prepare_cached("SELECT n.body FROM told t JOIN notice n ON n.id = t.notice WHERE t.delivery = ?1 ORDER BY n.at, n.id LIMIT ?2")?;
    let notices = query.query_map(params![id, SHOWN as i64], |row| notice(row, 0))?.collect::<Result<_, _>>()?;
    Ok((notices, usize::try_from(total).unwrap_or(0)))
}

/// What the conversation about an incident began with, for this recipient.
fn thread(tx: &Connection, id: i64, target: &Target, notices: &[Notice], total: usize) -> rusqlite::Result<Option<String>> {
    let Some(first) = notices.first().filter(|first| total == notices.len() && notices.iter().all(|one| one.incident == first.incident))
    else {
        return Ok(None);
    };
    let mut query = tx.prepare_cached(
        "SELECT d.message_id FROM notice n JOIN told t ON t.notice = n.id JOIN delivery d ON d.id = t.delivery
         WHERE n.incident = ?1 AND t.target = ?2 AND t.channel = ?3 AND d.id < ?4 AND d.state IN ('sent', 'uncertain', 'sending')
         ORDER BY d.id LIMIT 1",
    )?;
    let found = query.query_row(params![first.incident.0, target.key(), target.channel(), id], |row| row.get::<_, Option<String>>(0));
    Ok(found.optional()?.flatten())
}

/// Lets an event happen to a delivery; gives back where it stands then. `result` is what the other side said.
pub fn step(tx: &Connection, id: i64, event: Event, result: &str, now: Timestamp, give_up: Duration) -> rusqlite::Result<Option<State>> {
    let Some(row) = delivery(tx, id)? else { return Ok(None) };
    let course = row.course.after(event, now, give_up);
    // What waits for another try may be joined by what comes meanwhile, unless it may have arrived as it is.
    let sealed = course.state != State::Deferred || course.repeats > 0;
    let sealed = if event == Event::Retry { sealed && course.repeats > 0 } else { sealed };
    let sent = (course.state == State::Sent && row.course.state != State::Sent).then_some(now.millis());
    tx.prepare_cached(
        "UPDATE delivery SET state = ?2, tries = ?3, repeats = ?4, since = ?5, not_before = ?6, changed = ?7, sealed = ?8,
           sent = COALESCE(?9, sent), result = CASE WHEN ?10 = '' THEN result ELSE ?10 END WHERE id = ?1",
    )?
    .execute(params![
        id,
        course.state.word(),
        course.tries,
        course.repeats,
        course.since.millis(),
        course.not_before.millis(),
        now.millis(),
        sealed,
        sent,
        result
    ])?;
    Ok(Some(course.state))
}

/// At the start: what was on its way when the program ended is uncertain. How many those are.
pub fn restart(tx: &Connection, now: Timestamp, give_up: Duration) -> rusqlite::Result<usize> {
    let mut query = tx.prepare("SELECT id FROM delivery WHERE state = 'sending'")?;
    let on_their_way: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in &on_their_way {
        step(tx, *id, Event::Restarted, "the program ended while it was on its way", now, give_up)?;
    }
    // What was taken but not handed over may be joined again.
    tx.execute("UPDATE delivery SET sealed = 0 WHERE sealed = 1 AND repeats = 0 AND state IN ('queued', 'deferred')", [])?;
    Ok(on_their_way.len())
}

/// Mails that should have been there by `by`, or have failed, and that the second way was not told of; it is told of them
/// by a delivery of its own to `second`. Gives back what it tells.
pub fn relay(tx: &Connection, second: &Target, by: Timestamp, now: Timestamp) -> rusqlite::Result<Vec<Late>> {
    let mut query = tx.prepare_cached(
        "SELECT id, target, due, result FROM delivery WHERE relayed = 0 AND state NOT IN ('sent', 'spared') AND channel = 'mail'
           AND (state = 'failed' OR due <= ?1) ORDER BY due LIMIT ?2",
    )?;
    let late = |row: &Row<'_>| {
        Ok(Late { delivery: row.get(0)?, target: row.get(1)?, due: Timestamp::from_millis(row.get(2)?), result: row.get(3)? })
    };
    let late: Vec<Late> = query.query_map(params![by.millis(), SHOWN as i64], late)?.collect::<Result<_, _>>()?;
    if late.is_empty() {
        return Ok(late);
    }
    let body = serde_json::to_string(&late).unwrap_or_default();
    let delivery = post(tx, Kind::Second, second, &body, "second", now)?;
    for one in &late {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO told (notice, channel, target, delivery) SELECT notice, ?2, ?3, ?4 FROM told WHERE delivery = ?1",
        )?
        .execute(params![one.delivery, second.channel(), second.key(), delivery])?;
        tx.prepare_cached("UPDATE delivery SET relayed = 1 WHERE id = ?1")?.execute([one.delivery])?;
    }
    Ok(late)
}

/// How much waits, and since when what is due does.
pub fn waiting(file: &Connection, now: Timestamp) -> rusqlite::Result<Waiting> {
    let mut query = file.prepare_cached(
        "SELECT COUNT(*), MIN(CASE WHEN due <= ?1 THEN due END) FROM delivery
         WHERE state IN ('queued', 'sending', 'deferred', 'uncertain')",
    )?;
    query.query_row([now.millis()], |row| {
        let oldest: Option<i64> = row.get(1)?;
        Ok(Waiting { queued: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), oldest: oldest.map(Timestamp::from_millis) })
    })
}

/// A delivery as it stands.
struct Delivery {
    kind: Kind,
    recipient: String,
    target: String,
    course: Course,
    created: Timestamp,
    message_id: Option<String>,
    why: String,
    body: Option<String>,
}

fn delivery(file: &Connection, id: i64) -> rusqlite::Result<Option<Delivery>> {
    let mut query = file.prepare_cached(
        "SELECT kind, recipient, target, state, tries, repeats, since, not_before, created, message_id, why, body
         FROM delivery WHERE id = ?1",
    )?;
    let row = |row: &Row<'_>| {
        Ok(Delivery {
            kind: Kind::from_word(&row.get::<_, String>(0)?),
            recipient: row.get(1)?,
            target: row.get(2)?,
            course: Course {
                state: state(row, 3)?,
                tries: row.get(4)?,
                repeats: row.get(5)?,
                since: Timestamp::from_millis(row.get(6)?),
                not_before: Timestamp::from_millis(row.get(7)?),
            },
            created: Timestamp::from_millis(row.get(8)?),
            message_id: row.get(9)?,
            why: row.get(10)?,
            body: row.get(11)?,
        })
    };
    query.query_row([id], row).optional()
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let word: String = row.get(column)?;
    State::from_word(&word).ok_or_else(|| rusqlite::Error::InvalidColumnType(column, word, Type::Text))
}

pub(super) fn notice(row: &Row<'_>, column: usize) -> rusqlite::Result<Notice> {
    let body: String = row.get(column)?;
    serde_json::from_str(&body).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

#[cfg(test)]
mod tests;
