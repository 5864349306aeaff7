//! From a case to a cut: located, judged by the gate, written down, set, read back, compared.

use super::{AGAIN_EVERY, COMPARE_EVERY, Desk, Done, Located, Opening, SOON, World};
use crate::block::case::{Case, Phase};
use crate::block::gate::{self, Approval, Decision, Facts, Path, Permit, Purpose, Request};
use crate::block::limit::{self, Lately, Room};
use crate::block::note::Note;
use crate::block::{Observation, Order, store};
use crate::config::block::{Action, Mode};
use crate::journal::Actor;
use crate::model::{Fact, Severity, Timestamp};
use crate::store::StoreError;

impl<W: World> Desk<W> {
    /// Asks the gate, and does what it says.
    pub(super) async fn judge(&mut self, mut case: Case) -> Result<(), StoreError> {
        let located = self.world.locate(&case).await;
        let from = case.phase;
        let settings = self.world.settings();
        let (device, port) = located.spot.as_ref().map_or(("", ""), |spot| (&*spot.device, &*spot.if_name));
        let (mode, action) = settings.holds(&located.site, device, port, &case.rule);
        case.mac = case.mac.or(located.suspect.mac);
        if let Some(order) = order(&located, action) {
            // Who said yes has said so to that place and to no other.
            if case.order.as_ref().is_some_and(|before| *before != order) {
                case.votes.clear();
            }
            case.order = Some(order);
        }
        let Some(order) = case.order.clone() else {
            case.rails = self.world.protected(&located.suspect, self.world.now());
            case.rails.push(gate::Rail::Nowhere);
            if mode == Mode::Observe {
                return self.observed(case, from, SOON).await;
            }
            return self.refused(case, from).await;
        };
        let path = match (&case.path, from) {
            (_, Phase::Drifted) => Path::Reassert,
            (path, _) => path.clone(),
        };
        let request = Request { case: case.id, path, purpose: Purpose::Block, order: order.clone(), reason: case.reason.clone() };
        let facts = self.facts(&case, &located, mode, &request).await?;
        match gate::decide(request, &facts) {
            Decision::Permit(permit) => {
                case.rails = Vec::new();
                self.cut(case, from, permit).await
            }
            Decision::Observe(rails) => {
                case.rails = rails;
                // That nothing is set is what this mode means: nobody has to be asked for a yes here.
                case.rails.retain(|rail| *rail != gate::Rail::Mode);
                case.varbinds = self.world.varbinds(&order, None);
                self.observed(case, from, AGAIN_EVERY * 10).await
            }
            Decision::Ask(rails) => {
                let phase = if from == Phase::Drifted { Phase::Drifted } else { Phase::Waiting };
                (case.rails, case.phase) = (rails, phase);
                // A yes that did not do any more is none; one that waits for a second person stays.
                let is_fresh = |yes: &Approval| facts.now.since(yes.at) <= gate::YES_LASTS;
                case.votes.retain(is_fresh);
                case.varbinds = self.world.varbinds(&order, None);
                case.due = facts.now + AGAIN_EVERY;
                self.told(&case, "block-waiting", Severity::Minor).await;
                self.keep(case, Some(from), &Actor::daemon()).await
            }
            Decision::Refuse(rails) => {
                case.rails = rails;
                self.refused(case, from).await
            }
        }
    }

    /// It is told what would be done, and looked at again after a while.
    async fn observed(&mut self, mut case: Case, from: Phase, again: std::time::Duration) -> Result<(), StoreError> {
        case.phase = if from == Phase::Drifted { Phase::Drifted } else { Phase::Observed };
        case.due = self.world.now() + again;
        self.told(&case, "block-would", Severity::Info).await;
        self.keep(case, Some(from), &Actor::daemon()).await
    }

    async fn refused(&mut self, mut case: Case, from: Phase) -> Result<(), StoreError> {
        // What is cut off already stays in its place until a person or the time ends it.
        case.phase = if from == Phase::Drifted { Phase::Drifted } else { Phase::Refused };
        // A yes outlives what is not known for a moment, and nothing else.
        let is_passing = case.rails.iter().all(|rail| rail.is_passing() || rail.force() == gate::Force::Asks);
        if !is_passing {
            case.votes.clear();
        }
        // Looking into the tables costs nothing; a switch is not asked over and over.
        let is_free = is_passing && case.rails.contains(&gate::Rail::Nowhere);
        case.due = self.world.now() + if is_free { SOON } else { AGAIN_EVERY };
        self.told(&case, "block-refused", Severity::Minor).await;
        self.keep(case, Some(from), &Actor::daemon()).await
    }

