//! The incidents for Prometheus: how many are open, how much has happened.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::{counter, family};
use crate::incident::Board;

/// Reads the board at each scrape.
pub struct IncidentCollector(pub Arc<Board>);

impl Collector for IncidentCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let (board, counts) = (&self.0, self.0.counts());
        let open = board.open_by_severity();
        let open = open.iter().map(|(severity, count)| (vec![("severity", severity.word())], *count as f64)).collect();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let watched = board.watched_by_kind().map(|(kind, count)| (vec![("kind", kind)], count as f64)).to_vec();
        vec![
            family(
                "netroom_watched_subjects",
                "What can become an incident: devices with their ports, hosts with their services. A storm is a share of it.",
                proto::MetricType::GAUGE,
                watched,
            ),
            family("netroom_incidents_open", "Open incidents by severity.", proto::MetricType::GAUGE, open),
            counter("netroom_incident_events_total", "Entries written to the log of incidents.", read(&counts.events)),
            counter(
                "netroom_incident_findings_total",
                "Judgements taken: raised, cleared or no longer to be judged.",
                read(&counts.findings),
            ),
            counter(
                "netroom_incident_write_failures_total",
                "Writes of incidents that failed and were tried again.",
                read(&counts.failures),
            ),
        ]
    }
}
