//! `[block]` and `[[protect]]`: how far the house goes by itself in cutting machines off, and whom it never touches.
//! Everything is off until somebody turns a mode on. One fault in a line of the protected refuses the whole configuration.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::exempt::{Who, end};
use super::glob::Glob;
use super::problem::Code;
use super::resolve::Judge;
use super::rules::pattern;
use super::source::At;
use super::span;
use crate::model::{MacAddr, Timestamp};

/// The shortest and the longest time of a block.
const SPANS: (Duration, Duration) = (Duration::from_secs(60), span::days(365));

/// `[block]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBlock {
    /// How far it goes by itself: `observe` (nothing is ever set), `approve` (a person says yes to each), `auto`.
    pub mode: Option<At<Mode>>,
    /// What is done: `down` (the port), or `vlan 999` (the port goes into that VLAN).
    pub action: Option<At<String>>,
    /// How many persons have to say yes where one is asked, 1 or 2.
    #[schemars(range(min = 1, max = 2))]
    pub persons: Option<u8>,
    /// How long the first block of a machine lasts; each further one twice as long.
    pub first: Option<At<String>>,
    /// The longest that a block lasts.
    pub longest: Option<At<String>>,
    /// After this time without a block the next one is one step shorter.
    pub decay: Option<At<String>>,
    /// After a release a machine is left alone by itself for so long.
    pub grace: Option<At<String>>,
    /// The most blocks without a person in 10 minutes; beyond, persons are asked for an hour.
    pub burst: Option<u16>,
    /// The most blocks without a person in an hour.
    pub hourly: Option<u16>,
    /// The most ports of one switch that are blocked without a person, as a share; one is always allowed.
    pub share: Option<At<String>>,
    /// Where another mode or another action holds; the first that fits counts.
    pub scope: Option<Vec<At<RawScope>>>,
}

/// `[[block.scope]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScope {
    /// Sites: patterns.
    pub sites: Option<Vec<At<String>>>,
    /// Devices: patterns over their names.
    pub devices: Option<Vec<At<String>>>,
    /// Ports: patterns over `DEVICE/PORT`.
    pub ports: Option<Vec<At<String>>>,
    /// Rules: patterns over their names, as `tcp-scan`.
    pub rules: Option<Vec<At<String>>>,
    /// The mode there.
    pub mode: Option<At<Mode>>,
    /// The action there.
    pub action: Option<At<String>>,
}

/// `[[protect]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProtect {
    /// A machine: an IP address, a network, a range as `10.1.0.10-10.1.0.20`, a MAC address, or its first three octets.
    pub who: Option<At<String>>,
    /// A switch: a pattern over names of devices.
    pub device: Option<At<String>>,
    /// A port: a pattern over `DEVICE/PORT`.
    pub port: Option<At<String>>,
    /// A VLAN.
    #[schemars(range(min = 1, max = 4094))]
    pub vlan: Option<u16>,
    /// A room or a person, as the description of the port (ifAlias) names them: a pattern.
    pub alias: Option<At<String>>,
    /// Who answers for it.
    #[schemars(required)]
    pub owner: Option<At<String>>,
    /// Why.
    #[schemars(required)]
    pub reason: Option<At<String>>,
    /// Its last day, or the minute at which it ends; for good when not given.
    pub until: Option<At<String>>,
}

/// How far the house goes by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It tells what it would do. Nothing is ever set.
    #[default]
    Observe,
    /// A person says yes to each block.
    Approve,
    /// It blocks by itself, within the rails.
    Auto,
}

impl Mode {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Approve => "approve",
            Self::Auto => "auto",
        }
    }
}

/// What is done to a machine's port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Action {
    /// ifAdminStatus down.
    #[default]
    Down,
    /// dot1qPvid: the port goes into this VLAN.
    Vlan(u16),
}

