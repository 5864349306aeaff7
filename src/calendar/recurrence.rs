//! On which days a duty comes round: a rule, a time of day, and what becomes of it on a holiday (office rules, decisions D5,
//! D6 and D9). In TOML as `{ rule = "weekday", weekday = "fri", at = "16:00", holiday = "previous_workday" }`.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use thiserror::Error;

use super::Office;
use crate::config::calendar::MonthDay;
use crate::config::week::{TimeOfDay, weekday};
use crate::model::Timestamp;

/// A date may be moved by so many days; where none is found in them, none is.
const FOUR_WEEKS: usize = 28;

/// When a duty comes round.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Recurrence {
    rule: Rule,
    at: At,
    holiday: Holiday,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    Day { workdays: bool },
    Weekday(Weekday),
    NthWeekday(i8, Weekday),
    WeekOfFirst(Weekday),
    LastWeekday(Weekday),
    Month,
    MonthDay { day: i8, before: bool },
    WorkingDays { first: u16 },
    Quarter,
    Year(MonthDay),
}

/// The time of day; `None` at the end of the day's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    WorkStart,
    WorkEnd,
    Time(TimeOfDay),
}

/// What becomes of a date that is not worked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Holiday {
    /// It stays: the rule itself looks for working days, or every day will do.
    #[default]
    Stay,
    Skip,
    PreviousWorkday,
    NextWorkday,
    PlusWeek,
}

/// One time that a duty comes round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Occurrence {
    /// The first day on which it may be done; the day itself but for a window of working days.
    pub from: Date,
    /// The day.
    pub date: Date,
    /// The moment.
    pub at: Timestamp,
}

/// Why something is no rule, or gives no day.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RuleError {
    /// No such rule.
    #[error(
        "DUT-002: unknown rule \"{0}\" (use day, weekday, nth_weekday, week_of_first, last_weekday, month, month_day, working_days, quarter or year)"
    )]
    Unknown(String),
    /// A key that the rule needs, or its value.
    #[error("DUT-003: the rule {rule} needs {needs}")]
    Needs {
        /// The rule.
        rule: String,
        /// What it needs.
        needs: &'static str,
    },
    /// Holidays without end.
    #[error("DUT-020: no working day found in four weeks around {0}")]
    NoWorkday(Date),
}

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    rule: String,
    workdays: Option<bool>,
    weekday: Option<String>,
    nth: Option<i8>,
    by: Option<String>,
    day: Option<i8>,
    edge: Option<String>,
    first: Option<u16>,
    date: Option<String>,
    at: Option<String>,
    holiday: Option<Holiday>,
}

impl TryFrom<Raw> for Recurrence {
    type Error = RuleError;

    fn try_from(raw: Raw) -> Result<Self, RuleError> {
        let needs = |needs| RuleError::Needs { rule: raw.rule.clone(), needs };
        let weekday = || raw.weekday.as_deref().and_then(weekday).ok_or_else(|| needs("weekday = \"mon\" to \"sun\""));
        let last_workday = || raw.by.as_deref().filter(|by| *by == "last_workday").ok_or_else(|| needs("by = \"last_workday\""));
        let rule = match raw.rule.as_str() {
            "day" => Rule::Day { workdays: raw.workdays.unwrap_or(false) },
            "weekday" => Rule::Weekday(weekday()?),
            "nth_weekday" => {
                let nth = raw.nth.filter(|nth| (1..=4).contains(nth)).ok_or_else(|| needs("nth = 1 to 4"))?;
                Rule::NthWeekday(nth, weekday()?)
            }
            "week_of_first" => Rule::WeekOfFirst(weekday()?),
            "last_weekday" => Rule::LastWeekday(weekday()?),
            "month" => last_workday().map(|_| Rule::Month)?,
            "quarter" => last_workday().map(|_| Rule::Quarter)?,
            "month_day" => {
                let day = raw.day.filter(|day| (1..=31).contains(day)).ok_or_else(|| needs("day = 1 to 31"))?;
                let before = match raw.edge.as_deref() {
                    Some("before") => true,
                    Some("on") => false,
                    _ => return Err(needs("edge = \"before\" or \"on\"")),
                };
                Rule::MonthDay { day, before }
            }
            "working_days" => {
                let first = raw.first.filter(|first| (1..=20).contains(first)).ok_or_else(|| needs("first = 1 to 20"))?;
                Rule::WorkingDays { first }
            }
            "year" => Rule::Year(raw.date.as_deref().and_then(MonthDay::parse).ok_or_else(|| needs("date = \"01-31\""))?),
            _ => return Err(RuleError::Unknown(raw.rule.clone())),
        };
        let at = match raw.at.as_deref() {
            None | Some("work_end") => At::WorkEnd,
            Some("work_start") => At::WorkStart,
            Some(time) => At::Time(time.parse().map_err(|_| needs("at = \"16:00\", \"work_start\" or \"work_end\""))?),
        };
        Ok(Self { rule, at, holiday: raw.holiday.unwrap_or_default() })
    }
}

