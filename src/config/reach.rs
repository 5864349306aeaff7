//! What is pinged and checked, after reading and checking: `[ping]`, `[[host]]`, `[[host.check]]`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::span;
use crate::model::Zone;

/// What holds for every host that does not say otherwise, and for all of them together.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PingSettings {
    /// Whether polled devices are pinged too.
    pub devices: bool,
    /// Whether our own gateways are watched, to know when we are blind.
    pub gateway: bool,
    /// A probe is given up after this time.
    #[serde(serialize_with = "span::serialize")]
    pub timeout: Duration,
    /// What holds for every host.
    #[serde(flatten)]
    pub pace: Pace,
}

impl Default for PingSettings {
    fn default() -> Self {
        Self { devices: true, gateway: true, timeout: Duration::from_secs(3), pace: Pace::default() }
    }
}

/// How a host is probed, and when it counts as what.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Pace {
    /// The length of a round.
    #[serde(serialize_with = "span::serialize")]
    pub interval: Duration,
    /// Probes in a round.
    pub probes: u8,
    /// Octets of payload of a probe.
    pub size: u16,
    /// Suspected of being down when so many of the last probes failed.
    pub down: Share,
    /// Up again when so many of the last probes were answered.
    pub up: Share,
    /// Lossy from this share of the last 25 probes, percent.
    #[serde(rename = "lossy", serialize_with = "span::serialize_percent")]
    pub lossy_percent: f64,
    /// Slow from this median round-trip time.
    #[serde(serialize_with = "span::serialize")]
    pub slow: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            probes: 5,
            size: 56,
            down: Share { count: 5, last: 5 },
            up: Share { count: 3, last: 5 },
            lossy_percent: 20.0,
            slow: Duration::from_millis(250),
        }
    }
}

/// So many of the last so many, written `"4/5"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// So many, from 1.
    pub count: u8,
    /// Of the last so many, at most 16.
    pub last: u8,
}

impl Share {
    /// Reads `"4/5"`.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, last) = text.split_once('/')?;
        let share = Self { count: count.trim().parse().ok()?, last: last.trim().parse().ok()? };
        (1..=share.last).contains(&share.count).then_some(share).filter(|share| share.last <= 16)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.count, self.last))
    }
}

/// One host that is pinged.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HostSettings {
    /// Its name, unique among hosts and devices: the key of its history.
    pub name: Arc<str>,
    /// Where.
    pub address: IpAddr,
    /// Where it stands, empty when not said.
    pub site: Arc<str>,
    /// Which side of the separated network it belongs to.
    pub zone: Zone,
    /// Free words for filters.
    pub tags: Vec<Arc<str>>,
    /// The names of the hosts and devices that it stands behind.
    pub parents: Vec<Arc<str>>,
    /// How it is probed.
    #[serde(flatten)]
    pub pace: Pace,
    /// Its services.
    #[serde(rename = "check", skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSettings>,
}

/// One service that is checked.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CheckSettings {
    /// Its name, unique on its host.
    pub name: Arc<str>,
    /// The port.
    pub port: u16,
    /// What is asked.
    #[serde(flatten)]
    pub ask: CheckAsk,
    /// How often.
    #[serde(serialize_with = "span::serialize")]
    pub interval: Duration,
    /// The whole check must be done within this time.
    #[serde(serialize_with = "span::serialize")]
    pub timeout: Duration,
    /// Slow from this time.
    #[serde(serialize_with = "span::serialize")]
    pub slow: Duration,
}

/// What a check asks.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CheckAsk {
    /// Whether a connection is accepted.
    Tcp,
    /// An HTTP request.
    Http(HttpSettings),
    /// The same over TLS.
    Https(HttpSettings),
    /// A DNS query.
    Dns(DnsSettings),
}

/// An HTTP request and what its answer has to be.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HttpSettings {
    /// The name in the `Host` header and in TLS.
    pub host: Arc<str>,
    /// The path, with its query.
    pub path: Arc<str>,
    /// The first and the last status code that is good.
    pub status: (u16, u16),
    /// Text that the answer must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
    /// From so long before its end the certificate is told.
    #[serde(serialize_with = "span::serialize")]
    pub certificate: Duration,
}

/// A DNS query and what its answer has to hold.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DnsSettings {
    /// The name asked for.
    pub query: Arc<str>,
    /// The type asked for.
    pub record: RecordKind,
    /// What one of the answers must say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Arc<str>>,
    /// Over TCP from the start.
    pub tcp: bool,
}

/// The types of records that a check may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// An IPv4 address.
    #[default]
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// A mail server.
    Mx,
    /// A name server.
    Ns,
    /// The name of an address.
    Ptr,
    /// The start of a zone.
    Soa,
    /// A place of a service.
    Srv,
    /// Text.
    Txt,
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_are_read() {
        assert_eq!(Share::parse("4/5"), Some(Share { count: 4, last: 5 }));
        for bad in ["", "4", "0/5", "6/5", "4/17", "a/b", "4/5/6"] {
            assert_eq!(Share::parse(bad), None, "{bad}");
        }
    }
}
