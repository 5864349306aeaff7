//! What people's machines do all day: browse with a heavy tail and stale addresses, look up names that do not exist, keep
//! shares and printers open, call each other, keep the time; and what every system does by itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::chance::{Chance, mix};
use super::frame;
use super::talk::{Name, PATIENT, Talk};
use super::town::Role;
use super::world::{Actor, Answer, World};

/// How many sites there are outside.
const SITES: usize = 6_000;

pub(crate) fn enter(world: &mut World) {
    for host in 0..world.town.hosts.len() {
        let mut chance = super::stream(world, 10, host);
        let role = world.town.hosts[host].role;
        let t = chance.between(0.0, 60.0);
        match role {
            Role::Desk => {
                let pace = chance.heavy(25.0, 1.1, 1_500.0) / world.plan.busy;
                let suffix = chance.chance(0.01);
                let six = world.town.hosts[host].six.is_some();
                world.enter(t, Browser { host, pace, suffix, six, chance: chance.clone() });
                world.enter(t + 1.0, Desk::new(world, host, chance.clone()));
                world.enter(t + 2.0, Chatter { host, chance });
            }
            Role::Nat => {
                for user in 0..chance.among(8, 25) {
                    let own = super::stream(world, 11 + user, host);
                    world.enter(t, Browser { host, pace: 30.0 / world.plan.busy, suffix: false, six: false, chance: own });
                }
            }
            Role::Phone => world.enter(t, Phone { host, chance }),
            Role::Camera => world.enter(t, Camera { host, chance }),
            Role::Printer => world.enter(t, Chatter { host, chance }),
            _ => {}
        }
    }
}

/// The address of a site: near the front of the list the same for everybody.
pub(crate) fn site(rank: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x1700_0000 | (mix(rank as u64 + 77) as u32 & 0x3fff_ffff)).to_owned()
}

/// Whether the site with this rank still answers, and if not how it fails.
pub(crate) fn fate(world: &World, rank: usize) -> Answer {
    let bits = mix(rank as u64 ^ world.plan.seed << 20);
    let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    match share / world.plan.dead {
        x if x < 0.6 => Answer::Silent,
        x if x < 0.85 => Answer::Refused,
        x if x < 1.0 => Answer::Unreachable(1),
        _ => Answer::Open,
    }
}

/// Somebody who reads pages.
struct Browser {
    host: usize,
    /// Mean seconds between pages.
    pace: f64,
    /// Whether each name is first asked for with the campus's own ending, which does not exist.
    suffix: bool,
    six: bool,
    chance: Chance,
}

impl Actor for Browser {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        let parts = self.chance.heavy(1.0, 1.0, 30.0) as usize;
        let mut at = t;
        for _ in 0..parts {
            self.part(world, at);
            at += self.chance.wait(0.15);
        }
        // Who gets nothing tries again.
        let pace = if world.is_out(t) { self.pace.min(20.0) } else { self.pace };
        Some(at + self.chance.wait(pace))
    }
}

impl Browser {
    fn part(&mut self, world: &mut World, t: f64) {
        let rank = self.chance.rank(SITES);
        let mut at = t;
        if self.chance.chance(0.5) {
            let name = format!("cdn{}.site{rank}.example", rank % 7);
            if self.suffix {
                at = world.lookup(at, self.host, &format!("{name}.campus.example"), Name::Missing);
            }
            let typo = self.chance.chance(0.012);
            at = world.lookup(at, self.host, &name, if typo { Name::Missing } else { Name::Found });
            if typo {
                return;
            }
        }
        let port = *self.chance.pick(&[443, 443, 443, 443, 443, 443, 443, 80, 80, 8080, 5228, 993]).unwrap_or(&443);
        let talk = Talk {
            there: self.chance.among(2, 4) as u16,
            back: self.chance.heavy(2.0, 1.2, 60.0) as u16,
            pause: self.chance.between(0.002, 0.05),
            again: PATIENT,
            closes: self.chance.chance(0.8),
        };
        if port == 443 && self.chance.chance(0.2) {
            return quic(world, at, self.host, rank, &mut self.chance);
        }
        let far = fate(world, rank);
        if self.six && self.chance.chance(0.4) {
            let low = (mix(rank as u64) & 0xffff) as u16;
            let dst = IpAddr::V6(Ipv6Addr::new(0x2400, 0xda00, (rank & 0xffff) as u16, 0, 0, 0, 1, low));
            world.connect(at, self.host, dst, port, Some(far), talk);
            if far == Answer::Open {
                return;
            }
            at += 0.25;
        }
        world.connect(at, self.host, IpAddr::V4(site(rank)), port, Some(far), talk);
    }
}

