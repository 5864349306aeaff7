//! `[calendar]`: the hours in which the office works, and the days that are not as their weekday says.
//! What a year's list is and where it comes from: `config/holidays/`; the shipped ones are laid below by the room `calendar`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::files::Overrides;
use super::problem::{Code, Problems};
use super::raw::Layer;
use super::resolve::{self, Judge};
use super::secrets::{Found, SecretSource, Unreadable};
use super::source::{At, SourceText, Sources};
use super::week::WeekTimes;

/// The hours that hold unless the configuration says otherwise, and those from 1 October to 30 April.
const SUMMER: [&str; 2] = ["mon-fri 08:00-12:00", "mon-fri 14:30-18:00"];
const WINTER: [&str; 2] = ["mon-fri 08:00-12:00", "mon-fri 14:00-17:30"];
/// A year that a list may be for.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2199;

/// `[calendar]`: the lists of all files are joined.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    /// Days on which nobody works though it is no weekend, `2026-10-01`.
    pub holidays: Option<Vec<At<String>>>,
    /// Days of a weekend on which everybody works, `2026-10-10`.
    pub workdays: Option<Vec<At<String>>>,
    /// Working hours, as `mon-fri 08:00-12:00`; no time of a day twice, none over midnight.
    pub hours: Option<Vec<At<String>>>,
    /// The weekday whose hours a worked weekend day has: `mon` to `sun`.
    pub makeup_hours_of: Option<At<String>>,
    /// Parts of the year with other hours.
    pub season: Option<Vec<At<RawSeason>>>,
    /// Days of whole years; one given here counts instead of the year that netroom knows by itself.
    pub year: Option<Vec<At<RawYear>>>,
}

/// `[[calendar.season]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSeason {
    /// Its first day, month and day: `10-01`.
    #[schemars(required)]
    pub from: Option<At<String>>,
    /// Its last day, `04-30`; it may lie in the next year.
    #[schemars(required)]
    pub to: Option<At<String>>,
    /// The working hours of all its days, as `mon-fri 08:00-12:00`.
    #[schemars(required)]
    pub hours: Option<Vec<At<String>>>,
}

/// `[[calendar.year]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawYear {
    /// Which year.
    #[schemars(required)]
    pub year: Option<At<i64>>,
    /// Its holidays.
    #[schemars(required)]
    pub days: Option<Vec<At<RawFeast>>>,
}

/// `{ name = "元旦", off = ["2026-01-01"], worked = ["2026-01-04"] }`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeast {
    /// What it is called.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// Days on which nobody works.
    pub off: Option<Vec<At<String>>>,
    /// Weekend days that are worked for it.
    pub worked: Option<Vec<At<String>>>,
}

impl Layer for RawCalendar {
    fn lay(&mut self, above: Self) {
        for (list, more) in [(&mut self.holidays, above.holidays), (&mut self.workdays, above.workdays)] {
            if let Some(more) = more {
                list.get_or_insert_default().extend(more);
            }
        }
        if let Some(more) = above.season {
            self.season.get_or_insert_default().extend(more);
        }
        if let Some(more) = above.year {
            self.year.get_or_insert_default().extend(more);
        }
        if above.hours.is_some() {
            self.hours = above.hours;
        }
        if above.makeup_hours_of.is_some() {
            self.makeup_hours_of = above.makeup_hours_of;
        }
    }
}

/// When the office works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CalendarSettings {
    /// Days on which nobody works.
    #[serde(serialize_with = "dates")]
    pub holidays: Vec<Date>,
    /// Days of a weekend on which everybody works.
    #[serde(serialize_with = "dates")]
    pub workdays: Vec<Date>,
    /// The hours outside of all seasons.
    pub hours: WeekTimes,
    /// The weekday whose hours a worked weekend day has.
    #[serde(serialize_with = "weekday_word")]
    pub makeup_hours_of: Weekday,
    /// Parts of the year with other hours.
    #[serde(rename = "season")]
    pub seasons: Vec<SeasonSettings>,
    /// Days of whole years, instead of those that the program brings.
    #[serde(rename = "year")]
    pub years: Vec<YearSettings>,
}

impl Default for CalendarSettings {
    fn default() -> Self {
        let (from, to) = (MonthDay { month: 10, day: 1 }, MonthDay { month: 4, day: 30 });
        Self {
            holidays: Vec::new(),
            workdays: Vec::new(),
            hours: WeekTimes::parse(SUMMER).unwrap_or_default(),
            makeup_hours_of: Weekday::Monday,
            seasons: vec![SeasonSettings { from, to, hours: WeekTimes::parse(WINTER).unwrap_or_default() }],
            years: Vec::new(),
        }
    }
}

/// A part of the year with hours of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SeasonSettings {
    /// The first day.
    #[serde(serialize_with = "display")]
    pub from: MonthDay,
    /// The last day; before `from`, it lies in the next year.
    #[serde(serialize_with = "display")]
    pub to: MonthDay,
    /// Its hours.
    pub hours: WeekTimes,
}

