//! The facts of a site in quick form, with what the traffic itself teaches: which MAC addresses are routers, which local
//! addresses live. Every judge asks here; nothing here judges.

use std::net::{IpAddr, Ipv4Addr};

use crate::capture::packet::{Body, Packet, Transport};
use crate::capture::payload::dns;
use crate::model::MacAddr;

use super::quick::{Fixed, Mixer, Quick, Recent, mac_number, number};
use super::{Machine, Site};

/// So many different destinations beyond one MAC address make it a router.
const DESTINATIONS_OF_A_ROUTER: u8 = 8;
/// MAC addresses of which it is remembered what was sent to them.
const HOPS: usize = 4096;
/// Local addresses that were seen alive, on top of the site's own list.
const ALIVE: usize = 65_536;
/// Addresses that the DNS gave lately.
const NAMED: usize = 65_536;
/// So many addresses of one answer count: who answers with hundreds wants to excuse somebody.
const NAMED_AT_ONCE: usize = 16;
/// Stations that were seen to speak of something else than leases.
const SPEAKERS: usize = 16_384;

/// What is known, asked for every packet.
#[derive(Debug)]
pub struct Sight {
    site: Site,
    mixer: Mixer,
    ranges: Vec<(u128, u128)>,
    knows_v4: bool,
    knows_v6: bool,
    routers: Quick<MacAddr>,
    gateways: Quick<IpAddr>,
    /// Routers that the traffic showed. Only where the site names none: who can name routers is not to be taught by strangers.
    learnt: Quick<MacAddr>,
    hops: Fixed<Hop>,
    alive: Fixed<()>,
    recent: Recent,
    named: Recent,
    speakers: Recent,
    second: u32,
}

/// What is sent to one MAC address.
#[derive(Debug, Default)]
struct Hop {
    destinations: u8,
}

impl Sight {
    /// The facts of a site; the seed is that of the engine.
    pub fn new(site: Site, seed: u64) -> Self {
        let mut sight = Self {
            site: Site::default(),
            mixer: Mixer::new(seed ^ 0x5167_6874),
            ranges: Vec::new(),
            knows_v4: false,
            knows_v6: false,
            routers: Quick::default(),
            gateways: Quick::default(),
            learnt: Quick::default(),
            hops: Fixed::new(HOPS),
            alive: Fixed::new(ALIVE),
            recent: Recent::new(8192),
            named: Recent::new(NAMED),
            speakers: Recent::new(SPEAKERS),
            second: 0,
        };
        sight.set_site(site);
        sight
    }

    /// Takes new facts; what was learnt stays.
    pub fn set_site(&mut self, site: Site) {
        self.ranges = site.local.iter().map(|net| (number(net.network()), number(net.broadcast()))).collect();
        self.knows_v4 = site.local.iter().any(|net| net.addr().is_ipv4());
        self.knows_v6 = site.local.iter().any(|net| net.addr().is_ipv6());
        self.routers = site.routers.iter().copied().chain(site.gateways.iter().filter_map(|(_, mac)| *mac)).collect();
        self.gateways = site.gateways.iter().map(|(ip, _)| *ip).collect();
        self.site = site;
    }

    /// The facts as they were given.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// Learns from a packet, before it is judged. `second` only grows.
    pub fn learn(&mut self, packet: &Packet<'_>, second: u32) {
        self.second = second;
        match &packet.body {
            Body::Ip(ip) => {
                if let Transport::Udp(udp) = &ip.transport
                    && udp.src_port == 53
                {
                    self.learn_names(udp.data);
                }
                if let Some(mac) = packet.dst_mac.filter(|mac| is_unicast(*mac) && self.routers.is_empty()) {
                    self.learn_hop(mac, ip.dst);
                }
                if self.site.live.is_some() && packet.src_mac.is_none_or(|mac| !self.is_router(mac)) {
                    self.learn_alive(ip.src);
                }
            }
            // A request for an address says nothing of that address; its sender lives.
            Body::Arp(arp) if self.site.live.is_some() && !arp.sender.is_unspecified() => self.learn_alive(IpAddr::V4(arp.sender)),
            Body::Arp(_) | Body::Other(..) => {}
        }
    }

    fn learn_hop(&mut self, mac: MacAddr, to: IpAddr) {
        let pair = self.mixer.one(number(to), mac_number(mac));
        if !is_unicast_ip(to) || self.learnt.contains(&mac) || self.recent.seen(pair) {
            return;
        }
        let Some(hop) = self.hops.entry(self.mixer.one(0, mac_number(mac)), self.second, Hop::default) else { return };
        hop.destinations = hop.destinations.saturating_add(1);
        if hop.destinations >= DESTINATIONS_OF_A_ROUTER && self.learnt.len() < HOPS {
            self.learnt.insert(mac);
        }
    }

    fn learn_names(&mut self, data: &[u8]) {
        let Some(message) = dns::Message::parse(data).filter(|message| message.is_response && message.rcode == 0) else { return };
        for address in message.addresses().take(NAMED_AT_ONCE) {
            self.named.seen(self.mixer.one(number(address), 2));
        }
    }

