//! What spreads: scanners of every strategy and speed over TCP, ports of one machine, ARP and ICMP sweeps, worms of one
//! datagram.

use std::net::{IpAddr, Ipv4Addr};

use super::chance::Chance;
use super::frame;
use super::peers;
use super::talk::{ONCE, Talk};
use super::town::Role;
use super::world::{Actor, World};

/// How targets are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Random,
    /// Half in the own campus, a quarter in the own network.
    Near,
    Sequential,
    /// Machines known to be there and to listen.
    List,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Means {
    Tcp,
    Datagram,
    Ping,
    Arp,
    Ports,
}

const TCP: &[&str] = &["tcp-scan", "fast-scan", "lateral", "dark-contact"];
const TCP_NEAR: &[&str] = &["tcp-scan", "fast-scan", "lateral", "dark-contact", "arp-sweep"];
const UDP: &[&str] = &["udp-worm", "lateral", "dark-contact"];
const PINGS: &[&str] = &["icmp-sweep"];
const ARPS: &[&str] = &["arp-sweep"];
const PORTS: &[&str] = &["port-scan", "tcp-scan", "fast-scan"];

/// A scanner has made its point after so many contacts.
const MOST: u64 = 4_000;

/// Contacts a second.
const RATES: &[f64] = &[0.05, 0.2, 0.2, 1.0, 1.0, 5.0, 5.0, 20.0, 20.0, 100.0, 500.0, 4000.0];

pub(crate) fn enter(world: &mut World, taken: &mut Vec<usize>) {
    let all = peers::candidates(world);
    let mut chance = super::stream(world, 120, 0);
    // Kinds and speeds go round in turn, from a start of the seed's own, so that a small campus has several of them.
    let (turn, pace) = (chance.below(20) as usize, chance.below(RATES.len() as u64) as usize);
    for number in 0..world.plan.scanners {
        let Some(host) = fresh(&all, taken, &mut chance) else { return };
        let own = super::stream(world, 121, host);
        let start = chance.between(0.03, 0.33) * f64::from(world.plan.seconds);
        let rate = RATES[(pace + number * 5) % RATES.len()];
        let scanner = draw(world, host, (turn + number) % 20, rate, own);
        world.enter(start, scanner);
    }
}

/// A machine that does nothing wrong yet.
pub(crate) fn fresh(all: &[usize], taken: &mut Vec<usize>, chance: &mut Chance) -> Option<usize> {
    for _ in 0..200 {
        let host = *chance.pick(all)?;
        if !taken.contains(&host) {
            taken.push(host);
            return Some(host);
        }
    }
    None
}

fn draw(world: &mut World, host: usize, turn: usize, rate: f64, mut chance: Chance) -> Scanner {
    let (means, choice) = match turn {
        0..=3 => (Means::Tcp, Choice::Random),
        4..=7 => (Means::Tcp, Choice::Near),
        8..=10 => (Means::Tcp, Choice::Sequential),
        11..=13 => (Means::Tcp, Choice::List),
        14 => (Means::Ports, Choice::List),
        15 | 16 => (Means::Arp, Choice::Sequential),
        17 => (Means::Ping, if chance.chance(0.5) { Choice::Sequential } else { Choice::Near }),
        _ => (Means::Datagram, Choice::Random),
    };
    let port = match (means, choice) {
        (Means::Tcp, Choice::List) => *chance.pick(&[445, 445, 135, 22, 3389]).unwrap_or(&445),
        (Means::Tcp, _) => *chance.pick(&[445, 445, 445, 23, 22, 135, 139, 3389, 1433, 5985, 8291, 6379, 80]).unwrap_or(&445),
        (Means::Datagram, _) => *chance.pick(&[1434, 1434, 161, 1900, 53_413]).unwrap_or(&1434),
        _ => 0,
    };
    let rate = match means {
        Means::Datagram => rate.max(50.0),
        Means::Ports => rate.clamp(0.5, 500.0),
        Means::Arp => rate.clamp(0.5, 500.0),
        Means::Ping => rate.clamp(0.5, 500.0),
        Means::Tcp => rate,
    };
    let near = matches!(choice, Choice::Near | Choice::Sequential | Choice::List);
    let kinds = match means {
        Means::Tcp if near => TCP_NEAR,
        Means::Tcp => TCP,
        Means::Datagram => UDP,
        Means::Ping => PINGS,
        Means::Arp => ARPS,
        Means::Ports => PORTS,
    };
    let truth = world.truth.begin(&world.town, host, format!("{means:?} {choice:?} {rate}/s port {port}"), kinds);
    world.truth.offenders[truth].scanner = true;
    world.truth.offenders[truth].tcp = (means == Means::Tcp).then_some(rate);
    let targets = targets(world, host, means, choice, port, &mut chance);
    let seconds = if rate >= 400.0 { chance.between(3.0, 9.0) } else { f64::MAX };
    let systems = rate <= 20.0 && chance.chance(0.6);
    Scanner {
        host,
        means,
        choice,
        rate,
        port,
        second_port: chance.chance(0.2).then_some(if port == 23 { 2323 } else { 139 }),
        talk: Talk { again: if systems { &[3.0, 6.0] } else { ONCE }, ..if systems { Talk::SHORT } else { Talk::PROBE } },
        even: chance.chance(0.3),
        targets,
        next: 0,
        left: if seconds == f64::MAX { MOST } else { (seconds * rate) as u64 },
        truth,
        chance,
    }
}

