//! The rails: every reason for which the gate says no, or asks. Each has a name by which it is told everywhere.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// One rail that an order has run into.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "rail", rename_all = "kebab-case")]
pub enum Rail {
    /// It stands in the list, or is protected by what it is.
    Protected {
        /// Which line, or which fact of the network.
        line: String,
        /// Why.
        reason: String,
        /// Who answers for it.
        owner: String,
    },
    /// It is not known where the machine sits.
    Nowhere,
    /// The place was seen too long ago.
    Stale {
        /// How long ago, in seconds.
        age_s: u64,
    },
    /// The port was not looked at just before.
    NotAsked,
    /// It was looked at: the machine is not there.
    Gone,
    /// The index has another name by now.
    OtherPort {
        /// What the device calls it.
        told: String,
    },
    /// It leads to other bridges.
    Trunk,
    /// It is a link aggregation, or part of one.
    Aggregated,
    /// It leads to the root of the spanning tree.
    RootPort,
    /// Its neighbour passes traffic of others on.
    Neighbour {
        /// Who.
        name: String,
        /// What: `bridge`, `router`, `access_point`.
        what: String,
    },
    /// We reach our own devices through it.
    OurPath,
    /// Other machines use the port as well.
    Shared {
        /// Their addresses.
        others: Vec<String>,
    },
    /// A telephone hangs on it.
    Phone,
    /// Another port fits nearly as well.
    Rival {
        /// Which.
        port: String,
    },
    /// The mode is `approve`.
    Mode,
    /// Too much was cut off by itself within a short time.
    Blast {
        /// Which limit, in words: `3 in 10 minutes`.
        limit: String,
    },
    /// No blocks without a person in this span of the calendar.
    Frozen {
        /// What for.
        reason: Arc<str>,
        /// Until when.
        until: Timestamp,
    },
    /// It was let go a short time ago.
    Grace,
    /// What is there is not what we have left there.
    Drift {
        /// What we left, and what is there.
        found: String,
    },
    /// A second person has to agree.
    SecondPerson {
        /// Who agreed so far.
        first: String,
    },
    /// A person has to give a reason.
    NoReason,
    /// We hold nothing there that could be given back.
    NoHold,
    /// A machine is blocked there: release it, instead of working on the port.
    Held,
}

/// How far a rail goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Force {
    /// A person may decide.
    Asks,
    /// Nobody can: what it says has to change first.
    Refuses,
}

impl Rail {
    /// How far it goes.
    pub const fn force(&self) -> Force {
        match self {
            Self::Shared { .. }
            | Self::Phone
            | Self::Rival { .. }
            | Self::Mode
            | Self::Blast { .. }
            | Self::Frozen { .. }
            | Self::Grace
            | Self::SecondPerson { .. } => Force::Asks,
            _ => Force::Refuses,
        }
    }

    /// Whether it says only that something is not known at this moment, which may be known in the next.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Nowhere | Self::Stale { .. } | Self::NotAsked | Self::Gone)
    }

    /// Its name, as in JSON, in metrics and in the words' keys.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Protected { .. } => "protected",
            Self::Nowhere => "nowhere",
            Self::Stale { .. } => "stale",
            Self::NotAsked => "not-asked",
            Self::Gone => "gone",
            Self::OtherPort { .. } => "other-port",
            Self::Trunk => "trunk",
            Self::Aggregated => "aggregated",
            Self::RootPort => "root-port",
            Self::Neighbour { .. } => "neighbour",
            Self::OurPath => "our-path",
            Self::Shared { .. } => "shared",
            Self::Phone => "phone",
            Self::Rival { .. } => "rival",
            Self::Mode => "mode",
            Self::Blast { .. } => "blast",
            Self::Frozen { .. } => "frozen",
            Self::Grace => "grace",
            Self::Drift { .. } => "drift",
            Self::SecondPerson { .. } => "second-person",
            Self::NoReason => "no-reason",
            Self::NoHold => "no-hold",
            Self::Held => "held",
        }
    }
}

impl fmt::Display for Rail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protected { line, reason, owner } => write!(f, "protected by {line} ({reason}; {owner})"),
            Self::Nowhere => f.write_str("nobody knows where it sits"),
            Self::Stale { age_s } => write!(f, "it was last seen there {age_s} s ago"),
            Self::NotAsked => f.write_str("the switch could not be asked just before"),
            Self::Gone => f.write_str("the switch does not see it on that port any more"),
            Self::OtherPort { told } if told.is_empty() => f.write_str("the switch does not tell the port's name now"),
            Self::OtherPort { told } => write!(f, "the switch calls that port {told} now"),
            Self::Trunk => f.write_str("the port leads to other bridges"),
            Self::Aggregated => f.write_str("the port is part of a link aggregation"),
            Self::RootPort => f.write_str("the port leads to the root of the spanning tree"),
            Self::Neighbour { name, what } => write!(f, "the port leads to {name}, a {what}"),
            Self::OurPath => f.write_str("we reach our own devices through the port"),
            Self::Shared { others } => write!(f, "{} others use the port: {}", others.len(), others.join(", ")),
            Self::Phone => f.write_str("a telephone hangs on the port"),
            Self::Rival { port } => write!(f, "it may as well sit on {port}"),
            Self::Mode => f.write_str("the mode is approve"),
            Self::Blast { limit } => write!(f, "more than {limit} would be cut off without a person"),
            Self::Frozen { reason, .. } => write!(f, "no blocks without a person for a time: {reason}"),
            Self::Grace => f.write_str("it was let go a short time ago"),
            Self::Drift { found } => write!(f, "the port is not as it was left: {found}"),
            Self::SecondPerson { first } => write!(f, "a second person has to agree besides {first}"),
            Self::NoReason => f.write_str("a reason has to be given"),
            Self::NoHold => f.write_str("nothing is held there"),
            Self::Held => f.write_str("a machine is blocked there; release it instead"),
        }
    }
}