impl FromStr for Action {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim().split_once(' ') {
            None if text.trim() == "down" => Ok(Self::Down),
            Some(("vlan", vlan)) => vlan.trim().parse().ok().filter(|vlan| (1..=4094).contains(vlan)).map(Self::Vlan).ok_or(()),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Vlan(vlan) => write!(f, "vlan {vlan}"),
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How machines are cut off.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BlockSettings {
    /// The mode where no scope says otherwise.
    pub mode: Mode,
    /// The action where no scope says otherwise.
    pub action: Action,
    /// How many persons have to say yes.
    pub persons: u8,
    /// How long the first block lasts.
    #[serde(serialize_with = "span::serialize")]
    pub first: Duration,
    /// The longest.
    #[serde(serialize_with = "span::serialize")]
    pub longest: Duration,
    /// After this time the next one is a step shorter.
    #[serde(serialize_with = "span::serialize")]
    pub decay: Duration,
    /// How long a machine is left alone after a release.
    #[serde(serialize_with = "span::serialize")]
    pub grace: Duration,
    /// The most in 10 minutes.
    pub burst: u16,
    /// The most in an hour.
    pub hourly: u16,
    /// The most of a switch, in percent.
    #[serde(rename = "share", serialize_with = "span::serialize_percent")]
    pub share_percent: f64,
    /// Where something else holds.
    #[serde(rename = "scope", skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<BlockScope>,
    /// Whom it never touches.
    #[serde(rename = "protect", skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<ProtectSettings>,
}

impl Default for BlockSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Observe,
            action: Action::Down,
            persons: 1,
            first: Duration::from_secs(3600),
            longest: span::days(30),
            decay: span::days(90),
            grace: Duration::from_secs(600),
            burst: 3,
            hourly: 10,
            share_percent: 2.0,
            scopes: Vec::new(),
            protected: Vec::new(),
        }
    }
}

/// Where another mode or action holds. A list that is empty says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BlockScope {
    /// Sites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Glob>,
    /// Devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Glob>,
    /// `DEVICE/PORT`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Glob>,
    /// Rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Glob>,
    /// The mode.
    pub mode: Option<Mode>,
    /// The action.
    pub action: Option<Action>,
}

impl BlockSettings {
    /// The mode and the action for a port and a rule: of the first scope that fits and says so, else the general ones.
    pub fn holds(&self, site: &str, device: &str, port: &str, rule: &str) -> (Mode, Action) {
        let fits = |scope: &&BlockScope| {
            let any = |globs: &[Glob], name: &str| globs.is_empty() || globs.iter().any(|glob| glob.is_match(name));
            any(&scope.sites, site)
                && any(&scope.devices, device)
                && any(&scope.ports, &format!("{device}/{port}"))
                && any(&scope.rules, rule)
        };
        let mode = self.scopes.iter().filter(fits).find_map(|scope| scope.mode);
        let action = self.scopes.iter().filter(fits).find_map(|scope| scope.action);
        (mode.unwrap_or(self.mode), action.unwrap_or(self.action))
    }
}

/// Machines, by their addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    /// One, a network, or a maker's.
    Who(Who),
    /// From the first to the last address.
    Range(IpAddr, IpAddr),
}

impl Whom {
    /// Whether a machine with one of these addresses is meant.
    pub fn is(&self, ips: &[IpAddr], mac: Option<MacAddr>) -> bool {
        match self {
            Self::Who(who) => who.is(None, mac) || ips.iter().any(|ip| who.is(Some(*ip), mac)),
            Self::Range(first, last) => ips.iter().any(|ip| ip.is_ipv4() == first.is_ipv4() && (first..=last).contains(&ip)),
        }
    }
}

