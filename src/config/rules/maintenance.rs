//! `[[maintenance]]`: windows that stand in the configuration.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::problem::Code;
use super::super::resolve::Judge;
use super::super::source::At;
use super::{moment, pattern};
use crate::model::Timestamp;

/// `[[maintenance]]`: when incidents are recorded and nobody is alarmed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawMaintenance {
    /// Why.
    pub comment: Option<At<String>>,
    /// Devices and hosts: patterns over their names.
    pub devices: Option<Vec<At<String>>>,
    /// Sites: patterns.
    pub sites: Option<Vec<At<String>>>,
    /// Ports: patterns over `DEVICE/PORT`.
    pub ports: Option<Vec<At<String>>>,
    /// Tags.
    pub tags: Option<Vec<At<String>>>,
    /// Days of the week, for one that comes again.
    pub days: Option<Vec<Day>>,
    /// From when: `22:00` with days, else `2026-11-24 22:00`.
    #[schemars(required)]
    pub from: Option<At<String>>,
    /// To when, in the same form; with days an earlier time is the next day.
    #[schemars(required)]
    pub to: Option<At<String>>,
    /// Whether nothing may be changed by itself either, instead of keeping quiet.
    pub freeze: Option<bool>,
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Day {
    /// 周一.
    Mon,
    /// 周二.
    Tue,
    /// 周三.
    Wed,
    /// 周四.
    Thu,
    /// 周五.
    Fri,
    /// 周六.
    Sat,
    /// 周日.
    Sun,
}

/// When a window is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// Once.
    Once {
        /// From here.
        from: Timestamp,
        /// To here.
        to: Timestamp,
    },
    /// Each week.
    Weekly {
        /// 1 is Monday.
        days: Vec<i8>,
        /// Minutes after midnight.
        from: u16,
        /// Minutes after midnight, of the next day when not after `from`.
        to: u16,
    },
}

/// A window of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MaintenanceSettings {
    /// Why.
    pub comment: String,
    /// Patterns over names of devices and hosts.
    pub devices: Vec<String>,
    /// Patterns over sites.
    pub sites: Vec<String>,
    /// Patterns over `DEVICE/PORT`.
    pub ports: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When.
    pub when: Occasion,
    /// Whether it forbids automatic action instead of keeping quiet.
    pub freeze: bool,
}

pub(super) fn one(judge: &mut Judge<'_>, window: At<RawMaintenance>, zone: &TimeZone) -> Option<MaintenanceSettings> {
    let At { value: raw, offset } = window;
    let (Some(from), Some(to)) = (raw.from, raw.to) else {
        let remedy = "add lines like from = \"2026-11-24 22:00\" and to = \"2026-11-25 02:00\"";
        judge.error(offset, Code::MissingKey, "this window has no `from` or no `to`", remedy);
        return None;
    };
    let when = match &raw.days {
        Some(days) => {
            let days: Vec<i8> = days.iter().map(|day| *day as i8 + 1).collect();
            let (from, to) = (read(judge, &from, clock_time, "22:00"), read(judge, &to, clock_time, "22:00"));
            Occasion::Weekly { days, from: from?, to: to? }
        }
        None => {
            let civil = |text: &str| moment(text, zone);
            let (start, end) = (read(judge, &from, civil, "2026-11-24 22:00"), read(judge, &to, civil, "2026-11-24 22:00"));
            let (start, end) = (start?, end?);
            if end <= start {
                judge.error(to.offset, Code::OutOfRange, "the window ends before it begins", "make `to` the later one");
                return None;
            }
            Occasion::Once { from: start, to: end }
        }
    };
    let mut patterns = |list: Option<Vec<At<String>>>| -> Vec<String> {
        let list = list.unwrap_or_default();
        list.into_iter().filter(|at| pattern(judge, at).is_some()).map(|at| at.value).collect()
    };
    Some(MaintenanceSettings {
        devices: patterns(raw.devices),
        sites: patterns(raw.sites),
        ports: patterns(raw.ports),
        tags: raw.tags.unwrap_or_default().into_iter().map(|at| at.value).collect(),
        comment: raw.comment.map(|at| at.value).unwrap_or_default(),
        when,
        freeze: raw.freeze.unwrap_or(false),
    })
}

fn read<T>(judge: &mut Judge<'_>, at: &At<String>, parse: impl Fn(&str) -> Option<T>, example: &str) -> Option<T> {
    let read = parse(&at.value);
    if read.is_none() {
        judge.error(at.offset, Code::BadDuration, format!("\"{}\" is no time", at.value), format!("write it as \"{example}\""));
    }
    read
}

/// Minutes after midnight of `22:00`.
fn clock_time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