fn quic(world: &mut World, t: f64, host: usize, rank: usize, chance: &mut Chance) {
    let sport = world.port(host);
    let dst = IpAddr::V4(site(rank));
    let back = fate(world, rank) == Answer::Open;
    let mut at = t;
    for _ in 0..chance.among(2, 8) {
        world.datagram(at, host, sport, dst, 443, &[0xc3; 60], back.then_some([0x43; 80].as_slice()));
        at += if back { 0.03 } else { 0.4 };
    }
}

/// What a desk's system does by itself: shares, printers, time, mail, the domain; and addresses that are long stale.
struct Desk {
    host: usize,
    servers: Vec<usize>,
    printer: Option<usize>,
    /// Shares and printers that went away.
    stale: Vec<Ipv4Addr>,
    chance: Chance,
    boots: bool,
}

impl Desk {
    fn new(world: &World, host: usize, mut chance: Chance) -> Self {
        let all = world.town.of(Role::Server);
        let servers = (0..chance.among(1, 4)).filter_map(|_| chance.pick(&all).copied()).collect();
        let subnet = world.town.hosts[host].subnet;
        let printers: Vec<usize> = world.town.of(Role::Printer).into_iter().filter(|p| world.town.hosts[*p].subnet == subnet).collect();
        let stale = if chance.chance(0.25) {
            (0..chance.among(1, 3))
                .map(|_| {
                    let subnet = chance.below(world.town.subnets.len() as u64) as usize;
                    loop {
                        let ip = world.town.subnets[subnet].address(chance.among(2, 250) as u8);
                        if world.town.host_of(IpAddr::V4(ip)).is_none() {
                            break ip;
                        }
                    }
                })
                .collect()
        } else {
            Vec::new()
        };
        let printer = chance.pick(&printers).copied();
        let boots = chance.chance(0.15);
        Self { host, servers, printer, stale, chance, boots }
    }
}

impl Actor for Desk {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        if std::mem::take(&mut self.boots) {
            boot(world, t, self.host, &mut self.chance);
            return Some(t + self.chance.between(5.0, 30.0));
        }
        let host = self.host;
        match self.chance.below(10) {
            0..=3 => {
                if let Some(server) = self.chance.pick(&self.servers) {
                    let (dst, port) = (world.address(*server), *self.chance.pick(&[445, 445, 443, 389, 88, 8080]).unwrap_or(&445));
                    let talk = Talk { there: 4, back: self.chance.heavy(4.0, 1.1, 80.0) as u16, ..Talk::SHORT };
                    world.connect(t, host, dst, port, None, talk);
                }
            }
            4 => {
                if let Some(printer) = self.printer {
                    let dst = world.address(printer);
                    let port = *self.chance.pick(&[9100, 631, 80]).unwrap_or(&631);
                    world.connect(t, host, dst, port, None, Talk { there: self.chance.heavy(3.0, 1.1, 40.0) as u16, ..Talk::SHORT });
                    let sport = world.port(host);
                    world.datagram(t + 0.5, host, sport, dst, 161, &[0x30; 40], Some(&[0x30; 60]));
                }
            }
            5 => {
                if let Some(stale) = self.chance.pick(&self.stale) {
                    world.connect(t, host, IpAddr::V4(*stale), 445, None, Talk::SHORT);
                }
            }
            6 => {
                let pool = IpAddr::V4(Ipv4Addr::from(0x7b00_0000 | (self.chance.below(40) as u32 * 977)));
                let answers = self.chance.chance(0.9);
                world.datagram(t, host, 123, pool, 123, &[0x23; 48], answers.then_some([0x24; 48].as_slice()));
            }
            7 => {
                let mail = world.address(world.town.one_of(Role::Mail, 0));
                let port = *self.chance.pick(&[993, 993, 465, 587]).unwrap_or(&993);
                world.connect(t, host, mail, port, None, Talk { there: 4, ..Talk::SHORT });
            }
            8 if self.chance.chance(0.15) => boot(world, t, host, &mut self.chance),
            8 if self.chance.chance(0.3) => conference(world, t, host, &mut self.chance),
            _ => {
                let push = world.address(world.town.one_of(Role::Push, 0));
                world.connect(t, host, push, 443, None, Talk::SHORT);
            }
        }
        Some(t + self.chance.wait(55.0))
    }
}