impl FromStr for Whom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_machine = || format!("\"{text}\" names no machine");
        if let Some((first, last)) = text.split_once('-')
            && let (Ok(first), Ok(last)) = (first.trim().parse::<IpAddr>(), last.trim().parse::<IpAddr>())
        {
            return if first.is_ipv4() == last.is_ipv4() && first <= last { Ok(Self::Range(first, last)) } else { Err(no_machine()) };
        }
        text.parse().map(Self::Who).map_err(|_| no_machine())
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Who(who) => who.fmt(f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl Serialize for Whom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a line of the protected is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Guarded {
    /// Machines.
    Who(Whom),
    /// Switches.
    Device(Glob),
    /// Ports, `DEVICE/PORT`.
    Port(Glob),
    /// A VLAN.
    Vlan(u16),
    /// Rooms or persons, by the description of the port.
    Alias(Glob),
}

/// One line of the protected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProtectSettings {
    /// Where it stands: `netroom.toml:120`.
    #[serde(skip)]
    pub place: Arc<str>,
    /// What it is about.
    #[serde(flatten)]
    pub guarded: Guarded,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// `[block]` with the lines of the protected. `may_write` says whether any device lets itself be changed.
pub(super) fn resolve(
    judge: &mut Judge<'_>,
    raw: RawBlock,
    protect: Vec<At<RawProtect>>,
    zone: &TimeZone,
    may_write: bool,
) -> BlockSettings {
    let default = BlockSettings::default();
    let scopes = raw.scope.unwrap_or_default().into_iter().map(|at| scope(judge, at.value, may_write)).collect();
    let settings = BlockSettings {
        mode: raw.mode.as_ref().map(|at| mode(judge, at, may_write)).unwrap_or_default(),
        action: action(judge, raw.action.as_ref()).unwrap_or_default(),
        persons: raw.persons.unwrap_or(default.persons),
        first: judge.duration(raw.first.as_ref(), "block.first", SPANS).unwrap_or(default.first),
        longest: judge.duration(raw.longest.as_ref(), "block.longest", SPANS).unwrap_or(default.longest),
        decay: judge.duration(raw.decay.as_ref(), "block.decay", SPANS).unwrap_or(default.decay),
        grace: judge.duration(raw.grace.as_ref(), "block.grace", SPANS).unwrap_or(default.grace),
        burst: raw.burst.unwrap_or(default.burst),
        hourly: raw.hourly.unwrap_or(default.hourly),
        share_percent: judge.percent(raw.share.as_ref(), "block.share").unwrap_or(default.share_percent),
        scopes,
        protected: protect.into_iter().filter_map(|at| line(judge, at, zone)).collect(),
    };
    if let Some(at) = raw.first.filter(|_| settings.first > settings.longest) {
        judge.error(at.offset, Code::OutOfRange, "`block.first` is longer than `block.longest`", "make it the shorter one");
    }
    settings
}

fn scope(judge: &mut Judge<'_>, raw: RawScope, may_write: bool) -> BlockScope {
    let mut globs = |list: Option<Vec<At<String>>>| list.iter().flatten().filter_map(|at| pattern(judge, at)).collect();
    let (sites, devices, ports, rules) = (globs(raw.sites), globs(raw.devices), globs(raw.ports), globs(raw.rules));
    let mode = raw.mode.as_ref().map(|at| mode(judge, at, may_write));
    BlockScope { sites, devices, ports, rules, mode, action: action(judge, raw.action.as_ref()) }
}

/// Nobody is to believe that machines are cut off where none is.
fn mode(judge: &mut Judge<'_>, at: &At<Mode>, may_write: bool) -> Mode {
    if at.value != Mode::Observe && !may_write {
        let message = format!("`mode = \"{}\"` cuts nobody off: no device lets itself be changed", at.value.word());
        let remedy = "give the switches write_user or write_community_file (docs/OPERATIONS.md, \"Blocking\")";
        judge.warn(at.offset, Code::OutOfRange, message, remedy);
    }
    at.value
}

fn action(judge: &mut Judge<'_>, at: Option<&At<String>>) -> Option<Action> {
    let at = at?;
    let action = at.value.parse();
    action
        .map_err(|()| judge.error(at.offset, Code::BadName, format!("\"{}\" is no action", at.value), "write \"down\" or \"vlan 999\""))
        .ok()
}

fn line(judge: &mut Judge<'_>, at: At<RawProtect>, zone: &TimeZone) -> Option<ProtectSettings> {
    let At { value: raw, offset } = at;
    let who = raw.who.as_ref().and_then(|at| {
        let remedy = "write \"10.1.0.5\", \"10.1.0.0/24\", \"10.1.0.5-10.1.0.9\", \"00:25:90:ab:cd:ef\", or \"00:25:90\"";
        at.value.parse().map_err(|error: String| judge.error(at.offset, Code::BadAddress, error, remedy)).ok()
    });
    let mut glob = |at: &Option<At<String>>| at.as_ref().and_then(|at| pattern(judge, at));
    let (device, port, alias) = (glob(&raw.device), glob(&raw.port), glob(&raw.alias));
    let given = [raw.who.is_some(), raw.device.is_some(), raw.port.is_some(), raw.vlan.is_some(), raw.alias.is_some()];
    if given.iter().filter(|is| **is).count() != 1 {
        let remedy = "give exactly one of who, device, port, vlan, alias";
        judge.error(offset, Code::TwoWays, "this line protects nothing, or several things at once", remedy);
    }
    if raw.vlan.is_some_and(|vlan| !(1..=4094).contains(&vlan)) {
        judge.error(offset, Code::OutOfRange, "there is no such VLAN", "take 1 to 4094");
    }
    let guarded = None
        .or(who.map(Guarded::Who))
        .or(device.map(Guarded::Device))
        .or(port.map(Guarded::Port))
        .or(raw.vlan.map(Guarded::Vlan))
        .or(alias.map(Guarded::Alias));
    let mut words = |at: Option<At<String>>, key: &str, example: &str| {
        let given = at.filter(|at| !at.value.trim().is_empty()).map(|at| Arc::from(at.value));
        if given.is_none() {
            let remedy = format!("add a line like {key} = \"{example}\"");
            judge.error(offset, Code::MissingKey, format!("this protection has no `{key}`"), remedy);
        }
        given
    };
    let (owner, reason) = (words(raw.owner, "owner", "Li Ming"), words(raw.reason, "reason", "the registry's printer"));
    let until = raw.until.as_ref().and_then(|at| {
        let until = end(&at.value, zone);
        if until.is_none() {
            let remedy = "write a day as \"2027-06-30\", or a minute as \"2027-06-30 18:00\"";
            judge.error(at.offset, Code::BadTime, format!("\"{}\" is no day", at.value), remedy);
        }
        until
    });
    let place = judge.sources.place(offset).map(|place| {
        let name = place.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("{name}:{}", place.line)
    });
    Some(ProtectSettings { place: place.unwrap_or_default().into(), guarded: guarded?, owner: owner?, reason: reason?, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_machine_is_read_and_none_is_dropped() {
        let ips = |text: &str| vec![text.parse::<IpAddr>().unwrap()];
        let is = |who: &str, ip: &str| who.parse::<Whom>().unwrap().is(&ips(ip), None);
        assert!(is("10.1.0.56-10.1.0.68", "10.1.0.60") && !is("10.1.0.56-10.1.0.68", "10.1.0.69"));
        assert!(is("2001:db8::1-2001:db8::ff", "2001:db8::7") && !is("10.0.0.1-10.0.0.9", "2001:db8::7"));
        assert!(is("10.1.0.0/24", "10.1.0.9") && is("2001:db8::/32", "2001:db8::9"));
        assert!("00:25:90".parse::<Whom>().unwrap().is(&[], Some(MacAddr([0, 0x25, 0x90, 1, 2, 3]))));
        for bad in ["10.1.0.9-10.1.0.1", "10.1.0.1-2001:db8::1", "10.1.0.56-68", "printer", ""] {
            assert!(bad.parse::<Whom>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_scope_that_fits_counts() {
        let glob = |text: &str| vec![text.parse::<Glob>().unwrap()];
        let settings = BlockSettings {
            scopes: vec![
                BlockScope { ports: glob("sw-a3/Gi0/1*"), mode: Some(Mode::Observe), ..BlockScope::default() },
                BlockScope { rules: glob("udp-worm"), action: Some(Action::Vlan(999)), ..BlockScope::default() },
                BlockScope { devices: glob("sw-a*"), sites: glob("A*"), mode: Some(Mode::Auto), ..BlockScope::default() },
            ],
            mode: Mode::Approve,
            ..BlockSettings::default()
        };
        assert_eq!(settings.holds("A3", "sw-a3", "Gi0/17", "tcp-scan"), (Mode::Observe, Action::Down));
        assert_eq!(settings.holds("A3", "sw-a3", "Gi0/2", "udp-worm"), (Mode::Auto, Action::Vlan(999)));
        assert_eq!(settings.holds("B1", "sw-a3", "Gi0/2", "tcp-scan"), (Mode::Approve, Action::Down));
        assert_eq!(BlockSettings::default().holds("A3", "sw-a3", "Gi0/2", "tcp-scan").0, Mode::Observe, "nothing by default");
    }

    #[test]
    fn actions_are_read() {
        assert_eq!(("down".parse(), "vlan 999".parse()), (Ok(Action::Down), Ok(Action::Vlan(999))));
        for bad in ["", "up", "vlan", "vlan 0", "vlan 4095", "vlan x"] {
            assert!(bad.parse::<Action>().is_err(), "{bad}");
        }
    }
}
