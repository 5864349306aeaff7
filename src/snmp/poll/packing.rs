//! How much to ask of a device at once: learnt from its answers and remembered between polls.
//! Filling the datagram is worth thirty times one object per datagram; weak agents choke on full ones. Two things may be
//! too much for an agent, and they are learnt apart: the names of a request, and the varbinds of its answer.

use crate::snmp::job::Credentials;
use crate::snmp::message::Version;

/// Varbinds asked at first.
pub const START: usize = 24;
/// Varbinds never exceeded; before so many counters are together the datagram is full.
pub const MOST: usize = 72;
/// The octets of varbinds that fit the smallest usual datagram (1,452 octets, IPv6 on Ethernet) beside the envelope of v2c.
const ANSWER_OCTETS: usize = 1_400;
/// How much larger the envelope of SNMPv3 is.
const SECURITY_OCTETS: usize = 150;
/// What a varbind in front takes at most.
const FRONT_OCTETS: usize = 22;
/// The names that stand before the wanted ones at most: sysUpTime and its like.
pub const MOST_FRONT: usize = 4;

/// sysUpTime, ifTableLastChange, octets in and out: what silence does not make less.
const FEW_NAMES: usize = 4;
/// Clean answers after which more is tried.
const CLEAN_BEFORE_GROWING: u8 = 3;
/// How much more is tried.
const GROWTH: usize = 8;
/// Wrong answers to GETBULK after which a device is asked by GET only.
const BULK_STRIKES: u8 = 3;

/// What a device has shown it can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packing {
    /// Varbinds of an answer, with those in front.
    varbinds: Limit,
    /// Names of a request, with those in front.
    names: Limit,
    suspicion: Suspicion,
    bulk_strikes: u8,
    octets: usize,
}

/// What is held to be too much while refusals follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Suspicion {
    None,
    /// The varbinds of the answer; this was their limit before.
    Varbinds(Limit),
    /// The names of the request, as a single row of them was refused.
    Names,
}

impl Packing {
    /// For a device not met yet. SNMPv1 has no GETBULK.
    pub const fn new(version: Version) -> Self {
        let bulk_strikes = match version {
            Version::V1 => BULK_STRIKES,
            Version::V2c => 0,
        };
        let limit = Limit::new(START + MOST_FRONT, MOST + MOST_FRONT);
        Self { varbinds: limit, names: limit, suspicion: Suspicion::None, bulk_strikes, octets: ANSWER_OCTETS }
    }

