//! `[ping]` and `[[host]]` as they are written, and what they mean: each host with its address, what it stands behind, its
//! pace and its checks, or why not.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::problem::Code;
use super::reach::{CheckAsk, CheckSettings, DnsSettings, HostSettings, HttpSettings, Pace, PingSettings, RecordKind, Share};
use super::resolve::Judge;
use super::source::At;
use super::span;
use crate::model::Zone;

const INTERVALS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(15 * 60));
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));
const SLOW: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(60));
const CHECK_TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
const CERTIFICATES: (Duration, Duration) = (span::days(1), span::days(365));
const MOST_PROBES: u8 = 20;
const LONGEST_NAME: usize = 63;

/// `[ping]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPing {
    /// Whether polled devices are pinged too.
    pub devices: Option<bool>,
    /// Whether our own gateways are watched, to know when we are blind.
    pub gateway: Option<bool>,
    /// A probe is given up after this time, 100ms to 4s.
    pub timeout: Option<At<String>>,
    /// The length of a round, 10s to 15m.
    pub interval: Option<At<String>>,
    /// Probes in a round, spread over it, 1 to 20.
    #[schemars(range(min = 1, max = 20))]
    pub probes: Option<At<u8>>,
    /// Octets of payload of a probe, 20 to 1472.
    #[schemars(range(min = 20, max = 1472))]
    pub size: Option<u16>,
    /// Suspected of being down when so many of the last probes failed, like `5/5`.
    pub down: Option<At<String>>,
    /// Up again when so many of the last probes were answered, like `3/5`.
    pub up: Option<At<String>>,
    /// Lossy from this share of the last 25 probes, like `20%`.
    pub lossy: Option<At<String>>,
    /// Slow from this median round-trip time, like `250ms`.
    pub slow: Option<At<String>>,
}

/// `[[host]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    /// The host's name, unique among hosts and devices. Its history is kept under it.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// Its IP address.
    #[schemars(required)]
    pub address: Option<At<String>>,
    /// Where it stands: building, floor, room.
    pub site: Option<At<String>>,
    /// Which side of a physically separated network it belongs to.
    pub zone: Option<Zone>,
    /// Free words for filters.
    pub tags: Option<Vec<At<String>>>,
    /// The hosts or devices that it stands behind; it is cut off when all of them are dead.
    pub parents: Option<Vec<At<String>>>,
    /// The length of a round, 10s to 15m.
    pub interval: Option<At<String>>,
    /// Probes in a round, 1 to 20.
    #[schemars(range(min = 1, max = 20))]
    pub probes: Option<At<u8>>,
    /// Octets of payload of a probe, 20 to 1472.
    #[schemars(range(min = 20, max = 1472))]
    pub size: Option<u16>,
    /// Suspected of being down when so many of the last probes failed.
    pub down: Option<At<String>>,
    /// Up again when so many of the last probes were answered.
    pub up: Option<At<String>>,
    /// Lossy from this share of the last 25 probes.
    pub lossy: Option<At<String>>,
    /// Slow from this median round-trip time.
    pub slow: Option<At<String>>,
    /// Its services.
    pub check: Option<Vec<At<RawCheck>>>,
}

/// `[[host.check]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    /// The check's name, unique on its host.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// What is asked.
    #[schemars(required)]
    pub kind: Option<At<RawKind>>,
    /// The port; of http 80, https 443, dns 53.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// http, https: the name in the request; the host's address when not given.
    pub host: Option<At<String>>,
    /// http, https: the path, `/` when not given.
    pub path: Option<At<String>>,
    /// http, https: the status codes that are good, like `200-399` or `401`.
    pub status: Option<At<String>>,
    /// http, https: text that the answer must hold.
    pub text: Option<At<String>>,
    /// https: from so long before its end the certificate is told, like `21d`.
    pub certificate: Option<At<String>>,
    /// dns: the name asked for.
    pub query: Option<At<String>>,
    /// dns: the type asked for.
    pub record: Option<RecordKind>,
    /// dns: what one of the answers must say.
    pub expect: Option<At<String>>,
    /// dns: over TCP from the start.
    pub tcp: Option<bool>,
    /// How often, 10s to 15m.
    pub interval: Option<At<String>>,
    /// The whole check must be done within this time, 100ms to 60s.
    pub timeout: Option<At<String>>,
    /// Slow from this time.
    pub slow: Option<At<String>>,
}

/// What a check asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawKind {
    /// Whether a connection is accepted.
    Tcp,
    /// An HTTP request.
    Http,
    /// The same over TLS, with its certificate.
    Https,
    /// A DNS query.
    Dns,
}

