//! What the gate is asked, and what it is told of the world. Nothing here is optional to tell: whoever asks has to say all.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Rail;
use crate::block::{CaseId, Observation, Order};
use crate::config::block::Mode;
use crate::model::{MacAddr, Timestamp};

/// Which way an order has come. All ways go through the one gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// A detection, by itself.
    Auto,
    /// A person, on a page.
    Page(Arc<str>),
    /// A person or a program, through the API.
    Api(Arc<str>),
    /// A person, on the command line.
    Command(Arc<str>),
    /// The machine has moved: its block follows, by itself.
    Pursuit,
    /// A switch has restarted without what was set: once more, by itself.
    Reassert,
    /// The time of a block has run out.
    Expiry,
}

impl Path {
    /// Who it was, when it was a person.
    pub const fn person(&self) -> Option<&Arc<str>> {
        match self {
            Self::Page(person) | Self::Api(person) | Self::Command(person) => Some(person),
            _ => None,
        }
    }

    /// The word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Page(_) => "page",
            Self::Api(_) => "api",
            Self::Command(_) => "command",
            Self::Pursuit => "pursuit",
            Self::Reassert => "reassert",
            Self::Expiry => "expiry",
        }
    }
}

/// What the order is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A machine is cut off.
    Block,
    /// What was there before is put back.
    Release,
    /// Work on a port, by a person.
    Work,
}

/// One question to the gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// For which case.
    pub case: CaseId,
    /// Which way it came.
    pub path: Path,
    /// What for.
    pub purpose: Purpose,
    /// What is to be done.
    pub order: Order,
    /// Why, in the words of the person; or the rule.
    pub reason: String,
}

/// Who has said yes to exactly this order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// The account's name.
    pub person: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// What kind of port it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortKind {
    /// Machines hang on it.
    #[default]
    Access,
    /// It leads to other bridges.
    Trunk,
    /// It is a link aggregation, or part of one.
    Aggregated,
}

/// Where the machine sits, as the tables and the live question tell.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// When the tables last showed it there.
    pub seen: Timestamp,
    /// The question just before: when it was answered, and whether the machine was there. `None` when there was no answer.
    pub asked: Option<(Timestamp, bool)>,
    /// What the device calls the port now.
    pub told_name: Option<String>,
    /// What kind of port it is.
    pub kind: PortKind,
    /// Whether it leads to the root of the spanning tree.
    pub is_root_port: bool,
    /// The neighbour that passes traffic of others on: its name and what it is.
    pub neighbour: Option<(String, String)>,
    /// Whether we reach our own devices through it.
    pub is_our_path: bool,
    /// Whether a telephone hangs on it.
    pub has_phone: bool,
    /// All machines on the port, the one that is meant among them.
    pub macs: Vec<MacAddr>,
    /// Another port that fits nearly as well.
    pub rival: Option<String>,
}

/// All that counts for one decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The moment.
    pub now: Timestamp,
    /// How far the house goes by itself here.
    pub mode: Mode,
    /// Who the order is about.
    pub mac: Option<MacAddr>,
    /// Where it sits; `None` when nobody knows, or when the order is about no port.
    pub place: Option<Place>,
    /// Whether it is protected, each line by a [`Rail::Protected`].
    pub protected: Vec<Rail>,
    /// Whether one more would be too many, by [`Rail::Blast`].
    pub blast: Option<Rail>,
    /// Whether the calendar says no, by [`Rail::Frozen`].
    pub frozen: Option<Rail>,
    /// Until when it is left alone after its last release.
    pub grace_until: Option<Timestamp>,
    /// Who has said yes so far.
    pub approvals: Vec<Approval>,
    /// How many have to.
    pub persons_needed: usize,
    /// What we left there, as an order, and what is there now. `None` when nothing is held.
    pub held: Option<(Order, Observation)>,
    /// How long one round of polls of the tables takes.
    pub round: Duration,
}
