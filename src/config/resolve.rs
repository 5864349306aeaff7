//! From what the files say to what it means: layers, units, bounds, references. Pure but for the secrets it asks for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::de::DeTable;

use super::Loaded;
use super::access::{self, Plaintext};
use super::block;
use super::calendar;
use super::capture;
use super::detect;
use super::devices;
use super::exempt;
use super::files::Overrides;
use super::flow;
use super::hosts;
use super::notify;
use super::people;
use super::problem::{Code, Problem, Problems, Severity};
use super::raw::{Layer, RawFile, RawLog, RawRetention, RawWeb};
use super::rules;
use super::schema;
use super::secrets::SecretSource;
use super::settings::{LogSettings, MetricsSettings, RetentionSettings, Settings, WebSettings};
use super::site;
use super::source::{At, Sources};
use super::span::{self, SpanError};
use super::suggest::nearest;
use super::traps;
use super::zones;

/// How long samples may be kept.
const KEPT: (Duration, Duration) = (span::days(1), span::days(100 * 365));

/// Judges all files together. `problems` are those already found when reading them.
pub(super) fn settings(
    sources: &Sources,
    overrides: &Overrides,
    secrets: &dyn SecretSource,
    problems: Problems,
) -> Result<Loaded, Problems> {
    let mut judge = Judge { sources, secrets, problems, damaged: BTreeSet::new(), damaged_sections: BTreeSet::new() };
    let mut raw = RawFile::default();
    for (base, file) in sources.iter() {
        raw.lay(judge.parse(base, &file.text));
    }
    let settings = judge.settings(raw, overrides);
    let problems = judge.problems.sorted();
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(Loaded { settings, warnings: problems, files: sources.iter().map(|(_, file)| file.path.clone()).collect() })
}

/// Collects problems while it reads. After an error it goes on with a default, so that all are found.
pub(super) struct Judge<'a> {
    pub sources: &'a Sources,
    pub secrets: &'a dyn SecretSource,
    problems: Problems,
    /// What was left out because it could not be read. Nobody is told that something is missing where something is damaged.
    damaged: BTreeSet<usize>,
    /// The sections that something was left out of; an empty name when it may have been any.
    damaged_sections: BTreeSet<String>,
}

