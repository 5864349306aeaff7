//! From judgements to incidents: a state machine without I/O. Findings and people's actions go in with the time, events and
//! changed records come out, and [`Engine::next_deadline`] says when it wants to be woken.
//!
//! A condition (a family of rules about one subject) walks: *held* for a moment, so that its cause can arrive → an incident
//! of its *own*, or the *child* of another one (its root cause, the monitor's own blindness, a storm) → gone. When the root
//! is over, its children have a while to come back before those that do not become incidents of their own.

mod act;
mod life;
mod place;
mod save;
mod storm;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::family::{Key, is_hearsay};
use super::record::{Child, Incident, Told};
use super::scope::Scope;
use super::windows::Windows;
use crate::model::{Evidence, Finding, IncidentId, Severity, Subject, Timestamp, Verdict};

pub use act::{Action, Refused};
pub use save::{Saved, SavedCondition};

/// How the engine behaves.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Limits {
    /// How long a new condition is held back, for its cause and its likes to arrive.
    pub settle: Duration,
    /// How long after its end an incident that comes back counts as the same.
    pub reopen: Duration,
    /// How long children may take to come back after their root.
    pub grace: Duration,
    /// So many times within `flap_window`, and it flaps.
    pub flap_raises: usize,
    /// See `flap_raises`.
    pub flap_window: Duration,
    /// How long a flapping thing must be calm before it counts as over.
    pub flap_calm: Duration,
    /// Within so long many new incidents are a storm.
    pub storm_window: Duration,
    /// More than this share of everything watched (percent) ...
    pub storm_percent: f64,
    /// ... but at least so many ...
    pub storm_least: usize,
    /// ... and so many in any case.
    pub storm_most: usize,
    /// An incident that takes along so many is critical.
    pub wide: usize,
    /// After a restart: how long a judge may take to say again what it said before.
    pub confirm: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            settle: Duration::from_millis(500),
            reopen: MINUTE * 15,
            grace: MINUTE * 3,
            flap_raises: 5,
            flap_window: MINUTE * 30,
            flap_calm: MINUTE * 10,
            storm_window: MINUTE,
            storm_percent: 20.0,
            storm_least: 10,
            storm_most: 50,
            wide: 20,
            confirm: MINUTE * 15,
        }
    }
}

/// What one rule says of a condition.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Report {
    severity: Severity,
    at: Timestamp,
    evidence: Evidence,
    cause: Option<Subject>,
    is_unknown: bool,
    /// Taken over from before a restart: dropped then, unless its judge says it again.
    confirm_by: Option<Timestamp>,
}

/// Where a condition stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stand {
    /// Nobody knows of it yet.
    Held { due: Timestamp },
    /// It has an incident of its own.
    Own(IncidentId),
    /// Another incident takes it along.
    Child(IncidentId),
    /// Its root is over; it has until `due` to follow.
    Released { due: Timestamp },
}

#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Condition {
    reports: BTreeMap<Arc<str>, Report>,
    stand: Stand,
    /// Every cause that was ever given for it.
    causes: BTreeSet<Subject>,
}

/// What wants to be woken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Timer {
    Condition(Key),
    Incident(IncidentId),
    /// Children of this one changed: written to its log once for many.
    Children(IncidentId),
    Windows,
}

/// What came of it, to be kept and told in one transaction.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// What happened, in its order.
    pub events: Vec<Told>,
    /// Incidents as they are now.
    pub incidents: Vec<Incident>,
    /// Children that came, changed or went.
    pub children: Vec<(IncidentId, Key, Child)>,
    /// Conditions as they are now; `None` for those that are gone.
    pub conditions: Vec<(Key, Option<SavedCondition>)>,
}

impl Outcome {
    /// Whether there is nothing to be kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.incidents.is_empty() && self.conditions.is_empty()
    }
}

/// The engine.
#[derive(Debug, Default)]
pub struct Engine {
    limits: Limits,
    scope: Scope,
    windows: Windows,
    watched: usize,
    last_id: i64,
    conditions: HashMap<Key, Condition>,
    incidents: HashMap<IncidentId, Incident>,
    /// What each of them takes along.
    children: HashMap<IncidentId, BTreeMap<Key, Child>>,
    /// The open incident of a key, or the one that would be reopened.
    current: HashMap<Key, IncidentId>,
    /// By a possible cause: the conditions that would follow it.
    followers: HashMap<Subject, BTreeSet<Key>>,
    timers: BTreeSet<(Timestamp, Timer)>,
    /// Incidents whose children have changed since the log was written.
    gathering: BTreeSet<IncidentId>,
    /// Incidents begun lately.
    begun: VecDeque<(Timestamp, Key)>,
    storm: Option<storm::Storm>,
    /// The incident of the monitor's own blindness.
    blind: Option<IncidentId>,
    events: Vec<Told>,
    dirty_incidents: BTreeSet<IncidentId>,
    dirty_children: BTreeSet<(IncidentId, Key)>,
    dirty_conditions: BTreeSet<Key>,
}

