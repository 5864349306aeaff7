//! Times of the week as people write them: `mon-fri 08:00-18:00`, `22:00-07:00`, `sat,sun`; and times of day: `08:30`.
//! A span that ends before it begins goes on into the next day. Pure: the moment and the zone come in.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::model::Timestamp;

/// The words of the days, from Monday.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The days, from Monday.
pub const WEEK: [Weekday; 7] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday, Weekday::Sunday];
const DAY_MINUTES: u16 = 24 * 60;
/// Spans that touch each other are followed for so many steps; more than a week of them is always.
const LONGEST_CHAIN: usize = 24;

/// Why a text names no time. Reads as the end of "`when` ...".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("is no time of the week")]
pub struct TimeError;

/// A time of day, minutes since midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `hour:minute`; `None` past 23:59.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// The moment of this time on a day. Where clocks jump over it, the moment they jump to; where it comes twice, the first.
    pub fn on(self, day: Date, zone: &TimeZone) -> Timestamp {
        moment(day, self.0, zone)
    }

    /// The latest moment of this time that is not after `now`, with its day.
    pub fn last(self, now: Timestamp, zone: &TimeZone) -> (Date, Timestamp) {
        let today = civil(now, zone).date();
        let at = self.on(today, zone);
        if at <= now {
            return (today, at);
        }
        let before = today.saturating_sub(1.day());
        (before, self.on(before, zone))
    }

    /// The first moment of this time after `now`.
    pub fn next(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let today = civil(now, zone).date();
        let at = self.on(today, zone);
        if at > now { at } else { self.on(today.saturating_add(1.day()), zone) }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeError)?;
        let number = |part: &str| match part.len() {
            1 | 2 if part.bytes().all(|c| c.is_ascii_digit()) => part.parse::<u16>().map_err(|_| TimeError),
            _ => Err(TimeError),
        };
        Self::new(number(hour)?, number(minute)?).ok_or(TimeError)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One span of the week: the days on which it begins, and its minutes counted from their midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    /// Bit 0 is Monday.
    days: u8,
    begin: u16,
    /// May lie in the next day: up to twice a day's minutes.
    end: u16,
}

impl Span {
    const fn is_on(self, day: Weekday) -> bool {
        self.days >> day.to_monday_zero_offset() & 1 == 1
    }
}

/// Times of the week, several spans together. Without any span: never.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WeekTimes {
    spans: Vec<Span>,
    words: Vec<String>,
}

impl WeekTimes {
    /// Reads a list of spans; at the first that is none, its place in the list.
    ///
    /// # Errors
    /// The number of the text that is no span.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, usize> {
        let mut times = Self::default();
        for (place, text) in texts.into_iter().enumerate() {
            times.spans.push(span(text).map_err(|_| place)?);
            times.words.push(text.trim().to_owned());
        }
        Ok(times)
    }

    /// Whether there is no span at all.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The spans that begin on a day of the week, in minutes from its midnight, the earliest first. An end past 1440 lies in
    /// the next day.
    pub fn minutes_of(&self, day: Weekday) -> Vec<(u16, u16)> {
        let mut spans: Vec<_> = self.spans.iter().filter(|span| span.is_on(day)).map(|span| (span.begin, span.end)).collect();
        spans.sort_unstable();
        spans
    }

    /// Whether `now` lies in one of the spans.
    pub fn contains(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.around(now, zone).is_some()
    }

    /// When the span around `now` ends, with those that follow it without a gap. `now` itself when none is around it;
    /// `None` when it never ends.
    pub fn end(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..LONGEST_CHAIN {
            match self.around(at, zone) {
                None => return Some(at),
                Some(end) => at = end,
            }
        }
        None
    }

    /// The latest end of the spans around a moment.
    fn around(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = civil(now, zone).date();
        let days = [today.saturating_sub(1.day()), today];
        let ends =
            days.into_iter().flat_map(|day| self.spans.iter().filter(move |span| span.is_on(day.weekday())).map(move |span| (day, span)));
        let around = ends.filter_map(|(day, span)| {
            let (begin, end) = (moment(day, span.begin, zone), moment(day, span.end, zone));
            (begin <= now && now < end).then_some(end)
        });
        around.max()
    }
}