impl Judge<'_> {
    pub(super) fn error(&mut self, offset: usize, code: Code, message: impl Into<String>, remedy: impl Into<String>) {
        self.tell(Severity::Error, Some(offset), None, code, message.into(), remedy.into());
    }

    pub(super) fn warn(&mut self, offset: usize, code: Code, message: impl Into<String>, remedy: impl Into<String>) {
        self.tell(Severity::Warning, Some(offset), None, code, message.into(), remedy.into());
    }

    /// An error that a flag may have caused as well as a file.
    pub(super) fn error_at(&mut self, offset: Option<usize>, code: Code, message: String, remedy: &str) {
        self.tell(Severity::Error, offset, None, code, message, remedy.into());
    }

    /// Two places contradict each other; the later one is told.
    pub(super) fn conflict(&mut self, offset: usize, other: usize, code: Code, message: String, remedy: &str) {
        self.tell(Severity::Error, Some(offset), Some(other), code, message, remedy.into());
    }

    /// One with a place of its own, outside of the files of the configuration.
    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether something between two offsets could not be read.
    pub(super) fn is_damaged(&self, within: &Range<usize>) -> bool {
        self.damaged.range(within.clone()).next().is_some()
    }

    /// Whether something in the section that this prefix of a path names could not be read.
    pub(super) fn is_section_damaged(&self, prefix: &str) -> bool {
        let next = self.damaged_sections.range(prefix.to_owned()..).next();
        self.damaged_sections.contains("") || next.is_some_and(|path| path.starts_with(prefix))
    }

    fn tell(&mut self, severity: Severity, offset: Option<usize>, other: Option<usize>, code: Code, message: String, remedy: String) {
        let place = |offset: Option<usize>| offset.and_then(|offset| self.sources.place(offset));
        let (place, other) = (place(offset), place(other));
        self.problems.push(Problem { severity, code, place, message, remedy, other });
    }

    /// Reads one file: its syntax, then its keys and types, then its values with their places.
    fn parse(&mut self, base: usize, text: &str) -> RawFile {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let offset = base + error.span().map_or(0, |span| span.start);
            self.damaged.insert(offset);
            self.damaged_sections.insert(String::new());
            // The message of the parser names what it expected, never what it found: no secret gets out.
            self.error(
                offset,
                Code::Syntax,
                format!("this is not TOML: {}", error.message()),
                "see https://toml.io for the form of values",
            );
        }
        let mut misfits = Vec::new();
        let fitting = schema::conform(table, base, &mut misfits);
        // Behind an error of syntax keys may have lost their section: what would be said of them is not to be trusted.
        let sound = errors.iter().filter_map(|error| error.span()).map(|span| base + span.start).min().unwrap_or(usize::MAX);
        for misfit in misfits.into_iter().filter(|misfit| misfit.offset < sound) {
            self.damaged.insert(misfit.offset);
            self.damaged_sections.insert(misfit.path);
            self.error(misfit.offset, misfit.code, misfit.message, misfit.remedy);
        }
        if !errors.is_empty() {
            // A quote too few lets one value swallow the next: quoting it in a message could show a secret.
            return RawFile::default();
        }
        RawFile::deserialize(toml::Deserializer::from(fitting)).unwrap_or_else(|error| {
            let offset = error.span().map_or(base, |span| span.start);
            self.error(offset, Code::WrongType, "this value is not understood", "see `netroom check --schema` for what may stand here");
            RawFile::default()
        })
    }

    fn settings(&mut self, raw: RawFile, overrides: &Overrides) -> Settings {
        let data = match (&overrides.data, raw.data) {
            (Some(data), _) => data.clone(),
            (None, Some(at)) => self.sources.relative(at.offset, &at.value),
            (None, None) => "data".into(),
        };
        let mut settings = Settings::new(data);
        if let Some(at) = raw.time_zone {
            settings.time_zone = self.time_zone(&at).unwrap_or(settings.time_zone);
        }
        settings.log = self.log(raw.log.unwrap_or_default(), overrides);
        settings.web = self.web(raw.web.unwrap_or_default(), overrides);
        let is_local = settings.web.listen.ip().is_loopback() && settings.web.trusted_proxies.is_empty();
        settings.access = access::access(self, raw.access.unwrap_or_default(), is_local);
        let metrics = raw.metrics.unwrap_or_default();
        let default = MetricsSettings::default();
        settings.metrics =
            MetricsSettings { enabled: metrics.enabled.unwrap_or(default.enabled), ports: metrics.ports.unwrap_or(default.ports) };
        settings.retention = self.retention(&raw.retention.unwrap_or_default());
        // Also those with a fault of their own: nobody is told that a parent is missing because of it.
        let named =
            raw.device.iter().flatten().filter_map(|device| device.value.name.as_ref()).map(|at| at.value.clone()).collect::<Vec<_>>();
        let (devices, users) = devices::resolve(self, raw.snmp.unwrap_or_default(), raw.device.unwrap_or_default());
        settings.devices = devices;
        settings.traps = traps::resolve(self, &raw.traps.unwrap_or_default(), users);
        settings.capture = capture::resolve(self, &raw.capture.unwrap_or_default());
        settings.tables = site::tables(self, &raw.tables.unwrap_or_default());
        settings.site = site::site(self, &raw.site.unwrap_or_default());
        settings.zones = zones::resolve(self, raw.zones.unwrap_or_default());
        settings.exemptions = exempt::resolve(self, raw.exempt.unwrap_or_default(), &settings.time_zone);
        let may_write = settings.devices.iter().any(|device| device.write.is_some());
        let protect = raw.protect.unwrap_or_default();
        settings.block = block::resolve(self, raw.block.unwrap_or_default(), protect, &settings.time_zone, may_write);
        settings.flow = flow::resolve(self, &raw.flow.unwrap_or_default());
        settings.calendar = calendar::resolve(self, raw.calendar.unwrap_or_default());
        settings.detect = detect::resolve(self, raw.detect.unwrap_or_default());
        settings.incident = rules::incident(self, raw.incident.unwrap_or_default());
        settings.rules = rules::rules(self, raw.rule.unwrap_or_default());
        settings.maintenance = rules::maintenance(self, raw.maintenance.unwrap_or_default(), &settings.time_zone);
        (settings.people, settings.duty) = people::resolve(self, raw.person.unwrap_or_default(), raw.duty.unwrap_or_default());
        let names: Vec<_> = settings.people.iter().map(|person| Arc::clone(&person.name)).collect();
        settings.notify = notify::resolve(self, raw.notify.unwrap_or_default(), &notify::People(&names));
        let (ping, hosts) = hosts::resolve(self, &raw.ping.unwrap_or_default(), raw.host.unwrap_or_default(), &named);
        (settings.ping, settings.hosts) = (ping, hosts);
        settings
    }

    fn time_zone(&mut self, at: &At<String>) -> Option<TimeZone> {
        if let Ok(zone) = TimeZone::get(&at.value) {
            return Some(zone);
        }
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let remedy = match nearest(&at.value, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "take an IANA name, as \"Asia/Shanghai\"".into(),
        };
        self.error(at.offset, Code::UnknownTimeZone, format!("there is no time zone \"{}\"", at.value), remedy);
        None
    }

    fn log(&mut self, raw: RawLog, overrides: &Overrides) -> LogSettings {
        let default = LogSettings::default();
        let remedy = "write a level (error, warn, info, debug, trace, off), or parts as warn,netroom::snmp=debug";
        let filter = match (&overrides.log, raw.filter) {
            (Some(filter), _) => {
                if !is_log_filter(filter) {
                    let message = format!("--log or NETROOM_LOG is no log filter: \"{filter}\"");
                    self.tell(Severity::Error, None, None, Code::BadFilter, message, remedy.into());
                }
                filter.clone()
            }
            (None, Some(at)) => {
                if !is_log_filter(&at.value) {
                    self.error(at.offset, Code::BadFilter, format!("`log.filter` is no log filter: \"{}\"", at.value), remedy);
                }
                at.value
            }
            (None, None) => default.filter,
        };
        LogSettings { filter, format: overrides.log_format.or(raw.format).unwrap_or(default.format) }
    }

    fn web(&mut self, raw: RawWeb, overrides: &Overrides) -> WebSettings {
        let default = WebSettings::default();
        let (mut listen, mut place) = (default.listen, None);
        if let Some(at) = raw.listen {
            place = Some(at.offset);
            match at.value.parse::<SocketAddr>() {
                Ok(address) => listen = address,
                Err(_) => self.error(
                    at.offset,
                    Code::BadAddress,
                    format!("`web.listen` is no IP address with a port: \"{}\"", at.value),
                    "write it as \"127.0.0.1:8080\", or \"0.0.0.0:8080\" for all interfaces",
                ),
            }
        }
        if let Some(address) = overrides.listen {
            (listen, place) = (address, None);
        }
        let has_tls = raw.tls.is_some();
        let tls = access::tls(self, raw.tls.unwrap_or_default());
        let trusted_proxies = access::proxies(self, &raw.trusted_proxies.unwrap_or_default());
        let plaintext = raw.plaintext.unwrap_or_default();
        access::plaintext(self, place, listen, has_tls || !trusted_proxies.is_empty() || plaintext == Plaintext::Accept);
        WebSettings { listen, language: raw.language.unwrap_or(default.language), plaintext, trusted_proxies, tls }
    }

    fn retention(&mut self, raw: &RawRetention) -> RetentionSettings {
        let default = RetentionSettings::default();
        RetentionSettings {
            raw: self.duration(raw.raw.as_ref(), "retention.raw", KEPT).unwrap_or(default.raw),
            m5: self.duration(raw.m5.as_ref(), "retention.m5", KEPT).unwrap_or(default.m5),
            h1: self.duration(raw.h1.as_ref(), "retention.h1", KEPT).unwrap_or(default.h1),
            d1: self.duration(raw.d1.as_ref(), "retention.d1", KEPT).unwrap_or(default.d1),
            min_for_counters: raw.min_for_counters.unwrap_or(default.min_for_counters),
            disk_reserve: self.size(raw.disk_reserve.as_ref(), "retention.disk_reserve").unwrap_or(default.disk_reserve),
            low_space_percent: self.percent(raw.low_space.as_ref(), "retention.low_space").unwrap_or(default.low_space_percent),
            max_bytes: self.size(raw.max_bytes.as_ref(), "retention.max_bytes"),
        }
    }

    /// A duration within bounds; `None` when not given or when it was wrong and told.
    pub(super) fn duration(&mut self, at: Option<&At<String>>, key: &str, bounds: (Duration, Duration)) -> Option<Duration> {
        let at = at?;
        let (low, high) = (span::format_duration(bounds.0), span::format_duration(bounds.1));
        match span::parse_duration(&at.value) {
            Ok(span) if (bounds.0..=bounds.1).contains(&span) => return Some(span),
            Ok(_) => {
                let message = format!("`{key}` is out of its range: \"{}\"", at.value);
                self.error(at.offset, Code::OutOfRange, message, format!("take {low} to {high}"));
            }
            Err(error) => {
                self.unreadable(at, key, Code::BadDuration, &error, "write a duration as \"10s\", \"5m\", \"1h30m\", \"31d\" or \"5y\"");
            }
        }
        None
    }

    pub(super) fn size(&mut self, at: Option<&At<String>>, key: &str) -> Option<u64> {
        let at = at?;
        let size = span::parse_size(&at.value);
        size.map_err(|error| self.unreadable(at, key, Code::BadSize, &error, "write a size as \"64MiB\" or \"50GB\"")).ok()
    }

    pub(super) fn percent(&mut self, at: Option<&At<String>>, key: &str) -> Option<f64> {
        let at = at?;
        let share = span::parse_percent(&at.value);
        share.map_err(|error| self.unreadable(at, key, Code::BadSize, &error, "write a share as \"10%\", from 0% to 100%")).ok()
    }

    fn unreadable(&mut self, at: &At<String>, key: &str, code: Code, error: &SpanError, remedy: &str) {
        self.error(at.offset, code, format!("`{key}` {error}: \"{}\"", at.value), remedy);
    }
}

/// A level, or `target=level`, or several with commas between them.
fn is_log_filter(text: &str) -> bool {
    let is_level = |word: &str| ["error", "warn", "info", "debug", "trace", "off"].iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_target = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'));
    text.split(',').all(|part| match part.trim().split_once('=') {
        Some((target, level)) => is_target(target) && is_level(level),
        None => is_level(part.trim()),
    })
}

#[cfg(test)]
mod tests {
    use super::is_log_filter;

    #[test]
    fn log_filters_are_told_from_slips() {
        for good in ["info", "WARN", "warn,netroom::snmp=debug", "netroom=trace, off"] {
            assert!(is_log_filter(good), "{good}");
        }
        for bad in ["", "verbose", "netroom", "info,", "=debug", "netroom=loud", "a b=info"] {
            assert!(!is_log_filter(bad), "{bad}");
        }
    }
}
