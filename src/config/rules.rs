//! `[incident]`, `[[rule]]` and `[[maintenance]]`: from when on something is wrong, for which devices and ports, and when
//! nobody wants to hear of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::glob::Glob;
use super::problem::Code;
use super::resolve::Judge;
use super::source::At;
use super::span;
use super::suggest::nearest;
use crate::model::{Severity, Timestamp};

mod known;
mod maintenance;

pub use known::{KNOWN, KnownRule, RuleUnit};
pub(super) use maintenance::RawMaintenance;
pub use maintenance::{MaintenanceSettings, Occasion};

const DURATIONS: (Duration, Duration) = (Duration::ZERO, span::days(31));

/// `[incident]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIncident {
    /// How long a new fault is held back for its cause to arrive, `500ms`.
    pub settle: Option<At<String>>,
    /// How long after its end a fault that comes back is the same incident, `15m`.
    pub reopen: Option<At<String>>,
    /// How long what was behind a dead device may take to come back with it, `3m`.
    pub grace: Option<At<String>>,
    /// So many times within 30 minutes, and it flaps.
    #[schemars(range(min = 2, max = 100))]
    pub flaps: Option<u16>,
    /// How long a flapping thing must be calm before it is over, `10m`.
    pub calm: Option<At<String>>,
    /// When more than this share of everything watched changes within a minute it is one storm, `20%` ...
    pub storm: Option<At<String>>,
    /// ... and in any case when so many change.
    #[schemars(range(min = 5, max = 10000))]
    pub storm_most: Option<u16>,
    /// Uplinks: patterns over `DEVICE/PORT`.
    pub uplinks: Option<Vec<At<String>>>,
}

/// `[[rule]]`: what counts instead of the built-in threshold, for those that match.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// Which rule; `netroom rule list` names them.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// For whom; everybody when not given.
    #[serde(rename = "match")]
    pub matches: Option<RawMatch>,
    /// Whether it is judged at all.
    pub enabled: Option<bool>,
    /// From this value on: `90%`, `800Mbit/s`, `100/s`, `5`.
    pub raise: Option<At<String>>,
    /// Below this value it is over.
    pub clear: Option<At<String>>,
    /// It must last so long before it counts, `5m`.
    #[serde(rename = "for")]
    pub raise_for: Option<At<String>>,
    /// It must be over for so long.
    pub clear_for: Option<At<String>>,
    /// Of a port that goes down: it must have been up for so long, or nobody cares.
    pub up_for: Option<At<String>>,
    /// How much it matters.
    pub severity: Option<Severity>,
}

/// `match = { site = "A*", class = "uplink" }`: all that is given must fit.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMatch {
    /// A pattern over sites.
    pub site: Option<At<String>>,
    /// A pattern over device names.
    pub device: Option<At<String>>,
    /// A tag of the device.
    pub tag: Option<At<String>>,
    /// The class of the port.
    pub class: Option<PortClass>,
    /// A pattern over port names.
    pub port: Option<At<String>>,
}

/// What kind of port it is, for rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PortClass {
    /// Listed in `incident.uplinks`.
    Uplink,
    /// Has a description (ifAlias).
    Named,
    /// All others.
    Access,
}

/// Everything about incidents that the configuration decides.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct IncidentSettings {
    /// How long a new fault is held back for its cause to arrive.
    #[serde(serialize_with = "span::serialize")]
    pub settle: Duration,
    /// How long after its end a fault that comes back is the same incident.
    #[serde(serialize_with = "span::serialize")]
    pub reopen: Duration,
    /// How long children may take to come back after their root.
    #[serde(serialize_with = "span::serialize")]
    pub grace: Duration,
    /// So many times within 30 minutes, and it flaps.
    pub flaps: u16,
    /// How long a flapping thing must be calm before it is over.
    #[serde(serialize_with = "span::serialize")]
    pub calm: Duration,
    /// Share of everything watched (percent) that makes a storm.
    #[serde(rename = "storm", serialize_with = "span::serialize_percent")]
    pub storm_percent: f64,
    /// So many changes within a minute are a storm in any case.
    pub storm_most: u16,
    /// Uplinks: patterns over `DEVICE/PORT`.
    pub uplinks: Vec<Glob>,
}

impl Default for IncidentSettings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            settle: Duration::from_millis(500),
            reopen: MINUTE * 15,
            grace: MINUTE * 3,
            flaps: 5,
            calm: MINUTE * 10,
            storm_percent: 20.0,
            storm_most: 50,
            uplinks: Vec::new(),
        }
    }
}

/// A threshold that counts instead of the built-in one. Of those that match, the more specific counts: a port's before a
/// class's before a device's (or tag's) before a site's; of equals the later one.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct RuleSettings {
    /// Which rule.
    pub name: Arc<str>,
    /// For whom.
    #[serde(rename = "match")]
    pub matches: RuleMatch,
    /// Whether it is judged at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// From this value on, in the rule's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise: Option<f64>,
    /// Below this value it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<f64>,
    /// How long it must last.
    #[serde(rename = "for", serialize_with = "written", skip_serializing_if = "Option::is_none")]
    pub raise_for: Option<Duration>,
    /// How long it must be over.
    #[serde(serialize_with = "written", skip_serializing_if = "Option::is_none")]
    pub clear_for: Option<Duration>,
    /// How long a port must have been up for its going down to count.
    #[serde(serialize_with = "written", skip_serializing_if = "Option::is_none")]
    pub up_for: Option<Duration>,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// Whom a rule is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RuleMatch {
    /// Sites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Glob>,
    /// Devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Glob>,
    /// A tag of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Arc<str>>,
    /// The class of the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<PortClass>,
    /// Ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Glob>,
}