/// A system starts: an address, the domain, the time, names that are not there, updates.
pub(crate) fn boot(world: &mut World, t: f64, host: usize, chance: &mut Chance) {
    let me = world.town.hosts[host].clone();
    let server = world.town.hosts[world.town.one_of(Role::Dhcp, 0)].ip;
    let transaction = chance.bits() as u32;
    let any = IpAddr::V4(Ipv4Addr::BROADCAST);
    let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let relay = world.town.subnets[me.subnet].clone();
    let offer = |world: &mut World, t: f64, kind: u8| {
        let body =
            frame::packet(IpAddr::V4(server), any, 64, &frame::udp(67, 68, &frame::dhcp(kind, transaction, me.mac, me.ip, Some(server))));
        if let Some(body) = body {
            world.raw(t, Some(me.subnet), relay.router_mac, frame::BROADCAST, 0x0800, &body, 0);
        }
    };
    for (kind, answer, at) in [(1, 2, t), (3, 5, t + 0.2)] {
        let ask = frame::udp(68, 67, &frame::dhcp(kind, transaction, me.mac, Ipv4Addr::UNSPECIFIED, None));
        if let Some(body) = frame::packet(none, any, 64, &ask) {
            world.raw(at, Some(me.subnet), me.mac, frame::BROADCAST, 0x0800, &body, 0);
        }
        offer(world, at + 0.05, answer);
    }
    for probe in 0..3 {
        world.ask(t + 0.3 + f64::from(probe), me.subnet, me.mac, Ipv4Addr::UNSPECIFIED, me.ip);
    }
    world.ask(t + 3.5, me.subnet, me.mac, me.ip, me.ip);
    let mut at = t + 3.6;
    for name in ["wpad", "wpad.campus.example", "isatap.campus.example", "_ldap._tcp.dc.campus.example"] {
        at = world.lookup(at, host, name, if name.starts_with('_') { Name::Found } else { Name::Missing });
    }
    let domain = world.address(world.town.one_of(Role::Server, 0));
    for port in [88, 389, 445, 135] {
        at = world.connect(at, host, domain, port, None, Talk::SHORT).0;
    }
    for number in 0..chance.among(4, 12) {
        let rank = chance.rank(300);
        let far = fate(world, rank);
        world.connect(at + number as f64 * 0.3, host, IpAddr::V4(site(rank)), 443, Some(far), Talk::SHORT);
    }
}

/// A meeting over the net: some servers are tried, one is used.
fn conference(world: &mut World, t: f64, host: usize, chance: &mut Chance) {
    let sport = world.port(host);
    let base = 0x3400_0000 | chance.below(1 << 20) as u32;
    for number in 0..chance.among(3, 9) as u32 {
        let answers = chance.chance(0.7);
        let dst = IpAddr::V4(Ipv4Addr::from(base + number * 4_099));
        world.datagram(t + f64::from(number) * 0.05, host, sport, dst, 3478, &[0; 28], answers.then_some([1; 60].as_slice()));
    }
    let media = IpAddr::V4(Ipv4Addr::from(base));
    for number in 0..chance.among(100, 600) {
        world.datagram(t + 1.0 + number as f64 * 0.04, host, sport, media, 3480, &[0x80; 90], Some(&[0x80; 90]));
    }
}

/// What machines say to everybody: mDNS, SSDP, LLMNR, NetBIOS, and ARP for their neighbours.
struct Chatter {
    host: usize,
    chance: Chance,
}

