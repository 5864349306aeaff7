//! The reading of tables for Prometheus: how many readings came to their end, and what was missing of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::vitals::{counter, family};
use crate::locate::driver::Stats;

/// How many facts of each sort are known of the site.
pub type SiteFacts = Box<dyn Fn() -> Vec<(&'static str, usize)> + Send + Sync>;

/// Reads the counts at each scrape.
pub struct TableCollector {
    /// What the readings counted.
    pub stats: Arc<Stats>,
    /// What is known of the site.
    pub facts: SiteFacts,
}

impl Collector for TableCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let stats = &self.stats;
        let facts = (self.facts)().into_iter().map(|(fact, count)| (vec![("fact", fact)], count as f64)).collect();
        vec![
            counter("netroom_table_readings_total", "Readings of a device's tables that came to their end.", read(&stats.readings)),
            counter("netroom_table_readings_broken_total", "Readings in which some table was not whole.", read(&stats.broken)),
            counter("netroom_table_readings_laid_aside_total", "Readings that went on after the next poll.", read(&stats.laid_aside)),
            counter("netroom_table_rows_shed_total", "Rows of tables that were too many to keep.", read(&stats.shed)),
            family("netroom_site_facts", "What is known of the site, by its sort.", proto::MetricType::GAUGE, facts),
        ]
    }
}
