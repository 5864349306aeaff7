//! Who sits where, in the house: the task that reads tables, and the one that judges by them and keeps the facts of the site.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::daemon::baseline::Baselines;
use crate::daemon::flow::Flow;
use crate::daemon::ourselves::ourselves;
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::daemon::tables_judge::Judge;
use crate::detect::exempt::{self, Exemptions, Expiry};
use crate::detect::facts::{self, Ourselves};
use crate::detect::standing::{self, Known, Part};
use crate::detect::{Machine, Site, Surroundings};
use crate::incident;
use crate::incident::rules::plan::Book;
use crate::incident::scope::Scope;
use crate::locate::driver::{Device, Driver, Fleet, Stats};
use crate::locate::pace::Polled;
use crate::locate::{self, DeviceTables, Interface, Tables};
use crate::metrics::TableCollector;
use crate::model::observe::InterfaceRow;
use crate::model::{DeviceText, Finding, Subject, Timestamp, clock};
use crate::ports::live::{DeviceLive, DeviceState, Live};
use crate::snmp::job::{Target, Transport};
use crate::store::{Store, StoreError};

/// How often it is looked at what has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often exemptions are read again, which commands change beside us.
const AGAIN_EVERY: Duration = Duration::from_secs(15);
/// How often snapshots that have changed go to the disk.
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// A device on which somebody moves is read so often.
const MOVING_EVERY: Duration = Duration::from_secs(60);

/// Ports by device and ifIndex.
pub(super) type Uplinks = HashMap<Arc<str>, HashSet<u32>>;
/// Rules with their subjects.
type Raised = Vec<(Arc<str>, Subject)>;

/// What the tasks need of the house.
pub(super) struct Around {
    pub(super) store: Store,
    pub(super) live: Arc<Live>,
    pub(super) findings: mpsc::Sender<Finding>,
    pub(super) baselines: Arc<Baselines>,
}

/// A device whose tables are read.
struct Walked {
    target: Arc<Target>,
    /// The shortest interval of its polls.
    interval: Duration,
}

/// What the configuration says.
pub(super) struct Setup {
    pub(super) settings: Settings,
    /// The thresholds of `[[rule]]`, and where devices belong.
    pub(super) book: Book,
    pub(super) scope: Scope,
    walked: HashMap<Arc<str>, Walked>,
}

/// The tables with everything around them.
pub(super) struct Located {
    pub(super) around: Around,
    pub(super) tables: Arc<Tables>,
    setup: ArcSwap<Setup>,
    stats: Arc<Stats>,
    /// Devices that are read more often.
    moving: Mutex<HashSet<Arc<str>>>,
    exemptions: Arc<ArcSwap<Exemptions>>,
    /// The ports that lead to other bridges, as the judge sees them.
    uplinks: ArcSwap<Uplinks>,
    pub(super) ourselves: Ourselves,
    site: watch::Sender<Arc<Site>>,
}

impl Located {
    /// Nothing runs yet.
    pub(super) fn new(settings: &Settings, around: Around) -> Self {
        let ourselves = ourselves();
        let site = facts::site(&settings.site, &settings.zones, &[], &ourselves, clock::wall());
        Self {
            around,
            tables: Arc::default(),
            setup: ArcSwap::from_pointee(Setup::new(settings)),
            stats: Arc::default(),
            moving: Mutex::default(),
            exemptions: Arc::new(ArcSwap::from_pointee(Exemptions::new(&settings.exemptions, Vec::new()))),
            uplinks: ArcSwap::default(),
            ourselves,
            site: watch::Sender::new(Arc::new(site)),
        }
    }

    /// The facts of the site, told anew when they change.
    pub(super) fn site(&self) -> watch::Receiver<Arc<Site>> {
        self.site.subscribe()
    }

    /// The exemptions, in force or not.
    pub(super) fn exemptions(&self) -> Arc<ArcSwap<Exemptions>> {
        Arc::clone(&self.exemptions)
    }

    /// For Prometheus.
    pub(super) fn collector(&self) -> TableCollector {
        let site = self.site();
        let facts = move || {
            let site = site.borrow();
            let live = site.live.as_ref().map_or(0, HashSet::len);
            vec![
                ("router", site.routers.len()),
                ("gateway", site.gateways.len()),
                ("server", site.servers.len()),
                ("live", live),
                ("exempt", site.exempt.len() + site.exempt_macs.len()),
            ]
        };
        TableCollector { stats: Arc::clone(&self.stats), facts: Box::new(facts) }
    }