impl Actor for Chatter {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        let host = self.host;
        let sport = world.port(host);
        let name = format!("desk{}", self.chance.below(900));
        let question = frame::dns(0, false, 0, &format!("{name}.local"), 1, &[]);
        let subnet = world.town.hosts[host].subnet;
        match self.chance.below(7) {
            0 => world.spread(t, host, Ipv4Addr::new(224, 0, 0, 251).into(), &frame::udp(5353, 5353, &question)),
            1 => {
                for again in 0..4 {
                    let search = frame::udp(sport, 1900, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n");
                    world.spread(t + f64::from(again), host, Ipv4Addr::new(239, 255, 255, 250).into(), &search);
                }
            }
            2 => {
                let plain = frame::dns(7, false, 0, &name, 1, &[]);
                for again in 0..2 {
                    let load = frame::udp(sport, 5355, &plain);
                    world.spread(t + f64::from(again) * 0.4, host, Ipv4Addr::new(224, 0, 0, 252).into(), &load);
                    let six = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 3);
                    world.spread(t + f64::from(again) * 0.4, host, six.into(), &load);
                }
            }
            3 => {
                let all = IpAddr::V4(world.town.subnets[subnet].address(255));
                for again in 0..3 {
                    world.spread(t + f64::from(again) * 0.75, host, all, &frame::udp(137, 137, &[1; 50]));
                }
            }
            4 => {
                let gateway = world.town.subnets[subnet].gateway;
                world.resolve(t, host, gateway);
            }
            5 => {
                let target = world.town.subnets[subnet].address(self.chance.among(2, 250) as u8);
                if world.town.host_of(IpAddr::V4(target)).is_some() || self.chance.chance(0.3) {
                    world.resolve(t, host, target);
                }
            }
            _ => self.solicit(world, t),
        }
        Some(t + self.chance.wait(45.0))
    }
}

impl Chatter {
    fn solicit(&mut self, world: &mut World, t: f64) {
        let host = &world.town.hosts[self.host];
        if host.six.is_some() {
            let target = world.town.subnets[host.subnet].six(1);
            let load = frame::solicitation(target, host.mac);
            world.spread(t, self.host, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1).into(), &load);
        }
    }
}

/// A phone: registered, and now and then speaking.
struct Phone {
    host: usize,
    chance: Chance,
}

impl Actor for Phone {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let server = world.address(world.town.one_of(Role::Server, 1));
        world.datagram(t, self.host, 5060, server, 5060, b"OPTIONS sip:x SIP/2.0\r\n", Some(b"SIP/2.0 200 OK\r\n"));
        if self.chance.chance(0.06) {
            let others = world.town.of(Role::Phone);
            if let Some(other) = self.chance.pick(&others).copied().filter(|other| *other != self.host) {
                let (a, b) = (world.address(self.host), world.address(other));
                let port = 10_000 + self.chance.below(5_000) as u16 * 2;
                for number in 0..self.chance.among(200, 1_500) {
                    let at = t + number as f64 * 0.04;
                    world.send(at, a, b, &frame::udp_cut(port, port + 2, &[0x80; 12], 160));
                    world.send(at + 0.01, b, a, &frame::udp_cut(port + 2, port, &[0x80; 12], 160));
                }
            }
        }
        Some(t + self.chance.between(25.0, 35.0))
    }
}

/// A camera: sends to its recorder, and asks its maker's cloud, which is sometimes away.
struct Camera {
    host: usize,
    chance: Chance,
}

impl Actor for Camera {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        let recorder = world.town.one_of(Role::Server, 2);
        let (src, dst) = (world.address(self.host), world.address(recorder));
        for number in 0..self.chance.among(5, 20) {
            world.send(t + number as f64 * 0.04, src, dst, &frame::udp_cut(5004, 5006, &[0x80; 12], 1_200));
        }
        if self.chance.chance(0.1) {
            let cloud = IpAddr::V4(Ipv4Addr::from(0x2f5b_0000 | self.chance.below(6) as u32));
            let sport = world.port(self.host);
            let answers = self.chance.chance(0.8);
            world.datagram(t, self.host, sport, cloud, 32_100, &[0xf1; 20], answers.then_some([0xf1; 20].as_slice()));
        }
        Some(t + self.chance.wait(12.0))
    }
}
