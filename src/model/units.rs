//! Numbers with their unit in the type.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The span since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The latest multiple of `step` (ms, > 0) that is not after this time, counted from the epoch.
    pub const fn floor_to(self, step_millis: i64) -> Self {
        Self(self.0 - self.0.rem_euclid(step_millis))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A data rate in bits per second (bit/s), the only unit of traffic a person sees.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BitsPerSecond(pub f64);

impl BitsPerSecond {
    /// Share of `capacity` in percent; `None` when the capacity is unknown or zero.
    pub fn percent_of(self, capacity: Self) -> Option<f64> {
        (capacity.0 > 0.0).then(|| self.0 / capacity.0 * 100.0)
    }
}

/// `938 Mbit/s`: three significant digits, SI steps of 1,000.
impl fmt::Display for BitsPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, prefix) = si(self.0);
        write!(f, "{digits} {prefix}bit/s")
    }
}

/// A number in three significant digits with its SI prefix: `12_345.0` gives `("12.3", "k")`.
pub fn si(value: f64) -> (String, &'static str) {
    const STEPS: [(f64, &str); 5] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
    let magnitude = value.abs();
    for (scale, prefix) in STEPS {
        // 999.5 and above would be printed as 1,000 of the smaller step.
        if magnitude >= scale * 0.9995 && (scale > 1.0 || magnitude >= 1.0) {
            return (three_digits(value / scale), prefix);
        }
    }
    (if magnitude == 0.0 { "0".to_owned() } else { three_digits(value) }, "")
}

fn three_digits(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 99.95 {
        format!("{value:.0}")
    } else if magnitude >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_in_three_digits() {
        for (value, text) in [
            (0.0, "0 bit/s"),
            (0.5, "0.50 bit/s"),
            (7.0, "7.00 bit/s"),
            (999.4, "999 bit/s"),
            (999.9, "1.00 kbit/s"),
            (12_345.0, "12.3 kbit/s"),
            (938_000_000.0, "938 Mbit/s"),
            (1e9, "1.00 Gbit/s"),
            (4.2e11, "420 Gbit/s"),
        ] {
            assert_eq!(BitsPerSecond(value).to_string(), text);
        }
    }

    #[test]
    fn flooring_works_before_the_epoch() {
        assert_eq!(Timestamp::from_millis(-1).floor_to(1000).millis(), -1000);
        assert_eq!(Timestamp::from_millis(1999).floor_to(1000).millis(), 1000);
    }
}