    /// Everything that the gate has to know.
    async fn facts(&mut self, case: &Case, located: &Located, mode: Mode, request: &Request) -> Result<Facts, StoreError> {
        let (settings, now) = (self.world.settings(), self.world.now());
        let machine = case.machine();
        let (before, blocks) =
            store::read(&self.store, move |file| Ok((store::before(file, &machine)?, store::automatic(file, now - limit::HOUR)?))).await?;
        let device = request.order.device().map_or("", |device| &**device);
        let lately = Lately { blocks, tripped: self.brake.tripped, ports: located.ports, held: self.holds.on_device(device) };
        let by_itself = request.path.person().is_none() && mode == Mode::Auto && request.path != Path::Reassert;
        let blast = match limit::room(&settings, &lately, now) {
            Room::Open(rail) => Some(rail),
            Room::Trips(rail) => {
                if by_itself {
                    self.trip(now, &rail.to_string()).await?;
                }
                Some(rail)
            }
            Room::Free => None,
        };
        let grace = limit::grace_until(&settings, before).filter(|_| request.path != Path::Reassert && case.follows.is_none());
        Ok(Facts {
            now,
            mode,
            mac: case.mac,
            place: located.place.clone(),
            protected: self.world.protected(&located.suspect, now),
            blast: blast.filter(|_| by_itself),
            frozen: self.frozen(located, now),
            grace_until: grace,
            approvals: case.votes.clone(),
            persons_needed: settings.persons.into(),
            held: None,
            round: located.round,
        })
    }

    fn frozen(&self, located: &Located, now: Timestamp) -> Option<gate::Rail> {
        let own = self
            .brake
            .frozen
            .as_ref()
            .filter(|(until, _, _)| now < *until)
            .map(|(until, reason, _)| gate::Rail::Frozen { reason: reason.as_str().into(), until: *until });
        own.or_else(|| self.world.frozen(located, now))
    }

    /// The breaker opens: for an hour persons are asked, and whoever is on duty is told at once.
    async fn trip(&mut self, now: Timestamp, why: &str) -> Result<(), StoreError> {
        self.brake.tripped = Some(now);
        let (brake, reason) = (self.brake.clone(), why.to_owned());
        self.store.write(move |file| store::keep_brake(file, &brake, ("block.tripped", &reason), &Actor::daemon(), now)).await?;
        self.told_of_brake(true, why).await;
        Ok(())
    }

    /// Leave was given: what is there is read, what will be done is written down, then it is done.
    async fn cut(&mut self, mut case: Case, from: Phase, permit: Permit) -> Result<(), StoreError> {
        let order = permit.order().clone();
        let before = match self.world.observe(&order).await {
            Ok(before) => before,
            Err(why) => return self.failed(case, from, why).await,
        };
        if before.has_vlan == Some(false) {
            return self.failed(case, from, Note::NoVlan.to_string()).await;
        }
        let is_joined = self.holds.at(&order).is_some_and(|hold| !hold.cases.contains(&case.id));
        case.varbinds = self.world.varbinds(&order, Some(&before));
        let settings = self.world.settings();
        let machine = case.machine();
        let past = store::read(&self.store, move |file| store::before(file, &machine)).await?;
        if case.follows.is_none() && case.blocked.is_none() {
            case.step = limit::step(&settings, past, self.world.now());
        }
        let hold = self.holds.take(case.id, &order, &before);
        case.before = Some(hold.original.clone());
        case.phase = Phase::Wanted;
        case.note = String::new();
        case.due = self.world.now();
        self.keep(case.clone(), Some(from), &Actor::daemon()).await?;
        if is_joined && before.fulfils(&order) == Some(true) {
            // Another case holds the port so already: there is nothing to set.
            return self.blocked(case, before).await;
        }
        match self.world.apply(permit).await {
            Ok(Done { after, .. }) => self.came_to(case, after).await,
            Err(why) => self.unsure(case, why).await,
        }
    }

    /// It was set, and read back.
    async fn came_to(&mut self, case: Case, after: Observation) -> Result<(), StoreError> {
        let is_done = case.order.as_ref().and_then(|order| after.fulfils(order)) != Some(false);
        if is_done {
            return self.blocked(case, after).await;
        }
        let mut case = case;
        case.after = Some(after);
        self.holds.give(case.id);
        self.failed(case, Phase::Wanted, Note::NotMade.to_string()).await
    }

    /// Nobody knows whether it was done: the device is read until it answers.
    async fn unsure(&mut self, mut case: Case, why: String) -> Result<(), StoreError> {
        let Some(order) = case.order.clone() else { return self.failed(case, Phase::Wanted, why).await };
        match self.world.observe(&order).await {
            Ok(found) if found.fulfils(&order) == Some(true) => self.blocked(case, found).await,
            Ok(found) => {
                case.after = Some(found);
                self.holds.give(case.id);
                self.failed(case, Phase::Wanted, why).await
            }
            Err(silent) => {
                case.note = format!("{why}; {silent}");
                case.due = self.world.now() + AGAIN_EVERY / 2;
                self.told(&case, "block-failed", Severity::Major).await;
                self.keep(case, Some(Phase::Wanted), &Actor::daemon()).await
            }
        }
    }