/// What a host and `[ping]` may both say.
struct RawPace<'a> {
    section: &'a str,
    interval: Option<&'a At<String>>,
    probes: Option<&'a At<u8>>,
    size: Option<u16>,
    down: Option<&'a At<String>>,
    up: Option<&'a At<String>>,
    lossy: Option<&'a At<String>>,
    slow: Option<&'a At<String>>,
}

/// `[ping]` and all hosts that are without fault; those with one are told.
pub(super) fn resolve(
    judge: &mut Judge<'_>,
    raw: &RawPing,
    hosts: Vec<At<RawHost>>,
    devices: &[String],
) -> (PingSettings, Vec<HostSettings>) {
    let default = PingSettings::default();
    let timeout = judge.duration(raw.timeout.as_ref(), "ping.timeout", TIMEOUTS).unwrap_or(default.timeout);
    let own = RawPace {
        section: "ping",
        interval: raw.interval.as_ref(),
        probes: raw.probes.as_ref(),
        size: raw.size,
        down: raw.down.as_ref(),
        up: raw.up.as_ref(),
        lossy: raw.lossy.as_ref(),
        slow: raw.slow.as_ref(),
    };
    let pace = own.resolve(judge, default.pace);
    let ping =
        PingSettings { devices: raw.devices.unwrap_or(default.devices), gateway: raw.gateway.unwrap_or(default.gateway), timeout, pace };
    let mut taken: HashMap<String, Option<usize>> = devices.iter().map(|name| (name.to_lowercase(), None)).collect();
    let mut parents = Vec::new();
    let mut resolved = Vec::with_capacity(hosts.len());
    let starts: Vec<usize> = hosts.iter().map(|host| host.offset).chain([usize::MAX]).collect();
    for (host, next) in hosts.into_iter().zip(starts.into_iter().skip(1)) {
        let damaged = judge.is_damaged(&(host.offset..next));
        let asked: Vec<At<String>> = host.value.parents.iter().flatten().cloned().collect();
        if let Some(host) = one(judge, host, damaged, pace, &mut taken) {
            parents.push(asked);
            resolved.push(host);
        }
    }
    stand_behind(judge, &parents, &mut resolved, devices);
    (ping, resolved)
}

fn one(
    judge: &mut Judge<'_>,
    At { value: raw, offset }: At<RawHost>,
    damaged: bool,
    pace: Pace,
    taken: &mut HashMap<String, Option<usize>>,
) -> Option<HostSettings> {
    let name = name(judge, "host", raw.name.as_ref(), offset, damaged, taken);
    let address = address(judge, raw.address.as_ref(), offset, damaged);
    let own = RawPace {
        section: "host",
        interval: raw.interval.as_ref(),
        probes: raw.probes.as_ref(),
        size: raw.size,
        down: raw.down.as_ref(),
        up: raw.up.as_ref(),
        lossy: raw.lossy.as_ref(),
        slow: raw.slow.as_ref(),
    };
    let pace = own.resolve(judge, pace);
    let mut names = HashMap::new();
    let checks = raw.check.unwrap_or_default();
    let checks = checks.into_iter().filter_map(|raw| check(judge, raw, damaged, address, &mut names)).collect();
    let text = |at: Option<At<String>>| -> Arc<str> { at.map_or_else(|| "".into(), |at| at.value.into()) };
    Some(HostSettings {
        name: name?,
        address: address?,
        site: text(raw.site),
        zone: raw.zone.unwrap_or_default(),
        tags: raw.tags.unwrap_or_default().into_iter().map(|at| at.value.into()).collect(),
        parents: Vec::new(),
        pace,
        checks,
    })
}

impl RawPace<'_> {
    fn resolve(&self, judge: &mut Judge<'_>, default: Pace) -> Pace {
        let section = self.section;
        let interval = judge.duration(self.interval, &format!("{section}.interval"), INTERVALS).unwrap_or(default.interval);
        let probes = self.probes.map_or(default.probes, |at| at.value.clamp(1, MOST_PROBES));
        if let Some(at) = self.probes.filter(|at| at.value != probes) {
            let message = format!("`{section}.probes` is out of its range: {}", at.value);
            judge.error(at.offset, Code::OutOfRange, message, format!("take 1 to {MOST_PROBES}"));
        }
        Pace {
            interval,
            probes,
            size: self.size.map_or(default.size, |size| size.clamp(20, 1472)),
            down: share(judge, self.down, &format!("{section}.down")).unwrap_or(default.down),
            up: share(judge, self.up, &format!("{section}.up")).unwrap_or(default.up),
            lossy_percent: judge.percent(self.lossy, &format!("{section}.lossy")).unwrap_or(default.lossy_percent),
            slow: judge.duration(self.slow, &format!("{section}.slow"), SLOW).unwrap_or(default.slow),
        }
    }
}

