//! The engine's own time: it only grows, whatever stamps the packets bear. Stamps that are equal stand still; a small step
//! back waits; a large one (files put together, a clock set back) starts to count anew from there.

use crate::capture::packet::Nanos;

/// A step back of more than this is a new beginning.
const NEW_BEGINNING_MS: u64 = 5_000;

/// Milliseconds since the first packet, and how to tell the wire's time from them.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What is added to the engine's time for the wire's, in milliseconds.
    offset: i64,
    now_ms: u64,
    started: bool,
}

impl Clock {
    /// Takes a stamp; the engine's time in milliseconds.
    pub(super) fn advance(&mut self, at: Nanos) -> u64 {
        let at_ms = at.0 / 1_000_000;
        if !self.started {
            self.started = true;
            // One second stands before the first packet, so that zero means "never" everywhere.
            self.now_ms = 1000;
            self.anchor(at_ms);
        }
        let ours = signed(at_ms) - self.offset;
        let behind = signed(self.now_ms) - ours;
        if behind > signed(NEW_BEGINNING_MS) {
            self.anchor(at_ms);
        } else if behind < 0 {
            self.now_ms = u64::try_from(ours).unwrap_or(self.now_ms);
        }
        self.now_ms
    }

    /// Moves the engine's time on by itself, where no packet does.
    pub(super) const fn pass(&mut self, ms: u64) {
        self.now_ms = self.now_ms.saturating_add(ms);
    }

    /// The engine's time in sixteenths of a second.
    pub(super) const fn tick(&self) -> u32 {
        (self.now_ms.saturating_mul(2) / 125) as u32
    }

    /// The engine's time in whole seconds; 136 years fit.
    pub(super) fn second(&self) -> u32 {
        (self.now_ms / 1000).min(u64::from(u32::MAX)) as u32
    }

    fn anchor(&mut self, at_ms: u64) {
        self.offset = signed(at_ms) - signed(self.now_ms);
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn it_only_grows() {
        let mut clock = Clock::default();
        assert_eq!(clock.advance(s(1_700_000_000)), 1000);
        assert_eq!(clock.advance(s(1_700_000_000)), 1000, "equal stamps stand still");
        assert_eq!(clock.advance(s(1_700_000_003)), 4000);
        assert_eq!(clock.advance(s(1_700_000_001)), 4000, "a little back waits");
        assert_eq!(clock.advance(s(1_600_000_000)), 4000, "far back begins anew");
        assert_eq!(clock.advance(s(1_600_000_002)), 6000);
    }

    #[test]
    fn any_stamp_is_borne() {
        let mut clock = Clock::default();
        let mut last = 0;
        for at in [u64::MAX, 0, 1, u64::MAX / 2, 5, u64::MAX] {
            let now = clock.advance(Nanos(at));
            assert!(now >= last);
            last = now;
        }
    }
}
