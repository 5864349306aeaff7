//! `[detect]`: how machines are judged by what they send: which rules, by which parameters, in which hours.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classes::{self, ClassList};
use super::problem::Code;
use super::resolve::Judge;
use super::rules::RuleUnit;
use super::source::At;
use super::span;
use super::suggest::nearest;
use super::week::WeekTimes;

mod parameters;

pub use parameters::{Measure, PARAMETERS, Parameter};

/// `[detect]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDetect {
    /// Whether machines are judged: `observe` (incidents and mails, nothing is cut off) or `off`.
    pub mode: Option<DetectMode>,
    /// Rules that are not judged, by the names of their kinds, as `hog`.
    pub off: Option<Vec<At<String>>>,
    /// The working hours, for what is judged in these only, as `mon-fri 08:00-18:00`; always when not given.
    pub hours: Option<Vec<At<String>>>,
    /// A directory with lists of classes of traffic (film.txt, game.txt ...) in the place of the shipped ones.
    pub classes: Option<At<String>>,
    /// Domains below which programs carry data in names without harm, besides the built-in ones.
    pub lookups: Option<Vec<At<String>>>,
    /// Parameters of rules: `[detect.rules.icmp-sweep]`, `targets = "20"`.
    pub rules: Option<BTreeMap<String, BTreeMap<String, At<String>>>>,
}

/// Whether machines are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DetectMode {
    /// What is found becomes incidents and mails; nothing is cut off.
    #[default]
    Observe,
    /// Not at all.
    Off,
}

/// A parameter that is not the built-in one.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Tuned {
    /// Which.
    #[serde(skip)]
    pub parameter: &'static Parameter,
    /// The rule, for those who read it.
    pub rule: &'static str,
    /// The name of the parameter.
    pub name: &'static str,
    /// Its value: a count, seconds, a share from 0 to 1, bits per second.
    pub value: f64,
}

/// How machines are judged.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DetectSettings {
    /// Whether at all.
    pub mode: DetectMode,
    /// Kinds that are not judged.
    pub off: Vec<&'static str>,
    /// The working hours; none given means always.
    pub hours: WeekTimes,
    /// Domains of lookups besides the built-in ones.
    pub lookups: Vec<Box<str>>,
    /// Parameters that are not the built-in ones.
    #[serde(rename = "rules", skip_serializing_if = "Vec::is_empty")]
    pub tuned: Vec<Tuned>,
    /// The lists of classes of traffic.
    #[serde(skip)]
    pub classes: Vec<ClassList>,
}

