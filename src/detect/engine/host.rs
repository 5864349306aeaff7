//! What is counted of one machine, in 256 octets.

use crate::detect::Machine;
use crate::detect::quick::address;
use crate::detect::settings::{PortTest, Walk};
use crate::model::MacAddr;

use super::ports::Ports;
use super::window::{Burst, TICKS, Window};

/// Old outcomes count half after so many ticks.
const AGES: u32 = 900 * TICKS;
/// A walk goes on to this many times its bound, so that a machine that has become clean is soon believed.
const FAR: f32 = 100.0;

/// A sequential test on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The product; 1 is the beginning.
    value: f32,
    /// When it left 1.
    pub(super) from: u32,
    /// Contacts since.
    pub(super) contacts: u16,
    /// Failures since.
    pub(super) failed: u16,
    /// Answers since.
    pub(super) answered: u16,
}

impl Default for Step {
    fn default() -> Self {
        Self { value: 1.0, from: 0, contacts: 0, failed: 0, answered: 0 }
    }
}

impl Step {
    /// A new contact, before its outcome.
    pub(super) fn contact(&mut self) {
        self.contacts = self.contacts.saturating_add(1);
    }

    pub(super) fn fail(&mut self, walk: &Walk, made: u32) {
        if self.value <= 1.0 {
            *self = Self { value: 1.0, from: made, contacts: self.contacts.clamp(1, 64), failed: 0, answered: 0 };
        }
        self.failed = self.failed.saturating_add(1);
        self.value = (self.value * walk.failure()).min(walk.bound * FAR);
    }

    pub(super) fn succeed(&mut self, walk: &Walk) {
        self.answered = self.answered.saturating_add(1);
        self.value *= walk.success();
        if self.value <= 1.0 {
            *self = Self::default();
        }
    }

    /// Whether it has come to this power of the bound.
    pub(super) fn beyond(&self, walk: &Walk, power: f32) -> bool {
        self.value >= walk.bound.powf(power)
    }
}

/// The machine.
#[derive(Clone, Debug)]
pub(super) struct Host {
    ip: [u64; 2],
    mac: Option<MacAddr>,
    vlan: Option<u16>,
    aged: u32,
    pub(super) tcp: Step,
    pub(super) udp: Step,
    pub(super) arp: Step,
    pub(super) tcp_ports: Ports,
    pub(super) udp_ports: Ports,
    pub(super) fast_tcp: Burst,
    pub(super) fast_udp: Burst,
    pub(super) lateral_tcp: Window,
    pub(super) lateral_udp: Window,
    pub(super) dark: Window,
    pub(super) echo: Window,
    pub(super) asked: Window,
    pub(super) mail: Window,
}

impl Host {
    pub(super) fn new(machine: &Machine, ip: u128, tick: u32) -> Self {
        Self {
            ip: [(ip >> 64) as u64, ip as u64],
            mac: machine.mac,
            vlan: machine.vlan,
            aged: tick,
            tcp: Step::default(),
            udp: Step::default(),
            arp: Step::default(),
            tcp_ports: Ports::default(),
            udp_ports: Ports::default(),
            fast_tcp: Burst::default(),
            fast_udp: Burst::default(),
            lateral_tcp: Window::default(),
            lateral_udp: Window::default(),
            dark: Window::default(),
            echo: Window::default(),
            asked: Window::default(),
            mail: Window::default(),
        }
    }

    /// Whose it is.
    pub(super) fn machine(&self) -> Machine {
        let ip = u128::from(self.ip[0]) << 64 | u128::from(self.ip[1]);
        Machine { ip: Some(address(ip)), mac: self.mac, vlan: self.vlan }
    }

    /// Takes what a frame says of where it is; old outcomes fade.
    pub(super) fn seen(&mut self, machine: &Machine, tick: u32) {
        if machine.mac.is_some() {
            (self.mac, self.vlan) = (machine.mac, machine.vlan);
        }
        if tick.saturating_sub(self.aged) >= AGES {
            self.aged = tick;
            self.tcp_ports.age();
            self.udp_ports.age();
        }
    }
}

/// Whether a port is one of the known services.
pub(super) fn is_service(test: &PortTest, port: u16) -> bool {
    test.services.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_takes_256_octets() {
        assert!(size_of::<Host>() <= 256, "{}", size_of::<Host>());
    }

    #[test]
    fn seven_failures_in_a_row_reach_the_bound_and_successes_undo_them() {
        let walk = Walk::default();
        let mut step = Step::default();
        (0..6).for_each(|_| step.fail(&walk, 5));
        assert!(!step.beyond(&walk, 1.0));
        step.fail(&walk, 9);
        assert!(step.beyond(&walk, 1.0) && step.from == 5 && step.failed == 7);
        (0..6).for_each(|_| step.succeed(&walk));
        assert_eq!((step.failed, step.from), (0, 0));
    }
}
