//! Incidents: how they begin, change, come back and end, and what is written and told of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::family::{BLIND, Key, STORM, rank};
use super::super::record::{Child, Event, Incident, Phase, Told};
use super::super::scope::Place;
use super::super::windows::Purpose;
use super::{Engine, Stand, Timer};
use crate::model::notice::Change;
use crate::model::{Evidence, Fact, IncidentId, Notice, Severity, Subject, Timestamp};

/// Children that come or go are written to the log once in so long.
const CHILDREN_EVERY: Duration = Duration::from_secs(10);
/// So many more children than before, and twice as many, is a worsening.
const GREW_BY: usize = 10;
/// A notice names so many children at most; their number is among its facts.
const NAMED: usize = 200;

impl Engine {
    /// Gives a condition its incident: a new one, the one that ended lately, or the one that waits for calm.
    pub(super) fn open_own(&mut self, key: &Key, now: Timestamp) {
        let earlier = self.current.get(key).copied().filter(|id| self.incidents.contains_key(id));
        let id = match earlier {
            Some(id) => id,
            None => self.create(key.clone(), now),
        };
        if let Some(condition) = self.conditions.get_mut(key) {
            condition.stand = Stand::Own(id);
            self.dirty_conditions.insert(key.clone());
        }
        self.begun.push_back((now, key.clone()));
        self.adopt(key, id, now);
        self.describe(id);
        if earlier.is_some() {
            self.again(id, now);
        } else {
            self.event(id, Change::Opened, now, None, false);
        }
        if key.family.as_ref() == BLIND {
            self.blind = Some(id);
        }
    }

    /// A new incident without a word yet.
    pub(super) fn create(&mut self, key: Key, now: Timestamp) -> IncidentId {
        self.last_id += 1;
        let id = IncidentId(self.last_id);
        let place = self.place_now(&key);
        let in_maintenance = self.windows.open(Purpose::Maintenance, &key.subject, &place, now).is_some();
        let incident = Incident {
            id,
            rule: Arc::clone(&key.family),
            key: key.clone(),
            phase: Phase::Open,
            severity: Severity::Info,
            worst: Severity::Info,
            opened: now,
            changed: now,
            cleared: None,
            evidence: Evidence::new(),
            is_unknown: false,
            ack: None,
            mute: None,
            in_maintenance,
            is_told: false,
            raises: vec![now],
            is_flapping: false,
            calm_at: None,
            children_told: 0,
            affected: 0,
            taken: 0,
        };
        self.incidents.insert(id, incident);
        self.current.insert(key, id);
        id
    }

    /// Where a condition belongs, by what is said of it.
    fn place_now(&self, key: &Key) -> Place {
        let said = self.conditions.get(key).and_then(|condition| condition.reports.values().next_back());
        said.map_or_else(|| self.scope.place(&key.subject), |report| self.scope.place_by(&key.subject, &report.evidence))
    }

    /// An incident that was over, or calm, is back.
    fn again(&mut self, id: IncidentId, now: Timestamp) {
        let limits = self.limits;
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let was_open = incident.is_open();
        incident.raises.retain(|at| *at + limits.flap_window >= now);
        incident.raises.push(now);
        let flapped = incident.is_flapping;
        incident.is_flapping |= incident.raises.len() >= limits.flap_raises;
        incident.calm_at = None;
        incident.phase = Phase::Open;
        incident.cleared = None;
        if incident.is_flapping {
            incident.evidence.insert("flaps".into(), Fact::Count(incident.raises.len() as u64));
        }
        self.dirty_incidents.insert(id);
        if was_open {
            return;
        }
        // Once it is known to flap nobody is told again until it has been calm; the log has it all.
        self.event(id, Change::Reopened, now, None, flapped);
    }