impl Recurrence {
    /// Every time that it comes round from `first` to `last`, both of them, the earliest first.
    ///
    /// # Errors
    /// When holidays leave no day for one of them.
    pub fn between(&self, office: &Office, first: Date, last: Date) -> Result<Vec<Occurrence>, RuleError> {
        let mut found = Vec::new();
        // A date may be moved over the end of its month.
        let mut nominal = first.saturating_sub(2.months()).first_of_month();
        let end = last.saturating_add(2.months());
        while nominal <= end {
            let wide = (nominal, nominal.last_of_month());
            for day in self.nominal(wide.0, wide.1) {
                found.extend(self.moved(office, day)?);
            }
            let Ok(next) = wide.1.tomorrow() else { break };
            nominal = next;
        }
        found.retain(|one| first <= one.date && one.date <= last);
        found.sort_by_key(|one| one.at);
        found.dedup_by_key(|one| one.at);
        Ok(found)
    }

    /// The days of a month that the rule names, before any holiday is looked at.
    fn nominal(&self, first: Date, last: Date) -> Vec<Date> {
        let of_week =
            |wanted: Weekday| first.series(1.day()).take_while(move |day| *day <= last).filter(move |day| day.weekday() == wanted);
        match &self.rule {
            Rule::Day { .. } => first.series(1.day()).take_while(|day| *day <= last).collect(),
            Rule::Weekday(wanted) => of_week(*wanted).collect(),
            Rule::NthWeekday(nth, wanted) => first.nth_weekday_of_month(*nth, *wanted).into_iter().collect(),
            Rule::WeekOfFirst(wanted) => {
                let monday = first.saturating_sub(i64::from(first.weekday().to_monday_zero_offset()).days());
                vec![monday.saturating_add(i64::from(wanted.to_monday_zero_offset()).days())]
            }
            Rule::LastWeekday(wanted) => of_week(*wanted).last().into_iter().collect(),
            Rule::Month => vec![last],
            Rule::Quarter => {
                if first.month() % 3 == 0 {
                    vec![last]
                } else {
                    Vec::new()
                }
            }
            Rule::MonthDay { day, .. } => Date::new(first.year(), first.month(), *day).or(Ok::<_, jiff::Error>(last)).into_iter().collect(),
            Rule::WorkingDays { .. } => vec![first],
            Rule::Year(date) if date.month == first.month() => {
                Date::new(first.year(), date.month, date.day).or(Ok::<_, jiff::Error>(last)).into_iter().collect()
            }
            Rule::Year(_) => Vec::new(),
        }
    }

    /// Where the office does it.
    fn moved(&self, office: &Office, day: Date) -> Result<Option<Occurrence>, RuleError> {
        let is_off = !office.is_workday(day);
        let date = match (&self.rule, self.holiday) {
            (Rule::Day { workdays: true }, _) if is_off => return Ok(None),
            (Rule::Month | Rule::Quarter, _) => backward(office, day)?,
            (Rule::MonthDay { before: true, .. }, _) => backward(office, day.yesterday().map_err(|_| RuleError::NoWorkday(day))?)?,
            (Rule::WorkingDays { first }, _) => return self.window(office, day, *first).map(Some),
            (_, Holiday::Skip) if is_off => return Ok(None),
            (_, Holiday::PreviousWorkday) => backward(office, day)?,
            (_, Holiday::NextWorkday) => forward(office, day)?,
            (_, Holiday::PlusWeek) => {
                let weeks = (0_i64..=4).map(|weeks| day.saturating_add(weeks.weeks()));
                weeks.into_iter().find(|day| office.is_workday(*day)).ok_or(RuleError::NoWorkday(day))?
            }
            _ => day,
        };
        Ok(Some(Occurrence { from: date, date, at: self.moment(office, date) }))
    }

