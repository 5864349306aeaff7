//! The rules over one port, reading by reading.

use std::collections::VecDeque;
use std::time::Duration;

use super::gauge::Gauge;
use super::plan::{Book, Threshold, Whom};
use crate::model::{Evidence, Fact, Gap, PortMetric, Timestamp, Verdict};
use crate::ports::live::{PortLive, PortState, Rates};

/// The rules of ports, in the order of their cells.
pub const PORT_RULES: [&str; 14] = [
    "port-down",
    "port-utilisation",
    "port-in-bps",
    "port-out-bps",
    "port-in-errors",
    "port-out-errors",
    "port-in-discards",
    "port-out-discards",
    "port-broadcast",
    "port-multicast",
    "port-flapping",
    "port-speed",
    "port-duplex",
    "port-counter-unreliable",
];

const DOWN: usize = 0;
const FLAPPING: usize = 10;
const SPEED: usize = 11;
const DUPLEX: usize = 12;
const UNRELIABLE: usize = 13;

/// A port as rules see it at one moment: live, or out of the store.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Its state.
    pub state: PortState,
    /// Its rates.
    pub rates: Rates,
    /// Its speed, bits per second.
    pub speed_bps: Option<u64>,
    /// dot3StatsDuplexStatus.
    pub duplex: Option<u8>,
    /// Why rates are unknown.
    pub gap: Option<Gap>,
}

impl Reading {
    /// Of the live table; `None` before the first poll.
    pub fn of(port: &PortLive, at: Timestamp) -> Self {
        let identity = &port.identity;
        Self { at, state: port.state, rates: port.rates, speed_bps: identity.speed_bps, duplex: identity.duplex, gap: port.gap }
    }

    fn rate(&self, metric: PortMetric) -> Option<f64> {
        self.rates.get(metric).map(f64::from)
    }

    fn bps(&self, metric: PortMetric) -> Option<f64> {
        self.rate(metric).map(|octets| octets * 8.0)
    }

    fn utilisation(&self) -> Option<f64> {
        let speed = self.speed_bps.filter(|speed| *speed > 0)? as f64;
        let busiest = self.bps(PortMetric::InOctets).into_iter().chain(self.bps(PortMetric::OutOctets)).reduce(f64::max)?;
        Some(busiest / speed * 100.0)
    }
}

/// What holds for one port: a threshold a rule, or none.
#[derive(Clone, PartialEq, Debug)]
pub struct PortPlan([Option<Threshold>; PORT_RULES.len()]);

impl PortPlan {
    /// Out of the book.
    pub fn new(book: &Book, whom: Whom<'_>) -> Self {
        Self(PORT_RULES.map(|rule| book.threshold(rule, whom)))
    }

    /// Nothing but one rule: for trying it over the past.
    #[must_use]
    pub fn only(mut self, rule: &str) -> Self {
        for (threshold, name) in self.0.iter_mut().zip(PORT_RULES) {
            *threshold = threshold.filter(|_| name == rule);
        }
        self
    }
}

/// What is remembered of a port between two readings.
#[derive(Clone, Debug)]
pub struct PortTrack {
    gauges: [Gauge; PORT_RULES.len()],
    seen: Option<Timestamp>,
    state: PortState,
    up_since: Option<Timestamp>,
    /// How long it was up before it went down.
    was_up_for: Duration,
    flips: VecDeque<Timestamp>,
    /// The highest speed it had while up.
    best_speed: Option<u64>,
    /// Readings in a row whose counters could not be believed.
    unreliable: u32,
}

impl Default for PortTrack {
    fn default() -> Self {
        Self {
            gauges: [Gauge::default(); PORT_RULES.len()],
            seen: None,
            state: PortState::Unknown,
            up_since: None,
            was_up_for: Duration::ZERO,
            flips: VecDeque::new(),
            best_speed: None,
            unreliable: 0,
        }
    }
}

impl PortTrack {
    /// Takes over what was raised before a restart.
    pub fn assume(&mut self, rule: &str) {
        if let Some(at) = PORT_RULES.iter().position(|name| *name == rule)
            && let Some(gauge) = self.gauges.get_mut(at)
        {
            *gauge = Gauge::raised();
        }
    }

    /// Since when it has been up, told from outside: ifLastChange.
    pub fn up_since(&mut self, since: Timestamp) {
        if self.state == PortState::Up {
            self.up_since = Some(self.up_since.map_or(since, |own| own.min(since)));
        }
    }