impl SeasonSettings {
    /// Whether a day lies in it.
    pub fn contains(&self, day: MonthDay) -> bool {
        if self.from <= self.to { self.from <= day && day <= self.to } else { day >= self.from || day <= self.to }
    }
}

/// A day of every year.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

impl MonthDay {
    /// Which day of every year a date is.
    pub fn of(date: Date) -> Self {
        Self { month: date.month(), day: date.day() }
    }

    /// Reads `10-01`; `02-29` is one.
    pub fn parse(text: &str) -> Option<Self> {
        let (month, day) = text.split_once('-')?;
        let number = |part: &str| (part.len() == 2 && part.bytes().all(|c| c.is_ascii_digit())).then(|| part.parse::<i8>().ok())?;
        Date::new(2024, number(month)?, number(day)?).ok().map(Self::of)
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// The days of one year that are not as their weekday says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct YearSettings {
    /// Which year.
    pub year: i16,
    /// Its holidays, in the order of the file.
    pub days: Vec<FeastSettings>,
}

/// One holiday.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FeastSettings {
    /// What it is called.
    pub name: Arc<str>,
    /// Days on which nobody works.
    #[serde(serialize_with = "dates")]
    pub off: Vec<Date>,
    /// Weekend days that are worked for it.
    #[serde(serialize_with = "dates")]
    pub worked: Vec<Date>,
}

/// Reads the years of files that hold nothing else, each with its name.
///
/// # Errors
/// Everything that is wrong with them, as for a configuration.
pub fn read_years<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<YearSettings>, Problems> {
    let text = |(path, text): (&str, &str)| SourceText { path: path.into(), text: text.to_owned(), exposed: false };
    let sources = Sources::new(files.into_iter().map(text).collect());
    let loaded = resolve::settings(&sources, &Overrides::default(), &Nothing, Problems::default())?;
    Ok(loaded.settings.calendar.years)
}

/// Lists of days have no secrets.
struct Nothing;

impl SecretSource for Nothing {
    fn file(&self, path: &Path) -> Result<Found, Unreadable> {
        Err(Unreadable { why: format!("{} is not read here", path.display()), remedy: "leave only [[calendar.year]]".into() })
    }

    fn credential(&self, name: &str) -> Result<Found, Unreadable> {
        self.file(Path::new(name))
    }

    fn list(&self, _: &Path) -> Result<Option<String>, Unreadable> {
        Ok(None)
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: RawCalendar) -> CalendarSettings {
    let default = CalendarSettings::default();
    let mut said = Said::default();
    let holidays = said.days(judge, raw.holidays, true);
    let workdays = said.days(judge, raw.workdays, false);
    let mut years: BTreeMap<i16, (usize, YearSettings)> = BTreeMap::new();
    for at in raw.year.unwrap_or_default() {
        let offset = at.offset;
        let Some(year) = year(judge, &mut said, at) else { continue };
        if let Some((other, _)) = years.get(&year.year) {
            let message = format!("the year {} is given twice", year.year);
            judge.conflict(offset, *other, Code::DuplicateName, message, "keep one of the two");
            continue;
        }
        years.insert(year.year, (offset, year));
    }
    // Who says hours of his own does not want the seasons that he did not say.
    let own = raw.hours.is_some() || raw.season.is_some();
    let makeup_hours_of = raw.makeup_hours_of.and_then(|at| makeup(judge, &at)).unwrap_or(default.makeup_hours_of);
    CalendarSettings {
        holidays,
        workdays,
        hours: raw.hours.and_then(|list| hours(judge, &list, "calendar.hours")).unwrap_or(default.hours),
        makeup_hours_of,
        seasons: if own { seasons(judge, raw.season.unwrap_or_default()) } else { default.seasons },
        years: years.into_values().map(|(_, year)| year).collect(),
    }
}

/// What was said of each date, and where: nothing may be said both ways.
#[derive(Default)]
struct Said(BTreeMap<Date, (bool, usize)>);

impl Said {
    fn days(&mut self, judge: &mut Judge<'_>, list: Option<Vec<At<String>>>, off: bool) -> Vec<Date> {
        list.unwrap_or_default().iter().filter_map(|at| self.day(judge, at, off)).collect()
    }

