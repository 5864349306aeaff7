//! The way in: a handle that never blocks the poller, and one thread that owns `tail.db`.
//!
//! A sample is visible to readers as soon as the thread takes it, and safe after the next commit (every second, synced).
//! What cannot be written is held in memory up to a bound; what does not fit is counted and told as a hole.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::{DeviceId, Gap, clock};

use super::bulk::Bulk;
use super::codec::poll::Chain;
use super::error::SeriesError;
use super::journal::Journal;
use super::layout::{HOUR_MS, time};
use super::sample::DeviceSample;
use super::tail::TailRow;
use super::{Shared, Values};

/// What the thread is told.
pub(super) enum Message {
    /// A new poll.
    Sample(DeviceSample),
    /// A poll of the past, on its way to a day's file.
    Import(DeviceSample),
    /// Write everything and say so.
    Flush(SyncSender<Result<(), SeriesError>>),
    /// Polls before this time (ms) are in the days' files.
    Forget(i64),
    /// Write everything and end.
    Stop,
}

/// The way in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Takes a poll without waiting. False when the queue is full: the poll is lost, counted, and told as a hole.
    pub fn append(&self, sample: DeviceSample) -> bool {
        self.shared.counters.queued.fetch_add(1, Ordering::Relaxed);
        match self.queue.try_send(Message::Sample(sample)) {
            Ok(()) => true,
            Err(TrySendError::Full(Message::Sample(sample)) | TrySendError::Disconnected(Message::Sample(sample))) => {
                self.shared.counters.queued.fetch_sub(1, Ordering::Relaxed);
                self.shared.lost.note(&sample, &self.shared.counters.lost);
                false
            }
            Err(_) => false,
        }
    }

    /// Takes a poll of the past, device by device in the order of time, waiting for room. It goes straight to its day's
    /// file; call [`Writer::flush`] at the end, then let the keeper seal the days.
    pub fn import(&self, sample: DeviceSample) -> Result<(), SeriesError> {
        self.queue.send(Message::Import(sample)).map_err(|_| SeriesError::Stopped)
    }

    /// Waits until everything sent before is on the disk for good.
    pub fn flush(&self) -> Result<(), SeriesError> {
        let (done, answer) = sync_channel(1);
        self.queue.send(Message::Flush(done)).map_err(|_| SeriesError::Stopped)?;
        answer.recv().map_err(|_| SeriesError::Stopped)?
    }

    /// Port samples acknowledged since the start: on the disk for good.
    pub fn stored_rows(&self) -> u64 {
        self.shared.counters.stored.load(Ordering::Relaxed)
    }

    pub(super) fn send(&self, message: Message) -> Result<(), SeriesError> {
        self.queue.send(message).map_err(|_| SeriesError::Stopped)
    }
}

/// Polls lost before they reached the tail, by device: told as a hole with the next poll that is stored.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<HashMap<DeviceId, (i64, u32)>>);

impl Lost {
    fn note(&self, sample: &DeviceSample, counter: &AtomicU64) {
        counter.fetch_add(sample.rows.len() as u64, Ordering::Relaxed);
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.insert(sample.device, (sample.time.millis(), sample.interval_s));
    }

    /// The hole to tell before `next`.
    fn take(&self, next: &DeviceSample) -> Option<DeviceSample> {
        let (time_ms, interval_s) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&next.device)?;
        let hole = DeviceSample { device: next.device, time: time(time_ms), interval_s, gap: Some(Gap::NotStored), rows: Vec::new() };
        (time_ms < next.time.millis()).then_some(hole)
    }
}

/// Starts the thread.
pub(super) fn start(
    shared: Arc<Shared>,
    journal: Journal,
    queue: usize,
    commit_every: Duration,
) -> Result<(Writer, JoinHandle<()>), SeriesError> {
    let (sender, receiver) = sync_channel(queue.max(1));
    let writer = Writer { queue: sender, shared: Arc::clone(&shared) };
    let root = shared.layout.root().to_path_buf();
    let mut thread = Thread { bulk: Bulk::default(), shared, journal, chains: HashMap::new(), refused: None };
    let handle = std::thread::Builder::new()
        .name("series-writer".to_owned())
        .spawn(move || thread.run(&receiver, commit_every))
        .map_err(SeriesError::io(&root))?;
    Ok((writer, handle))
}

