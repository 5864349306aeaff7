//! Drives the readings: hands tables to the transport between the polls of each device, keeps what was begun for the next
//! pause between two polls, and publishes what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::merge::merge;
use super::pace::{Pace, Polled};
use super::table::{DeviceTables, Interface, Tables};
use crate::model::observe::InterfaceRow;
use crate::model::{Timestamp, Zone, clock};
use crate::snmp::ask;
use crate::snmp::job::{Credentials, End, SubmitError, Target, Transport};
use crate::snmp::message::Version;
use crate::snmp::poll::packing::Packing;
use crate::snmp::poll::table::{Table, TableJob};
use crate::snmp::poll::walk::{Caps, Cut};
use crate::snmp::tables::cisco;
use crate::snmp::tables::reading::{Question, Reading, Scope};

/// Devices that are read at once.
const AT_ONCE: usize = 64;
/// How often it is looked whose turn it is.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What one table may be.
const CAPS: Caps = Caps { rows: 40_000, octets: 8 << 20 };
/// After so many tables without an answer the rest is not asked for.
const MOST_SILENT: u8 = 2;
/// A reading that has not ended within so many pauses between polls is ended.
const MOST_TURNS: u8 = 20;
/// What hardly changes is read with each reading of this number.
const RARE_EVERY: u32 = 12;

/// A device as it is to be read.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its side of the separated network.
    pub zone: Zone,
    /// Where it is and how to talk to it.
    pub target: Arc<Target>,
    /// Its interfaces, for what their names tell about neighbours.
    pub rows: Vec<InterfaceRow>,
    /// Its interfaces with the names of its ports.
    pub interfaces: Vec<Interface>,
}

/// Those who are polled.
pub trait Fleet: Send + Sync {
    /// How the polls of all stand.
    fn polls(&self) -> Vec<Polled>;
    /// One of them.
    fn device(&self, name: &str) -> Option<Device>;
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Stats {
    /// Readings that came to their end.
    pub readings: AtomicU64,
    /// Of these, those in which some table was not whole.
    pub broken: AtomicU64,
    /// Pauses between polls that were too short for the whole reading.
    pub laid_aside: AtomicU64,
    /// Rows that were too many to keep.
    pub shed: AtomicU64,
}

/// A reading under way.
struct Ongoing {
    reading: Reading,
    job: Option<TableJob>,
    packing: Packing,
    begun: Timestamp,
    turns: u8,
    silent: u8,
}

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// Everything was asked.
    Whole,
    /// It goes on another time.
    Aside,
    /// The transport has stopped.
    Stopped,
}

/// Reads the tables of all devices.
pub struct Driver {
    transport: Arc<dyn Transport>,
    fleet: Arc<dyn Fleet>,
    tables: Arc<Tables>,
    stats: Arc<Stats>,
}

impl Driver {
    /// Nothing is read yet.
    pub fn new(transport: Arc<dyn Transport>, fleet: Arc<dyn Fleet>, tables: Arc<Tables>, stats: Arc<Stats>) -> Self {
        Self { transport, fleet, tables, stats }
    }

