//! The incidents in the house: the channel that all judges speak into, the task that owns the incidents, and who is told.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rusqlite::Connection;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::incident::driver::FINDINGS;
use crate::incident::engine::Limits;
use crate::incident::scope::{Place, Scope};
use crate::incident::{Driver, Hall, Notices, Setup};
use crate::model::{Evidence, Finding, Notice, Severity, Subject, Verdict, clock};
use crate::store::{Store, StoreError};

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
}

impl Incidents {
    /// Nothing runs yet. The outboxes are told of every change, within its transaction.
    pub(super) fn new(store: Store, settings: &Settings, outboxes: Vec<Arc<dyn Notices>>) -> Self {
        let (findings, receiver) = mpsc::channel(FINDINGS);
        let setup = ArcSwap::from_pointee(setup(settings));
        let hall = Arc::new(Hall::new(store.clone()));
        Self { store, hall, findings, receiver: Mutex::new(receiver), outboxes: Arc::new(Outboxes(outboxes)), setup }
    }

    /// What pages and metrics read.
    pub(super) const fn hall(&self) -> &Arc<Hall> {
        &self.hall
    }

    /// Where judges speak into.
    pub(super) fn findings(&self) -> mpsc::Sender<Finding> {
        self.findings.clone()
    }

    /// Starts the task. It ends among the last, so that what others found while they ended is kept.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor) {
        let incidents = Arc::clone(self);
        supervisor.spawn(Task::service("incidents").stage(Stage::Keeping), move |token| {
            let incidents = Arc::clone(&incidents);
            async move { incidents.life(token).await }
        });
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

/// What the configuration says of incidents.
fn setup(settings: &Settings) -> Setup {
    let place = |site: &Arc<str>, zone, tags: &[Arc<str>]| Place { site: Arc::clone(site), zone: Some(zone), tags: tags.to_vec() };
    let hosts = settings.hosts.iter().map(|host| (Arc::clone(&host.name), place(&host.site, host.zone, &host.tags)));
    let devices = settings.devices.iter();
    let places: HashMap<Arc<str>, Place> =
        devices.map(|device| (Arc::clone(&device.name), place(&device.site, device.zone, &device.tags))).chain(hosts).collect();
    let subjects = places.len();
    Setup { limits: Limits::default(), scope: Scope::new(places, subjects), zone: settings.time_zone.clone(), windows: Vec::new() }
}
