//! What the ports room hands to the series room: one poll of one device at a time, its counters given their meaning.

use super::{DeviceId, Gap, METRICS, PortId, Timestamp};

/// One poll of one device. A poll that failed is stored too: its gap is the reason that graphs show.
#[derive(Clone, PartialEq, Debug)]
pub struct DeviceSample {
    /// Whose.
    pub device: DeviceId,
    /// The time of the counters on our time line, smoothed by the agent's own sysUpTime.
    pub time: Timestamp,
    /// The poll interval in seconds that was in force.
    pub interval_s: u32,
    /// Why the whole poll is missing, when `rows` is empty because of it.
    pub gap: Option<Gap>,
    /// The ports, in any order; a port that is not due this time (longer interval) is left out.
    pub rows: Vec<PortSample>,
}

/// One port in one poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortSample {
    /// Which port.
    pub port: PortId,
    /// How much later (ms) than the device's `time` this port's counters were read, by the agent's sysUpTime.
    pub skew_ms: i32,
    /// Some: no rate may be told from the port's earlier sample to this one, and why.
    /// With all values absent, the sample itself is missing for that reason.
    pub mark: Option<Gap>,
    /// Values by `PortMetric::index`: counters already continued over 32-bit wraps, gauges as they are; `None` is absent.
    pub values: [Option<u64>; METRICS],
}
