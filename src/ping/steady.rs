//! The steady line: the wall clock in nanoseconds without the steps that administrators and NTP make, so that the kernel's
//! receive stamps (wall clock) tell true spans.

use std::time::{Duration, Instant};

use crate::model::{Timestamp, clock};

/// A change of the wall clock against the monotonic one beyond this is a step, not a drift.
const STEP_NS: i64 = 50_000_000;
/// Two clocks are compared only if they were read within this time.
const AT_ONCE: Duration = Duration::from_micros(200);

/// Reads the clocks.
#[derive(Debug)]
pub(super) struct Steady {
    began: Instant,
    /// Wall clock less monotonic clock when last compared.
    offset_ns: i64,
    /// The sum of all steps.
    skew_ns: i64,
}

impl Steady {
    pub(super) fn new() -> Self {
        let began = clock::monotonic();
        Self { began, offset_ns: clock::wall_nanos(), skew_ns: 0 }
    }

    /// Now on the steady line. A step of the wall clock since the last time is taken out.
    pub(super) fn now(&mut self) -> i64 {
        // Between the readings another process may run: then they tell nothing about each other.
        for _ in 0..4 {
            let before = clock::monotonic();
            let wall_ns = clock::wall_nanos();
            if clock::monotonic().saturating_duration_since(before) < AT_ONCE {
                self.compare(wall_ns, before.saturating_duration_since(self.began));
                break;
            }
        }
        self.stamp()
    }

    fn compare(&mut self, wall_ns: i64, running: Duration) {
        let offset_ns = wall_ns.saturating_sub(i64::try_from(running.as_nanos()).unwrap_or(i64::MAX));
        let change = offset_ns.saturating_sub(self.offset_ns);
        if change.abs() > STEP_NS {
            self.skew_ns = self.skew_ns.saturating_add(change);
            tracing::warn!(
                step_ms = change / 1_000_000,
                "the clock was set by {} ms; probes under way are not affected",
                change / 1_000_000
            );
        }
        self.offset_ns = offset_ns;
    }

    /// Now, by the steps known so far.
    pub(super) fn stamp(&self) -> i64 {
        self.of_wall(clock::wall_nanos())
    }

    /// A moment of the wall clock on the steady line.
    pub(super) const fn of_wall(&self, wall_ns: i64) -> i64 {
        wall_ns.saturating_sub(self.skew_ns)
    }

    /// A moment of the steady line on the wall clock.
    pub(super) const fn wall(&self, steady_ns: i64) -> Timestamp {
        Timestamp::from_millis(steady_ns.saturating_add(self.skew_ns) / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_clock_is_taken_out_and_a_drift_is_not() {
        let mut steady = Steady { began: clock::monotonic(), offset_ns: 1_000, skew_ns: 0 };
        steady.compare(5_000_001_000, Duration::from_secs(5));
        assert_eq!(steady.skew_ns, 0);
        // An hour back.
        steady.compare(6_000_001_000 - 3_600_000_000_000, Duration::from_secs(6));
        assert_eq!(steady.of_wall(6_000_001_000 - 3_600_000_000_000), 6_000_001_000);
        // A millisecond of drift is kept.
        steady.compare(7_001_001_000 - 3_600_000_000_000, Duration::from_secs(7));
        assert_eq!(steady.skew_ns, -3_600_000_000_000);
        assert_eq!(steady.wall(steady.of_wall(8_000_000_000)).millis(), 8_000);
    }
}
