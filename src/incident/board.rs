//! What is wrong now, for readers that must not wait: the open incidents, and the number of the newest log entry.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::record::Incident;
use super::windows::Windows;
use crate::model::{Severity, Subject};

/// The board in the hall.
#[derive(Debug)]
pub struct Board {
    open: ArcSwap<Vec<Arc<Incident>>>,
    windows: ArcSwap<Windows>,
    hearsay: ArcSwap<HashSet<Subject>>,
    last_event: watch::Sender<i64>,
    watched: [AtomicUsize; 2],
    counts: Counts,
}

/// What the task has done, for metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Judgements taken.
    pub findings: AtomicU64,
    /// Log entries written.
    pub events: AtomicU64,
    /// Writes that failed and were tried again.
    pub failures: AtomicU64,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            open: ArcSwap::default(),
            windows: ArcSwap::default(),
            hearsay: ArcSwap::default(),
            last_event: watch::channel(0).0,
            watched: [const { AtomicUsize::new(0) }; 2],
            counts: Counts::default(),
        }
    }
}

impl Board {
    /// The open incidents, the gravest and then the newest first.
    pub fn open(&self) -> Arc<Vec<Arc<Incident>>> {
        self.open.load_full()
    }

    /// How many are open, by severity from the least to the most.
    pub fn open_by_severity(&self) -> [(Severity, usize); 4] {
        let open = self.open();
        Severity::ALL.map(|severity| (severity, open.iter().filter(|incident| incident.severity == severity).count()))
    }

    /// All windows in force, of the configuration and of people.
    pub fn windows(&self) -> Arc<Windows> {
        self.windows.load_full()
    }

    /// Ports that only traps speak of: whoever can look is asked to.
    pub fn hearsay(&self) -> Arc<HashSet<Subject>> {
        self.hearsay.load_full()
    }

    /// Changes with the number of the newest log entry.
    pub fn last_event(&self) -> watch::Receiver<i64> {
        self.last_event.subscribe()
    }

    /// How many devices and ports are watched now: a storm is a share of them.
    pub fn watch_ports(&self, count: usize) {
        self.watched[0].store(count, Ordering::Relaxed);
    }

    /// How many hosts and services are watched now.
    pub fn watch_hosts(&self, count: usize) {
        self.watched[1].store(count, Ordering::Relaxed);
    }

    /// How many are watched now, by kind.
    pub fn watched_by_kind(&self) -> [(&'static str, usize); 2] {
        let [ports, hosts] = &self.watched;
        [("ports", ports.load(Ordering::Relaxed)), ("hosts", hosts.load(Ordering::Relaxed))]
    }

    pub(super) fn watched(&self) -> usize {
        self.watched_by_kind().iter().map(|(_, count)| count).sum()
    }

    /// What is counted.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn show(&self, mut open: Vec<Arc<Incident>>, hearsay: HashSet<Subject>, last_event: Option<i64>) {
        open.sort_by_key(|incident| (std::cmp::Reverse(incident.severity), std::cmp::Reverse(incident.opened), incident.id));
        self.open.store(Arc::new(open));
        self.hearsay.store(Arc::new(hearsay));
        if let Some(last) = last_event {
            self.last_event.send_replace(last);
        }
    }

    pub(super) fn show_windows(&self, windows: Windows) {
        self.windows.store(Arc::new(windows));
    }

    pub(super) fn count(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }
}