    fn day(&mut self, judge: &mut Judge<'_>, at: &At<String>, off: bool) -> Option<Date> {
        let Ok(date) = at.value.parse::<Date>() else {
            judge.error(at.offset, Code::BadTime, format!("\"{}\" is no date", at.value), "write it as \"2026-10-01\"");
            return None;
        };
        match self.0.get(&date) {
            Some((other, place)) if *other != off => {
                let message = format!("CAL-002: {date} is listed both as off and as worked");
                judge.conflict(at.offset, *place, Code::TwoWays, message, "keep the one that the notice of that year says");
                None
            }
            Some(_) => Some(date),
            None => {
                self.0.insert(date, (off, at.offset));
                Some(date)
            }
        }
    }
}

fn year(judge: &mut Judge<'_>, said: &mut Said, at: At<RawYear>) -> Option<YearSettings> {
    let RawYear { year, days } = at.value;
    let Some(year) = year else {
        judge.error(at.offset, Code::MissingKey, "`calendar.year` lacks `year`", "write which year it is, as year = 2026");
        return None;
    };
    let Some(number) = i16::try_from(year.value).ok().filter(|year| YEARS.contains(year)) else {
        let message = format!("{} is no year that an office plans for", year.value);
        judge.error(year.offset, Code::OutOfRange, message, "take 1990 to 2199");
        return None;
    };
    let mut feasts = Vec::new();
    for At { value: feast, offset } in days.unwrap_or_default() {
        let Some(name) = feast.name.filter(|name| !name.value.trim().is_empty()) else {
            judge.error(offset, Code::MissingKey, "a holiday without its `name`", "write it as name = \"元旦\"");
            continue;
        };
        let mut list = |days: Option<Vec<At<String>>>, off: bool| {
            let days = days.unwrap_or_default();
            let mut kept = Vec::new();
            for at in &days {
                let Some(date) = said.day(judge, at, off) else { continue };
                if date.year() == number {
                    kept.push(date);
                } else {
                    let message = format!("{date} does not lie in {number}");
                    judge.error(at.offset, Code::OutOfRange, message, format!("write it into the list of {}", date.year()));
                }
            }
            kept
        };
        let (off, worked) = (list(feast.off, true), list(feast.worked, false));
        feasts.push(FeastSettings { name: name.value.trim().into(), off, worked });
    }
    Some(YearSettings { year: number, days: feasts })
}

fn makeup(judge: &mut Judge<'_>, at: &At<String>) -> Option<Weekday> {
    let day = super::week::weekday(&at.value);
    if day.is_none() {
        let message = format!("`calendar.makeup_hours_of` is no weekday: \"{}\"", at.value);
        judge.error(at.offset, Code::BadTime, message, "write mon, tue, wed, thu, fri, sat or sun");
    }
    day
}

fn hours(judge: &mut Judge<'_>, list: &[At<String>], key: &str) -> Option<WeekTimes> {
    let remedy = "write it as \"mon-fri 08:00-12:00\"";
    let times = match WeekTimes::parse(list.iter().map(|at| at.value.as_str())) {
        Ok(times) => times,
        Err(place) => {
            if let Some(at) = list.get(place) {
                judge.error(at.offset, Code::BadTime, format!("`{key}` holds no time of the week: \"{}\"", at.value), remedy);
            }
            return None;
        }
    };
    // The whole list is judged, but each item by itself is what can be pointed at.
    for at in list {
        let alone = WeekTimes::parse([at.value.as_str()]).unwrap_or_default();
        if super::week::WEEK.into_iter().any(|day| alone.minutes_of(day).iter().any(|(_, end)| *end > 24 * 60)) {
            let message = format!("`{key}` goes over midnight: \"{}\"", at.value);
            judge.error(at.offset, Code::OutOfRange, message, "end it at 24:00 and begin anew on the next day");
            return None;
        }
    }
    let twice = super::week::WEEK.into_iter().any(|day| {
        let spans = times.minutes_of(day);
        spans.iter().zip(spans.iter().skip(1)).any(|(before, after)| after.0 < before.1)
    });
    if let (true, Some(at)) = (twice, list.first()) {
        judge.error(at.offset, Code::TwoWays, format!("`{key}` has the same time twice"), "let no two hours of a day overlap");
        return None;
    }
    Some(times)
}

fn seasons(judge: &mut Judge<'_>, list: Vec<At<RawSeason>>) -> Vec<SeasonSettings> {
    let mut seasons: Vec<(usize, SeasonSettings)> = Vec::new();
    for At { value: raw, offset } in list {
        let (Some(from), Some(to), Some(times)) = (raw.from, raw.to, raw.hours) else {
            judge.error(
                offset,
                Code::MissingKey,
                "`calendar.season` needs `from`, `to` and `hours`",
                "write from = \"10-01\", to = \"04-30\"",
            );
            continue;
        };
        let (from, to) = (month_day(judge, &from), month_day(judge, &to));
        let (Some(from), Some(to), Some(hours)) = (from, to, hours(judge, &times, "calendar.season.hours")) else { continue };
        let season = SeasonSettings { from, to, hours };
        let clash = seasons
            .iter()
            .find(|(_, other)| [other.from, other.to].into_iter().any(|day| season.contains(day)) || other.contains(season.from));
        if let Some((other, _)) = clash {
            judge.conflict(offset, *other, Code::TwoWays, "two seasons hold on the same day".into(), "end the one before the other begins");
            continue;
        }
        seasons.push((offset, season));
    }
    seasons.into_iter().map(|(_, season)| season).collect()
}

fn month_day(judge: &mut Judge<'_>, at: &At<String>) -> Option<MonthDay> {
    let day = MonthDay::parse(&at.value);
    if day.is_none() {
        judge.error(at.offset, Code::BadTime, format!("\"{}\" is no month and day", at.value), "write it as \"10-01\"");
    }
    day
}

fn dates<S: Serializer>(dates: &[Date], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dates.iter().map(ToString::to_string))
}

fn weekday_word<S: Serializer>(day: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(super::week::word(*day))
}

fn display<S: Serializer>(day: &MonthDay, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