    async fn blocked(&mut self, mut case: Case, after: Observation) -> Result<(), StoreError> {
        let now = self.world.now();
        case.after = Some(after);
        case.blocked.get_or_insert(now);
        case.until.get_or_insert(now + limit::lasts(&self.world.settings(), case.step));
        (case.phase, case.due) = (Phase::Blocked, now + COMPARE_EVERY);
        case.votes.clear();
        case.note = String::new();
        self.told(&case, "block-made", Severity::Minor).await;
        let follows = case.follows;
        self.keep(case, Some(Phase::Wanted), &Actor::daemon()).await?;
        // Only now, when the new place is known to be cut, is the old one given back.
        if let Some(old) = follows.and_then(|old| self.cases.get(&old)).filter(|old| old.phase.is_cut()).cloned() {
            self.release(old, &Path::Pursuit).await?;
        }
        Ok(())
    }

    pub(super) async fn failed(&mut self, mut case: Case, from: Phase, why: String) -> Result<(), StoreError> {
        (case.phase, case.note) = (Phase::Failed, why);
        case.votes.clear();
        case.due = self.world.now() + AGAIN_EVERY;
        self.told(&case, "block-failed", Severity::Major).await;
        self.keep(case, Some(from), &Actor::daemon()).await
    }

    /// After a crash, or after silence: it was wanted, and nobody has written down what became of it.
    pub(super) async fn found_wanted(&mut self, mut case: Case) -> Result<(), StoreError> {
        let Some(order) = case.order.clone() else { return self.end(case, Phase::Closed).await };
        match self.world.observe(&order).await {
            Ok(found) if found.fulfils(&order) == Some(true) => self.blocked(case, found).await,
            Ok(_) => {
                // It was never set. Leave that was given then is none now: the gate is asked again.
                self.holds.give(case.id);
                case.note = Note::NotSet.to_string();
                (case.phase, case.due) = (Phase::Open, self.world.now());
                self.keep(case, Some(Phase::Wanted), &Actor::daemon()).await
            }
            Err(why) => {
                case.note = why;
                case.due = self.world.now() + AGAIN_EVERY / 2;
                self.told(&case, "block-failed", Severity::Major).await;
                self.keep(case, Some(Phase::Wanted), &Actor::daemon()).await
            }
        }
    }

    /// Compares what was left with what is there, and looks whether the machine has moved.
    pub(super) async fn compare(&mut self, mut case: Case) -> Result<(), StoreError> {
        let Some(order) = case.order.clone() else { return self.end(case, Phase::Closed).await };
        let now = self.world.now();
        case.due = now + COMPARE_EVERY;
        match (self.world.observe(&order).await, case.phase) {
            (Ok(found), Phase::Blocked) if found.fulfils(&order) == Some(false) => {
                let restarted = |after: &Observation| found.uptime_ticks.zip(after.uptime_ticks).is_some_and(|(is, was)| is < was);
                let has_restarted = case.after.as_ref().is_some_and(restarted);
                (case.phase, case.after) = (Phase::Drifted, Some(found));
                case.note = if has_restarted { Note::Restarted } else { Note::ByHand }.to_string();
                self.told(&case, "block-drift", Severity::Major).await;
                self.keep(case.clone(), Some(Phase::Blocked), &Actor::daemon()).await?;
                // A restart is nobody's will; what a person has changed is asked about.
                return if has_restarted { self.judge(case).await } else { Ok(()) };
            }
            (Ok(found), Phase::Drifted) if found.fulfils(&order) == Some(true) => {
                (case.phase, case.after, case.note) = (Phase::Blocked, Some(found), String::new());
                self.told(&case, "block-made", Severity::Minor).await;
                return self.keep(case, Some(Phase::Drifted), &Actor::daemon()).await;
            }
            // Silence is told by the incidents of the device; a comparison that failed changes nothing.
            _ => {}
        }
        let (id, is_moved) = (case.id, self.world.has_moved(&case));
        let is_followed = self.cases.values().any(|other| other.follows == Some(id) && !other.phase.is_over());
        self.cases.insert(id, case.clone());
        if is_moved && !is_followed {
            let reason = format!("{} has moved; case {id}", case.machine());
            let opening = Opening {
                mac: case.mac,
                ip: case.ip,
                rule: case.rule.clone(),
                reason,
                path: Path::Pursuit,
                evidence: [("case".to_owned(), Fact::Text(id.to_string()))].into(),
                first: now,
                follows: Some(id),
            };
            self.open_case(opening).await?;
        }
        Ok(())
    }
}

/// What cuts the machine off.
fn order(located: &Located, action: Action) -> Option<Order> {
    let spot = located.spot.clone()?;
    match action {
        Action::Down => Some(Order::PortAdmin { spot, up: false }),
        Action::Vlan(pvid) => Some(Order::Pvid { spot, base_port: located.base_port?, pvid }),
    }
}
