//! Traffic as usual, by hour of the week: median and median absolute deviation (MAD) of `log(1+x)` over the last weeks, pooled
//! with the neighbouring hours. Robust against what it is to find: an hour of madness does not become usual.
//!
//! Raised when a value stands more than four sigmas off three times in a row, is above the port's own 98th percentile, and
//! is off by an amount that matters; over when it is within two sigmas three times in a row. Measured against static
//! thresholds, Holt-Winters and EWMA, this found as much as the best of them with a fraction of the false alarms.

pub mod calendar;
mod group;
mod profile;
mod watch;

pub use calendar::Calendar;
pub use group::{Group, Shift};
pub use profile::{Baseline, Learner, Usual};
pub use watch::{Told, Watch, Way};

use crate::model::PortMetric;

/// What is watched of a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Bits per second in.
    In,
    /// Bits per second out.
    Out,
    /// Unicast packets per second in.
    InPackets,
    /// Unicast packets per second out.
    OutPackets,
    /// Share of broadcasts among the packets that come in, 0 to 1.
    Broadcast,
    /// How much more comes in than goes out: the logarithm of their ratio.
    Asymmetry,
}

/// How many measures there are.
pub const MEASURES: usize = 6;

impl Measure {
    /// All of them.
    pub const ALL: [Self; MEASURES] = [Self::In, Self::Out, Self::InPackets, Self::OutPackets, Self::Broadcast, Self::Asymmetry];

    /// The rule that speaks of it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::In => "port-anomaly-in",
            Self::Out => "port-anomaly-out",
            Self::InPackets => "port-anomaly-in-packets",
            Self::OutPackets => "port-anomaly-out-packets",
            Self::Broadcast => "port-anomaly-broadcast",
            Self::Asymmetry => "port-anomaly-asymmetry",
        }
    }

    /// Whether it is kept as a logarithm.
    const fn is_log(self) -> bool {
        matches!(self, Self::In | Self::Out | Self::InPackets | Self::OutPackets)
    }

    /// The scale it is judged on.
    fn scaled(self, value: f64) -> f64 {
        if self.is_log() { value.max(0.0).ln_1p() } else { value }
    }

    /// Back from that scale.
    fn plain(self, scaled: f64) -> f64 {
        if self.is_log() { scaled.exp_m1().max(0.0) } else { scaled }
    }

    /// The least spread that is believed, on the scale.
    const fn least_sigma(self) -> f64 {
        match self {
            Self::Broadcast => 0.02,
            Self::Asymmetry => 0.5,
            _ => 0.25,
        }
    }

    /// The least difference that matters: 20 kB/s, 60 packets a second, a tenth of all packets.
    const fn least_change(self) -> f64 {
        match self {
            Self::In | Self::Out => 160_000.0,
            Self::InPackets | Self::OutPackets => 60.0,
            Self::Broadcast => 0.1,
            Self::Asymmetry => 2.0,
        }
    }
}

/// The values of all measures at one moment; `None` is not known.
pub type Values = [Option<f64>; MEASURES];

/// The metrics that the measures are made of.
pub const METRICS: [PortMetric; 5] =
    [PortMetric::InOctets, PortMetric::OutOctets, PortMetric::InUcast, PortMetric::OutUcast, PortMetric::InBroadcast];

/// Below so many packets a second a share of them says nothing.
const SPEAKS_FROM_PPS: f64 = 20.0;
/// Below so many bits per second, both ways together, a ratio says nothing.
const SPEAKS_FROM_BPS: f64 = 160_000.0;

/// The measures out of rates per second, in the order of [`METRICS`].
pub fn values(rates: [Option<f64>; METRICS.len()]) -> Values {
    let [in_octets, out_octets, in_ucast, out_ucast, in_broadcast] = rates;
    let (inbound, outbound) = (in_octets.map(|rate| rate * 8.0), out_octets.map(|rate| rate * 8.0));
    let packets = in_ucast.zip(in_broadcast).map(|(ucast, broadcast)| (ucast + broadcast, broadcast));
    let share = packets.filter(|(all, _)| *all >= SPEAKS_FROM_PPS).map(|(all, broadcast)| broadcast / all);
    let both = inbound.zip(outbound).filter(|(one, other)| one + other >= SPEAKS_FROM_BPS);
    let asymmetry = both.map(|(inbound, outbound)| (inbound.ln_1p()) - (outbound.ln_1p()));
    [inbound, outbound, in_ucast, out_ucast, share, asymmetry]
}

#[cfg(test)]
mod tests;
