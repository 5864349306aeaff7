//! Machines that many talk to, or that talk to many because it is their work: mail with its block lists, proxy, pushing of
//! updates, backup, the monitor, the routers themselves; and the world that knocks at public addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::chance::Chance;
use super::frame;
use super::people::{fate, site};
use super::talk::{Name, ONCE, Talk};
use super::town::Role;
use super::world::{Actor, Answer, World};

pub(crate) fn enter(world: &mut World) {
    for host in 0..world.town.hosts.len() {
        let mut chance = super::stream(world, 40, host);
        let t = chance.between(0.0, 20.0);
        match world.town.hosts[host].role {
            Role::Mail => world.enter(t, Mail { host, chance }),
            Role::Proxy => world.enter(t, Proxy { host, chance }),
            Role::Push => {
                let t = chance.between(60.0, f64::from(world.plan.seconds) * 0.5);
                world.enter(t, Push { host, next: 0, chance });
            }
            Role::Backup => world.enter(t, Backup { host, chance }),
            Role::Monitor => world.enter(t, Monitor { host, next: 0, round: 0 }),
            _ => {}
        }
    }
    let chance = super::stream(world, 41, 0);
    world.enter(0.5, Routers { chance });
    if world.plan.public {
        let chance = super::stream(world, 42, 0);
        world.enter(1.0, Knocking { chance });
    }
}

/// A mail server: hosts of the world, some of them gone; lists of bad senders, where most are not found.
struct Mail {
    host: usize,
    chance: Chance,
}

impl Actor for Mail {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let from = self.chance.bits() as u32;
        let [a, b, c, d] = from.to_be_bytes();
        for list in ["bl.example", "zen.list.example", "dnsbl.sample.example"] {
            let missing = self.chance.chance(0.75);
            world.lookup(t, self.host, &format!("{d}.{c}.{b}.{a}.{list}"), if missing { Name::Missing } else { Name::Found });
        }
        if self.chance.chance(0.5) {
            let dst = IpAddr::V4(Ipv4Addr::from(0x4a00_0000 | ((self.chance.rank(2_000) as u32) * 409)));
            let far = match self.chance.below(20) {
                0 | 1 => Answer::Silent,
                2 => Answer::Refused,
                _ => Answer::Open,
            };
            world.connect(t, self.host, dst, 25, Some(far), Talk { there: 6, back: 5, pause: 0.1, ..Talk::SHORT });
        }
        Some(t + self.chance.wait(3.0))
    }
}

/// The web proxy of those who have no other way out.
struct Proxy {
    host: usize,
    chance: Chance,
}

impl Actor for Proxy {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let rank = self.chance.rank(6_000);
        let far = fate(world, rank);
        world.connect(t, self.host, IpAddr::V4(site(rank)), 443, Some(far), Talk { back: 6, ..Talk::SHORT });
        Some(t + self.chance.wait(0.4 / world.plan.busy))
    }
}

/// Goes through all machines and installs something.
struct Push {
    host: usize,
    next: usize,
    chance: Chance,
}

impl Actor for Push {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        while let Some(target) = world.town.hosts.get(self.next) {
            self.next += 1;
            if target.role == Role::Desk {
                let dst = IpAddr::V4(target.ip);
                let port = *self.chance.pick(&[445, 445, 135]).unwrap_or(&445);
                world.connect(t, self.host, dst, port, None, Talk { there: 5, ..Talk::SHORT });
                return Some(t + self.chance.wait(0.3));
            }
        }
        self.next = 0;
        Some(t + 900.0)
    }
}

/// Copies machines, many segments each.
struct Backup {
    host: usize,
    chance: Chance,
}

impl Actor for Backup {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let servers = world.town.of(Role::Server);
        let dst = world.address(self.chance.pick(&servers).copied()?);
        let talk = Talk { there: 10, back: self.chance.heavy(40.0, 1.0, 800.0) as u16, pause: 0.003, ..Talk::SHORT };
        world.connect(t, self.host, dst, 445, None, talk);
        Some(t + self.chance.wait(15.0))
    }
}

/// Our own poller: pings and asks everybody.
struct Monitor {
    host: usize,
    next: usize,
    round: u16,
}

