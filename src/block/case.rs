//! A case: one machine that is to be cut off, from the evidence to the release. Plain data, kept as a whole.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gate::{Approval, Path, Rail};
use super::work::Work;
use super::{CaseId, Observation, Order};
use crate::model::{Evidence, MacAddr, Timestamp};

/// Where a case stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It has to be located and judged.
    Open,
    /// It would be blocked, if a mode were turned on.
    Observed,
    /// Persons have to say yes.
    Waiting,
    /// A rail says no; it is tried again for a while.
    Refused,
    /// Leave was given, and it is about to be set: what becomes of it is found out after a crash too.
    Wanted,
    /// It is cut off, which was read back.
    Blocked,
    /// It was set, and is not so any more: somebody, or a restart of the switch, has changed it.
    Drifted,
    /// The device did not do it.
    Failed,
    /// It is about to be given back.
    Releasing,
    /// It was given back.
    Released,
    /// A person said no.
    Declined,
    /// It came to nothing: no rail gave way in time.
    Closed,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Open,
        Self::Observed,
        Self::Waiting,
        Self::Refused,
        Self::Wanted,
        Self::Blocked,
        Self::Drifted,
        Self::Failed,
        Self::Releasing,
        Self::Released,
        Self::Declined,
        Self::Closed,
    ];

    /// The word, as in JSON and in the words' keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Observed => "observed",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Wanted => "wanted",
            Self::Blocked => "blocked",
            Self::Drifted => "drifted",
            Self::Failed => "failed",
            Self::Releasing => "releasing",
            Self::Released => "released",
            Self::Declined => "declined",
            Self::Closed => "closed",
        }
    }

    /// Whether nothing will become of it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Released | Self::Declined | Self::Closed)
    }

    /// Whether the machine is cut off, or may be.
    pub const fn is_cut(self) -> bool {
        matches!(self, Self::Wanted | Self::Blocked | Self::Drifted | Self::Releasing)
    }

    /// The name of its event in the journal.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Open => "block.opened",
            Self::Observed => "block.observed",
            Self::Waiting => "block.waiting",
            Self::Refused => "block.refused",
            Self::Wanted => "block.wanted",
            Self::Blocked => "block.blocked",
            Self::Drifted => "block.drifted",
            Self::Failed => "block.failed",
            Self::Releasing => "block.releasing",
            Self::Released => "block.released",
            Self::Declined => "block.declined",
            Self::Closed => "block.closed",
        }
    }
}

/// One case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// Who: its MAC address.
    pub mac: Option<MacAddr>,
    /// Its IP address, as the evidence names it.
    pub ip: Option<IpAddr>,
    /// The rule that accuses it; `request` when a person does.
    pub rule: Arc<str>,
    /// Why, in words.
    pub reason: String,
    /// How it came.
    pub path: Path,
    /// The facts.
    pub evidence: Evidence,
    /// When the first packet of the evidence passed, or the request was made.
    pub first: Timestamp,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// Where it stands.
    pub phase: Phase,
    /// What stood in the way when it was last judged.
    pub rails: Vec<Rail>,
    /// Who has said yes.
    pub votes: Vec<Approval>,
    /// What is to be done, or was.
    pub order: Option<Order>,
    /// The exact objects and values that it means.
    pub varbinds: Vec<String>,
    /// What was there before.
    pub before: Option<Observation>,
    /// What was read back.
    pub after: Option<Observation>,
    /// Which step of the ladder of time it is.
    pub step: u32,
    /// When it was cut off, read back.
    pub blocked: Option<Timestamp>,
    /// When it will be given back.
    pub until: Option<Timestamp>,
    /// When it was given back, read back.
    pub released: Option<Timestamp>,
    /// The case whose block this one follows after a move.
    pub follows: Option<CaseId>,
    /// What went wrong, or what is peculiar, in words.
    pub note: String,
    /// When something has to be done for it next.
    pub due: Timestamp,
}

impl Case {
    /// What people call the machine: its MAC address, else its IP address.
    pub fn machine(&self) -> String {
        self.mac.map(|mac| mac.to_string()).or_else(|| self.ip.map(|ip| ip.to_string())).unwrap_or_default()
    }

    /// The port, as people write it; empty while nobody knows.
    pub fn place(&self) -> String {
        self.order.as_ref().and_then(Order::spot).map(ToString::to_string).unwrap_or_default()
    }

    /// Milliseconds from the first packet of the evidence to the block that was read back.
    pub fn took_ms(&self) -> Option<u64> {
        u64::try_from(self.blocked?.since(self.first).as_millis()).ok()
    }
}

/// What a person, or a program, wants of the desk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "lowercase")]
pub enum Wish {
    /// That a machine be cut off.
    Request {
        /// Its MAC address.
        mac: Option<MacAddr>,
        /// Its IP address.
        ip: Option<IpAddr>,
        /// Why.
        reason: String,
    },
    /// Yes to a case.
    Approve {
        /// Which.
        case: CaseId,
    },
    /// No to a case.
    Decline {
        /// Which.
        case: CaseId,
        /// Why.
        reason: String,
    },
    /// That a machine be given back.
    Release {
        /// Which.
        case: CaseId,
        /// Why.
        reason: String,
    },
    /// That something be done to a port.
    Work(Work),
    /// That nothing be blocked without a person for a time.
    Freeze {
        /// Until when; a moment that is over ends a freeze.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// That the breaker be closed again.
    Reset {
        /// Why.
        reason: String,
    },
}
