//! What the engine says of one machine and one behaviour.

use std::net::IpAddr;

use crate::capture::packet::Nanos;
use crate::model::{Evidence, MacAddr};

use super::kind::{Kind, Level};

/// Whom it is about. A machine on the mirrored segment has its MAC address; behind a router only its IP address is its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Machine {
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its address on the segment; `None` when the frames carry a router's.
    pub mac: Option<MacAddr>,
    /// Its VLAN identifier.
    pub vlan: Option<u16>,
}

/// One behaviour of one machine, told when it begins, when it grows to a new level or by much, and when it ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Detection {
    /// The behaviour.
    pub kind: Kind,
    /// How sure.
    pub level: Level,
    /// Whether it has ended: nothing of the kind was seen for the rule's time of quiet.
    pub cleared: bool,
    /// Whose. Always the one that does it, never its victim.
    pub machine: Machine,
    /// The first packet that counts.
    pub first: Nanos,
    /// The last packet that counts.
    pub last: Nanos,
    /// First contacts that the machine had made when it was first told, for rules on contacts; else the packets that counted.
    pub contacts: u64,
    /// What anybody can check: counts, window, threshold, a sample of destinations with ports, direction.
    pub evidence: Evidence,
}
