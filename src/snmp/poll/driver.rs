//! Drives the schedule: hands turns to the transport, keeps each device's memory, sends rounds to the rooms above.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::memory::Memory;
use super::round::{self, Outcome, PollJob};
use super::schedule::{MOST_CLASSES, Schedule, Timing, Turn};
use super::stats::{Board, Stats};
use crate::config::Glob;
use crate::model::observe::{InterfaceRow, PollRound};
use crate::model::{DeviceId, Gap, Timestamp, clock};
use crate::snmp::job::{SubmitError, Target, Transport};

/// Ports with an interval of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortInterval {
    /// Which ports, by ifName (ifDescr where a device has no ifName).
    pub if_name: Glob,
    /// How often.
    pub interval: Duration,
}

/// A device to poll.
#[derive(Clone, PartialEq, Debug)]
pub struct PollDevice {
    /// Its number in the catalogue.
    pub id: DeviceId,
    /// Where it is and how to talk to it.
    pub target: Arc<Target>,
    /// How often: 10 s to 15 min.
    pub interval: Duration,
    /// Ports that are polled more or less often; the first pattern that fits decides. At most 31.
    pub port_intervals: Vec<PortInterval>,
}

/// Settings of the poller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Polls under way at once.
    pub in_flight: usize,
    /// Finished rounds that may wait for the rooms above; beyond that the oldest are thrown away and counted.
    pub backlog: usize,
    /// How long an identity read is good for.
    pub identity_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { in_flight: 4096, backlog: 8192, identity_every: Duration::from_secs(15 * 60) }
    }
}

/// Why a device was not polled at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PollNowError {
    /// Unknown, or it is being polled already.
    #[error("the device is unknown or is being polled already")]
    NotNow,
    /// The poller has stopped.
    #[error("the poller has stopped")]
    Stopped,
}

enum Command {
    Replace(Vec<PollDevice>),
    PollNow(DeviceId, oneshot::Sender<bool>),
}

/// Speaks to a running [`Poller`].
#[derive(Clone, Debug)]
pub struct PollerHandle {
    commands: mpsc::Sender<Command>,
    board: Board,
}

impl PollerHandle {
    /// These are the devices from now on; those that stay keep their places in the schedule. False when the poller has stopped.
    pub async fn replace(&self, devices: Vec<PollDevice>) -> bool {
        self.commands.send(Command::Replace(devices)).await.is_ok()
    }

    /// Polls a device now, besides its schedule.
    pub async fn poll_now(&self, device: DeviceId) -> Result<(), PollNowError> {
        let (answer, taken) = oneshot::channel();
        self.commands.send(Command::PollNow(device, answer)).await.map_err(|_| PollNowError::Stopped)?;
        if taken.await.map_err(|_| PollNowError::Stopped)? { Ok(()) } else { Err(PollNowError::NotNow) }
    }

    /// The figures now.
    pub fn stats(&self) -> Stats {
        self.board.read()
    }
}

/// The poller: one task.
pub struct Poller {
    transport: Arc<dyn Transport>,
    options: Options,
    rounds: mpsc::Sender<PollRound>,
    commands: mpsc::Receiver<Command>,
    board: Board,
    clock: fn() -> Instant,
    origin: Instant,
    /// How many generations of devices there have been.
    generations: u64,
    schedule: Schedule,
    devices: HashMap<DeviceId, Device>,
    backlog: VecDeque<PollRound>,
    in_flight: usize,
    fruit: mpsc::Sender<Fruit>,
    fruits: mpsc::Receiver<Fruit>,
}

struct Device {
    spec: PollDevice,
    memory: Memory,
    /// Of all devices only this one, at this target, has it: what an earlier target said is of no use.
    generation: u64,
    /// Whose poll is under way: it may be that of an earlier target.
    asked: Option<u64>,
    /// Why its last poll had holes, to log changes only.
    gap: Option<Gap>,
}

struct Fruit {
    generation: u64,
    outcome: Outcome,
}