impl Engine {
    /// An engine that knows of nothing yet.
    pub fn new(limits: Limits, scope: Scope, windows: Windows) -> Self {
        Self { limits, scope, windows, ..Self::default() }
    }

    /// Takes over another configuration.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes over where subjects belong.
    pub fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    /// How many things could change at once: devices, hosts, ports.
    pub fn set_watched(&mut self, watched: usize) {
        self.watched = watched;
    }

    /// Takes over another set of windows; what they change is told at the next [`Self::tick`].
    pub fn set_windows(&mut self, windows: Windows, now: Timestamp) {
        self.windows = windows;
        self.timers.retain(|(_, timer)| *timer != Timer::Windows);
        self.timers.insert((now, Timer::Windows));
    }

    /// The windows in force.
    pub const fn windows(&self) -> &Windows {
        &self.windows
    }

    /// Takes one judgement. What comes of it may wait for [`Self::tick`].
    pub fn take(&mut self, finding: Finding, now: Timestamp) {
        let key = Key::of(&finding);
        match finding.verdict {
            Verdict::Raised(severity) => self.raise(&key, finding, severity, now),
            Verdict::Cleared => self.lift(&key, &finding.rule, finding.at, now),
            Verdict::Unknown => self.doubt(&key, &finding.rule, now),
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Timestamp) {
        self.settle(now);
        while let Some((at, timer)) = self.timers.first().cloned().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, timer.clone()));
            match timer {
                Timer::Condition(key) => self.condition_due(&key, now),
                Timer::Incident(id) => self.incident_due(id, now),
                Timer::Children(id) => self.tell_children(id, now),
                Timer::Windows => self.windows_due(now),
            }
        }
        self.storm_due(now);
    }

    /// When [`Self::tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, _)| *at);
        timer.into_iter().chain(self.storm_deadline()).min()
    }

    /// What has come of everything since the last call.
    pub fn drain(&mut self) -> Outcome {
        let incidents = std::mem::take(&mut self.dirty_incidents);
        let children = std::mem::take(&mut self.dirty_children);
        let conditions = std::mem::take(&mut self.dirty_conditions);
        Outcome {
            events: std::mem::take(&mut self.events),
            incidents: incidents.iter().filter_map(|id| self.incidents.get(id)).cloned().collect(),
            children: children.into_iter().filter_map(|(id, key)| Some((id, key.clone(), self.child(id, &key)?))).collect(),
            conditions: conditions.into_iter().map(|key| (key.clone(), self.saved(&key))).collect(),
        }
    }

    /// The incidents that are open.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().filter(|incident| incident.is_open())
    }

    /// An open incident, or one that ended lately.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    fn child(&self, id: IncidentId, key: &Key) -> Option<Child> {
        self.children.get(&id)?.get(key).cloned()
    }

    /// Everything that judges have raised and not cleared: rule and subject. A judge that starts anew begins with these.
    pub fn raised(&self) -> impl Iterator<Item = (&Arc<str>, &Subject)> {
        self.conditions.iter().flat_map(|(key, condition)| condition.reports.keys().map(|rule| (rule, &key.subject)))
    }

    /// What was told by hearsay and may have ended without a word: for those who can look.
    pub fn hearsay(&self) -> HashSet<Subject> {
        self.raised().filter(|(rule, _)| is_hearsay(rule)).map(|(_, subject)| subject.clone()).collect()
    }

    /// Clears everything about subjects that are not watched any more.
    pub fn forget(&mut self, is_watched: impl Fn(&Subject) -> bool, now: Timestamp) {
        let gone: Vec<(Key, Arc<str>)> = self
            .conditions
            .iter()
            .filter(|(key, _)| !is_watched(&key.subject))
            .flat_map(|(key, condition)| condition.reports.keys().map(|rule| (key.clone(), Arc::clone(rule))))
            .collect();
        for (key, rule) in gone {
            self.lift(&key, &rule, now, now);
        }
    }
}

#[cfg(test)]
mod tests;
