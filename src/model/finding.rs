//! A judgement on its way to the incidents: which rule, about what, since when, and what anybody can check it by.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Severity, Subject, Timestamp};

/// One judgement. The judges (reachability, rules over the live table, traps, detection) tell changes only: a condition
/// is raised once, told again when it grows or its evidence changes, and cleared once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that judged: `port-down`, `host-down`, `port-in-errors` ... With the subject the key of the incident.
    pub rule: Arc<str>,
    /// What it is about.
    pub subject: Subject,
    /// What was found.
    pub verdict: Verdict,
    /// When that was so: the time of the observation, not of the judgement.
    pub at: Timestamp,
    /// What it is a consequence of, where the judge knows: a dead switch for the host behind it.
    pub cause: Option<Subject>,
    /// The facts, by name.
    pub evidence: Evidence,
}

/// What a judge found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The condition holds.
    Raised(Severity),
    /// It holds no longer.
    Cleared,
    /// It can no longer be judged (the poll failed, the monitor is blind): neither of the two.
    Unknown,
}

/// Facts by name. The names are the arguments of the rule's sentence in both languages (`finding-RULE` in `i18n`).
pub type Evidence = BTreeMap<String, Fact>;

/// One fact, with its unit where it has one, so that each reader writes it in the reader's own way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Words of a device or a person, shown as they are.
    Text(String),
    /// A count.
    Count(u64),
    /// A share in percent.
    Percent(f64),
    /// Bits per second.
    BitsPerSecond(f64),
    /// Packets (or other events) per second.
    PerSecond(f64),
    /// A span in milliseconds.
    Millis(f64),
    /// A point in time.
    Time(Timestamp),
    /// Other subjects: those behind a dead switch.
    Subjects(Vec<Subject>),
}
