//! The incidents in the house: the channel that all judges speak into, the task that owns the incidents, and who is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rusqlite::Connection;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::calendar::Days;
use crate::config::Settings;
use crate::config::rules::{MaintenanceSettings, Occasion};
use crate::daemon::baseline::Baselines;
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::detect::baseline::Calendar;
use crate::incident::driver::FINDINGS;
use crate::incident::engine::Limits;
use crate::incident::rules::anomaly::Anomalies;
use crate::incident::rules::own::{OwnHealth, OwnRules};
use crate::incident::rules::plan::{Book, Whom};
use crate::incident::rules::{Reach, Rules};
use crate::incident::scope::{Place, Scope};
use crate::incident::windows::{Purpose, Target, When, Window};
use crate::incident::{self, Driver, Hall, Notices, Setup};
use crate::model::{Evidence, Finding, Notice, Severity, Subject, Verdict, clock};
use crate::ports::live::{DeviceLive, Live, PortLive};
use crate::series::{Reader, StoreState};
use crate::store::{Store, StoreError};

/// How often the live table is looked at. A device that has not changed costs nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so many looks ports that are gone are forgotten.
const FORGET_EVERY: u64 = 60;

/// Those who are told of changes of incidents, each within the transaction of the change.
struct Outboxes(Vec<Arc<dyn Notices>>);

impl Notices for Outboxes {
    fn enqueue(&self, change: &Connection, notice: &Notice) -> rusqlite::Result<()> {
        self.0.iter().try_for_each(|outbox| outbox.enqueue(change, notice))
    }
}

/// The incidents with everything around them.
pub(super) struct Incidents {
    store: Store,
    hall: Arc<Hall>,
    findings: mpsc::Sender<Finding>,
    receiver: Mutex<mpsc::Receiver<Finding>>,
    outboxes: Arc<Outboxes>,
    setup: ArcSwap<Setup>,
    book: ArcSwap<Book>,
    judged: Judged,
    baselines: Arc<Baselines>,
}

/// What the rules look at.
pub(super) struct Judged {
    /// Devices and ports.
    pub(super) live: Arc<Live>,
    /// The store of samples.
    pub(super) series: Reader,
}

impl Incidents {
    /// Nothing runs yet. The outboxes are told of every change, within its transaction.
    pub(super) fn new(store: Store, settings: &Settings, judged: Judged, outboxes: Vec<Arc<dyn Notices>>) -> Self {
        let (findings, receiver) = mpsc::channel(FINDINGS);
        let setup = ArcSwap::from_pointee(setup(settings));
        let baselines = Arc::new(Baselines::new(calendar(settings)));
        let book = ArcSwap::from_pointee(Book::new(&settings.rules, &settings.incident.uplinks));
        let hall = Arc::new(Hall::new(store.clone()));
        hall.board().watch_hosts(hosts_and_services(settings));
        Self {
            store,
            hall,
            findings,
            receiver: Mutex::new(receiver),
            outboxes: Arc::new(Outboxes(outboxes)),
            setup,
            book,
            judged,
            baselines,
        }
    }

    /// What pages and metrics read.
    pub(super) const fn hall(&self) -> &Arc<Hall> {
        &self.hall
    }

    /// What is usual for each port.
    pub(super) const fn baselines(&self) -> &Arc<Baselines> {
        &self.baselines
    }

