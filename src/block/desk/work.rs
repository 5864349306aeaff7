//! Work on ports by persons, through the same gate: each order has its own permit, and each stands in the journal with what was
//! there before and what was read back. A wish is answered when all of it is done, so that one that a crash cut short is done
//! anew from its beginning.

use serde_json::json;

use super::{AGAIN_EVERY, Desk, Located, World};
use crate::block::gate::{self, Decision, Facts, Path, Purpose, Request};
use crate::block::note::Note;
use crate::block::work::{Came, Told, Work};
use crate::block::{CaseId, Observation, Order, store};
use crate::config::block::Mode;
use crate::journal::{self, Entry};
use crate::store::StoreError;

/// The rule by which `[[block.scope]]` names work on ports.
pub const WORK: &str = "work";
/// Work belongs to no case.
const NO_CASE: CaseId = CaseId(0);

impl<W: World> Desk<W> {
    /// Does it, and says what became of it: a [`Told`] as JSON.
    pub(super) async fn work(&mut self, work: Work, path: &Path) -> Result<String, StoreError> {
        let came = self.come_of(&work, path).await?;
        let payload = json!({ "deed": work.deed, "reason": work.reason, "path": path.word(), "came": came });
        let entry = Entry::new(self.world.now(), store::actor(path), "port.worked", subject(&work), payload);
        self.store.write(move |file| journal::append(file, &entry).map(drop)).await?;
        Ok(serde_json::to_string(&Told { work, came }).unwrap_or_default())
    }

    async fn come_of(&self, work: &Work, path: &Path) -> Result<Came, StoreError> {
        if let Some(fault) = work.deed.fault() {
            return Ok(failed(fault));
        }
        let located = self.world.port(&work.device, &work.port).await;
        let Some(spot) = located.spot.clone() else { return Ok(Came::NoPort) };
        let Some(orders) = work.deed.orders(&spot, located.base_port) else { return Ok(Came::NoNumber) };
        for order in orders {
            let came = self.one_order(work, order, &located, path).await?;
            if came != Came::Done {
                return Ok(came);
            }
        }
        Ok(Came::Done)
    }

    async fn one_order(&self, work: &Work, order: Order, located: &Located, path: &Path) -> Result<Came, StoreError> {
        let settings = self.world.settings();
        let (mode, _) = settings.holds(&located.site, &work.device, &work.port, WORK);
        let before = match self.world.observe(&order).await {
            Ok(before) => before,
            Err(why) => return Ok(failed(why)),
        };
        if before.has_vlan == Some(false) {
            return Ok(failed(Note::NoVlan.to_string()));
        }
        let request =
            Request { case: NO_CASE, path: path.clone(), purpose: Purpose::Work, order: order.clone(), reason: work.reason.clone() };
        let varbinds = self.world.varbinds(&order, Some(&before));
        let permit = match gate::decide(request, &self.of_work(&order, mode, located, &before)) {
            Decision::Permit(permit) => permit,
            Decision::Observe(rails) => return Ok(Came::Observed { varbinds, rails }),
            Decision::Ask(rails) | Decision::Refuse(rails) => return Ok(Came::Refused { rails }),
        };
        self.note_work("port.wanted", work, &order, &varbinds, (&before, None), path).await?;
        let done = match self.world.apply(permit).await {
            Ok(done) => done.after,
            // No answer is not a no: what the device shows decides.
            Err(why) => match self.world.observe(&order).await {
                Ok(found) if found.fulfils(&order) == Some(true) => found,
                _ => return Ok(failed(why)),
            },
        };
        self.note_work("port.done", work, &order, &varbinds, (&before, Some(&done)), path).await?;
        Ok(if done.fulfils(&order) == Some(false) { failed(Note::NotMade.to_string()) } else { Came::Done })
    }

    fn of_work(&self, order: &Order, mode: Mode, located: &Located, found: &Observation) -> Facts {
        let now = self.world.now();
        let hold = order.spot().and_then(|spot| self.holds.on_port(&spot.device, &spot.if_name));
        Facts {
            now,
            mode,
            mac: None,
            place: located.place.clone(),
            protected: self.world.protected(&located.suspect, now),
            blast: None,
            frozen: None,
            grace_until: None,
            approvals: Vec::new(),
            persons_needed: 1,
            held: hold.map(|hold| (hold.order.clone(), found.clone())),
            round: AGAIN_EVERY,
        }
    }

    async fn note_work(
        &self,
        what: &'static str,
        work: &Work,
        order: &Order,
        lines: &[String],
        (before, after): (&Observation, Option<&Observation>),
        path: &Path,
    ) -> Result<(), StoreError> {
        let payload = json!({
            "deed": work.deed.word(),
            "order": order.to_string(),
            "reason": work.reason,
            "path": path.word(),
            "varbinds": lines,
            "before": before,
            "after": after,
        });
        let entry = Entry::new(self.world.now(), store::actor(path), what, subject(work), payload);
        self.store.write(move |file| journal::append(file, &entry).map(drop)).await
    }
}

fn failed(said: impl Into<String>) -> Came {
    Came::Failed { said: said.into() }
}

fn subject(work: &Work) -> String {
    format!("port:{}/{}", work.device, work.port)
}
