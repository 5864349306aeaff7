//! What two readings of a port's counters say: continued counters, rates, or the reason why there is no rate.
//! A pure state machine over [`CounterRow`]s (IF-MIB, RFC 2863; the rules are those of snmp.md, decision 5).
//!
//! The order of the rules: the span (restart, repeated), ifCounterDiscontinuityTime, width, direction, speed, ambiguity.
//! One metric at fault takes the rates of the whole port for this interval, because the others come from the same hardware.

use super::clocks::{Clocks, Span};
use super::live::{Counters, Rates};
use crate::model::observe::CounterRow;
use crate::model::{Gap, METRICS, PortMetric};

/// What is kept of a port's last reading beside its counters and rates (which stand in the live table).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// When it was read.
    pub clocks: Clocks,
    /// The interval that ended with it, in hundredths of a second; 0 when its rates are unknown.
    span: u32,
    /// ifCounterDiscontinuityTime, when it was last given.
    discontinuity: Option<u32>,
    /// Which values came from 32-bit counters.
    narrow: u16,
    /// Which values are from the reading before, because this one lacked them.
    stale: u16,
}

impl Memory {
    /// The interval that ended with the reading, in hundredths of a second; 0 when it is not known.
    pub const fn span(&self) -> u32 {
        self.span
    }
}

/// What is known of a port before a reading.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Of the last reading.
    pub memory: Memory,
    /// Its continued counters.
    pub counters: &'a Counters,
    /// Its rates.
    pub rates: &'a Rates,
}

/// What a reading means.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    /// To be kept for the next reading.
    pub memory: Memory,
    /// The counters, continued over wraps of 32-bit counters. A value that is missing for the first time stays.
    pub counters: Counters,
    /// Rates per second over the interval.
    pub rates: Rates,
    /// Why there are none.
    pub mark: Option<Gap>,
}

/// How fast a port's counters can move.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// The port's speed in bits per second, when it is known and physical.
    pub speed_bps: Option<u64>,
}

/// Where the speed is not known: more than any port of today carries.
const ANY_SPEED: f64 = 400e9;
/// A port that offers only 32-bit counters and no speed is not faster than this (RFC 2863 asks for 64 bits above 20 Mbit/s).
const NARROW_SPEED: f64 = 1e9;
/// The smallest Ethernet frame, in bits.
const SMALLEST_FRAME_BITS: f64 = 512.0;
/// The largest frame in use, in octets: jumbo payload with every header and tag.
const LARGEST_FRAME: f64 = 9_300.0;
/// Up to here a rate above the speed is the jitter of counter and clock.
const JITTER: f64 = 1.05;
/// Up to here it is plausible when the mean with the interval before is not above [`JITTER`]: counters refreshed in bursts.
const BURST: f64 = 1.25;
/// What a 32-bit counter wraps at.
const WRAP: u64 = 1 << 32;

/// Judges a reading. `None` when it is the last one once more and says nothing new.
pub fn judge(before: Option<Before<'_>>, row: &CounterRow, clocks: Clocks, engine_time: Option<u32>, limits: Limits) -> Option<Verdict> {
    let Some(before) = before else {
        return Some(Verdict::fresh(row, clocks, None, Gap::First));
    };
    let span = match before.memory.clocks.until(clocks, engine_time) {
        Span::Repeated => return None,
        Span::Restarted => return Some(Verdict::fresh(row, clocks, None, Gap::Reset)),
        Span::Untold => return Some(Verdict::fresh(row, clocks, before.memory.discontinuity, Gap::ClockStep)),
        Span::Ran(span) => span,
    };
    if let (Some(earlier), Some(now)) = (before.memory.discontinuity, row.discontinuity)
        && earlier != now
    {
        return Some(Verdict::fresh(row, clocks, None, Gap::Reset));
    }
    Some(Interval { before, row, span, limits }.judge(clocks))
}

impl Verdict {
    /// The reading begins anew.
    fn fresh(row: &CounterRow, clocks: Clocks, discontinuity: Option<u32>, mark: Gap) -> Self {
        Self {
            memory: Memory { clocks, span: 0, discontinuity: row.discontinuity.or(discontinuity), narrow: narrow_bits(row), stale: 0 },
            counters: row.values.into(),
            rates: Rates::default(),
            mark: Some(mark),
        }
    }
}

/// Two readings with a known span between them.
struct Interval<'a> {
    before: Before<'a>,
    row: &'a CounterRow,
    span: u32,
    limits: Limits,
}

