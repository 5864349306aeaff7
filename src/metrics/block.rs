//! Blocks: cases by where they stand, what stood in the way, and how long it took.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricType};

use super::vitals::family;
use crate::block::Phase;
use crate::block::tally::Tally;

/// Reads the tally of the desk at each scrape.
pub struct BlockCollector(pub Arc<Tally>);

impl Collector for BlockCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let counts = self.0.counts();
        let by = |list: &std::collections::BTreeMap<Phase, u64>, phase: Phase| list.get(&phase).copied().unwrap_or(0) as f64;
        let phases = Phase::ALL.map(|phase| (vec![("phase", phase.word())], by(&counts.entered, phase))).to_vec();
        let open = Phase::ALL.into_iter().filter(|phase| !phase.is_over());
        let open = open.map(|phase| (vec![("phase", phase.word())], by(&counts.open, phase))).collect();
        let rails = counts.rails.iter().map(|(rail, count)| (vec![("rail", *rail)], *count as f64)).collect();
        let one = |value: f64| vec![(vec![], value)];
        let is = |is: bool| one(if is { 1.0 } else { 0.0 });
        vec![
            family("netroom_block_cases", "Cases that are not over, by phase.", MetricType::GAUGE, open),
            family("netroom_block_phases_total", "How often a case came into a phase.", MetricType::COUNTER, phases),
            family("netroom_block_rails_total", "What stood in the way of blocks, by rail.", MetricType::COUNTER, rails),
            family("netroom_block_held", "Ports and addresses that are held now.", MetricType::GAUGE, one(counts.held as f64)),
            family(
                "netroom_block_breaker_open",
                "1 while too much was blocked without a person.",
                MetricType::GAUGE,
                is(counts.is_tripped),
            ),
            family("netroom_block_frozen", "1 while a person has frozen blocks.", MetricType::GAUGE, is(counts.is_frozen)),
            family(
                "netroom_block_delay_seconds_total",
                "Time from the first packet of the evidence to the block that was read back, of all blocks together.",
                MetricType::COUNTER,
                one(counts.took.as_secs_f64()),
            ),
            family(
                "netroom_block_last_delay_seconds",
                "The same of the last block.",
                MetricType::GAUGE,
                one(counts.took_last.as_secs_f64()),
            ),
        ]
    }
}
