//! `[[exempt]]`: machines about which some kinds of behaviour are not told. Each has an owner, a reason and an end: what
//! nobody answers for any more, or for ever, is a hole.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::problem::Code;
use super::resolve::Judge;
use super::rules::moment;
use super::source::At;
use super::suggest::nearest;
use crate::model::{MacAddr, Timestamp};

/// The words of the kinds of behaviour, as `detect` knows them.
pub const KINDS: [&str; 25] = [
    "tcp-scan",
    "fast-scan",
    "lateral",
    "dark-contact",
    "port-scan",
    "arp-sweep",
    "icmp-sweep",
    "udp-worm",
    "spam",
    "dga",
    "dns-tunnel",
    "flood",
    "hog",
    "spoofed-source",
    "rogue-dhcp",
    "rogue-ra",
    "dhcp-starvation",
    "arp-spoof",
    "storm",
    "password-guessing",
    "mac-flap",
    "port-anomaly",
    "zone-breach",
    "new-mac",
    "p2p",
];

/// `[[exempt]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExempt {
    /// Who: an IP address, a network as `10.1.9.0/24`, a MAC address, or its first three octets as `00:25:90`.
    #[schemars(required)]
    pub who: Option<At<String>>,
    /// Which kinds of behaviour are not told of it, as `tcp-scan`; all when not given.
    pub kinds: Option<Vec<At<String>>>,
    /// Who answers for it.
    #[schemars(required)]
    pub owner: Option<At<String>>,
    /// Why.
    #[schemars(required)]
    pub reason: Option<At<String>>,
    /// Its last day, as `2027-06-30`, or the minute at which it ends, as `2027-06-30 18:00`.
    #[schemars(required)]
    pub until: Option<At<String>>,
}

/// Whom an exemption is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Who {
    /// One address.
    Address(IpAddr),
    /// All addresses of a network.
    Network(IpNet),
    /// One machine on its segment.
    Mac(MacAddr),
    /// All machines of a maker's range: the first three octets of the MAC address.
    Oui([u8; 3]),
}

impl Who {
    /// Whether a machine with these addresses is meant.
    pub fn is(&self, ip: Option<IpAddr>, mac: Option<MacAddr>) -> bool {
        match self {
            Self::Address(address) => ip == Some(*address),
            Self::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
            Self::Mac(address) => mac == Some(*address),
            Self::Oui(oui) => mac.is_some_and(|mac| mac.0.starts_with(oui)),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Mac(mac) => mac.fmt(f),
            Self::Oui([a, b, c]) => write!(f, "{a:02x}:{b:02x}:{c:02x}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that names no machine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no IP address, network, MAC address, or first three octets of one")]
pub struct UnknownWho(pub String);

impl FromStr for Who {
    type Err = UnknownWho;

    fn from_str(text: &str) -> Result<Self, UnknownWho> {
        let text = text.trim();
        // A maker's range is a MAC address that leaves its end open.
        let oui = || format!("{text}:00:00:00").replace('-', ":").parse().ok().filter(|_| text.len() == 8);
        let network = || text.parse().ok().map(|network: IpNet| Self::Network(network.trunc()));
        None.or_else(|| text.parse().ok().map(Self::Address))
            .or_else(network)
            .or_else(|| text.parse().ok().map(Self::Mac))
            .or_else(|| oui().map(|MacAddr([a, b, c, ..])| Self::Oui([a, b, c])))
            .ok_or_else(|| UnknownWho(text.to_owned()))
    }
}

/// An exemption of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExemptSettings {
    /// Who.
    pub who: Who,
    /// Which kinds; empty for all.
    pub kinds: Vec<Arc<str>>,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// When it ends.
    pub until: Timestamp,
}

/// The moment at which an exemption ends: the end of a day, or a minute, in the office's own time.
pub fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(day) = text.trim().parse::<jiff::civil::Date>()
        && !text.contains([' ', 'T'])
    {
        let midnight = day.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(zone.clone()).ok()?;
        return Some(Timestamp::from_millis(midnight.timestamp().as_millisecond()));
    }
    moment(text, zone)
}

