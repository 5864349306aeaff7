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
    /// Local addresses that live, from the ARP tables of the routers. `None`: unknown, learnt from the traffic.
    pub live: Option<HashSet<IpAddr>>,
}
