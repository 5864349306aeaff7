//! Conditions: how they come, where they belong, how they go.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::family::{BLIND, DOWN, Key, PORT_DOWN, STORM, is_behaviour, is_hearsay, is_root};
use super::super::record::{Child, Phase};
use super::{Condition, Engine, Report, Stand, Timer};
use crate::model::notice::Change;
use crate::model::{Fact, Finding, IncidentId, Severity, Subject, Timestamp};

/// How long a chain of causes is followed.
const DEEPEST: usize = 16;

impl Engine {
    pub(super) fn raise(&mut self, key: &Key, finding: Finding, severity: Severity, now: Timestamp) {
        let Finding { rule, at, cause, evidence, .. } = finding;
        let cause = cause.filter(|cause| *cause != key.subject);
        self.follow(key, cause.as_ref());
        let causes: Vec<Subject> = cause.iter().cloned().collect();
        let report = Report { severity, at, evidence, cause, is_unknown: false, confirm_by: None };
        self.dirty_conditions.insert(key.clone());
        if let Some(condition) = self.conditions.get_mut(key) {
            condition.reports.insert(rule, report);
            condition.causes.extend(causes);
            match condition.stand {
                Stand::Own(id) => match self.root(key, 0).filter(|root| *root != id) {
                    Some(root) => self.attach(key, root, now),
                    None => self.refresh(id, now),
                },
                Stand::Child(id) => self.refresh_child(key, id, now),
                Stand::Held { .. } | Stand::Released { .. } => {}
            }
            return;
        }
        let due = now + self.limits.settle;
        self.timers.insert((due, Timer::Condition(key.clone())));
        let condition = Condition { reports: [(rule, report)].into(), stand: Stand::Held { due }, causes: causes.into_iter().collect() };
        self.conditions.insert(key.clone(), condition);
        // A cause that is known already takes it at once; a thing that flaps or is calming down goes on.
        if let Some(root) = self.root(key, 0) {
            self.attach(key, root, now);
        } else if let Some(&id) = self.current.get(key)
            && self.incidents.get(&id).is_some_and(|incident| incident.is_open())
        {
            self.open_own(key, now);
        }
    }

    /// A rule says no longer what it said.
    pub(super) fn lift(&mut self, key: &Key, rule: &str, at: Timestamp, now: Timestamp) {
        let Some(condition) = self.conditions.get_mut(key) else { return };
        let before = condition.reports.len();
        // Who has looked later than a trap was sent knows better.
        let looked = !is_hearsay(rule);
        condition.reports.retain(|name, report| **name != *rule && !(looked && is_hearsay(name) && report.at < at));
        let (stand, left) = (condition.stand, condition.reports.len());
        if left == before {
            return;
        }
        self.dirty_conditions.insert(key.clone());
        if left > 0 {
            match stand {
                Stand::Own(id) => self.refresh(id, now),
                Stand::Child(id) => self.refresh_child(key, id, now),
                Stand::Held { .. } | Stand::Released { .. } => {}
            }
            return;
        }
        if let Some(condition) = self.conditions.remove(key) {
            self.unfollow(key, &condition);
        }
        match stand {
            Stand::Own(id) => self.over(id, now),
            Stand::Child(id) => self.leave(key, id, now),
            Stand::Held { .. } | Stand::Released { .. } => {}
        }
    }

    /// A rule cannot tell any more.
    pub(super) fn doubt(&mut self, key: &Key, rule: &str, now: Timestamp) {
        let Some(condition) = self.conditions.get_mut(key) else { return };
        let Some(report) = condition.reports.get_mut(rule).filter(|report| !report.is_unknown) else { return };
        report.is_unknown = true;
        report.confirm_by = None;
        self.dirty_conditions.insert(key.clone());
        if let Stand::Own(id) = condition.stand {
            self.refresh(id, now);
        }
    }

