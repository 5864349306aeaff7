//! Those who lie on their own segment: servers of leases and routers that are none, leases asked for without end, addresses of
//! others, frames without end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::chance::Chance;
use super::frame;
use super::town::Role;
use super::world::{Actor, World};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lie {
    Dhcp,
    Advertisement,
    Starvation,
    Gateway,
    Duplicate,
    Storm,
    Loop,
}

pub(crate) fn one(world: &mut World, host: usize, kind: u64, t: f64, mut chance: Chance) {
    let lies = [Lie::Dhcp, Lie::Advertisement, Lie::Starvation, Lie::Gateway, Lie::Duplicate, Lie::Storm, Lie::Loop];
    let lie = lies[kind as usize % lies.len()];
    let (kinds, left): (&[&str], u64) = match lie {
        Lie::Dhcp => (&["rogue-dhcp"], chance.among(2, 30)),
        Lie::Advertisement => (&["rogue-ra"], chance.among(3, 30)),
        Lie::Starvation => (&["dhcp-starvation"], chance.among(1_500, 6_000)),
        Lie::Gateway => (&["arp-spoof"], chance.among(20, 200)),
        Lie::Duplicate => (&["arp-spoof"], chance.among(6, 20)),
        Lie::Storm | Lie::Loop => (&["storm"], chance.among(6_000, 30_000)),
    };
    let truth = world.truth.begin(&world.town, host, format!("{lie:?}"), kinds);
    let subnet = world.town.hosts[host].subnet;
    let near: Vec<usize> = (0..world.town.hosts.len())
        .filter(|other| *other != host && world.town.hosts[*other].subnet == subnet && world.town.hosts[*other].role == Role::Desk)
        .collect();
    let victim = chance.pick(&near).copied().unwrap_or(host);
    if lie == Lie::Duplicate {
        world.truth.offenders[truth].double = Some(victim);
    }
    let pace = match lie {
        Lie::Storm => 1.0 / chance.between(1_200.0, 6_000.0),
        Lie::Loop => 1.0 / chance.between(500.0, 8_000.0),
        Lie::Starvation => 1.0 / chance.between(80.0, 1_000.0),
        Lie::Duplicate => 15.0,
        _ => chance.between(1.0, 10.0),
    };
    world.enter(t, Liar { host, victim, lie, pace, left, truth, chance });
}

struct Liar {
    host: usize,
    victim: usize,
    lie: Lie,
    pace: f64,
    left: u64,
    truth: usize,
    chance: Chance,
}

impl Actor for Liar {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        world.truth.act(self.truth, t);
        let me = world.town.hosts[self.host].clone();
        let network = world.town.subnets[me.subnet].clone();
        match self.lie {
            Lie::Dhcp => self.offer(world, t),
            Lie::Advertisement => {
                let load = frame::advertisement(me.mac, Ipv6Addr::new(0x2001, 0xdb8, 0xbad, 0, 0, 0, 0, 0));
                let from = world.link_local(me.mac);
                if let Some(body) = frame::packet(from, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).into(), 255, &load) {
                    world.raw(t, Some(me.subnet), me.mac, [0x33, 0x33, 0, 0, 0, 1], 0x86dd, &body, 0);
                }
            }
            Lie::Starvation => {
                let client = [2, 0x66, self.chance.below(256) as u8, self.chance.below(256) as u8, self.chance.below(256) as u8, 1];
                let load = frame::udp(68, 67, &frame::dhcp(1, self.chance.bits() as u32, client, Ipv4Addr::UNSPECIFIED, None));
                let (from, to) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::BROADCAST));
                if let Some(body) = frame::packet(from, to, 64, &load) {
                    world.raw(t, Some(me.subnet), me.mac, frame::BROADCAST, 0x0800, &body, 0);
                }
            }
            Lie::Gateway => {
                let victim = world.town.hosts[self.victim].clone();
                let body = frame::arp(2, me.mac, network.gateway, victim.mac, victim.ip);
                world.raw(t, Some(me.subnet), me.mac, victim.mac, 0x0806, &body, 0);
            }
            Lie::Duplicate => {
                let victim = world.town.hosts[self.victim].clone();
                for (number, mac) in [(0, me.mac), (1, victim.mac)] {
                    let body = frame::arp(1, mac, victim.ip, [0; 6], network.gateway);
                    world.raw(t + f64::from(number) * 4.0, Some(me.subnet), mac, frame::BROADCAST, 0x0806, &body, 0);
                }
            }
            Lie::Storm => {
                let load = frame::udp(137, 137, &[self.chance.below(256) as u8; 50]);
                world.spread(t, self.host, IpAddr::V4(network.address(255)), &load);
            }
            Lie::Loop => {
                let body = frame::arp(1, me.mac, me.ip, [0; 6], network.gateway);
                world.raw(t, Some(me.subnet), me.mac, frame::BROADCAST, 0x0806, &body, 0);
            }
        }
        Some(t + self.pace * if matches!(self.lie, Lie::Loop | Lie::Duplicate) { 1.0 } else { self.chance.wait(1.0) })
    }
}

impl Liar {
    fn offer(&mut self, world: &mut World, t: f64) {
        let me = world.town.hosts[self.host].clone();
        let client = world.town.hosts[self.victim].clone();
        let message = frame::dhcp(2, self.chance.bits() as u32, client.mac, Ipv4Addr::new(192, 168, 1, 100), Some(me.ip));
        if let Some(body) = frame::packet(IpAddr::V4(me.ip), Ipv4Addr::BROADCAST.into(), 64, &frame::udp(67, 68, &message)) {
            world.raw(t, Some(me.subnet), me.mac, frame::BROADCAST, 0x0800, &body, 0);
        }
    }
}
