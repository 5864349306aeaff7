//! What is known about the site, without which half of what is normal looks like an attack: routers, servers, resolvers, the
//! addresses that live. Learnt from SNMP and ARP tables, configured, or read by `analyze` from a file.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::MacAddr;

/// The facts. What is empty is unknown, and is learnt from the traffic where that is possible.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Site {
    /// Our own addresses. Empty: private, link-local and unique-local addresses count as ours.
    pub local: Vec<IpNet>,
    /// MAC addresses of routers: frames with these carry others' addresses, and routers ask by ARP for whoever is scanned.
    pub routers: HashSet<MacAddr>,
    /// Addresses of gateways, with the MAC address that is theirs where it is known.
    pub gateways: Vec<(IpAddr, Option<MacAddr>)>,
    /// Servers: many talk to them, and they may talk to many.
    pub servers: HashSet<IpAddr>,
    /// Mail servers, which may send mail to the world.
    pub mail: HashSet<IpAddr>,
    /// Resolvers, which may ask the world for names.
    pub resolvers: HashSet<IpAddr>,
    /// DHCP servers by address. Both `dhcp` empty: the first that is seen is believed, the second is told.
    pub dhcp: HashSet<IpAddr>,
    /// DHCP servers and relays by MAC address.
    pub dhcp_macs: HashSet<MacAddr>,
    /// Machines about which nothing is told: this monitor, declared scanners.
    pub exempt: HashSet<IpAddr>,
    /// The same by MAC address.
    pub exempt_macs: HashSet<MacAddr>,
    /// The inner side of a network whose two sides are physically apart: nobody there may send to a public address.
    pub inner: Vec<IpNet>,
    /// Local addresses that live, from the ARP tables of the routers. `None`: unknown, learnt from the traffic.
    pub live: Option<HashSet<IpAddr>>,
    /// The networks of which `live` tells everybody: /24 and /64. Empty: all. In a network whose router nobody reads, an
    /// address that is not in `live` is not dead but unknown.
    pub charted: HashSet<IpNet>,
}

impl Site {
    /// Whether an address that is not in `live` is known to be dead.
    pub fn is_charted(&self, address: IpAddr) -> bool {
        self.charted.is_empty() || chart(address).is_some_and(|network| self.charted.contains(&network))
    }
}

/// The network of [`Site::charted`] that an address lies in.
pub(super) fn chart(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, length).ok().map(|network| network.trunc())
}
