//! `[snmp]` and `[[device]]`: each device with its address, its credentials and its intervals, or why not.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::credentials::{Users, credentials, write};
use super::glob::Glob;
use super::problem::Code;
use super::raw::{RawDevice, RawPatience, RawPorts, RawSnmp};
use super::resolve::Judge;
use super::settings::{DEFAULT_INTERVAL, DeviceSettings, INTERVALS, Patience, PortRule, User};
use super::source::At;

const SNMP_PORT: u16 = 161;
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));
const LONGEST_NAME: usize = 63;
const LINK_LOCAL: &str = "give the device a global or unique local (fd00::/8) IPv6 address, or an IPv4 one, and write that";

/// All devices and all users of SNMPv3 that are without fault; those with one are told.
pub(super) fn resolve(judge: &mut Judge<'_>, snmp: RawSnmp, devices: Vec<At<RawDevice>>) -> (Vec<DeviceSettings>, Vec<User>) {
    let users = Users::resolve(judge, &snmp);
    let defaults = Defaults {
        patience: patience(judge, "snmp", snmp.patience(), Patience::default()),
        interval: judge.duration(snmp.interval.as_ref(), "snmp.interval", INTERVALS).unwrap_or(DEFAULT_INTERVAL),
        port: snmp.port.unwrap_or(SNMP_PORT),
        users,
        snmp,
    };
    let mut names = HashMap::new();
    let mut addresses = HashMap::new();
    let mut resolved = Vec::with_capacity(devices.len());
    let starts: Vec<usize> = devices.iter().map(|device| device.offset).chain([usize::MAX]).collect();
    for (device, next) in devices.into_iter().zip(starts.into_iter().skip(1)) {
        let damaged = judge.is_damaged(&(device.offset..next));
        let name = name(judge, &device, damaged, &mut names);
        let address = address(judge, &device, damaged, defaults.port, &mut addresses);
        let rest = defaults.apply(judge, device, damaged);
        if let (Some(name), Some(address), Some(rest)) = (name, address, rest) {
            resolved.push(DeviceSettings { name, address, ..rest });
        }
    }
    (resolved, defaults.users.all())
}

struct Defaults {
    snmp: RawSnmp,
    users: Users,
    patience: Patience,
    interval: Duration,
    port: u16,
}

impl Defaults {
    /// Everything about a device but its name and address.
    fn apply(&self, judge: &mut Judge<'_>, device: At<RawDevice>, damaged: bool) -> Option<DeviceSettings> {
        let At { value: raw, offset } = device;
        let credentials = credentials(judge, &self.snmp, &self.users, &raw, (!damaged).then_some(offset));
        let write = write(judge, &self.snmp, &self.users, &raw);
        let patience = patience(judge, "device", raw.patience(), self.patience);
        let interval = judge.duration(raw.interval.as_ref(), "device.interval", INTERVALS).unwrap_or(self.interval);
        let ports = raw.ports.unwrap_or_default().into_iter().filter_map(|rule| port_rule(judge, rule, damaged)).collect();
        Some(DeviceSettings {
            name: "".into(),
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            credentials: credentials?,
            write: write?,
            patience,
            interval,
            site: raw.site.map_or_else(|| "".into(), |at| at.value.into()),
            zone: raw.zone.unwrap_or_default(),
            tags: raw.tags.unwrap_or_default().into_iter().map(|at| at.value.into()).collect(),
            tables: raw.tables.unwrap_or(true),
            ports,
        })
    }
}

/// The name, when it may be one and nobody else has it. `Sw-1` and `sw-1` are too alike for two devices.
fn name(judge: &mut Judge<'_>, device: &At<RawDevice>, damaged: bool, taken: &mut HashMap<String, usize>) -> Option<Arc<str>> {
    let Some(at) = &device.value.name else {
        if !damaged {
            judge.error(device.offset, Code::MissingKey, "this device has no `name`", "add a line like name = \"sw-a3\"");
        }
        return None;
    };
    let fits = at.value.chars().next().is_some_and(char::is_alphanumeric)
        && at.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && at.value.chars().count() <= LONGEST_NAME;
    if !fits {
        let remedy = format!("take 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, a letter or digit first");
        judge.error(at.offset, Code::BadName, format!("\"{}\" cannot be a device's name", at.value), remedy);
        return None;
    }
    if let Some(first) = taken.insert(at.value.to_lowercase(), at.offset) {
        taken.insert(at.value.to_lowercase(), first);
        judge.conflict(
            at.offset,
            first,
            Code::DuplicateName,
            format!("another device is called \"{}\" already", at.value),
            "give each device its own name; its history is kept under it",
        );
    }
    Some(at.value.as_str().into())
}

