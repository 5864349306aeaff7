//! Accounts and journal for Prometheus, read at each scrape.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::{counter, family};
use crate::accounts::Accounts;
use crate::model::clock;

/// Reads the accounts at each scrape.
pub struct AccessCollector(pub Arc<Accounts>);

impl Collector for AccessCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let counts = self.0.counts(clock::wall());
        let by_result = [("ok", counts.logins), ("failed", counts.failed_logins), ("locked", counts.locked_logins)]
            .map(|(result, count)| (vec![("result", result)], count as f64))
            .to_vec();
        let gauge = |name, help, value: u64| family(name, help, proto::MetricType::GAUGE, vec![(Vec::new(), value as f64)]);
        vec![
            family("netroom_logins_total", "Logins by result; locked ones were not tried.", proto::MetricType::COUNTER, by_result),
            gauge("netroom_sessions", "Sessions that are open.", counts.sessions),
            gauge(
                "netroom_separation_violations",
                "Pairs of roles that exclude each other and are held by one person: the database was edited.",
                counts.separation_violations,
            ),
            counter("netroom_journal_events_total", "Events in the journal.", counts.journal_events),
        ]
    }
}
