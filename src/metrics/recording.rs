//! Captures of single hosts for Prometheus: how many stand where, and what their files take.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricType};

use super::vitals::family;
use crate::capture::recording::{Desk, State};

/// Reads the desk's last count at each scrape.
pub struct RecordingCollector(pub Arc<Desk>);

impl Collector for RecordingCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let summary = self.0.summary();
        let count = |state: State| summary.states.get(&state).copied().unwrap_or(0) as f64;
        let states = State::ALL.map(|state| (vec![("state", state.word())], count(state))).to_vec();
        vec![
            family("netroom_captures", "Captures of single hosts by state.", MetricType::GAUGE, states),
            family("netroom_captures_file_bytes", "Octets of their files.", MetricType::GAUGE, vec![(vec![], summary.octets as f64)]),
        ]
    }
}
