//! What the rooms tell of themselves at a scrape: plain numbers, read by the daemon where each room keeps them, turned
//! into families here. Counters count from the start of the program.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use crate::ports::live::{DeviceState, Live};

use super::devices::STATES;

/// One reading of everything.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Vitals {
    /// The SNMP transport.
    pub snmp: SnmpVitals,
    /// The series store.
    pub store: StoreVitals,
    /// The schedule.
    pub schedule: ScheduleVitals,
    /// Every bounded queue between two tasks.
    pub queues: Vec<QueueVitals>,
    /// Restarts of supervised tasks: name and count.
    pub task_restarts: Vec<(Arc<str>, u64)>,
}

/// The SNMP transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SnmpVitals {
    /// Datagrams sent, repetitions included.
    pub sent: u64,
    /// Datagrams received.
    pub received: u64,
    /// Answers accepted.
    pub accepted: u64,
    /// Requests sent again after a timeout.
    pub retries: u64,
    /// Requests given up after all tries.
    pub timeouts: u64,
    /// Answers to questions that were answered or given up already.
    pub stale: u64,
    /// Datagrams from an address that was not asked, or with a foreign request-id, community or version.
    pub foreign: u64,
    /// Datagrams that are no SNMP.
    pub malformed: u64,
    /// Datagrams that the kernel dropped because the socket's buffer was full.
    pub socket_drops: u64,
    /// Conversations running now.
    pub running: u64,
}

/// The schedule of polls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScheduleVitals {
    /// Polls that began so late that a whole turn was left out.
    pub skipped: u64,
}

/// The series store.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StoreVitals {
    /// Whether samples reach the disk: `ok`, `low_space`, `full` or `failing`.
    pub state: &'static str,
    /// Port samples that are on the disk for good.
    pub stored_rows: u64,
    /// Port samples lost because neither disk nor memory had room.
    pub lost_rows: u64,
    /// Port samples not stored because their ports could not be written to the catalogue.
    pub uncatalogued_rows: u64,
    /// Writes to the catalogue that failed.
    pub catalogue_failures: u64,
    /// Device polls not stored because samples of an earlier time stand there: our clock was set back.
    pub overlapping_polls: u64,
    /// Device polls held in memory because they cannot be written now.
    pub held_polls: u64,
    /// When the last commit succeeded, seconds since the epoch.
    pub last_commit_s: Option<f64>,
    /// How long the last commit took, seconds.
    pub commit_s: f64,
    /// Bytes on disk by tier: name and size.
    pub bytes: Vec<(&'static str, u64)>,
    /// Free bytes of the file system, when known.
    pub free_bytes: Option<u64>,
    /// Days sealed.
    pub sealed_days: u64,
    /// Files found damaged and moved aside.
    pub damaged_files: u64,
}

/// A bounded queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueVitals {
    /// Its name, `from-to`.
    pub name: &'static str,
    /// How many wait now.
    pub length: u64,
    /// How many it can hold.
    pub capacity: u64,
    /// How many were turned away because it was full.
    pub shed: u64,
}

/// Reads the rooms; called at each scrape, must not block.
pub type ReadVitals = Arc<dyn Fn() -> Vitals + Send + Sync>;

/// The states of the store; the one that holds is 1.
const STORE_STATES: [&str; 4] = ["ok", "low_space", "full", "failing"];

/// Turns a reading into families for the registry.
pub(super) struct VitalsCollector {
    pub(super) read: ReadVitals,
    pub(super) live: Arc<Live>,
}

impl Collector for VitalsCollector {
    /// None: the families are decided at each reading, and their names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let vitals = (self.read)();
        let mut families = snmp(vitals.snmp);
        families.push(counter(
            "netroom_polls_skipped_total",
            "Polls left out because the one before was still running.",
            vitals.schedule.skipped,
        ));
        families.extend(store(&vitals.store));
        families.extend(queues(&vitals.queues));
        let restarts = vitals.task_restarts.iter().map(|(task, count)| (vec![("task", &**task)], *count as f64)).collect();
        families.push(family("netroom_task_restarts_total", "Restarts of a task after it failed.", proto::MetricType::COUNTER, restarts));
        families.extend(census(&self.live));
        families.retain(|family| !family.get_metric().is_empty());
        families
    }
}

fn snmp(snmp: SnmpVitals) -> Vec<proto::MetricFamily> {
    let ignored = [("stale", snmp.stale), ("foreign", snmp.foreign), ("malformed", snmp.malformed)];
    vec![
        counter("netroom_snmp_requests_total", "SNMP requests sent, repetitions included.", snmp.sent),
        counter("netroom_snmp_retries_total", "SNMP requests sent again because no answer came in time.", snmp.retries),
        counter("netroom_snmp_timeouts_total", "SNMP requests given up after all tries.", snmp.timeouts),
        counter("netroom_snmp_received_total", "Datagrams received on the SNMP sockets.", snmp.received),
        counter("netroom_snmp_responses_total", "SNMP answers accepted.", snmp.accepted),
        family(
            "netroom_snmp_ignored_total",
            "Datagrams not accepted: stale (too late or twice), foreign (not from whom was asked), malformed (no SNMP).",
            proto::MetricType::COUNTER,
            ignored.map(|(reason, count)| (vec![("reason", reason)], count as f64)).into(),
        ),
        counter("netroom_snmp_socket_drops_total", "Datagrams the kernel dropped because the socket's buffer was full.", snmp.socket_drops),
        gauge("netroom_snmp_conversations", "Devices being asked right now.", snmp.running as f64),
    ]
}

