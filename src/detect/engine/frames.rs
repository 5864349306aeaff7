//! What a station's frames show before anybody asks whom it talks to: source addresses that are not its own (rule 13), and
//! broadcast without end (rule 17). Both are charged to the MAC address that has the count, and never to a router's.
//!
//! Facts: `count`, `window`, `threshold`, `sample` (the addresses claimed); of a storm also `rate`, and `equal` when it is one
//! frame again and again.

use std::net::IpAddr;

use crate::capture::packet::{Body, Nanos, Packet, Tcp, Transport};
use crate::detect::quick::{Fixed, Mixer, Recent, address, mac_number, number};
use crate::detect::settings::{Spoof, Storm};
use crate::detect::sight::{Sight, is_unicast, is_unicast_ip};
use crate::detect::{Detection, Kind, Machine};
use crate::model::{Fact, MacAddr};

use super::evidence::{Facts, SAMPLE, places};
use super::level;

/// Stations that are followed at one time.
const STATIONS: usize = 8192;
/// Different frames whose repetition is counted at one time.
const EQUALS: usize = 4096;
/// Stations that forge at one time.
const FORGING: usize = 64;

/// One MAC address.
#[derive(Debug, Default)]
struct Station {
    /// The first source address since `from`, and what came after it. Nearly every station has one or two.
    only: u32,
    claims: Option<Box<Claims>>,
    from: u32,
    first: Nanos,
    /// Frames to groups in the second `second`.
    second: u32,
    frames: u32,
    began: Nanos,
}

/// Several source addresses of one station: hashes, and the first few as they are.
#[derive(Debug, Default)]
struct Claims {
    hashes: Vec<u32>,
    sample: [u128; SAMPLE],
}

#[derive(Clone, Copy, Debug, Default)]
struct Equal {
    second: u32,
    count: u32,
}

/// The two rules with their tables.
#[derive(Debug)]
pub(super) struct Frames {
    spoof: Spoof,
    storm: Storm,
    mixer: Mixer,
    stations: Fixed<Station>,
    recent: Recent,
    equals: Fixed<Equal>,
    /// Stations that were caught, and until when their frames are charged to nobody else.
    forging: Vec<(MacAddr, u32)>,
}

impl Frames {
    pub(super) fn new(spoof: Spoof, storm: Storm, mixer: Mixer) -> Self {
        Self {
            spoof,
            storm,
            mixer,
            stations: Fixed::new(STATIONS),
            recent: Recent::new(8192),
            equals: Fixed::new(EQUALS),
            forging: Vec::new(),
        }
    }

    pub(super) fn set_settings(&mut self, spoof: Spoof, storm: Storm) {
        (self.spoof, self.storm) = (spoof, storm);
    }

    /// Looks at a frame. Its station, when it speaks with an address that it was not heard with within this second.
    pub(super) fn packet(&mut self, packet: &Packet<'_>, second: u32, sight: &Sight, out: &mut Vec<Detection>) -> Option<MacAddr> {
        let mac = packet.src_mac.filter(|mac| is_unicast(*mac))?;
        // The same address again within a second says nothing new.
        let ip =
            claimed(packet, sight).filter(|ip| !self.recent.seen(self.mixer.one(number(*ip), mac_number(mac) ^ u64::from(second) << 48)));
        if let Some(ip) = ip {
            self.claim(packet, mac, ip, second, sight, out);
        }
        if packet.dst_mac.is_some_and(|to| !is_unicast(to)) {
            self.group(packet, mac, second, sight, out);
        }
        ip.map(|_| mac)
    }

    fn claim(&mut self, packet: &Packet<'_>, mac: MacAddr, ip: IpAddr, second: u32, sight: &Sight, out: &mut Vec<Detection>) {
        let (limit, hash) = (usize::from(self.spoof.addresses), self.mixer.one(number(ip), 7) as u32 | 1);
        let Some(station) = self.stations.entry(self.mixer.one(0, mac_number(mac)), second, Station::default) else { return };
        if station.only == 0 || second.saturating_sub(station.from) >= self.spoof.window_s {
            (station.only, station.claims, station.from, station.first) = (hash, None, second, packet.at);
            return;
        }
        if station.only == hash {
            return;
        }
        let claims = station.claims.get_or_insert_default();
        if claims.hashes.len() >= limit || claims.hashes.contains(&hash) {
            return;
        }
        if let Some(place) = claims.sample.get_mut(claims.hashes.len()) {
            *place = number(ip);
        }
        claims.hashes.push(hash);
        if claims.hashes.len() >= limit && !sight.is_router(mac) {
            let count = claims.hashes.len() as u64 + 1;
            let sample = places(claims.sample.iter().filter(|ip| **ip != 0).map(|ip| (address(*ip), 0)));
            let facts = Facts::counted(count, self.spoof.window_s, u64::from(self.spoof.addresses) + 1);
            out.push(detection(Kind::SpoofedSource, mac, packet, station.first, count, facts.text("sample", sample)));
            self.forging.retain(|(other, until)| *other != mac && *until > second);
            if self.forging.len() < FORGING {
                self.forging.push((mac, second.saturating_add(self.spoof.window_s * 2)));
            }
        }
    }