    /// Whether a device that answers has not told its tables yet: a port that leads to it looks like any other.
    pub(super) fn is_incomplete(&self) -> bool {
        let setup = self.setup();
        let answers = |name: &str| {
            let live = self.around.live.device(name);
            live.is_some_and(|live| matches!(live.health.state, DeviceState::Up | DeviceState::Degraded))
        };
        setup.walked.keys().any(|name| answers(name) && self.tables.of(name).is_none())
    }

    /// What the configuration says now.
    pub(super) fn setup(&self) -> Arc<Setup> {
        self.setup.load_full()
    }

    /// The judge has found out which ports lead to other bridges.
    pub(super) fn set_uplinks(&self, uplinks: Uplinks) {
        self.uplinks.store(Arc::new(uplinks));
    }

    /// Another configuration is in force.
    pub(super) fn reloaded(&self, settings: &Settings) {
        self.setup.store(Arc::new(Setup::new(settings)));
    }

    /// Starts the tasks.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor, transport: &Arc<dyn Transport>) {
        let (located, transport) = (Arc::clone(self), Arc::clone(transport));
        supervisor.spawn(Task::service("tables"), move |token| {
            let (fleet, tables) = (Arc::clone(&located) as Arc<dyn Fleet>, Arc::clone(&located.tables));
            let driver = Driver::new(Arc::clone(&transport), fleet, tables, Arc::clone(&located.stats));
            async move { driver.run(token).await }
        });
        let located = Arc::clone(self);
        supervisor.spawn(Task::service("site").stage(Stage::Keeping), move |token| {
            let located = Arc::clone(&located);
            async move { located.life(token).await }
        });
    }

    /// One life of the judging task.
    async fn life(&self, token: CancellationToken) -> Result<(), StoreError> {
        let now = clock::wall();
        let (raised, watched) = self.recall(now).await?;
        let mut judge = Judge::new(watched);
        let mut expiry = Expiry::default();
        for (rule, subject) in raised {
            if *rule == *exempt::EXPIRES {
                expiry.assume(subject);
            } else {
                judge.assume(rule, subject, now);
            }
        }
        let mut saved: HashMap<Arc<str>, Arc<DeviceTables>> = self.by_name();
        let (mut again, mut save) = (Timestamp::default(), now);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while token.run_until_cancelled(look.tick()).await.is_some() {
            let now = clock::wall();
            let mut found = judge.look(self, now);
            *self.moving.lock().unwrap_or_else(PoisonError::into_inner) = judge.moving(&self.tables);
            let new = judge.take_new();
            if !new.is_empty() {
                locate::store::note_watched(&self.around.store, new, now).await?;
            }
            if now.since(again) >= AGAIN_EVERY {
                again = now;
                self.renew(now).await?;
                found.extend(expiry.look(&self.exemptions.load(), now));
            }
            if now.since(save) >= SAVE_EVERY {
                save = now;
                self.save(&mut saved).await?;
            }
            for finding in found {
                if token.run_until_cancelled(self.around.findings.send(finding)).await.is_none() {
                    break;
                }
            }
        }
        self.save(&mut saved).await
    }

    /// What was known and raised before a restart.
    async fn recall(&self, now: Timestamp) -> Result<(Raised, locate::ByPort), StoreError> {
        let store = self.around.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let raised: Raised = incident::store::load(&store, now)?.raised().collect();
            let file = store.reader()?;
            let kept = locate::store::load(&file).and_then(|all| Ok((all, locate::store::watched(&file)?)));
            let (all, watched) = kept.map_err(|error| StoreError::sqlite(store.path(), error))?;
            Ok((raised, all, watched))
        });
        let read: Result<_, StoreError> = read.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let (raised, all, watched) = read?;
        let setup = self.setup();
        for tables in all.iter().filter(|tables| self.tables.of(&tables.device).is_none()) {
            if setup.walked.contains_key(&tables.device) {
                self.tables.put(tables);
            }
        }
        Ok((raised, watched))
    }

    /// Exemptions and facts of the site, as they are now.
    async fn renew(&self, now: Timestamp) -> Result<(), StoreError> {
        let store = self.around.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let file = store.reader()?;
            exempt::store::load(&file).map_err(|error| StoreError::sqlite(store.path(), error))
        });
        let recorded = read.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let setup = self.setup();
        self.exemptions.store(Arc::new(Exemptions::new(&setup.settings.exemptions, recorded)));
        let site = facts::site(&setup.settings.site, &setup.settings.zones, &self.tables.all(), &self.ourselves, now);
        self.site.send_if_modified(|current| {
            let is_new = **current != site;
            if is_new {
                *current = Arc::new(site);
            }
            is_new
        });
        Ok(())
    }

    /// Writes the snapshots that have changed.
    async fn save(&self, saved: &mut HashMap<Arc<str>, Arc<DeviceTables>>) -> Result<(), StoreError> {
        let current = self.by_name();
        let is_new = |tables: &&Arc<DeviceTables>| saved.get(&tables.device).is_none_or(|before| !Arc::ptr_eq(before, tables));
        let changed: Vec<_> = current.values().filter(is_new).cloned().collect();
        if !changed.is_empty() {
            locate::store::save(&self.around.store, changed).await?;
        }
        if saved.keys().any(|name| !current.contains_key(name)) {
            locate::store::keep_only(&self.around.store, current.keys().cloned().collect()).await?;
        }
        *saved = current;
        Ok(())
    }

    fn by_name(&self) -> HashMap<Arc<str>, Arc<DeviceTables>> {
        self.tables.all().into_iter().map(|tables| (Arc::clone(&tables.device), tables)).collect()
    }
}

