//! What can be asked of the network: one change at one place. An order is plain data; only a permit gets it carried out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Observation;
use crate::model::{IfIndex, MacAddr, Timestamp};

/// A case's number, given once, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub i64);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "B{}", self.0)
    }
}

/// A port of a switch. The name is its identity; the index is where it stood when it was last looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Spot {
    /// The device's configured name.
    pub device: Arc<str>,
    /// ifName.
    pub if_name: Arc<str>,
    /// ifIndex.
    pub if_index: IfIndex,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.device, self.if_name)
    }
}

/// One change at one place.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Order {
    /// ifAdminStatus (IF-MIB): up 1, down 2.
    PortAdmin {
        /// Which port.
        spot: Spot,
        /// Up or down.
        up: bool,
    },
    /// dot1qPvid (Q-BRIDGE-MIB), with the egress and untagged bits where the device needs them.
    Pvid {
        /// Which port.
        spot: Spot,
        /// dot1dBasePort.
        base_port: u32,
        /// The VLAN that untagged frames belong to.
        pvid: u16,
    },
    /// An element of the set of blocked addresses on a gateway.
    Filter {
        /// The gateway's configured name.
        gateway: Arc<str>,
        /// The address.
        address: IpAddr,
        /// Put it in or take it out.
        verb: Verb,
        /// When the gateway lets it out by itself.
        until: Option<Timestamp>,
    },
    /// A request to the switch or access point that holds the session (RFC 5176).
    Session {
        /// The configured name of the device that holds it.
        nas: Arc<str>,
        /// Whose session.
        mac: MacAddr,
        /// What becomes of it.
        change: SessionChange,
    },
    /// A script of the office's own.
    Script {
        /// Its configured name.
        name: Arc<str>,
        /// The port, when known.
        spot: Option<Spot>,
        /// The machine's address, when known.
        address: Option<IpAddr>,
        /// The machine.
        mac: Option<MacAddr>,
        /// Block or release.
        verb: Verb,
    },
    /// ifAlias (IF-MIB): what the switch itself says of the port.
    Alias {
        /// Which port.
        spot: Spot,
        /// The new text.
        alias: String,
    },
    /// pethPsePortAdminEnable (POWER-ETHERNET-MIB): power on the cable.
    Power {
        /// Which port.
        spot: Spot,
        /// On or off.
        on: bool,
    },
}

/// Put in, or take out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Cut off.
    Block,
    /// Give back.
    Release,
}

/// What becomes of a session of IEEE 802.1X or MAC authentication.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionChange {
    /// Disconnect-Request: it ends; the machine has to ask again.
    Disconnect,
    /// CoA-Request: it goes on in another VLAN.
    Vlan(u16),
    /// CoA-Request: the server is asked again (Cisco-AVPair `subscriber:command=reauthenticate`).
    Reauthenticate,
}

impl Order {
    /// The word of the kind, as in JSON and in the words' keys.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::PortAdmin { .. } => "port_admin",
            Self::Pvid { .. } => "pvid",
            Self::Filter { .. } => "filter",
            Self::Session { .. } => "session",
            Self::Script { .. } => "script",
            Self::Alias { .. } => "alias",
            Self::Power { .. } => "power",
        }
    }

    /// The port it changes.
    pub const fn spot(&self) -> Option<&Spot> {
        match self {
            Self::PortAdmin { spot, .. } | Self::Pvid { spot, .. } | Self::Alias { spot, .. } | Self::Power { spot, .. } => Some(spot),
            Self::Script { spot, .. } => spot.as_ref(),
            Self::Filter { .. } | Self::Session { .. } => None,
        }
    }

    /// The configured name of the device that has to do it.
    pub fn device(&self) -> Option<&Arc<str>> {
        match self {
            Self::Filter { gateway, .. } => Some(gateway),
            Self::Session { nas, .. } => Some(nas),
            _ => self.spot().map(|spot| &spot.device),
        }
    }

    /// The order that puts back what was there before; `None` where that was not read, or where there is nothing to put back.
    pub fn undo(&self, before: &Observation) -> Option<Self> {
        let spot = || self.spot().cloned();
        Some(match self {
            Self::PortAdmin { .. } => Self::PortAdmin { spot: spot()?, up: before.is_up()? },
            Self::Pvid { base_port, .. } => Self::Pvid { spot: spot()?, base_port: *base_port, pvid: before.pvid? },
            Self::Filter { gateway, address, .. } => {
                Self::Filter { gateway: Arc::clone(gateway), address: *address, verb: before.verb()?, until: None }
            }
            Self::Session { nas, mac, change: SessionChange::Vlan(_) } => {
                Self::Session { nas: Arc::clone(nas), mac: *mac, change: SessionChange::Reauthenticate }
            }
            Self::Session { .. } => return None,
            Self::Script { name, address, mac, .. } => {
                Self::Script { name: Arc::clone(name), spot: spot(), address: *address, mac: *mac, verb: Verb::Release }
            }
            Self::Alias { .. } => Self::Alias { spot: spot()?, alias: before.alias.clone()? },
            Self::Power { .. } => Self::Power { spot: spot()?, on: before.power? },
        })
    }
}

impl fmt::Display for Order {
    /// One line for the command line, the log and the slip: `sw-a3 Gi0/17 down`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortAdmin { spot, up } => write!(f, "{spot} {}", if *up { "up" } else { "down" }),
            Self::Pvid { spot, pvid, .. } => write!(f, "{spot} VLAN {pvid}"),
            Self::Filter { gateway, address, verb, .. } => write!(f, "{gateway} {} {address}", verb.word()),
            Self::Session { nas, mac, change } => match change {
                SessionChange::Disconnect => write!(f, "{nas} disconnects {mac}"),
                SessionChange::Vlan(vlan) => write!(f, "{nas} puts {mac} in VLAN {vlan}"),
                SessionChange::Reauthenticate => write!(f, "{nas} asks {mac} again"),
            },
            Self::Script { name, verb, .. } => write!(f, "script {name} {}", verb.word()),
            Self::Alias { spot, alias } => write!(f, "{spot} alias {alias:?}"),
            Self::Power { spot, on } => write!(f, "{spot} power {}", if *on { "on" } else { "off" }),
        }
    }
}

impl Verb {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Release => "release",
        }
    }
}