fn store(store: &StoreVitals) -> Vec<proto::MetricFamily> {
    let states = STORE_STATES.map(|state| (vec![("state", state)], if state == store.state { 1.0 } else { 0.0 }));
    let bytes = store.bytes.iter().map(|(tier, bytes)| (vec![("tier", *tier)], *bytes as f64)).collect();
    let mut families = vec![
        family(
            "netroom_store_state",
            "Whether samples reach the disk; the state that holds is 1.",
            proto::MetricType::GAUGE,
            states.into(),
        ),
        counter("netroom_store_rows_total", "Port samples written to the disk for good.", store.stored_rows),
        counter("netroom_store_lost_rows_total", "Port samples lost because neither disk nor memory had room.", store.lost_rows),
        counter(
            "netroom_store_uncatalogued_rows_total",
            "Port samples not stored because their ports could not be written to the catalogue.",
            store.uncatalogued_rows,
        ),
        counter("netroom_store_catalogue_failures_total", "Writes to the catalogue of ports that failed.", store.catalogue_failures),
        counter(
            "netroom_store_overlapping_polls_total",
            "Device polls not stored because samples stand at their time already: the clock was set back.",
            store.overlapping_polls,
        ),
        gauge("netroom_store_held_polls", "Device polls held in memory because they cannot be written now.", store.held_polls as f64),
        gauge("netroom_store_last_commit_duration_seconds", "How long the last commit took.", store.commit_s),
        family("netroom_store_size_bytes", "Bytes on disk by tier.", proto::MetricType::GAUGE, bytes),
        counter("netroom_store_seals_total", "Days of samples sealed into their final form.", store.sealed_days),
        counter("netroom_store_damaged_files_total", "Files found damaged and moved aside.", store.damaged_files),
    ];
    families
        .extend(store.free_bytes.map(|bytes| gauge("netroom_store_free_bytes", "Free bytes of the store's file system.", bytes as f64)));
    families.extend(
        store.last_commit_s.map(|at| gauge("netroom_store_last_commit_timestamp_seconds", "When samples last reached the disk.", at)),
    );
    families
}

fn queues(queues: &[QueueVitals]) -> Vec<proto::MetricFamily> {
    let each = |value: fn(&QueueVitals) -> u64| queues.iter().map(|queue| (vec![("queue", queue.name)], value(queue) as f64)).collect();
    vec![
        family("netroom_queue_length", "Entries waiting in a queue.", proto::MetricType::GAUGE, each(|queue| queue.length)),
        family("netroom_queue_capacity", "Entries that a queue can hold.", proto::MetricType::GAUGE, each(|queue| queue.capacity)),
        family(
            "netroom_queue_shed_total",
            "Entries turned away because a queue was full.",
            proto::MetricType::COUNTER,
            each(|queue| queue.shed),
        ),
    ]
}

/// Devices and ports by state, from the live table.
fn census(live: &Live) -> Vec<proto::MetricFamily> {
    let mut devices = [("up", 0_u32), ("degraded", 0), ("down", 0), ("unknown", 0)];
    let mut ports = STATES.map(|(state, word)| (state, word, 0_usize));
    for cell in live.devices().iter() {
        let device = cell.load();
        let word = match device.health.state {
            DeviceState::Up => "up",
            DeviceState::Degraded => "degraded",
            DeviceState::Down => "down",
            DeviceState::Unknown => "unknown",
        };
        if let Some(entry) = devices.iter_mut().find(|entry| entry.0 == word) {
            entry.1 += 1;
        }
        for (state, _, count) in &mut ports {
            *count += device.ports.iter().filter(|port| port.state == *state).count();
        }
    }
    let devices = devices.map(|(word, count)| (vec![("state", word)], f64::from(count)));
    let ports = ports.map(|(_, word, count)| (vec![("state", word)], count as f64));
    vec![
        family("netroom_devices", "Configured devices by state.", proto::MetricType::GAUGE, devices.into()),
        family("netroom_ports", "Known ports by state.", proto::MetricType::GAUGE, ports.into()),
    ]
}

pub(super) fn counter(name: &str, help: &str, value: u64) -> proto::MetricFamily {
    family(name, help, proto::MetricType::COUNTER, vec![(Vec::new(), value as f64)])
}

pub(super) fn gauge(name: &str, help: &str, value: f64) -> proto::MetricFamily {
    family(name, help, proto::MetricType::GAUGE, vec![(Vec::new(), value)])
}

/// A sample: its labels and its value.
pub(super) type Sample<'a> = (Vec<(&'a str, &'a str)>, f64);

pub(super) fn family(name: &str, help: &str, kind: proto::MetricType, samples: Vec<Sample<'_>>) -> proto::MetricFamily {
    let metrics = samples.into_iter().map(|(labels, value)| {
        let mut metric = proto::Metric::from_label(labels.into_iter().map(pair).collect());
        if kind == proto::MetricType::COUNTER {
            let mut counter = proto::Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        metric
    });
    let mut family = proto::MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics.collect());
    family
}

fn pair((name, value): (&str, &str)) -> proto::LabelPair {
    let mut pair = proto::LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
