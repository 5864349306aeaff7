//! An incident as it is kept, shown and told: everything about it but its log.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::family::Key;
use crate::model::notice::Change;
use crate::model::{Evidence, IncidentId, Notice, Severity, Subject, Timestamp};

/// How far an incident is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is so now.
    Open,
    /// It is over.
    Cleared,
    /// It turned out to be a consequence of another one.
    Merged(IncidentId),
}

impl Phase {
    /// The word of the database, of JSON and of the words' keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Cleared => "cleared",
            Self::Merged(_) => "merged",
        }
    }
}

/// Somebody has taken it on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// Who.
    pub by: Arc<str>,
    /// What they said.
    pub comment: String,
    /// When.
    pub at: Timestamp,
    /// Until when it counts; `None` until the end.
    pub until: Option<Timestamp>,
}

/// Somebody does not want to hear of it for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mute {
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub comment: String,
    /// Until when.
    pub until: Timestamp,
}

/// What an incident takes along.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Child {
    /// The rule that says so.
    pub rule: Arc<str>,
    /// How much it matters by itself.
    pub severity: Severity,
    /// Since when it belongs here.
    pub joined: Timestamp,
    /// When it was over, or went its own way; `None` while it lasts.
    pub left: Option<Timestamp>,
}

/// One incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// The family of rules and the subject.
    #[serde(flatten)]
    pub key: Key,
    /// The rule whose words it has now.
    pub rule: Arc<str>,
    /// How far it is.
    pub phase: Phase,
    /// How much it matters now, or mattered at its end.
    pub severity: Severity,
    /// How much it mattered at its worst.
    pub worst: Severity,
    /// When it began.
    pub opened: Timestamp,
    /// When anything about it changed last.
    pub changed: Timestamp,
    /// When it was over.
    pub cleared: Option<Timestamp>,
    /// The facts now, or at its end.
    pub evidence: Evidence,
    /// Whether nobody can tell at the moment if it still is so.
    pub is_unknown: bool,
    /// Who has taken it on.
    pub ack: Option<Ack>,
    /// Who has muted it.
    pub mute: Option<Mute>,
    /// Whether a maintenance window keeps it quiet.
    pub in_maintenance: bool,
    /// Whether anybody may have been alarmed: then they are to hear of its end.
    pub is_told: bool,
    /// When it came up lately, the oldest first: for telling a flapping thing.
    pub raises: Vec<Timestamp>,
    /// Whether it comes and goes: then it stays open until it has been calm for a while.
    pub is_flapping: bool,
    /// While it flaps and is not so at the moment: when it counts as over.
    pub calm_at: Option<Timestamp>,
    /// How many children there were when somebody was last told.
    pub children_told: usize,
    /// How many of those it took along are still affected.
    pub affected: usize,
    /// How many it took along in all.
    pub taken: usize,
}

impl Incident {
    /// What it is about.
    pub const fn subject(&self) -> &Subject {
        &self.key.subject
    }

    /// Whether it is going on.
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether nobody wants to hear of it at this moment.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.in_maintenance || self.mute.as_ref().is_some_and(|mute| mute.until > now)
    }
}

/// An entry of the log of incidents.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The number of the entry, without holes for readers that go on from the last they saw; 0 until it is written.
    pub id: i64,
    /// Of which incident.
    pub incident: IncidentId,
    /// What happened.
    pub change: Change,
    /// When.
    pub at: Timestamp,
    /// The rule at that time.
    pub rule: Arc<str>,
    /// The subject.
    pub subject: Subject,
    /// The severity at that time.
    pub severity: Severity,
    /// Who did it, for what people do.
    pub person: Option<Arc<str>>,
    /// Their words.
    pub comment: Option<String>,
    /// The facts at that time.
    pub evidence: Evidence,
    /// Whether it was kept quiet.
    pub is_muted: bool,
}

/// An event with what is to be told of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// The entry.
    pub event: Event,
    /// What goes to the outbox; its event number is filled in when the entry is written.
    pub notice: Option<Notice>,
}
