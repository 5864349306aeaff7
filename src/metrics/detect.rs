//! Detection for Prometheus: how many machines are remembered, what is held against them, and what found no room.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::family;
use crate::detect::{Board, Level};

/// Reads the board at each scrape.
pub struct DetectCollector(pub Arc<Board>);

impl Collector for DetectCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let held = self.0.held();
        let of = |level: Level| held.iter().filter(|detection| !detection.cleared && detection.level == level).count();
        let levels = Level::ALL.map(|level| (vec![("level", level.word())], of(level) as f64)).to_vec();
        let shed = self.0.shed().map(|(table, count)| (vec![("table", table)], count as f64)).to_vec();
        vec![
            family(
                "netroom_machines",
                "Machines that are remembered by what passed on mirror ports.",
                proto::MetricType::GAUGE,
                vec![(Vec::new(), self.0.machines().len() as f64)],
            ),
            family("netroom_detections", "What is held against machines now, by level.", proto::MetricType::GAUGE, levels),
            family("netroom_detect_shed_total", "What found no room in a bounded table of detection.", proto::MetricType::COUNTER, shed),
        ]
    }
}
