//! The facts of a site as a file, for `analyze --site FILE`: one JSON object, every key optional. What is missing is learnt
//! from the traffic or unknown; what is not understood is refused, because a fact that is passed over accuses the innocent.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use thiserror::Error;

use super::Site;
use crate::config::suggest::nearest;
use crate::model::MacAddr;

/// The keys, with what each holds.
const KEYS: [(&str, Holds); 9] = [
    ("local", Holds::Networks),
    ("router", Holds::Either),
    ("gateway", Holds::Either),
    ("server", Holds::Addresses),
    ("mail", Holds::Addresses),
    ("resolver", Holds::Addresses),
    ("dhcp", Holds::Either),
    ("exempt", Holds::Either),
    ("live", Holds::Addresses),
];

/// Why a text is no site file.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SiteFileError {
    /// It is no JSON.
    #[error("line {line}, column {column}: this is not JSON: {why}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The reader's words.
        why: String,
    },
    /// It is JSON, but no object.
    #[error("a site file is one object, as {{\"local\": [\"10.1.0.0/16\"], \"router\": [\"00:00:5e:00:01:0a\"]}}")]
    NoObject,
    /// A key that means nothing.
    #[error("there is no key \"{key}\": {remedy}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that was meant, or all there are.
        remedy: String,
    },
    /// A key whose value is no list.
    #[error("\"{key}\" is a list of {wanted}")]
    NoList {
        /// The key.
        key: String,
        /// What its entries are.
        wanted: &'static str,
    },
    /// An entry that is not what its key holds.
    #[error("\"{key}\", entry {number}: {entry} is none of {wanted}")]
    BadEntry {
        /// The key.
        key: String,
        /// Which entry, from 1.
        number: usize,
        /// The entry.
        entry: String,
        /// What its entries are.
        wanted: &'static str,
    },
}

/// Reads a site file.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn parse(text: &str) -> Result<Site, SiteFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).map_err(|error| SiteFileError::Syntax {
        line: error.line(),
        column: error.column(),
        why: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
    })?;
    let Value::Object(object) = value else { return Err(SiteFileError::NoObject) };
    let mut site = Site::default();
    let mut gateways = Vec::new();
    for (key, value) in &object {
        let Some((name, holds)) = KEYS.into_iter().find(|(name, _)| name == key) else { return Err(unknown(key)) };
        let entries = entries(name, holds, value)?;
        match name {
            "gateway" => gateways = entries,
            // Somebody who writes an empty list knows that nobody lives there; who knows nothing leaves the key out.
            "live" => site.live = Some(entries.into_iter().filter_map(Entry::address).collect()),
            _ => entries.into_iter().for_each(|entry| take(&mut site, name, entry)),
        }
    }
    take_gateways(&mut site, &gateways);
    Ok(site)
}

/// What the entries of a key are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holds {
    Networks,
    Addresses,
    Either,
}

impl Holds {
    const fn words(self) -> &'static str {
        match self {
            Self::Networks => "networks as \"10.1.0.0/16\"",
            Self::Addresses => "IP addresses",
            Self::Either => "IP or MAC addresses",
        }
    }

    fn read(self, text: &str) -> Option<Entry> {
        let address = || text.parse().ok().map(Entry::Address);
        match self {
            Self::Networks => {
                text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|net: IpNet| Entry::Network(net.trunc()))
            }
            Self::Addresses => address(),
            Self::Either => address().or_else(|| text.parse().ok().map(Entry::Mac)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Entry {
    Network(IpNet),
    Address(IpAddr),
    Mac(MacAddr),
}

impl Entry {
    const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Network(_) | Self::Mac(_) => None,
        }
    }
}

fn entries(key: &str, holds: Holds, value: &Value) -> Result<Vec<Entry>, SiteFileError> {
    let wanted = holds.words();
    let Value::Array(list) = value else { return Err(SiteFileError::NoList { key: key.to_owned(), wanted }) };
    let read = |(number, entry): (usize, &Value)| {
        let bad = || SiteFileError::BadEntry { key: key.to_owned(), number, entry: entry.to_string(), wanted };
        entry.as_str().and_then(|text| holds.read(text.trim())).ok_or_else(bad)
    };
    (1..).zip(list).map(read).collect()
}

fn take(site: &mut Site, key: &str, entry: Entry) {
    match (key, entry) {
        (_, Entry::Network(network)) => site.local.push(network),
        ("router", Entry::Mac(mac)) => site.routers.extend([mac]),
        // A router is known to its neighbours by its addresses, which nobody else may claim.
        ("router", Entry::Address(address)) => site.gateways.push((address, None)),
        ("server", Entry::Address(address)) => site.servers.extend([address]),
        ("mail", Entry::Address(address)) => site.mail.extend([address]),
        ("resolver", Entry::Address(address)) => site.resolvers.extend([address]),
        ("dhcp", Entry::Address(address)) => site.dhcp.extend([address]),
        ("dhcp", Entry::Mac(mac)) => site.dhcp_macs.extend([mac]),
        ("exempt", Entry::Address(address)) => site.exempt.extend([address]),
        (_, Entry::Mac(mac)) => site.exempt_macs.extend([mac]),
        (_, Entry::Address(_)) => {}
    }
}

