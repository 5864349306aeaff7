//! Work on a port that a person asks for: what is wished, and the orders that it means. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gate::Rail;
use super::{Order, Spot};

/// What is done to a port.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// ifAdminStatus down.
    Down,
    /// ifAdminStatus up.
    Up,
    /// Down, then up: whoever is behind it begins anew.
    Bounce,
    /// dot1qPvid: the VLAN of frames without a tag.
    Vlan {
        /// 1 to 4094.
        pvid: u16,
    },
    /// Power on the cable off, then on.
    PowerCycle,
    /// ifAlias: the description of the port.
    Alias {
        /// The new text; 64 octets at most (RFC 2863).
        alias: String,
    },
}

/// A port by its names, and what is to be done to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Work {
    /// The device's configured name.
    pub device: Arc<str>,
    /// ifName.
    pub port: Arc<str>,
    /// What.
    pub deed: Deed,
    /// Why.
    pub reason: String,
}

/// What became of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "came_to", rename_all = "snake_case")]
pub enum Came {
    /// It is done, read back.
    Done,
    /// There is no such port among those that are polled.
    NoPort,
    /// The bridge does not tell its number for the port (dot1dBasePortIfIndex).
    NoNumber,
    /// The wish is wrong, or the device did not do it: in words.
    Failed {
        /// What was wrong.
        said: String,
    },
    /// The mode is observe.
    Observed {
        /// What would be set.
        varbinds: Vec<String>,
        /// What would stand in the way.
        rails: Vec<Rail>,
    },
    /// The gate refuses.
    Refused {
        /// Why.
        rails: Vec<Rail>,
    },
}

/// The desk's answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// What was wished.
    pub work: Work,
    /// What became of it.
    pub came: Came,
}

impl Told {
    /// The answer that a text of the desk is.
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        self.came == Came::Done
    }
}

impl Deed {
    /// The word, as on the command line, in the journal and in the words' keys.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Bounce => "bounce",
            Self::Vlan { .. } => "vlan",
            Self::PowerCycle => "power-cycle",
            Self::Alias { .. } => "alias",
        }
    }

    /// The orders, one after the other; `None` where the bridge does not tell its number for the port.
    pub fn orders(&self, spot: &Spot, base_port: Option<u32>) -> Option<Vec<Order>> {
        let spot = || spot.clone();
        Some(match self {
            Self::Down => vec![Order::PortAdmin { spot: spot(), up: false }],
            Self::Up => vec![Order::PortAdmin { spot: spot(), up: true }],
            Self::Bounce => vec![Order::PortAdmin { spot: spot(), up: false }, Order::PortAdmin { spot: spot(), up: true }],
            Self::Vlan { pvid } => vec![Order::Pvid { spot: spot(), base_port: base_port?, pvid: *pvid }],
            Self::PowerCycle => vec![Order::Power { spot: spot(), on: false }, Order::Power { spot: spot(), on: true }],
            Self::Alias { alias } => vec![Order::Alias { spot: spot(), alias: alias.clone() }],
        })
    }

    /// What is wrong with it, before anybody is asked.
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Vlan { pvid } if !(1..=4094).contains(pvid) => Some("a VLAN is 1 to 4094"),
            Self::Alias { alias } if alias.len() > 64 => Some("a description has 64 octets at most"),
            Self::Alias { alias } if alias.chars().any(char::is_control) => Some("a description is one line"),
            _ => None,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.device, self.port, self.deed.word())?;
        match &self.deed {
            Deed::Vlan { pvid } => write!(f, " {pvid}"),
            Deed::Alias { alias } => write!(f, " {alias:?}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, came } = self;
        match came {
            Came::Done => write!(f, "{work} is done"),
            Came::NoPort => write!(f, "{work} is not done: there is no such port among those that are polled"),
            Came::NoNumber => write!(f, "{work} is not done: the bridge does not tell its number for the port"),
            Came::Failed { said } => write!(f, "{work} is not done: {said}"),
            Came::Observed { varbinds, rails } => {
                write!(f, "{work} is not done: the mode is observe; it would set {}", varbinds.join(", "))?;
                if rails.is_empty() { Ok(()) } else { write!(f, "; in the way: {}", joined(rails)) }
            }
            Came::Refused { rails } => write!(f, "{work} is not done: {}", joined(rails)),
        }
    }
}

fn joined(rails: &[Rail]) -> String {
    rails.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IfIndex;

    #[test]
    fn a_bounce_ends_up_and_a_vlan_needs_the_bridges_number() {
        let spot = Spot { device: "sw".into(), if_name: "Gi1".into(), if_index: IfIndex(1) };
        let last = |deed: &Deed| deed.orders(&spot, Some(1)).and_then(|orders| orders.last().cloned());
        assert_eq!(last(&Deed::Bounce), Some(Order::PortAdmin { spot: spot.clone(), up: true }));
        assert_eq!(last(&Deed::PowerCycle), Some(Order::Power { spot: spot.clone(), on: true }));
        assert_eq!(Deed::Vlan { pvid: 20 }.orders(&spot, None), None);
        for (deed, is_wrong) in [
            (Deed::Vlan { pvid: 0 }, true),
            (Deed::Vlan { pvid: 4095 }, true),
            (Deed::Alias { alias: "主楼 301".into() }, false),
            (Deed::Alias { alias: "x".repeat(65) }, true),
            (Deed::Alias { alias: "a\nb".into() }, true),
            (Deed::Down, false),
        ] {
            assert_eq!(deed.fault().is_some(), is_wrong, "{deed:?}");
        }
        let work = Work { device: "sw".into(), port: "Gi1".into(), deed: Deed::Vlan { pvid: 20 }, reason: "moved".into() };
        assert_eq!(work.to_string(), "sw Gi1 vlan 20");
        let told = Told { work: work.clone(), came: Came::Refused { rails: vec![Rail::Trunk, Rail::OurPath] } };
        assert_eq!(Told::of(&serde_json::to_string(&told).unwrap()), Some(told));
        assert_eq!(Told::of("case B1"), None);
        assert_eq!(serde_json::from_str::<Work>(&serde_json::to_string(&work).unwrap()).unwrap(), work);
    }
}
