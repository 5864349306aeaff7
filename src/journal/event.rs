//! What an event says: who, on behalf of whom, by which door, what, to whom.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::model::Timestamp;

/// The door that an action came through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Via {
    /// A page.
    Web,
    /// The API, by a token.
    Api,
    /// The command line.
    Cli,
    /// Netroom itself.
    Daemon,
}

impl Via {
    /// The word in the journal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Daemon => "daemon",
        }
    }
}

/// Who acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// The person's name; `None` when no person does: netroom itself, or somebody who has not logged in.
    pub person: Option<Arc<str>>,
    /// Whom the person stands in for.
    pub on_behalf_of: Option<Arc<str>>,
    /// The door.
    pub via: Via,
}

impl Actor {
    /// A person who acts for himself or herself.
    pub fn person(name: impl Into<Arc<str>>, via: Via) -> Self {
        Self { person: Some(name.into()), on_behalf_of: None, via }
    }

    /// Somebody whose name is not known.
    pub const fn nobody(via: Via) -> Self {
        Self { person: None, on_behalf_of: None, via }
    }

    /// Netroom itself.
    pub const fn daemon() -> Self {
        Self::nobody(Via::Daemon)
    }
}

/// What is to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, a word with a dot: `login.ok`, `incident.acknowledged`.
    pub action: &'static str,
    /// What it was done to, as `account:li`, `incident:17`, `port:sw-a3/Gi0/17`.
    pub subject: String,
    /// For records with versions: which version this makes.
    pub rev: Option<i64>,
    /// For records with states: the state before.
    pub from_state: Option<String>,
    /// For records with states: the state after.
    pub to_state: Option<String>,
    /// Everything else. Whole numbers and texts only: a fraction is written as a text.
    pub payload: Value,
}

impl Entry {
    /// An entry about something without versions and states.
    pub fn new(at: Timestamp, actor: Actor, action: &'static str, subject: impl Into<String>, payload: Value) -> Self {
        Self { at, actor, action, subject: subject.into(), rev: None, from_state: None, to_state: None, payload }
    }
}

/// What is peculiar about an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// The machine's clock had been set back by more than 2 s; the time written is that of the event before.
    pub clock: bool,
}

impl Flags {
    /// The words in the journal, empty for none.
    pub const fn words(self) -> &'static str {
        if self.clock { "clock" } else { "" }
    }
}

/// Where an event stands in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Its number, from 1 without a gap.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// `17 9f86d0…`: the form of anchors.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.seq)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
