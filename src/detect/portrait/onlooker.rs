//! Sees whom each of our machines turns to, and whether it is answered: for the portraits only, so a simple view is enough.
//! It runs beside the engine where people look (never in `analyze`); the judgement is the engine's alone.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::{NameSource, Portrait, Portraits, Service, Way};
use crate::capture::packet::{Body, Icmp, Ip, Nanos, Packet, Tcp, Transport};
use crate::capture::payload::{dhcp, dns};
use crate::detect::detection::Machine;
use crate::detect::learn::{Known, Learner};
use crate::detect::quick::{Fixed, Mixer, number};
use crate::detect::sight::{Sight, is_unicast_ip};
use crate::flow::record::Record;

/// The ports of a DHCP client and of its server.
const DHCP: (u16, u16) = (68, 67);
/// Pairs that are remembered: of the last half hour, or of as long as there is room for.
const PAIRS: usize = 65_536;
/// A pair that was not seen for so long is new again, seconds.
const FORGOTTEN_S: u32 = 1800;
/// A contact without an answer for so long has failed, seconds.
const PATIENCE_S: u32 = 6;
/// A day, seconds.
const DAY_S: u32 = 86_400;
/// How often it is looked for those, seconds.
const SWEEP_S: u32 = 2;

/// A contact, and when it was made in seconds; `None` once its outcome is known.
#[derive(Debug)]
struct Pair {
    machine: Machine,
    target: IpAddr,
    service: Service,
    asked: Option<u32>,
    seen: u32,
    /// The day, since the epoch, for which it was learnt that the target answers.
    learnt: u32,
}

/// The view.
#[derive(Debug)]
pub struct Onlooker {
    portraits: Portraits,
    learner: Learner,
    pairs: Fixed<Pair>,
    mixer: Mixer,
    swept: u32,
}

impl Onlooker {
    /// The seed is that of the engine.
    pub fn new(seed: u64) -> Self {
        Self {
            portraits: Portraits::default(),
            learner: Learner::default(),
            pairs: Fixed::new(PAIRS),
            mixer: Mixer::new(seed ^ 0x706f_7274),
            swept: 0,
        }
    }

    /// Everybody as they are now.
    pub fn snapshot(&self) -> Vec<Arc<Portrait>> {
        self.portraits.snapshot()
    }

    /// Goes on with what was known before a restart.
    pub fn restore(&mut self, machines: Vec<Arc<Portrait>>, learnt: &[Known]) {
        self.portraits.restore(machines);
        self.learner.restore(learnt);
    }

    /// What was learnt of machines until now.
    pub fn learnt(&mut self, now: Nanos) -> Vec<Known> {
        self.learner.known(now)
    }

    /// Something is held against these: what they do today teaches nothing.
    pub fn suspect(&mut self, ips: &HashSet<IpAddr>, now: Nanos) {
        self.learner.suspect(ips, now);
    }

    /// Machines that found no room.
    pub const fn shed(&self) -> u64 {
        self.portraits.shed() + self.learner.shed()
    }

    /// Looks at one packet, in the light of what the engine knows of the site.
    pub fn packet(&mut self, packet: &Packet<'_>, sight: &Sight) {
        match &packet.body {
            Body::Arp(arp) if arp.sender != arp.target && !arp.sender.is_unspecified() => {
                let (sender, target) = (IpAddr::V4(arp.sender), IpAddr::V4(arp.target));
                let service = Service { way: Way::Arp, port: 0 };
                if arp.operation == 2 {
                    self.answered(sight, (target, sender, service), true, packet.at);
                } else if !sight.is_router(arp.sender_mac) {
                    self.asked(packet, sight, sender, target, service);
                }
            }
            Body::Ip(ip) if is_unicast_ip(ip.src) => self.ip(packet, ip, sight),
            Body::Ip(ip) => self.named(packet, ip, sight),
            Body::Arp(_) | Body::Other(..) => {}
        }
    }

