//! When timeouts are no evidence: a region of the network (outside; each /24 and /64 inside) where several other machines fail
//! at the same time, and more of them than succeed, is down. An answer of any kind, a refusal too, shows that it is up.

use std::net::IpAddr;

use crate::detect::quick::{Fixed, Mixer, number};
use crate::detect::settings::Outage;
use crate::detect::sight::Sight;

use super::window::TICKS;

/// Regions that are followed at one time.
const REGIONS: usize = 2048;
/// Machines that are remembered of each region: the latest.
const WITNESSES: usize = 24;

#[derive(Clone, Copy, Debug, Default)]
struct Witness {
    machine: u32,
    /// The tick of the last outcome; 0 none.
    at: u32,
    /// The last outcomes, the newest lowest; a bit for each failure, below a leading one.
    history: u8,
}

impl Witness {
    fn fails(self) -> bool {
        let seen = self.history.checked_ilog2().unwrap_or(0).min(4);
        let failed = (self.history & 0xf & ((1 << seen) - 1)).count_ones();
        self.history & 1 == 1 && failed * 2 >= seen
    }
}

#[derive(Debug, Default)]
struct Region {
    witnesses: [Witness; WITNESSES],
    /// Until when it was last seen to be down.
    down: u32,
}

/// All regions.
#[derive(Debug)]
pub(super) struct Outages {
    settings: Outage,
    mixer: Mixer,
    regions: Fixed<Region>,
}

impl Outages {
    pub(super) fn new(settings: Outage, mixer: Mixer) -> Self {
        Self { settings, mixer, regions: Fixed::new(REGIONS) }
    }

    pub(super) fn set_settings(&mut self, settings: Outage) {
        self.settings = settings;
    }

    /// The region of a destination.
    pub(super) fn region(&self, to: IpAddr, sight: &Sight) -> u64 {
        let (number, family) = (number(to), u64::from(to.is_ipv6()));
        let shift = if to.is_ipv6() { 64 } else { 8 };
        if sight.is_local(to) { self.mixer.one(number >> shift, 3) } else { self.mixer.one(0, 4 + family) }
    }

    /// A machine has reached the region, or has not.
    pub(super) fn note(&mut self, region: u64, machine: u64, reached: bool, tick: u32) {
        let Some(region) = self.regions.entry(region, tick, Region::default) else { return };
        let machine = machine as u32;
        let known = region.witnesses.iter().position(|witness| witness.at != 0 && witness.machine == machine);
        let oldest = || region.witnesses.iter().enumerate().min_by_key(|(_, witness)| witness.at).map(|(at, _)| at);
        let Some(witness) = known.or_else(oldest).and_then(|at| region.witnesses.get_mut(at)) else { return };
        if known.is_none() {
            *witness = Witness { machine, at: tick, history: 1 };
        }
        witness.at = tick;
        let shifted = witness.history << 1 | u8::from(!reached);
        // The leading one stays in place once four outcomes are held.
        witness.history = if witness.history & 0xf0 != 0 { 0x10 | shifted & 0xf } else { shifted };
    }

    /// Whether a contact that was made at `made` failed because the region is down, not because of the machine.
    pub(super) fn excuses(&mut self, region: u64, machine: u64, made: u32, tick: u32) -> bool {
        let (settings, machine) = (self.settings, machine as u32);
        let Some(region) = self.regions.find(region) else { return false };
        let recent = |witness: &&Witness| witness.at != 0 && tick.saturating_sub(witness.at) < settings.window_s * TICKS;
        let others = region.witnesses.iter().filter(recent).filter(|witness| witness.machine != machine);
        let (failing, good) = others.fold((0, 0), |(bad, good), witness| if witness.fails() { (bad + 1, good) } else { (bad, good + 1) });
        if failing >= u32::from(settings.machines) && failing > good {
            region.down = tick;
        }
        region.down != 0 && made <= region.down
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Site;

    fn outages() -> (Outages, u64) {
        let outages = Outages::new(Outage::default(), Mixer::new(1));
        let region = outages.region("8.8.8.8".parse().unwrap(), &Sight::new(Site::default(), 1));
        (outages, region)
    }

    #[test]
    fn four_others_that_fail_excuse_a_machine() {
        let (mut outages, region) = outages();
        (1..=3).for_each(|machine| outages.note(region, machine, false, 100));
        assert!(!outages.excuses(region, 9, 100, 100));
        outages.note(region, 9, false, 100);
        assert!(!outages.excuses(region, 9, 100, 100), "itself is no other");
        outages.note(region, 4, false, 101);
        assert!(outages.excuses(region, 9, 100, 101));
        assert!(!outages.excuses(region, 9, 500, 101 + 20 * TICKS), "it was long ago");
    }

    #[test]
    fn those_who_succeed_are_counted_too() {
        let (mut outages, region) = outages();
        (1..=4).for_each(|machine| outages.note(region, machine, false, 100));
        (11..=14).for_each(|machine| outages.note(region, machine, true, 100));
        assert!(!outages.excuses(region, 9, 100, 100));
        // Those who succeeded before, and fail now.
        (11..=14).for_each(|machine| outages.note(region, machine, false, 110));
        assert!(outages.excuses(region, 9, 105, 110));
    }

    #[test]
    fn what_was_begun_in_the_outage_is_excused_behind_it() {
        let (mut outages, region) = outages();
        (1..=6).for_each(|machine| outages.note(region, machine, false, 100));
        assert!(outages.excuses(region, 9, 95, 100));
        (1..=6).for_each(|machine| (0..4).for_each(|_| outages.note(region, machine, true, 120)));
        assert!(outages.excuses(region, 9, 99, 130) && !outages.excuses(region, 9, 121, 130));
    }

    #[test]
    fn inside_each_network_is_a_region_of_its_own() {
        let (outages, outside) = outages();
        let sight = Sight::new(Site::default(), 1);
        let of = |ip: &str| outages.region(ip.parse().unwrap(), &sight);
        assert_eq!(of("10.0.1.5"), of("10.0.1.200"));
        assert_ne!(of("10.0.1.5"), of("10.0.2.5"));
        assert_eq!(of("1.2.3.4"), outside);
    }
}
