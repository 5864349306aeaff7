//! The program's own series, kept with the crate `prometheus`: polls, reloads, the vitals of the rooms, the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder as _, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::model::observe::PollRound;
use crate::model::{Gap, Timestamp};
use crate::ports::live::Live;

use super::vitals::{ReadVitals, VitalsCollector};

/// The program's own series. Cheap to call from any thread.
pub struct OwnMetrics {
    registry: Registry,
    polls: IntCounterVec,
    poll_rows: IntCounter,
    poll_duration: Histogram,
    reloads: IntCounterVec,
    reload_successful: IntGauge,
    reload_time: Gauge,
}

/// What a whole poll can fail by; all are shown from the start, so that their rates are known.
const FAILURES: [Gap; 5] = [Gap::Timeout, Gap::Deadline, Gap::Unreachable, Gap::Refused, Gap::Malformed];

impl OwnMetrics {
    /// Registers everything; `read` is called at each scrape.
    ///
    /// # Errors
    /// When two families have one name, which is a fault of this program.
    pub fn new(live: Arc<Live>, read: ReadVitals) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let build = GaugeVec::new(Opts::new("netroom_build_info", "Which program this is; always 1."), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        let polls = IntCounterVec::new(
            Opts::new("netroom_polls_total", "Polls of devices by result: ok, or why not everything came in."),
            &["result"],
        )?;
        for result in ["ok"].into_iter().chain(FAILURES.map(Gap::word)) {
            polls.with_label_values(&[result]);
        }
        let poll_rows = IntCounter::new("netroom_poll_rows_total", "Port samples that polls brought in.")?;
        let buckets = vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
        let options = HistogramOpts::new(
            "netroom_poll_duration_seconds",
            "How long a poll of a device took, from the first request to the last answer.",
        );
        let poll_duration = Histogram::with_opts(options.buckets(buckets))?;
        let reloads =
            IntCounterVec::new(Opts::new("netroom_config_reloads_total", "Attempts to load the configuration by result."), &["result"])?;
        for result in ["ok", "failed"] {
            reloads.with_label_values(&[result]);
        }
        let reload_successful =
            IntGauge::new("netroom_config_last_reload_successful", "Whether the last attempt to load the configuration succeeded.")?;
        let reload_time =
            Gauge::new("netroom_config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded.")?;
        registry.register(Box::new(build))?;
        registry.register(Box::new(polls.clone()))?;
        registry.register(Box::new(poll_rows.clone()))?;
        registry.register(Box::new(poll_duration.clone()))?;
        registry.register(Box::new(reloads.clone()))?;
        registry.register(Box::new(reload_successful.clone()))?;
        registry.register(Box::new(reload_time.clone()))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        registry.register(Box::new(VitalsCollector { read, live }))?;
        Ok(Self { registry, polls, poll_rows, poll_duration, reloads, reload_successful, reload_time })
    }

    /// Adds the families of a room.
    ///
    /// # Errors
    /// When one of its families is there already.
    pub fn add(&self, families: Box<dyn Collector>) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(Apart::new(families)?))
    }

    /// A poll of a device has ended.
    pub fn polled(&self, round: &PollRound) {
        self.polls.with_label_values(&[round.gap.map_or("ok", Gap::word)]).inc();
        self.poll_rows.inc_by(round.rows.len() as u64);
        self.poll_duration.observe(round.finished.since(round.started).as_secs_f64());
    }

    /// The configuration was loaded, or could not be and the one before stays in force.
    pub fn reloaded(&self, successful: bool, now: Timestamp) {
        self.reloads.with_label_values(&[if successful { "ok" } else { "failed" }]).inc();
        self.reload_successful.set(i64::from(successful));
        if successful {
            self.reload_time.set(now.millis() as f64 / 1e3);
        }
    }

    /// All series as text, classic form.
    ///
    /// # Errors
    /// When a family is malformed, which is a fault of this program.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut out = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }
}

/// A collector with an identity of its own: the registry tells collectors apart by what they describe, and those that decide
/// their families at each reading describe nothing.
struct Apart {
    families: Box<dyn Collector>,
    mark: Option<Desc>,
}

impl Apart {
    fn new(families: Box<dyn Collector>) -> Result<Self, prometheus::Error> {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let name = || format!("netroom_families_{}", MARKS.fetch_add(1, Ordering::Relaxed));
        let mark = || Desc::new(name(), "Families of a room.".to_owned(), Vec::new(), HashMap::new());
        let mark = families.desc().is_empty().then(mark).transpose()?;
        Ok(Self { families, mark })
    }
}

impl Collector for Apart {
    fn desc(&self) -> Vec<&Desc> {
        self.mark.as_ref().map_or_else(|| self.families.desc(), |mark| vec![mark])
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.families.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Undescribed;

    impl Collector for Undescribed {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            Vec::new()
        }
    }

    #[test]
    fn rooms_that_describe_nothing_stand_beside_each_other() {
        let own = OwnMetrics::new(Arc::new(Live::new()), Arc::new(crate::metrics::Vitals::default)).unwrap();
        for _ in 0..2 {
            own.add(Box::new(Undescribed)).unwrap();
        }
    }
}
