//! The line that samples walk, as tasks that can be started anew: poller → relay (counts) → ports → feed → series.
//!
//! Each start of the poller and of the ports task makes its own channels; whoever speaks to them asks for the door of the
//! moment. So a task that panicked begins again without the others noticing more than a missing poll.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::daemon::liveness::Pulse;
use crate::metrics::OwnMetrics;
use crate::model::clock;
use crate::model::observe::PollRound;
use crate::model::sample::DeviceSample;
use crate::ports::driver::{Counts, Driver, Inputs};
use crate::ports::live::{DeviceLabel, Live};
use crate::ports::store as catalogue;
use crate::ports::tracker::Tracker;
use crate::series::Writer;
use crate::snmp::job::Transport;
use crate::snmp::poll::driver::{Options, PollDevice, Poller, PollerHandle};
use crate::store::{Store, StoreError};

/// Polls that may wait for the ports task; beyond that the poller holds them back.
pub(super) const ROUNDS: usize = 4096;
/// Samples that may wait for the store's writer.
pub(super) const SAMPLES: usize = 8192;

/// The configured devices, as the tasks take them.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// For the ports task.
    pub(super) labels: Vec<Arc<DeviceLabel>>,
    /// For the poller.
    pub(super) devices: Vec<PollDevice>,
}

/// A channel whose receiver outlives the task that reads it.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: mpsc::Sender<T>,
    receiver: Mutex<mpsc::Receiver<T>>,
}

impl<T> Queue<T> {
    fn new(capacity: usize) -> Self {
        let (sender, receiver) = mpsc::channel(capacity);
        Self { sender, receiver: Mutex::new(receiver) }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

/// The way into the ports task of the moment.
#[derive(Debug)]
struct PortsDoor {
    rounds: mpsc::Sender<PollRound>,
    devices: mpsc::Sender<Vec<Arc<DeviceLabel>>>,
}

/// The line with its doors.
pub(super) struct Flow {
    pub(super) live: Arc<Live>,
    pub(super) counts: Arc<Counts>,
    pub(super) rounds: Queue<PollRound>,
    pub(super) samples: Queue<DeviceSample>,
    store: Store,
    roster: Mutex<Roster>,
    poller: ArcSwapOption<PollerHandle>,
    ports: ArcSwapOption<PortsDoor>,
}

impl Flow {
    /// Nothing runs yet.
    pub(super) fn new(store: Store, live: Arc<Live>, roster: Roster) -> Self {
        Self {
            live,
            counts: Arc::default(),
            rounds: Queue::new(ROUNDS),
            samples: Queue::new(SAMPLES),
            store,
            roster: Mutex::new(roster),
            poller: ArcSwapOption::empty(),
            ports: ArcSwapOption::empty(),
        }
    }

    /// The poller of the moment.
    pub(super) fn poller(&self) -> Option<Arc<PollerHandle>> {
        self.poller.load_full()
    }

    /// Takes another set of devices: the ports task first, so that it knows each device before its first poll comes.
    pub(super) async fn set_roster(&self, roster: Roster) {
        let mut current = self.roster.lock().await;
        *current = roster;
        if let Some(door) = self.ports.load_full() {
            // A task that just ended reads the roster at its next start.
            let _ = door.devices.send(current.labels.clone()).await;
        }
        if let Some(poller) = self.poller.load_full() {
            poller.replace(current.devices.clone()).await;
        }
    }

    /// One life of the poller.
    pub(super) async fn poll(&self, transport: Arc<dyn Transport>, token: CancellationToken) {
        let (poller, handle) = Poller::new(transport, self.rounds.sender.clone(), Options::default());
        {
            let roster = self.roster.lock().await;
            handle.replace(roster.devices.clone()).await;
            self.poller.store(Some(Arc::new(handle)));
        }
        poller.run(token).await;
    }

    /// One life of the relay: counts each poll and hands it to the ports task of the moment.
    pub(super) async fn relay(&self, own: &OwnMetrics, pulse: &Pulse, token: CancellationToken) {
        let mut rounds = self.rounds.receiver.lock().await;
        let mut beat = tokio::time::interval(std::time::Duration::from_secs(5));
        loop {
            let round = tokio::select! {
                () = token.cancelled() => return,
                _ = beat.tick() => {
                    pulse.beat();
                    continue;
                }
                Some(round) = rounds.recv() => round,
            };
            pulse.beat();
            own.polled(&round);
            if let Some(door) = self.ports.load_full() {
                // A task that just ended: this poll shows as a hole, the next one finds the new door.
                let _ = door.rounds.send(round).await;
            }
        }
    }

    /// One life of the ports task; it reads the catalogue anew.
    pub(super) async fn understand(&self, token: CancellationToken) -> Result<(), StoreError> {
        let store = self.store.clone();
        let known = tokio::task::spawn_blocking(move || catalogue::load(&store));
        let known = known.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let tracker = Tracker::new(known, clock::monotonic());
        let (rounds, rounds_in) = mpsc::channel(64);
        let (devices, devices_in) = mpsc::channel(4);
        {
            let roster = self.roster.lock().await;
            // There is room: nobody else has this door yet.
            let _ = devices.send(roster.labels.clone()).await;
            self.ports.store(Some(Arc::new(PortsDoor { rounds, devices })));
        }
        let driver = Driver {
            live: Arc::clone(&self.live),
            store: self.store.clone(),
            tracker,
            counts: Arc::clone(&self.counts),
            samples: self.samples.sender.clone(),
        };
        driver.run(Inputs { rounds: rounds_in, devices: devices_in }, token).await;
        Ok(())
    }

    /// One life of the feed: hands samples to the store's writer, at the end all that wait.
    pub(super) async fn feed(&self, writer: &Writer, token: CancellationToken) {
        let mut samples = self.samples.receiver.lock().await;
        loop {
            let sample = tokio::select! {
                () = token.cancelled() => break,
                Some(sample) = samples.recv() => sample,
            };
            // A full queue is counted and told by the writer itself.
            writer.append(sample);
        }
        while let Ok(sample) = samples.try_recv() {
            writer.append(sample);
        }
    }
}
