//! How much time passed between two readings of a device, and whether it restarted in between (snmp.md, decision 5).
//!
//! Three clocks are compared: the agent's sysUpTime (hundredths of a second, wraps after 497 days), our steady clock and our
//! wall clock. The agent's is the finest measure, but it may be cached, wrong or begin anew; our steady clock stands still
//! while our machine sleeps; our wall clock jumps when it is set. Two that agree are believed.

use std::time::Instant;

use crate::model::Timestamp;

/// Now, by both of our clocks; handed in by the driver.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// The steady clock.
    pub steady: Instant,
}

/// The three clocks at one reading, in hundredths of a second, each wrapping at 2^32. Only differences mean anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clocks {
    /// The agent's sysUpTime.
    pub uptime: u32,
    /// Our steady clock.
    pub steady: u32,
    /// Our wall clock.
    pub wall: u32,
}

/// What passed between two readings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The device ran through; so many hundredths of a second passed (more than 0).
    Ran(u32),
    /// The device restarted, or its sysUpTime began anew.
    Restarted,
    /// No time passed: the same reading once more.
    Repeated,
    /// No two clocks agree.
    Untold,
}

/// Differences up to this are waiting for answers, not disagreement: 3 seconds ...
const SLACK: u64 = 300;
/// ... and 3 % of the span, for clocks that run badly.
const SLACK_SHARE: u64 = 33;
/// A standing sysUpTime over less than this is the same reading (1 second).
const SAME: u32 = 100;

impl Clocks {
    /// The clocks at a reading that arrived at `received`, seen at `now` (a little later). `origin` is the start of the
    /// steady clock.
    pub fn at(uptime: u32, received: Timestamp, now: Moment, origin: Instant) -> Self {
        // The age of the datagram; more than a day can only be a wall clock set in between.
        let age = now.wall.since(received).min(std::time::Duration::from_secs(86_400));
        let steady = now.steady.saturating_duration_since(origin).saturating_sub(age);
        Self { uptime, steady: wrapping(steady.as_millis() / 10), wall: wrapping_i(received.millis().div_euclid(10)) }
    }

    /// What passed from `self` to the later reading `now`. `engine_time` is snmpEngineTime in seconds at `now`.
    pub fn until(self, now: Self, engine_time: Option<u32>) -> Span {
        let uptime = now.uptime.wrapping_sub(self.uptime);
        let steady = now.steady.wrapping_sub(self.steady);
        // A wall clock that was set back gives a huge or negative span, which agrees with nothing.
        let wall = u32::try_from(now.wall.wrapping_sub(self.wall).cast_signed()).unwrap_or(0);
        // The wall clock is believed against the steady one only where that may have stood still.
        let told = if agree(uptime, steady) { Some(steady) } else { (wall > steady && agree(uptime, wall)).then_some(wall) };
        if now.uptime < self.uptime {
            // After 497 days sysUpTime goes through 0 while the engine's own time, in seconds, goes on.
            let engine_is_new = |passed| engine_time.is_some_and(|seconds| within(u64::from(seconds) * 100, passed));
            // A restart near the end looks almost the same: here only seconds and 1/200 of the span are waiting for answers.
            let fits = |passed: u32| u64::from(uptime.abs_diff(passed)) <= SLACK + u64::from(passed) / 200;
            return told.filter(|&passed| fits(passed) && !engine_is_new(passed)).map_or(Span::Restarted, |_| Span::Ran(uptime.max(1)));
        }
        if uptime == 0 && steady < SAME {
            return Span::Repeated;
        }
        // Not up for longer than we have been waiting: another start, or it had come up just before the earlier reading.
        let passed = told.unwrap_or(steady.max(wall));
        let engine_is_old = engine_time.is_some_and(|seconds| !within(u64::from(seconds) * 100, passed));
        if within(u64::from(now.uptime), passed) && !(engine_is_old && told.is_some()) {
            return Span::Restarted;
        }
        match told {
            Some(_) if uptime > 0 => Span::Ran(uptime),
            _ if agree(steady, wall) => Span::Ran(steady.max(1)),
            _ => Span::Untold,
        }
    }
}

fn within(age: u64, passed: u32) -> bool {
    age <= u64::from(passed) + slack(u64::from(passed))
}