impl Serialize for WeekTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

/// The day that a word names: `mon` to `sun`.
pub fn weekday(word: &str) -> Option<Weekday> {
    DAYS.iter().zip(WEEK).find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, day)| day)
}

/// The word of a day.
pub fn word(day: Weekday) -> &'static str {
    DAYS.iter().zip(WEEK).find(|(_, known)| *known == day).map_or("mon", |(word, _)| word)
}

/// The wall clock of a zone.
pub fn civil(at: Timestamp, zone: &TimeZone) -> DateTime {
    let instant = Instant::from_millisecond(at.millis()).unwrap_or(if at.millis() < 0 { Instant::MIN } else { Instant::MAX });
    zone.to_datetime(instant)
}

/// The moment so many minutes of the wall clock after a day's midnight.
pub fn moment(day: Date, minutes: u16, zone: &TimeZone) -> Timestamp {
    let day = day.saturating_add(i64::from(minutes / DAY_MINUTES).days());
    let minutes = minutes % DAY_MINUTES;
    let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).unwrap_or(Time::MIN);
    let instant = zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible();
    Timestamp::from_millis(instant.unwrap_or(Instant::MAX).as_millisecond())
}

fn span(text: &str) -> Result<Span, TimeError> {
    let mut parts = text.split_whitespace();
    let (first, second, rest) = (parts.next().ok_or(TimeError)?, parts.next(), parts.next());
    if rest.is_some() {
        return Err(TimeError);
    }
    let (days, times) = match second {
        Some(times) => (days(first)?, Some(times)),
        None if first.contains(':') => (0x7f, Some(first)),
        None => (days(first)?, None),
    };
    let Some(times) = times else { return Ok(Span { days, begin: 0, end: DAY_MINUTES }) };
    let (begin, end) = times.split_once('-').ok_or(TimeError)?;
    let begin = begin.parse::<TimeOfDay>()?.0;
    let end = if end == "24:00" { DAY_MINUTES } else { end.parse::<TimeOfDay>()?.0 };
    Ok(Span { days, begin, end: if end > begin { end } else { end + DAY_MINUTES } })
}