    /// The incident says what the weightiest of its rules says. What it was before comes back.
    pub(super) fn describe(&mut self, id: IncidentId) -> Option<(Severity, Arc<str>)> {
        let incident = self.incidents.get_mut(&id)?;
        let before = (incident.severity, Arc::clone(&incident.rule));
        let condition = self.conditions.get(&incident.key)?;
        let (rule, report) = condition.reports.iter().max_by_key(|(rule, report)| (report.severity, rank(rule), report.at))?;
        let is_wide = incident.affected >= self.limits.wide;
        incident.severity = if is_wide { Severity::Critical } else { report.severity };
        incident.worst = incident.worst.max(incident.severity);
        incident.rule = Arc::clone(rule);
        let kept = incident.evidence.get("flaps").cloned();
        incident.evidence = report.evidence.clone();
        incident.is_unknown = condition.reports.values().all(|report| report.is_unknown);
        incident.evidence.extend(kept.filter(|_| incident.is_flapping).map(|flaps| ("flaps".to_owned(), flaps)));
        self.dirty_incidents.insert(id);
        Some(before)
    }

    /// The facts of an incident have changed.
    pub(super) fn refresh(&mut self, id: IncidentId, now: Timestamp) {
        let was_unknown = self.incidents.get(&id).is_some_and(|incident| incident.is_unknown);
        let Some((severity, rule)) = self.describe(id) else { return };
        let Some(incident) = self.incidents.get(&id) else { return };
        if incident.severity > severity {
            self.worsened(id, now);
        } else if incident.severity < severity || incident.rule != rule || incident.is_unknown != was_unknown {
            self.event(id, Change::Updated, now, None, false);
        }
    }

    /// It grew. An acknowledgement was for the smaller thing.
    pub(super) fn worsened(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let change = if incident.ack.take().is_some() { Change::Unacknowledged } else { Change::Worsened };
        let is_flapping = incident.is_flapping;
        self.event(id, change, now, None, is_flapping);
    }

    pub(super) fn refresh_child(&mut self, key: &Key, id: IncidentId, now: Timestamp) {
        let Some(condition) = self.conditions.get(key) else { return };
        let Some((rule, report)) = condition.reports.iter().max_by_key(|(rule, report)| (report.severity, rank(rule))) else { return };
        if let Some(child) = self.children.get_mut(&id).and_then(|children| children.get_mut(key))
            && (child.severity != report.severity || child.rule != *rule)
        {
            child.severity = report.severity;
            child.rule = Arc::clone(rule);
            self.dirty_children.insert((id, key.clone()));
            self.children_changed(id, now);
        }
    }

    /// The condition of an incident is gone.
    pub(super) fn over(&mut self, id: IncidentId, now: Timestamp) {
        let calm = self.limits.flap_calm;
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        if incident.is_flapping {
            incident.calm_at = Some(now + calm);
            self.timers.insert((now + calm, Timer::Incident(id)));
            self.dirty_incidents.insert(id);
            return;
        }
        self.close(id, now);
    }

    pub(super) fn close(&mut self, id: IncidentId, now: Timestamp) {
        let reopen = self.limits.reopen;
        let Some(incident) = self.incidents.get_mut(&id).filter(|incident| incident.is_open()) else { return };
        incident.phase = Phase::Cleared;
        incident.cleared = Some(now);
        incident.is_flapping = false;
        incident.is_unknown = false;
        incident.calm_at = None;
        incident.ack = None;
        self.timers.insert((now + reopen, Timer::Incident(id)));
        self.release(id, now);
        self.event(id, Change::Cleared, now, None, false);
    }

    /// An incident's own time has come.
    pub(super) fn incident_due(&mut self, id: IncidentId, now: Timestamp) {
        let reopen = self.limits.reopen;
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        if !incident.is_open() {
            if incident.cleared.is_none_or(|cleared| cleared + reopen <= now) {
                let key = incident.key.clone();
                self.incidents.remove(&id);
                self.children.remove(&id);
                if self.current.get(&key) == Some(&id) {
                    self.current.remove(&key);
                }
            }
            return;
        }
        if incident.calm_at.is_some_and(|calm| calm <= now) {
            self.close(id, now);
            return;
        }
        let ack_over = incident.ack.as_ref().and_then(|ack| ack.until).is_some_and(|until| until <= now);
        let mute_over = incident.mute.as_ref().is_some_and(|mute| mute.until <= now);
        if mute_over {
            incident.mute = None;
        }
        if ack_over {
            incident.ack = None;
            self.event(id, Change::Unacknowledged, now, None, false);
        } else if mute_over {
            self.event(id, Change::StillOpen, now, None, false);
        }
    }

