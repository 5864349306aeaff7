//! What the engine says of one machine and one behaviour.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::capture::packet::Nanos;
use crate::model::{Evidence, MacAddr};

use super::kind::{Kind, Level};

/// Whom it is about. A machine on the mirrored segment has its MAC address; behind a router only its IP address is its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its address on the segment; `None` when the frames carry a router's.
    pub mac: Option<MacAddr>,
    /// Its VLAN identifier.
    pub vlan: Option<u16>,
}

impl Machine {
    /// What it is known by; `None` for one without any address.
    pub fn key(&self) -> Option<MachineKey> {
        self.mac.map(MachineKey::Mac).or(self.ip.map(MachineKey::Ip))
    }
}

/// What a machine is known by: its MAC address on a mirrored segment, its IP address behind a router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineKey {
    /// On the segment.
    Mac(MacAddr),
    /// Behind a router.
    Ip(IpAddr),
}

/// `00:25:90:ab:cd:ef` or `10.1.2.3`: the name of [`Subject::Machine`](crate::model::Subject::Machine).
impl fmt::Display for MachineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// A text that is no address of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a machine is named by its IP address or its MAC address, as 10.1.2.3 or 00:25:90:ab:cd:ef")]
pub struct NoAddress;

/// An IP address, or a MAC address in any notation: `00-25-90-AB-CD-EF`, `0025.90ab.cdef`, `002590abcdef`.
impl FromStr for MachineKey {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(ip.to_canonical()));
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
        if digits.len() != 12 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoAddress);
        }
        let number = u64::from_str_radix(&digits, 16).map_err(|_| NoAddress)?;
        let [_, _, octets @ ..] = number.to_be_bytes();
        Ok(Self::Mac(MacAddr(octets)))
    }
}

/// One behaviour of one machine, told when it begins, when it grows to a new level or by much, and when it ends.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_found_by_any_notation_of_its_address() {
        let mac = MachineKey::Mac(MacAddr([0, 0x25, 0x90, 0xab, 0xcd, 0xef]));
        for text in ["00:25:90:ab:cd:ef", "00-25-90-AB-CD-EF", "0025.90ab.cdef", " 002590ABCDEF "] {
            assert_eq!(text.parse(), Ok(mac), "{text}");
        }
        assert_eq!("::ffff:10.1.2.3".parse(), Ok(MachineKey::Ip("10.1.2.3".parse().unwrap())));
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for text in ["", "sw-a3", "00:25:90:ab:cd", "002590abcdeg", "10.1.2.300"] {
            assert!(text.parse::<MachineKey>().is_err(), "{text}");
        }
    }
}
