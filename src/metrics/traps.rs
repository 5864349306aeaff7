//! Notifications for Prometheus: what came, what was taken, and what was not, by its reason.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::{counter, family};
use crate::snmp::trap::{Refused, Stats};

/// Reads the receiver's counts at each scrape.
pub struct TrapCollector(pub Arc<Stats>);

impl Collector for TrapCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let stats = &self.0;
        let refused = Refused::ALL.iter().map(|&why| (vec![("reason", why.word())], stats.refused(why) as f64)).collect();
        vec![
            counter("netroom_traps_received_total", "Datagrams received for traps and informs.", stats.received()),
            counter("netroom_traps_taken_total", "Traps and informs that were read and accepted.", stats.taken()),
            counter("netroom_traps_socket_drops_total", "Traps that the socket had no room for.", stats.socket_drops()),
            family("netroom_traps_refused_total", "Traps and informs not taken, by reason.", proto::MetricType::COUNTER, refused),
        ]
    }
}
