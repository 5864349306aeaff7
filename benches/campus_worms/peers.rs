//! Peer-to-peer programs: peers by the hundred, of whom half have gone, over TCP and UDP on ports of all kinds; and those that
//! look for peers in the campus itself.

use std::net::{IpAddr, Ipv4Addr};

use super::chance::Chance;
use super::frame;
use super::talk::{PATIENT, Talk};
use super::town::Role;
use super::world::{Actor, Answer, World};

pub(crate) fn enter(world: &mut World) {
    let desks = world.town.of(Role::Desk);
    let mut chance = super::stream(world, 80, 0);
    for _ in 0..(world.plan.hosts / 90).max(2) {
        let Some(host) = chance.pick(&desks).copied() else { return };
        if world.truth.p2p.contains(&host) {
            continue;
        }
        world.truth.p2p.push(host);
        let own = super::stream(world, 81, host);
        let t = chance.between(2.0, f64::from(world.plan.seconds) * 0.5);
        let peers = Peers {
            host,
            port: 6_881 + chance.below(40_000) as u16,
            gone: chance.between(0.25, 0.65),
            pace: chance.heavy(0.15, 1.0, 4.0),
            common: chance.chance(0.3),
            known: Vec::new(),
            chance: own,
        };
        world.enter(t, peers);
    }
    for _ in 0..(world.plan.hosts / 25).max(3) {
        let Some(host) = chance.pick(&desks).copied() else { return };
        let own = super::stream(world, 82, host);
        let port = *chance.pick(&[7680, 7680, 17_500, 22_000, 8009, 3702]).unwrap_or(&7680);
        let t = chance.between(2.0, f64::from(world.plan.seconds) * 0.9);
        world.enter(t, Nearby { host, port, left: 0, chance: own });
    }
}

/// Bursts of new peers: many datagrams of the distributed table, some connections.
struct Peers {
    host: usize,
    port: u16,
    /// Share of peers that are gone.
    gone: f64,
    pace: f64,
    /// Whether most peers listen on the program's usual port.
    common: bool,
    known: Vec<(IpAddr, u16)>,
    chance: Chance,
}

impl Actor for Peers {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        let burst = if self.chance.chance(0.02) { self.chance.among(10, 40) } else { 1 };
        for number in 0..burst {
            let at = t + number as f64 * 0.03;
            let dst = IpAddr::V4(Ipv4Addr::from(0x3000_0000 | (self.chance.bits() as u32 & 0x4fff_ffff)));
            if world.town.is_local(dst) {
                continue;
            }
            let port = if self.common && self.chance.chance(0.6) { 6_881 } else { self.chance.among(1_025, 65_000) as u16 };
            let lives = !self.chance.chance(self.gone);
            if self.chance.chance(0.7) {
                let own = self.port;
                world.datagram(at, self.host, own, dst, port, &[0x64; 70], lives.then_some([0x64; 90].as_slice()));
            } else {
                let far = match (lives, self.chance.chance(0.3)) {
                    (true, _) => Answer::Open,
                    (false, true) => Answer::Refused,
                    (false, false) => Answer::Silent,
                };
                let talk = Talk { there: 4, back: self.chance.heavy(3.0, 1.0, 100.0) as u16, again: PATIENT, ..Talk::SHORT };
                world.connect(at, self.host, dst, port, Some(far), talk);
            }
            if lives && self.known.len() < 40 {
                self.known.push((dst, port));
            }
        }
        if self.chance.chance(0.3)
            && let Some((dst, port)) = self.chance.pick(&self.known).copied()
        {
            let own = self.port;
            for number in 0..self.chance.among(3, 30) {
                world.datagram(t + number as f64 * 0.02, self.host, own, dst, port, &[0x01; 60], Some(&[0x01; 60]));
            }
        }
        Some(t + self.chance.wait(self.pace))
    }
}

/// Looks for others of its kind nearby: those that it remembers, of whom some are switched off.
struct Nearby {
    host: usize,
    port: u16,
    left: u64,
    chance: Chance,
}

impl Actor for Nearby {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 30.0);
        }
        let subnet = world.town.hosts[self.host].subnet;
        let all = IpAddr::V4(world.town.subnets[subnet].address(255));
        world.spread(t, self.host, all, &frame::udp(self.port, self.port, &[0x7b; 80]));
        self.left = self.chance.among(2, 16);
        for number in 0..self.left {
            let target = world.town.subnets[subnet].address(self.chance.among(2, 250) as u8);
            let lives = world.town.host_of(IpAddr::V4(target)).is_some();
            if !lives && self.chance.chance(0.4) {
                continue;
            }
            let at = t + number as f64 * self.chance.between(0.01, 0.4);
            if let Some((at, _)) = world.reach(at, self.host, IpAddr::V4(target)) {
                self.meet(world, at, target);
            }
        }
        Some(t + self.chance.wait(400.0))
    }
}

impl Nearby {
    /// Half of those that live have the program too.
    fn meet(&mut self, world: &mut World, t: f64, target: Ipv4Addr) {
        let (src, dst) = (world.address(self.host), IpAddr::V4(target));
        let sport = world.port(self.host);
        world.send(t, src, dst, &frame::tcp(sport, self.port, frame::SYN, 0));
        let Some(host) = world.town.host_of(dst).map(|host| &world.town.hosts[host]) else { return };
        let (up, silent) = (host.up, host.silent);
        if up && self.chance.chance(0.5) {
            world.send(t + 1e-3, dst, src, &frame::tcp(self.port, sport, frame::SYN_ACK, 0));
            world.send(t + 2e-3, src, dst, &frame::tcp(sport, self.port, frame::PSH_ACK, 200));
            world.send(t + 3e-3, dst, src, &frame::tcp(self.port, sport, frame::FIN_ACK, 100));
        } else if up && !silent {
            world.send(t + 1e-3, dst, src, &frame::tcp(self.port, sport, frame::RST_ACK, 0));
        } else {
            world.send(t + 1.0, src, dst, &frame::tcp(sport, self.port, frame::SYN, 0));
        }
    }
}

/// Whether this machine runs such a program.
pub(crate) fn is_peer(world: &World, host: usize) -> bool {
    world.truth.p2p.contains(&host)
}

/// The machines from which offenders may be chosen.
pub(crate) fn candidates(world: &World) -> Vec<usize> {
    world.town.of(Role::Desk).into_iter().filter(|host| !is_peer(world, *host)).collect()
}
