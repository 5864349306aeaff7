//! Points in time as people of the office read them: in the office's zone, relative beside absolute.

use jiff::tz::TimeZone;

use super::words::Words;
use crate::model::Timestamp;

/// The reader's clock: the office's zone and the moment of the request.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
    /// The moment the page is about.
    pub(crate) now: Timestamp,
}

impl Clock {
    /// A clock of a zone that shows `now`.
    pub(crate) const fn new(zone: TimeZone, now: Timestamp) -> Self {
        Self { zone, now }
    }

    /// The same clock at an earlier moment, where one is asked for; a later one is now.
    pub(crate) fn at(mut self, secs: Option<i64>) -> Self {
        self.now = secs.map_or(self.now, |secs| Timestamp::from_secs(secs.max(0)).min(self.now));
        self
    }

    /// The office's zone.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// `14:02:31` for a time of today, `11-22 14:02` of this year, `2024-11-22` before.
    pub(crate) fn short(&self, t: Timestamp) -> String {
        let (today, day) = (self.part(self.now, "%Y-%m-%d"), self.part(t, "%Y-%m-%d"));
        if today == day {
            self.part(t, "%H:%M:%S")
        } else if today.get(..4) == day.get(..4) {
            self.part(t, "%m-%d %H:%M")
        } else {
            day
        }
    }

    /// `2026-11-22 14:02:31 +08:00`.
    pub(crate) fn full(&self, t: Timestamp) -> String {
        self.part(t, "%Y-%m-%d %H:%M:%S %:z")
    }

    /// `2026-11-22T14:02:31+08:00`, for `<time datetime>`, file names and CSV.
    pub(crate) fn iso(&self, t: Timestamp) -> String {
        self.part(t, "%Y-%m-%dT%H:%M:%S%:z")
    }

    /// `20261122-1402`, for names of files.
    pub(crate) fn stamp(&self, t: Timestamp) -> String {
        self.part(t, "%Y%m%d-%H%M")
    }

    /// How long before now.
    pub(crate) fn ago(&self, words: Words, t: Timestamp) -> String {
        words.ago(self.now.since(t))
    }

    fn part(&self, t: Timestamp, form: &str) -> String {
        jiff::Timestamp::from_millisecond(t.millis())
            .map(|t| t.to_zoned_datetime(self.zone.clone()).strftime(form).to_string())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_short_as_the_day_allows() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let clock = Clock::new(zone, Timestamp::from_secs(1_795_500_000));
        assert_eq!(clock.full(clock.now), "2026-11-24 14:00:00 +08:00");
        assert_eq!(clock.short(Timestamp::from_secs(1_795_500_000 - 60)), "13:59:00");
        assert_eq!(clock.short(Timestamp::from_secs(1_795_500_000 - 86_400)), "11-23 14:00");
        assert_eq!(clock.short(Timestamp::from_secs(1_795_500_000 - 400 * 86_400)), "2025-10-20");
    }
}
