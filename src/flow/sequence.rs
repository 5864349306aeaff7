//! What an exporter's sequence numbers say of datagrams that did not arrive.

/// A step forward that is larger is a new count, not a loss.
const FURTHEST: u32 = 10_000_000;

/// The sequence of one exporter (of one domain of it).
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sequence {
    /// The number that should come next; `None` at the start, and after something that cannot be counted.
    next: Option<u32>,
    /// The number that would follow one that came out of turn.
    aside: Option<u32>,
}

impl Sequence {
    /// Takes a datagram that begins at `number` and counts for `count`. Returns what is missing before it. One that comes
    /// late is taken silently; two in a row that go on from each other elsewhere are an exporter that began anew.
    pub(super) fn advance(&mut self, number: u32, count: u32) -> u32 {
        let after = number.wrapping_add(count);
        let ahead = self.next.map_or(0, |next| number.wrapping_sub(next));
        if ahead > FURTHEST && self.aside != Some(number) {
            self.aside = Some(after);
            return 0;
        }
        *self = Self { next: Some(after), aside: None };
        if ahead > FURTHEST { 0 } else { ahead }
    }

    /// What came cannot be counted: the next number is taken as it is.
    pub(super) const fn forget(&mut self) {
        *self = Self { next: None, aside: None };
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    fn losses(datagrams: &[(u32, u32)]) -> Vec<u32> {
        let mut sequence = Sequence::default();
        datagrams.iter().map(|&(number, count)| sequence.advance(number, count)).collect()
    }

    #[test]
    fn gaps_are_counted_and_the_counter_may_wrap() {
        assert_eq!(losses(&[(100, 30), (130, 30), (190, 30), (220, 1)]), [0, 0, 30, 0]);
        assert_eq!(losses(&[(u32::MAX - 9, 10), (0, 5), (6, 1)]), [0, 0, 1]);
    }

    #[test]
    fn a_late_one_and_a_restart_are_no_loss() {
        assert_eq!(losses(&[(100, 10), (120, 10), (110, 10), (130, 10)]), [0, 10, 0, 0]);
        assert_eq!(losses(&[(5_000, 10), (0, 10), (10, 10), (30, 10)]), [0, 0, 0, 10]);
        assert_eq!(losses(&[(0, 1), (4_000_000_000, 1), (4_000_000_001, 1), (4_000_000_004, 1)]), [0, 0, 0, 2]);
    }
}
