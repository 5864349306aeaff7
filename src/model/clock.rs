//! The only place that reads a clock. Deciding code takes time as an argument; drivers ask here.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Timestamp;

/// The wall clock, milliseconds since the Unix epoch (UTC). May step when an administrator or NTP sets it.
#[expect(clippy::disallowed_methods, reason = "the one reading of the wall clock")]
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The wall clock in nanoseconds since the Unix epoch: to compare with the kernel's receive stamps.
#[expect(clippy::disallowed_methods, reason = "the finer reading of the wall clock")]
pub fn wall_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The monotonic clock: for measuring spans and scheduling, never steps.
#[expect(clippy::disallowed_methods, reason = "the one reading of the monotonic clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}
