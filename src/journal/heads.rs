//! The daily head: at 00:05 local time the end of the chain is written down in the chain, to be carried outside.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// The action of a daily head.
pub const HEAD_ACTION: &str = "journal.head";

/// When in the day.
const AT: Time = Time::constant(0, 5, 0, 0);

/// When the next daily head is due, given when the last one was written: the first 00:05 after that. A daemon that slept
/// over it writes one at once, not one for each day. Without any, the next 00:05 after `now`.
pub fn next_head(last: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let from = last.unwrap_or(now);
    let Ok(instant) = jiff::Timestamp::from_millisecond(from.millis()) else { return now };
    let today = zone.to_datetime(instant).date();
    let due = |days: i64| {
        let date = today.checked_add(jiff::Span::new().days(days)).ok()?;
        let at = zone.to_timestamp(date.to_datetime(AT)).ok()?.as_millisecond();
        Some(Timestamp::from_millis(at)).filter(|at| *at > from)
    };
    // A day whose 00:05 the clock jumps over has one a little later; a year beyond the calendar has none.
    due(0).or_else(|| due(1)).or_else(|| due(2)).unwrap_or(now + std::time::Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn once_a_day_at_five_past_midnight_local() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let first = next_head(None, at("2026-11-23T10:00:00Z"), &zone);
        assert_eq!(first, at("2026-11-23T16:05:00Z"));
        assert_eq!(next_head(Some(first), first, &zone), at("2026-11-24T16:05:00Z"));
        assert_eq!(next_head(Some(at("2026-11-23T16:04:59Z")), first, &zone), first);
    }

    #[test]
    fn a_daemon_that_was_off_for_days_is_late_for_one_only() {
        let zone = TimeZone::UTC;
        let (last, now) = (at("2026-11-01T00:05:01Z"), at("2026-11-23T09:00:00Z"));
        assert_eq!(next_head(Some(last), now, &zone), at("2026-11-02T00:05:00Z"));
        assert_eq!(next_head(Some(now), now, &zone), at("2026-11-24T00:05:00Z"));
    }

    #[test]
    fn a_clock_change_over_midnight_costs_no_day() {
        // In Havana clocks go from 00:00 to 01:00.
        let zone = TimeZone::get("America/Havana").unwrap();
        let last = at("2026-03-07T12:00:00Z");
        let due = next_head(Some(last), last, &zone);
        assert!(due > last && due.millis() - last.millis() < 86_400_000, "{due:?}");
    }
}
