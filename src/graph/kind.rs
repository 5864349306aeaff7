//! What a picture is about: which metrics of a port it takes, in which unit it shows them.

use serde::{Deserialize, Serialize};

use crate::model::PortMetric;
use crate::model::units::si;

/// The subject of a picture. In and out are always drawn together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Traffic in bits per second.
    #[default]
    Traffic,
    /// Traffic as a share of the port's speed, percent.
    Utilisation,
    /// All packets per second.
    Packets,
    /// Multicast and broadcast packets per second.
    Broadcast,
    /// Packets with errors per second.
    Errors,
    /// Discarded packets per second.
    Discards,
}

/// The unit of a picture's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Bits per second, SI steps of 1,000.
    BitsPerSecond,
    /// Packets per second, SI steps of 1,000.
    PacketsPerSecond,
    /// Percent.
    Percent,
}

impl Kind {
    /// All subjects, in the order in which pages offer them.
    pub const ALL: [Self; 6] = [Self::Traffic, Self::Utilisation, Self::Packets, Self::Broadcast, Self::Errors, Self::Discards];

    /// The metrics that are summed for the inbound curve.
    pub const fn inbound(self) -> &'static [PortMetric] {
        match self {
            Self::Traffic | Self::Utilisation => &[PortMetric::InOctets],
            Self::Packets => &[PortMetric::InUcast, PortMetric::InMulticast, PortMetric::InBroadcast],
            Self::Broadcast => &[PortMetric::InMulticast, PortMetric::InBroadcast],
            Self::Errors => &[PortMetric::InErrors],
            Self::Discards => &[PortMetric::InDiscards],
        }
    }

    /// The metrics that are summed for the outbound curve.
    pub const fn outbound(self) -> &'static [PortMetric] {
        match self {
            Self::Traffic | Self::Utilisation => &[PortMetric::OutOctets],
            Self::Packets => &[PortMetric::OutUcast, PortMetric::OutMulticast, PortMetric::OutBroadcast],
            Self::Broadcast => &[PortMetric::OutMulticast, PortMetric::OutBroadcast],
            Self::Errors => &[PortMetric::OutErrors],
            Self::Discards => &[PortMetric::OutDiscards],
        }
    }

    /// The metrics to ask the store for.
    pub fn metrics(self) -> Vec<PortMetric> {
        [self.inbound(), self.outbound()].concat()
    }

    /// What a stored rate per second is multiplied with; `None` when it cannot be told (no speed known).
    pub fn factor(self, speed_bps: Option<u64>) -> Option<f64> {
        match self {
            Self::Traffic => Some(8.0),
            Self::Utilisation => speed_bps.filter(|speed| *speed > 0).map(|speed| 800.0 / speed as f64),
            Self::Packets | Self::Broadcast | Self::Errors | Self::Discards => Some(1.0),
        }
    }

    /// The unit of the drawn values.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Traffic => Unit::BitsPerSecond,
            Self::Utilisation => Unit::Percent,
            Self::Packets | Self::Broadcast | Self::Errors | Self::Discards => Unit::PacketsPerSecond,
        }
    }

    /// The stable word of query strings and message keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Utilisation => "utilisation",
            Self::Packets => "packets",
            Self::Broadcast => "broadcast",
            Self::Errors => "errors",
            Self::Discards => "discards",
        }
    }

    /// The subject of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Unit {
    /// The unit's symbol, the same in both languages.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::BitsPerSecond => "bit/s",
            Self::PacketsPerSecond => "pps",
            Self::Percent => "%",
        }
    }

    /// A value in three significant digits with its unit: `938 Mbit/s`, `4.71 %`.
    pub fn show(self, value: f64) -> String {
        if self == Self::Percent {
            let digits = if value >= 99.95 {
                0
            } else if value >= 9.995 {
                1
            } else {
                2
            };
            return format!("{value:.digits$} %");
        }
        let (digits, prefix) = si(value);
        format!("{digits} {prefix}{}", self.symbol())
    }
}
