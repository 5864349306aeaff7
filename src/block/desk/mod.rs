//! The desk: takes what accuses machines and what persons wish, and brings each case to its end. Whatever is about to be set
//! is written down before; after a crash it reads what is there and goes on.

mod cut;
mod give;
mod tell;
#[cfg(test)]
mod tests;
mod wishes;
mod work;
mod world;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use tell::RULES;
pub use work::WORK;
pub use world::{Done, Located, World};

use super::CaseId;
use super::case::{Case, Phase};
use super::gate::Path;
use super::hold::Holds;
use super::limit;
use super::store::{self, Brake};
use super::tally::Tally;
use crate::journal::Actor;
use crate::model::{Evidence, MacAddr, Timestamp};
use crate::store::{Store, StoreError};

/// How often it is looked at what is due, and at what persons wish.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what was left on a device is compared with what is there.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// How often a case that a rail stopped, or a device that did not answer, is tried again.
const AGAIN_EVERY: Duration = Duration::from_secs(60);
/// The same where nobody knows where the machine sits.
const SOON: Duration = Duration::from_secs(10);
/// How long a case is tried again before it comes to nothing.
const TRIED_FOR: Duration = Duration::from_secs(3600);
/// After a release it is looked once more.
const LOOKED_AGAIN: Duration = Duration::from_secs(600);
/// Whom a person has spared is not proposed again for so long.
const DECLINED_FOR: Duration = Duration::from_secs(3600);
/// Cases that are open at once at most; more accusers are counted and not heard.
const MOST: usize = 512;

/// Who accuses a machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Accusation {
    /// Its MAC address.
    pub mac: Option<MacAddr>,
    /// Its IP address.
    pub ip: Option<IpAddr>,
    /// The rule.
    pub rule: Arc<str>,
    /// The facts.
    pub evidence: Evidence,
    /// The first packet that counts.
    pub first: Timestamp,
    /// The last one: what was seen before a machine was given back is no new reason.
    pub last: Timestamp,
}

/// The desk.
#[derive(Debug)]
pub struct Desk<W> {
    store: Store,
    world: Arc<W>,
    tally: Arc<Tally>,
    cases: BTreeMap<CaseId, Case>,
    holds: Holds,
    brake: Brake,
}

