//! The task between the poller and the store: takes polls from a bounded channel, replaces the snapshots in the live table,
//! writes new ports to the catalogue, and only then hands the sample on, so that no sample is ever stored under a number
//! that the catalogue does not know.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::clocks::Moment;
use super::live::{DeviceCell, DeviceLabel, Live};
use super::store::{self, PortRecord};
use super::tracker::Tracker;
use crate::model::observe::PollRound;
use crate::model::sample::DeviceSample;
use crate::model::{DeviceId, PortId, clock};
use crate::store::Store;

/// What the task has done, for metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Polls taken.
    pub rounds: AtomicU64,
    /// Polls of devices that are not configured any more.
    pub strangers: AtomicU64,
    /// Samples handed on.
    pub samples: AtomicU64,
    /// Samples shed because the store of series did not take them in time.
    pub samples_shed: AtomicU64,
    /// Samples not stored because their time was taken by earlier ones (our clock was set back).
    pub samples_overlapping: AtomicU64,
    /// Rows of samples not handed on because their ports could not be written to the catalogue.
    pub rows_uncatalogued: AtomicU64,
    /// Writes to the catalogue that failed.
    pub catalogue_failures: AtomicU64,
}

/// What the task needs.
#[derive(Debug)]
pub struct Driver {
    /// Where pages read.
    pub live: Arc<Live>,
    /// The catalogue.
    pub store: Store,
    /// What is known.
    pub tracker: Tracker,
    /// What is counted.
    pub counts: Arc<Counts>,
    /// To the store of series.
    pub samples: mpsc::Sender<DeviceSample>,
}

/// The ways in.
#[derive(Debug)]
pub struct Inputs {
    /// From the poller.
    pub rounds: mpsc::Receiver<PollRound>,
    /// The configured devices: at the start and at each reload.
    pub devices: mpsc::Receiver<Vec<Arc<DeviceLabel>>>,
}

impl Driver {
    /// Runs until cancelled or until the poller is gone; what waits in the channel is still worked off then.
    pub async fn run(mut self, mut inputs: Inputs, cancel: CancellationToken) {
        let mut state = State { catalogued: self.tracker.last_port(), ..State::default() };
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(labels) = inputs.devices.recv() => self.set_devices(labels, &mut state),
                round = inputs.rounds.recv() => match round {
                    Some(round) => self.take(&round, &mut state).await,
                    None => return,
                },
            }
        }
        inputs.rounds.close();
        while let Ok(round) = inputs.rounds.try_recv() {
            self.take(&round, &mut state).await;
        }
    }

    fn set_devices(&mut self, labels: Vec<Arc<DeviceLabel>>, state: &mut State) {
        let mut earlier = std::mem::take(&mut state.cells);
        let mut cells = Vec::with_capacity(labels.len());
        for snapshot in self.tracker.set_devices(labels) {
            let id = snapshot.label.id;
            let cell = match earlier.remove(&id) {
                Some(cell) => {
                    cell.store(snapshot);
                    cell
                }
                None => Arc::new(DeviceCell::holding(snapshot)),
            };
            state.cells.insert(id, Arc::clone(&cell));
            cells.push(cell);
        }
        self.live.set_devices(cells);
    }

    async fn take(&mut self, round: &PollRound, state: &mut State) {
        count(&self.counts.rounds, 1);
        let now = Moment { wall: clock::wall(), steady: clock::monotonic() };
        let (Some(observed), Some(cell)) = (self.tracker.observe(round, now), state.cells.get(&round.device)) else {
            count(&self.counts.strangers, 1);
            return;
        };
        cell.store(observed.live);
        self.catalogue(observed.records, state).await;
        match observed.sample {
            Some(sample) => self.hand_on(sample, state),
            None => count(&self.counts.samples_overlapping, 1),
        }
    }

    /// Writes new and changed ports, with those that could not be written before.
    async fn catalogue(&self, records: Vec<PortRecord>, state: &mut State) {
        if records.is_empty() && state.unwritten.is_empty() {
            return;
        }
        for record in records {
            state.unwritten.insert(record.id, record);
        }
        let batch: Arc<[PortRecord]> = state.unwritten.values().cloned().collect();
        match store::save(&self.store, Arc::clone(&batch)).await {
            Ok(()) => {
                state.catalogued = batch.iter().map(|record| record.id.0).fold(state.catalogued, u32::max);
                state.unwritten.clear();
                if std::mem::take(&mut state.is_failing) {
                    tracing::info!(ports = batch.len(), "the catalogue takes ports again; {} were waiting", batch.len());
                }
            }
            Err(error) => {
                count(&self.counts.catalogue_failures, 1);
                if !std::mem::replace(&mut state.is_failing, true) {
                    tracing::error!(%error, ports = batch.len(), "{} ports cannot be written to the catalogue, their samples wait: {error}", batch.len());
                }
            }
        }
    }

    fn hand_on(&mut self, mut sample: DeviceSample, state: &State) {
        if !state.unwritten.is_empty() {
            let rows = sample.rows.len();
            sample.rows.retain(|row| row.port.0 <= state.catalogued);
            count(&self.counts.rows_uncatalogued, (rows - sample.rows.len()) as u64);
        }
        match self.samples.try_send(sample) {
            Ok(()) => count(&self.counts.samples, 1),
            Err(mpsc::error::TrySendError::Full(sample) | mpsc::error::TrySendError::Closed(sample)) => {
                count(&self.counts.samples_shed, 1);
                self.tracker.not_stored(&sample);
            }
        }
    }
}

/// What the task keeps between two polls.
#[derive(Debug, Default)]
struct State {
    cells: HashMap<DeviceId, Arc<DeviceCell>>,
    /// Records that the catalogue has not taken yet.
    unwritten: HashMap<PortId, PortRecord>,
    /// The highest port number in the catalogue. Numbers rise, and each write brings all that wait.
    catalogued: u32,
    /// Whether the last write failed: told once, not at each poll.
    is_failing: bool,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
