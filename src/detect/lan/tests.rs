//! The judges of the segment at their boundaries, and under anything at all.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::capture::packet::{Arp, Icmp, Nanos, Udp};
use crate::detect::{Kind, Level, Site};
use crate::model::{Fact, MacAddr};

mod addresses;
mod corpus;
mod leases;
mod names;
mod storm_of_anything;

const BROADCAST: MacAddr = MacAddr([0xff; 6]);
const GATEWAY: MacAddr = mac(254);

const fn mac(last: u8) -> MacAddr {
    MacAddr([0x00, 0x25, 0x90, 0, 0, last])
}

fn ip(last: u8) -> IpAddr {
    IpAddr::V4(v4(last))
}

const fn v4(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 0, last)
}

/// The judges with a site and a clock that the test moves.
struct Bench {
    lan: Lan,
    sight: Sight,
    ms: u64,
    found: Vec<Detection>,
}

impl Bench {
    fn new(site: Site) -> Self {
        Self { lan: Lan::new(&Settings::default(), 7), sight: Sight::new(site, 7), ms: 10_000, found: Vec::new() }
    }

    /// A site that names its gateway, with its MAC address.
    fn with_gateway() -> Self {
        Self::new(Site { gateways: vec![(ip(254), Some(GATEWAY))], ..Site::default() })
    }

    fn wait_ms(&mut self, ms: u64) {
        self.ms += ms;
    }

    fn frame(&mut self, from: MacAddr, to: MacAddr, body: Body<'_>) {
        let at = Nanos(1_700_000_000_000_000_000 + self.ms * 1_000_000);
        let packet = Packet { at, wire_octets: 100, src_mac: Some(from), dst_mac: Some(to), vlan: None, body };
        self.lan.packet(&packet, Now { ms: self.ms, at }, &self.sight, &mut self.found);
    }

    fn udp(&mut self, from: (MacAddr, IpAddr, u16), to: (MacAddr, IpAddr, u16), data: &[u8]) {
        let transport = Transport::Udp(Udp { src_port: from.2, dst_port: to.2, data });
        let ip = Ip { src: from.1, dst: to.1, hops: 64, extensions: 0, later_fragment: false, transport };
        self.frame(from.0, to.0, Body::Ip(ip));
    }

    /// The MAC addresses and levels that were told of a kind, in order, each once.
    fn told(&self, kind: Kind) -> Vec<(MacAddr, Level)> {
        let mut told: Vec<(MacAddr, Level)> = Vec::new();
        for detection in self.found.iter().filter(|detection| detection.kind == kind) {
            let one = (detection.machine.mac.unwrap(), detection.level);
            if !told.contains(&one) {
                told.push(one);
            }
        }
        told
    }

    fn fact(&self, name: &str) -> &Fact {
        &self.found.last().unwrap().evidence[name]
    }
}
