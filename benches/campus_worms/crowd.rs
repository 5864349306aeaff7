//! Machines that are innocent and do not look it: a load test, a crawler, a list of game servers, a speed test, FTP with a
//! port for each file, configuration pushed by ssh, names by the thousand, long pings in fragments.

use std::net::{IpAddr, Ipv4Addr};

use super::chance::Chance;
use super::frame;
use super::people::{fate, site};
use super::services::QUICK;
use super::talk::{Name, Talk};
use super::town::Role;
use super::world::{Actor, Answer, World};

pub(crate) fn enter(world: &mut World) {
    let desks = world.town.of(Role::Desk);
    let servers = world.town.of(Role::Server);
    let mut chance = super::stream(world, 60, 0);
    let rounds = (world.plan.hosts / 700).max(1);
    let last = f64::from(world.plan.seconds) * 0.8;
    for round in 0..rounds {
        for number in 0..10 {
            let (Some(host), Some(server)) = (chance.pick(&desks).copied(), chance.pick(&servers).copied()) else { return };
            let own = super::stream(world, 61 + number, host + round);
            let t = chance.between(5.0, last);
            match number {
                0 => world.enter(t, LoadTest { host, server, left: own.clone().among(300, 4_000), chance: own }),
                1 => world.enter(t, Crawler { host, left: own.clone().among(200, 900), chance: own }),
                2 => world.enter(t, Games { host, chance: own }),
                3 => world.enter(t, SpeedTest { host, chance: own }),
                4 => world.enter(t, Files { host, server, left: own.clone().among(20, 200), chance: own }),
                5 => world.enter(t, Pusher { server, targets: servers.clone(), next: 0 }),
                6 => world.enter(t, Reputation { host, left: own.clone().among(30, 150), chance: own }),
                7 => world.enter(t, LongPings { host, left: 60 }),
                8 => world.enter(t, Download { host, chance: own }),
                _ => world.enter(t, Neighbours { host, left: own.clone().among(8, 25), chance: own }),
            }
        }
    }
}

/// Hundreds of connections a second to one server, all of them answered.
struct LoadTest {
    host: usize,
    server: usize,
    left: u64,
    chance: Chance,
}

impl Actor for LoadTest {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        world.connect(t, self.host, world.address(self.server), 8080, None, QUICK);
        Some(t + self.chance.wait(0.005))
    }
}

/// Very many sites, of which some are gone.
struct Crawler {
    host: usize,
    left: u64,
    chance: Chance,
}

impl Actor for Crawler {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        let rank = self.chance.below(6_000) as usize;
        let far = fate(world, rank);
        world.connect(t, self.host, IpAddr::V4(site(rank)), 443, Some(far), QUICK);
        Some(t + self.chance.wait(0.25))
    }
}

/// A list of game servers is asked who is there; most are.
struct Games {
    host: usize,
    chance: Chance,
}

impl Actor for Games {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let sport = world.port(self.host);
        let mut at = t;
        for number in 0..self.chance.among(200, 900) as u32 {
            let dst = IpAddr::V4(Ipv4Addr::from(0x5d00_0000 | (number * 5_003)));
            let port = 27_015 + self.chance.below(20) as u16;
            let answers = self.chance.chance(0.75);
            world.datagram(at, self.host, sport, dst, port, &[0xff; 25], answers.then_some([0xff; 90].as_slice()));
            at += self.chance.wait(0.012);
        }
        None
    }
}

/// A dozen servers are measured, the nearest is used.
struct SpeedTest {
    host: usize,
    chance: Chance,
}

impl Actor for SpeedTest {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        for number in 0..self.chance.among(8, 14) as u32 {
            let dst = IpAddr::V4(Ipv4Addr::from(0x6700_0000 | (number * 70_001)));
            let far = if self.chance.chance(0.85) { Answer::Open } else { Answer::Silent };
            world.connect(t + f64::from(number) * 0.1, self.host, dst, 8080, Some(far), Talk::SHORT);
        }
        let dst = IpAddr::V4(Ipv4Addr::from(0x6700_0000));
        for line in 0..4 {
            let talk = Talk { there: 4, back: 900, pause: 0.004, ..Talk::SHORT };
            world.connect(t + 3.0 + f64::from(line) * 0.05, self.host, dst, 8080, Some(Answer::Open), talk);
        }
        None
    }
}

