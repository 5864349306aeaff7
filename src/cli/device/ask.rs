//! Asks a device everything once: a poll as the daemon does it, then the tables one after the other.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::model::observe::{Inventory, PollRound};
use crate::model::{DeviceId, clock};
use crate::snmp::job::{Credentials, End, Job, Target, Transport};
use crate::snmp::message::Version;
use crate::snmp::oid::Oid;
use crate::snmp::poll::columns;
use crate::snmp::poll::memory::Memory;
use crate::snmp::poll::packing::Packing;
use crate::snmp::poll::round::{Outcome, PollJob, Turn};
use crate::snmp::poll::table::{Table, TableJob, TableOutcome};
use crate::snmp::poll::walk::Caps;
use crate::snmp::tables::cisco;
use crate::snmp::tables::reading::{Reading, Scope, Seen};
use crate::snmp::udp::{Engine, Options};

/// What was seen.
pub(super) struct Sight {
    /// The poll.
    pub(super) round: PollRound,
    /// All counters of all rows, raw, in the order of `columns::ALL`.
    pub(super) counters: Table,
    /// The tables of bridge, neighbours and addresses.
    pub(super) tables: Seen,
    cuts: Vec<String>,
}

impl Sight {
    /// Whether the device gave a whole poll.
    pub(super) const fn answered(&self) -> bool {
        self.round.gap.is_none() && self.round.inventory.is_some()
    }

    /// What it said of itself; empty when nothing.
    pub(super) fn inventory(&self) -> Arc<Inventory> {
        self.round.inventory.clone().unwrap_or_default()
    }

    /// What is missing, and why.
    pub(super) fn notes(&self) -> impl Iterator<Item = &str> {
        self.round.detail.as_deref().into_iter().chain(self.cuts.iter().map(String::as_str))
    }
}

/// Asks; errors only when nothing could be asked at all.
pub(super) fn ask(target: &Arc<Target>, within: Duration) -> anyhow::Result<Sight> {
    let options = Options { receive_buffer: 1 << 20, ..Options::default() };
    let (transport, thread) = Engine::start(&options).context("no UDP socket can be opened")?;
    let deadline = clock::monotonic() + within;
    let mut asking =
        Asking { transport: &*transport, target: Arc::clone(target), deadline, packing: Packing::new(version(target)), cuts: Vec::new() };
    let sight = asking.everything();
    transport.stop();
    // The thread ends within a tick; if it panicked, what was seen is no worse for it.
    let _ended = thread.join();
    sight
}

struct Asking<'a> {
    transport: &'a dyn Transport,
    target: Arc<Target>,
    deadline: Instant,
    packing: Packing,
    cuts: Vec<String>,
}

impl Asking<'_> {
    fn everything(&mut self) -> anyhow::Result<Sight> {
        let round = self.poll()?;
        let inventory = round.inventory.clone().unwrap_or_default();
        let mut sight = Sight { round, counters: Table::default(), tables: Seen::default(), cuts: Vec::new() };
        if !sight.answered() {
            return Ok(sight);
        }
        let counters: Vec<Oid> = columns::ALL.iter().map(|column| column.oid.clone()).collect();
        sight.counters = self.table("interface counters", &counters)?;
        let mut reading = Reading::new(inventory.interfaces.clone(), Scope::Person);
        while let Some(question) = reading.question() {
            let cuts = self.cuts.len();
            let table = self.table_in(question.vlan, &question.name, &question.columns)?;
            reading.answered(&table, self.cuts.len() == cuts);
        }
        sight.tables = reading.into_seen();
        sight.cuts = std::mem::take(&mut self.cuts);
        Ok(sight)
    }

    /// Reads a table, of one VLAN of a Cisco IOS device where one is named.
    fn table_in(&mut self, vlan: Option<u32>, name: &str, columns: &[Oid]) -> anyhow::Result<Table> {
        let Some(vlan) = vlan else { return self.table(name, columns) };
        let credentials = cisco::in_vlan(&self.target.credentials, vlan);
        let within = Arc::new(Target { credentials, ..Target::clone(&self.target) });
        let whole = std::mem::replace(&mut self.target, within);
        let table = self.table(name, columns);
        self.target = whole;
        table
    }

    fn poll(&mut self) -> anyhow::Result<PollRound> {
        let now = clock::wall();
        let turn = Turn {
            device: DeviceId(0),
            due: now,
            started: now,
            classes: 1,
            identity_every: Duration::from_secs(900),
            class_of: Arc::new(|_| 0),
        };
        let memory = Box::new(Memory::new(version(&self.target)));
        let Outcome { round, memory } = self.run(|done| Box::new(PollJob::new(turn, memory, done)))?;
        self.packing = memory.packing();
        Ok(round)
    }

    /// Reads a table; what is missing of it is noted.
    fn table(&mut self, name: &str, columns: &[Oid]) -> anyhow::Result<Table> {
        let packing = self.packing;
        let outcome: TableOutcome = self.run(|done| Box::new(TableJob::new(columns, packing, Caps::default(), done)))?;
        match (outcome.cut, outcome.end) {
            (Some(cut), _) => self.cuts.push(format!("{name}: {cut}")),
            (None, End::Deadline) => self.cuts.push(format!("{name}: the time was up; give more with --within SECONDS")),
            _ => {}
        }
        Ok(outcome.table)
    }

    /// Runs a job to its end and gives its fruit.
    fn run<T: Send + 'static>(&self, job: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Box<dyn Job>) -> anyhow::Result<T> {
        let (sender, receiver) = sync_channel(1);
        let done = Box::new(move |fruit| {
            // The receiver waits below until this has happened.
            let _sent = sender.try_send(fruit);
        });
        self.transport.submit(&self.target, job(done), self.deadline)?;
        receiver.recv().context("the SNMP transport stopped before an answer came")
    }
}

const fn version(target: &Target) -> Version {
    match target.credentials {
        Credentials::Community { version, .. } => version,
        Credentials::User { .. } => Version::V2c,
    }
}