    /// Time goes on: what was not answered has failed.
    pub fn tick(&mut self, now: Nanos) {
        let second = seconds(now);
        if second < self.swept.saturating_add(SWEEP_S) {
            return;
        }
        self.swept = second;
        for (_, pair) in self.pairs.values_mut() {
            if pair.asked.is_some_and(|asked| asked.saturating_add(PATIENCE_S) <= second) {
                pair.asked = None;
                self.portraits.outcome(&pair.machine, pair.target, pair.service, false, now);
                if let Some(client) = pair.machine.ip {
                    self.learner.failed(client, pair.target, pair.service, now);
                }
            }
        }
    }

    fn ip(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, sight: &Sight) {
        match &ip.transport {
            Transport::Tcp(tcp) if tcp.opens() => {
                self.asked(packet, sight, ip.src, ip.dst, on(Way::Tcp, tcp.dst_port));
                // Behind a router everybody's packets have been passed on.
                if sight.is_watched(ip.src) && packet.src_mac.is_some_and(|mac| !sight.is_router(mac)) {
                    self.learner.opened(ip.src, ip.hops, packet.at);
                }
            }
            Transport::Tcp(tcp) if tcp.accepts() => {
                self.answered(sight, (ip.dst, ip.src, on(Way::Tcp, tcp.src_port)), true, packet.at);
            }
            Transport::Tcp(tcp) if tcp.flags & Tcp::RST != 0 => {
                self.answered(sight, (ip.dst, ip.src, on(Way::Tcp, tcp.src_port)), false, packet.at);
            }
            Transport::Udp(udp) => {
                if !self.answered(sight, (ip.dst, ip.src, on(Way::Udp, udp.src_port)), true, packet.at) {
                    self.asked(packet, sight, ip.src, ip.dst, on(Way::Udp, udp.dst_port));
                }
                self.named(packet, ip, sight);
            }
            Transport::Icmp(icmp) => self.icmp(packet, ip, icmp, sight),
            Transport::Tcp(_) | Transport::Other(_) => {}
        }
    }