/// FTP in passive mode: a new port of the server for every file.
struct Files {
    host: usize,
    server: usize,
    left: u64,
    chance: Chance,
}

impl Actor for Files {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        let (src, dst) = (world.address(self.host), world.address(self.server));
        let (sport, port) = (world.port(self.host), 40_000 + self.chance.below(20_000) as u16);
        world.reach(t, self.host, dst);
        let mut at = t + 2e-3;
        world.send(at, src, dst, &frame::tcp(sport, port, frame::SYN, 0));
        world.send(at + 5e-4, dst, src, &frame::tcp(port, sport, frame::SYN_ACK, 0));
        for _ in 0..self.chance.among(2, 30) {
            at += 1e-3;
            world.send(at, dst, src, &frame::tcp(port, sport, frame::PSH_ACK, 1_400));
        }
        world.send(at + 1e-3, dst, src, &frame::tcp(port, sport, frame::FIN_ACK, 0));
        Some(t + self.chance.wait(0.4))
    }
}

/// Configuration pushed from one server to all others at once.
struct Pusher {
    server: usize,
    targets: Vec<usize>,
    next: usize,
}

impl Actor for Pusher {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let target = *self.targets.get(self.next)?;
        self.next += 1;
        if target != self.server {
            world.connect(t, self.server, world.address(target), 22, None, Talk { there: 8, back: 8, ..Talk::SHORT });
        }
        Some(t + 0.4)
    }
}

/// Checksums asked about by name, as virus scanners do it, of one well-known domain; few long ones.
struct Reputation {
    host: usize,
    left: u64,
    chance: Chance,
}

impl Actor for Reputation {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        let name = format!("{}.avqs.mcafee.com", self.chance.base32(26));
        world.lookup(t, self.host, &name, Name::Found);
        Some(t + self.chance.wait(2.0))
    }
}

/// Long echo requests in fragments.
struct LongPings {
    host: usize,
    left: u64,
}

impl Actor for LongPings {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        let dst = IpAddr::V4(site(3));
        let Some((t, _)) = world.reach(t, self.host, dst) else { return Some(t + 5.0) };
        let src = world.address(self.host);
        let mut first = frame::echo(false, false, 9, self.left as u16);
        first.unseen = 1_440;
        first.fragment = 0x2000;
        let later = frame::Load { protocol: 1, head: vec![0x61; 40], unseen: 1_000, fragment: 185 };
        world.send(t, src, dst, &first);
        world.send(t + 1e-5, src, dst, &later);
        world.send(t + 0.04, dst, src, &frame::echo(false, true, 9, self.left as u16));
        Some(t + 1.0)
    }
}

/// One long download.
struct Download {
    host: usize,
    chance: Chance,
}

impl Actor for Download {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        let talk = Talk { there: 20, back: self.chance.heavy(3_000.0, 1.0, 30_000.0) as u16, pause: 0.002, ..Talk::SHORT };
        world.connect(t, self.host, IpAddr::V4(site(11)), 443, Some(Answer::Open), talk);
        None
    }
}

/// Looks for a printer or a share by asking a few neighbours, some of them gone.
struct Neighbours {
    host: usize,
    left: u64,
    chance: Chance,
}

impl Actor for Neighbours {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        let subnet = world.town.hosts[self.host].subnet;
        let target = world.town.subnets[subnet].address(self.chance.among(2, 250) as u8);
        if world.resolve(t, self.host, target).is_some() && self.chance.chance(0.3) {
            world.echo(t + 0.01, self.host, IpAddr::V4(target), 1, true);
        }
        Some(t + self.chance.wait(4.0))
    }
}