impl RuleMatch {
    /// How specific it is: port, class, device or tag, site, nothing.
    pub fn specificity(&self) -> u8 {
        match self {
            Self { port: Some(_), .. } => 4,
            Self { class: Some(_), .. } => 3,
            Self { device: Some(_), .. } | Self { tag: Some(_), .. } => 2,
            Self { site: Some(_), .. } => 1,
            _ => 0,
        }
    }
}

pub(super) fn incident(judge: &mut Judge<'_>, raw: RawIncident) -> IncidentSettings {
    let default = IncidentSettings::default();
    let mut duration = |at: &Option<At<String>>, key, default| judge.duration(at.as_ref(), key, DURATIONS).unwrap_or(default);
    let settle = duration(&raw.settle, "incident.settle", default.settle);
    let reopen = duration(&raw.reopen, "incident.reopen", default.reopen);
    let grace = duration(&raw.grace, "incident.grace", default.grace);
    let calm = duration(&raw.calm, "incident.calm", default.calm);
    let storm_percent = judge.percent(raw.storm.as_ref(), "incident.storm").unwrap_or(default.storm_percent);
    let uplinks = raw.uplinks.unwrap_or_default().iter().filter_map(|at| pattern(judge, at)).collect();
    let (flaps, storm_most) = (raw.flaps.unwrap_or(default.flaps), raw.storm_most.unwrap_or(default.storm_most));
    IncidentSettings { settle, reopen, grace, flaps, calm, storm_percent, storm_most, uplinks }
}

pub(super) fn rules(judge: &mut Judge<'_>, raw: Vec<At<RawRule>>) -> Vec<RuleSettings> {
    raw.into_iter().filter_map(|rule| one_rule(judge, rule)).collect()
}

pub(super) fn maintenance(judge: &mut Judge<'_>, raw: Vec<At<RawMaintenance>>, zone: &TimeZone) -> Vec<MaintenanceSettings> {
    raw.into_iter().filter_map(|window| maintenance::one(judge, window, zone)).collect()
}

fn one_rule(judge: &mut Judge<'_>, rule: At<RawRule>) -> Option<RuleSettings> {
    let At { value: raw, offset } = rule;
    let Some(name) = raw.name else {
        judge.error(offset, Code::MissingKey, "this rule has no `name`", "add a line like name = \"port-utilisation\"");
        return None;
    };
    let Some(known) = KNOWN.iter().find(|known| known.name == name.value) else {
        let remedy = match nearest(&name.value, KNOWN.iter().map(|known| known.name)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "`netroom rule list` names all rules".to_owned(),
        };
        judge.error(name.offset, Code::BadName, format!("there is no rule \"{}\"", name.value), remedy);
        return None;
    };
    let matches = raw.matches.unwrap_or_default();
    let settings = RuleSettings {
        name: known.name.into(),
        matches: RuleMatch {
            site: matches.site.as_ref().and_then(|at| pattern(judge, at)),
            device: matches.device.as_ref().and_then(|at| pattern(judge, at)),
            tag: matches.tag.map(|at| at.value.into()),
            class: matches.class,
            port: matches.port.as_ref().and_then(|at| pattern(judge, at)),
        },
        // Who gives a threshold to a rule that has none wants it judged.
        enabled: raw.enabled.or(raw.raise.is_some().then_some(true)),
        raise: raw.raise.as_ref().and_then(|at| value(judge, known, at)),
        clear: raw.clear.as_ref().and_then(|at| value(judge, known, at)),
        raise_for: judge.duration(raw.raise_for.as_ref(), "rule.for", DURATIONS),
        clear_for: judge.duration(raw.clear_for.as_ref(), "rule.clear_for", DURATIONS),
        up_for: judge.duration(raw.up_for.as_ref(), "rule.up_for", DURATIONS),
        severity: raw.severity,
    };
    if let (Some(raise), Some(clear), Some(at)) = (settings.raise, settings.clear, &raw.clear)
        && (clear > raise) != known.falls
    {
        let remedy = if known.falls { "make `clear` the larger one" } else { "make `clear` the smaller one" };
        judge.error(at.offset, Code::OutOfRange, "between `raise` and `clear` there must be a margin to the other side", remedy);
    }
    Some(settings)
}

fn value(judge: &mut Judge<'_>, known: &KnownRule, at: &At<String>) -> Option<f64> {
    let value = known.unit.parse(&at.value);
    if value.is_none() {
        let (message, remedy) = match known.unit {
            RuleUnit::None => ("this rule has no threshold".to_owned(), "remove this line".to_owned()),
            unit => (format!("\"{}\" is no threshold of this rule", at.value), format!("write it as \"{}\"", unit.example())),
        };
        judge.error(at.offset, Code::BadSize, message, remedy);
    }
    value
}

/// A pattern, or why it is none.
pub(super) fn pattern(judge: &mut Judge<'_>, at: &At<String>) -> Option<Glob> {
    at.value
        .parse()
        .map_err(|error| {
            let message = format!("the pattern \"{}\" {error}", at.value);
            judge.error(at.offset, Code::BadPattern, message, "write `*` for any text, `?` for one character, `[0-9]` for one of a set");
        })
        .ok()
}

/// A moment in the office's own time: `2026-11-24 22:00`.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.trim().replace(' ', "T").parse().ok()?;
    let moment = civil.to_zoned_datetime(zone.clone()).ok()?.timestamp();
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn written<S: serde::Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(span::format_duration).serialize(serializer)
}
