//! How many packets may be out at once. A packet counts until it is answered or until it has been out for
//! [`HOLD`]: so the limit is a packet rate for devices that are dead, and they cannot starve those that answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// After this time an unanswered packet no longer counts.
const HOLD: Duration = Duration::from_millis(50);

/// The right to have one packet out; given back by [`Window::release`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Credit(u64);

/// Counts the packets that are out.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    out: usize,
    first: u64,
    /// Since when each credit from number `first` on is out; `None` when it was given back.
    credits: VecDeque<Option<Instant>>,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), out: 0, first: 0, credits: VecDeque::with_capacity(limit) }
    }

    /// How many packets count as out.
    pub(super) const fn out(&self) -> usize {
        self.out
    }

    /// A credit for one packet, when there is one.
    pub(super) fn take(&mut self, now: Instant) -> Option<Credit> {
        if self.out >= self.limit {
            return None;
        }
        self.out += 1;
        self.credits.push_back(Some(now));
        Some(Credit(self.first + self.credits.len() as u64 - 1))
    }

    /// Gives a credit back; one that has run out already is ignored.
    pub(super) fn release(&mut self, credit: Credit) {
        let place = credit.0.checked_sub(self.first).and_then(|at| self.credits.get_mut(usize::try_from(at).ok()?));
        if place.and_then(Option::take).is_some() {
            self.out -= 1;
        }
        while let Some(None) = self.credits.front() {
            self.drop_front();
        }
    }

    /// Frees the credits of packets that have been out too long.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(&since) = self.credits.front() {
            match since {
                Some(since) if now.saturating_duration_since(since) < HOLD => return,
                Some(_) => self.out -= 1,
                None => {}
            }
            self.drop_front();
        }
    }

    fn drop_front(&mut self) {
        self.credits.pop_front();
        self.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clock;

    #[test]
    fn unanswered_packets_give_their_room_back_in_time() {
        let start = clock::monotonic();
        let mut window = Window::new(2);
        let first = window.take(start).unwrap();
        let second = window.take(start).unwrap();
        assert_eq!(window.take(start), None, "two are out");
        window.release(second);
        window.release(second);
        assert_eq!(window.out(), 1, "given back once only");
        let third = window.take(start + HOLD / 2).unwrap();
        window.expire(start + HOLD);
        assert_eq!(window.out(), 1, "the first has run out, the third has not");
        window.release(first);
        assert_eq!(window.out(), 1);
        window.release(third);
        assert_eq!((window.out(), window.credits.len()), (0, 0));
    }
}