    /// Starts the task. It ends among the last, so that what others found while they ended is kept.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor, reach: &Arc<dyn Reach>) {
        let incidents = Arc::clone(self);
        supervisor.spawn(Task::service("incidents").stage(Stage::Keeping), move |token| {
            let incidents = Arc::clone(&incidents);
            async move { incidents.life(token).await }
        });
        let (incidents, reach) = (Arc::clone(self), Arc::clone(reach));
        supervisor.spawn(Task::service("rules"), move |token| {
            let (incidents, reach) = (Arc::clone(&incidents), Arc::clone(&reach));
            async move { incidents.judge(&*reach, token).await }
        });
        let incidents = Arc::clone(self);
        let runtime = tokio::runtime::Handle::current();
        supervisor.spawn_thread(Task::service("baselines"), move |token: CancellationToken| {
            incidents.baselines.learn(&incidents.judged.live, &incidents.judged.series, &runtime, &token)
        });
    }

    /// Where judges send what they find. They wait when it is full: a change that is told once must not be lost.
    pub(super) fn findings(&self) -> mpsc::Sender<Finding> {
        self.findings.clone()
    }

    /// How much a port's going down matters, if it is to be told at once; `None` where the rules wait or say nothing.
    pub(super) fn weight(&self, device: &DeviceLive, port: &PortLive) -> Option<Severity> {
        let (book, setup, name) = (self.book.load(), self.setup.load(), &device.label.name);
        let place = setup.scope.place(&Subject::Device(Arc::clone(name)));
        let class = book.class_of(name, &port.identity);
        let whom = Whom { device: name, place: &place, port: Some((&port.identity.name, class)) };
        let threshold = book.threshold("port-down", whom)?;
        // A socket that must have been up for long is left to the rule that knows for how long it was.
        threshold.up_for.is_zero().then_some(threshold.severity)
    }

    /// One life of the rules: looks each second at what has changed.
    async fn judge(&self, reach: &dyn Reach, token: CancellationToken) -> Result<(), StoreError> {
        let (mut book, setup) = (self.book.load_full(), self.setup.load_full());
        let saved = {
            let store = self.store.clone();
            let read = tokio::task::spawn_blocking(move || incident::store::load(&store, clock::wall())).await;
            read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?
        };
        let mut rules = Rules::new(Book::clone(&book), setup.scope.clone(), saved.raised());
        let mut own = OwnRules::new(saved.raised());
        let mut anomalies = Anomalies::default();
        let mut looks = 0_u64;
        let findings = self.findings();
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while token.run_until_cancelled(every.tick()).await.is_some() {
            let now = clock::wall();
            let current = self.book.load_full();
            if !Arc::ptr_eq(&book, &current) {
                rules.set_book(Book::clone(&current), self.setup.load().scope.clone());
                book = current;
            }
            let fleet: Vec<_> = self.judged.live.devices().iter().map(|cell| cell.load()).collect();
            self.hall.board().watch_ports(fleet.iter().map(|device| 1 + device.ports.len()).sum());
            looks += 1;
            let mut found = rules.look(&fleet, reach, &self.hall.board().hearsay(), now);
            if looks.is_multiple_of(FORGET_EVERY) {
                let here = fleet.iter().flat_map(|device| device.ports.iter()).map(|port| port.identity.id).collect();
                found.extend(anomalies.keep_only(&here, now));
            }
            found.extend(anomalies.look(&fleet, &|port| self.baselines.of(port), &self.baselines.calendar(), now));
            found.extend(own.look(&book, self.own_health(), now));
            for finding in found {
                if token.run_until_cancelled(findings.send(finding)).await.is_none() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn own_health(&self) -> OwnHealth {
        let stats = self.judged.series.stats();
        let is_failing = matches!(stats.state, StoreState::Full | StoreState::Failing);
        let is_low = matches!(stats.state, StoreState::Full | StoreState::LowSpace);
        OwnHealth { is_failing, is_low, free_bytes: stats.free_bytes }
    }

    /// The configuration was read again: a new one is in force, or the old one stays because it was bad.
    pub(super) async fn reloaded(&self, settings: Option<&Settings>) {
        let verdict = if settings.is_some() { Verdict::Cleared } else { Verdict::Raised(Severity::Minor) };
        let subject = Subject::Part("configuration".into());
        let finding =
            Finding { rule: "config-reload-failed".into(), subject, verdict, at: clock::wall(), cause: None, evidence: Evidence::new() };
        // The channel is closed at the end of the program only.
        let _ = self.findings.send(finding).await;
        let Some(settings) = settings else { return };
        let setup = setup(settings);
        self.setup.store(Arc::new(setup.clone()));
        self.hall.board().watch_hosts(hosts_and_services(settings));
        self.book.store(Arc::new(Book::new(&settings.rules, &settings.incident.uplinks)));
        self.baselines.set_calendar(calendar(settings));
        if let Ok(desk) = self.hall.desk() {
            desk.set_up(setup).await;
        }
    }

    /// One life of the task.
    async fn life(&self, token: CancellationToken) -> Result<(), StoreError> {
        let mut receiver = self.receiver.lock().await;
        let (store, board, notices) = (self.store.clone(), Arc::clone(self.hall.board()), Arc::clone(&self.outboxes) as Arc<dyn Notices>);
        let setup = Setup::clone(&self.setup.load());
        let opened = tokio::task::spawn_blocking(move || Driver::open(store, board, notices, setup)).await;
        let (driver, desk) = opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        self.hall.install(desk);
        driver.run(&mut receiver, token).await;
        Ok(())
    }
}

/// What is watched besides devices and their ports.
fn hosts_and_services(settings: &Settings) -> usize {
    settings.hosts.iter().map(|host| 1 + host.checks.len()).sum()
}

/// The office's days: those that the program knows, under those of the configuration.
pub(super) fn calendar(settings: &Settings) -> Calendar {
    let days = Days::new(&settings.calendar);
    Calendar::new(settings.time_zone.clone(), days.off(), days.worked())
}

/// Where devices and hosts belong.
pub(super) fn scope(settings: &Settings) -> Scope {
    let place = |site: &Arc<str>, zone, tags: &[Arc<str>]| Place { site: Arc::clone(site), zone: Some(zone), tags: tags.to_vec() };
    let hosts = settings.hosts.iter().map(|host| (Arc::clone(&host.name), place(&host.site, host.zone, &host.tags)));
    let devices = settings.devices.iter();
    let places: HashMap<Arc<str>, Place> =
        devices.map(|device| (Arc::clone(&device.name), place(&device.site, device.zone, &device.tags))).chain(hosts).collect();
    Scope::new(places)
}

/// What the configuration says of incidents.
fn setup(settings: &Settings) -> Setup {
    let (scope, own) = (scope(settings), &settings.incident);
    let limits = Limits {
        settle: own.settle,
        reopen: own.reopen,
        grace: own.grace,
        flap_raises: own.flaps.into(),
        flap_calm: own.calm,
        storm_percent: own.storm_percent,
        storm_most: own.storm_most.into(),
        ..Limits::default()
    };
    let windows = settings.maintenance.iter().zip(1..).map(|(window, number)| configured(window, number)).collect();
    Setup { limits, scope, zone: settings.time_zone.clone(), windows }
}

/// A window of the configuration; its number is negative, so that it is told from those in the database.
fn configured(window: &MaintenanceSettings, number: i64) -> Window {
    Window {
        id: -number,
        purpose: if window.freeze { Purpose::Freeze } else { Purpose::Maintenance },
        target: Target {
            devices: window.devices.clone(),
            sites: window.sites.clone(),
            ports: window.ports.clone(),
            tags: window.tags.clone(),
        },
        when: match &window.when {
            Occasion::Once { from, to } => When::Once { from: *from, to: *to },
            Occasion::Weekly { days, from, to } => When::Weekly { days: days.clone(), from: *from, to: *to },
        },
        by: "".into(),
        comment: window.comment.clone(),
    }
}
