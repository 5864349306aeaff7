//! The engine's memory over a restart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::family::{BLIND, Key};
use super::super::record::{Child, Incident};
use super::place::holders;
use super::{Condition, Engine, Limits, Stand, Timer};
use crate::incident::scope::Scope;
use crate::incident::windows::Windows;
use crate::model::{IncidentId, Subject, Timestamp};

/// A condition as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedCondition(Condition);

/// Everything that is kept: open incidents and those that may be reopened, conditions, and the last number given.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Saved {
    /// The highest number ever given.
    pub last_id: i64,
    /// Incidents.
    pub incidents: Vec<Incident>,
    /// What they take along.
    pub children: Vec<(IncidentId, Key, Child)>,
    /// Conditions.
    pub conditions: Vec<(Key, SavedCondition)>,
}

impl Saved {
    /// Everything that judges had raised and not cleared: a judge that starts anew begins with these.
    pub fn raised(&self) -> impl Iterator<Item = (Arc<str>, Subject)> {
        let rules = |condition: &SavedCondition| condition.0.reports.keys().cloned().collect::<Vec<_>>();
        self.conditions.iter().flat_map(move |(key, condition)| rules(condition).into_iter().map(|rule| (rule, key.subject.clone())))
    }
}

impl Engine {
    /// Goes on from what was kept. What judges said before counts until they say it again, or for a while.
    pub fn restore(limits: Limits, scope: Scope, windows: Windows, saved: Saved, now: Timestamp) -> Self {
        let mut engine = Self::new(limits, scope, windows.clone());
        engine.last_id = saved.last_id;
        for incident in saved.incidents {
            let id = incident.id;
            let times = [incident.ack.as_ref().and_then(|ack| ack.until), incident.mute.as_ref().map(|mute| mute.until)];
            let times = times.into_iter().chain([incident.calm_at, incident.cleared.map(|cleared| cleared + limits.reopen)]);
            engine.timers.extend(times.flatten().map(|at| (at, Timer::Incident(id))));
            if incident.key.family.as_ref() == BLIND && incident.is_open() {
                engine.blind = Some(id);
            }
            let newer = engine.current.get(&incident.key).is_some_and(|other| *other > id);
            if !newer {
                engine.current.insert(incident.key.clone(), id);
            }
            engine.incidents.insert(id, incident);
        }
        for (id, key, child) in saved.children {
            engine.children.entry(id).or_default().insert(key, child);
        }
        for (key, SavedCondition(mut condition)) in saved.conditions {
            for report in condition.reports.values_mut() {
                report.confirm_by = Some(now + limits.confirm);
            }
            engine.timers.insert((now + limits.confirm, Timer::Condition(key.clone())));
            if let Stand::Held { due } | Stand::Released { due } = condition.stand {
                engine.timers.insert((due, Timer::Condition(key.clone())));
            }
            for subject in holders(&key).into_iter().chain(condition.causes.iter().cloned()) {
                engine.followers.entry(subject).or_default().insert(key.clone());
            }
            engine.conditions.insert(key, condition);
        }
        engine.set_windows(windows, now);
        engine
    }

    /// A condition as it is to be kept.
    pub(super) fn saved(&self, key: &Key) -> Option<SavedCondition> {
        self.conditions.get(key).cloned().map(SavedCondition)
    }
}
