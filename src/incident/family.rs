//! Rules that tell of one and the same fact: a dead device is missed by the poll and by the ping, a dead port by the poll
//! and by a trap. The findings of one family about one subject are one incident; its words are those of the weightiest.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detect::Kind;
use crate::model::{Finding, Subject};

/// The family of everything that says that a device or host is gone.
pub const DOWN: &str = "down";
/// The family of everything that says that a port is gone.
pub const PORT_DOWN: &str = "port-down";
/// The family of what says that this program cannot judge others now.
pub const BLIND: &str = "monitor-blind";
/// The incident that stands for a flood of others.
pub const STORM: &str = "storm";

/// Families of more than one rule; within a family the first rule gives the words where severities are equal.
const FAMILIES: &[(&str, &[&str])] = &[
    (DOWN, &["host-down", "device-down", "host-unreachable", "device-silent"]),
    (PORT_DOWN, &["trap-err-disabled", "port-down", "trap-link-down"]),
    ("device-rebooted", &["device-rebooted", "trap-cold-start"]),
    (
        "port-anomaly",
        &[
            "port-anomaly",
            "port-anomaly-broadcast",
            "port-anomaly-in",
            "port-anomaly-out",
            "port-anomaly-in-packets",
            "port-anomaly-out-packets",
            "port-anomaly-asymmetry",
        ],
    ),
    ("port-broadcast", &["port-loop", "port-storm", "port-broadcast"]),
    ("port-drop", &["port-drop-in", "port-drop-out"]),
    ("mirror", &["mirror-refused", "mirror-missing", "mirror-down", "mirror-silent"]),
    ("host-slow", &["host-slow", "host-jitter"]),
];

/// The family of a rule: its own name when it stands alone.
pub fn family(rule: &str) -> &str {
    FAMILIES.iter().find(|(_, rules)| rules.contains(&rule)).map_or(rule, |(family, _)| family)
}

/// How much a rule's words are worth within its family, the more the better.
pub(super) fn rank(rule: &str) -> usize {
    let place = |rules: &[&str]| rules.iter().position(|one| *one == rule).map(|place| rules.len() - place);
    FAMILIES.iter().find_map(|(_, rules)| place(rules)).unwrap_or(0)
}

/// Whether a rule only tells what it was told once and may miss the end of it: a trap. Another judge of the family that
/// has looked later counts more.
pub fn is_hearsay(rule: &str) -> bool {
    rule.starts_with("trap-")
}

/// Whether a family is about what one machine does: that many do so at once is many machines and no storm of the network,
/// and a monitor whose own link is down still sees what passes on a mirror port. Kinds that switches tell are not of these.
pub(super) fn is_behaviour(family: &str) -> bool {
    Kind::from_rule(family).is_some_and(|kind| !matches!(kind, Kind::MacFlap | Kind::PortAnomaly | Kind::Storm | Kind::NewMac))
}

/// Whether an incident of this family takes others along: what is behind, and what stands on it.
pub(super) fn is_root(family: &str) -> bool {
    matches!(family, DOWN | PORT_DOWN | BLIND | STORM)
}

/// The key of an incident: a family of rules about one subject. Only one incident of a key is open at a time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Key {
    /// What it is about.
    pub subject: Subject,
    /// The family of the rules.
    pub family: Arc<str>,
}

impl Key {
    /// The key of a family about a subject.
    pub fn new(family: &str, subject: Subject) -> Self {
        Self { subject, family: family.into() }
    }

    /// The key that a finding belongs to.
    pub fn of(finding: &Finding) -> Self {
        Self::new(family(&finding.rule), finding.subject.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_of_one_fact_share_a_family() {
        for (rule, of) in
            [("host-down", DOWN), ("device-silent", DOWN), ("trap-link-down", PORT_DOWN), ("port-in-errors", "port-in-errors")]
        {
            assert_eq!(family(rule), of);
        }
        assert!(is_behaviour("tcp-scan") && !is_behaviour("mac-flap") && !is_behaviour("broadcast-storm") && !is_behaviour(STORM));
        assert!(rank("host-down") > rank("device-silent") && rank("device-silent") > rank("port-in-errors"));
    }
}
