//! The outbox for Prometheus: what waits, for how long, and what became of the rest.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::{family, gauge};
use crate::model::clock;
use crate::notify::Sender;

/// Reads the sender at each scrape.
pub struct NotifyCollector(pub Arc<Sender>);

impl Collector for NotifyCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let (waiting, now) = (self.0.waiting(), clock::wall());
        let oldest = waiting.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        let sent = self.0.sent();
        let label = |name: &'static str, value: &str| (name, value.to_owned());
        let sent: Vec<_> =
            sent.iter().map(|((channel, result), count)| ([label("channel", channel), label("result", result)], *count as f64)).collect();
        let sent =
            sent.iter().map(|(labels, count)| (labels.iter().map(|(name, value)| (*name, value.as_str())).collect(), *count)).collect();
        vec![
            gauge("netroom_notices_queued", "Messages that wait to be sent.", waiting.queued as f64),
            gauge(
                "netroom_notices_oldest_unsent_seconds",
                "For how long the oldest message that should have been sent has been waiting.",
                oldest,
            ),
            family("netroom_notices_sent_total", "Tries to send a message by channel and result.", proto::MetricType::COUNTER, sent),
        ]
    }
}