fn agree(one: u32, other: u32) -> bool {
    u64::from(one.abs_diff(other)) <= slack(u64::from(one.max(other)))
}

const fn slack(span: u64) -> u64 {
    SLACK + span / SLACK_SHARE
}

const fn wrapping(value: u128) -> u32 {
    (value & 0xffff_ffff) as u32
}

const fn wrapping_i(value: i64) -> u32 {
    (value & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: u32 = 6_000;

    fn clocks(uptime: u32, steady: u32, wall: u32) -> Clocks {
        Clocks { uptime, steady, wall }
    }

    #[test]
    fn spans_are_told_by_the_two_clocks_that_agree() {
        let start = clocks(1_000_000, 50_000, 70_000);
        for (uptime, steady, wall, engine, span, case) in [
            (6_000, 6_010, 6_010, None, Span::Ran(6_000), "a plain minute, by the agent's clock"),
            (6_000, 6_000, 366_000, None, Span::Ran(6_000), "our wall clock set forward an hour"),
            (6_000, 6_000, -360_000, None, Span::Ran(6_000), "our wall clock set back an hour"),
            (366_000, 6_000, 366_000, None, Span::Ran(366_000), "our machine slept an hour"),
            (0, 6_000, 6_000, None, Span::Ran(6_000), "an agent with a cached sysUpTime"),
            (0, 20, 20, None, Span::Repeated, "the same reading twice"),
            (60_000, 6_000, 6_000, None, Span::Ran(6_000), "an agent whose clock runs ten times too fast"),
            (6_300, 6_000, 6_000, None, Span::Ran(6_300), "an answer that waited for its third try"),
            (60_000, 6_000, 366_000, None, Span::Untold, "all three disagree"),
            (100, 6_000, 200, None, Span::Untold, "our wall clock set back, and an agent whose clock runs badly"),
        ] {
            let now = clocks(
                start.uptime.wrapping_add_signed(uptime),
                start.steady.wrapping_add_signed(steady),
                start.wall.wrapping_add_signed(wall),
            );
            assert_eq!(start.until(now, engine), span, "{case}");
        }
    }

    #[test]
    fn the_wrap_after_497_days_is_no_restart() {
        let before = clocks(u32::MAX - 2_000, 0, 0);
        let after = clocks(3_999, MINUTE, MINUTE);
        assert_eq!(before.until(after, None), Span::Ran(MINUTE));
        assert_eq!(before.until(after, Some(42_949_712)), Span::Ran(MINUTE), "the engine's time goes on");
        assert_eq!(before.until(after, Some(39)), Span::Restarted, "the engine is new: a restart at the very moment");
        let late = clocks(20_600, 20_600, 20_600);
        assert_eq!(clocks(u32::MAX - 952, 0, 0).until(late, None), Span::Restarted, "a restart ten seconds before the end");
    }

    #[test]
    fn restarts_are_told_when_uptime_falls_and_when_it_has_caught_up() {
        let before = clocks(2_000, 0, 0);
        for (uptime, elapsed, case) in [
            (1_000, MINUTE, "fell"),
            (5_000, 60 * MINUTE, "the device was away for an hour and has been up for 50 s"),
            (100 * MINUTE, 110 * MINUTE, "up for a little less than we have been waiting"),
        ] {
            assert_eq!(before.until(clocks(uptime, elapsed, elapsed), None), Span::Restarted, "{case}");
        }
        let long_up = clocks(u32::MAX - 100, 0, 0);
        assert_eq!(long_up.until(clocks(2_000, 10 * MINUTE, 10 * MINUTE), None), Span::Restarted, "near the wrap, but too early");
    }

    #[test]
    fn a_reading_is_placed_on_our_clocks_by_its_age() {
        let origin = Moment { wall: Timestamp::from_secs(1_000), steady: crate::model::clock::monotonic() };
        let now = Moment { wall: Timestamp::from_secs(1_100), steady: origin.steady + Duration::from_secs(100) };
        let read = Clocks::at(5, Timestamp::from_secs(1_090), now, origin.steady);
        assert_eq!(read.steady, 9_000);
        let set_back = Clocks::at(5, Timestamp::from_secs(1_200), now, origin.steady);
        assert_eq!(set_back.steady, 10_000, "from the future: taken as just arrived");
    }
}
