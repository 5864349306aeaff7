//! What is due by the clock: the daily proof of life, the drill of each morning, the second way for mail that is late, and
//! whether anybody is on duty. Each is done once a day or told once, also over a restart.

use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio_util::sync::CancellationToken;

use super::driver::Sender;
use super::roster::resolve;
use super::route::{DRILL, NOBODY, NOT_DELIVERED, Target};
use super::store::{self, Kind, Late};
use crate::config::notify::{DrillSettings, NotifySettings, Recipient};
use crate::config::week::TimeOfDay;
use crate::model::finding::{Evidence, Fact, Verdict};
use crate::model::{Finding, Severity, Subject, Timestamp, clock};
use crate::store::StoreError;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// What was to be done longer ago is not done late any more: the machine was off.
const LATEST: Duration = Duration::from_secs(6 * 3600);
/// What was delivered is kept for so long.
const KEPT: Duration = Duration::from_secs(400 * 86_400);

/// What was told last, so that each change is told once.
#[derive(Debug, Default)]
struct Said {
    nobody: Option<bool>,
    not_delivered: Option<bool>,
    /// The drill of today has not come through in its time.
    drill_late: bool,
}

pub(super) async fn run(sender: &Sender, token: CancellationToken) {
    let mut said = Said::default();
    while !token.is_cancelled() {
        if let Err(error) = look(sender, &mut said, clock::wall()).await {
            tracing::error!(%error, "what is due by the clock waits, for the outbox cannot be written: {error}");
        }
        // Ended early by the stop, else the next look is due: nothing to do in both cases.
        let _ = tokio::time::timeout(EVERY, token.cancelled()).await;
    }
}

async fn look(sender: &Sender, said: &mut Said, now: Timestamp) -> Result<(), StoreError> {
    let waiting = sender.store.write(move |tx| store::waiting(tx, now)).await?;
    *sender.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    duty(sender, said, now);
    daily(sender, now).await?;
    drill(sender, said, now).await?;
    late(sender, said, now).await
}

/// Tells when duty becomes empty or is taken again; nothing where nobody is told by duty.
fn duty(sender: &Sender, said: &mut Said, now: Timestamp) {
    let setup = sender.setup.load();
    if !names_duty(&setup.settings) {
        return;
    }
    let nobody = setup.people.on_duty(now).is_none();
    if said.nobody != Some(nobody) {
        let verdict = if nobody { Verdict::Raised(Severity::Major) } else { Verdict::Cleared };
        if tell(sender, NOBODY, "duty", verdict, Evidence::new(), now) {
            said.nobody = Some(nobody);
        }
    }
}

fn names_duty(settings: &NotifySettings) -> bool {
    let duty = |to: &Recipient| *to == Recipient::Duty;
    (settings.rules.is_empty() && settings.mail.is_some())
        || settings.rules.iter().any(|rule| rule.to.iter().any(duty))
        || settings.ladders.iter().any(|ladder| ladder.steps.iter().any(|step| duty(&step.to)))
        || settings.daily.as_ref().is_some_and(|daily| daily.to.iter().any(duty))
        || settings.drill.as_ref().is_some_and(|drill| drill.to.iter().any(duty))
}

/// The day's number when something of this time is to be done now.
fn due(sender: &Sender, at: TimeOfDay, now: Timestamp) -> Option<String> {
    let (day, since) = at.last(now, &sender.setup.load().zone);
    (now.since(since) < LATEST).then(|| day.to_string())
}

async fn daily(sender: &Sender, now: Timestamp) -> Result<(), StoreError> {
    let setup = sender.setup.load_full();
    let Some(daily) = setup.settings.daily.as_ref().filter(|_| setup.settings.mail.is_some()) else { return Ok(()) };
    let Some(day) = due(sender, daily.at, now) else { return Ok(()) };
    let mut targets: Vec<Target> = Vec::new();
    for to in &daily.to {
        let found = match to {
            Recipient::Duty => vec![Target::Duty],
            other => resolve(&*setup.people, other, now).into_iter().map(Target::Person).collect(),
        };
        targets.extend(found.into_iter().filter(|target| !targets.contains(target)).collect::<Vec<_>>());
    }
    let (mut counts, proof) = (sender.proof.counts(), std::sync::Arc::clone(&sender.proof));
    let post = move |tx: &Connection| {
        if !begin(tx, "daily", &day, now, "done")? {
            return Ok(());
        }
        let unsent: i64 =
            tx.query_row("SELECT COUNT(*) FROM delivery WHERE state IN ('queued', 'deferred', 'uncertain')", [], |row| row.get(0))?;
        let head = proof.head(tx)?;
        if let Some(counts) = counts.as_object_mut() {
            counts.insert("unsent".to_owned(), unsent.into());
            counts.insert("head".to_owned(), head.into());
        }
        let body = counts.to_string();
        targets.iter().try_for_each(|target| store::post(tx, Kind::Daily, target, &body, "daily", now).map(drop))?;
        forget(tx, now)
    };
    sender.store.write(post).await
}

