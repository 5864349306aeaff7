//! Gathering what the rules of `detect::snmp` and `detect::zone` look at, out of the live table and the tables.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Settings;
use crate::config::rules::KNOWN;
use crate::daemon::tables::{Located, Setup};
use crate::detect::baseline::{Calendar, Measure};
use crate::detect::exempt::Exemptions;
use crate::detect::snmp::counters::{Counters, PortReading};
use crate::detect::snmp::seats::{self, Seats};
use crate::detect::snmp::{Condition, Holding, RULES};
use crate::detect::{Kind, Machine, MachineKey, zone};
use crate::incident::rules::plan::Whom;
use crate::locate::class::{Infrastructure, uplinks};
use crate::locate::{ByPort, DeviceTables, Tables};
use crate::model::{Finding, MacAddr, PortMetric, Severity, Subject, Timestamp};
use crate::ports::live::{DeviceLive, Live, PortLive, PortState};

/// The hours of a workday, first and one past the last.
const WORK: (usize, usize) = (8, 18);
/// Hours of five workdays.
const WORKDAYS: usize = 5 * 24;

/// What is known of the tables at one look; made anew when one of them has changed.
#[derive(Default)]
struct View {
    all: Vec<Arc<DeviceTables>>,
    infrastructure: Infrastructure,
    uplinks: HashMap<Arc<str>, HashSet<u32>>,
    breaches: Vec<Condition>,
}

/// The state of all rules.
pub(super) struct Judge {
    counters: Counters,
    seats: Seats,
    holding: Holding,
    view: View,
    seen: HashMap<Arc<str>, Arc<DeviceLive>>,
}

impl Judge {
    /// With those who were ever seen on watched ports.
    pub(super) fn new(watched: ByPort) -> Self {
        let (counters, holding) = (Counters::default(), Holding::default());
        Self { counters, seats: Seats::new(watched), holding, view: View::default(), seen: HashMap::new() }
    }

    /// Goes on with what was raised before a restart.
    pub(super) fn assume(&mut self, rule: Arc<str>, subject: Subject, now: Timestamp) {
        // Behaviours of machines by packets have rules of the same names, but are about machines.
        let is_ours = RULES.contains(&&*rule) && (!matches!(subject, Subject::Machine(_)) || !["hog", "port-anomaly"].contains(&&*rule));
        if is_ours {
            self.holding.assume(rule, subject, now);
        }
    }

    /// The machines that were seen on watched ports for the first time.
    pub(super) fn take_new(&mut self) -> Vec<(Arc<str>, Arc<str>, MacAddr)> {
        self.seats.take_new()
    }

    /// The devices to be read more often.
    pub(super) fn moving(&self, tables: &Tables) -> HashSet<Arc<str>> {
        tables.all().iter().map(|tables| Arc::clone(&tables.device)).filter(|name| self.seats.is_moving(name)).collect()
    }

    /// Looks at everything; tells each change.
    pub(super) fn look(&mut self, located: &Located, now: Timestamp) -> Vec<Finding> {
        let setup = located.setup();
        let live = &located.around.live;
        let all = located.tables.all();
        let has_changed = all.len() != self.view.all.len() || all.iter().zip(&self.view.all).any(|(one, other)| !Arc::ptr_eq(one, other));
        if has_changed {
            self.view = View::new(all, live, &setup.settings);
            located.set_uplinks(self.view.uplinks.clone());
        }
        let mut conditions = self.counters(located, &setup.settings);
        conditions.extend(self.seats(live, &setup.settings, now));
        conditions.extend(self.view.breaches.iter().cloned());
        let exemptions = located.exemptions().load_full();
        conditions.retain(|condition| !is_exempt(condition, &exemptions, now));
        conditions.retain_mut(|condition| weigh(condition, &setup, live));
        self.holding.settle(conditions, now)
    }

    fn counters(&mut self, located: &Located, settings: &Settings) -> Vec<Condition> {
        let calendar = located.around.baselines.calendar();
        let mut conditions = Vec::new();
        let fleet: Vec<_> = located.around.live.devices().iter().map(|cell| cell.load()).collect();
        for device in &fleet {
            if self.seen.get(&device.label.name).is_some_and(|before| Arc::ptr_eq(before, device)) {
                continue;
            }
            self.seen.insert(Arc::clone(&device.label.name), Arc::clone(device));
            let Some(tables) = self.view.all.iter().find(|tables| tables.device == device.label.name) else { continue };
            let Some(uplinks) = self.view.uplinks.get(&device.label.name) else { continue };
            let uplink_bps = uplink_bps(device, uplinks);
            for port in device.ports.iter().filter(|port| port.state == PortState::Up) {
                let Some(at) = port.sampled.filter(|at| !self.counters.knows(port.identity.id, *at)) else { continue };
                let reading = reading(device, port, at, tables, uplinks, uplink_bps, &calendar, located);
                conditions.extend(self.counters.look(&reading));
            }
        }
        if self.seen.len() > fleet.len() || settings.devices.len() < self.seen.len() {
            let names: HashSet<&str> = fleet.iter().map(|device| &*device.label.name).collect();
            self.seen.retain(|name, _| names.contains(&**name));
            let here: HashSet<_> = fleet.iter().flat_map(|device| device.ports.iter()).map(|port| port.identity.id).collect();
            self.counters.keep_only(&|id| here.contains(&id));
        }
        conditions
    }