    /// Takes note of a station that speaks with an address of its own.
    pub fn learn_speaker(&mut self, mac: MacAddr) {
        self.speakers.seen(self.mixer.one(3, mac_number(mac)));
    }

    fn learn_alive(&mut self, ip: IpAddr) {
        let key = self.mixer.one(number(ip), 1);
        if !self.recent.seen(key) && self.is_local(ip) {
            self.alive.entry(key, self.second, || ());
        }
    }

    /// Whether the address is one of ours. Where the site names no prefix of the family: private, link-local, unique-local.
    pub fn is_local(&self, ip: IpAddr) -> bool {
        let known = if ip.is_ipv4() { self.knows_v4 } else { self.knows_v6 };
        if known {
            let it = number(ip);
            return is_link_local(ip) || self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&it));
        }
        match ip {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unique_local(),
        }
    }

    /// Whether contacts of this address are held against it: ours, or any where the site does not say which are ours.
    pub fn is_watched(&self, ip: IpAddr) -> bool {
        let known = if ip.is_ipv4() { self.knows_v4 } else { self.knows_v6 };
        is_unicast_ip(ip) && (!known || self.is_local(ip))
    }

    /// Whether frames with this MAC address carry the packets of others.
    pub fn is_router(&self, mac: MacAddr) -> bool {
        self.routers.contains(&mac) || (self.routers.is_empty() && self.learnt.contains(&mac)) || is_virtual(mac)
    }

    /// Whether the site names its routers. Where it does not, they are learnt from what is sent to them.
    pub fn names_routers(&self) -> bool {
        !self.routers.is_empty()
    }

    /// Whether the address is a gateway's.
    pub fn is_gateway(&self, ip: IpAddr) -> bool {
        self.gateways.contains(&ip)
    }

    /// The MAC address that a gateway is known to have.
    pub fn gateway_mac(&self, ip: IpAddr) -> Option<MacAddr> {
        self.site.gateways.iter().find(|(gateway, _)| *gateway == ip).and_then(|(_, mac)| *mac)
    }

    /// Whether it is a declared server.
    pub fn is_server(&self, ip: IpAddr) -> bool {
        self.site.servers.contains(&ip)
    }

    /// Whether it is a declared mail server.
    pub fn is_mail(&self, ip: IpAddr) -> bool {
        self.site.mail.contains(&ip)
    }

    /// Whether it is a declared resolver.
    pub fn is_resolver(&self, ip: IpAddr) -> bool {
        self.site.resolvers.contains(&ip)
    }

    /// Whether it is a declared DHCP server or relay.
    pub fn is_dhcp(&self, ip: Option<IpAddr>, mac: Option<MacAddr>) -> bool {
        ip.is_some_and(|ip| self.site.dhcp.contains(&ip)) || mac.is_some_and(|mac| self.site.dhcp_macs.contains(&mac))
    }

    /// Whether the site names its DHCP servers.
    pub fn knows_dhcp(&self) -> bool {
        !self.site.dhcp.is_empty() || !self.site.dhcp_macs.is_empty()
    }

    /// Whether nothing is to be told about this machine.
    pub fn is_exempt(&self, ip: Option<IpAddr>, mac: Option<MacAddr>) -> bool {
        ip.is_some_and(|ip| self.site.exempt.contains(&ip)) || mac.is_some_and(|mac| self.site.exempt_macs.contains(&mac))
    }

    /// Whether a machine may never be cut off: routers, gateways, servers of any kind.
    pub fn is_protected(&self, machine: &Machine) -> bool {
        let by_ip = |ip| self.is_gateway(ip) || self.is_server(ip) || self.is_mail(ip) || self.is_resolver(ip);
        machine.ip.is_some_and(by_ip) || machine.mac.is_some_and(|mac| self.is_router(mac)) || self.is_dhcp(machine.ip, machine.mac)
    }

    /// Whether it is a local address where nobody lives. Where the site does not know who lives, nothing is dark.
    pub fn is_dark(&self, ip: IpAddr) -> bool {
        let Some(live) = &self.site.live else { return false };
        let known = live.contains(&ip) || self.is_gateway(ip) || self.is_server(ip);
        !known
            && is_unicast_ip(ip)
            && !is_link_local(ip)
            && self.is_local(ip)
            && self.site.is_charted(ip)
            && !self.alive.contains(self.mixer.one(number(ip), 1))
    }

    /// Whether the DNS gave this address lately: who turns to it looks for somebody by name. Scanners have no names.
    pub fn is_named(&self, ip: IpAddr) -> bool {
        self.named.holds(self.mixer.one(number(ip), 2))
    }

    /// Whether a station was seen to speak with an address of its own, by ARP or IP.
    pub fn has_spoken(&self, mac: MacAddr) -> bool {
        self.speakers.holds(self.mixer.one(3, mac_number(mac)))
    }

    /// Who sent a frame: by MAC address on this segment, by IP address alone when a router sent it on.
    pub fn machine(&self, packet: &Packet<'_>) -> Machine {
        let ip = match &packet.body {
            Body::Ip(ip) => Some(ip.src).filter(|ip| !ip.is_unspecified()),
            Body::Arp(arp) => Some(IpAddr::V4(arp.sender)).filter(|ip| !ip.is_unspecified()),
            Body::Other(..) => None,
        };
        let routed = packet.src_mac.is_some_and(|mac| self.is_router(mac)) && matches!(packet.body, Body::Ip(_));
        Machine { ip, mac: packet.src_mac.filter(|_| !routed), vlan: packet.vlan }
    }
}

