//! Findings of reachability: their rules, how much they matter, and the facts by which anybody can check them.

use std::sync::Arc;

use super::super::codec::Refusal;
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict};

/// The rules that this room judges by.
pub(super) const HOST_DOWN: &str = "host-down";
pub(super) const HOST_UNREACHABLE: &str = "host-unreachable";
pub(super) const HOST_LOSSY: &str = "host-lossy";
pub(super) const HOST_SLOW: &str = "host-slow";
pub(super) const HOST_FLAPPING: &str = "host-flapping";
pub(super) const SERVICE_DOWN: &str = "service-down";
pub(super) const SERVICE_SLOW: &str = "service-slow";
pub(super) const CERTIFICATE: &str = "certificate-expiring";
pub(super) const BLIND: &str = "monitor-blind";

/// A finding that begins or changes.
pub(super) fn raised(rule: &'static str, subject: &Subject, severity: Severity, at_ns: i64, evidence: Evidence) -> Finding {
    Finding { rule: Arc::from(rule), subject: subject.clone(), verdict: Verdict::Raised(severity), at: time(at_ns), cause: None, evidence }
}

/// A finding that ends.
pub(super) fn cleared(rule: &'static str, subject: &Subject, at_ns: i64) -> Finding {
    Finding {
        rule: Arc::from(rule),
        subject: subject.clone(),
        verdict: Verdict::Cleared,
        at: time(at_ns),
        cause: None,
        evidence: Evidence::new(),
    }
}

/// Why a host is out of reach: how many probes failed, when it last answered, and what the network said.
pub(super) fn outage(address: String, failed: u64, last_answer_ns: i64, refusal: Option<Refusal>) -> Evidence {
    let mut evidence = Evidence::from([("address".into(), Fact::Text(address)), ("failed".into(), Fact::Count(failed))]);
    if last_answer_ns > i64::MIN {
        evidence.insert("last_answer".into(), Fact::Time(time(last_answer_ns)));
    }
    if let Some(refusal) = refusal {
        evidence.insert("refusal".into(), Fact::Text(refusal.word().into()));
        evidence.insert("icmp_type".into(), Fact::Count(refusal.kind.into()));
        evidence.insert("icmp_code".into(), Fact::Count(refusal.code.into()));
    }
    evidence
}

/// Steady nanoseconds as a time; the driver adds what the wall clock was set by.
pub(super) const fn time(at_ns: i64) -> Timestamp {
    Timestamp::from_millis(at_ns / 1_000_000)
}