    fn seats(&mut self, live: &Live, settings: &Settings, now: Timestamp) -> Vec<Condition> {
        let view = &self.view;
        let broadcasts = |device: &str, if_index: u32| {
            let device = live.device(device)?;
            device.ports.iter().find(|port| port.identity.if_index.0 == if_index)?.rate(PortMetric::InBroadcast)
        };
        let around = seats::Around {
            is_uplink: &|device, if_index| view.uplinks.get(device).is_some_and(|uplinks| uplinks.contains(&if_index)),
            is_own: &|mac| view.infrastructure.device_of(mac).is_some(),
            broadcasts: &broadcasts,
            is_watched: &|device, port| settings.tables.watch.iter().any(|glob| glob.is_match(&format!("{device}/{port}"))),
            crowded: settings.tables.crowded.into(),
        };
        self.seats.look(&view.all, &around, now)
    }
}

impl View {
    fn new(all: Vec<Arc<DeviceTables>>, live: &Live, settings: &Settings) -> Self {
        let said = |device: &str| {
            let system = live.device(device)?.system.clone()?;
            Some(Arc::from(system.name.as_str())).filter(|name: &Arc<str>| !name.is_empty())
        };
        let infrastructure = Infrastructure::new(&all, &said);
        let is_listed = |device: &str, port: &str| settings.incident.uplinks.iter().any(|glob| glob.is_match(&format!("{device}/{port}")));
        // Of a device whose table was never read whole nobody knows where its ports lead.
        let read = all.iter().filter(|tables| tables.seats_whole.is_some());
        let uplinks = read.map(|tables| (Arc::clone(&tables.device), uplinks(tables, &infrastructure, &is_listed))).collect();
        let breaches = zone::breaches(&all, &settings.zones, &infrastructure);
        Self { all, infrastructure, uplinks, breaches }
    }
}

/// Bits per second of a device's uplinks together; `None` when it has none that counts.
fn uplink_bps(device: &DeviceLive, uplinks: &HashSet<u32>) -> Option<(f64, f64)> {
    let ports = device.ports.iter().filter(|port| port.state == PortState::Up && uplinks.contains(&port.identity.if_index.0));
    let known: Vec<(f64, f64)> = ports.filter_map(|port| Some((port.in_bps()?, port.out_bps()?))).collect();
    (!known.is_empty()).then(|| known.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
}

#[expect(clippy::too_many_arguments, reason = "one look at one port, gathered from everywhere")]
fn reading(
    device: &DeviceLive,
    port: &PortLive,
    at: Timestamp,
    tables: &DeviceTables,
    uplinks: &HashSet<u32>,
    uplink_bps: Option<(f64, f64)>,
    calendar: &Calendar,
    located: &Located,
) -> PortReading {
    let packets = |metrics: [PortMetric; 3]| {
        let known: Vec<f64> = metrics.into_iter().filter_map(|metric| port.rate(metric)).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    };
    let if_index = port.identity.if_index.0;
    let is_access = !uplinks.contains(&if_index);
    let slot = calendar.slot(at);
    let baseline = is_access.then(|| located.around.baselines.of(port.identity.id)).flatten();
    let usual = |measure| baseline.as_ref().and_then(|baseline| baseline.usual(measure, slot));
    let macs = tables.seats.iter().filter(|seat| is_access && seat.if_index == if_index).map(|seat| seat.mac.to_string());
    PortReading {
        id: port.identity.id,
        port: (Arc::clone(&device.label.name), Arc::clone(&port.identity.name)),
        at,
        interval: Duration::from_secs(device.label.interval_s.into()),
        is_access,
        bps: (port.in_bps(), port.out_bps()),
        pps: (
            packets([PortMetric::InUcast, PortMetric::InMulticast, PortMetric::InBroadcast]),
            packets([PortMetric::OutUcast, PortMetric::OutMulticast, PortMetric::OutBroadcast]),
        ),
        broadcasts: port.rate(PortMetric::InBroadcast),
        usual: (usual(Measure::In), usual(Measure::Out)),
        uplink_bps,
        is_work: slot < WORKDAYS && (WORK.0..WORK.1).contains(&(slot % 24)),
        macs: macs.take(8).collect::<Vec<_>>().join(", "),
    }
}

/// Gives a condition the severity that the configuration wants; whether it is judged at all.
fn weigh(condition: &mut Condition, setup: &Setup, live: &Live) -> bool {
    let Some(known) = KNOWN.iter().find(|known| known.name == condition.rule) else { return true };
    let place = setup.scope.place_by(&condition.subject, &condition.evidence);
    let device = condition.subject.holder().map(|name| live.device(name));
    let port = match (&condition.subject, device.flatten()) {
        (Subject::Port(_, name), Some(device)) => {
            let port = device.ports.iter().find(|port| port.identity.name == *name);
            port.map(|port| (Arc::clone(name), setup.book.class_of(&device.label.name, &port.identity)))
        }
        _ => None,
    };
    let whom = Whom {
        device: condition.subject.holder().map(|name| &**name).unwrap_or_default(),
        place: &place,
        port: port.as_ref().map(|(name, class)| (&**name, *class)),
    };
    let Some(threshold) = setup.book.threshold(condition.rule, whom) else { return false };
    // What is told in two steps stays so.
    condition.severity = if condition.severity < known.severity { lesser(threshold.severity) } else { threshold.severity };
    true
}

const fn lesser(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::Major,
        Severity::Major => Severity::Minor,
        Severity::Minor | Severity::Info => Severity::Info,
    }
}

