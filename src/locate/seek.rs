//! One question for everybody who looks for a machine: by its MAC address, or by an IP address that routers have resolved. Pure.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use super::find::{Found, Scene, find};
use crate::model::{MacAddr, Timestamp};

/// Who is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A MAC address.
    Mac(MacAddr),
    /// An IP address.
    Ip(IpAddr),
}

/// It is neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is neither a MAC address (any grouping, as 00:25:90:ab:cd:ef or 0025.90ab.cdef) nor an IP address")]
pub struct NoAddress;

impl FromStr for Wanted {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let text = text.trim();
        let ip = text.parse::<IpAddr>().map(|ip| Self::Ip(ip.to_canonical()));
        ip.or_else(|_| text.parse().map(Self::Mac)).map_err(|_| NoAddress)
    }
}

/// An IP address of the machine, as a router has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Address {
    /// The IP address.
    pub ip: IpAddr,
    /// The router.
    pub router: Arc<str>,
    /// Since when the pair is the same.
    pub since: Timestamp,
    /// When it was last in the router's cache.
    pub seen: Timestamp,
}

/// One machine that was found, or is known by its address only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sought {
    /// All its IP addresses, in their order.
    pub addresses: Vec<Address>,
    /// Where it sits.
    #[serde(flatten)]
    pub found: Found,
}

/// Whoever knows the network of the moment.
pub trait Seeker: Send + Sync {
    /// The machines that are meant: one for a MAC address; for an IP address each that a router knows by it, the latest first.
    fn seek(&self, wanted: Wanted) -> Vec<Sought>;
}

/// Looks for a machine in a scene.
pub fn seek(scene: &Scene<'_>, wanted: Wanted, now: Timestamp) -> Vec<Sought> {
    let macs = match wanted {
        Wanted::Mac(mac) => vec![mac],
        Wanted::Ip(ip) => {
            let mut macs = Vec::new();
            for (_, binding) in super::table::bindings(scene.all, ip.to_canonical()) {
                macs.extend(binding.mac.filter(|mac| !macs.contains(mac)));
            }
            macs
        }
    };
    macs.into_iter().map(|mac| Sought { addresses: addresses(scene, mac), found: find(scene, mac, now) }).collect()
}

fn addresses(scene: &Scene<'_>, mac: MacAddr) -> Vec<Address> {
    let of = |tables: &Arc<super::DeviceTables>| {
        let bound = tables.bindings.iter().filter(|binding| binding.mac == Some(mac));
        let address = |binding: &super::Binding| Address {
            ip: binding.address.to_canonical(),
            router: Arc::clone(&tables.device),
            since: binding.since,
            seen: binding.seen,
        };
        bound.map(address).collect::<Vec<_>>()
    };
    let mut all: Vec<Address> = scene.all.iter().flat_map(of).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::class::Infrastructure;
    use crate::locate::{Binding, DeviceTables};
    use crate::model::Zone;

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    #[test]
    fn an_address_leads_to_everybody_who_has_it_the_latest_first() {
        let ip: IpAddr = "10.1.0.9".parse().unwrap();
        let at = Timestamp::from_secs;
        let binding = |last, seen| Binding { address: ip, mac: Some(mac(last)), if_index: 1, since: at(1), seen: at(seen) };
        let router = |name: &str, binding: Binding| {
            Arc::new(DeviceTables { bindings: Arc::from([binding]), ..DeviceTables::empty(name.into(), Zone::Outer) })
        };
        let all = [router("r1", binding(1, 10)), router("r2", binding(2, 20)), router("r3", binding(1, 5))];
        let infrastructure = Infrastructure::new(&all, &|_| None);
        let scene = Scene { all: &all, infrastructure: &infrastructure, is_listed: &|_, _| false, is_up: &|_, _| None };
        let sought = seek(&scene, Wanted::Ip(ip), at(30));
        assert_eq!(sought.iter().map(|one| one.found.mac).collect::<Vec<_>>(), [mac(2), mac(1)]);
        let routers: Vec<&str> = sought[1].addresses.iter().map(|address| &*address.router).collect();
        assert_eq!(routers, ["r1", "r3"]);
        let by_mac = seek(&scene, Wanted::Mac(mac(7)), at(30));
        assert!(by_mac.len() == 1 && by_mac[0].found.candidates.is_empty() && by_mac[0].addresses.is_empty());
        assert!(seek(&scene, Wanted::Ip("10.1.0.10".parse().unwrap()), at(30)).is_empty());
        let json = serde_json::to_value(&sought[0]).unwrap();
        assert_eq!((json["mac"].as_str(), json["addresses"][0]["ip"].as_str()), (Some("02:00:00:00:00:02"), Some("10.1.0.9")));
    }

    #[test]
    fn any_notation_is_read() {
        for text in ["00:25:90:ab:cd:ef", "0025.90ab.cdef", " 00-25-90-AB-CD-EF ", "002590abcdef"] {
            assert_eq!(text.parse(), Ok(Wanted::Mac(MacAddr([0, 0x25, 0x90, 0xab, 0xcd, 0xef]))), "{text}");
        }
        assert_eq!("::ffff:10.1.0.9".parse(), Ok(Wanted::Ip("10.1.0.9".parse().unwrap())));
        assert_eq!("printer".parse::<Wanted>(), Err(NoAddress));
    }
}
