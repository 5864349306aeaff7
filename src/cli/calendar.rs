//! `netroom calendar`: the office's days and hours, and working time counted by them.

use anyhow::Context as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{Answer, Globals, Outcome, out};
use crate::calendar::{Office, Recurrence, Special, Term};
use crate::config::week::{civil, word};
use crate::model::{Timestamp, clock};

/// Show the office's calendar and count working time by it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the holidays of a year and the weekend days that are worked, one a line
    Show {
        /// Which year; this one when not given
        #[arg(long)]
        year: Option<i16>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say when a term has run out that begins at a moment
    Due {
        /// When it begins, local time of the office, as 2026-09-30T17:00
        start: DateTime,
        /// How long: 15min, 4h (working time), 2wd (working days), 5d (calendar days), 1m (months)
        term: Term,
    },
    /// Say how much working time lies between two moments
    Work {
        /// From when, local time of the office, as 2026-09-30T17:00
        from: DateTime,
        /// Until when
        to: DateTime,
    },
    /// Print the days on which a duty comes round, one a line
    ///
    /// The rule is written as in TOML, for example: netroom calendar dates 'rule = "nth_weekday", nth = 1, weekday = "thu",
    /// at = "13:30", holiday = "plus_week"'. Rules: day, weekday, nth_weekday, week_of_first, last_weekday, month, month_day,
    /// working_days, quarter, year; on holidays: stay, skip, previous_workday, next_workday, plus_week.
    Dates {
        /// The rule
        rule: String,
        /// The first day
        #[arg(long)]
        from: Date,
        /// The last day, at most 50 years after
        #[arg(long)]
        to: Date,
    },
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let settings = globals.settings()?;
    let office = Office::new(&settings.calendar, settings.time_zone.clone());
    match &args.what {
        What::Show { year, json } => {
            let year = year.unwrap_or_else(|| office.date(clock::wall()).year());
            show(&office, year, *json)?;
            return Ok(if office.days().knows(year) { Answer::Yes } else { Answer::No });
        }
        What::Due { start, term } => {
            let begin = moment(*start, office.zone())?;
            let due = office.due(begin, *term).context("the office never works: see `hours` in [calendar]")?;
            out::say(format_args!("{}", civil(due, office.zone()).strftime("%Y-%m-%dT%H:%M")))?;
            counted(&office, begin, due)?;
        }
        What::Work { from, to } => {
            let (from, to) = (moment(*from, office.zone())?, moment(*to, office.zone())?);
            let minutes = office.work(from, to).as_secs() / 60;
            out::say(format_args!("{}h{:02}min", minutes / 60, minutes % 60))?;
            counted(&office, from, to)?;
        }
        What::Dates { rule, from, to } => {
            let found = dates(&office, rule, *from, *to)?;
            return Ok(if found { Answer::Yes } else { Answer::No });
        }
    }
    Ok(Answer::Yes)
}

/// Whether there was any.
fn dates(office: &Office, rule: &str, from: Date, to: Date) -> anyhow::Result<bool> {
    anyhow::ensure!(from <= to && to.year() - from.year() <= 50, "take --from before --to, and 50 years at most");
    let inline = rule.trim().trim_start_matches('{').trim_end_matches('}');
    let written: Written =
        toml::from_str(&format!("every = {{ {inline} }}")).context("this is no rule; see `netroom calendar dates --help`")?;
    let found = written.every.between(office, from, to)?;
    for one in &found {
        let (at, day) = (civil(one.at, office.zone()).strftime("%Y-%m-%dT%H:%M").to_string(), word(one.date.weekday()));
        let window = if one.from == one.date { String::new() } else { format!("\tfrom {}", one.from) };
        out::say(format_args!("{at}\t{day}{window}"))?;
    }
    Ok(!found.is_empty())
}

/// A rule as a key of its own, as it stands in a file.
#[derive(serde::Deserialize)]
struct Written {
    every: Recurrence,
}

fn show(office: &Office, year: i16, json: bool) -> anyhow::Result<()> {
    let days = office.days().in_year(year);
    if json {
        let row = |(date, day): (Date, &Special)| serde_json::json!({ "date": date.to_string(), "name": &*day.name, "isOffDay": day.off });
        let all = serde_json::json!({ "year": year, "days": days.map(row).collect::<Vec<_>>() });
        return out::say(serde_json::to_string_pretty(&all)?);
    }
    for (date, day) in days {
        let state = if day.off { "off" } else { "worked" };
        out::say(format_args!("{date}\t{}\t{state}\t{}", word(date.weekday()), day.name))?;
    }
    Ok(())
}

/// How it was counted: the working time, and the working days it touches.
fn counted(office: &Office, from: Timestamp, to: Timestamp) -> anyhow::Result<()> {
    let minutes = office.work(from, to).as_secs() / 60;
    let days = office.workdays(office.date(from), office.date(to));
    let (hours, minutes, zone) = (minutes / 60, minutes % 60, office.zone().iana_name().unwrap_or("local time"));
    out::note(format_args!("{hours}h{minutes:02}min of working time; of the days from the first to the last {days} are worked; {zone}"))
}

/// The moment of a local time; of one that comes twice the first.
fn moment(local: DateTime, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    let at = zone.to_ambiguous_timestamp(local).compatible().with_context(|| format!("{local} is out of range"))?;
    Ok(Timestamp::from_millis(at.as_millisecond()))
}
