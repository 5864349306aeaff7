//! Watched interfaces for Prometheus: what came, what was lost, and whether anything can come.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricType};

use super::vitals::family;
use crate::capture::live::{Board, InterfaceNow};

/// Reads the board at each scrape.
pub struct CaptureCollector(pub Arc<Board>);

/// A value of an interface.
type Reading = fn(&InterfaceNow) -> u64;

/// A counter with one series an interface, and its reading.
const COUNTERS: [(&str, &str, Reading); 5] = [
    ("netroom_capture_packets_received_total", "Packets taken from the mirror port.", |now| now.received),
    ("netroom_capture_packets_dropped_total", "Packets for which the ring had no room; with those received: all that came.", |now| {
        now.dropped
    }),
    ("netroom_capture_received_bytes_total", "Octets of the packets received, as they were on the wire.", |now| now.octets),
    ("netroom_capture_packets_tagged_total", "Packets received that carried a VLAN tag.", |now| now.tagged),
    ("netroom_capture_ring_full_total", "Times at which the ring was full.", |now| now.full),
];

impl Collector for CaptureCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let interfaces = self.0.interfaces();
        if interfaces.is_empty() {
            return Vec::new();
        }
        let series =
            |reading: &dyn Fn(&InterfaceNow) -> f64| interfaces.iter().map(|now| (vec![("interface", &*now.name)], reading(now))).collect();
        let counter =
            |(name, help, reading): (&str, &str, Reading)| family(name, help, MetricType::COUNTER, series(&|now| reading(now) as f64));
        let watching = family(
            "netroom_capture_watching",
            "Whether packets that pass there are seen: 0 when the interface is missing, down or refused.",
            MetricType::GAUGE,
            series(&|now| f64::from(now.state.sees())),
        );
        COUNTERS.into_iter().map(counter).chain([watching]).collect()
    }
}
