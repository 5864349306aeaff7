//! A few destinations of each machine, kept so that a judgement can be checked: the last that failed and the last contacted.

use std::net::IpAddr;

use crate::detect::quick::{Fixed, address};

use super::evidence::SAMPLE;
use super::pending::Class;
use super::window::TICKS;

/// Failures this long after the one before, in ticks, begin anew.
const FORGOTTEN: u32 = 600 * TICKS;

#[derive(Clone, Copy, Debug)]
struct Place {
    to: [u64; 2],
    port: u16,
    class: Class,
}

impl Place {
    fn is(&self, class: Class, to: u128) -> bool {
        self.class == class && self.ip() == to
    }

    fn ip(&self) -> u128 {
        u128::from(self.to[0]) << 64 | u128::from(self.to[1])
    }
}

/// Two rings of one machine.
#[derive(Debug, Default)]
struct Sample {
    failed: [Option<Place>; SAMPLE],
    made: [Option<Place>; SAMPLE],
    failures: u16,
    contacts: u16,
    /// When the failures began of which the last ones are, and when the last was made, in ticks.
    since: u32,
    latest: u32,
}

/// The samples of those machines that make most contacts.
#[derive(Debug)]
pub(super) struct Samples(Fixed<Sample>);

impl Samples {
    pub(super) fn new(machines: u32) -> Self {
        Self(Fixed::new(machines as usize))
    }

    /// A contact was made, or has failed.
    pub(super) fn note(&mut self, host: u64, to: u128, port: u16, class: Class, failed: bool, tick: u32) {
        let worth = |sample: &Sample| u32::from(sample.contacts) + u32::from(sample.failures) * 8;
        let Some(sample) = self.0.entry_by(host, tick, Sample::default, worth) else { return };
        if failed {
            if sample.failures == 0 || tick.saturating_sub(sample.latest) > FORGOTTEN {
                sample.since = tick;
            }
            sample.latest = sample.latest.max(tick);
        }
        let place = Place { to: [(to >> 64) as u64, to as u64], port, class };
        let (ring, count) = if failed { (&mut sample.failed, &mut sample.failures) } else { (&mut sample.made, &mut sample.contacts) };
        if let Some(slot) = ring.get_mut(usize::from(*count) % SAMPLE) {
            *slot = Some(place);
        }
        *count = count.wrapping_add(1);
    }

    /// When the failures of a machine began; `otherwise` where none are kept.
    pub(super) fn begun(&mut self, host: u64, otherwise: u32) -> u32 {
        self.0.find(host).filter(|sample| sample.failures > 0).map_or(otherwise, |sample| sample.since)
    }

    /// Destinations of a class on the ports that `wanted` lets by: those that failed first, then the others.
    pub(super) fn of(&mut self, host: u64, class: Class, wanted: impl Fn(u16) -> bool) -> Vec<(IpAddr, u16)> {
        let Some(sample) = self.0.find(host) else { return Vec::new() };
        let mut places: Vec<Place> = Vec::with_capacity(SAMPLE);
        for place in sample.failed.iter().chain(&sample.made).flatten() {
            let known = places.iter().any(|other| other.is(class, place.ip()) && other.port == place.port);
            if place.class == class && wanted(place.port) && !known && places.len() < SAMPLE {
                places.push(*place);
            }
        }
        places.iter().map(|place| (address(place.ip()), place.port)).collect()
    }

    /// How many different machines are among the last failures of a class.
    pub(super) fn failing_machines(&mut self, host: u64, class: Class) -> usize {
        self.failing(host, |of| of == class)
    }

    /// The same of TCP and UDP together: peer-to-peer programs look for their peers by both.
    pub(super) fn failing_peers(&mut self, host: u64) -> usize {
        self.failing(host, |of| matches!(of, Class::Tcp | Class::Udp))
    }

    fn failing(&mut self, host: u64, is_wanted: impl Fn(Class) -> bool) -> usize {
        let Some(sample) = self.0.find(host) else { return 0 };
        let failed: Vec<u128> = sample.failed.iter().flatten().filter(|place| is_wanted(place.class)).map(Place::ip).collect();
        failed.iter().enumerate().filter(|(at, ip)| !failed.iter().take(*at).any(|other| other == *ip)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_counted_over_both_transports() {
        let mut samples = Samples::new(8);
        for last in 0..8_u8 {
            let class = if last % 2 == 0 { Class::Tcp } else { Class::Udp };
            samples.note(1, u128::from(last), 40_000, class, true, 1);
        }
        assert_eq!((samples.failing_machines(1, Class::Tcp), samples.failing_machines(1, Class::Udp), samples.failing_peers(1)), (4, 4, 8));
    }

    #[test]
    fn what_failed_comes_first_and_nothing_twice() {
        let mut samples = Samples::new(8);
        let ip = |last: u8| crate::detect::quick::number([10, 0, 0, last].into());
        samples.note(1, ip(1), 445, Class::Tcp, false, 1);
        samples.note(1, ip(2), 445, Class::Tcp, false, 1);
        samples.note(1, ip(2), 445, Class::Tcp, true, 2);
        samples.note(1, ip(3), 80, Class::Tcp, true, 2);
        samples.note(1, ip(4), 445, Class::Udp, true, 2);
        let found = samples.of(1, Class::Tcp, |port| port == 445);
        assert_eq!(found, [([10, 0, 0, 2].into(), 445), ([10, 0, 0, 1].into(), 445)]);
        assert_eq!(samples.failing_machines(1, Class::Tcp), 2);
    }
}