impl Setup {
    pub(super) fn new(settings: &Settings) -> Self {
        let walked = settings.devices.iter().filter(|device| settings.tables.enabled && device.tables).map(|device| {
            let interval = device.ports.iter().map(|rule| rule.interval).chain([device.interval]).min().unwrap_or(device.interval);
            (Arc::clone(&device.name), Walked { target: super::inventory::target(device), interval })
        });
        Self {
            walked: walked.collect(),
            book: Book::new(&settings.rules, &settings.incident.uplinks),
            scope: super::incident::scope(settings),
            settings: settings.clone(),
        }
    }
}

/// What is said of a machine beside what it does itself.
impl Surroundings for Arc<Located> {
    fn port(&self, machine: &Machine) -> Option<(Arc<str>, Arc<str>)> {
        let bound = || self.tables.bindings(machine.ip?.to_canonical()).into_iter().find_map(|(_, binding)| binding.mac);
        let mac = machine.mac.or_else(bound)?;
        let uplinks = self.uplinks.load();
        let is_access = |place: &locate::Place| uplinks.get(&place.device).is_some_and(|ports| !ports.contains(&place.if_index));
        self.tables.places(mac).into_iter().find(is_access).map(|place| (place.device, place.port))
    }

    fn known(&self, machine: &Machine) -> Known {
        let now = clock::wall();
        let exemptions = self.exemptions.load();
        let in_force = exemptions.about(machine).filter(|exemption| now < exemption.until);
        let told = |exemption: &exempt::Exemption| standing::Exemption {
            owner: Arc::clone(&exemption.owner),
            reason: Arc::clone(&exemption.reason),
            expires: Some(exemption.until),
            kinds: exemption.kinds.clone(),
        };
        Known { parts: Part::of(&self.site.borrow(), machine), exemptions: in_force.map(told).collect(), learnt: Vec::new() }
    }
}

impl Fleet for Located {
    fn polls(&self) -> Vec<Polled> {
        let setup = self.setup();
        let moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let polled = |live: Arc<DeviceLive>| {
            let walked = setup.walked.get(&live.label.name)?;
            let every = setup.settings.tables.every;
            Some(Polled {
                device: Arc::clone(&live.label.name),
                ended: live.health.last_poll,
                took: Duration::from_millis(live.health.poll_ms.unwrap_or(0).into()),
                interval: walked.interval,
                answers: matches!(live.health.state, DeviceState::Up | DeviceState::Degraded),
                every: if moving.contains(&live.label.name) { every.min(MOVING_EVERY) } else { every },
            })
        };
        self.around.live.devices().iter().filter_map(|cell| polled(cell.load())).collect()
    }

    fn device(&self, name: &str) -> Option<Device> {
        let setup = self.setup();
        let (walked, live) = (setup.walked.get(name)?, self.around.live.device(name)?);
        let identities = || live.ports.iter().map(|port| &port.identity);
        let interface =
            |port: &Arc<crate::model::PortIdentity>| Interface { if_index: port.if_index.0, name: Arc::clone(&port.name), mac: port.mac };
        let row = |port: &Arc<crate::model::PortIdentity>| InterfaceRow {
            if_index: port.if_index.0,
            if_name: Some(DeviceText::decode(port.name.as_bytes())),
            if_descr: Some(port.descr.clone()),
            if_type: Some(port.if_type),
            ..InterfaceRow::default()
        };
        Some(Device {
            zone: live.label.zone,
            target: Arc::clone(&walked.target),
            rows: identities().map(row).collect(),
            interfaces: identities().map(interface).collect(),
        })
    }
}

/// The line of polls is not touched: tables go over the same transport, between them.
pub(super) fn build(
    settings: &Settings,
    flow: &Flow,
    store: Store,
    findings: mpsc::Sender<Finding>,
    baselines: Arc<Baselines>,
) -> Arc<Located> {
    Arc::new(Located::new(settings, Around { store, live: Arc::clone(&flow.live), findings, baselines }))
}