impl<W: World> Desk<W> {
    /// With everything that was kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open(store: Store, world: Arc<W>, tally: Arc<Tally>) -> Result<Self, StoreError> {
        let now = world.now();
        let kept = store::read(&store, move |file| store::load(file, now)).await?;
        let cases = kept.cases.into_iter().map(|case| (case.id, case)).collect();
        let mut desk = Self { store, world, tally, cases, holds: kept.holds, brake: kept.brake };
        // What was about to be done when the program ended is looked at first of all.
        for case in desk.cases.values_mut().filter(|case| case.phase.is_cut() || case.phase == Phase::Open) {
            case.due = now;
        }
        Ok(desk)
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// When the database does not take what has to be kept: nothing is set without that.
    pub async fn run(&mut self, accusations: &mut mpsc::Receiver<Accusation>, token: CancellationToken) -> Result<(), StoreError> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                _ = look.tick() => {}
                Some(accusation) = accusations.recv() => {
                    self.accused(accusation).await?;
                }
            }
            // A step that has begun ends: half of one is what a crash leaves, not a stop.
            self.look().await?;
        }
    }

    /// Does everything that is due.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn look(&mut self) -> Result<(), StoreError> {
        self.take_wishes().await?;
        let now = self.world.now();
        let due: Vec<CaseId> = self.cases.values().filter(|case| case.due <= now).map(|case| case.id).collect();
        for id in due {
            self.step(id).await?;
        }
        let old = |case: &Case| case.phase.is_over() && case.due == Timestamp::from_millis(i64::MAX);
        self.cases.retain(|_, case| !old(case));
        let is_frozen = self.brake.frozen.as_ref().is_some_and(|(until, _, _)| now < *until);
        let is_tripped = self.brake.tripped.is_some_and(|tripped| now.since(tripped) < limit::HOUR);
        self.tally.stands(self.cases.values(), self.holds.all().count(), (is_tripped, is_frozen));
        Ok(())
    }

    /// A machine is accused: a case is opened, unless there is one, or one was ended on the same grounds.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn accused(&mut self, accusation: Accusation) -> Result<(), StoreError> {
        let Accusation { mac, ip, rule, evidence, first, last } = accusation;
        let Some(machine) = mac.map(|mac| mac.to_string()).or_else(|| ip.map(|ip| ip.to_string())) else { return Ok(()) };
        let now = self.world.now();
        let past = store::read(&self.store, move |file| store::of_machine(file, &machine, 1)).await?;
        let is_answered = |case: &Case| {
            let is_declined = case.phase == Phase::Declined && now.since(case.changed) < DECLINED_FOR;
            case.phase.is_over() && (last <= case.changed || is_declined)
        };
        if past.first().is_some_and(is_answered) {
            return Ok(());
        }
        let reason = rule.to_string();
        self.open_case(Opening { mac, ip, rule, reason, path: Path::Auto, evidence, first, follows: None }).await.map(drop)
    }

    /// Opens a case; the number of the one that there is already, when there is one.
    async fn open_case(&mut self, opening: Opening) -> Result<Option<CaseId>, StoreError> {
        let is_same = |case: &&Case| {
            !case.phase.is_over() && case.mac == opening.mac && (case.mac.is_some() || case.ip == opening.ip) && opening.follows.is_none()
        };
        if let Some(case) = self.cases.values().find(is_same) {
            return Ok(Some(case.id));
        }
        if self.cases.values().filter(|case| !case.phase.is_over()).count() >= MOST {
            tracing::warn!(open = MOST, "{MOST} cases are open: no further one is opened until some are over");
            return Ok(None);
        }
        let id = store::read(&self.store, store::next_id).await?;
        let now = self.world.now();
        let case = Case {
            id,
            mac: opening.mac,
            ip: opening.ip,
            rule: opening.rule,
            reason: opening.reason,
            path: opening.path,
            evidence: opening.evidence,
            first: opening.first,
            opened: now,
            changed: now,
            phase: Phase::Open,
            rails: Vec::new(),
            votes: Vec::new(),
            order: None,
            varbinds: Vec::new(),
            before: None,
            after: None,
            step: 0,
            blocked: None,
            until: None,
            released: None,
            follows: opening.follows,
            note: String::new(),
            due: now,
        };
        let actor = store::actor(&case.path);
        self.keep(case, None, &actor).await?;
        Ok(Some(id))
    }

    /// Brings one case a step further.
    async fn step(&mut self, id: CaseId) -> Result<(), StoreError> {
        let Some(case) = self.cases.get(&id).cloned() else { return Ok(()) };
        let now = self.world.now();
        match case.phase {
            Phase::Open => self.judge(case).await,
            Phase::Refused | Phase::Observed if now.since(case.opened) > TRIED_FOR => self.end(case, Phase::Closed).await,
            Phase::Refused | Phase::Observed => self.judge(case).await,
            Phase::Waiting if !case.votes.is_empty() => self.judge(case).await,
            Phase::Waiting if now.since(case.opened) > TRIED_FOR * 24 => self.end(case, Phase::Closed).await,
            Phase::Failed if !case.votes.is_empty() => self.judge(case).await,
            Phase::Failed if now.since(case.changed) > TRIED_FOR * 24 => self.end(case, Phase::Closed).await,
            Phase::Waiting | Phase::Failed => self.later(case, AGAIN_EVERY).await,
            Phase::Wanted => self.found_wanted(case).await,
            Phase::Blocked | Phase::Drifted if case.until.is_some_and(|until| until <= now) => self.release(case, &Path::Expiry).await,
            Phase::Drifted if !case.votes.is_empty() => self.judge(case).await,
            Phase::Blocked | Phase::Drifted => self.compare(case).await,
            Phase::Releasing => self.release(case, &Path::Expiry).await,
            Phase::Released => self.look_again(case).await,
            Phase::Declined | Phase::Closed => self.forget(case).await,
        }
    }

    async fn end(&mut self, mut case: Case, phase: Phase) -> Result<(), StoreError> {
        let from = std::mem::replace(&mut case.phase, phase);
        case.due = Timestamp::from_millis(i64::MAX);
        self.cleared(&case).await;
        self.keep(case, Some(from), &Actor::daemon()).await
    }

    async fn later(&mut self, mut case: Case, span: Duration) -> Result<(), StoreError> {
        case.due = self.world.now() + span;
        self.cases.insert(case.id, case);
        Ok(())
    }

    async fn forget(&mut self, mut case: Case) -> Result<(), StoreError> {
        case.due = Timestamp::from_millis(i64::MAX);
        self.cases.insert(case.id, case);
        Ok(())
    }

    /// On the disk first, then in memory.
    async fn keep(&mut self, mut case: Case, from: Option<Phase>, actor: &Actor) -> Result<(), StoreError> {
        case.changed = self.world.now();
        let (kept, holds, actor) = (case.clone(), self.holds.clone(), actor.clone());
        self.store.write(move |file| store::keep(file, &kept, from, &holds, &actor)).await?;
        if from != Some(case.phase) {
            let (id, machine, phase, place) = (case.id, case.machine(), case.phase.word(), case.place());
            tracing::info!(case = id.0, machine, phase, place, "case {id} of {machine} is {phase}; {place} {}", case.note);
            self.tally.entered(&case);
        }
        self.cases.insert(case.id, case);
        Ok(())
    }
}

/// What a case begins with.
struct Opening {
    mac: Option<MacAddr>,
    ip: Option<IpAddr>,
    rule: Arc<str>,
    reason: String,
    path: Path,
    evidence: Evidence,
    first: Timestamp,
    follows: Option<CaseId>,
}