fn targets(world: &World, host: usize, means: Means, choice: Choice, port: u16, chance: &mut Chance) -> Vec<Ipv4Addr> {
    let subnet = world.town.hosts[host].subnet;
    let network = |number: usize| (1..=254).map(move |last| (number, last));
    match (means, choice) {
        (Means::Arp, _) => network(subnet).map(|(number, last)| world.town.subnets[number].address(last)).collect(),
        (_, Choice::Sequential) if chance.chance(0.6) => {
            let own = (subnet..world.town.subnets.len()).chain(0..subnet);
            own.flat_map(network).map(|(number, last)| world.town.subnets[number].address(last)).collect()
        }
        (_, Choice::Sequential) => {
            let start = 0x2000_0000 | (chance.bits() as u32 & 0x3fff_ff00);
            (0..60_000).map(|number| Ipv4Addr::from(start + number)).collect()
        }
        (Means::Tcp, Choice::List) => {
            let listens = world.town.hosts.iter().enumerate().filter(|(other, machine)| *other != host && machine.opens.contains(&port));
            let mut all: Vec<Ipv4Addr> = listens.map(|(_, machine)| machine.ip).collect();
            for at in (1..all.len()).rev() {
                all.swap(at, chance.below(at as u64 + 1) as usize);
            }
            all
        }
        (Means::Ports, _) => {
            let live = world.town.of(if chance.chance(0.5) { Role::Server } else { Role::Desk });
            chance.pick(&live).map(|target| world.town.hosts[*target].ip).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

struct Scanner {
    host: usize,
    means: Means,
    choice: Choice,
    rate: f64,
    port: u16,
    second_port: Option<u16>,
    talk: Talk,
    even: bool,
    targets: Vec<Ipv4Addr>,
    next: usize,
    left: u64,
    truth: usize,
    chance: Chance,
}

impl Actor for Scanner {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        if world.gone(self.host) {
            return Some(t + 5.0);
        }
        self.left = self.left.checked_sub(1)?;
        let target = self.target(world)?;
        let dst = IpAddr::V4(target);
        if target != world.town.hosts[self.host].ip {
            self.probe(world, t, dst);
        }
        let mean = 1.0 / self.rate;
        Some(t + if self.even { mean } else { self.chance.wait(mean) })
    }
}

impl Scanner {
    fn target(&mut self, world: &World) -> Option<Ipv4Addr> {
        let [a, b] = world.town.prefix;
        let subnet = world.town.hosts[self.host].subnet;
        Some(match (self.means, self.choice) {
            (Means::Ports, _) => *self.targets.first()?,
            (_, Choice::Sequential | Choice::List) => {
                let target = *self.targets.get(self.next)?;
                self.next += 1;
                target
            }
            (_, Choice::Near) => match self.chance.below(4) {
                0 | 1 => {
                    let third = if self.chance.chance(0.7) {
                        world.town.subnets[self.chance.below(world.town.subnets.len() as u64) as usize].base[2]
                    } else {
                        self.chance.below(256) as u8
                    };
                    Ipv4Addr::new(a, b, third, self.chance.among(1, 254) as u8)
                }
                2 => world.town.subnets[subnet].address(self.chance.among(1, 254) as u8),
                _ => random(&mut self.chance),
            },
            (_, Choice::Random) => random(&mut self.chance),
        })
    }

    fn probe(&mut self, world: &mut World, t: f64, dst: IpAddr) {
        match self.means {
            Means::Tcp => {
                let port = match self.second_port {
                    Some(second) if self.chance.chance(0.1) => second,
                    _ => self.port,
                };
                world.truth.contact(self.truth, t, dst, 0);
                world.connect(t, self.host, dst, port, None, self.talk);
            }
            Means::Ports => {
                let port = if self.next < 40 { COMMON[self.next % COMMON.len()] } else { self.chance.among(1, 65_000) as u16 };
                self.next += 1;
                world.truth.contact(self.truth, t, dst, port);
                world.connect(t, self.host, dst, port, None, Talk::PROBE);
            }
            Means::Arp => {
                let IpAddr::V4(target) = dst else { return };
                let machine = &world.town.hosts[self.host];
                let (subnet, mac, ip) = (machine.subnet, machine.mac, machine.ip);
                world.truth.contact(self.truth, t, dst, 0);
                world.ask(t, subnet, mac, ip, target);
                let owner = world.town.host_of(dst).map(|host| &world.town.hosts[host]).filter(|host| host.up).map(|host| host.mac);
                if let Some(owner) = owner {
                    let body = frame::arp(2, owner, target, mac, ip);
                    world.raw(t + 5e-4, Some(subnet), owner, mac, 0x0806, &body, 0);
                }
            }
            Means::Ping => {
                world.truth.contact(self.truth, t, dst, 0);
                let answers = world.town.is_local(dst) || self.chance.chance(0.08);
                world.echo(t, self.host, dst, self.next as u16, answers);
            }
            Means::Datagram => {
                world.truth.contact(self.truth, t, dst, 0);
                let sport = 1_030 + self.host as u16;
                world.datagram(t, self.host, sport, dst, self.port, &[4; 96], None);
            }
        }
    }
}

/// Ports that scanners try first.
const COMMON: &[u16] = &[
    80, 23, 443, 21, 22, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993, 5900, 1025, 587, 8888, 199, 1720, 465,
    548, 113, 81, 6001, 10_000, 514, 5060, 179, 1026, 2000, 8443, 8000, 32_768, 554,
];

fn random(chance: &mut Chance) -> Ipv4Addr {
    loop {
        let ip = Ipv4Addr::from(chance.bits() as u32);
        let [a, ..] = ip.octets();
        if !matches!(a, 0 | 127 | 224..=255) {
            return ip;
        }
    }
}
