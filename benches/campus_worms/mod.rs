//! A campus by a seed: some two thousand machines with their habits, and those among them that spread, scan, flood or lie.
//! It is the yardstick of detection: frames are made in the order of time as a mirror port would show them, with the truth
//! about who did what and when, and a score is made of what the engine says of them.
//!
//! The walk: [`Plan`] → [`world::World`] (machines of [`town`], frames of [`frame`], conversations of [`talk`]) peopled by
//! [`people`], [`services`], [`peers`], struck by [`calamity`], attacked by [`scanners`] and [`culprits`], which tell their
//! first contacts to [`truth`] → frames → the engine → [`score`].

pub(crate) mod calamity;
pub(crate) mod chance;
pub(crate) mod crowd;
pub(crate) mod culprits;
pub(crate) mod engine;
pub(crate) mod frame;
pub(crate) mod liars;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod scanners;
pub(crate) mod score;
pub(crate) mod services;
pub(crate) mod talk;
pub(crate) mod town;
pub(crate) mod truth;
pub(crate) mod world;

use chance::Chance;
use world::World;

/// What the mirror port shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sight {
    /// Everything.
    Whole,
    /// Only what machines send, nothing that a router brings them.
    OneWay,
    /// Broadcasts, and what goes through the router: not what machines of one network send each other.
    Inner,
}

/// What is to be simulated. All that is not set here is drawn by the seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) hosts: usize,
    pub(crate) seconds: u32,
    /// How many machines scan and how many do something else that is wrong.
    pub(crate) scanners: usize,
    pub(crate) others: usize,
    /// Whether the uplink fails, a server dies, a building loses its power.
    pub(crate) hard: bool,
    /// Share of destinations where nobody is any more.
    pub(crate) dead: f64,
    /// How much people do, 1 as usual.
    pub(crate) busy: f64,
    /// Whether a routed packet is seen on both sides of the router.
    pub(crate) copies: bool,
    pub(crate) tags: bool,
    /// Whether the campus has public addresses, so that the world scans it.
    pub(crate) public: bool,
    /// Whether routers tell by ICMP that nobody is there.
    pub(crate) tells: bool,
    pub(crate) sight: Sight,
}

impl Plan {
    /// The usual campus of a seed.
    pub(crate) fn new(seed: u64, hosts: usize, seconds: u32) -> Self {
        let mut chance = Chance::new(seed, 0);
        Self {
            seed,
            hosts,
            seconds,
            scanners: hosts / 33,
            others: hosts / 80,
            hard: true,
            dead: chance.between(0.02, 0.06),
            busy: chance.between(0.8, 1.3),
            copies: chance.chance(0.5),
            tags: chance.chance(0.5),
            public: chance.chance(0.3),
            tells: chance.chance(0.5),
            sight: Sight::Whole,
        }
    }

    /// The same campus with nobody who does wrong.
    pub(crate) fn benign(seed: u64, hosts: usize, seconds: u32) -> Self {
        Self { scanners: 0, others: 0, ..Self::new(seed, hosts, seconds) }
    }

    /// The campus with everybody in it, ready to give its frames.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new(self.clone());
        people::enter(&mut world);
        services::enter(&mut world);
        crowd::enter(&mut world);
        peers::enter(&mut world);
        if self.hard {
            calamity::enter(&mut world);
        }
        let mut taken = Vec::new();
        scanners::enter(&mut world, &mut taken);
        culprits::enter(&mut world, &mut taken);
        world
    }
}

/// A number for each place where chance is needed, so that a new machine does not change the old ones.
pub(crate) fn stream(world: &World, place: u64, host: usize) -> Chance {
    Chance::new(world.plan.seed, place << 32 | host as u64)
}