/// Whether somebody has taken a machine out of the judgement of this kind.
fn is_exempt(condition: &Condition, exemptions: &Exemptions, now: Timestamp) -> bool {
    let Some(kind) = Kind::from_rule(condition.rule) else { return false };
    let Subject::Machine(name) = &condition.subject else { return false };
    let Ok(key) = name.parse::<MachineKey>() else { return false };
    let machine = match key {
        MachineKey::Mac(mac) => Machine { mac: Some(mac), ..Machine::default() },
        MachineKey::Ip(ip) => Machine { ip: Some(ip), ..Machine::default() },
    };
    exemptions.covering(kind, &machine, now).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::rules::{RuleMatch, RuleSettings};
    use crate::detect::snmp::{NEW_MAC, PORT_LOOP, PORT_STORM, ZONE_BREACH};
    use crate::model::Evidence;

    fn condition(rule: &'static str, severity: Severity) -> Condition {
        let subject = Subject::Port("sw-a3".into(), "Gi0/17".into());
        Condition { rule, subject, severity, evidence: Evidence::new(), quiet: Duration::ZERO }
    }

    fn weighed(setup: &Setup, rule: &'static str, severity: Severity) -> Option<Severity> {
        let mut condition = condition(rule, severity);
        weigh(&mut condition, setup, &Live::new()).then_some(condition.severity)
    }

    #[test]
    fn rules_over_counters_and_tables_take_their_severity_from_the_configuration() {
        let mut settings = Settings::new("/nowhere");
        let plain = Setup::new(&settings);
        for (rule, severity) in
            [(PORT_STORM, Severity::Minor), (PORT_STORM, Severity::Major), (NEW_MAC, Severity::Minor), (ZONE_BREACH, Severity::Critical)]
        {
            assert_eq!(weighed(&plain, rule, severity), Some(severity), "{rule} as it is built in");
        }
        assert!(RULES.iter().all(|rule| KNOWN.iter().any(|known| known.name == *rule)), "each can be named in [[rule]]");
        let rule = |name: &str| RuleSettings { name: name.into(), ..RuleSettings::default() };
        let here = RuleMatch { device: Some("sw-*".parse().unwrap()), ..RuleMatch::default() };
        settings.rules = vec![
            RuleSettings { severity: Some(Severity::Critical), matches: here, ..rule(PORT_STORM) },
            RuleSettings { enabled: Some(false), ..rule(PORT_LOOP) },
            RuleSettings { severity: Some(Severity::Info), ..rule(NEW_MAC) },
        ];
        let own = Setup::new(&settings);
        assert_eq!(weighed(&own, PORT_STORM, Severity::Major), Some(Severity::Critical));
        assert_eq!(weighed(&own, PORT_STORM, Severity::Minor), Some(Severity::Major), "the first step stays below");
        assert_eq!(weighed(&own, PORT_LOOP, Severity::Major), None, "switched off");
        assert_eq!(weighed(&own, NEW_MAC, Severity::Minor), Some(Severity::Info));
    }
}
