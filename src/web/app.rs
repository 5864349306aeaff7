//! What the pages stand on: the live table, the store, the office's zone, and what the room itself remembers.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::access::{Access, AccessRules};
use super::change::Changes;
use super::reach::Reachability;
use super::source::{HistoryError, HistorySource, Keeping};
use super::spark::{SparkMap, Sparks};
use super::time::Clock;
use crate::accounts::Accounts;
use crate::block::Counter;
use crate::capture::recording::Desk;
use crate::detect;
use crate::incident::Hall;
use crate::locate::seek::Seeker;
use crate::model::{PortId, Timestamp, clock};
use crate::notify::Sender;
use crate::ping::live::Board;
use crate::ports::live::{DeviceLive, DeviceState, Live};

/// Open live streams at most; past this a page still loads and says that it does not move.
const STREAMS: usize = 256;
/// How often the table is compared with what it was.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The parts of the dashboard.
pub struct App {
    live: Arc<Live>,
    history: Arc<dyn HistorySource>,
    zone: TimeZone,
    closing: CancellationToken,
    read_clock: fn() -> Timestamp,
    changes: Changes,
    sparks: Sparks,
    streams: Arc<Semaphore>,
    incidents: Option<Arc<Hall>>,
    access: Access,
    board: Arc<Board>,
    reach: Option<Reachability>,
    outbox: Option<Arc<Sender>>,
    detect: Arc<detect::Board>,
    recordings: Option<Arc<Desk>>,
    blocks: Option<Arc<Counter>>,
    places: Option<Arc<dyn Seeker>>,
}

impl App {
    /// A dashboard over a table and a store. Times are shown in `zone`; live streams end when `closing` is cancelled.
    /// Everybody may look, until [`Self::with_accounts`] says who may what.
    pub fn new(live: Arc<Live>, history: Arc<dyn HistorySource>, zone: TimeZone, closing: CancellationToken) -> Self {
        Self {
            live,
            history,
            zone,
            closing,
            read_clock: clock::wall,
            changes: Changes::default(),
            sparks: Sparks::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            incidents: None,
            access: Access::open(),
            board: Arc::default(),
            reach: None,
            outbox: None,
            detect: Arc::default(),
            recordings: None,
            blocks: None,
            places: None,
        }
    }

    /// Shows hosts and services too.
    #[must_use]
    pub fn with_reach(mut self, reach: Reachability) -> Self {
        self.board = Arc::clone(&reach.board);
        self.reach = Some(reach);
        self
    }

    /// Every host and service now; an empty table where nobody is pinged.
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// Reachability, where somebody is pinged.
    pub(crate) const fn reach(&self) -> Option<&Reachability> {
        self.reach.as_ref()
    }

    /// With what is wrong and was.
    #[must_use]
    pub fn with_incidents(mut self, incidents: Arc<Hall>) -> Self {
        self.incidents = Some(incidents);
        self
    }

    /// What is wrong and was; `None` where nobody looks after that.
    pub(crate) const fn incidents(&self) -> Option<&Arc<Hall>> {
        self.incidents.as_ref()
    }

    /// Reads the time from `read` instead of the machine's clock.
    #[must_use]
    pub fn with_clock(mut self, read: fn() -> Timestamp) -> Self {
        self.read_clock = read;
        self
    }