/// Writes that something of a day is begun; false when it was already.
fn begin(tx: &Connection, name: &str, day: &str, now: Timestamp, state: &str) -> rusqlite::Result<bool> {
    let added =
        tx.execute("INSERT OR IGNORE INTO errand (name, day, at, state) VALUES (?1, ?2, ?3, ?4)", params![name, day, now.millis(), state])?;
    Ok(added == 1)
}

/// What was delivered long ago goes; the incidents keep their own log.
fn forget(tx: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let before = (now - KEPT).millis();
    const OLD: &str = "SELECT id FROM delivery WHERE changed < ?1 AND state IN ('sent', 'failed', 'spared') ORDER BY changed LIMIT 10000";
    tx.execute(&format!("DELETE FROM told WHERE delivery IN ({OLD})"), [before])?;
    tx.execute(&format!("DELETE FROM delivery WHERE id IN ({OLD})"), [before])?;
    tx.execute(
        "DELETE FROM notice WHERE at < ?1 AND planned = 1 AND NOT EXISTS (SELECT 1 FROM told WHERE told.notice = notice.id)
           AND NOT EXISTS (SELECT 1 FROM escalation WHERE escalation.notice = notice.id)",
        [before],
    )?;
    tx.execute("DELETE FROM errand WHERE at < ?1", [before])?;
    Ok(())
}

/// How the drill of a day stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Drill {
    Delivered,
    Waiting,
    Late,
}

async fn drill(sender: &Sender, said: &mut Said, now: Timestamp) -> Result<(), StoreError> {
    let setup = sender.setup.load_full();
    let Some(drill) = setup.settings.drill.clone() else { return Ok(()) };
    if let Some(day) = due(sender, drill.at, now) {
        let key = day.clone();
        let is_new = sender
            .store
            .write(move |tx| tx.query_row("SELECT 1 FROM errand WHERE name = 'drill' AND day = ?1", [key], |_| Ok(())).optional())
            .await?;
        if is_new.is_none() {
            // One of an earlier day that never ended would keep the new one from being told.
            let asked = tell(sender, DRILL, "mail", Verdict::Cleared, Evidence::new(), now)
                && tell(sender, DRILL, "mail", Verdict::Raised(Severity::Info), Evidence::new(), now);
            if asked {
                sender.store.write(move |tx| begin(tx, "drill", &day, now, "raised").map(drop)).await?;
            }
        }
    }
    let second = setup.settings.second.clone().map(Target::Hook);
    let state = sender.store.write(move |tx| drilled(tx, &drill, second.as_ref(), now)).await?;
    if state == Some(Drill::Delivered) && tell(sender, DRILL, "mail", Verdict::Cleared, Evidence::new(), now) {
        sender
            .store
            .write(|tx| tx.execute("UPDATE errand SET state = 'done' WHERE name = 'drill' AND state <> 'done'", []).map(drop))
            .await?;
    }
    said.drill_late = state == Some(Drill::Late);
    Ok(())
}