impl Interval<'_> {
    fn judge(&self, clocks: Clocks) -> Verdict {
        let deltas: [Option<Delta>; METRICS] = PortMetric::ALL.map(|metric| self.delta(metric));
        let mark =
            PortMetric::ALL.iter().zip(&deltas).filter_map(|(metric, delta)| self.fault(*metric, (*delta)?, &deltas)).min_by_key(rank);
        if let Some(mark @ (Gap::Reset | Gap::Impossible)) = mark {
            return Verdict::fresh(self.row, clocks, self.before.memory.discontinuity, mark);
        }
        let mut counters = Counters::default();
        let mut rates = Rates::default();
        let (mut stale, mut narrow) = (0, 0);
        for ((metric, value), delta) in PortMetric::ALL.into_iter().zip(self.row.values).zip(deltas) {
            let bit = 1_u16 << metric.index();
            let earlier = self.before.counters.get(metric);
            let value = match (value, delta) {
                (Some(_), Some(delta)) => {
                    if mark.is_none() && !delta.over_two {
                        rates.set(metric, Some((delta.size as f64 * 100.0 / f64::from(self.span)) as f32));
                    }
                    earlier.map(|earlier| earlier.wrapping_add(delta.size))
                }
                (Some(value), None) => Some(value),
                (None, _) if metric.is_gauge() || self.before.memory.stale & bit != 0 => None,
                (None, _) => {
                    stale |= if earlier.is_some() { bit } else { 0 };
                    earlier
                }
            };
            narrow |= if stale & bit != 0 { self.before.memory.narrow & bit } else { narrow_bits(self.row) & bit };
            counters.set(metric, value);
        }
        let span = if mark.is_none() { self.span } else { 0 };
        let discontinuity = self.row.discontinuity.or(self.before.memory.discontinuity);
        Verdict { memory: Memory { clocks, span, discontinuity, narrow, stale }, counters, rates, mark }
    }

    /// How far a counter moved; `None` for gauges and where one of the two values is missing.
    fn delta(&self, metric: PortMetric) -> Option<Delta> {
        if metric.is_gauge() {
            return None;
        }
        let index = metric.index();
        let now = self.row.values.get(index).copied().flatten()?;
        let earlier = self.before.counters.get(metric)?;
        let was_narrow = self.before.memory.narrow >> index & 1 == 1;
        let is_narrow = narrow_bits(self.row) >> index & 1 == 1;
        let over_two = self.before.memory.stale >> index & 1 == 1;
        let low = if is_narrow { earlier % WRAP } else { earlier };
        let fell = now < low;
        let size = if is_narrow { now.wrapping_sub(low) % WRAP } else { now.wrapping_sub(low) };
        Some(Delta { size, fell, narrow: is_narrow, other_width: was_narrow != is_narrow, over_two })
    }

    /// Why a counter's movement cannot be believed.
    fn fault(&self, metric: PortMetric, delta: Delta, all: &[Option<Delta>; METRICS]) -> Option<Gap> {
        if delta.other_width || (delta.fell && !delta.narrow) {
            return Some(Gap::Reset);
        }
        let octets = is_octets(metric);
        let unit = if octets { 8.0 } else { SMALLEST_FRAME_BITS };
        let seconds = f64::from(self.span) / 100.0 + if delta.over_two { f64::from(self.before.memory.span) / 100.0 } else { 0.0 };
        let speed = self.limits.speed_bps.map_or(ANY_SPEED, |speed| speed as f64);
        let ratio = delta.size as f64 * unit / seconds / speed;
        let plausible = ratio <= JITTER || (ratio <= BURST && (!octets || self.mean_with_before(metric, delta, speed) <= JITTER));
        if !plausible {
            // A 32-bit counter that was cleared looks like a wrap of impossible size.
            return Some(if delta.fell { Gap::Reset } else { Gap::Impossible });
        }
        let most = self.most(metric, seconds, all);
        (delta.narrow && delta.size > 0 && (delta.size + WRAP) as f64 <= most).then_some(Gap::Ambiguous)
    }

    /// The mean rate over this interval and the one before as a share of the speed; infinite when that is not known.
    fn mean_with_before(&self, metric: PortMetric, delta: Delta, speed: f64) -> f64 {
        let (Some(rate), true) = (self.before.rates.get(metric), self.before.memory.span > 0) else { return f64::INFINITY };
        let earlier_seconds = f64::from(self.before.memory.span) / 100.0;
        let seconds = f64::from(self.span) / 100.0;
        (f64::from(rate) * earlier_seconds + delta.size as f64) * 8.0 / (earlier_seconds + seconds) / speed
    }

    /// The most that a 32-bit counter can have moved: by the port's speed and, for octets, by the packets counted with them.
    fn most(&self, metric: PortMetric, seconds: f64, all: &[Option<Delta>; METRICS]) -> f64 {
        let speed = self.limits.speed_bps.map_or(NARROW_SPEED, |speed| speed as f64);
        let unit = if is_octets(metric) { 8.0 } else { SMALLEST_FRAME_BITS };
        let by_speed = speed * JITTER * seconds / unit;
        let by_packets = match metric {
            PortMetric::InOctets => packets(all, [PortMetric::InUcast, PortMetric::InMulticast, PortMetric::InBroadcast]),
            PortMetric::OutOctets => packets(all, [PortMetric::OutUcast, PortMetric::OutMulticast, PortMetric::OutBroadcast]),
            _ => None,
        };
        // A tenth and a thousand more, because packets are read in another request than octets.
        by_packets.map_or(by_speed, |packets| by_speed.min((packets * 1.1 + 1_000.0) * LARGEST_FRAME))
    }
}

/// How far one counter moved.
#[derive(Clone, Copy, Debug)]
struct Delta {
    size: u64,
    /// The value is below the earlier one.
    fell: bool,
    narrow: bool,
    /// The earlier value came from a counter of the other width.
    other_width: bool,
    /// The earlier value is from the reading before the last.
    over_two: bool,
}

fn packets(all: &[Option<Delta>; METRICS], kinds: [PortMetric; 3]) -> Option<f64> {
    kinds.into_iter().map(|kind| all.get(kind.index()).copied().flatten().map(|delta| delta.size as f64)).sum()
}

/// Which values came from 32-bit counters; a value that does not fit into 32 bits did not, whatever the column said.
fn narrow_bits(row: &CounterRow) -> u16 {
    let wide = row.values.iter().enumerate().filter(|(_, value)| value.is_some_and(|value| value >= WRAP));
    wide.fold(row.narrow, |bits, (index, _)| bits & !(1 << index))
}

const fn is_octets(metric: PortMetric) -> bool {
    matches!(metric, PortMetric::InOctets | PortMetric::OutOctets)
}

/// The strongest reason names the interval.
fn rank(gap: &Gap) -> u8 {
    match gap {
        Gap::Reset => 0,
        Gap::Impossible => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests;
