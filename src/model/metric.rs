//! The metrics of a port: one list for polling, storing, drawing and exposing.

use serde::{Deserialize, Serialize};

/// One measured quantity of a port. The numbers are written to disk: never reuse or change one.
/// All are counters except [`PortMetric::OperStatus`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PortMetric {
    /// Octets received (ifHCInOctets / ifInOctets).
    InOctets = 0,
    /// Octets sent (ifHCOutOctets / ifOutOctets).
    OutOctets = 1,
    /// Unicast packets received (ifHCInUcastPkts / ifInUcastPkts).
    InUcast = 2,
    /// Unicast packets sent (ifHCOutUcastPkts / ifOutUcastPkts).
    OutUcast = 3,
    /// Multicast packets received (ifHCInMulticastPkts / ifInMulticastPkts).
    InMulticast = 4,
    /// Multicast packets sent (ifHCOutMulticastPkts / ifOutMulticastPkts).
    OutMulticast = 5,
    /// Broadcast packets received (ifHCInBroadcastPkts / ifInBroadcastPkts).
    InBroadcast = 6,
    /// Broadcast packets sent (ifHCOutBroadcastPkts / ifOutBroadcastPkts).
    OutBroadcast = 7,
    /// Inbound packets with errors (ifInErrors).
    InErrors = 8,
    /// Outbound packets not sent because of errors (ifOutErrors).
    OutErrors = 9,
    /// Inbound packets discarded without error (ifInDiscards).
    InDiscards = 10,
    /// Outbound packets discarded without error (ifOutDiscards).
    OutDiscards = 11,
    /// Packets of an unknown or unsupported protocol (ifInUnknownProtos).
    InUnknownProtos = 12,
    /// The port's state as a number (ifOperStatus, IF-MIB 1 to 7): a gauge.
    OperStatus = 13,
}

/// How many metrics a port has.
pub const METRICS: usize = 14;

impl PortMetric {
    /// All metrics in the order of their numbers.
    pub const ALL: [Self; METRICS] = [
        Self::InOctets,
        Self::OutOctets,
        Self::InUcast,
        Self::OutUcast,
        Self::InMulticast,
        Self::OutMulticast,
        Self::InBroadcast,
        Self::OutBroadcast,
        Self::InErrors,
        Self::OutErrors,
        Self::InDiscards,
        Self::OutDiscards,
        Self::InUnknownProtos,
        Self::OperStatus,
    ];

    /// Position in arrays of [`METRICS`] values, and the number on disk.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The metric of a number read from disk.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// Whether the value is a momentary state rather than a counter.
    pub const fn is_gauge(self) -> bool {
        matches!(self, Self::OperStatus)
    }

    /// The stable word for JSON and query strings: `in_octets`, `out_errors` ...
    pub const fn word(self) -> &'static str {
        match self {
            Self::InOctets => "in_octets",
            Self::OutOctets => "out_octets",
            Self::InUcast => "in_ucast",
            Self::OutUcast => "out_ucast",
            Self::InMulticast => "in_multicast",
            Self::OutMulticast => "out_multicast",
            Self::InBroadcast => "in_broadcast",
            Self::OutBroadcast => "out_broadcast",
            Self::InErrors => "in_errors",
            Self::OutErrors => "out_errors",
            Self::InDiscards => "in_discards",
            Self::OutDiscards => "out_discards",
            Self::InUnknownProtos => "in_unknown_protos",
            Self::OperStatus => "oper_status",
        }
    }
}
