//! Working time: the hours of each day by weekday, season and special day, and the counting of them.
//! `work(a, c) = work(a, b) + work(b, c)`, and `work(start, due(start, d)) = d`.

use std::time::Duration;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use super::{Days, Term};
use crate::config::calendar::{CalendarSettings, MonthDay, SeasonSettings};
use crate::config::week::{WeekTimes, civil, moment};
use crate::model::Timestamp;

/// Who finds no working day in so many days has none.
const LONGEST_REST_DAYS: u32 = 400;

/// When the office works.
#[derive(Clone, Debug)]
pub struct Office {
    zone: TimeZone,
    days: Days,
    hours: WeekTimes,
    seasons: Vec<SeasonSettings>,
    makeup: Weekday,
}

impl Office {
    /// The office of a configuration, in its time zone.
    pub fn new(settings: &CalendarSettings, zone: TimeZone) -> Self {
        Self {
            zone,
            days: Days::new(settings),
            hours: settings.hours.clone(),
            seasons: settings.seasons.clone(),
            makeup: settings.makeup_hours_of,
        }
    }

    /// The days that are not as their weekday says.
    pub fn days(&self) -> &Days {
        &self.days
    }

    /// The zone in which its days begin.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day that a moment lies in.
    pub fn date(&self, at: Timestamp) -> Date {
        civil(at, &self.zone).date()
    }

    /// The working hours of a day, minutes from midnight, the earliest first; none when it is not worked.
    pub fn hours(&self, date: Date) -> Vec<(u16, u16)> {
        let weekday = match self.days.of(date) {
            Some(special) if special.off => return Vec::new(),
            Some(_) => self.makeup,
            None => date.weekday(),
        };
        let season = self.seasons.iter().find(|season| season.contains(MonthDay::of(date)));
        season.map_or(&self.hours, |season| &season.hours).minutes_of(weekday)
    }

    /// Whether a day is worked.
    pub fn is_workday(&self, date: Date) -> bool {
        !self.hours(date).is_empty()
    }

    /// When work begins and ends on a day; nothing when it is not worked.
    pub fn bounds(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let spans = self.spans(date);
        Some((spans.first()?.0, spans.last()?.1))
    }

