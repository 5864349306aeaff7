//! The rules over the live table: which port or device is not as it should be. Pure: snapshots and the time come in,
//! changes come out as findings. A device whose snapshot is the one of the last look costs nothing.
//!
//! [`plan`] says what holds for whom, `gauge` is one threshold through time, [`port`] and `device` know what is measured,
//! [`replay`] runs the same over the past.

pub mod anomaly;
mod device;
mod gauge;
pub mod own;
pub mod plan;
pub mod port;
pub mod replay;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::device::DeviceTrack;
use self::plan::{Book, Whom};
use self::port::{PortPlan, PortTrack, Reading};
use super::scope::{Place, Scope};
use crate::model::{Evidence, Finding, PortId, PortIdentity, Subject, Timestamp, Verdict};
use crate::ports::live::{DeviceLive, DeviceState, PortLive, PortState};

/// Whether a device is reached by another way than SNMP.
pub trait Reach: Send + Sync {
    /// Whether it answers pings; `None` when it is not pinged, or nothing is known yet.
    fn answers(&self, device: &str) -> Option<bool>;
}

impl<F: Fn(&str) -> Option<bool> + Send + Sync> Reach for F {
    fn answers(&self, device: &str) -> Option<bool> {
        self(device)
    }
}

/// One port with its plan.
#[derive(Debug)]
struct Watched {
    plan: Arc<PortPlan>,
    identity: Arc<PortIdentity>,
    track: PortTrack,
}

#[derive(Debug)]
struct Device {
    seen: Arc<DeviceLive>,
    track: DeviceTrack,
    ports: HashMap<PortId, Watched>,
}

/// The state of all rules.
#[derive(Debug, Default)]
pub struct Rules {
    book: Book,
    scope: Scope,
    devices: HashMap<Arc<str>, Device>,
    /// What was raised before a restart, by subject, until the subject is seen.
    assumed: HashMap<Subject, Vec<Arc<str>>>,
}

impl Rules {
    /// By this book; `raised` is what judges had raised before the restart.
    pub fn new(book: Book, scope: Scope, raised: impl IntoIterator<Item = (Arc<str>, Subject)>) -> Self {
        let mut assumed: HashMap<Subject, Vec<Arc<str>>> = HashMap::new();
        for (rule, subject) in raised {
            assumed.entry(subject).or_default().push(rule);
        }
        Self { book, scope, devices: HashMap::new(), assumed }
    }

    /// The book in force.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Another configuration: everything is judged by it from the next look on.
    pub fn set_book(&mut self, book: Book, scope: Scope) {
        self.book = book;
        self.scope = scope;
        for device in self.devices.values_mut() {
            device.track.plan_anew();
            let (label, place) = (&device.seen.label, self.scope.place(&Subject::Device(Arc::clone(&device.seen.label.name))));
            for port in device.seen.ports.iter() {
                if let Some(watched) = device.ports.get_mut(&port.identity.id) {
                    watched.plan = Arc::new(plan(&self.book, label, &place, port));
                }
            }
        }
    }

    /// Looks at all devices; tells each change. `hearsay` are subjects of which only a trap has spoken.
    pub fn look(&mut self, fleet: &[Arc<DeviceLive>], reach: &dyn Reach, hearsay: &HashSet<Subject>, now: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        for live in fleet {
            self.device(live, reach, hearsay, now, &mut findings);
        }
        if self.devices.len() > fleet.len() {
            let names: HashSet<&str> = fleet.iter().map(|live| &*live.label.name).collect();
            let gone: Vec<Arc<str>> = self.devices.keys().filter(|name| !names.contains(&***name)).cloned().collect();
            for name in gone {
                if let Some(device) = self.devices.remove(&name) {
                    device.take_back(now, &mut findings);
                }
            }
        }
        findings
    }