    /// Echo requests and their replies (RFC 792, RFC 4443), and what a router says about a packet that it could not deliver.
    fn icmp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, icmp: &Icmp<'_>, sight: &Sight) {
        let echo = on(Way::Icmp, 0);
        match (ip.src.is_ipv4(), icmp.kind, icmp.quoted) {
            (true, 8, _) | (false, 128, _) => self.asked(packet, sight, ip.src, ip.dst, echo),
            (true, 0, _) | (false, 129, _) => {
                self.answered(sight, (ip.dst, ip.src, echo), true, packet.at);
            }
            (true, 3, Some(quoted)) | (false, 1, Some(quoted)) => {
                let service = match quoted.protocol {
                    6 => on(Way::Tcp, quoted.dst_port),
                    17 => on(Way::Udp, quoted.dst_port),
                    _ => echo,
                };
                self.answered(sight, (quoted.src, quoted.dst, service), false, packet.at);
            }
            _ => {}
        }
    }

    /// Looks at one flow. An exporter tells the two directions of a conversation in any order: the side with the port of a
    /// service was asked.
    pub fn flow(&mut self, record: &Record, sight: &Sight) {
        if !is_unicast_ip(record.src) || !is_unicast_ip(record.dst) {
            return;
        }
        let (at, echo) = (Nanos::from(record.last), on(Way::Icmp, 0));
        let way = match (record.protocol, record.dst_port >> 8) {
            (6, _) => Way::Tcp,
            (17, _) => Way::Udp,
            (1, 8) | (58, 128) => return self.turned(record, sight, record.src, record.dst, echo),
            (1, 0) | (58, 129) => {
                self.answered(sight, (record.dst, record.src, echo), true, at);
                return;
            }
            _ => return,
        };
        // Accepted, or at least not refused.
        let is_taken = way == Way::Udp || record.tcp_flags & Tcp::ACK != 0 && record.tcp_flags & (Tcp::SYN | Tcp::RST) != Tcp::RST;
        if self.answered(sight, (record.dst, record.src, on(way, record.src_port)), is_taken, at) {
            return;
        }
        if serves(record.src_port, record.dst_port) {
            let service = on(way, record.src_port);
            self.turned(record, sight, record.dst, record.src, service);
            self.answered(sight, (record.dst, record.src, service), is_taken, at);
            return;
        }
        let service = on(way, record.dst_port);
        self.turned(record, sight, record.src, record.dst, service);
        if way == Way::Tcp && record.tcp_flags & Tcp::ACK != 0 {
            self.answered(sight, (record.src, record.dst, service), true, at);
        }
    }

    /// A machine behind an exporter turned to somebody. Its MAC address is not looked at: of the other direction it is not told.
    fn turned(&mut self, record: &Record, sight: &Sight, source: IpAddr, target: IpAddr, service: Service) {
        let machine = Machine { ip: Some(source), mac: None, vlan: record.vlan };
        self.turns(sight, (source, target, service), Nanos::from(record.last), || machine);
    }

    fn asked(&mut self, packet: &Packet<'_>, sight: &Sight, source: IpAddr, target: IpAddr, service: Service) {
        self.turns(sight, (source, target, service), packet.at, || sight.machine(packet));
    }

    fn turns(&mut self, sight: &Sight, (source, target, service): (IpAddr, IpAddr, Service), at: Nanos, machine: impl FnOnce() -> Machine) {
        if !sight.is_watched(source) || !is_unicast_ip(target) {
            return;
        }
        let second = seconds(at);
        let mut is_new = false;
        let make = || {
            is_new = true;
            Pair { machine: machine(), target, service, asked: Some(second), seen: second, learnt: 0 }
        };
        let key = self.key(source, target, service);
        let Some(pair) = self.pairs.entry(key, second, make) else { return };
        if !is_new && pair.seen.saturating_add(FORGOTTEN_S) <= second {
            (pair.asked, is_new) = (Some(second), true);
        }
        pair.seen = second;
        if is_new {
            let machine = pair.machine;
            self.portraits.contact(&machine, target, service, at);
        }
    }

    /// Whether `source` had turned to `target` so.
    fn answered(&mut self, sight: &Sight, (source, target, service): (IpAddr, IpAddr, Service), is_answered: bool, at: Nanos) -> bool {
        let key = self.key(source, target, service);
        let Some(pair) = self.pairs.find(key) else { return false };
        if pair.asked.take().is_some() {
            self.portraits.outcome(&pair.machine, target, service, is_answered, at);
        }
        let day = seconds(at) / DAY_S;
        if is_answered && pair.learnt != day {
            pair.learnt = day;
            if sight.is_local(target) {
                self.learner.accepted(target, source, service, at);
            }
        }
        true
    }

    /// What a machine calls itself when it asks for a lease, or when it tells its segment its name.
    fn named(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, sight: &Sight) {
        let Transport::Udp(udp) = &ip.transport else { return };
        if packet.src_mac.is_none_or(|mac| sight.is_router(mac)) {
            return;
        }
        if (udp.src_port, udp.dst_port) == DHCP {
            if let Some(name) = dhcp::host_name(udp.data) {
                let machine = Machine { ip: None, ..sight.machine(packet) };
                self.portraits.named(&machine, NameSource::Dhcp, &String::from_utf8_lossy(name), packet.at);
            }
            return;
        }
        let (flavour, source) = match udp.src_port {
            5353 => (dns::Flavour::Mdns, NameSource::Mdns),
            5355 => (dns::Flavour::Llmnr, NameSource::Llmnr),
            137 => (dns::Flavour::Nbns, NameSource::Netbios),
            _ => return,
        };
        if let Some(name) = dns::own_name(flavour, udp.data, ip.src) {
            self.portraits.named(&sight.machine(packet), source, &name, packet.at);
        }
    }

    fn key(&self, source: IpAddr, target: IpAddr, service: Service) -> u64 {
        self.mixer.pair(number(source), number(target), (service.way as u64) << 16 | u64::from(service.port))
    }
}

const fn on(way: Way, port: u16) -> Service {
    Service { way, port }
}

/// Whether the port is that of a service, seen from the other one: a port of the system against one that a client picked.
const fn serves(port: u16, other: u16) -> bool {
    const SYSTEM: u16 = 1024;
    const PICKED: u16 = 32_768;
    (port < SYSTEM && other >= SYSTEM) || (port < PICKED && other >= PICKED)
}

fn seconds(at: Nanos) -> u32 {
    u32::try_from(at.0 / 1_000_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
