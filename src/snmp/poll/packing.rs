//! How much to ask of a device at once: learnt from its answers and remembered between polls.
//! Filling the datagram is worth thirty times one object per datagram; weak agents choke on full ones.

use crate::snmp::message::Version;

/// Varbinds asked at first.
pub const START: usize = 24;
/// Varbinds never exceeded; with IF-MIB names that is an answer of about 1,250 octets.
pub const MOST: usize = 48;
/// The octets of varbinds that fit an answer of 1,400 octets beside its envelope.
pub const ANSWER_OCTETS: usize = 1_330;

/// Clean answers after which more is tried.
const CLEAN_BEFORE_GROWING: u8 = 3;
/// How much more is tried.
const GROWTH: usize = 8;
/// Wrong answers to GETBULK after which a device is asked by GET only.
const BULK_STRIKES: u8 = 3;

/// What a device has shown it can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packing {
    limit: usize,
    ceiling: usize,
    clean: u8,
    bulk_strikes: u8,
}

impl Packing {
    /// For a device not met yet. SNMPv1 has no GETBULK.
    pub const fn new(version: Version) -> Self {
        let bulk_strikes = match version {
            Version::V1 => BULK_STRIKES,
            Version::V2c => 0,
        };
        Self { limit: START, ceiling: MOST, clean: 0, bulk_strikes }
    }

    /// How many varbinds to ask at once, 1 to [`MOST`].
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Whether GETBULK is understood.
    pub const fn bulk(&self) -> bool {
        self.bulk_strikes < BULK_STRIKES
    }

    /// A full answer to a full question.
    pub fn clean(&mut self) {
        self.clean += 1;
        if self.clean >= CLEAN_BEFORE_GROWING {
            self.clean = 0;
            self.limit = (self.limit + GROWTH).min(self.ceiling);
        }
    }

    /// A question for `asked` varbinds was too much (tooBig, genErr, or it went unanswered twice while a small one is answered).
    pub fn too_much(&mut self, asked: usize) {
        self.clean = 0;
        self.limit = self.limit.min((asked / 2).max(1));
        self.ceiling = self.ceiling.min((asked * 3 / 4).max(1));
    }

    /// The agent cut its answer short after `given` varbinds.
    pub fn cut_short(&mut self, given: usize) {
        self.clean = 0;
        self.limit = self.limit.min(given.max(1));
        self.ceiling = self.ceiling.min(given.max(1));
    }

    /// GETBULK brought other rows than it should.
    pub fn bulk_misbehaved(&mut self) {
        self.bulk_strikes = self.bulk_strikes.saturating_add(1);
    }

    /// The same for a device that does not answer GETBULK at all.
    pub const fn without_bulk(self) -> Self {
        Self { bulk_strikes: BULK_STRIKES, ..self }
    }

    /// At each identity read the ceiling is lifted a little: devices get new firmware, and one bad minute is no verdict.
    pub fn forgive(&mut self) {
        self.ceiling = (self.ceiling + GROWTH).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_after_three_clean_answers_up_to_the_most() {
        let mut packing = Packing::new(Version::V2c);
        let mut seen = vec![packing.limit()];
        for _ in 0..15 {
            packing.clean();
            seen.push(packing.limit());
        }
        assert_eq!(seen, [24, 24, 24, 32, 32, 32, 40, 40, 40, 48, 48, 48, 48, 48, 48, 48]);
    }

    #[test]
    fn it_halves_and_does_not_climb_back_to_what_failed() {
        let mut packing = Packing::new(Version::V2c);
        (0..9).for_each(|_| packing.clean());
        packing.too_much(48);
        assert_eq!(packing.limit(), 24);
        (0..30).for_each(|_| packing.clean());
        assert_eq!(packing.limit(), 36);
        packing.forgive();
        (0..3).for_each(|_| packing.clean());
        assert_eq!(packing.limit(), 44);
        for asked in [44, 22, 11, 5, 2, 1, 1] {
            packing.too_much(asked);
        }
        assert_eq!(packing.limit(), 1);
    }

    #[test]
    fn version_one_knows_no_getbulk() {
        assert!(!Packing::new(Version::V1).bulk());
        let mut packing = Packing::new(Version::V2c);
        (0..3).for_each(|_| packing.bulk_misbehaved());
        assert!(!packing.bulk());
    }
}
