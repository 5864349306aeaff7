//! The rules over netroom itself: does what is measured reach the disk, and how much room is left there?

use std::sync::Arc;

use super::gauge::Gauge;
use super::plan::{Book, Whom};
use crate::incident::scope::Place;
use crate::model::{Evidence, Fact, Finding, Subject, Timestamp};

/// How the store of samples is.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct OwnHealth {
    /// Whether samples do not reach the disk.
    pub is_failing: bool,
    /// Whether little room is left on its file system.
    pub is_low: bool,
    /// Free bytes of its file system; `None` when not known.
    pub free_bytes: Option<u64>,
}

/// The state of these rules.
#[derive(Debug, Default)]
pub struct OwnRules {
    failing: Gauge,
    disk: Gauge,
}

impl OwnRules {
    /// `raised` is what judges had raised before the restart.
    pub fn new(raised: impl IntoIterator<Item = (Arc<str>, Subject)>) -> Self {
        let mut own = Self::default();
        for (rule, _) in raised {
            match &*rule {
                "store-failing" => own.failing = Gauge::raised(),
                "disk-low" => own.disk = Gauge::raised(),
                _ => {}
            }
        }
        own
    }

    /// Judges; tells each change.
    pub fn look(&mut self, book: &Book, health: OwnHealth, now: Timestamp) -> Vec<Finding> {
        let place = Place::default();
        let whom = Whom { device: "", place: &place, port: None };
        let store = ("store-failing", "store", &mut self.failing, health.is_failing);
        let disk = ("disk-low", "disk", &mut self.disk, health.is_low);
        let mut findings = Vec::new();
        for (rule, part, gauge, holds) in [store, disk] {
            let Some(threshold) = book.threshold(rule, whom) else { continue };
            let Some(verdict) = gauge.take(f64::from(u8::from(holds)), now, &threshold) else { continue };
            let mut evidence = Evidence::new();
            let free = health.free_bytes.map_or_else(|| "?".to_owned(), size);
            evidence.insert("value".to_owned(), Fact::Text(free));
            findings.push(Finding { rule: rule.into(), subject: Subject::Part(part.into()), verdict, at: now, cause: None, evidence });
        }
        findings
    }
}

/// Bytes to three digits, decimal prefixes.
fn size(bytes: u64) -> String {
    let (digits, prefix) = crate::model::units::si(bytes as f64);
    format!("{digits} {prefix}B")
}