fn share(judge: &mut Judge<'_>, at: Option<&At<String>>, key: &str) -> Option<Share> {
    let at = at?;
    let share = Share::parse(&at.value);
    if share.is_none() {
        let message = format!("`{key}` is no share of the last probes: \"{}\"", at.value);
        judge.error(at.offset, Code::OutOfRange, message, "write it as \"4/5\": four of the last five, at most of the last 16");
    }
    share
}

fn name(
    judge: &mut Judge<'_>,
    what: &str,
    at: Option<&At<String>>,
    offset: usize,
    damaged: bool,
    taken: &mut HashMap<String, Option<usize>>,
) -> Option<Arc<str>> {
    let Some(at) = at else {
        if !damaged {
            judge.error(offset, Code::MissingKey, format!("this {what} has no `name`"), "add a line like name = \"www\"");
        }
        return None;
    };
    let fits = at.value.chars().next().is_some_and(char::is_alphanumeric)
        && at.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && at.value.chars().count() <= LONGEST_NAME;
    if !fits {
        let remedy = format!("take 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, a letter or digit first");
        judge.error(at.offset, Code::BadName, format!("\"{}\" cannot be a {what}'s name", at.value), remedy);
        return None;
    }
    match taken.insert(at.value.to_lowercase(), Some(at.offset)) {
        Some(first) => {
            let message = format!("something is called \"{}\" already", at.value);
            let remedy = "give each its own name; a polled device is pinged without being a host too";
            match first {
                Some(first) => judge.conflict(at.offset, first, Code::DuplicateName, message, remedy),
                None => judge.error(at.offset, Code::DuplicateName, message, remedy),
            }
            None
        }
        None => Some(at.value.as_str().into()),
    }
}

fn address(judge: &mut Judge<'_>, at: Option<&At<String>>, offset: usize, damaged: bool) -> Option<IpAddr> {
    let Some(at) = at else {
        if !damaged {
            judge.error(offset, Code::MissingKey, "this host has no `address`", "add a line like address = \"10.0.0.3\"");
        }
        return None;
    };
    let parsed = at.value.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    let is_many = |ip: &IpAddr| ip.is_unspecified() || ip.is_multicast() || *ip == IpAddr::from([255, 255, 255, 255]);
    let is_link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    match parsed {
        Some(ip) if !is_many(&ip) && !is_link_local(&ip) => Some(ip),
        Some(ip) => {
            judge.error(
                at.offset,
                Code::BadAddress,
                format!("no host can be pinged at {ip}"),
                "write the address of one host, no link-local one",
            );
            None
        }
        None => {
            let remedy = "write it as \"10.0.0.3\" or \"2001:db8::3\": names are not resolved, so that pinging goes on when DNS fails";
            judge.error(at.offset, Code::BadAddress, format!("\"{}\" is no IP address", at.value), remedy);
            None
        }
    }
}

fn check(
    judge: &mut Judge<'_>,
    At { value: raw, offset }: At<RawCheck>,
    damaged: bool,
    address: Option<IpAddr>,
    names: &mut HashMap<String, Option<usize>>,
) -> Option<CheckSettings> {
    let name = name(judge, "check", raw.name.as_ref(), offset, damaged, names);
    let kind = raw.kind.as_ref().map(|at| at.value);
    if kind.is_none() && !damaged {
        judge.error(offset, Code::MissingKey, "this check has no `kind`", "add kind = \"tcp\", \"http\", \"https\" or \"dns\"");
    }
    let kind = kind?;
    let port = raw.port.or(match kind {
        RawKind::Tcp => None,
        RawKind::Http => Some(80),
        RawKind::Https => Some(443),
        RawKind::Dns => Some(53),
    });
    if port.is_none() && !damaged {
        judge.error(offset, Code::MissingKey, "this check of a TCP port has no `port`", "add a line like port = 22");
    }
    let ask = match kind {
        RawKind::Tcp => CheckAsk::Tcp,
        RawKind::Http => CheckAsk::Http(http(judge, &raw, address?)),
        RawKind::Https => CheckAsk::Https(http(judge, &raw, address?)),
        RawKind::Dns => CheckAsk::Dns(dns(judge, &raw, offset, damaged)?),
    };
    Some(CheckSettings {
        name: name?,
        port: port?,
        ask,
        interval: judge.duration(raw.interval.as_ref(), "check.interval", INTERVALS).unwrap_or(Duration::from_secs(60)),
        timeout: judge.duration(raw.timeout.as_ref(), "check.timeout", CHECK_TIMEOUTS).unwrap_or(Duration::from_secs(10)),
        slow: judge.duration(raw.slow.as_ref(), "check.slow", SLOW).unwrap_or(Duration::from_secs(3)),
    })
}

