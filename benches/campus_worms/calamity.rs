//! Hard events, in which innocent machines fail by the dozen: the uplink is down, a server dies, a building gets its power
//! back, everybody starts at eight.

use super::chance::Chance;
use super::people;
use super::town::Role;
use super::world::{Actor, World};

pub(crate) fn enter(world: &mut World) {
    let mut chance = super::stream(world, 100, 0);
    let length = f64::from(world.plan.seconds);
    let outage = chance.between(0.3, 0.6) * length;
    world.outage = (outage, outage + 120.0_f64.min(length * 0.2));
    let server = world.town.one_of(Role::Server, chance.below(6) as usize);
    world.enter(chance.between(0.2, 0.8) * length, Crash { server });
    let networks = world.town.subnets.len() as u64;
    let dark = 1 + chance.below(networks - 1) as usize;
    let lasts = chance.between(0.05, 0.15) * length;
    world.enter(chance.between(0.25, 0.7) * length, Power { subnet: dark, off: true, lasts, chance: chance.clone() });
    let early = 1 + chance.below(networks - 1) as usize;
    world.enter(chance.between(5.0, 30.0), Eight { subnet: early, chance });
}

/// A server says nothing any more.
struct Crash {
    server: usize,
}

impl Actor for Crash {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        world.town.hosts[self.server].up = !world.town.hosts[self.server].up;
        (!world.town.hosts[self.server].up).then_some(t + 300.0)
    }
}

/// A building is dark for a while; then all its machines start within half a minute.
struct Power {
    subnet: usize,
    off: bool,
    lasts: f64,
    chance: Chance,
}

impl Actor for Power {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        for host in 0..world.town.hosts.len() {
            let machine = &mut world.town.hosts[host];
            if machine.subnet != self.subnet {
                continue;
            }
            machine.up = !self.off;
            if !self.off && machine.role == Role::Desk {
                let start = t + self.chance.between(0.0, 30.0);
                people::boot(world, start, host, &mut self.chance);
            }
        }
        std::mem::take(&mut self.off).then_some(t + self.lasts)
    }
}

/// Everybody of a network starts the machine within a few minutes.
struct Eight {
    subnet: usize,
    chance: Chance,
}

impl Actor for Eight {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64> {
        for host in 0..world.town.hosts.len() {
            if world.town.hosts[host].subnet == self.subnet && world.town.hosts[host].role == Role::Desk {
                let start = t + self.chance.between(0.0, 60.0);
                people::boot(world, start, host, &mut self.chance);
            }
        }
        None
    }
}