    pub(super) fn children_changed(&mut self, id: IncidentId, now: Timestamp) {
        self.dirty_incidents.insert(id);
        if self.gathering.insert(id) {
            self.timers.insert((now + CHILDREN_EVERY, Timer::Children(id)));
        }
    }

    /// Writes once what many children have done meanwhile.
    pub(super) fn tell_children(&mut self, id: IncidentId, now: Timestamp) {
        self.gathering.remove(&id);
        let Some(incident) = self.incidents.get(&id).filter(|incident| incident.is_open()) else { return };
        let (affected, told, severity) = (incident.affected, incident.children_told, incident.severity);
        if incident.key.family.as_ref() != STORM {
            self.describe(id);
        }
        let Some(incident) = self.incidents.get(&id) else { return };
        if incident.severity > severity || (affected >= told * 2 && affected >= told + GREW_BY) {
            self.worsened(id, now);
        } else if affected != told {
            self.event(id, Change::Updated, now, None, true);
        }
    }

    /// Windows opened or closed: what is still there when one ends is told.
    pub(super) fn windows_due(&mut self, now: Timestamp) {
        let mut ids: Vec<IncidentId> = self.open().map(|incident| incident.id).collect();
        ids.sort();
        for id in ids {
            let Some(incident) = self.incidents.get_mut(&id) else { continue };
            let place = self.scope.place_by(&incident.key.subject, &incident.evidence);
            let inside = self.windows.open(Purpose::Maintenance, &incident.key.subject, &place, now).is_some();
            if inside == incident.in_maintenance {
                continue;
            }
            incident.in_maintenance = inside;
            self.dirty_incidents.insert(id);
            if !inside {
                self.event(id, Change::StillOpen, now, None, false);
            }
        }
        if let Some(next) = self.windows.next_change(now) {
            self.timers.insert((next, Timer::Windows));
        }
    }

    /// Writes an event. `is_silent` is for the log only; else a notice goes with it, which maintenance and mutes keep quiet.
    pub(super) fn event(&mut self, id: IncidentId, change: Change, now: Timestamp, said: Option<(&Arc<str>, &str)>, is_silent: bool) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        incident.changed = now;
        let affected = incident.affected;
        incident.children_told = affected;
        if affected > 0 || incident.evidence.contains_key("affected") {
            incident.evidence.insert("affected".into(), Fact::Count(affected as u64));
        }
        // Whoever was alarmed hears of the end, also in a window that began meanwhile.
        let is_muted = incident.is_quiet(now) && !(change == Change::Cleared && incident.is_told);
        let alarms = !matches!(change, Change::Updated | Change::Commented | Change::Acknowledged);
        incident.is_told |= alarms && !is_muted && !is_silent;
        let event = Event {
            id: 0,
            incident: id,
            change,
            at: now,
            rule: Arc::clone(&incident.rule),
            subject: incident.key.subject.clone(),
            severity: incident.severity,
            person: said.map(|(person, _)| Arc::clone(person)),
            comment: said.map(|(_, words)| words.to_owned()).filter(|words| !words.is_empty()),
            evidence: incident.evidence.clone(),
            is_muted: is_muted || is_silent,
        };
        let children = self.children.get(&id);
        let notice = (!is_silent).then(|| notice(incident, children, &event, is_muted, &self.scope));
        self.events.push(Told { event, notice });
        self.dirty_incidents.insert(id);
    }
}

fn notice(incident: &Incident, children: Option<&BTreeMap<Key, Child>>, event: &Event, is_muted: bool, scope: &super::Scope) -> Notice {
    let place = scope.place_by(&incident.key.subject, &incident.evidence);
    let affected = children.into_iter().flatten().filter(|(_, child)| child.left.is_none());
    let children: Vec<Subject> = affected.take(NAMED).map(|(key, _)| key.subject.clone()).collect();
    Notice {
        incident: incident.id,
        event: 0,
        change: event.change,
        rule: Arc::clone(&incident.rule),
        subject: incident.key.subject.clone(),
        severity: incident.severity,
        opened: incident.opened,
        at: event.at,
        site: place.site,
        zone: place.zone,
        tags: place.tags,
        children,
        evidence: incident.evidence.clone(),
        person: event.person.clone(),
        comment: event.comment.clone(),
        is_muted,
    }
}
