//! What the rooms tell of themselves, gathered for a scrape.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::daemon::flow::{Flow, ROUNDS, SAMPLES};
use crate::daemon::supervise::Supervisor;
use crate::metrics::Vitals;
use crate::metrics::vitals::{QueueVitals, ReadVitals, ScheduleVitals, SnmpVitals, StoreVitals};
use crate::ports::driver::Counts;
use crate::series::Reader;
use crate::snmp::udp::UdpTransport;

/// The supervised tasks, known once they run.
#[derive(Debug, Default)]
pub(super) struct Tasks(OnceLock<Supervisor>);

impl Tasks {
    /// From now on these are counted.
    pub(super) fn watch(&self, supervisor: Supervisor) {
        // There is one supervisor; a second call changes nothing.
        let _ = self.0.set(supervisor);
    }

    fn restarts(&self) -> Vec<(Arc<str>, u64)> {
        let tasks = self.0.get().map(Supervisor::tasks).unwrap_or_default();
        tasks.into_iter().map(|task| (task.name, task.panics + task.failures)).collect()
    }
}

/// Reads everything; called at each scrape.
pub(super) fn reading(flow: Arc<Flow>, transport: Arc<UdpTransport>, reader: Reader, tasks: Arc<Tasks>) -> ReadVitals {
    Arc::new(move || {
        let series = reader.stats();
        let polled = flow.poller().map(|poller| poller.stats()).unwrap_or_default();
        Vitals {
            snmp: snmp(&transport),
            store: store(&series, &flow.counts),
            schedule: ScheduleVitals { skipped: polled.late + polled.stalled },
            queues: queues(&flow, &series, polled.shed),
            task_restarts: tasks.restarts(),
        }
    })
}

fn snmp(transport: &UdpTransport) -> SnmpVitals {
    let stats = transport.stats();
    SnmpVitals {
        sent: stats.sent,
        received: stats.received,
        accepted: stats.accepted,
        retries: stats.retries,
        timeouts: stats.timeouts,
        stale: stats.stale,
        foreign: stats.foreign,
        malformed: stats.malformed,
        socket_drops: stats.socket_drops,
        running: stats.running,
    }
}

fn store(stats: &crate::series::Stats, counts: &Counts) -> StoreVitals {
    let bytes = &stats.bytes;
    StoreVitals {
        state: stats.state.word(),
        stored_rows: stats.stored_rows,
        lost_rows: stats.lost_rows,
        uncatalogued_rows: read(&counts.rows_uncatalogued),
        catalogue_failures: read(&counts.catalogue_failures),
        overlapping_polls: read(&counts.samples_overlapping),
        held_polls: stats.held_polls,
        last_commit_s: stats.last_commit.map(|at| at.millis() as f64 / 1e3),
        commit_s: stats.commit_ms as f64 / 1e3,
        bytes: vec![("tail", bytes.tail), ("raw", bytes.raw), ("m5", bytes.m5), ("h1", bytes.h1), ("d1", bytes.d1)],
        free_bytes: stats.free_bytes,
        sealed_days: stats.sealed_days,
        damaged_files: stats.damaged_files,
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn queues(flow: &Flow, series: &crate::series::Stats, polls_shed: u64) -> Vec<QueueVitals> {
    vec![
        QueueVitals { name: "poller-ports", length: flow.rounds.waiting() as u64, capacity: ROUNDS as u64, shed: polls_shed },
        QueueVitals {
            name: "ports-series",
            length: flow.samples.waiting() as u64,
            capacity: SAMPLES as u64,
            shed: read(&flow.counts.samples_shed),
        },
        QueueVitals { name: "series-disk", length: series.queued_polls, capacity: SAMPLES as u64, shed: 0 },
    ]
}
