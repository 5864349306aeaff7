//! The storm breaker: when very much changes at once there is one incident that says so, and not thousands.

use super::super::family::{Key, STORM};
use super::super::record::Incident;
use super::place::stands_alone;
use super::{Engine, Stand};
use crate::model::notice::Change;
use crate::model::{Fact, IncidentId, Severity, Subject, Timestamp};

/// The storm that is going on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storm {
    pub(super) id: IncidentId,
    /// When it last took something along.
    pub(super) grew: Timestamp,
}

impl Engine {
    /// From how many new incidents within the window on it is a storm.
    fn storm_limit(&self) -> usize {
        let share = (self.watched as f64 * self.limits.storm_percent / 100.0).ceil() as usize;
        share.clamp(self.limits.storm_least.min(self.limits.storm_most), self.limits.storm_most)
    }

    /// The storm that still takes along whatever comes.
    pub(super) fn raging_storm(&self) -> Option<IncidentId> {
        self.storm.map(|storm| storm.id)
    }

    /// `sudden` are about to become incidents: are there too many, with those of the last minute?
    pub(super) fn storm_check(&mut self, sudden: &[Key], now: Timestamp) {
        while self.begun.front().is_some_and(|(at, _)| *at + self.limits.storm_window < now) {
            self.begun.pop_front();
        }
        let other = |key: &&Key| !stands_alone(key) && key.family.as_ref() != STORM;
        let coming = sudden.iter().filter(other).count();
        if self.storm.is_some() || coming == 0 {
            return;
        }
        let alone = |key: &Key| match self.conditions.get(key).map(|condition| condition.stand) {
            Some(Stand::Own(id)) => self.incidents.get(&id).is_some_and(|incident| incident.is_open() && incident.ack.is_none()),
            _ => false,
        };
        let mut lately: Vec<Key> = self.begun.iter().map(|(_, key)| key).filter(other).filter(|key| alone(key)).cloned().collect();
        lately.sort();
        lately.dedup();
        if coming + lately.len() <= self.storm_limit() {
            return;
        }
        let taken: Vec<Key> = lately.into_iter().chain(sudden.iter().filter(other).cloned()).collect();
        let site = self.common_site(&taken);
        let id = self.create(Key::new(STORM, Subject::Site(site.into())), now);
        self.storm = Some(Storm { id, grew: now });
        for key in &taken {
            self.attach(key, id, now);
        }
        let watched = self.watched as u64;
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.severity = Severity::Critical;
            incident.worst = Severity::Critical;
            incident.evidence.insert("changed".into(), Fact::Count(taken.len() as u64));
            incident.evidence.insert("watched".into(), Fact::Count(watched));
        }
        self.event(id, Change::Opened, now, None, false);
    }

    /// The site of all of them, or empty.
    fn common_site(&self, keys: &[Key]) -> String {
        let mut sites = keys.iter().map(|key| self.scope.place(&key.subject).site);
        let Some(first) = sites.next() else { return String::new() };
        if sites.all(|site| site == first) { first.to_string() } else { String::new() }
    }

    pub(super) fn storm_grew(&mut self, id: IncidentId, now: Timestamp) {
        if let Some(storm) = self.storm.as_mut().filter(|storm| storm.id == id) {
            storm.grew = now;
        }
    }

    /// It is over when hardly any of its children is left.
    pub(super) fn storm_shrank(&mut self, id: IncidentId, now: Timestamp) {
        let few = self.storm_limit() / 5;
        let is_storm = |incident: &&Incident| incident.key.family.as_ref() == STORM && incident.is_open();
        let Some(incident) = self.incidents.get(&id).filter(is_storm) else { return };
        if incident.affected <= few {
            self.storm = self.storm.filter(|storm| storm.id != id);
            self.close(id, now);
        }
    }

    pub(super) fn storm_deadline(&self) -> Option<Timestamp> {
        self.storm.map(|storm| storm.grew + self.limits.storm_window)
    }

    /// A storm that has not grown for a while takes nothing more along; what it took stays with it.
    pub(super) fn storm_due(&mut self, now: Timestamp) {
        if self.storm_deadline().is_some_and(|deadline| deadline <= now) {
            self.storm = None;
        }
    }
}
