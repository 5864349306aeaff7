//! `[calendar]`: statutory holidays, and the rest days that are worked for them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::raw::Layer;
use super::resolve::Judge;
use super::source::At;

/// `[calendar]`: the lists of all files are joined.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    /// Days on which nobody works though it is no weekend, `2026-10-01`.
    pub holidays: Option<Vec<At<String>>>,
    /// Days of a weekend on which everybody works, `2026-10-10`.
    pub workdays: Option<Vec<At<String>>>,
}

impl Layer for RawCalendar {
    fn lay(&mut self, above: Self) {
        for (list, more) in [(&mut self.holidays, above.holidays), (&mut self.workdays, above.workdays)] {
            if let Some(more) = more {
                list.get_or_insert_default().extend(more);
            }
        }
    }
}

/// The office's days that are not as their weekday says, as `2026-10-01`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CalendarSettings {
    /// Days on which nobody works.
    pub holidays: Vec<Arc<str>>,
    /// Days of a weekend on which everybody works.
    pub workdays: Vec<Arc<str>>,
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: RawCalendar) -> CalendarSettings {
    let mut days = |list: Option<Vec<At<String>>>| -> Vec<Arc<str>> {
        let list = list.unwrap_or_default();
        list.into_iter().filter(|at| is_day(judge, at)).map(|at| at.value.into()).collect()
    };
    CalendarSettings { holidays: days(raw.holidays), workdays: days(raw.workdays) }
}

fn is_day(judge: &mut Judge<'_>, at: &At<String>) -> bool {
    let is_day = at.value.parse::<jiff::civil::Date>().is_ok();
    if !is_day {
        judge.error(at.offset, Code::BadTime, format!("\"{}\" is no date", at.value), "write it as \"2026-10-01\"");
    }
    is_day
}