    /// With people who log in, by these rules.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Arc<Accounts>, rules: AccessRules) -> Self {
        self.access = Access::new(accounts, rules);
        self
    }

    /// With the outbox of notices to look into.
    #[must_use]
    pub fn with_outbox(mut self, sender: Arc<Sender>) -> Self {
        self.outbox = Some(sender);
        self
    }

    /// The outbox of notices, where there is one.
    pub(crate) const fn outbox(&self) -> Option<&Arc<Sender>> {
        self.outbox.as_ref()
    }

    /// Shows machines and what is held against them.
    #[must_use]
    pub fn with_detect(mut self, board: Arc<detect::Board>) -> Self {
        self.detect = board;
        self
    }

    /// Machines and what is held against them; empty where nothing is captured.
    pub(crate) fn detect(&self) -> &detect::Board {
        &self.detect
    }

    /// With captures of single hosts.
    #[must_use]
    pub fn with_recordings(mut self, desk: Arc<Desk>) -> Self {
        self.recordings = Some(desk);
        self
    }

    /// Captures of single hosts, where there is a place for them.
    pub(crate) const fn recordings(&self) -> Option<&Arc<Desk>> {
        self.recordings.as_ref()
    }

    /// With whoever knows where machines sit.
    #[must_use]
    pub fn with_places(mut self, places: Arc<dyn Seeker>) -> Self {
        self.places = Some(places);
        self
    }

    /// Whoever knows where machines sit.
    pub(crate) const fn places(&self) -> Option<&Arc<dyn Seeker>> {
        self.places.as_ref()
    }

    /// With the cases of machines that are cut off.
    #[must_use]
    pub fn with_blocks(mut self, counter: Arc<Counter>) -> Self {
        self.blocks = Some(counter);
        self
    }

    /// Cases of machines that are cut off, where there is a place for them.
    pub(crate) const fn blocks(&self) -> Option<&Arc<Counter>> {
        self.blocks.as_ref()
    }

    /// From now on by these rules.
    pub fn set_access_rules(&self, rules: AccessRules) {
        self.access.set_rules(rules);
    }

    /// Who may what.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// Watches the table for changes of state until cancelled: what the pages list as the last events.
    pub async fn watch(&self, token: CancellationToken) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        while token.run_until_cancelled(every.tick()).await.is_some() {
            self.look();
        }
    }

    /// Compares the table once with what it was at the last look.
    pub fn look(&self) {
        self.changes.observe(&self.live, (self.read_clock)());
    }

    /// The office's clock at this moment.
    pub(crate) fn clock(&self) -> Clock {
        Clock::new(self.zone.clone(), (self.read_clock)())
    }

    /// Every device now, in the order of the configuration.
    pub(crate) fn fleet(&self) -> Vec<Arc<DeviceLive>> {
        self.live.devices().iter().map(|cell| cell.load()).collect()
    }

    /// One device now.
    pub(crate) fn device(&self, name: &str) -> Option<Arc<DeviceLive>> {
        self.live.device(name)
    }

    /// The device that has this port, and where the port stands in it.
    pub(crate) fn port(&self, id: PortId) -> Option<(Arc<DeviceLive>, usize)> {
        self.live.devices().iter().map(|cell| cell.load()).find_map(|device| {
            let index = device.ports.iter().position(|port| port.identity.id == id)?;
            Some((device, index))
        })
    }

    /// Whether what is measured is kept.
    pub(crate) fn keeping(&self) -> Keeping {
        self.history.keeping()
    }

    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    pub(crate) const fn streams(&self) -> &Arc<Semaphore> {
        &self.streams
    }

    /// Whether every configured device has been asked at least once since the start.
    pub(crate) fn is_ready(&self) -> bool {
        self.fleet().iter().all(|device| device.health.state != DeviceState::Unknown)
    }

    /// Asks the store on a blocking thread.
    ///
    /// # Errors
    /// What the question answers with, or that its thread died.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn HistorySource) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let history = Arc::clone(&self.history);
        tokio::task::spawn_blocking(move || question(&*history))
            .await
            .unwrap_or_else(|_| Err(HistoryError::Unreadable("the reading thread died".to_owned())))
    }

    /// Sparklines of these ports; those that the store cannot give are left out.
    pub(crate) async fn sparks(self: &Arc<Self>, ports: Vec<PortId>, now: Timestamp) -> SparkMap {
        let (mut known, missing) = self.sparks.known(&ports, now);
        if !missing.is_empty() {
            let app = Arc::clone(self);
            let read = tokio::task::spawn_blocking(move || app.sparks.read(&*app.history, &missing, now)).await;
            known.extend(read.unwrap_or_default());
        }
        known
    }
}
