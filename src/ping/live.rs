//! Every host and service as it is now: written by the prober's thread, read by pages, API and metrics.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::prober::SocketState;
use super::round::Round;
use super::schedule::{Counts, HostId};
use super::state::{Certificate, Fault, Phase, ServiceId};
use crate::model::{Subject, Timestamp, Zone};

/// Rounds and checks that are remembered here, for small pictures.
const TRAIL: usize = 60;

/// What does not change between two configurations.
#[derive(Clone, PartialEq, Debug)]
pub struct HostInfo {
    /// Its number.
    pub id: HostId,
    /// Its name.
    pub name: Arc<str>,
    /// Its key in findings: a host, or a polled device.
    pub subject: Subject,
    /// Where.
    pub address: IpAddr,
    /// Where it stands, empty when not said.
    pub site: Arc<str>,
    /// Which side of the separated network it belongs to.
    pub zone: Zone,
    /// Free words.
    pub tags: Vec<Arc<str>>,
    /// What it stands behind.
    pub parents: Vec<Arc<str>>,
    /// The length of a round, seconds.
    pub interval_s: u32,
    /// Probes in a round.
    pub probes: u8,
    /// Its services.
    pub services: Vec<Arc<ServiceInfo>>,
}

/// See [`HostInfo`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceInfo {
    /// Its number.
    pub id: ServiceId,
    /// Its name on its host.
    pub name: Arc<str>,
    /// Its key in findings.
    pub subject: Subject,
    /// The word of what is asked: tcp, http, https, dns.
    pub kind: &'static str,
    /// The port.
    pub port: u16,
    /// How often, seconds.
    pub interval_s: u32,
}

/// A host now.
#[derive(Clone, Debug)]
pub struct HostNow {
    /// What does not change.
    pub info: Arc<HostInfo>,
    /// What it is taken for.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// What it is unreachable behind.
    pub behind: Option<Subject>,
    /// It loses probes.
    pub is_lossy: bool,
    /// It answers slowly.
    pub is_slow: bool,
    /// It comes and goes.
    pub is_flapping: bool,
    /// The last round, and when it ended.
    pub last: Option<(Timestamp, Round)>,
    /// The medians of the last rounds, milliseconds; `None` where nothing was answered.
    pub trail: VecDeque<Option<f32>>,
}

/// A service now.
#[derive(Clone, Debug)]
pub struct ServiceNow {
    /// What does not change.
    pub info: Arc<ServiceInfo>,
    /// Whether it is down; `None` while nothing is known.
    pub is_down: Option<bool>,
    /// When it was last checked.
    pub at: Option<Timestamp>,
    /// How long that took, milliseconds; `None` when it failed.
    pub took_ms: Option<f64>,
    /// Why the last check failed.
    pub fault: Option<Fault>,
    /// What it said.
    pub said: String,
    /// Its certificate.
    pub certificate: Option<Certificate>,
    /// The times of the last checks, milliseconds.
    pub trail: VecDeque<Option<f32>>,
}

/// What holds for all together.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// Whether we are blind.
    pub is_blind: bool,
    /// What has been counted.
    pub counts: Counts,
    /// How the sockets stand; empty while none is open.
    pub sockets: Vec<SocketState>,
    /// Findings and rounds that nobody took in time.
    pub shed: u64,
}

#[derive(Debug, Default)]
struct Inner {
    order: Vec<HostId>,
    by_name: HashMap<Arc<str>, HostId>,
    hosts: HashMap<HostId, HostNow>,
    services: HashMap<ServiceId, ServiceNow>,
    vitals: Vitals,
}

/// The table.
#[derive(Debug, Default)]
pub struct Board(RwLock<Inner>);

impl Board {
    /// Every host in the order of the configuration.
    pub fn hosts(&self) -> Vec<HostNow> {
        let inner = self.read();
        inner.order.iter().filter_map(|id| inner.hosts.get(id).cloned()).collect()
    }

    /// The host or pinged device of a name.
    pub fn host(&self, name: &str) -> Option<HostNow> {
        let inner = self.read();
        inner.hosts.get(inner.by_name.get(name)?).cloned()
    }

    /// A service.
    pub fn service(&self, id: ServiceId) -> Option<ServiceNow> {
        self.read().services.get(&id).cloned()
    }

    /// What holds for all together.
    pub fn vitals(&self) -> Vitals {
        self.read().vitals.clone()
    }

    /// Replaces the list; what is known of those that stay is kept.
    pub(super) fn set(&self, hosts: &[Arc<HostInfo>], now: Timestamp) {
        let mut inner = self.write();
        inner.order = hosts.iter().map(|host| host.id).collect();
        inner.by_name = hosts.iter().map(|host| (Arc::clone(&host.name), host.id)).collect();
        let (mut hosts_before, mut services_before) = (std::mem::take(&mut inner.hosts), std::mem::take(&mut inner.services));
        for info in hosts {
            let kept = hosts_before.remove(&info.id).filter(|host| host.info.address == info.address);
            let host = kept.map_or_else(|| HostNow::new(info, now), |host| HostNow { info: Arc::clone(info), ..host });
            inner.hosts.insert(info.id, host);
            for service in &info.services {
                let kept = services_before.remove(&service.id);
                let now = kept.map_or_else(|| ServiceNow::new(service), |before| ServiceNow { info: Arc::clone(service), ..before });
                inner.services.insert(service.id, now);
            }
        }
    }

    pub(super) fn change(&self, host: HostId, change: impl FnOnce(&mut HostNow)) {
        if let Some(host) = self.write().hosts.get_mut(&host) {
            change(host);
        }
    }

    pub(super) fn change_service(&self, service: ServiceId, change: impl FnOnce(&mut ServiceNow)) {
        if let Some(service) = self.write().services.get_mut(&service) {
            change(service);
        }
    }

    pub(super) fn set_vitals(&self, vitals: Vitals) {
        self.write().vitals = vitals;
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostNow {
    fn new(info: &Arc<HostInfo>, now: Timestamp) -> Self {
        Self {
            info: Arc::clone(info),
            phase: Phase::Unknown,
            since: now,
            behind: None,
            is_lossy: false,
            is_slow: false,
            is_flapping: false,
            last: None,
            trail: VecDeque::new(),
        }
    }

    /// Takes in a round that has ended.
    pub(super) fn round(&mut self, at: Timestamp, round: Round) {
        let median = round.spread().map(|spread| (spread.median_ns / 1e6) as f32);
        remember(&mut self.trail, median);
        self.last = Some((at, round));
    }
}

impl ServiceNow {
    fn new(info: &Arc<ServiceInfo>) -> Self {
        Self {
            info: Arc::clone(info),
            is_down: None,
            at: None,
            took_ms: None,
            fault: None,
            said: String::new(),
            certificate: None,
            trail: VecDeque::new(),
        }
    }

    /// Takes in a check.
    pub(super) fn checked(&mut self, at: Timestamp, took_ms: Option<f64>) {
        remember(&mut self.trail, took_ms.map(|ms| ms as f32));
        (self.at, self.took_ms) = (Some(at), took_ms);
    }
}

fn remember(trail: &mut VecDeque<Option<f32>>, value: Option<f32>) {
    if trail.len() == TRAIL {
        trail.pop_front();
    }
    trail.push_back(value);
}
