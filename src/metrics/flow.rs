//! Flow records for Prometheus: what came from each exporter, and what did not.

use std::net::IpAddr;
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricType};

use super::vitals::{Sample, counter, family};
use crate::flow::Protocol;
use crate::flow::stats::{Exporter, Stats};

/// Reads the receiver's counts at each scrape.
pub struct FlowCollector(pub Arc<Stats>);

impl Collector for FlowCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let stats = &self.0;
        let exporters: Vec<(String, Arc<Exporter>)> =
            stats.exporters().into_iter().map(|(address, exporter)| (name(address), exporter)).collect();
        let by_protocol = |metric: &str, help: &str, read: fn(&Exporter, Protocol) -> u64| {
            let spoken = exporters.iter().flat_map(|(name, exporter)| {
                let spoken = Protocol::ALL.into_iter().filter(|protocol| exporter.datagrams(*protocol) > 0);
                spoken.map(move |protocol| (name, exporter, protocol))
            });
            let samples = spoken.map(|(name, exporter, protocol)| {
                (vec![("exporter", name.as_str()), ("protocol", protocol.word())], read(exporter, protocol) as f64)
            });
            family(metric, help, MetricType::COUNTER, samples.collect())
        };
        let by_exporter = |metric: &str, help: &str, kind: MetricType, read: fn(&Exporter) -> f64| {
            let samples: Vec<Sample<'_>> =
                exporters.iter().map(|(name, exporter)| (vec![("exporter", name.as_str())], read(exporter))).collect();
            family(metric, help, kind, samples)
        };
        vec![
            by_protocol("netroom_flow_datagrams_total", "Datagrams of flow records received.", Exporter::datagrams),
            by_protocol("netroom_flow_records_total", "Flow records received; of sFlow, samples of packets.", Exporter::records),
            by_protocol(
                "netroom_flow_lost_total",
                "What did not arrive, by its sequence numbers: records of NetFlow v5 and IPFIX, datagrams of NetFlow v9 and sFlow.",
                Exporter::lost,
            ),
            by_exporter(
                "netroom_flow_unknown_templates_total",
                "Sets that could not be read because their template had not come.",
                MetricType::COUNTER,
                |exporter| exporter.unknown_templates() as f64,
            ),
            by_exporter(
                "netroom_flow_malformed_total",
                "Datagrams that could not be read, or not wholly.",
                MetricType::COUNTER,
                |exporter| exporter.malformed() as f64,
            ),
            by_exporter(
                "netroom_flow_other_records_total",
                "Records of something else than flows between IP addresses.",
                MetricType::COUNTER,
                |exporter| exporter.other() as f64,
            ),
            by_exporter("netroom_flow_last_datagram_timestamp_seconds", "When the last datagram came.", MetricType::GAUGE, |exporter| {
                exporter.last().map_or(0.0, |at| at.millis() as f64 / 1e3)
            }),
            by_exporter(
                "netroom_flow_clock_behind_seconds",
                "How far the exporter's clock is behind ours; 0 up to a minute.",
                MetricType::GAUGE,
                |exporter| exporter.clock_behind_ms() as f64 / 1e3,
            ),
            counter("netroom_flow_refused_total", "Datagrams of addresses that may not send flow records.", stats.refused()),
            counter("netroom_flow_socket_drops_total", "Datagrams of flow records that a socket had no room for.", stats.socket_drops()),
            counter("netroom_flow_shed_total", "Flow records that the detectors had no room for.", stats.shed()),
        ]
    }
}

/// Those beyond the table have no address of their own.
fn name(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "other".to_owned(), |address| address.to_string())
}