impl Default for DetectSettings {
    fn default() -> Self {
        Self {
            mode: DetectMode::Observe,
            off: Vec::new(),
            hours: WeekTimes::default(),
            lookups: Vec::new(),
            tuned: Vec::new(),
            classes: classes::shipped(),
        }
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: RawDetect) -> DetectSettings {
    let off = raw.off.unwrap_or_default().iter().filter_map(|at| kind(judge, at)).collect();
    let hours = raw.hours.unwrap_or_default();
    let hours = WeekTimes::parse(hours.iter().map(|at| at.value.as_str())).unwrap_or_else(|place| {
        if let Some(at) = hours.get(place) {
            let message = format!("`detect.hours`: \"{}\" is no time of the week", at.value);
            judge.error(at.offset, Code::BadTime, message, "write it as \"mon-fri 08:00-18:00\"");
        }
        WeekTimes::default()
    });
    let lookups = raw.lookups.unwrap_or_default().iter().filter_map(|at| domain(judge, at)).collect();
    let mut tuned = Vec::new();
    for (rule, values) in raw.rules.unwrap_or_default() {
        for (name, at) in values {
            tuned.extend(parameter(judge, &rule, &name, &at));
        }
    }
    DetectSettings {
        mode: raw.mode.unwrap_or_default(),
        off,
        hours,
        lookups,
        tuned,
        classes: classes::resolve(judge, raw.classes.as_ref()),
    }
}

fn kind(judge: &mut Judge<'_>, at: &At<String>) -> Option<&'static str> {
    let known = parameters::KINDS.into_iter().find(|kind| **kind == *at.value);
    if known.is_none() {
        let remedy = remedy(&at.value, parameters::KINDS, "docs/OPERATIONS.md names all rules");
        judge.error(at.offset, Code::BadName, format!("`detect.off`: there is no rule \"{}\"", at.value), remedy);
    }
    known
}

fn domain(judge: &mut Judge<'_>, at: &At<String>) -> Option<Box<str>> {
    match classes::entries(&at.value) {
        (entries, errors) if errors.is_empty() => {
            if let Ok([classes::Entry::Name(name)]) = <[_; 1]>::try_from(entries) {
                return Some(name);
            }
        }
        _ => {}
    }
    judge.error(at.offset, Code::BadName, format!("`detect.lookups`: \"{}\" is no domain", at.value), "write it as \"example.com\"");
    None
}

fn parameter(judge: &mut Judge<'_>, rule: &str, name: &str, at: &At<String>) -> Option<Tuned> {
    if !PARAMETERS.iter().any(|known| known.rule == rule) {
        let remedy = remedy(rule, PARAMETERS.iter().map(|known| known.rule), "docs/OPERATIONS.md names all rules with their parameters");
        judge.error(at.offset, Code::UnknownKey, format!("`detect.rules`: there is no rule \"{rule}\" with parameters"), remedy);
        return None;
    }
    let of_rule = || PARAMETERS.iter().filter(|known| known.rule == rule);
    let Some(known) = of_rule().find(|known| known.name == name) else {
        let all = of_rule().map(|known| known.name).collect::<Vec<_>>().join(", ");
        let remedy = remedy(name, of_rule().map(|known| known.name), &format!("it has {all}"));
        judge.error(at.offset, Code::UnknownKey, format!("`detect.rules.{rule}` has no parameter \"{name}\""), remedy);
        return None;
    };
    let Some(value) = known.measure.parse(&at.value) else {
        let message = format!("`detect.rules.{rule}.{name}` cannot be read: \"{}\"", at.value);
        judge.error(at.offset, Code::BadSize, message, format!("write it as \"{}\"", known.measure.example()));
        return None;
    };
    if !(known.least..=known.most).contains(&value) {
        let remedy = format!("take {} to {}", known.measure.write(known.least), known.measure.write(known.most));
        judge.error(at.offset, Code::OutOfRange, format!("`detect.rules.{rule}.{name}` is out of its range: \"{}\"", at.value), remedy);
        return None;
    }
    Some(Tuned { parameter: known, rule: known.rule, name: known.name, value })
}

fn remedy<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(word, known).map_or_else(|| otherwise.to_owned(), |meant| format!("did you mean \"{meant}\"?"))
}

impl Measure {
    /// Reads `20`, `60s`, `50%`, `10Mbit/s`; a share from 0 to 1, a duration in seconds.
    fn parse(self, text: &str) -> Option<f64> {
        match self {
            Self::Count => RuleUnit::Count.parse(text).filter(|count| count.fract() == 0.0),
            Self::Seconds => span::parse_duration(text).ok().map(|span| span.as_secs_f64()).filter(|seconds| seconds.fract() == 0.0),
            Self::Share => RuleUnit::Percent.parse(text).map(|percent| percent / 100.0),
            Self::BitsPerSecond => RuleUnit::BitsPerSecond.parse(text),
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Count => "20",
            Self::Seconds => "60s",
            Self::Share => "50%",
            Self::BitsPerSecond => "10Mbit/s",
        }
    }

    fn write(self, value: f64) -> String {
        match self {
            Self::Count => format!("{value}"),
            Self::Seconds => format!("{value}s"),
            Self::Share => format!("{}%", value * 100.0),
            Self::BitsPerSecond => format!("{value}bit/s"),
        }
    }
}

#[cfg(test)]
mod tests;