fn http(judge: &mut Judge<'_>, raw: &RawCheck, address: IpAddr) -> HttpSettings {
    let path = raw.path.as_ref().map_or("/", |at| at.value.as_str());
    let is_path = path.starts_with('/') && path.bytes().all(|octet| octet.is_ascii_graphic());
    if let Some(at) = raw.path.as_ref().filter(|_| !is_path) {
        judge.error(at.offset, Code::OutOfRange, format!("\"{path}\" is no path"), "begin with `/`, and write other letters as %E4%BD%A0");
    }
    let status = raw.status.as_ref().map_or(Some((200, 399)), |at| {
        let (first, last) = at.value.split_once('-').unwrap_or((&at.value, &at.value));
        let range = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (100 <= range.0 && range.0 <= range.1 && range.1 <= 599).then_some(range)
    });
    if let Some(at) = raw.status.as_ref().filter(|_| status.is_none()) {
        judge.error(at.offset, Code::OutOfRange, format!("\"{}\" is no status code", at.value), "write \"200\" or \"200-399\"");
    }
    HttpSettings {
        host: raw.host.as_ref().map_or_else(|| address.to_string().into(), |at| at.value.as_str().into()),
        path: path.into(),
        status: status.unwrap_or((200, 399)),
        text: raw.text.as_ref().map(|at| at.value.as_str().into()),
        certificate: judge.duration(raw.certificate.as_ref(), "check.certificate", CERTIFICATES).unwrap_or(span::days(21)),
    }
}

fn dns(judge: &mut Judge<'_>, raw: &RawCheck, offset: usize, damaged: bool) -> Option<DnsSettings> {
    if raw.query.is_none() && !damaged {
        judge.error(offset, Code::MissingKey, "this check of DNS has no `query`", "add a line like query = \"www.example.edu.cn\"");
    }
    Some(DnsSettings {
        query: raw.query.as_ref()?.value.as_str().into(),
        record: raw.record.unwrap_or_default(),
        expect: raw.expect.as_ref().map(|at| at.value.as_str().into()),
        tcp: raw.tcp.unwrap_or(false),
    })
}

/// Gives each host what it stands behind; what does not exist or goes in a circle is told.
fn stand_behind(judge: &mut Judge<'_>, asked: &[Vec<At<String>>], hosts: &mut [HostSettings], devices: &[String]) {
    let known: HashMap<Arc<str>, usize> = hosts.iter().enumerate().map(|(at, host)| (Arc::clone(&host.name), at)).collect();
    for at in 0..hosts.len() {
        for parent in asked.get(at).into_iter().flatten() {
            let exists = known.contains_key(parent.value.as_str()) || devices.contains(&parent.value);
            if !exists {
                let message = format!("there is no host or device \"{}\" to stand behind", parent.value);
                judge.error(parent.offset, Code::BadName, message, "write the `name` of a [[host]] or [[device]]");
            } else if leads_to(hosts, &known, &parent.value, at) {
                let message = format!("standing behind \"{}\" makes a circle", parent.value);
                judge.error(parent.offset, Code::BadName, message, "a host cannot stand behind itself; take one of these parents away");
            } else if let Some(host) = hosts.get_mut(at) {
                host.parents.push(parent.value.as_str().into());
            }
        }
    }
}

/// Whether the way up from `from` leads through the host at `to`.
fn leads_to(hosts: &[HostSettings], known: &HashMap<Arc<str>, usize>, from: &str, to: usize) -> bool {
    let (mut next, mut seen) = (vec![known.get(from).copied()], vec![false; hosts.len()]);
    while let Some(at) = next.pop() {
        let Some(at) = at else { continue };
        if at == to {
            return true;
        }
        if let Some(flag) = seen.get_mut(at).filter(|flag| !**flag) {
            *flag = true;
            next.extend(hosts.get(at).into_iter().flat_map(|host| &host.parents).map(|parent| known.get(parent).copied()));
        }
    }
    false
}