    /// Whether the frames of this station bear addresses that are not its own: what they do is not to be held against those whose
    /// addresses they are.
    pub(super) fn forges(&self, mac: Option<MacAddr>, second: u32) -> bool {
        !self.forging.is_empty() && mac.is_some_and(|mac| self.forging.iter().any(|(other, until)| *other == mac && *until > second))
    }

    fn group(&mut self, packet: &Packet<'_>, mac: MacAddr, second: u32, sight: &Sight, out: &mut Vec<Detection>) {
        let Some(station) = self.stations.entry(self.mixer.one(0, mac_number(mac)), second, Station::default) else { return };
        if station.second != second {
            (station.second, station.frames, station.began) = (second, 0, packet.at);
        }
        station.frames = station.frames.saturating_add(1);
        let (frames, began) = (station.frames, station.began);
        let Some(equal) = self.equals.entry(look(self.mixer, packet), second, Equal::default) else { return };
        if equal.second != second {
            *equal = Equal { second, count: 0 };
        }
        equal.count = equal.count.saturating_add(1);
        let loops = equal.count > self.storm.equal_per_s;
        // Told once a second at most for each frame and each station.
        let told = frames == self.storm.frames_per_s.saturating_add(1) || equal.count == self.storm.equal_per_s.saturating_add(1);
        if told && !sight.is_router(mac) {
            let limit = if loops { self.storm.equal_per_s } else { self.storm.frames_per_s };
            let count = u64::from(if loops { equal.count } else { frames });
            let facts = Facts::counted(count, 1, u64::from(limit) + 1).with("rate", Fact::PerSecond(f64::from(frames)));
            let facts = if loops { facts.number("equal", count) } else { facts };
            out.push(detection(Kind::Storm, mac, packet, began, u64::from(frames), facts));
        }
    }
}

fn detection(kind: Kind, mac: MacAddr, packet: &Packet<'_>, first: Nanos, contacts: u64, facts: Facts) -> Detection {
    let machine = Machine { ip: None, mac: Some(mac), vlan: packet.vlan };
    Detection { kind, level: level::first(kind), cleared: false, machine, first, last: packet.at, contacts, evidence: facts.done() }
}

/// The address that a frame claims to come from. Where the site names no routers, answers do not count: they may be those of
/// the whole world, come by a router of which nothing else was seen yet.
fn claimed(packet: &Packet<'_>, sight: &Sight) -> Option<IpAddr> {
    let ip = match &packet.body {
        Body::Arp(arp) => IpAddr::V4(arp.sender),
        Body::Ip(ip) if sight.names_routers() => ip.src,
        Body::Ip(ip) => match &ip.transport {
            Transport::Tcp(tcp) if tcp.flags & (Tcp::ACK | Tcp::RST) != 0 => return None,
            _ => ip.src,
        },
        Body::Other(..) => return None,
    };
    Some(ip).filter(|ip| is_unicast_ip(*ip) && !ip.is_loopback())
}