/// A gateway's MAC address is a router's. It belongs to the addresses beside it only where that is beyond doubt: one MAC
/// address, and one IP address of a family.
fn take_gateways(site: &mut Site, gateways: &[Entry]) {
    let macs = || gateways.iter().filter_map(|entry| if let Entry::Mac(mac) = entry { Some(*mac) } else { None });
    let addresses = || gateways.iter().copied().filter_map(Entry::address);
    site.routers.extend(macs());
    let only = macs().next().filter(|_| macs().count() == 1);
    for address in addresses() {
        let alone = addresses().filter(|other| other.is_ipv4() == address.is_ipv4()).count() == 1;
        site.gateways.retain(|(known, _)| *known != address);
        site.gateways.push((address, only.filter(|_| alone)));
    }
}

fn unknown(key: &str) -> SiteFileError {
    let names = || KEYS.into_iter().map(|(name, _)| name);
    let remedy = match nearest(key, names()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("the keys are {}", names().collect::<Vec<_>>().join(", ")),
    };
    SiteFileError::UnknownKey { key: key.to_owned(), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_finds_its_place() {
        let site = parse(
            r#"{"local": ["10.1.0.9/16", "192.0.2.7"], "router": ["00:00:5E:00:01:0A", "10.1.0.2"], "gateway": ["10.1.0.1", "0011-2233-4455"],
                "server": ["10.1.0.20"], "mail": ["10.1.0.25"], "resolver": ["10.1.0.53", "2001:db8::53"],
                "dhcp": ["10.1.0.67", "02:00:00:00:00:67"], "exempt": ["10.1.0.99", "02:00:00:00:00:99"], "live": ["10.1.0.5"]}"#,
        )
        .unwrap();
        let mac = |text: &str| text.parse::<MacAddr>().unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(site.local, ["10.1.0.0/16".parse().unwrap(), "192.0.2.7/32".parse::<IpNet>().unwrap()]);
        assert_eq!(site.routers, [mac("00:00:5e:00:01:0a"), mac("00:11:22:33:44:55")].into());
        assert_eq!(site.gateways, [(ip("10.1.0.2"), None), (ip("10.1.0.1"), Some(mac("00:11:22:33:44:55")))]);
        assert_eq!((site.servers, site.mail), ([ip("10.1.0.20")].into(), [ip("10.1.0.25")].into()));
        assert_eq!(site.resolvers, [ip("10.1.0.53"), ip("2001:db8::53")].into());
        assert_eq!((site.dhcp, site.dhcp_macs), ([ip("10.1.0.67")].into(), [mac("02:00:00:00:00:67")].into()));
        assert_eq!((site.exempt, site.exempt_macs), ([ip("10.1.0.99")].into(), [mac("02:00:00:00:00:99")].into()));
        assert_eq!(site.live, Some([ip("10.1.0.5")].into()));
    }

    #[test]
    fn what_is_missing_is_unknown_and_what_is_empty_is_known_to_be_empty() {
        assert_eq!(parse("\u{feff}{}"), Ok(Site::default()));
        assert_eq!(parse(r#"{"live": []}"#).unwrap().live, Some([].into()));
    }

    #[test]
    fn a_mac_address_is_given_to_a_gateway_only_beyond_doubt() {
        let site = parse(r#"{"gateway": ["10.1.0.1", "10.2.0.1", "fe80::1", "02:00:00:00:00:01"]}"#).unwrap();
        let macs: Vec<bool> = site.gateways.iter().map(|(_, mac)| mac.is_some()).collect();
        assert_eq!(macs, [false, false, true]);
        let site = parse(r#"{"gateway": ["10.1.0.1", "02:00:00:00:00:01", "02:00:00:00:00:02"]}"#).unwrap();
        assert_eq!(site.gateways.first().map(|(_, mac)| *mac), Some(None));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place_and_remedy() {
        for (text, told) in [
            ("{\"local\": [\n\"10.1.0.0/16\",]}", "line 2, column 15: this is not JSON: trailing comma"),
            ("[]", "a site file is one object, as {\"local\": [\"10.1.0.0/16\"], \"router\": [\"00:00:5e:00:01:0a\"]}"),
            (r#"{"routers": []}"#, "there is no key \"routers\": did you mean \"router\"?"),
            (
                r#"{"printer": []}"#,
                "there is no key \"printer\": the keys are local, router, gateway, server, mail, resolver, dhcp, exempt, live",
            ),
            (r#"{"mail": "10.1.0.25"}"#, "\"mail\" is a list of IP addresses"),
            (r#"{"server": ["10.1.0.2", "www"]}"#, "\"server\", entry 2: \"www\" is none of IP addresses"),
            (r#"{"resolver": ["02:00:00:00:00:01"]}"#, "\"resolver\", entry 1: \"02:00:00:00:00:01\" is none of IP addresses"),
            (r#"{"router": [7]}"#, "\"router\", entry 1: 7 is none of IP or MAC addresses"),
            (r#"{"local": ["10.1.0.0/33"]}"#, "\"local\", entry 1: \"10.1.0.0/33\" is none of networks as \"10.1.0.0/16\""),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), told, "{text}");
        }
    }
}