    /// What was raised and is to be taken back because the port is gone.
    pub fn raised(&self) -> impl Iterator<Item = &'static str> {
        PORT_RULES.into_iter().zip(&self.gauges).filter(|(_, gauge)| gauge.is_raised()).map(|(rule, _)| rule)
    }

    /// Judges a reading; tells each change.
    pub fn judge(&mut self, plan: &PortPlan, reading: &Reading, mut tell: impl FnMut(&'static str, Verdict, Evidence)) {
        if self.seen.is_some_and(|seen| seen >= reading.at) {
            return;
        }
        self.seen = Some(reading.at);
        if reading.state == PortState::Unknown {
            return;
        }
        self.follow(reading);
        for (at, rule) in PORT_RULES.into_iter().enumerate() {
            let Some(Some(threshold)) = plan.0.get(at) else {
                if self.gauges.get_mut(at).is_some_and(Gauge::drop_it) {
                    tell(rule, Verdict::Cleared, Evidence::new());
                }
                continue;
            };
            let Some(value) = self.value(at, reading, threshold) else { continue };
            // Changes within a window have lasted by being counted.
            let raise_for = if at == FLAPPING { Duration::ZERO } else { threshold.raise_for };
            let judged = Threshold { raise_for, ..*threshold };
            let verdict = self.gauges.get_mut(at).and_then(|gauge| gauge.take(value, reading.at, &judged));
            if let Some(verdict) = verdict {
                tell(rule, verdict, self.evidence(at, value, reading, threshold));
            }
        }
    }

    /// Keeps what rules over more than one reading need.
    fn follow(&mut self, reading: &Reading) {
        let (before, now) = (self.state, reading.state);
        if before != now && before != PortState::Unknown && (before == PortState::Up || now == PortState::Up) {
            self.flips.push_back(reading.at);
            if self.flips.len() > 256 {
                self.flips.pop_front();
            }
        }
        if now == PortState::Up {
            self.up_since.get_or_insert(reading.at);
            self.best_speed = self.best_speed.max(reading.speed_bps);
        } else if let Some(since) = self.up_since.take() {
            self.was_up_for = reading.at.since(since);
        }
        let doubtful = matches!(reading.gap, Some(Gap::Impossible | Gap::Ambiguous));
        self.unreliable = if doubtful { self.unreliable.saturating_add(1) } else { 0 };
        self.state = now;
    }

    /// The value of a rule; `None` when there is nothing to judge: then everything stays as it is.
    fn value(&mut self, at: usize, reading: &Reading, threshold: &Threshold) -> Option<f64> {
        let is_up = reading.state == PortState::Up;
        let yes = |holds: bool| Some(f64::from(u8::from(holds)));
        let rate = |metric| if is_up { reading.rate(metric) } else { Some(0.0) };
        match at {
            DOWN => {
                let goes_on = self.gauges.get(DOWN).is_some_and(|gauge| gauge.is_raised());
                // A port that was never seen up has nothing to lose; one that was shut is meant to be.
                let counts = goes_on || (self.was_up_for > Duration::ZERO && self.was_up_for >= threshold.up_for);
                yes(reading.state == PortState::Down && counts)
            }
            1 => {
                if is_up {
                    reading.utilisation()
                } else {
                    Some(0.0)
                }
            }
            2 => {
                if is_up {
                    reading.bps(PortMetric::InOctets)
                } else {
                    Some(0.0)
                }
            }
            3 => {
                if is_up {
                    reading.bps(PortMetric::OutOctets)
                } else {
                    Some(0.0)
                }
            }
            4 => rate(PortMetric::InErrors),
            5 => rate(PortMetric::OutErrors),
            6 => rate(PortMetric::InDiscards),
            7 => rate(PortMetric::OutDiscards),
            8 => rate(PortMetric::InBroadcast),
            9 => rate(PortMetric::InMulticast),
            FLAPPING => {
                let from = reading.at - threshold.raise_for;
                while self.flips.front().is_some_and(|flip| *flip < from) {
                    self.flips.pop_front();
                }
                Some(self.flips.len() as f64)
            }
            SPEED if !is_up => None,
            SPEED => yes(reading.speed_bps.zip(self.best_speed).is_some_and(|(now, best)| now < best)),
            DUPLEX if !is_up => None,
            // Half duplex at 100 Mbit/s and more is a failed negotiation; below, it may be meant.
            DUPLEX => yes(reading.duplex == Some(2) && reading.speed_bps.is_some_and(|speed| speed >= 100_000_000)),
            UNRELIABLE => Some(f64::from(self.unreliable)),
            _ => None,
        }
    }

    fn evidence(&self, at: usize, value: f64, reading: &Reading, threshold: &Threshold) -> Evidence {
        let fact = |value: f64| match at {
            1 => Fact::Percent(value),
            2 | 3 => Fact::BitsPerSecond(value),
            4..=9 => Fact::PerSecond(value),
            _ => Fact::Count(value as u64),
        };
        let mut evidence = Evidence::new();
        let mut add = |name: &str, fact| evidence.insert(name.to_owned(), fact);
        match at {
            DOWN => {
                add("up", Fact::Millis(self.was_up_for.as_millis() as f64));
            }
            SPEED => {
                add("value", Fact::BitsPerSecond(reading.speed_bps.unwrap_or(0) as f64));
                add("usual", Fact::BitsPerSecond(self.best_speed.unwrap_or(0) as f64));
            }
            DUPLEX => {
                add("value", Fact::BitsPerSecond(reading.speed_bps.unwrap_or(0) as f64));
            }
            _ => {
                add("value", fact(value));
                add("threshold", fact(threshold.raise));
                add("span", Fact::Millis(threshold.raise_for.as_millis() as f64));
            }
        }
        evidence
    }
}