/// What makes a frame equal to another: everything but what a router or a sender would change from one to the next.
fn look(mixer: Mixer, packet: &Packet<'_>) -> u64 {
    let from = mac_number(packet.src_mac.unwrap_or(MacAddr([0; 6])));
    let octets = |data: &[u8]| {
        data.chunks(8).take(16).fold(0, |hash, chunk| mixer.one(chunk.iter().fold(0, |word, octet| word << 8 | u128::from(*octet)), hash))
    };
    let head = from ^ u64::from(packet.wire_octets) << 48;
    match &packet.body {
        Body::Arp(arp) => mixer.pair(number(arp.sender.into()), number(arp.target.into()), head ^ u64::from(arp.operation)),
        Body::Ip(ip) => {
            let (ports, data) = match &ip.transport {
                Transport::Tcp(tcp) => (u64::from(tcp.src_port) << 16 | u64::from(tcp.dst_port), octets(tcp.data)),
                Transport::Udp(udp) => (u64::from(udp.src_port) << 16 | u64::from(udp.dst_port), octets(udp.data)),
                Transport::Icmp(icmp) => (u64::from(icmp.kind), octets(icmp.data)),
                Transport::Other(protocol) => (u64::from(*protocol), 0),
            };
            mixer.pair(number(ip.src), number(ip.dst), head ^ ports ^ data)
        }
        Body::Other(kind, data) => mixer.one(u128::from(*kind), head ^ octets(data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::{Arp, Ip};
    use crate::detect::{Engine, Settings, Site};

    const BROADCAST: MacAddr = MacAddr([0xff; 6]);

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    fn from(src: IpAddr, at_ms: u64) -> Packet<'static> {
        let tcp = Tcp { src_port: 1, dst_port: 80, flags: Tcp::SYN, data_octets: 0, data: &[] };
        let ip = Ip { src, dst: [8, 8, 8, 8].into(), hops: 64, extensions: 0, later_fragment: false, transport: Transport::Tcp(tcp) };
        Packet {
            at: Nanos(at_ms * 1_000_000),
            wire_octets: 60,
            src_mac: Some(mac(1)),
            dst_mac: Some(mac(9)),
            vlan: None,
            body: Body::Ip(ip),
        }
    }

    fn asks(at_ms: u64, target: [u8; 4]) -> Packet<'static> {
        let arp =
            Arp { operation: 1, sender_mac: mac(1), sender: [10, 0, 0, 1].into(), target_mac: MacAddr([0; 6]), target: target.into() };
        Packet {
            at: Nanos(at_ms * 1_000_000),
            wire_octets: 60,
            src_mac: Some(mac(1)),
            dst_mac: Some(BROADCAST),
            vlan: Some(3),
            body: Body::Arp(arp),
        }
    }

    fn told(site: Site, packets: impl Iterator<Item = Packet<'static>>, kind: Kind) -> Vec<Detection> {
        let mut engine = Engine::new(Settings::default(), site, 7);
        packets.for_each(|packet| engine.packet(&packet));
        engine.take().into_iter().filter(|detection| detection.kind == kind).collect()
    }

    #[test]
    fn a_station_has_few_addresses() {
        let spoofed = |count: u8| (0..count).map(|last| from([172, 16, 5, last].into(), u64::from(last)));
        assert!(told(Site::default(), spoofed(30), Kind::SpoofedSource).is_empty());
        let found = told(Site::default(), spoofed(31), Kind::SpoofedSource);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].machine.mac, found[0].contacts), (Some(mac(1)), 31));
        assert_eq!(found[0].evidence["count"], Fact::Count(31));
        let router = Site { routers: [mac(1)].into(), ..Site::default() };
        assert!(told(router, spoofed(200), Kind::SpoofedSource).is_empty(), "a router carries the packets of others");
    }

    #[test]
    fn addresses_over_a_long_time_are_no_spoofing() {
        let slow = (0..200_u8).map(|last| from([172, 16, 5, last].into(), u64::from(last) * 500));
        assert!(told(Site::default(), slow, Kind::SpoofedSource).is_empty());
    }

    #[test]
    fn a_storm_is_charged_to_the_station_that_has_the_count() {
        let different = |count: u16| (0..count).map(|at| asks(u64::from(at % 1000), [10, 1, (at >> 8) as u8, (at & 0xff) as u8]));
        assert!(told(Site::default(), different(800), Kind::Storm).is_empty());
        let found = told(Site::default(), different(801), Kind::Storm);
        assert_eq!((found.len(), found[0].machine.mac, found[0].machine.vlan), (1, Some(mac(1)), Some(3)));
        let equal = |count: u16| (0..count).map(|_| asks(5, [10, 0, 0, 2]));
        assert!(told(Site::default(), equal(200), Kind::Storm).is_empty());
        let found = told(Site::default(), equal(201), Kind::Storm);
        assert_eq!(found[0].evidence["equal"], Fact::Count(201));
        let router = Site { routers: [mac(1)].into(), ..Site::default() };
        assert!(told(router, equal(1000), Kind::Storm).is_empty());
    }
}
