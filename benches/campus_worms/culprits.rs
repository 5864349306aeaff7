//! Other things that are wrong: mail by the hundred, invented names, tunnels inside names, floods, passwords tried one after
//! another, one machine that takes the line, a bot that hides in its peer-to-peer traffic.

use std::net::{IpAddr, Ipv4Addr};

use super::chance::Chance;
use super::frame;
use super::liars;
use super::peers;
use super::scanners::fresh;
use super::talk::{Name, ONCE, Talk};
use super::town::Role;
use super::world::{Actor, Answer, World};

pub(crate) fn enter(world: &mut World, taken: &mut Vec<usize>) {
    let all = peers::candidates(world);
    let mut chance = super::stream(world, 140, 0);
    let turn = chance.below(KINDS) as usize;
    for number in 0..world.plan.others {
        let Some(host) = fresh(&all, taken, &mut chance) else { return };
        let own = super::stream(world, 141, host);
        let start = chance.between(0.05, 0.4) * f64::from(world.plan.seconds);
        one(world, host, (turn + number) as u64 % KINDS, start, own);
    }
}

const KINDS: u64 = 25;

fn one(world: &mut World, host: usize, kind: u64, t: f64, mut chance: Chance) {
    let begin = |world: &mut World, shape: String, kinds| world.truth.begin(&world.town, host, shape, kinds);
    match kind {
        0 => {
            let rate = chance.between(0.2, 5.0);
            let truth = begin(world, format!("spam {rate:.2}/s"), &["spam"]);
            world.enter(t, Spam { host, rate, truth, chance });
        }
        1 | 2 => {
            let rate = if kind == 1 { chance.between(1.0, 8.0) } else { chance.between(0.13, 0.3) };
            let truth = begin(world, format!("dga {rate:.2}/s"), &["dga"]);
            world.enter(t, Dga { host, rate, truth, chance });
        }
        3..=6 => {
            let way = [Tunnel::Iodine, Tunnel::Dnscat, Tunnel::Domainless, Tunnel::Text][kind as usize - 3];
            let rate = if way == Tunnel::Iodine { chance.between(4.0, 40.0) } else { chance.between(0.5, 4.0) };
            let truth = begin(world, format!("tunnel {way:?} {rate:.2}/s"), &["dns-tunnel"]);
            world.enter(t, Hidden { host, way, rate, domain: chance.letters(7), truth, chance });
        }
        7..=11 => {
            let way = [Flooding::Syn, Flooding::Syn, Flooding::Datagram, Flooding::Echo, Flooding::Spoofed][kind as usize - 7];
            let rate = if kind == 7 { chance.between(60.0, 200.0) } else { chance.between(1_200.0, 5_000.0) };
            let kinds: &[&str] = if way == Flooding::Spoofed { &["spoofed-source"] } else { &["flood"] };
            let truth = begin(world, format!("flood {way:?} {rate:.0}/s"), kinds);
            let servers = world.town.of(Role::Server);
            let inner = chance.chance(0.5) || way == Flooding::Spoofed;
            let dst = match chance.pick(&servers) {
                Some(server) if inner => world.address(*server),
                _ => IpAddr::V4(Ipv4Addr::from(0x2d00_0000 | chance.bits() as u32 & 0xffff)),
            };
            let left = (rate * chance.between(4.0, 15.0)) as u64;
            world.enter(t, Flood { host, way, rate, dst, left, truth, chance });
        }
        12..=15 => {
            let port = [22, 3389, 21, 445][kind as usize - 12];
            let rate = chance.between(0.8, 10.0);
            let truth = begin(world, format!("passwords {rate:.2}/s port {port}"), &["password-guessing"]);
            let servers = world.town.of(Role::Server);
            let server = chance.pick(&servers).copied().unwrap_or(0);
            world.enter(t, Guess { host, server, port, rate, truth, chance });
        }
        16 => {
            let truth = begin(world, "hog".into(), &["hog", "flood"]);
            world.enter(t, Hog { host, left: 40, truth });
        }
        17 => {
            let rate = chance.between(0.3, 2.0);
            let truth =
                begin(world, format!("bot {rate:.2}/s port 23 with a distributed table"), &["tcp-scan", "fast-scan", "dark-contact"]);
            world.truth.offenders[truth].scanner = true;
            world.truth.offenders[truth].tcp = Some(rate);
            world.enter(t, Bot { host, rate, truth, chance });
        }
        _ => liars::one(world, host, kind - 18, t, chance),
    }
}

struct Spam {
    host: usize,
    rate: f64,
    truth: usize,
    chance: Chance,
}

impl Actor for Spam {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let dst = IpAddr::V4(Ipv4Addr::from(0x4a00_0000 | ((self.chance.below(30_000) as u32) * 409)));
        let far = match self.chance.below(10) {
            0 | 1 => Answer::Silent,
            2 => Answer::Refused,
            _ => Answer::Open,
        };
        world.truth.contact(self.truth, t, dst, 25);
        world.connect(t, self.host, dst, 25, Some(far), Talk { there: 6, back: 6, pause: 0.1, ..Talk::SHORT });
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}

struct Dga {
    host: usize,
    rate: f64,
    truth: usize,
    chance: Chance,
}

