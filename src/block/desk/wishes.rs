//! What persons wish, by page, API and command line: each is taken once, answered, and stands in the journal with its name.

use super::{Desk, Opening, World};
use crate::block::CaseId;
use crate::block::case::{Case, Phase, Wish};
use crate::block::gate::{Approval, Path};
use crate::block::store::{self, Waiting};
use crate::journal::{self, Entry};
use crate::model::{Evidence, Timestamp};
use crate::store::StoreError;

impl<W: World> Desk<W> {
    pub(super) async fn take_wishes(&mut self) -> Result<(), StoreError> {
        let waiting = store::read(&self.store, store::wishes).await?;
        for Waiting { id, path, wish, .. } in waiting {
            let answer = self.take(wish, &path).await?;
            self.store.write(move |file| store::answered(file, id, &answer)).await?;
        }
        Ok(())
    }

    /// Does what is wished, and says what became of it.
    async fn take(&mut self, wish: Wish, path: &Path) -> Result<String, StoreError> {
        let now = self.world.now();
        match wish {
            Wish::Request { mac: None, ip: None, .. } => Ok("it names no machine".into()),
            Wish::Request { mac, ip, reason } => {
                let rule = "request".into();
                let opening = Opening { mac, ip, rule, reason, path: path.clone(), evidence: Evidence::new(), first: now, follows: None };
                Ok(self.open_case(opening).await?.map_or_else(|| "too many cases are open".into(), |id| format!("case {id}")))
            }
            Wish::Approve { case } => self.approve(case, path, now).await,
            Wish::Decline { case, reason } => {
                let Some(mut case) = self.alive(case) else { return Ok(no_case(case)) };
                if case.phase.is_cut() {
                    return Ok(format!("case {} is cut off already; release it", case.id));
                }
                let from = std::mem::replace(&mut case.phase, Phase::Declined);
                (case.note, case.due) = (reason, Timestamp::from_millis(i64::MAX));
                self.cleared(&case).await;
                let told = format!("case {} is declined", case.id);
                self.keep(case, Some(from), &store::actor(path)).await?;
                Ok(told)
            }
            Wish::Release { case, reason } => {
                let Some(case) = self.alive(case).filter(|case| case.phase.is_cut()) else { return Ok(no_case(case)) };
                let id = case.id;
                let (machine, actor) = (case.machine(), store::actor(path));
                let payload = serde_json::json!({ "machine": machine, "reason": reason });
                let entry = Entry::new(now, actor, "block.wanted_back", format!("block:{id}"), payload);
                self.store.write(move |file| journal::append(file, &entry).map(drop)).await?;
                self.release(case, path).await?;
                let phase = self.cases.get(&id).map_or("released", |case| case.phase.word());
                Ok(format!("case {id} is {phase}"))
            }
            Wish::Work(work) => self.work(work, path).await,
            Wish::Freeze { until, reason } => {
                let person = path.person().map(ToString::to_string).unwrap_or_default();
                self.brake.frozen = (until > now).then_some((until, reason.clone(), person));
                self.keep_brake("block.frozen", &reason, path, now).await?;
                Ok(if until > now { "frozen" } else { "no freeze any more" }.into())
            }
            Wish::Reset { reason } => {
                self.brake.tripped = None;
                self.keep_brake("block.reset", &reason, path, now).await?;
                self.told_of_brake(false, "").await;
                Ok("the breaker is closed".into())
            }
        }
    }

    async fn approve(&mut self, id: CaseId, path: &Path, now: Timestamp) -> Result<String, StoreError> {
        let waits = |case: &Case| matches!(case.phase, Phase::Waiting | Phase::Failed | Phase::Drifted);
        let Some(mut case) = self.alive(id).filter(waits) else { return Ok(no_case(id)) };
        let Some(person) = path.person() else { return Ok("nobody has said yes".into()) };
        if self.world.settings().persons > 1 && case.path.person() == Some(person) {
            return Ok(format!("case {id} was proposed by {person}: where two persons are asked, two others have to say yes"));
        }
        case.votes.retain(|yes| yes.person != *person);
        case.votes.push(Approval { person: person.clone(), at: now });
        case.due = now;
        let phase = case.phase;
        let (kept, actor) = (case.clone(), store::actor(path));
        // Who said yes stands in the journal by itself, whatever comes of it.
        let payload = serde_json::json!({ "machine": case.machine(), "order": case.order.as_ref().map(ToString::to_string) });
        let entry = Entry::new(now, actor.clone(), "block.approved", format!("block:{id}"), payload);
        self.store.write(move |file| journal::append(file, &entry).map(drop)).await?;
        self.keep(kept, Some(phase), &actor).await?;
        self.step(id).await?;
        Ok(self.cases.get(&id).map_or_else(|| no_case(id), |case| format!("case {id} is {}", case.phase.word())))
    }

    fn alive(&self, id: CaseId) -> Option<Case> {
        self.cases.get(&id).filter(|case| !case.phase.is_over()).cloned()
    }

    async fn keep_brake(&mut self, what: &'static str, reason: &str, path: &Path, now: Timestamp) -> Result<(), StoreError> {
        let (brake, actor, reason) = (self.brake.clone(), store::actor(path), reason.to_owned());
        self.store.write(move |file| store::keep_brake(file, &brake, (what, &reason), &actor, now)).await
    }
}

fn no_case(id: CaseId) -> String {
    format!("there is no case {id} of which that could be said now")
}
