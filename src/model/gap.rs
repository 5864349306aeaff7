//! Why a sample or a rate is not there. A gap is never drawn as 0 and never without its reason.

use serde::{Deserialize, Serialize};

/// The reason for a missing sample, or for a rate that cannot be told across two samples.
/// The numbers are written to disk: never reuse or change one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Gap {
    /// The device did not answer within all tries.
    Timeout = 1,
    /// The device answers, but not all of the poll came in before its deadline (0.8 x interval).
    Deadline = 2,
    /// The device's counters began anew: it restarted, or ifCounterDiscontinuityTime changed.
    Reset = 3,
    /// The network said so: no route, host or port unreachable (ICMP), connection refused.
    Unreachable = 4,
    /// Nobody measured: netroom was not running, or the device was not yet configured.
    DaemonDown = 5,
    /// The device does not offer this object for this port (noSuchInstance), or the port has vanished.
    Absent = 6,
    /// The first sample after a start: there is no earlier one to compare with.
    First = 7,
    /// The device refused our credentials (community or SNMPv3 user).
    Refused = 8,
    /// The device answered with something that is no valid SNMP answer.
    Malformed = 9,
    /// The counters moved faster than the port's speed allows: most likely an untold reset.
    Impossible = 10,
    /// The 32-bit counter may have wrapped more than once between two polls.
    Ambiguous = 11,
    /// The sample was measured but could not be written (disk full or failing).
    NotStored = 12,
    /// The port's identity changed (renumbered, replaced): its past belongs to another port.
    Replaced = 13,
    /// Our own clock was set: the span between the two samples cannot be told from their times.
    ClockStep = 14,
}

impl Gap {
    /// All reasons, in the order of their codes.
    pub const ALL: [Self; 14] = [
        Self::Timeout,
        Self::Deadline,
        Self::Reset,
        Self::Unreachable,
        Self::DaemonDown,
        Self::Absent,
        Self::First,
        Self::Refused,
        Self::Malformed,
        Self::Impossible,
        Self::Ambiguous,
        Self::NotStored,
        Self::Replaced,
        Self::ClockStep,
    ];

    /// The code on disk, 1 to 14.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason of a code read from disk; `None` for a code this version does not know.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|gap| gap.code() == code)
    }

    /// The stable word for labels, JSON and message keys (`gap-timeout`).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::DaemonDown => "daemon_down",
            Self::Absent => "absent",
            Self::First => "first",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Impossible => "impossible",
            Self::Ambiguous => "ambiguous",
            Self::NotStored => "not_stored",
            Self::Replaced => "replaced",
            Self::ClockStep => "clock_step",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gap;

    #[test]
    fn codes_come_back() {
        for gap in Gap::ALL {
            assert_eq!(Gap::from_code(gap.code()), Some(gap));
        }
        assert_eq!(Gap::from_code(0), None);
        assert_eq!(Gap::from_code(200), None);
    }
}
