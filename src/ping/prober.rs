//! The prober's loop: one thread that sends what the schedule says, takes what came, and hands each event on.
//!
//! It wakes when a probe is due, but not more often than every ten milliseconds: the kernel stamps replies, so that it does
//! not matter when they are read. Each probe is stamped when it is sent.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use super::codec::{Family, write_request};
use super::schedule::{Counts, Event, Probe, Schedule};
use super::socket::{Mode, Received, Wire};
use super::steady::Steady;
use super::sys;
use crate::model::Timestamp;

/// The shortest sleep.
const NAP_NS: i64 = 10_000_000;
/// While replies are outstanding and nothing is due so soon, the first reply wakes.
const PATIENT_NS: i64 = 60_000_000;
/// The longest sleep: so long may a command wait.
const LONGEST_NS: i64 = 200_000_000;
/// Probes sent before the socket is looked at again, so that a small receive buffer holds.
const BURST: u32 = 64;

/// Where the prober's sockets stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketState {
    /// Which family.
    pub family: Family,
    /// How it was opened.
    pub mode: Mode,
    /// The receive buffer that the kernel granted, octets.
    pub receive_buffer: usize,
    /// How often it was seen to have thrown messages away.
    pub drops: u64,
}

/// The prober: sockets, schedule, clock.
pub struct Prober {
    wires: Vec<(Wire, u64)>,
    steady: Steady,
    schedule: Schedule,
    request: Vec<u8>,
    slept_until_ns: i64,
}

impl Prober {
    /// A prober on these sockets (at most one of each family); probes are given up after `timeout`.
    pub fn new(wires: Vec<Wire>, timeout: Duration) -> Self {
        let wires = wires.into_iter().map(|wire| (wire, 0)).collect();
        Self { wires, steady: Steady::new(), schedule: Schedule::new(timeout), request: Vec::with_capacity(2048), slept_until_ns: 0 }
    }

    /// What is due, and who is probed.
    pub const fn schedule(&mut self) -> &mut Schedule {
        &mut self.schedule
    }

    /// What has been counted.
    pub const fn counts(&self) -> Counts {
        self.schedule.counts()
    }

