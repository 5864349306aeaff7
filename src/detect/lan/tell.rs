//! What the judges of the segment have in common: the span that a judgement counts over, when it is said again, and its evidence.

use crate::capture::packet::Nanos;
use crate::detect::{Detection, Kind, Level, Machine};
use crate::model::{Evidence, Fact};

/// Said again at the latest after so many seconds, so that a case that goes on is not taken for over.
const AGAIN_S: u64 = 30;

/// The moment at hand: the engine's time, which only grows, and the wire's.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds of the engine.
    pub ms: u64,
    /// The stamp of the packet.
    pub at: Nanos,
}

impl Now {
    /// Whole seconds of the engine.
    #[expect(clippy::cast_possible_truncation, reason = "saturates after 136 years")]
    pub(in crate::detect) fn second(self) -> u32 {
        (self.ms / 1000).min(u64::from(u32::MAX)) as u32
    }
}

/// A span that something is counted over, and what was said of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// When it began.
    pub start_ms: u64,
    /// The first packet that counts.
    pub first: Nanos,
    said_ms: u64,
    said_count: u64,
}

impl Span {
    pub(super) const fn new(now: Now) -> Self {
        Self { start_ms: now.ms, first: now.at, said_ms: 0, said_count: 0 }
    }

    /// Whether so many seconds have gone since it began.
    pub(super) const fn is_over(&self, now: Now, window_s: u32) -> bool {
        now.ms.saturating_sub(self.start_ms) >= window_s as u64 * 1000
    }

    /// Whether it is time to say it: at first, when it has doubled, and now and then. Then it counts as said.
    pub(super) const fn is_due(&mut self, now: Now, count: u64) -> bool {
        let never = self.said_count == 0;
        let doubled = count >= self.said_count.saturating_mul(2);
        let due = never || doubled || now.ms.saturating_sub(self.said_ms) >= AGAIN_S * 1000;
        if due {
            self.said_ms = now.ms;
            self.said_count = count;
        }
        due
    }
}

/// A detection of what was counted over a span.
pub(super) fn detection(kind: Kind, level: Level, machine: Machine, now: Now, span: &Span, count: u64, evidence: Evidence) -> Detection {
    let first = span.first.min(now.at);
    Detection { kind, level, cleared: false, machine, first, last: now.at, contacts: count, evidence }
}

/// Facts by name.
pub(super) fn evidence<const N: usize>(facts: [(&str, Fact); N]) -> Evidence {
    facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
}

/// A window in its fact.
pub(super) fn window(seconds: u32) -> Fact {
    Fact::Millis(f64::from(seconds) * 1000.0)
}

/// Different hashes up to `N`; beyond that each new call counts.
#[derive(Clone, Debug)]
pub(super) struct Distinct<const N: usize> {
    hashes: [u32; N],
    count: u32,
}

impl<const N: usize> Distinct<N> {
    pub(super) const fn new() -> Self {
        Self { hashes: [0; N], count: 0 }
    }

    /// Whether it is new; it is counted then.
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash tell some dozen apart")]
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        let hash = hash as u32;
        let known = usize::try_from(self.count).unwrap_or(N).min(N);
        if self.hashes.iter().take(known).any(|other| *other == hash) {
            return false;
        }
        if let Some(place) = self.hashes.get_mut(known) {
            *place = hash;
        }
        self.count = self.count.saturating_add(1);
        true
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }
}

/// A few texts to show, at most eight.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample(Vec<Box<str>>);

impl Sample {
    const MOST: usize = 8;
    const LONGEST: usize = 64;

    /// Keeps it if there is room and it is not there yet.
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.0.len() >= Self::MOST {
            return;
        }
        let mut text = text();
        if let Some((end, _)) = text.char_indices().nth(Self::LONGEST) {
            text.truncate(end);
            text.push('…');
        }
        if !self.0.iter().any(|known| **known == *text) {
            self.0.push(text.into());
        }
    }

    pub(super) fn fact(&self) -> Fact {
        Fact::Text(self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_ones_are_counted_once_while_there_is_room() {
        let mut distinct = Distinct::<4>::new();
        for hash in [1, 2, 2, 3, 1, 4] {
            distinct.insert(hash);
        }
        assert_eq!(distinct.count(), 4);
        assert!(distinct.insert(5) && distinct.insert(5), "no room to remember it");
        assert!(!distinct.insert(4));
    }

    #[test]
    fn a_judgement_is_said_at_first_then_doubled_then_now_and_then() {
        let now = |ms| Now { ms, at: Nanos(ms * 1_000_000) };
        let mut span = Span::new(now(1000));
        assert!(span.is_due(now(1000), 60));
        assert!(!span.is_due(now(1001), 61) && !span.is_due(now(1002), 119));
        assert!(span.is_due(now(1003), 120));
        assert!(!span.is_due(now(31_002), 121));
        assert!(span.is_due(now(31_003), 121));
        assert!(!span.is_over(now(10_999), 10) && span.is_over(now(11_000), 10));
    }

    #[test]
    fn a_sample_is_short() {
        let mut sample = Sample::default();
        for number in 0..100 {
            sample.add(|| format!("{}{number}", "网".repeat(100)));
        }
        assert_eq!(sample.0.len(), 1);
    }
}
