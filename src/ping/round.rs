//! One round of a host: some probes spread over its interval, and what their round-trip times say (as SmokePing draws
//! them). Pure.

use super::codec::Refusal;

/// The most probes of a round.
pub const MOST_PROBES: usize = 20;

/// What became of a probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was answered after so many nanoseconds, by the kernel's stamp.
    Answered(u32),
    /// Nothing came in time.
    Lost,
    /// A host or router said that it cannot arrive.
    Refused(Refusal),
    /// It says nothing about the host: it could not be sent, or our own socket threw messages away meanwhile.
    Unmeasured,
}

/// What a finished round says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Probes sent.
    pub sent: u32,
    /// Probes that nobody answered, those refused included.
    pub lost: u32,
    /// Of the lost ones: those that were refused.
    pub refused: u32,
    /// Probes that say nothing.
    pub unmeasured: u32,
    /// Replies that came again.
    pub duplicates: u32,
    /// Replies that came when the probe had been given up.
    pub late: u32,
    /// What the last refusal said.
    pub refusal: Option<Refusal>,
    /// The round-trip times in nanoseconds, in the order of the probes.
    pub times_ns: Vec<u32>,
}

impl Round {
    /// Whether the round may be told: one that our own socket spoilt is no measurement.
    pub const fn is_measured(&self) -> bool {
        self.sent > 0 && self.unmeasured == 0
    }

    /// The share that was lost, in percent.
    pub fn loss_percent(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { f64::from(self.lost) * 100.0 / f64::from(self.sent) }
    }

    /// The round-trip times in order of size; `None` when nothing was answered.
    pub fn spread(&self) -> Option<Spread> {
        let mut sorted = self.times_ns.clone();
        sorted.sort_unstable();
        let at = |share: f64| {
            // Linear between neighbours, so that five times have meaningful quartiles.
            let place = share * (sorted.len() as f64 - 1.0);
            let low = f64::from(*sorted.get(place.floor() as usize)?);
            let high = f64::from(*sorted.get(place.ceil() as usize)?);
            Some(low + (high - low) * place.fract())
        };
        let steps: Vec<f64> = self.times_ns.windows(2).filter_map(|pair| Some(f64::from(pair.first()?.abs_diff(*pair.last()?)))).collect();
        let jitter = if steps.is_empty() { 0.0 } else { steps.iter().sum::<f64>() / steps.len() as f64 };
        Some(Spread { min_ns: at(0.0)?, q1_ns: at(0.25)?, median_ns: at(0.5)?, q3_ns: at(0.75)?, max_ns: at(1.0)?, jitter_ns: jitter })
    }
}

/// How the round-trip times of a round lie, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// The shortest.
    pub min_ns: f64,
    /// A quarter is shorter.
    pub q1_ns: f64,
    /// Half is shorter.
    pub median_ns: f64,
    /// Three quarters are shorter.
    pub q3_ns: f64,
    /// The longest.
    pub max_ns: f64,
    /// The mean difference between one time and the next.
    pub jitter_ns: f64,
}

/// A round in the making, small because there is one for each host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: u8,
    pub(super) lost: u8,
    pub(super) refused: u8,
    pub(super) unmeasured: u8,
    pub(super) duplicates: u16,
    pub(super) late: u16,
    refusal: Option<Refusal>,
    answered: u8,
    times_ns: [u32; MOST_PROBES],
}

impl Tally {
    pub(super) const EMPTY: Self = Self {
        sent: 0,
        lost: 0,
        refused: 0,
        unmeasured: 0,
        duplicates: 0,
        late: 0,
        refusal: None,
        answered: 0,
        times_ns: [0; MOST_PROBES],
    };

    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered(ns) => {
                if let Some(time) = self.times_ns.get_mut(usize::from(self.answered)) {
                    *time = ns;
                    self.answered += 1;
                }
            }
            Outcome::Lost => self.lost = self.lost.saturating_add(1),
            Outcome::Refused(refusal) => {
                self.lost = self.lost.saturating_add(1);
                self.refused = self.refused.saturating_add(1);
                self.refusal = Some(refusal);
            }
            Outcome::Unmeasured => self.unmeasured = self.unmeasured.saturating_add(1),
        }
    }

    /// How many probes are through.
    pub(super) const fn settled(&self) -> u8 {
        self.answered.saturating_add(self.lost).saturating_add(self.unmeasured)
    }

    pub(super) fn finish(&mut self) -> Round {
        let tally = std::mem::take(self);
        Round {
            sent: tally.sent.into(),
            lost: tally.lost.into(),
            refused: tally.refused.into(),
            unmeasured: tally.unmeasured.into(),
            duplicates: tally.duplicates.into(),
            late: tally.late.into(),
            refusal: tally.refusal,
            times_ns: tally.times_ns.get(..usize::from(tally.answered)).unwrap_or_default().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_five_times() {
        let round = Round { sent: 5, times_ns: vec![300, 100, 500, 200, 400], ..Round::default() };
        let spread = round.spread().unwrap();
        assert_eq!((spread.min_ns, spread.q1_ns, spread.median_ns), (100.0, 200.0, 300.0));
        assert_eq!((spread.q3_ns, spread.max_ns), (400.0, 500.0));
        // |300-100|, |100-500|, |500-200|, |200-400|.
        assert_eq!(spread.jitter_ns, (200.0 + 400.0 + 300.0 + 200.0) / 4.0);
        assert_eq!(Round::default().spread(), None);
        let even = Round { sent: 2, times_ns: vec![10, 20], ..Round::default() };
        assert_eq!(even.spread().unwrap().median_ns, 15.0);
    }

    #[test]
    fn a_tally_becomes_a_round() {
        let mut tally = Tally { sent: 3, ..Tally::default() };
        tally.add(Outcome::Answered(7));
        tally.add(Outcome::Lost);
        tally.add(Outcome::Unmeasured);
        assert_eq!(tally.settled(), 3);
        let round = tally.finish();
        assert_eq!((round.sent, round.lost, round.unmeasured, round.times_ns.as_slice()), (3, 1, 1, [7].as_slice()));
        assert!(!round.is_measured());
        assert_eq!(tally.finish(), Round::default());
    }
}
