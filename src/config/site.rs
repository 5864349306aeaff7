//! `[site]` and `[tables]`: who is who in the network, and how often the tables of bridges and routers are read.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::glob::Glob;
use super::problem::Code;
use super::resolve::Judge;
use super::rules::pattern;
use super::source::At;
use super::span;
use crate::model::MacAddr;

/// How often tables may be read.
const EVERY: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(86_400));

/// `[site]`. What is not given is learnt from SNMP, from ARP and from the traffic.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    /// Our own networks; private, link-local and unique-local addresses when not given.
    pub local: Option<Vec<At<String>>>,
    /// Routers that are not polled: IP or MAC addresses.
    pub routers: Option<Vec<At<String>>>,
    /// Gateways: IP addresses, each with its MAC address behind a blank where it is known: `10.1.0.1 00:00:5e:00:01:0a`.
    pub gateways: Option<Vec<At<String>>>,
    /// Servers: many talk to them, and they may talk to many.
    pub servers: Option<Vec<At<String>>>,
    /// Mail servers, which may send mail to the world.
    pub mail: Option<Vec<At<String>>>,
    /// Resolvers, which may ask the world for names.
    pub resolvers: Option<Vec<At<String>>>,
    /// DHCP servers and relays: IP or MAC addresses. Everybody else who offers leases is told.
    pub dhcp: Option<Vec<At<String>>>,
    /// Printers, which are servers too.
    pub printers: Option<Vec<At<String>>>,
}

/// `[tables]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTables {
    /// Whether the tables of bridges, routers and neighbours are read at all.
    pub enabled: Option<bool>,
    /// How often they are read of each device, 1m to 1d.
    pub every: Option<At<String>>,
    /// Ports on which a new MAC address is told: patterns over `DEVICE/PORT`.
    pub watch: Option<Vec<At<String>>>,
    /// An access port with more MAC addresses than this is told.
    #[schemars(range(min = 1, max = 10_000))]
    pub crowded: Option<u16>,
}

/// Who is who.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SiteSettings {
    /// Our own networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local: Vec<IpNet>,
    /// Routers that are not polled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<Station>,
    /// Gateways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<Gateway>,
    /// Servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<IpAddr>,
    /// Mail servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<IpAddr>,
    /// Resolvers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<IpAddr>,
    /// DHCP servers and relays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dhcp: Vec<Station>,
    /// Printers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub printers: Vec<IpAddr>,
}

/// A machine by its IP or its MAC address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Station {
    /// By its IP address.
    Address(IpAddr),
    /// By its MAC address.
    Mac(MacAddr),
}

impl Serialize for Station {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Address(address) => serializer.collect_str(address),
            Self::Mac(mac) => serializer.collect_str(mac),
        }
    }
}

/// A gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gateway {
    /// Its IP address.
    pub address: IpAddr,
    /// The MAC address that is its own.
    pub mac: Option<MacAddr>,
}

impl Serialize for Gateway {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.mac {
            Some(mac) => serializer.collect_str(&format_args!("{} {mac}", self.address)),
            None => serializer.collect_str(&self.address),
        }
    }
}

/// How tables are read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TableSettings {
    /// Whether at all.
    pub enabled: bool,
    /// How often.
    #[serde(serialize_with = "span::serialize")]
    pub every: Duration,
    /// Ports on which a new MAC address is told: patterns over `DEVICE/PORT`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<Glob>,
    /// An access port with more MAC addresses than this is told.
    pub crowded: u16,
}

impl Default for TableSettings {
    fn default() -> Self {
        Self { enabled: true, every: Duration::from_secs(300), watch: Vec::new(), crowded: 32 }
    }
}

/// `[tables]`.
pub(super) fn tables(judge: &mut Judge<'_>, raw: &RawTables) -> TableSettings {
    let default = TableSettings::default();
    TableSettings {
        enabled: raw.enabled.unwrap_or(default.enabled),
        every: judge.duration(raw.every.as_ref(), "tables.every", EVERY).unwrap_or(default.every),
        watch: raw.watch.iter().flatten().filter_map(|at| pattern(judge, at)).collect(),
        crowded: raw.crowded.unwrap_or(default.crowded),
    }
}

/// `[site]`.
pub(super) fn site(judge: &mut Judge<'_>, raw: &RawSite) -> SiteSettings {
    SiteSettings {
        local: networks(judge, raw.local.as_deref()),
        routers: list(judge, raw.routers.as_deref(), station, "write an IP or a MAC address"),
        gateways: list(judge, raw.gateways.as_deref(), gateway, "write \"10.1.0.1\", or \"10.1.0.1 00:00:5e:00:01:0a\""),
        servers: addresses(judge, raw.servers.as_deref()),
        mail: addresses(judge, raw.mail.as_deref()),
        resolvers: addresses(judge, raw.resolvers.as_deref()),
        dhcp: list(judge, raw.dhcp.as_deref(), station, "write an IP or a MAC address"),
        printers: addresses(judge, raw.printers.as_deref()),
    }
}

/// A list of networks; a single address is the network of itself.
pub(super) fn networks(judge: &mut Judge<'_>, list: Option<&[At<String>]>) -> Vec<IpNet> {
    let read =
        |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|network: IpNet| network.trunc());
    self::list(judge, list, read, "write a network as \"10.1.0.0/16\"")
}

fn addresses(judge: &mut Judge<'_>, list: Option<&[At<String>]>) -> Vec<IpAddr> {
    self::list(judge, list, |text| text.parse().ok(), "write the IP address of one machine")
}

fn station(text: &str) -> Option<Station> {
    let mac = || text.parse().ok().map(Station::Mac);
    text.parse().ok().map(Station::Address).or_else(mac)
}

fn gateway(text: &str) -> Option<Gateway> {
    let (address, mac) = match text.split_once(char::is_whitespace) {
        Some((address, mac)) => (address, Some(mac.trim().parse().ok()?)),
        None => (text, None),
    };
    Some(Gateway { address: address.parse().ok()?, mac })
}

fn list<T>(judge: &mut Judge<'_>, list: Option<&[At<String>]>, read: impl Fn(&str) -> Option<T>, remedy: &str) -> Vec<T> {
    let mut one = |at: &At<String>| {
        let read = read(at.value.trim());
        if read.is_none() {
            judge.error(at.offset, Code::BadAddress, format!("\"{}\" cannot be read", at.value), remedy);
        }
        read
    };
    list.unwrap_or_default().iter().filter_map(&mut one).collect()
}