fn days(text: &str) -> Result<u8, TimeError> {
    let day = |word: &str| DAYS.iter().position(|day| word.eq_ignore_ascii_case(day)).ok_or(TimeError);
    let mut days = 0;
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        let count = (last + 7 - first) % 7;
        days |= (0..=count).fold(0, |days, step| days | 1 << ((first + step) % 7));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str, zone: &TimeZone) -> Timestamp {
        let civil: DateTime = text.parse().unwrap();
        Timestamp::from_millis(zone.to_ambiguous_timestamp(civil).compatible().unwrap().as_millisecond())
    }

    fn times(texts: &[&str]) -> WeekTimes {
        WeekTimes::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn spans_hold_what_they_say() {
        let zone = zone("Asia/Shanghai");
        // 2026-11-23 is a Monday.
        for (texts, moment, inside) in [
            (&["mon-fri 08:00-18:00"][..], "2026-11-23T08:00", true),
            (&["mon-fri 08:00-18:00"], "2026-11-23T18:00", false),
            (&["mon-fri 08:00-18:00"], "2026-11-22T12:00", false),
            (&["22:00-07:00"], "2026-11-23T23:59", true),
            (&["22:00-07:00"], "2026-11-23T06:59", true),
            (&["22:00-07:00"], "2026-11-23T07:00", false),
            (&["sun 22:00-07:00"], "2026-11-23T06:00", true),
            (&["sun 22:00-07:00"], "2026-11-23T22:30", false),
            (&["sat,sun"], "2026-11-22T00:00", true),
            (&["sat,sun"], "2026-11-23T00:00", false),
            (&["fri-mon"], "2026-11-23T12:00", true),
            (&["fri-mon"], "2026-11-24T00:00", false),
            (&["08:00-24:00"], "2026-11-23T23:59", true),
            (&["mon 08:00-09:00", "mon 10:00-11:00"], "2026-11-23T10:30", true),
            (&["wed 20:00-04:00"], "2025-12-31T23:30", true),
            (&["wed 20:00-04:00"], "2026-01-01T03:59", true),
            (&[], "2026-11-23T08:00", false),
        ] {
            assert_eq!(times(texts).contains(at(moment, &zone), &zone), inside, "{texts:?} at {moment}");
        }
    }

    #[test]
    fn quiet_hours_end_by_the_wall_clock_also_when_clocks_change() {
        let berlin = zone("Europe/Berlin");
        let quiet = times(&["22:00-07:00"]);
        for (from, until) in [
            ("2026-01-01T00:30", "2026-01-01T07:00"),
            ("2026-12-31T23:30", "2027-01-01T07:00"),
            // Clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
            ("2026-03-28T22:00", "2026-03-29T07:00"),
            ("2026-10-24T22:00", "2026-10-25T07:00"),
            ("2026-06-01T12:00", "2026-06-01T12:00"),
        ] {
            assert_eq!(quiet.end(at(from, &berlin), &berlin), Some(at(until, &berlin)), "{from}");
        }
        assert_eq!(at("2026-03-29T07:00", &berlin).since(at("2026-03-28T22:00", &berlin)).as_secs(), 8 * 3600);
        // A span that lies in the hour that does not exist is empty on that day.
        let skipped = times(&["02:10-02:50"]);
        assert!(!skipped.contains(at("2026-03-29T03:05", &berlin), &berlin));
    }

    #[test]
    fn spans_without_a_gap_end_together_and_all_the_week_never_ends() {
        let zone = zone("Asia/Shanghai");
        let chain = times(&["sat,sun", "22:00-07:00"]);
        assert_eq!(chain.end(at("2026-11-20T23:00", &zone), &zone), Some(at("2026-11-23T07:00", &zone)));
        assert_eq!(times(&["mon-sun"]).end(at("2026-11-20T23:00", &zone), &zone), None);
    }

    #[test]
    fn slips_are_refused() {
        for text in
            ["", "mon-", "8-18", "25:00-07:00", "mon 08:00", "mon 08:00-18:00 x", "08:60-09:00", "monday", "008:00-09:00", "+8:00-9:00"]
        {
            assert_eq!(WeekTimes::parse([text]), Err(0), "{text}");
        }
        assert_eq!(WeekTimes::parse(["mon", "lun"]), Err(1));
        assert_eq!("08:05".parse::<TimeOfDay>().unwrap().to_string(), "08:05");
    }

    proptest! {
        #[test]
        fn what_lies_inside_ends_later_and_then_lies_outside(minute in 0_i64..600_000, begin in 0_u16..1440, end in 0_u16..1440, days in 1_u8..127) {
            prop_assume!(begin != end);
            let zone = zone("America/New_York");
            let end = if end > begin { end } else { end + DAY_MINUTES };
            let times = WeekTimes { spans: vec![Span { days, begin, end }], words: Vec::new() };
            let now = Timestamp::from_secs(1_770_000_000 + minute * 60);
            if let Some(until) = times.end(now, &zone) {
                prop_assert!(until >= now);
                prop_assert!(!times.contains(until, &zone));
                prop_assert_eq!(until == now, !times.contains(now, &zone));
            }
        }

        #[test]
        fn a_time_of_day_comes_once_between_its_last_and_its_next(minute in 0_i64..600_000, of_day in 0_u16..1440) {
            let zone = zone("Europe/Berlin");
            let now = Timestamp::from_secs(1_770_000_000 + minute * 60);
            let time = TimeOfDay(of_day);
            let ((_, last), next) = (time.last(now, &zone), time.next(now, &zone));
            prop_assert!(last <= now && now < next);
            let hours = next.since(last).as_secs() / 3600;
            prop_assert!((22..=26).contains(&hours), "{hours}");
        }
    }
}