    fn window(&self, office: &Office, month: Date, first: u16) -> Result<Occurrence, RuleError> {
        let mut days = month.series(1.day()).take(2 * FOUR_WEEKS).filter(|day| office.is_workday(*day));
        let from = days.next().ok_or(RuleError::NoWorkday(month))?;
        let date = if first == 1 { from } else { days.nth(usize::from(first) - 2).ok_or(RuleError::NoWorkday(month))? };
        Ok(Occurrence { from, date, at: self.moment(office, date) })
    }

    fn moment(&self, office: &Office, date: Date) -> Timestamp {
        let bounds = office.bounds(date);
        let midnight = || TimeOfDay::new(23, 59).map(|time| time.on(date, office.zone())).unwrap_or_default();
        match self.at {
            At::Time(time) => time.on(date, office.zone()),
            At::WorkStart => bounds.map_or_else(midnight, |(begin, _)| begin),
            At::WorkEnd => bounds.map_or_else(midnight, |(_, end)| end),
        }
    }
}

fn backward(office: &Office, day: Date) -> Result<Date, RuleError> {
    day.series(-1.day()).take(FOUR_WEEKS).find(|day| office.is_workday(*day)).ok_or(RuleError::NoWorkday(day))
}

fn forward(office: &Office, day: Date) -> Result<Date, RuleError> {
    day.series(1.day()).take(FOUR_WEEKS).find(|day| office.is_workday(*day)).ok_or(RuleError::NoWorkday(day))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::config::calendar::CalendarSettings;

    fn office() -> Office {
        Office::new(&CalendarSettings::default(), TimeZone::get("Asia/Shanghai").unwrap())
    }

    fn rule(json: serde_json::Value) -> Recurrence {
        serde_json::from_value(json).unwrap()
    }

    fn of_month(rule: &Recurrence, month: &str) -> Vec<Occurrence> {
        let first: Date = format!("{month}-01").parse().unwrap();
        rule.between(&office(), first, first.last_of_month()).unwrap()
    }

    fn dates(rule: &Recurrence, month: &str) -> Vec<String> {
        of_month(rule, month).iter().map(|one| one.date.to_string()).collect()
    }

    /// The vectors of the office's rules: each against the holidays of its own year.
    #[test]
    fn duties_fall_on_the_days_that_were_computed() {
        let liaison = rule(serde_json::json!({ "rule": "nth_weekday", "nth": 1, "weekday": "thu", "at": "13:30", "holiday": "plus_week" }));
        for (month, date) in [
            ("2020-10", "2020-10-15"),
            ("2023-10", "2023-10-12"),
            ("2024-04", "2024-04-11"),
            ("2024-05", "2024-05-09"),
            ("2024-10", "2024-10-10"),
            ("2025-01", "2025-01-02"),
            ("2025-05", "2025-05-08"),
            ("2025-10", "2025-10-09"),
            ("2026-01", "2026-01-08"),
            ("2007-05", "2007-05-10"),
            ("2007-10", "2007-10-11"),
        ] {
            assert_eq!(dates(&liaison, month), [date]);
        }
        let statement = rule(serde_json::json!({ "rule": "month_day", "day": 10, "edge": "before", "holiday": "previous_workday" }));
        for (month, date) in [
            ("2024-02", "2024-02-09"),
            ("2024-06", "2024-06-07"),
            ("2025-02", "2025-02-08"),
            ("2025-03", "2025-03-07"),
            ("2025-10", "2025-10-09"),
        ] {
            assert_eq!(dates(&statement, month), [date]);
        }
        let friday = rule(serde_json::json!({ "rule": "last_weekday", "weekday": "fri", "holiday": "previous_workday" }));
        assert_eq!(dates(&friday, "2025-01"), ["2025-01-27"]);
    }

    #[test]
    fn the_window_of_claims_is_five_working_days() {
        let claims = rule(serde_json::json!({ "rule": "working_days", "first": 5 }));
        for (month, from, date) in [
            ("2024-02", "2024-02-01", "2024-02-06"),
            ("2024-05", "2024-05-06", "2024-05-10"),
            ("2025-02", "2025-02-05", "2025-02-10"),
            ("2025-10", "2025-10-09", "2025-10-14"),
            ("2020-10", "2020-10-09", "2020-10-14"),
        ] {
            let found: Vec<_> = of_month(&claims, month).iter().map(|one| (one.from.to_string(), one.date.to_string())).collect();
            assert_eq!(found, [(from.to_owned(), date.to_owned())]);
        }
    }

    #[test]
    fn the_two_readings_of_the_first_week_differ() {
        let week = rule(serde_json::json!({ "rule": "week_of_first", "weekday": "mon" }));
        let first = rule(serde_json::json!({ "rule": "nth_weekday", "nth": 1, "weekday": "mon" }));
        // 1 July 2026 is a Wednesday.
        assert_eq!((dates(&week, "2026-06")[1].as_str(), dates(&first, "2026-07")[0].as_str()), ("2026-06-29", "2026-07-06"));
    }

    #[test]
    fn months_quarters_and_years_end_on_a_working_day_at_the_end_of_work() {
        let month = rule(serde_json::json!({ "rule": "month", "by": "last_workday", "at": "work_end" }));
        let [one] = of_month(&month, "2026-05")[..] else { panic!("one a month") };
        // 31 May is a Sunday; 29 May has summer hours: 18:00 in Shanghai.
        assert_eq!((one.date.to_string().as_str(), one.at), ("2026-05-29", Timestamp::from_secs(1_780_048_800)));
        let quarter = rule(serde_json::json!({ "rule": "quarter", "by": "last_workday" }));
        assert_eq!((dates(&quarter, "2026-05").len(), dates(&quarter, "2026-06")), (0, vec!["2026-06-30".to_owned()]));
        let year = rule(serde_json::json!({ "rule": "year", "date": "01-31", "holiday": "previous_workday" }));
        assert_eq!(dates(&year, "2026-01"), ["2026-01-30"]);
    }

    #[test]
    fn what_a_rule_lacks_is_said() {
        for (json, said) in [
            (serde_json::json!({ "rule": "weekly" }), "DUT-002"),
            (serde_json::json!({ "rule": "weekday" }), "needs weekday"),
            (serde_json::json!({ "rule": "nth_weekday", "nth": 9, "weekday": "mon" }), "needs nth"),
            (serde_json::json!({ "rule": "month_day", "day": 10, "edge": "by" }), "needs edge"),
            (serde_json::json!({ "rule": "year", "date": "02-30" }), "needs date"),
            (serde_json::json!({ "rule": "day", "at": "25:00" }), "needs at"),
            (serde_json::json!({ "rule": "day", "wekday": "mon" }), "unknown field"),
        ] {
            let error = serde_json::from_value::<Recurrence>(json).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn holidays_without_end_are_an_error() {
        let settings = CalendarSettings { hours: Default::default(), seasons: Vec::new(), ..CalendarSettings::default() };
        let never = Office::new(&settings, TimeZone::UTC);
        let day: Date = "2030-06-01".parse().unwrap();
        for holiday in ["previous_workday", "next_workday", "plus_week"] {
            let rule = rule(serde_json::json!({ "rule": "weekday", "weekday": "mon", "holiday": holiday }));
            let error = rule.between(&never, day, day).unwrap_err().to_string();
            assert!(error.starts_with("DUT-020"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_moved_to_a_working_day_never_lies_on_another(
            year in 2004_i16..=2026, month in 1_i8..=12, day in prop::sample::select(vec!["mon", "wed", "fri", "sun"]),
            holiday in prop::sample::select(vec!["previous_workday", "next_workday", "skip"]),
        ) {
            let (office, first) = (office(), Date::new(year, month, 1).unwrap());
            let rule = rule(serde_json::json!({ "rule": "weekday", "weekday": day, "holiday": holiday }));
            for one in rule.between(&office, first, first.last_of_month()).unwrap() {
                prop_assert!(office.is_workday(one.date), "{:?}", one);
            }
        }
    }
}