/// Whether the MAC address belongs to a redundancy protocol of routers (VRRP, HSRP versions 1 and 2, GLBP), not to a machine.
pub const fn is_virtual(mac: MacAddr) -> bool {
    matches!(
        mac.0,
        [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, _]
            | [0x00, 0x00, 0x0c, 0x07, 0xac, _]
            | [0x00, 0x00, 0x0c, 0x9f, 0xf0..=0xff, _]
            | [0x00, 0x05, 0x73, 0xa0, 0x00..=0x0f, _]
            | [0x00, 0x07, 0xb4, _, _, _]
    )
}

/// Whether a MAC address is that of one station.
pub const fn is_unicast(mac: MacAddr) -> bool {
    mac.0[0] & 1 == 0
}

/// Whether an address is that of one machine: not unspecified, multicast or broadcast.
pub fn is_unicast_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4 == Ipv4Addr::BROADCAST || v4.octets()[0] == 0),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified()),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::{Ip, Nanos, Transport};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn frame(from: u8, to: u8, src: IpAddr, dst: IpAddr) -> Packet<'static> {
        let body = Body::Ip(Ip { src, dst, hops: 64, extensions: 0, later_fragment: false, transport: Transport::Other(89) });
        let mac = |last| Some(MacAddr([2, 0, 0, 0, 0, last]));
        Packet { at: Nanos(0), wire_octets: 60, src_mac: mac(from), dst_mac: mac(to), vlan: Some(7), body }
    }

    #[test]
    fn without_prefixes_private_is_ours_and_everybody_is_watched() {
        let sight = Sight::new(Site::default(), 1);
        assert!(sight.is_local(ip("10.1.2.3")) && sight.is_local(ip("fd00::1")) && !sight.is_local(ip("8.8.8.8")));
        assert!(sight.is_watched(ip("8.8.8.8")) && !sight.is_watched(ip("224.0.0.1")) && !sight.is_watched(ip("255.255.255.255")));
    }

    #[test]
    fn with_prefixes_only_ours_are_watched() {
        let site = Site { local: vec!["172.20.0.0/16".parse().unwrap()], ..Site::default() };
        let sight = Sight::new(site, 1);
        assert!(sight.is_watched(ip("172.20.255.1")) && !sight.is_watched(ip("172.21.0.1")) && !sight.is_watched(ip("10.0.0.1")));
        assert!(sight.is_watched(ip("169.254.1.1")), "link-local is always ours");
        assert!(sight.is_watched(ip("2001:db8::1")), "nothing is said of IPv6");
    }

    #[test]
    fn a_router_is_learnt_from_what_goes_through_it_unless_the_site_names_them() {
        let mut sight = Sight::new(Site::default(), 1);
        for last in 1..=7 {
            sight.learn(&frame(1, 9, ip("10.0.0.1"), [8, 8, 8, last].into()), 1);
        }
        let router = MacAddr([2, 0, 0, 0, 0, 9]);
        assert!(!sight.is_router(router));
        sight.learn(&frame(1, 9, ip("10.0.0.1"), ip("8.8.8.8")), 1);
        assert!(sight.is_router(router));
        assert_eq!(
            sight.machine(&frame(9, 1, ip("8.8.8.8"), ip("10.0.0.1"))),
            Machine { ip: Some(ip("8.8.8.8")), mac: None, vlan: Some(7) }
        );
        sight.set_site(Site { routers: [MacAddr([2, 0, 0, 0, 0, 5])].into(), ..Site::default() });
        assert!(!sight.is_router(router), "the site's word is the last");
    }

    #[test]
    fn dark_is_only_what_a_known_site_does_not_know() {
        let blind = Sight::new(Site::default(), 1);
        assert!(!blind.is_dark(ip("10.0.0.77")));
        let mut sight = Sight::new(Site { live: Some([ip("10.0.0.1")].into()), ..Site::default() }, 1);
        assert!(!sight.is_dark(ip("10.0.0.1")) && sight.is_dark(ip("10.0.0.77")) && !sight.is_dark(ip("8.8.8.8")));
        sight.learn(&frame(1, 2, ip("10.0.0.77"), ip("10.0.0.1")), 1);
        assert!(!sight.is_dark(ip("10.0.0.77")), "it spoke");
    }
}