    /// The same for a device that is spoken to so.
    pub const fn of(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Community { version, .. } => Self::new(*version),
            Credentials::User { .. } => Self { octets: ANSWER_OCTETS - SECURITY_OCTETS, ..Self::new(Version::V2c) },
        }
    }

    /// How many octets of varbinds an answer has room for behind `front` others.
    pub const fn octets_behind(&self, front: usize) -> usize {
        self.octets.saturating_sub(front * FRONT_OCTETS)
    }

    /// How many varbinds an answer should bring behind `front` others, 1 to [`MOST`].
    pub fn varbinds_behind(&self, front: usize) -> usize {
        self.varbinds.now.saturating_sub(front).clamp(1, MOST)
    }

    /// How many names a request may carry behind `front` others, 1 to [`MOST`].
    pub fn names_behind(&self, front: usize) -> usize {
        self.names.now.saturating_sub(front).clamp(1, MOST)
    }

    /// The names of a request and the varbinds of its answer that the device takes, those in front included.
    pub const fn limits(&self) -> (usize, usize) {
        (self.names.now, self.varbinds.now)
    }

    /// Whether a request of `names` names for `varbinds` varbinds is not too much.
    pub const fn takes(&self, names: usize, varbinds: usize) -> bool {
        names <= self.names.now && varbinds <= self.varbinds.now
    }

    /// Whether GETBULK is understood.
    pub const fn bulk(&self) -> bool {
        self.bulk_strikes < BULK_STRIKES
    }

    /// A full answer to a request of `names` names for `varbinds` varbinds. Here and below those in front count.
    pub fn clean(&mut self, names: usize, varbinds: usize) {
        self.suspicion = Suspicion::None;
        self.names.clean(names);
        self.varbinds.clean(varbinds);
    }

    /// A GETBULK of `names` names for `varbinds` varbinds in `rows` rows was refused (tooBig, genErr). Fewer rows of the same
    /// names are tried first. When not even one row of them is given it is the names, and the rows are tried as before.
    pub fn bulk_refused(&mut self, names: usize, varbinds: usize, rows: usize) {
        match self.suspicion {
            Suspicion::None if rows > 1 => {
                self.suspicion = Suspicion::Varbinds(self.varbinds);
                self.varbinds.too_much(varbinds);
            }
            Suspicion::Varbinds(_) if rows > 1 => self.varbinds.too_much(varbinds),
            Suspicion::None | Suspicion::Varbinds(_) => {
                if let Suspicion::Varbinds(before) = self.suspicion {
                    self.varbinds = before;
                }
                self.suspicion = Suspicion::Names;
                self.names.too_much(names);
            }
            Suspicion::Names => self.varbinds.too_much(varbinds),
        }
    }

    /// A request for `names` objects by name was refused.
    pub fn refused(&mut self, names: usize) {
        self.names.too_much(names);
    }

    /// A request went unanswered while a small one is answered: which of the two is too much cannot be told.
    pub fn unanswered(&mut self, names: usize, varbinds: usize) {
        // Mostly it was the line: from that alone it does not follow that the octets in and out cannot be asked together.
        if names > FEW_NAMES {
            self.names.too_much(names.max(2 * FEW_NAMES));
        }
        self.varbinds.too_much(varbinds);
    }

    /// The agent cut its answer short after `given` varbinds.
    pub fn cut_short(&mut self, given: usize) {
        self.suspicion = Suspicion::None;
        self.varbinds.at_most(given);
    }

    /// GETBULK brought other rows than it should.
    pub fn bulk_misbehaved(&mut self) {
        self.bulk_strikes = self.bulk_strikes.saturating_add(1);
    }

    /// The same for a device that does not answer GETBULK at all.
    pub const fn without_bulk(self) -> Self {
        Self { bulk_strikes: BULK_STRIKES, ..self }
    }

    /// At each identity read the ceilings are lifted a little: devices get new firmware, and one bad minute is no verdict.
    pub fn forgive(&mut self) {
        self.varbinds.forgive();
        self.names.forgive();
    }
}

/// A number that grows while all is well, and falls back when it was too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Limit {
    now: usize,
    ceiling: usize,
    /// What was not too much, last time.
    good: usize,
    clean: u8,
}

impl Limit {
    const fn new(now: usize, ceiling: usize) -> Self {
        Self { now, ceiling, good: 0, clean: 0 }
    }

    /// Only what came near the limit says something about it. (Whole rows may leave nearly half of it.)
    fn clean(&mut self, asked: usize) {
        if asked * 2 < self.now {
            return;
        }
        self.good = asked;
        self.clean += 1;
        if self.clean >= CLEAN_BEFORE_GROWING {
            self.clean = 0;
            self.now = (self.now + GROWTH).min(self.ceiling).max(self.now);
        }
    }

    /// Back to what was good if that is near, else to the half; never again up to what failed.
    fn too_much(&mut self, asked: usize) {
        self.clean = 0;
        if self.good < asked && self.good + GROWTH >= asked {
            return self.at_most(self.good);
        }
        self.now = self.now.min((asked / 2).max(1));
        self.ceiling = self.ceiling.min((asked * 3 / 4).max(1));
    }

    fn at_most(&mut self, given: usize) {
        self.clean = 0;
        self.now = self.now.min(given.max(1));
        self.ceiling = self.ceiling.min(given.max(1));
    }