    /// Places everything that was held and whose time has come.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let due = self.timers.iter().take_while(|(at, _)| *at <= now);
        let held = |key: &Key| matches!(self.conditions.get(key), Some(Condition { stand: Stand::Held { .. }, .. }));
        let keys: Vec<Key> = due
            .filter_map(|(_, timer)| match timer {
                Timer::Condition(key) if held(key) => Some(key.clone()),
                _ => None,
            })
            .collect();
        if keys.is_empty() {
            return;
        }
        // Whatever may be the cause of others comes first, and the farthest cause before the nearer ones.
        let (mut roots, mut rest): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(|key| is_root(&key.family));
        roots.sort_by_key(|key| (key.family.as_ref() != BLIND, self.depth(key, 0), key.clone()));
        rest.sort();
        // A monitor that is blind explains all the rest; only what nothing explains can be a storm.
        let blind = roots.iter().filter(|key| key.family.as_ref() == BLIND).count();
        for key in roots.drain(..blind) {
            self.place(&key, now);
        }
        let loose = |key: &&Key| self.cause_of(key).is_none() && self.root(key, 0).is_none();
        let sudden: Vec<Key> = roots.iter().chain(&rest).filter(loose).cloned().collect();
        self.storm_check(&sudden, now);
        for key in roots.iter().chain(&rest) {
            self.place(key, now);
        }
    }

    /// Gives a condition that nobody knows of its place: under its root, or on its own.
    pub(super) fn place(&mut self, key: &Key, now: Timestamp) {
        if !matches!(self.conditions.get(key), Some(Condition { stand: Stand::Held { .. } | Stand::Released { .. }, .. })) {
            return;
        }
        match self.root(key, 0) {
            Some(root) => self.attach(key, root, now),
            None => self.open_own(key, now),
        }
    }

    /// The open incident that takes this condition along, when there is one.
    pub(super) fn root(&self, key: &Key, depth: usize) -> Option<IncidentId> {
        let stands_alone = stands_alone(key);
        let open = |id: &IncidentId| self.incidents.get(id).is_some_and(|incident| incident.is_open());
        if !stands_alone && let Some(blind) = self.blind() {
            return Some(blind);
        }
        if let Some((_, cause)) = self.cause_of(key) {
            match cause.stand {
                Stand::Own(id) => return Some(id).filter(open),
                Stand::Child(id) if depth < DEEPEST => return Some(id).filter(open),
                _ => {}
            }
        }
        (!stands_alone && key.family.as_ref() != STORM).then(|| self.raging_storm()).flatten()
    }

    /// The incident of the monitor's own blindness.
    fn blind(&self) -> Option<IncidentId> {
        self.blind.filter(|id| self.incidents.get(id).is_some_and(|incident| incident.is_open()))
    }

    /// The condition that causes this one.
    fn cause_of(&self, key: &Key) -> Option<(Key, &Condition)> {
        let explicit = self.conditions.get(key).into_iter().flat_map(|condition| condition.reports.values());
        let explicit = explicit.filter_map(|report| report.cause.clone());
        let causes = explicit.flat_map(|subject| [DOWN, PORT_DOWN].map(|family| Key::new(family, subject.clone())));
        let holders = holders(key).into_iter().map(|subject| Key::new(DOWN, subject));
        causes.chain(holders).filter(|cause| cause != key).find_map(|cause| {
            let condition = self.conditions.get(&cause)?;
            Some((cause, condition))
        })
    }

    fn depth(&self, key: &Key, depth: usize) -> usize {
        match self.cause_of(key) {
            Some((cause, _)) if depth < DEEPEST => 1 + self.depth(&cause, depth + 1),
            _ => 0,
        }
    }

    /// Puts a condition, and what it has taken along itself, under another incident.
    pub(super) fn attach(&mut self, key: &Key, root: IncidentId, now: Timestamp) {
        let Some(condition) = self.conditions.get_mut(key) else { return };
        let before = condition.stand;
        if before == Stand::Own(root) || before == Stand::Child(root) {
            return;
        }
        condition.stand = Stand::Child(root);
        let top = condition.reports.iter().max_by_key(|(_, report)| report.severity);
        let (rule, severity) =
            top.map_or_else(|| (Arc::clone(&key.family), Severity::Info), |(rule, report)| (Arc::clone(rule), report.severity));
        self.dirty_conditions.insert(key.clone());
        self.join(key, root, Child { rule, severity, joined: now, left: None });
        match before {
            Stand::Own(old) => self.merge(old, root, now),
            Stand::Child(old) => self.leave(key, old, now),
            Stand::Held { .. } | Stand::Released { .. } => {}
        }
        self.storm_grew(root, now);
        self.children_changed(root, now);
        self.adopt(key, root, now);
    }

    /// What follows from this condition goes where it went.
    pub(super) fn adopt(&mut self, key: &Key, root: IncidentId, now: Timestamp) {
        if !is_root(&key.family) {
            return;
        }
        let followers = if key.family.as_ref() == BLIND { self.recent_suspects(now) } else { self.followers_of(key) };
        for follower in followers {
            let stand = self.conditions.get(&follower).map(|condition| condition.stand);
            let is_free =
                matches!(stand, Some(Stand::Own(id)) if id != root) || matches!(stand, Some(Stand::Released { .. } | Stand::Held { .. }));
            let caused_by_this = key.family.as_ref() == BLIND || self.cause_of(&follower).is_some_and(|(cause, _)| cause == *key);
            if is_free && caused_by_this {
                self.attach(&follower, root, now);
            }
        }
    }

    fn followers_of(&self, key: &Key) -> Vec<Key> {
        self.followers.get(&key.subject).into_iter().flatten().filter(|follower| *follower != key).cloned().collect()
    }

    /// What was found shortly before the monitor knew that it is blind.
    fn recent_suspects(&self, now: Timestamp) -> Vec<Key> {
        let lately = |at: Timestamp| at + self.limits.storm_window * 2 >= now;
        let begun = self.begun.iter().filter(|(at, _)| lately(*at)).map(|(_, key)| key.clone());
        let held = self.conditions.iter().filter(|(_, condition)| matches!(condition.stand, Stand::Held { .. }));
        let held = held.map(|(key, _)| key.clone());
        let suspects: BTreeSet<Key> = begun.chain(held).filter(|key| !stands_alone(key)).collect();
        suspects.into_iter().collect()
    }

    /// The incident of a condition that has become the consequence of another one.
    fn merge(&mut self, old: IncidentId, root: IncidentId, now: Timestamp) {
        let Some(incident) = self.incidents.get_mut(&old) else { return };
        incident.phase = Phase::Merged(root);
        incident.cleared = Some(now);
        incident.calm_at = None;
        incident.evidence.insert("merged".into(), Fact::Count(u64::try_from(root.0).unwrap_or(0)));
        self.timers.insert((now + self.limits.reopen, Timer::Incident(old)));
        self.event(old, Change::Updated, now, None, true);
        for child in self.affected_by(old) {
            self.attach(&child, root, now);
        }
    }

    fn affected_by(&self, id: IncidentId) -> Vec<Key> {
        let children = self.children.get(&id).into_iter().flatten();
        children.filter(|(_, child)| child.left.is_none()).map(|(key, _)| key.clone()).collect()
    }

    fn join(&mut self, key: &Key, id: IncidentId, child: Child) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let before = self.children.entry(id).or_default().insert(key.clone(), child);
        incident.taken += usize::from(before.is_none());
        incident.affected += usize::from(before.is_none_or(|before| before.left.is_some()));
        self.dirty_children.insert((id, key.clone()));
        self.dirty_incidents.insert(id);
    }

    /// Whether it was one of those affected.
    fn part(&mut self, key: &Key, id: IncidentId, now: Timestamp) -> bool {
        let child = self.children.get_mut(&id).and_then(|children| children.get_mut(key));
        let Some(child) = child.filter(|child| child.left.is_none()) else { return false };
        child.left = Some(now);
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.affected = incident.affected.saturating_sub(1);
        }
        self.dirty_children.insert((id, key.clone()));
        self.dirty_incidents.insert(id);
        true
    }

    /// A child is over or goes another way.
    pub(super) fn leave(&mut self, key: &Key, id: IncidentId, now: Timestamp) {
        if self.part(key, id, now) {
            self.children_changed(id, now);
            self.storm_shrank(id, now);
        }
    }

    /// A condition's own time has come: it was released and did not come back, or nobody has said again what was said
    /// before the restart.
    pub(super) fn condition_due(&mut self, key: &Key, now: Timestamp) {
        let Some(condition) = self.conditions.get(key) else { return };
        let stale = condition.reports.iter().filter(|(_, report)| report.confirm_by.is_some_and(|by| by <= now));
        let stale: Vec<Arc<str>> = stale.map(|(rule, _)| Arc::clone(rule)).collect();
        for rule in stale {
            self.lift(key, &rule, now, now);
        }
        if matches!(self.conditions.get(key), Some(Condition { stand: Stand::Released { due }, .. }) if *due <= now) {
            self.place(key, now);
        }
    }

    /// Lets the children of an incident that is over go: they have a while to follow it.
    pub(super) fn release(&mut self, id: IncidentId, now: Timestamp) {
        let due = now + self.limits.grace;
        for key in self.affected_by(id) {
            self.part(&key, id, now);
            if let Some(condition) = self.conditions.get_mut(&key) {
                condition.stand = Stand::Released { due };
                self.dirty_conditions.insert(key.clone());
                self.timers.insert((due, Timer::Condition(key)));
            }
        }
    }

    pub(super) fn follow(&mut self, key: &Key, cause: Option<&Subject>) {
        for subject in cause.cloned().into_iter().chain(holders(key)) {
            self.followers.entry(subject).or_default().insert(key.clone());
        }
    }

    fn unfollow(&mut self, key: &Key, condition: &Condition) {
        for subject in holders(key).into_iter().chain(condition.causes.iter().cloned()) {
            if let Some(keys) = self.followers.get_mut(&subject) {
                keys.remove(key);
                if keys.is_empty() {
                    self.followers.remove(&subject);
                }
            }
        }
    }
}

/// What neither a blind monitor nor a storm explains: what is wrong with netroom itself, and what one machine does.
pub(super) fn stands_alone(key: &Key) -> bool {
    matches!(key.subject, Subject::Part(_)) || is_behaviour(&key.family)
}

/// What a condition follows from without anybody saying so: a port or a service from the device or host that it is on, and
/// what else is wrong with a device from its being gone.
pub(super) fn holders(key: &Key) -> Vec<Subject> {
    match &key.subject {
        Subject::Port(device, _) => vec![Subject::Device(Arc::clone(device))],
        Subject::Service(host, _) => vec![Subject::Host(Arc::clone(host)), Subject::Device(Arc::clone(host))],
        own @ (Subject::Device(_) | Subject::Host(_)) if key.family.as_ref() != DOWN => vec![own.clone()],
        _ => Vec::new(),
    }
}