/// All that are without fault; those with one are told.
pub(super) fn resolve(judge: &mut Judge<'_>, raw: Vec<At<RawExempt>>, zone: &TimeZone) -> Vec<ExemptSettings> {
    raw.into_iter().filter_map(|exempt| one(judge, exempt, zone)).collect()
}

fn one(judge: &mut Judge<'_>, exempt: At<RawExempt>, zone: &TimeZone) -> Option<ExemptSettings> {
    let At { value: raw, offset } = exempt;
    let words = |judge: &mut Judge<'_>, at: Option<At<String>>, key: &str, example: &str| {
        let given = at.filter(|at| !at.value.trim().is_empty());
        if given.is_none() {
            judge.error(
                offset,
                Code::MissingKey,
                format!("this exemption has no `{key}`"),
                format!("add a line like {key} = \"{example}\""),
            );
        }
        given
    };
    let who = words(judge, raw.who, "who", "10.1.9.20");
    let owner = words(judge, raw.owner, "owner", "Li Ming");
    let reason = words(judge, raw.reason, "reason", "the vulnerability scanner of the security section");
    let until = words(judge, raw.until, "until", "2027-06-30");
    let who = who.and_then(|at| {
        let remedy = "write \"10.1.9.20\", \"10.1.9.0/24\", \"00:25:90:ab:cd:ef\", or \"00:25:90\" for all of a maker";
        at.value.parse().map_err(|error: UnknownWho| judge.error(at.offset, Code::BadAddress, error.to_string(), remedy)).ok()
    });
    let until = until.and_then(|at| {
        let end = end(&at.value, zone);
        if end.is_none() {
            let remedy = "write a day as \"2027-06-30\", or a minute as \"2027-06-30 18:00\"";
            judge.error(at.offset, Code::BadTime, format!("\"{}\" is no day", at.value), remedy);
        }
        end
    });
    let kinds = raw.kinds.unwrap_or_default().iter().filter_map(|at| kind(judge, at)).collect();
    Some(ExemptSettings { who: who?, kinds, owner: owner?.value.into(), reason: reason?.value.into(), until: until? })
}

fn kind(judge: &mut Judge<'_>, at: &At<String>) -> Option<Arc<str>> {
    let known = KINDS.contains(&at.value.as_str());
    if !known {
        let remedy = match nearest(&at.value, KINDS) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("the kinds are {}", KINDS.join(", ")),
        };
        judge.error(at.offset, Code::UnknownName, format!("there is no kind of behaviour \"{}\"", at.value), remedy);
    }
    known.then(|| at.value.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_it_is_about_is_read_and_written_the_same() {
        for (text, written) in [
            ("10.1.9.20", "10.1.9.20"),
            ("10.1.9.20/24", "10.1.9.0/24"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("00-25-90-AB-CD-EF", "00:25:90:ab:cd:ef"),
            ("00:25:90", "00:25:90"),
            ("00-25-90", "00:25:90"),
        ] {
            let who: Who = text.parse().unwrap();
            assert_eq!(who.to_string(), written);
            assert_eq!(written.parse(), Ok(who));
        }
        for bad in ["", "www", "10.1.9", "10.1.9.0/33", "00:25", "00:25:90:ab", "00:25:9g"] {
            assert!(bad.parse::<Who>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_machine_is_meant_by_any_of_its_addresses() {
        let (ip, mac) = ("10.1.9.20".parse().ok(), "00:25:90:ab:cd:ef".parse().ok());
        for (who, is) in [("10.1.9.0/24", true), ("10.1.8.0/24", false), ("00:25:90", true), ("00:25:91", false), ("10.1.9.20", true)] {
            assert_eq!(who.parse::<Who>().unwrap().is(ip, mac), is, "{who}");
        }
        assert!(!"00:25:90".parse::<Who>().unwrap().is(ip, None));
    }

    #[test]
    fn a_day_lasts_to_its_end() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let utc = |text: &str| Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        assert_eq!(end("2027-06-30", &zone), Some(utc("2027-06-30T16:00:00Z")));
        assert_eq!(end("2027-06-30 18:00", &zone), Some(utc("2027-06-30T10:00:00Z")));
        assert_eq!((end("soon", &zone), end("2027-02-30", &zone)), (None, None));
    }
}