struct Thread {
    shared: Arc<Shared>,
    journal: Journal,
    bulk: Bulk,
    /// What each device's next poll is a difference to, and the time of its last one.
    chains: HashMap<DeviceId, (Chain, i64)>,
    /// Why the last imported poll could not be written.
    refused: Option<SeriesError>,
}

impl Thread {
    fn run(&mut self, queue: &Receiver<Message>, commit_every: Duration) {
        let mut due = clock::monotonic() + commit_every;
        loop {
            let wait = due.saturating_duration_since(clock::monotonic());
            match queue.recv_timeout(wait) {
                Ok(Message::Sample(sample)) => {
                    self.shared.counters.queued.fetch_sub(1, Ordering::Relaxed);
                    self.take(&sample);
                }
                Ok(Message::Import(sample)) => self.import(&sample),
                Ok(Message::Flush(done)) => {
                    let answer = self.flush();
                    // Who asked may have gone meanwhile.
                    let _gone = done.send(answer);
                }
                Ok(Message::Forget(before_ms)) => self.journal.forget_before(before_ms),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    if let Err(error) = self.flush() {
                        tracing::error!(%error, "series: the last samples could not be written");
                    }
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if clock::monotonic() >= due {
                self.commit();
                due = clock::monotonic() + commit_every;
            }
        }
    }

    fn take(&mut self, sample: &DeviceSample) {
        if let Some(hole) = self.shared.lost.take(sample) {
            self.keep(&hole);
        }
        self.keep(sample);
    }

    fn keep(&mut self, sample: &DeviceSample) {
        let (shared, rows) = (&self.shared, sample.rows.len() as u64);
        if self.journal.is_overfull() {
            shared.lost.note(sample, &shared.counters.lost);
            return;
        }
        let time_ms = sample.time.millis();
        let (chain, last_ms) = self.chains.entry(sample.device).or_insert_with(|| (Chain::default(), i64::MIN));
        let same_hour = *last_ms != i64::MIN && last_ms.div_euclid(HOUR_MS) == time_ms.div_euclid(HOUR_MS);
        let back = *last_ms >= time_ms;
        let familiar = chain.has_ports_of(sample);
        let blob: Arc<[u8]> = if back {
            // The clock was set back: nothing may be compared across.
            let mut marked = sample.clone();
            marked.rows.iter_mut().for_each(|row| row.mark = row.mark.or(Some(Gap::First)));
            chain.encode(&marked, true)
        } else {
            chain.encode(sample, !same_hour)
        }
        .into();
        *last_ms = time_ms;
        shared.counters.taken.fetch_add(rows, Ordering::Relaxed);
        let unknown = sample.rows.iter().filter(|row| !familiar && shared.tail.device_of(row.port) != Some(sample.device));
        let unknown: Vec<_> = unknown.map(|row| row.port).collect();
        let row = TailRow { time_ms, blob: Arc::clone(&blob) };
        let superseded = shared.tail.push(sample.device, row, unknown.iter().copied());
        shared.counters.superseded.fetch_add(superseded.len() as u64, Ordering::Relaxed);
        if shared.values == Values::Ports {
            shared.top.push(sample, back);
        }
        self.journal.push(sample.device, time_ms, blob, rows, superseded, &unknown);
        shared.counters.held.store(self.journal.held(), Ordering::Relaxed);
    }

    fn import(&mut self, sample: &DeviceSample) {
        let rows = sample.rows.len() as u64;
        for row in &sample.rows {
            if self.shared.tail.device_of(row.port) != Some(sample.device) {
                self.shared.tail.learn(row.port, sample.device);
                self.journal.learn(row.port, sample.device);
            }
        }
        self.shared.tail.raise_newest(sample.time.millis());
        match self.bulk.push(&self.shared, sample) {
            Ok(()) => {
                self.shared.counters.taken.fetch_add(rows, Ordering::Relaxed);
            }
            Err(error) => {
                self.shared.counters.lost.fetch_add(rows, Ordering::Relaxed);
                self.refused = Some(error);
            }
        }
    }

    fn commit(&mut self) {
        self.journal.commit(&self.shared);
    }

    fn flush(&mut self) -> Result<(), SeriesError> {
        let bulk = self.bulk.flush(&self.shared);
        self.commit();
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        bulk?;
        self.journal.held_reason().map_or(Ok(()), |reason| Err(SeriesError::Held(reason)))
    }
}