impl Actor for Dga {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let length = self.chance.among(8, 20) as usize;
        let end = *self.chance.pick(&["com", "net", "info", "ru", "biz"]).unwrap_or(&"com");
        let name = format!("{}.{end}", self.chance.letters(length));
        world.truth.act(self.truth, t);
        let outcome = if self.chance.chance(0.03) { Name::Found } else { Name::Missing };
        world.lookup(t, self.host, &name, outcome);
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tunnel {
    Iodine,
    Dnscat,
    /// dnscat without a domain: all of the name is data.
    Domainless,
    Text,
}

struct Hidden {
    host: usize,
    way: Tunnel,
    rate: f64,
    domain: String,
    truth: usize,
    chance: Chance,
}

impl Actor for Hidden {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let (name, kind) = match self.way {
            Tunnel::Iodine => {
                let data: Vec<String> = (0..self.chance.among(1, 3)).map(|_| self.chance.base32(57)).collect();
                (format!("{}.t.{}.example", data.join("."), self.domain), 10)
            }
            Tunnel::Dnscat => {
                let length = self.chance.among(26, 58) as usize;
                (format!("{}.{}.example", self.chance.base32(length), self.domain), *self.chance.pick(&[16, 5, 15]).unwrap_or(&16))
            }
            Tunnel::Domainless => {
                let (a, b) = (self.chance.base32(60), self.chance.among(20, 60) as usize);
                (format!("dnscat.{a}.{}", self.chance.base32(b)), *self.chance.pick(&[16, 5, 15]).unwrap_or(&16))
            }
            Tunnel::Text => {
                let length = self.chance.among(30, 60) as usize;
                (format!("{}.x.{}.example", self.chance.base32(length), self.domain), 16)
            }
        };
        let (id, sport) = (self.chance.bits() as u16, world.port(self.host));
        let query = frame::dns(id, false, 0, &name, kind, &[]);
        let answer = frame::dns_data(id, &name, kind, self.chance.base32(120).as_bytes());
        let resolver = world.resolver(self.host);
        world.truth.act(self.truth, t);
        world.datagram(t, self.host, sport, resolver, 53, &query, Some(&answer));
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flooding {
    Syn,
    Datagram,
    Echo,
    /// With addresses that are not its own.
    Spoofed,
}

struct Flood {
    host: usize,
    way: Flooding,
    rate: f64,
    dst: IpAddr,
    left: u64,
    truth: usize,
    chance: Chance,
}

impl Actor for Flood {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        world.reach(t, self.host, self.dst);
        let (machine, own) = (world.town.hosts[self.host].clone(), world.address(self.host));
        let sport = 1_024 + self.chance.below(60_000) as u16;
        let origin = Some((machine.mac, machine.subnet));
        world.truth.act(self.truth, t);
        let at = t + 2e-3;
        match self.way {
            Flooding::Syn => world.send_as(at, origin, own, self.dst, &frame::tcp(sport, 80, frame::SYN, 0)),
            Flooding::Datagram => world.send_as(at, origin, own, self.dst, &frame::udp_cut(sport, 9_999, &[7; 40], 900)),
            Flooding::Echo => world.send_as(at, origin, own, self.dst, &frame::echo(false, false, 1, sport)),
            Flooding::Spoofed => {
                let forged = IpAddr::V4(Ipv4Addr::from(self.chance.bits() as u32 | 0x0100_0000));
                world.send_as(at, origin, forged, self.dst, &frame::tcp(sport, 80, frame::SYN, 0));
            }
        }
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}

struct Guess {
    host: usize,
    server: usize,
    port: u16,
    rate: f64,
    truth: usize,
    chance: Chance,
}

impl Actor for Guess {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        world.truth.act(self.truth, t);
        let dst = world.address(self.server);
        world.connect(t, self.host, dst, self.port, None, Talk { there: 5, back: 5, pause: 0.02, ..Talk::SHORT });
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}

/// A film that never ends, faster than anything else here: about 40 Mbit/s for two minutes.
struct Hog {
    host: usize,
    left: u64,
    truth: usize,
}

impl Actor for Hog {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        world.truth.act(self.truth, t);
        let talk = Talk { there: 30, back: 9_900, pause: 0.000_3, ..Talk::SHORT };
        let dst = IpAddr::V4(Ipv4Addr::new(45, 9, 9, 9));
        world.connect(t, self.host, dst, 443, Some(Answer::Open), talk);
        Some(t + 3.0)
    }
}

/// A device whose bot asks its distributed table over UDP and scans by TCP beside it.
struct Bot {
    host: usize,
    rate: f64,
    truth: usize,
    chance: Chance,
}

impl Actor for Bot {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        for number in 0..self.chance.among(1, 4) {
            let dst = IpAddr::V4(Ipv4Addr::from(0x5100_0000 | self.chance.bits() as u32 & 0x00ff_ffff));
            let answers = self.chance.chance(0.6);
            let port = self.chance.among(1_025, 65_000) as u16;
            let at = t + number as f64 * 0.05;
            world.datagram(at, self.host, 14_737, dst, port, &[0x64; 70], answers.then_some([0x64; 90].as_slice()));
        }
        let dst = IpAddr::V4(Ipv4Addr::from(0x4000_0000 | self.chance.bits() as u32 & 0x3fff_ffff));
        let port = if self.chance.chance(0.1) { 2323 } else { 23 };
        world.truth.contact(self.truth, t, dst, 0);
        world.connect(t, self.host, dst, port, None, Talk { again: ONCE, ..Talk::PROBE });
        Some(t + self.chance.wait(1.0 / self.rate))
    }
}
