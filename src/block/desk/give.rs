//! Giving back: only what we left there, only when the last case lets go, read back, and looked at once more later.

use super::{AGAIN_EVERY, Desk, LOOKED_AGAIN, World};
use crate::block::case::{Case, Phase};
use crate::block::gate::{self, Decision, Facts, Path, Purpose, Rail, Request};
use crate::block::hold::Given;
use crate::block::note::Note;
use crate::block::{Observation, Order, store};
use crate::config::block::Mode;
use crate::journal::Actor;
use crate::model::{Severity, Timestamp};
use crate::store::StoreError;

impl<W: World> Desk<W> {
    /// Gives a machine back.
    pub(super) async fn release(&mut self, mut case: Case, path: &Path) -> Result<(), StoreError> {
        let from = case.phase;
        let (left, undo) = match self.holds.given(case.id) {
            Given::Last { left, undo } => (left, undo),
            Given::Nothing => return self.released(case, from, path, Some(Note::NothingHeld)).await,
            Given::Others(_) => return self.released(case, from, path, Some(Note::HeldByOthers)).await,
        };
        let Some(undo) = undo else { return self.released(case, from, path, Some(Note::NothingBack)).await };
        let found = match self.world.observe(&undo).await {
            Ok(found) => found,
            Err(why) => return self.not_released(case, from, &why).await,
        };
        if found.fulfils(&undo) == Some(true) {
            case.after = Some(found);
            return self.released(case, from, path, Some(Note::AsBefore)).await;
        }
        let request = Request { case: case.id, path: path.clone(), purpose: Purpose::Release, order: undo.clone(), reason: String::new() };
        match gate::decide(request, &self.of_release(&case, left, found.clone())) {
            Decision::Permit(permit) => {
                case.varbinds = self.world.varbinds(&undo, Some(&found));
                case.phase = Phase::Releasing;
                self.keep(case.clone(), Some(from), &store::actor(path)).await?;
                match self.world.apply(permit).await {
                    Ok(done) => self.came_back(case, path, &undo, done.after).await,
                    Err(why) => match self.world.observe(&undo).await {
                        Ok(found) => self.came_back(case, path, &undo, found).await,
                        Err(_) => self.not_released(case, Phase::Releasing, &why).await,
                    },
                }
            }
            Decision::Refuse(rails) if rails.iter().any(|rail| matches!(rail, Rail::Drift { .. })) => {
                // Somebody has made of the port what it is now. It is theirs.
                (case.after, case.rails) = (Some(found), rails);
                self.released(case, from, path, Some(Note::LeftChanged)).await
            }
            Decision::Observe(rails) | Decision::Ask(rails) | Decision::Refuse(rails) => {
                let why = rails.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                self.not_released(case, from, &why).await
            }
        }
    }

    fn of_release(&self, case: &Case, left: Order, found: Observation) -> Facts {
        Facts {
            now: self.world.now(),
            mode: Mode::Observe,
            mac: case.mac,
            place: None,
            protected: Vec::new(),
            blast: None,
            frozen: None,
            grace_until: None,
            approvals: Vec::new(),
            persons_needed: 1,
            held: Some((left, found)),
            round: AGAIN_EVERY,
        }
    }

    async fn came_back(&mut self, mut case: Case, path: &Path, undo: &Order, after: Observation) -> Result<(), StoreError> {
        let is_done = after.fulfils(undo) != Some(false);
        case.after = Some(after);
        if is_done {
            self.released(case, Phase::Releasing, path, None).await
        } else {
            self.not_released(case, Phase::Releasing, &Note::NotMade.to_string()).await
        }
    }

    async fn released(&mut self, mut case: Case, from: Phase, path: &Path, note: Option<Note>) -> Result<(), StoreError> {
        let now = self.world.now();
        self.holds.give(case.id);
        (case.phase, case.released, case.due) = (Phase::Released, Some(now), now + LOOKED_AGAIN);
        case.note = note.map(|note| note.to_string()).unwrap_or_default();
        self.cleared(&case).await;
        self.keep(case, Some(from), &store::actor(path)).await
    }

    /// It is tried again each minute, and whoever is on duty knows.
    async fn not_released(&mut self, mut case: Case, from: Phase, why: &str) -> Result<(), StoreError> {
        (case.phase, case.note) = (Phase::Releasing, why.to_owned());
        case.due = self.world.now() + AGAIN_EVERY;
        self.told(&case, "block-release-failed", Severity::Major).await;
        self.keep(case, Some(from), &Actor::daemon()).await
    }

    /// Ten minutes after: is it still as it was given back?
    pub(super) async fn look_again(&mut self, mut case: Case) -> Result<(), StoreError> {
        case.due = Timestamp::from_millis(i64::MAX);
        let undo = case.order.as_ref().zip(case.before.as_ref()).and_then(|(order, before)| order.undo(before));
        // Another case may hold the port by now; then it is not ours to judge.
        let is_free = case.order.as_ref().is_some_and(|order| self.holds.at(order).is_none());
        if let Some(undo) = undo.filter(|_| is_free && case.note.is_empty())
            && let Ok(found) = self.world.observe(&undo).await
            && found.fulfils(&undo) == Some(false)
        {
            case.note = Note::NotAsGiven.to_string();
            self.told(&case, "block-release-failed", Severity::Major).await;
            return self.keep(case, Some(Phase::Released), &Actor::daemon()).await;
        }
        self.cases.insert(case.id, case);
        Ok(())
    }
}