/// How the newest drill stands. When it has just become late, the second way is told here.
fn drilled(tx: &Connection, drill: &DrillSettings, second: Option<&Target>, now: Timestamp) -> rusqlite::Result<Option<Drill>> {
    let mut query =
        tx.prepare_cached("SELECT day, at, state FROM errand WHERE name = 'drill' AND state <> 'done' ORDER BY day DESC LIMIT 1")?;
    let row: Option<(String, i64, String)> = query.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((day, at, state)) = row else { return Ok(None) };
    let mut query = tx.prepare_cached(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE d.state IN ('sent', 'spared')) FROM notice n JOIN told t ON t.notice = n.id
         JOIN delivery d ON d.id = t.delivery WHERE n.rule = 'drill' AND n.at >= ?1 AND d.channel = 'mail'",
    )?;
    let (all, sent): (i64, i64) = query.query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let judged = judge(all, sent, Timestamp::from_millis(at), drill.within, now);
    if judged == Drill::Late && state == "raised" {
        tx.execute("UPDATE errand SET state = 'late' WHERE name = 'drill' AND day = ?1", [&day])?;
        if let Some(second) = second {
            let late = Late { delivery: 0, target: DRILL.to_owned(), due: Timestamp::from_millis(at), result: String::new() };
            store::post(tx, Kind::Second, second, &serde_json::to_string(&[late]).unwrap_or_default(), DRILL, now)?;
        }
    }
    Ok(Some(judged))
}

const fn is_whole(all: i64, sent: i64) -> bool {
    all > 0 && sent == all
}

fn judge(all: i64, sent: i64, raised: Timestamp, within: Duration, now: Timestamp) -> Drill {
    match (is_whole(all, sent), now.since(raised) > within) {
        (true, _) => Drill::Delivered,
        (false, true) => Drill::Late,
        (false, false) => Drill::Waiting,
    }
}

/// Tells the second way of mail that is late, and the incidents while there is some.
async fn late(sender: &Sender, said: &mut Said, now: Timestamp) -> Result<(), StoreError> {
    let setup = sender.setup.load_full();
    if setup.settings.mail.is_none() {
        return Ok(());
    }
    let by = now - setup.settings.second_after;
    if let Some(second) = setup.settings.second.clone().map(Target::Hook) {
        let told = sender.store.write(move |tx| store::relay(tx, &second, by, now)).await?;
        if !told.is_empty() {
            tracing::warn!(late = told.len(), "{} mails are late or have failed; the second way is told", told.len());
        }
    }
    let oldest = sender.store.write(move |tx| undelivered(tx, by, now)).await?;
    let is_late = oldest.is_some() || said.drill_late;
    if said.not_delivered != Some(is_late) {
        let facts = oldest.map(|oldest| ("since".to_owned(), Fact::Time(oldest))).into_iter().collect();
        let verdict = if is_late { Verdict::Raised(Severity::Major) } else { Verdict::Cleared };
        if tell(sender, NOT_DELIVERED, "mail", verdict, facts, now) {
            said.not_delivered = Some(is_late);
        }
    }
    Ok(())
}

/// Since when mail is late, or has failed within a day with no later one to the same person delivered.
fn undelivered(tx: &Connection, by: Timestamp, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    let mut query = tx.prepare_cached(
        "SELECT MIN(due) FROM delivery d WHERE channel = 'mail' AND (
           (state IN ('queued', 'deferred', 'uncertain', 'sending') AND due <= ?1)
           OR (state = 'failed' AND changed > ?2 AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.target = d.target
               AND o.channel = 'mail' AND o.state = 'sent' AND o.sent > d.changed)))",
    )?;
    let day = now - Duration::from_secs(86_400);
    let oldest: Option<i64> = query.query_row(params![by.millis(), day.millis()], |row| row.get(0))?;
    Ok(oldest.map(Timestamp::from_millis))
}

/// Hands a finding on; false when nobody takes it now, so that it is told at the next look.
fn tell(sender: &Sender, rule: &str, part: &str, verdict: Verdict, evidence: Evidence, now: Timestamp) -> bool {
    let finding = Finding { rule: rule.into(), subject: Subject::Part(part.into()), verdict, at: now, cause: None, evidence };
    sender.findings.try_send(finding).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_delivered_when_all_of_it_is_and_late_past_its_time() {
        let (raised, within) = (Timestamp::from_secs(0), Duration::from_secs(600));
        for (all, sent, secs, state) in [
            (0, 0, 10, Drill::Waiting),
            (0, 0, 601, Drill::Late),
            (2, 1, 600, Drill::Waiting),
            (2, 1, 601, Drill::Late),
            (2, 2, 10, Drill::Delivered),
            (2, 2, 9_999, Drill::Delivered),
        ] {
            assert_eq!(judge(all, sent, raised, within, Timestamp::from_secs(secs)), state, "{all} {sent} {secs}");
        }
    }
}
