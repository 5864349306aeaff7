//! What is told when an incident changes: the incidents write it, the outbox sends it; neither knows the other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::finding::Evidence;
use super::{Severity, Subject, Timestamp, Zone};

/// An incident's number, given once, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub i64);

/// A change of an incident that somebody may have to be told of, with all that routing and wording need.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Which incident.
    pub incident: IncidentId,
    /// The number of the event in the incident log: with the recipient the key that keeps a notice from being sent twice.
    pub event: i64,
    /// What happened to it.
    pub change: Change,
    /// The rule that opened it.
    pub rule: Arc<str>,
    /// What it is about: the root cause when one is known.
    pub subject: Subject,
    /// How much it matters now.
    pub severity: Severity,
    /// When it began.
    pub opened: Timestamp,
    /// When this change was.
    pub at: Timestamp,
    /// The site of the subject, empty when none.
    pub site: Arc<str>,
    /// The zone of the subject, when it has one.
    pub zone: Option<Zone>,
    /// The tags of the subject.
    pub tags: Vec<Arc<str>>,
    /// What else it takes along: the hosts behind a dead switch.
    pub children: Vec<Subject>,
    /// The facts.
    pub evidence: Evidence,
    /// Who did it, for an acknowledgement or a comment; and their words.
    pub person: Option<Arc<str>>,
    /// See `person`.
    pub comment: Option<String>,
    /// Whether a maintenance window or a mute keeps it from being mailed now; it is recorded all the same.
    pub is_muted: bool,
}

/// What happened to an incident.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It began.
    Opened,
    /// It came back within the window in which it counts as the same.
    Reopened,
    /// It grew: more severe, or it takes more along.
    Worsened,
    /// Its facts changed, nothing to be alarmed about anew.
    Updated,
    /// Somebody took it on.
    Acknowledged,
    /// The acknowledgement ran out, or the incident grew after it.
    Unacknowledged,
    /// Somebody wrote to it.
    Commented,
    /// It is over.
    Cleared,
    /// A maintenance window ended and it is still there.
    StillOpen,
}

impl Change {
    /// The word of JSON, the database and the words' keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Worsened => "worsened",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Commented => "commented",
            Self::Cleared => "cleared",
            Self::StillOpen => "stillopen",
        }
    }
}