/// Where the device is asked, when it is an IP address and nobody else is asked there.
fn address(
    judge: &mut Judge<'_>,
    device: &At<RawDevice>,
    damaged: bool,
    default_port: u16,
    taken: &mut HashMap<SocketAddr, usize>,
) -> Option<SocketAddr> {
    let port = device.value.port.unwrap_or(default_port);
    let Some(at) = &device.value.address else {
        if !damaged {
            judge.error(device.offset, Code::MissingKey, "this device has no `address`", "add a line like address = \"10.0.0.3\"");
        }
        return None;
    };
    let address = match at.value.trim().parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::from([255, 255, 255, 255]) => {
            let message = format!("no device can have the address {ip}");
            judge.error(at.offset, Code::BadAddress, message, "write the management address of the device");
            return None;
        }
        Ok(IpAddr::V6(ip)) if ip.is_unicast_link_local() => {
            let message = format!("{ip} is a link-local address: it holds on one cable only");
            judge.error(at.offset, Code::BadAddress, message, LINK_LOCAL);
            return None;
        }
        Ok(ip) => SocketAddr::new(ip.to_canonical(), port),
        Err(_) => {
            judge.error(at.offset, Code::BadAddress, format!("\"{}\" is no IP address", at.value), address_remedy(&at.value));
            return None;
        }
    };
    if let Some(first) = taken.insert(address, at.offset) {
        taken.insert(address, first);
        judge.conflict(
            at.offset,
            first,
            Code::DuplicateAddress,
            format!("another device is asked at {address} already"),
            "poll each device once; when one address forwards several agents, give each its own `port`",
        );
    }
    Some(address)
}

/// Names are not resolved: polling must go on while DNS does not.
fn address_remedy(text: &str) -> String {
    match text.trim().parse::<SocketAddr>() {
        Ok(both) => format!("write address = \"{}\" and, in a line of its own, port = {}", both.ip(), both.port()),
        Err(_) if text.contains('/') => "write one address; `netroom discover` asks a whole network".into(),
        Err(_) if text.contains('%') => LINK_LOCAL.into(),
        Err(_) if text.chars().any(|c| c.is_ascii_alphabetic() && !text.contains(':')) => format!(
            "write the IP address that `getent hosts {text}` prints: devices are asked by address, so that polling goes on when DNS fails"
        ),
        Err(_) => "write it as \"10.0.0.3\" or \"2001:db8::3\"".into(),
    }
}

fn patience(judge: &mut Judge<'_>, section: &str, (low, high, tries): RawPatience<'_>, default: Patience) -> Patience {
    let min_timeout = judge.duration(low, &format!("{section}.min_timeout"), TIMEOUTS).unwrap_or(default.min_timeout);
    let max_timeout = judge.duration(high, &format!("{section}.max_timeout"), TIMEOUTS).unwrap_or(default.max_timeout);
    if let Some(at) = high.or(low)
        && min_timeout > max_timeout
    {
        judge.error(at.offset, Code::OutOfRange, "`min_timeout` is longer than `max_timeout`", "make `max_timeout` the longer one");
    }
    Patience { min_timeout, max_timeout, tries: tries.unwrap_or(default.tries) }
}

fn port_rule(judge: &mut Judge<'_>, rule: At<RawPorts>, damaged: bool) -> Option<PortRule> {
    let At { value: raw, offset } = rule;
    let interval = judge.duration(raw.interval.as_ref(), "device.ports.interval", INTERVALS);
    if raw.interval.is_none() && !damaged {
        judge.error(offset, Code::MissingKey, "this rule for ports has no `interval`", "write { match = \"Gi0/*\", interval = \"10s\" }");
    }
    let Some(pattern) = raw.matches else {
        judge.error(offset, Code::MissingKey, "this rule for ports has no `match`", "write { match = \"Gi0/*\", interval = \"10s\" }");
        return None;
    };
    match pattern.value.parse::<Glob>() {
        Ok(matches) => Some(PortRule { matches, interval: interval? }),
        Err(error) => {
            let message = format!("the pattern \"{}\" {error}", pattern.value);
            judge.error(
                pattern.offset,
                Code::BadPattern,
                message,
                "write `*` for any text, `?` for one character, `[0-9]` for one of a set",
            );
            None
        }
    }
}