    fn forgive(&mut self) {
        self.ceiling = (self.ceiling + GROWTH).min(MOST + MOST_FRONT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of four columns in as many rows as are asked for.
    fn full(packing: &mut Packing, times: usize) {
        (0..times).for_each(|_| packing.clean(MOST_FRONT + 4, MOST_FRONT + packing.varbinds_behind(MOST_FRONT)));
    }

    fn varbinds(packing: &Packing) -> usize {
        packing.varbinds_behind(MOST_FRONT)
    }

    fn names(packing: &Packing) -> usize {
        packing.names_behind(MOST_FRONT)
    }

    #[test]
    fn it_grows_after_three_clean_answers_up_to_the_most() {
        let mut packing = Packing::new(Version::V2c);
        let mut seen = vec![varbinds(&packing)];
        for _ in 0..15 {
            full(&mut packing, 1);
            seen.push(varbinds(&packing));
        }
        assert_eq!(seen, [24, 24, 24, 32, 32, 32, 40, 40, 40, 48, 48, 48, 56, 56, 56, 64]);
        full(&mut packing, 30);
        assert_eq!((names(&packing), varbinds(&packing)), (START, MOST), "eight names say nothing about many");
    }

    #[test]
    fn it_falls_back_and_does_not_climb_to_what_failed() {
        let mut packing = Packing::new(Version::V2c);
        full(&mut packing, 9);
        packing.unanswered(8, 52);
        assert_eq!(varbinds(&packing), 40, "what was good is near");
        packing.unanswered(8, 44);
        assert_eq!(varbinds(&packing), 18);
        full(&mut packing, 30);
        assert_eq!(varbinds(&packing), 29, "three quarters of what failed");
        packing.forgive();
        full(&mut packing, 3);
        assert_eq!(varbinds(&packing), 37);
        for asked in [41, 33, 16, 8, 4, 2, 1, 1] {
            packing.unanswered(asked, asked);
        }
        assert_eq!((varbinds(&packing), names(&packing)), (1, 1));
    }

    #[test]
    fn an_agent_that_takes_few_names_still_fills_its_answers() {
        let mut packing = Packing::new(Version::V2c);
        packing.bulk_refused(9, 25, 3);
        assert_eq!((packing.names_behind(1), packing.varbinds_behind(1)), (27, 11), "first it may be the answer");
        packing.bulk_refused(9, 9, 1);
        assert_eq!((packing.names_behind(1), packing.varbinds_behind(1)), (3, 27), "not one row: it is the names");
        (0..9).for_each(|_| packing.clean(1 + packing.names_behind(1), 1 + packing.varbinds_behind(1)));
        assert_eq!((packing.names_behind(1), varbinds(&packing)), (5, 48), "near the nine that failed, not again at them");
    }

    #[test]
    fn an_agent_that_chokes_on_long_answers_is_found_out_once() {
        let mut packing = Packing::new(Version::V2c);
        packing.bulk_refused(8, 28, 6);
        assert_eq!(varbinds(&packing), 10);
        full(&mut packing, 3);
        assert_eq!((names(&packing), varbinds(&packing)), (START, 17));
        packing.bulk_refused(8, 20, 4);
        full(&mut packing, 30);
        assert_eq!(varbinds(&packing), 10, "that was good, and what failed is too near to search between");
    }

    #[test]
    fn refusals_of_whatever_end_at_one() {
        let mut packing = Packing::new(Version::V2c);
        for _ in 0..20 {
            let columns = 8.min(packing.names_behind(1)).min(packing.varbinds_behind(1));
            let rows = packing.varbinds_behind(1) / columns;
            packing.bulk_refused(1 + columns, 1 + columns * rows, rows);
        }
        assert_eq!(varbinds(&packing), 1);
    }

    #[test]
    fn version_one_knows_no_getbulk() {
        assert!(!Packing::new(Version::V1).bulk());
        let mut packing = Packing::new(Version::V2c);
        (0..3).for_each(|_| packing.bulk_misbehaved());
        assert!(!packing.bulk());
    }
}