    /// Reads until told to stop.
    pub async fn run(&self, token: CancellationToken) {
        let mut pace = Pace::default();
        let mut aside: HashMap<Arc<str>, Ongoing> = HashMap::new();
        let mut counts: HashMap<Arc<str>, u32> = HashMap::new();
        let mut turns = FuturesUnordered::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                Some((name, device, ongoing, ended)) = turns.next(), if !turns.is_empty() => {
                    let is_done = self.ended(&name, &device, ongoing, ended, &mut pace, &mut aside);
                    *counts.entry(name).or_default() += u32::from(is_done);
                }
                _ = look.tick() => {
                    let polls = self.fleet.polls();
                    let wanted = |name: &str| polls.iter().any(|polled| &*polled.device == name);
                    pace.keep_only(&wanted);
                    aside.retain(|name, _| wanted(name));
                    counts.retain(|name, _| wanted(name));
                    self.tables.keep_only(&wanted);
                    for turn in pace.due(&polls, AT_ONCE.saturating_sub(turns.len()), clock::wall()) {
                        let Some(device) = self.fleet.device(&turn.device) else {
                            pace.finished(&turn.device, clock::wall(), false);
                            continue;
                        };
                        let number = counts.get(&turn.device).copied().unwrap_or(0);
                        let ongoing = aside.remove(&turn.device).unwrap_or_else(|| Ongoing::new(&device, number, clock::wall()));
                        turns.push(self.turn(turn.device, device, ongoing, clock::monotonic() + turn.within));
                    }
                }
            }
        }
    }

    /// One pause between two polls.
    async fn turn(&self, name: Arc<str>, device: Device, mut ongoing: Ongoing, until: Instant) -> (Arc<str>, Device, Ongoing, Ended) {
        ongoing.turns += 1;
        while let Some(question) = ongoing.reading.question() {
            if ongoing.silent >= MOST_SILENT || ongoing.turns > MOST_TURNS {
                ongoing.reading.answered(&Table::default(), false);
                continue;
            }
            let job = ongoing.job.take().unwrap_or_else(|| TableJob::new(&question.columns, ongoing.packing, CAPS, |_| ()));
            let target = asked_in(&device.target, &question);
            let (job, end) = match ask::one(&*self.transport, &target, job, until).await {
                Ok(done) => done,
                Err(SubmitError::Stopped) => return (name, device, ongoing, Ended::Stopped),
                Err(SubmitError::Busy | SubmitError::Full) => return (name, device, ongoing, Ended::Aside),
            };
            match end {
                End::Complete => ongoing.take(&name, &question, job),
                End::Deadline => {
                    ongoing.job = Some(job);
                    return (name, device, ongoing, Ended::Aside);
                }
                End::Cancelled => return (name, device, ongoing, Ended::Stopped),
            }
        }
        (name, device, ongoing, Ended::Whole)
    }

    /// Publishes what came of a turn, or lays it aside. Whether the reading has come to its end.
    fn ended(
        &self,
        name: &Arc<str>,
        device: &Device,
        ongoing: Ongoing,
        ended: Ended,
        pace: &mut Pace,
        aside: &mut HashMap<Arc<str>, Ongoing>,
    ) -> bool {
        pace.finished(name, ongoing.begun, ended == Ended::Whole);
        if ended != Ended::Whole {
            self.stats.laid_aside.fetch_add(1, Ordering::Relaxed);
            aside.insert(Arc::clone(name), ongoing);
            return false;
        }
        let seen = ongoing.reading.into_seen();
        let before = self.tables.of(name).filter(|before| before.zone == device.zone);
        let empty = || Arc::new(DeviceTables::empty(Arc::clone(name), device.zone));
        let next = merge(&before.unwrap_or_else(empty), &seen, &device.interfaces, clock::wall());
        let holes = seen.holes;
        let is_broken = holes.fdb || holes.arp || holes.neighbours || holes.own;
        tracing::debug!(
            device = &**name,
            seats = next.seats.len(),
            bindings = next.bindings.len(),
            neighbours = next.neighbours.len(),
            is_broken,
            "the tables of {name} were read"
        );
        self.stats.readings.fetch_add(1, Ordering::Relaxed);
        self.stats.broken.fetch_add(u64::from(is_broken), Ordering::Relaxed);
        self.stats.shed.fetch_add(next.shed, Ordering::Relaxed);
        self.tables.put(&Arc::new(next));
        true
    }
}

impl Ongoing {
    fn new(device: &Device, number: u32, now: Timestamp) -> Self {
        let scope = Scope::Watch { rarely: number.is_multiple_of(RARE_EVERY) };
        let version = match device.target.credentials {
            Credentials::Community { version, .. } => version,
            Credentials::User { .. } => Version::V2c,
        };
        Self {
            reading: Reading::new(device.rows.clone(), scope),
            job: None,
            packing: Packing::new(version),
            begun: now,
            turns: 0,
            silent: 0,
        }
    }

    fn take(&mut self, name: &str, question: &Question, job: TableJob) {
        let outcome = job.into_outcome(End::Complete);
        self.packing = outcome.packing;
        if let Some(cut) = &outcome.cut {
            tracing::debug!(device = name, table = question.name, %cut, "a table of {name} was not read whole: {}: {cut}", question.name);
            self.silent += u8::from(matches!(cut, Cut::Ask(_)));
        }
        self.reading.answered(&outcome.table, outcome.cut.is_none());
    }
}

/// The device, in one VLAN where the table is one of a VLAN.
fn asked_in(target: &Arc<Target>, question: &Question) -> Arc<Target> {
    question.vlan.map_or_else(
        || Arc::clone(target),
        |vlan| Arc::new(Target { credentials: cisco::in_vlan(&target.credentials, vlan), ..Target::clone(target) }),
    )
}