impl Actor for Monitor {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.next += 7;
        if self.next >= world.town.hosts.len() {
            self.next %= 7;
            self.round += 1;
        }
        let dst = world.address(self.next % world.town.hosts.len());
        world.echo(t, self.host, dst, self.round, true);
        if self.next.is_multiple_of(4) {
            let sport = world.port(self.host);
            world.datagram(t, self.host, sport, dst, 161, &[0x30; 42], None);
        }
        Some(t + 0.1)
    }
}

/// Routers: hellos to their peers, advertisements, ARP for those whom they know.
struct Routers {
    chance: Chance,
}

impl Actor for Routers {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let second = t as u64;
        for number in 0..world.town.subnets.len() {
            let network = world.town.subnets[number].clone();
            let hello = frame::udp(1985, 1985, &[0, 0, 16, 3, 10, 100, 1, 0]);
            let from = IpAddr::V4(network.gateway);
            if second.is_multiple_of(3)
                && let Some(body) = frame::packet(from, Ipv4Addr::new(224, 0, 0, 2).into(), 1, &hello)
            {
                world.raw(t, Some(number), network.gateway_mac, [1, 0, 0x5e, 0, 0, 2], 0x0800, &body, 0);
            }
            if second.is_multiple_of(30) {
                let load = frame::advertisement(network.router_mac, network.six(0));
                let from = world.link_local(network.router_mac);
                if let Some(body) = frame::packet(from, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).into(), 255, &load) {
                    world.raw(t, Some(number), network.router_mac, [0x33, 0x33, 0, 0, 0, 1], 0x86dd, &body, 0);
                }
            }
            if second.is_multiple_of(2) {
                let bridge = [0x42, 0x42, 3, 0, 0, 0, 0, 0, 0x80, 0];
                let from = [network.router_mac[0], 0x1e, 0x4a, 0, 1, number as u8];
                world.raw(t, Some(number), from, [1, 0x80, 0xc2, 0, 0, 0], 38, &bridge, 0);
            }
        }
        let host = self.chance.below(world.town.hosts.len() as u64) as usize;
        let (subnet, target) = (world.town.hosts[host].subnet, world.town.hosts[host].ip);
        let network = world.town.subnets[subnet].clone();
        world.ask(t + 0.3, subnet, network.router_mac, network.gateway, target);
        Some(t + 1.0)
    }
}

/// The world's scanners at our public addresses: outsiders, and not our machines' fault.
struct Knocking {
    chance: Chance,
}

impl Actor for Knocking {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let from = IpAddr::V4(Ipv4Addr::from(0x5000_0000 | (self.chance.below(40) as u32 * 65_537)));
        let [a, b] = world.town.prefix;
        let subnet = world.town.subnets[self.chance.below(world.town.subnets.len() as u64) as usize].base[2];
        let dst = IpAddr::V4(Ipv4Addr::new(a, b, subnet, self.chance.among(1, 254) as u8));
        let port = *self.chance.pick(&[23, 445, 22, 80, 8080, 3389, 6379]).unwrap_or(&23);
        if !world.is_out(t) {
            world.knock(t, from, dst, port);
        }
        Some(t + self.chance.wait(0.7))
    }
}

impl World {
    /// Somebody outside tries one of ours.
    fn knock(&mut self, t: f64, from: IpAddr, dst: IpAddr, port: u16) {
        let sport = 1_024 + self.chance.below(60_000) as u16;
        let syn = frame::tcp(sport, port, frame::SYN, 0);
        self.arrive(t, from, dst, &syn);
        match self.local_answer(dst, port) {
            Some(Answer::Open) => {
                self.send(t + 1e-3, dst, from, &frame::tcp(port, sport, frame::SYN_ACK, 0));
                self.arrive(t + 0.1, from, dst, &frame::tcp(sport, port, frame::RST, 0));
            }
            Some(Answer::Refused) => self.send(t + 1e-3, dst, from, &frame::tcp(port, sport, frame::RST_ACK, 0)),
            _ => {}
        }
    }

    /// A packet from outside for one of ours, for whom the router may have to ask in vain.
    pub(crate) fn arrive(&mut self, t: f64, from: IpAddr, dst: IpAddr, load: &frame::Load) {
        let (IpAddr::V4(target), Some(subnet)) = (dst, self.town.subnet_of(dst)) else { return };
        if self.router_resolves(t, subnet, target).is_some() {
            self.send(t, from, dst, load);
        }
    }
}

/// A talk of a crawler or tester: opened once.
pub(crate) const QUICK: Talk = Talk { there: 1, back: 2, pause: 0.002, again: ONCE, closes: true };