    /// Working time between two moments; zero when `to` is not after `from`.
    pub fn work(&self, from: Timestamp, to: Timestamp) -> Duration {
        let (mut day, last) = (self.date(from), self.date(to));
        let mut sum = Duration::ZERO;
        while day <= last {
            sum += self.spans(day).into_iter().map(|(begin, end)| end.min(to).since(begin.max(from))).sum::<Duration>();
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        sum
    }

    /// When so much working time after `start` has passed; nothing when the office never works.
    pub fn after(&self, start: Timestamp, time: Duration) -> Option<Timestamp> {
        if time.is_zero() {
            return Some(start);
        }
        let (mut day, mut left, mut idle) = (self.date(start), time, 0);
        while idle < LONGEST_REST_DAYS {
            idle += 1;
            for (begin, end) in self.spans(day) {
                let begin = begin.max(start);
                let long = end.since(begin);
                if left <= long {
                    return Some(begin + left);
                }
                left -= long;
                idle = 0;
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// When a term that begins at `start` has run out, counted by the office: minutes and hours are working time, working days
    /// end at the time of day at which they began, days and months are those of the calendar.
    pub fn due(&self, start: Timestamp, term: Term) -> Option<Timestamp> {
        match term {
            Term::Minutes(minutes) => self.after(start, Duration::from_secs(u64::from(minutes) * 60)),
            Term::Hours(hours) => self.after(start, Duration::from_secs(u64::from(hours) * 3600)),
            Term::WorkingDays(0) => Some(start),
            Term::WorkingDays(days) => self.workdays_after(start, days),
            Term::Days(days) => self.shift(start, i64::from(days).days()),
            Term::Months(months) => self.shift(start, i64::from(months).months()),
        }
    }

    /// As [`due`](Self::due), but minutes and hours pass day and night.
    pub fn due_always(&self, start: Timestamp, term: Term) -> Option<Timestamp> {
        match term {
            Term::Minutes(minutes) => Some(start + Duration::from_secs(u64::from(minutes) * 60)),
            Term::Hours(hours) => Some(start + Duration::from_secs(u64::from(hours) * 3600)),
            _ => self.due(start, term),
        }
    }

    /// How many days from `first` to `last`, both of them, are worked.
    pub fn workdays(&self, first: Date, last: Date) -> usize {
        first.series(1.day()).take_while(|day| *day <= last).filter(|day| self.is_workday(*day)).count()
    }

    /// What comes outside of the hours counts as come at the end of the working day before.
    fn workdays_after(&self, start: Timestamp, count: u16) -> Option<Timestamp> {
        let (mut day, mut minute) = (self.date(start), self.minute(start));
        if self.hours(day).first().is_none_or(|(begin, _)| minute < *begin) {
            day = std::iter::successors(day.yesterday().ok(), |day| day.yesterday().ok())
                .take(LONGEST_REST_DAYS as usize)
                .find(|day| self.is_workday(*day))?;
            minute = u16::MAX;
        }
        let mut left = count;
        for later in day.series(1.day()).skip(1).take((u32::from(count) + 1) as usize * LONGEST_REST_DAYS as usize) {
            let hours = self.hours(later);
            let Some((_, close)) = hours.last() else { continue };
            left -= 1;
            if left == 0 {
                // A break of that day is over at its end; after its hours means at their end.
                let minute = hours.iter().find(|(_, end)| minute <= *end).map_or(*close, |(begin, _)| minute.max(*begin));
                return Some(moment(later, minute, &self.zone));
            }
        }
        None
    }

    fn shift(&self, start: Timestamp, span: Span) -> Option<Timestamp> {
        let local = civil(start, &self.zone).checked_add(span).ok()?;
        let at = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(Timestamp::from_millis(at.as_millisecond()))
    }

    fn minute(&self, at: Timestamp) -> u16 {
        let time = civil(at, &self.zone).time();
        u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0)
    }

    fn spans(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        let span = |(begin, end): (u16, u16)| (moment(date, begin, &self.zone), moment(date, end, &self.zone));
        self.hours(date).into_iter().map(span).filter(|(begin, end)| begin < end).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn office(zone: &str) -> Office {
        Office::new(&CalendarSettings::default(), TimeZone::get(zone).unwrap())
    }

    fn at(office: &Office, text: &str) -> Timestamp {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        Timestamp::from_millis(office.zone.to_ambiguous_timestamp(local).compatible().unwrap().as_millisecond())
    }

    #[test]
    fn working_days_of_three_long_holidays() {
        let office = office("Asia/Shanghai");
        for (first, last, worked) in [("2025-09-28", "2025-10-12", 6), ("2024-02-05", "2024-02-18", 6), ("2025-04-30", "2025-05-06", 2)] {
            assert_eq!(office.workdays(first.parse().unwrap(), last.parse().unwrap()), worked, "{first} to {last}");
        }
    }

    #[test]
    fn terms_run_out_when_people_expect() {
        let office = office("Asia/Shanghai");
        for (start, term, due) in [
            // Friday in winter hours: one hour is left until 17:30; Monday begins at 08:00.
            ("2026-11-20T16:30", "4h", "2026-11-23T11:00"),
            // In the evening before the National Day: 8 October is the next working day.
            ("2026-09-30T18:00", "15min", "2026-10-08T08:15"),
            ("2026-09-30T17:50", "1wd", "2026-10-08T17:30"),
            ("2026-09-30T10:00", "2wd", "2026-10-09T10:00"),
            // Saturday the 10th is worked.
            ("2026-10-09T10:00", "1wd", "2026-10-10T10:00"),
            ("2026-11-21T12:00", "1wd", "2026-11-23T17:30"),
            ("2026-09-30T10:00", "5d", "2026-10-05T10:00"),
            ("2027-01-31T10:00", "1m", "2027-02-28T10:00"),
        ] {
            let found = office.due(at(&office, start), term.parse().unwrap());
            assert_eq!(found, Some(at(&office, due)), "{start} + {term}: {:?}", found.map(|at| civil(at, &office.zone)));
        }
    }

    #[test]
    fn an_office_that_never_works_has_no_due() {
        let settings = CalendarSettings { hours: WeekTimes::default(), seasons: Vec::new(), ..CalendarSettings::default() };
        let office = Office::new(&settings, TimeZone::UTC);
        assert_eq!(office.due(Timestamp::from_secs(1_770_000_000), Term::Hours(1)), None);
        assert_eq!(office.due(Timestamp::from_secs(1_770_000_000), Term::WorkingDays(1)), None);
    }

    proptest! {
        /// I10, also where clocks change.
        #[test]
        fn working_time_adds_up_and_is_due_when_it_is_full(
            start in 0_i64..600_000, first in 0_i64..40_000, second in 0_i64..40_000, minutes in 0_u32..20_000,
            zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
        ) {
            let office = office(zone);
            let a = Timestamp::from_secs(1_750_000_000 + start * 60);
            let b = a + Duration::from_secs(60 * first as u64);
            let c = b + Duration::from_secs(60 * second as u64);
            prop_assert_eq!(office.work(a, c), office.work(a, b) + office.work(b, c));
            let due = office.due(a, Term::Minutes(minutes)).unwrap();
            prop_assert_eq!(office.work(a, due), Duration::from_secs(60 * u64::from(minutes)));
        }
    }
}