    fn device(
        &mut self,
        live: &Arc<DeviceLive>,
        reach: &dyn Reach,
        hearsay: &HashSet<Subject>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let name = &live.label.name;
        let subject = Subject::Device(Arc::clone(name));
        let place = self.scope.place(&subject);
        let device = self.devices.entry(Arc::clone(name)).or_insert_with(|| Device {
            seen: Arc::new(DeviceLive { ports: Arc::from([]), ..(**live).clone() }),
            track: DeviceTrack::new(&self.assumed.remove(&subject).unwrap_or_default()),
            ports: HashMap::new(),
        });
        let whom = Whom { device: name, place: &place, port: None };
        let answers = (live.health.state == DeviceState::Down).then(|| reach.answers(name)).flatten();
        let before = findings.len();
        device.track.judge(&self.book, whom, live, answers, now, |rule, verdict, at, evidence| {
            findings.push(Finding { rule: rule.into(), subject: subject.clone(), verdict, at, cause: None, evidence });
        });
        // What is down for another reason now was not up in between: the new reason is told before the old one is taken back.
        findings.get_mut(before..).unwrap_or_default().sort_by_key(|finding| finding.verdict == Verdict::Cleared);
        if Arc::ptr_eq(&device.seen, live) {
            return;
        }
        for port in live.ports.iter() {
            let watched = device.ports.entry(port.identity.id).or_insert_with(|| {
                let subject = Subject::Port(Arc::clone(name), Arc::clone(&port.identity.name));
                let mut track = PortTrack::default();
                self.assumed.remove(&subject).unwrap_or_default().iter().for_each(|rule| track.assume(rule));
                let plan = Arc::new(plan(&self.book, &live.label, &place, port));
                Watched { plan, identity: Arc::clone(&port.identity), track }
            });
            if !Arc::ptr_eq(&watched.identity, &port.identity) {
                watched.plan = Arc::new(plan(&self.book, &live.label, &place, port));
                watched.identity = Arc::clone(&port.identity);
            }
            look_at(watched, live, port, hearsay, findings);
        }
        if device.ports.len() > live.ports.len() {
            let here: HashSet<PortId> = live.ports.iter().map(|port| port.identity.id).collect();
            device.ports.retain(|id, watched| {
                let stays = here.contains(id);
                if !stays {
                    watched.take_back(name, now, findings);
                }
                stays
            });
        }
        device.seen = Arc::clone(live);
    }
}

fn look_at(watched: &mut Watched, live: &DeviceLive, port: &PortLive, hearsay: &HashSet<Subject>, findings: &mut Vec<Finding>) {
    // While the device does not answer nothing is known of its ports.
    if live.health.state == DeviceState::Down {
        return;
    }
    let Some(at) = live.health.last_answer else { return };
    let subject = || Subject::Port(Arc::clone(&live.label.name), Arc::clone(&port.identity.name));
    let before = findings.len();
    watched.track.judge(&watched.plan, &Reading::of(port, at), |rule, verdict, evidence| {
        findings.push(Finding { rule: rule.into(), subject: subject(), verdict, at, cause: None, evidence });
    });
    if let Some((booted, ticks)) = live.health.booted.zip(port.identity.last_change_ticks) {
        watched.track.up_since(booted + std::time::Duration::from_millis(u64::from(ticks) * 10));
    }
    if findings.len() == before && port.state == PortState::Up && !hearsay.is_empty() && hearsay.contains(&subject()) {
        let (rule, verdict) = ("port-down".into(), Verdict::Cleared);
        findings.push(Finding { rule, subject: subject(), verdict, at, cause: None, evidence: Evidence::new() });
    }
}

fn plan(book: &Book, label: &crate::ports::live::DeviceLabel, place: &Place, port: &PortLive) -> PortPlan {
    let class = book.class_of(&label.name, &port.identity);
    PortPlan::new(book, Whom { device: &label.name, place, port: Some((&port.identity.name, class)) })
}

impl Watched {
    fn take_back(&self, device: &Arc<str>, now: Timestamp, findings: &mut Vec<Finding>) {
        let subject = Subject::Port(Arc::clone(device), Arc::clone(&self.identity.name));
        findings.extend(self.track.raised().map(|rule| cleared(rule, &subject, now)));
    }
}

impl Device {
    /// It is not watched any more.
    fn take_back(&self, now: Timestamp, findings: &mut Vec<Finding>) {
        let subject = Subject::Device(Arc::clone(&self.seen.label.name));
        findings.extend(self.track.raised().map(|rule| cleared(rule, &subject, now)));
        self.ports.values().for_each(|watched| watched.take_back(&self.seen.label.name, now, findings));
    }
}

fn cleared(rule: &str, subject: &Subject, at: Timestamp) -> Finding {
    Finding { rule: rule.into(), subject: subject.clone(), verdict: Verdict::Cleared, at, cause: None, evidence: Evidence::new() }
}

#[cfg(test)]
mod tests;
