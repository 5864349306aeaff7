//! Counting within a stretch of time that begins with the first thing counted. Times are in sixteenths of a second of the
//! engine's clock: eight years fit into 32 bits.

/// Ticks of a second.
pub(super) const TICKS: u32 = 16;

/// A count since the first of its kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// When it began.
    pub(super) from: u32,
    /// How many since.
    pub(super) count: u16,
    /// How many of them were answered.
    pub(super) answered: u16,
}

impl Window {
    /// Counts one more; begins anew when the stretch is over.
    pub(super) fn hit(&mut self, tick: u32, length_s: u32) -> u16 {
        if self.count == 0 || tick.saturating_sub(self.from) >= length_s.saturating_mul(TICKS) {
            *self = Self { from: tick, count: 0, answered: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// One was answered that was made at `made`.
    pub(super) fn answer(&mut self, made: u32) {
        if self.count > 0 && made >= self.from {
            self.answered = self.answered.saturating_add(1);
        }
    }

    /// Whether less than this share was answered.
    pub(super) fn answered_below(&self, share: f32) -> bool {
        f32::from(self.answered) < share * f32::from(self.count)
    }
}

/// New contacts in a short window, with the port that most of them have (majority vote, Boyer and Moore 1981).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burst {
    /// The contacts.
    pub(super) window: Window,
    /// Of those, on ports of known services.
    services: u16,
    /// The port that leads, the votes that it is ahead by, and how often it was seen since it leads.
    pub(super) port: u16,
    ahead: u16,
}

impl Burst {
    /// One more contact.
    pub(super) fn hit(&mut self, tick: u32, length_s: u32, port: u16, service: bool) -> u16 {
        let count = self.window.hit(tick, length_s);
        if count == 1 {
            (self.services, self.ahead) = (0, 0);
        }
        self.services = self.services.saturating_add(u16::from(service));
        if self.ahead == 0 {
            self.port = port;
        }
        self.ahead = if self.port == port { self.ahead.saturating_add(1) } else { self.ahead - 1 };
        count
    }

    /// Whether the contacts want one service of everybody: one port has the clear majority, or known services together.
    pub(super) fn one_service(&self, service_share: f32) -> bool {
        let count = f32::from(self.window.count);
        f32::from(self.ahead) >= count * 0.1 || f32::from(self.services) >= count * service_share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_its_first() {
        let mut window = Window::default();
        assert_eq!((window.hit(100, 10), window.hit(259, 10), window.hit(260, 10)), (1, 2, 1));
        window.answer(259);
        assert_eq!(window.answered, 0, "that contact was of the window before");
        window.answer(260);
        assert!(window.answered_below(1.1) && !window.answered_below(1.0));
    }

    #[test]
    fn a_majority_is_one_service_and_a_crowd_of_ports_is_not() {
        let (mut worm, mut peer) = (Burst::default(), Burst::default());
        for at in 0..100 {
            worm.hit(5, 10, if at % 3 == 0 { 2323 } else { 23 }, false);
            peer.hit(5, 10, 10_000 + at, false);
        }
        assert!(worm.one_service(0.7) && worm.port == 23);
        assert!(!peer.one_service(0.7));
    }
}