    /// How the sockets stand.
    pub fn sockets(&self) -> impl Iterator<Item = SocketState> + '_ {
        self.wires.iter().map(|(wire, drops)| SocketState {
            family: wire.family(),
            mode: wire.mode(),
            receive_buffer: wire.receive_buffer(),
            drops: *drops,
        })
    }

    /// Now on the steady line of all events.
    pub fn now_ns(&mut self) -> i64 {
        self.steady.now()
    }

    /// A moment of the steady line on the wall clock.
    pub const fn wall(&self, steady_ns: i64) -> Timestamp {
        self.steady.wall(steady_ns)
    }

    /// Takes what came and gives up what is overdue, and sends nothing more: for an end at which every probe is accounted for.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub fn turn_without_sending(&mut self, mut each: impl FnMut(Event)) -> io::Result<i64> {
        let now_ns = self.steady.now();
        self.receive(&mut each)?;
        for (wire, drops) in &mut self.wires {
            if wire.has_dropped() {
                *drops += 1;
                self.schedule.dropped(now_ns);
            }
        }
        // The sockets were emptied after `now_ns`: whatever came by then has been handed in.
        self.schedule.give_up(now_ns, &mut each);
        Ok(now_ns)
    }

    /// One turn: takes what came, gives up what is overdue, sends what is due. Returns when it was (steady nanoseconds).
    ///
    /// # Errors
    /// A socket that cannot be read any more.
    pub fn turn(&mut self, mut each: impl FnMut(Event)) -> io::Result<i64> {
        let now_ns = self.turn_without_sending(&mut each)?;
        let mut sent = 0;
        while let Some(probe) = self.schedule.next_probe(now_ns) {
            self.send(&probe, &mut each);
            sent += 1;
            if sent % BURST == 0 {
                self.receive(&mut each)?;
            }
        }
        Ok(now_ns)
    }

    /// Sleeps until the next turn is due, at the latest at `until_ns`.
    ///
    /// # Errors
    /// The system call fails.
    pub fn sleep(&mut self, until_ns: Option<i64>) -> io::Result<()> {
        let now_ns = self.steady.stamp();
        let next = self.schedule.next_ns().into_iter().chain(until_ns).min().unwrap_or(i64::MAX);
        let next = next.clamp(now_ns.max(self.slept_until_ns) + NAP_NS, now_ns + LONGEST_NS);
        self.slept_until_ns = next.min(now_ns + LONGEST_NS);
        let nap = |span_ns: i64| Duration::from_nanos(u64::try_from(span_ns).unwrap_or(0));
        if next - now_ns <= PATIENT_NS {
            sys::wait([], nap(next - now_ns))?;
            return Ok(());
        }
        // Some rest first, so that replies are read by the handful.
        sys::wait([], nap(NAP_NS))?;
        let left = nap(next - self.steady.stamp());
        match self.wires.as_slice() {
            [] => sys::wait([], left).map(drop),
            [(one, _)] => sys::wait([one.as_fd()], left).map(drop),
            [(one, _), (two, _), ..] => sys::wait([one.as_fd(), two.as_fd()], left).map(drop),
        }
    }

    fn receive(&mut self, each: &mut impl FnMut(Event)) -> io::Result<()> {
        let (schedule, steady) = (&mut self.schedule, &self.steady);
        for (wire, _) in &mut self.wires {
            wire.receive(|Received { from, stamp_ns, arrival }| {
                let at_ns = stamp_ns.map_or_else(|| steady.stamp(), |stamp| steady.of_wall(stamp));
                schedule.arrived(from, at_ns, arrival, each);
            })?;
        }
        Ok(())
    }

    fn send(&mut self, probe: &Probe, each: &mut impl FnMut(Event)) {
        let family = probe.family();
        let Some((wire, _)) = self.wires.iter().find(|(wire, _)| wire.family() == family) else {
            let at_ns = self.steady.stamp();
            self.schedule.unsent(probe, at_ns, each);
            return;
        };
        write_request(&mut self.request, family, wire.ident(), probe.seq, probe.mark, probe.size);
        let at_ns = self.steady.stamp();
        match wire.send(probe.address, &self.request) {
            Ok(()) => self.schedule.sent(probe, at_ns),
            // No route, no buffer, forbidden by our own firewall: it says nothing about the host.
            Err(error) => {
                tracing::debug!(address = %probe.address, %error, "a probe to {} could not be sent: {error}", probe.address);
                self.schedule.unsent(probe, at_ns, each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::round::Outcome;
    use super::super::schedule::{HostId, Target};
    use super::*;

    /// Real sockets to the own machine; both families, and an address of which nobody answers for us.
    #[test]
    fn the_own_machine_answers() {
        let wires: Vec<Wire> = [Family::V4, Family::V6].into_iter().filter_map(|family| Wire::open(family, 4711).ok()).collect();
        if wires.is_empty() {
            eprintln!("SKIPPED: no ICMP socket may be opened here (CAP_NET_RAW, or net.ipv4.ping_group_range)");
            return;
        }
        let families: Vec<Family> = wires.iter().map(Wire::family).collect();
        let mut prober = Prober::new(wires, Duration::from_millis(500));
        let addresses = ["127.0.0.1", "127.77.1.2", "::1"].map(|text| text.parse::<std::net::IpAddr>().unwrap());
        let targets: Vec<Target> = (0_u32..)
            .zip(addresses)
            .filter(|(_, address)| families.contains(&Family::of(address)))
            .map(|(id, address)| Target { id: HostId(id), address, interval: Duration::from_secs(1), probes: 10, size: 56 })
            .collect();
        let now_ns = prober.now_ns();
        prober.schedule().set_targets(&targets, now_ns);
        let mut rounds = Vec::new();
        let mut probes = 0;
        while rounds.len() < targets.len() && probes < 300 {
            prober
                .turn(|event| match event {
                    Event::Round { round, .. } => rounds.push(round),
                    Event::Probe { outcome, .. } => {
                        probes += 1;
                        assert!(!matches!(outcome, Outcome::Refused(_) | Outcome::Lost), "{outcome:?}");
                    }
                })
                .unwrap();
            prober.sleep(None).unwrap();
        }
        for round in &rounds {
            assert_eq!((round.sent, round.lost, round.times_ns.len(), round.duplicates), (10, 0, 10, 0));
        }
        assert!(rounds.len() >= targets.len(), "{} rounds of {} hosts", rounds.len(), targets.len());
        assert_eq!(prober.counts().strange, 0);
    }
}