impl Poller {
    /// A poller without devices that sends its rounds to `rounds`.
    pub fn new(transport: Arc<dyn Transport>, rounds: mpsc::Sender<PollRound>, options: Options) -> (Self, PollerHandle) {
        let (sender, commands) = mpsc::channel(16);
        let (fruit, fruits) = mpsc::channel(options.in_flight.max(1));
        let board = Board::default();
        let handle = PollerHandle { commands: sender, board: board.clone() };
        let poller = Self {
            transport,
            options,
            rounds,
            commands,
            board,
            clock: clock::monotonic,
            origin: clock::monotonic(),
            generations: 0,
            schedule: Schedule::new(),
            devices: HashMap::new(),
            backlog: VecDeque::new(),
            in_flight: 0,
            fruit,
            fruits,
        };
        (poller, handle)
    }

    /// Polls until the token is cancelled, the transport stops or nobody takes rounds any more.
    pub async fn run(mut self, token: CancellationToken) {
        let rounds = self.rounds.clone();
        loop {
            let now = self.now();
            if self.start_due(now) == Flow::Stop {
                return;
            }
            self.publish();
            let wake = self.schedule.next_due().filter(|_| self.in_flight < self.options.in_flight);
            let wake = wake.map(|due| tokio::time::Instant::from_std(self.origin + due));
            tokio::select! {
                () = token.cancelled() => return,
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(fruit) = self.fruits.recv() => self.take(fruit),
                permit = rounds.reserve(), if !self.backlog.is_empty() => match (permit, self.backlog.pop_front()) {
                    (Ok(permit), Some(round)) => permit.send(round),
                    _ => return,
                },
                () = until(wake) => {}
            }
        }
    }

    fn now(&self) -> Duration {
        (self.clock)().saturating_duration_since(self.origin)
    }

    fn start_due(&mut self, now: Duration) -> Flow {
        while self.in_flight < self.options.in_flight {
            let Some(turn) = self.schedule.take_due(now) else { break };
            if self.start(turn, now) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Go
    }

    fn start(&mut self, turn: Turn, now: Duration) -> Flow {
        let Some(device) = self.devices.get_mut(&turn.device) else { return Flow::Go };
        let started = clock::wall();
        let plan = round::Turn {
            device: turn.device,
            due: started - now.saturating_sub(turn.due),
            started,
            classes: turn.classes,
            identity_every: self.options.identity_every,
            class_of: class_of(&device.spec.port_intervals),
        };
        let (fruit, generation) = (self.fruit.clone(), device.generation);
        let name = Arc::clone(&device.spec.target.name);
        let job = PollJob::new(plan, device.memory.lend(), move |outcome| {
            // There is room for one fruit of each poll under way; it fails only after the poller has gone.
            if fruit.try_send(Fruit { generation, outcome }).is_err() {
                debug!(device = %name, "a poll ended after the poller");
            }
        });
        match self.transport.submit(&device.spec.target, Box::new(job), self.origin + turn.deadline) {
            Ok(()) => {
                device.asked = Some(generation);
                self.in_flight += 1;
                Flow::Go
            }
            Err(SubmitError::Stopped) => Flow::Stop,
            Err(error) => {
                self.schedule.finished(turn.device);
                debug!(device = %device.spec.target.name, %error, "a poll was not started: {error}");
                self.board.update(|stats| stats.refused += 1);
                self.hand_up(not_started(turn.device, started, error));
                Flow::Go
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Replace(specs) => self.replace(specs),
            Command::PollNow(id, answer) => {
                let now = self.now();
                let turn = self.schedule.poll_now(id, now);
                let taken = turn.is_some_and(|turn| self.start(turn, now) == Flow::Go);
                // Whoever asked may have gone.
                let _gone = answer.send(taken);
            }
        }
    }

    fn replace(&mut self, specs: Vec<PollDevice>) {
        let timings: Vec<Timing> = specs.iter().map(timing).collect();
        let mut before = std::mem::take(&mut self.devices);
        for spec in specs {
            let id = spec.id;
            let device = match before.remove(&id) {
                Some(device) if device.spec.target == spec.target => {
                    let mut memory = device.memory;
                    if device.spec.port_intervals != spec.port_intervals {
                        memory.forget_identity();
                    }
                    Device { spec, memory, ..device }
                }
                other => {
                    self.generations += 1;
                    Device {
                        memory: Memory::of(&spec.target.credentials),
                        generation: self.generations,
                        asked: other.and_then(|device| device.asked),
                        gap: None,
                        spec,
                    }
                }
            };
            self.devices.insert(id, device);
        }
        self.schedule.replace(&timings, self.now());
        info!(devices = self.devices.len(), "polling {} devices", self.devices.len());
    }

    fn take(&mut self, fruit: Fruit) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Outcome { mut round, memory } = fruit.outcome;
        let Some(device) = self.devices.get_mut(&round.device) else { return };
        // The poll of a device that was removed meanwhile says nothing about one that came back under its number.
        if device.asked == Some(fruit.generation) {
            device.asked = None;
            self.schedule.finished(round.device);
        }
        if device.generation != fruit.generation {
            return;
        }
        device.memory = *memory;
        device.tell(&round);
        if round.uptime_ticks.is_none() && round.finished == round.started {
            round.finished = clock::wall();
        }
        self.board.update(|stats| stats.count(&round));
        self.hand_up(round);
    }

    fn hand_up(&mut self, round: PollRound) {
        if self.backlog.is_empty() {
            match self.rounds.try_send(round) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => return,
                Err(mpsc::error::TrySendError::Full(round)) => self.backlog.push_back(round),
            }
        } else {
            self.backlog.push_back(round);
        }
        if self.backlog.len() > self.options.backlog {
            self.backlog.pop_front();
            self.board.update(|stats| stats.shed += 1);
        }
    }

