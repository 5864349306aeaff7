//! The time line of a device's samples: moves on by the device's own clock, follows our wall clock gently, and never goes
//! twice through the same time, also when our clock is set.

use super::clocks::{Clocks, Span};
use crate::model::Timestamp;

/// Beyond this our clock was set, and the line is laid anew; below, the line bends.
const STEP_MS: i64 = 10_000;
/// The line takes over an eighth of the difference a poll ...
const GAIN: i64 = 8;
/// ... and never runs faster or slower than our clock by more than 1/200, so that no rate is bent visibly.
const BEND: i64 = 200;
/// How many earlier pieces are remembered after our clock was set.
const PIECES: usize = 8;

/// Where a poll stands on the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its time.
    pub time: Timestamp,
    /// The number of the piece it is on: spans within one piece are true, spans between pieces mean nothing.
    pub piece: u8,
    /// Samples of an earlier piece stand at this time already: this one must not be stored.
    pub taken: bool,
    /// The device has restarted since the poll before.
    pub restarted: bool,
}

/// One device's line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TimeLine {
    last: Option<(i64, Clocks)>,
    began: i64,
    piece: u8,
    /// Earlier pieces (from, to), only after our clock was set.
    earlier: Vec<(i64, i64)>,
}

impl TimeLine {
    /// Places a poll whose answer arrived at `wall` with these clocks.
    pub fn place(&mut self, clocks: Clocks, wall: Timestamp, engine_time: Option<u32>) -> Place {
        let wall = wall.millis();
        let mut restarted = false;
        let time = match self.last {
            None => self.begin(wall),
            Some((last, before)) => {
                let span = before.until(clocks, engine_time);
                restarted = span == Span::Restarted;
                let passed = match span {
                    Span::Ran(span) => i64::from(span) * 10,
                    Span::Restarted | Span::Repeated | Span::Untold => i64::from(clocks.steady.wrapping_sub(before.steady)) * 10,
                };
                let expected = last + passed.max(1);
                let off = wall - expected;
                if off.abs() > STEP_MS {
                    self.lay_anew(last, wall)
                } else {
                    let most = passed / BEND;
                    (expected + (off / GAIN).clamp(-most, most)).max(last + 1)
                }
            }
        };
        self.last = Some((time, clocks));
        Place { time: Timestamp::from_millis(time), piece: self.piece, taken: self.is_earlier(time), restarted }
    }

    /// Where a poll without an answer stands that ended at `wall` and `steady` (hundredths). The line stays as it is.
    pub fn place_silence(&self, steady: u32, wall: Timestamp) -> Place {
        let wall = wall.millis();
        let expected = self.last.map(|(last, before)| last + i64::from(steady.wrapping_sub(before.steady)) * 10);
        let time = expected.filter(|expected| (wall - expected).abs() <= STEP_MS).unwrap_or(wall);
        let taken = self.is_earlier(time) || self.last.is_some_and(|(last, _)| (self.began..=last).contains(&time));
        Place { time: Timestamp::from_millis(time), piece: self.piece, taken, restarted: false }
    }

    fn is_earlier(&self, time: i64) -> bool {
        self.earlier.iter().any(|&(from, to)| (from..=to).contains(&time))
    }

    fn begin(&mut self, wall: i64) -> i64 {
        self.began = wall;
        wall
    }

    fn lay_anew(&mut self, last: i64, wall: i64) -> i64 {
        if self.earlier.len() == PIECES {
            self.earlier.remove(0);
        }
        self.earlier.push((self.began, last));
        self.piece = self.piece.wrapping_add(1);
        self.begin(wall)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A device and our clocks, moved on by hand.
    struct Bench {
        line: TimeLine,
        clocks: Clocks,
        wall: i64,
    }

    impl Bench {
        fn new() -> Self {
            let wall = 1_700_000_000_000;
            Self { line: TimeLine::default(), clocks: Clocks { uptime: 900_000, steady: 0, wall: (wall / 10) as u32 }, wall }
        }

        /// `ms` later (a multiple of 10), with our wall clock `step` ms off from before.
        fn after(&mut self, ms: i64, step: i64) -> Place {
            self.wall += ms + step;
            self.clocks.uptime = self.clocks.uptime.wrapping_add((ms / 10) as u32);
            self.clocks.steady = self.clocks.steady.wrapping_add((ms / 10) as u32);
            self.clocks.wall = (self.wall / 10) as u32;
            self.line.place(self.clocks, Timestamp::from_millis(self.wall), None)
        }
    }

    #[test]
    fn waiting_for_an_answer_does_not_move_the_line() {
        let mut bench = Bench::new();
        let first = bench.after(0, 0).time.millis();
        bench.wall += 1_600;
        let late = bench.line.place(
            Clocks { uptime: 906_000, steady: 6_160, wall: (bench.wall / 10) as u32 + 6_000 },
            Timestamp::from_millis(bench.wall + 60_000),
            None,
        );
        assert_eq!(late.time.millis() - first, 60_200, "an eighth of the 1.6 s that the answer was late");
    }

    #[test]
    fn a_clock_set_forward_begins_a_new_piece_at_the_new_time() {
        let mut bench = Bench::new();
        let first = bench.after(0, 0);
        let second = bench.after(60_000, 3_600_000);
        assert_ne!(first.piece, second.piece);
        assert_eq!((second.time.millis(), second.taken), (bench.wall, false));
    }

    #[test]
    fn a_clock_set_back_does_not_write_twice_into_the_same_time() {
        let mut bench = Bench::new();
        bench.after(0, 0);
        for _ in 0..10 {
            bench.after(60_000, 0);
        }
        assert!(bench.after(60_000, -180_000).taken);
        assert!(bench.after(60_000, 0).taken);
        assert!(bench.after(60_000, 0).taken, "the very moment of the last sample");
        assert!(!bench.after(60_000, 0).taken, "past the earlier piece");
    }

    #[test]
    fn a_clock_that_was_hours_ahead_loses_only_what_was_stored_ahead() {
        let mut bench = Bench::new();
        bench.after(0, 0);
        bench.after(60_000, 0);
        let corrected = bench.after(60_000, -8 * 3_600_000);
        assert!(!corrected.taken);
        let taken = (0..480).filter(|_| bench.after(60_000, 0).taken).count();
        assert!((1..=2).contains(&taken), "{taken} of 480 polls");
    }

    proptest! {
        #[test]
        fn no_time_is_given_twice_and_spans_within_a_piece_are_true(
            moves in proptest::collection::vec((1_i64..30_000, prop_oneof![8 => Just(0_i64), 2 => -200_000_i64..200_000, 1 => -2_000_i64..2_000]), 1..200)
        ) {
            let mut bench = Bench::new();
            let mut stored: Vec<Place> = vec![bench.after(0, 0)];
            let mut truth = 0_i64;
            let mut at = vec![0_i64];
            for (ticks, step) in moves {
                truth += ticks * 10;
                let place = bench.after(ticks * 10, step);
                if !place.taken {
                    prop_assert!(stored.iter().all(|other| other.time != place.time));
                    let (last, when) = (*stored.last().unwrap(), *at.last().unwrap());
                    if last.piece == place.piece {
                        let (line, real) = (place.time.millis() - last.time.millis(), truth - when);
                        prop_assert!((line - real).abs() <= real / 200 + 1, "{line} for {real}");
                    }
                    stored.push(place);
                    at.push(truth);
                }
            }
        }
    }
}
