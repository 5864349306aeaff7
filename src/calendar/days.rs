//! Which days are not as their weekday says. A date of the configuration counts before a shipped one; a whole year of the
//! configuration replaces the shipped year.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::shipped;
use crate::config::calendar::{CalendarSettings, YearSettings};

/// What a day is, other than its weekday says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Special {
    /// Nobody works; else a rest day on which everybody does.
    pub off: bool,
    /// What the holiday is called; empty when nobody said.
    pub name: Arc<str>,
}

/// The special days of all years that are known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Days {
    special: BTreeMap<Date, Special>,
    years: BTreeSet<i16>,
}

impl Days {
    /// The shipped years under those of the configuration.
    pub fn new(settings: &CalendarSettings) -> Self {
        let mut days = Self::default();
        let own: BTreeSet<i16> = settings.years.iter().map(|year| year.year).collect();
        for year in shipped::years().iter().filter(|year| !own.contains(&year.year)).chain(&settings.years) {
            days.add(year);
        }
        let unnamed: Arc<str> = Arc::from("");
        for (list, off) in [(&settings.holidays, true), (&settings.workdays, false)] {
            for date in list {
                days.special.insert(*date, Special { off, name: Arc::clone(&unnamed) });
                days.years.insert(date.year());
            }
        }
        days
    }

    fn add(&mut self, year: &YearSettings) {
        self.years.insert(year.year);
        for feast in &year.days {
            for (list, off) in [(&feast.off, true), (&feast.worked, false)] {
                self.special.extend(list.iter().map(|date| (*date, Special { off, name: Arc::clone(&feast.name) })));
            }
        }
    }

    /// What is special about a day.
    pub fn of(&self, date: Date) -> Option<&Special> {
        self.special.get(&date)
    }

    /// All special days of a year, the earliest first.
    pub fn in_year(&self, year: i16) -> impl Iterator<Item = (Date, &Special)> {
        self.special.iter().filter(move |(date, _)| date.year() == year).map(|(date, special)| (*date, special))
    }

    /// The days on which nobody works.
    pub fn off(&self) -> impl Iterator<Item = Date> {
        self.special.iter().filter(|(_, special)| special.off).map(|(date, _)| *date)
    }

    /// The rest days that are worked.
    pub fn worked(&self) -> impl Iterator<Item = Date> {
        self.special.iter().filter(|(_, special)| !special.off).map(|(date, _)| *date)
    }

    /// Whether the holidays of a year are known at all.
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// The years that should be known on this day and are not: its own, and from 1 December on the next (CAL-001).
    pub fn missing(&self, today: Date) -> Vec<i16> {
        let next = (today.month() == 12).then(|| today.year().saturating_add(1));
        [Some(today.year()), next].into_iter().flatten().filter(|year| !self.knows(*year)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::calendar::read_years;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_of_the_configuration_replaces_the_shipped_one_and_single_days_lie_over_both() {
        let text = "[[calendar.year]]\nyear = 2026\ndays = [{ name = \"校庆\", off = [\"2026-11-24\"] }]";
        let years = read_years([("own.toml", text)]).unwrap();
        let own = CalendarSettings { years, workdays: vec![date("2025-10-01")], ..CalendarSettings::default() };
        let days = Days::new(&own);
        assert_eq!(days.of(date("2026-11-24")).map(|day| (day.off, &*day.name)), Some((true, "校庆")));
        assert_eq!(days.of(date("2026-10-01")), None, "the shipped 2026 is replaced");
        assert_eq!(days.of(date("2025-10-01")).map(|day| day.off), Some(false), "a single day counts before the shipped year");
        assert_eq!(days.of(date("2025-10-02")).map(|day| day.off), Some(true), "the rest of that year stays");
    }

    #[test]
    fn a_missing_year_is_said_in_it_and_from_december_before() {
        let days = Days::new(&CalendarSettings::default());
        for (today, missing) in [
            ("2026-11-30", &[][..]),
            ("2026-12-01", &[2027]),
            ("2027-03-01", &[2027]),
            ("2027-12-31", &[2027, 2028]),
            ("2003-12-05", &[2003]),
        ] {
            assert_eq!(days.missing(date(today)), missing, "{today}");
        }
    }
}