    fn publish(&self) {
        let missed = self.schedule.missed();
        self.board.update(|stats| {
            stats.devices = self.devices.len();
            stats.in_flight = self.in_flight;
            stats.waiting = self.backlog.len();
            stats.late = missed.late;
            stats.stalled = missed.stalled;
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Go,
    Stop,
}

impl Device {
    /// Logs when a device stops or begins to answer, not at each poll.
    fn tell(&mut self, round: &PollRound) {
        let name = &self.spec.target.name;
        let poll_ms = u64::try_from(round.finished.since(round.started).as_millis()).unwrap_or(u64::MAX);
        match (self.gap, round.gap) {
            (before, Some(gap)) if before != Some(gap) => {
                let detail = round.detail.as_deref().unwrap_or_default();
                warn!(device = %name, gap = gap.word(), detail, "polling {name}: {detail}");
            }
            (Some(before), None) => info!(device = %name, was = before.word(), poll_ms, "polling {name}: whole again"),
            _ => debug!(device = %name, rows = round.rows.len(), poll_ms, "polled {name}"),
        }
        self.gap = round.gap;
    }
}

/// A turn that never left leaves its reason behind, as every missing sample does.
fn not_started(device: DeviceId, now: Timestamp, error: SubmitError) -> PollRound {
    PollRound { gap: Some(Gap::Deadline), detail: Some(Arc::from(error.to_string())), ..PollRound::empty(device, now) }
}

fn timing(spec: &PollDevice) -> Timing {
    let intervals = std::iter::once(spec.interval).chain(spec.port_intervals.iter().map(|port| port.interval));
    Timing { device: spec.id, intervals: intervals.collect() }
}

fn class_of(port_intervals: &[PortInterval]) -> Arc<dyn Fn(&InterfaceRow) -> u8 + Send + Sync> {
    let patterns: Vec<Glob> = port_intervals.iter().take(MOST_CLASSES - 1).map(|port| port.if_name.clone()).collect();
    Arc::new(move |row| {
        let name = row.if_name.as_ref().or(row.if_descr.as_ref()).map_or("", |name| name.as_str());
        patterns.iter().position(|pattern| pattern.is_match(name)).map_or(0, |place| place as u8 + 1)
    })
}

async fn until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
