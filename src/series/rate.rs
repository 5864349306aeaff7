//! From samples to what is known of a port's time: stretches over which its counters may be compared, and holes with
//! their reasons. Pure.
//!
//! The rules. A sample is compared with the one before it unless its mark forbids. One missed poll between them is
//! bridged (the counter went on counting) and still told as a hole; two in a row break the comparison. Nothing at all
//! for more than two and a half intervals means that nobody measured.

use crate::model::Gap;

use super::codec::block::gap_of;
use super::stretch::{Poll, Rows};

/// A stretch of a port's time that ends at a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Known {
    /// From here, milliseconds.
    pub(super) from_ms: i64,
    /// To here.
    pub(super) to_ms: i64,
    /// The row at its beginning, when counters may be compared with it.
    pub(super) since: Option<usize>,
    /// The row at its end.
    pub(super) row: usize,
}

/// A hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hole {
    /// From here, milliseconds.
    pub(super) from_ms: i64,
    /// To here.
    pub(super) to_ms: i64,
    /// Why.
    pub(super) gap: Gap,
}

/// What is known of a port over its polls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Walk {
    /// The known stretches, in order.
    pub(super) known: Vec<Known>,
    /// The holes, in order.
    pub(super) holes: Vec<Hole>,
    /// How it ends.
    pub(super) end: Option<End>,
}

/// How a walk ends: what may come later is not yet missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    /// Everything up to here has been told of the port.
    pub(super) told_ms: i64,
    /// The device's last poll.
    pub(super) polled_ms: i64,
    /// How long one may wait for the next sample of this port.
    pub(super) patience_ms: i64,
}

/// Two and a half intervals: later than this the next poll is not late but missing.
pub(super) fn patience_ms(interval_s: u32) -> i64 {
    i64::from(interval_s) * 2500
}

/// Walks over a port's rows and its device's polls.
pub(super) fn walk(polls: &[Poll], rows: &Rows) -> Walk {
    let mut state = State::default();
    let mut row = 0;
    for (at, poll) in polls.iter().enumerate() {
        let here = rows.at.get(row).is_some_and(|&row| row as usize == at);
        state.silence(poll);
        match poll.gap {
            Some(gap) => state.missed(poll, poll.time_ms, gap),
            None if !here => state.run = 0,
            None => state.row(poll, rows, row),
        }
        row += usize::from(here);
        state.last_poll = Some(*poll);
    }
    let mut walk = state.walk;
    walk.end = state.last_poll.map(|poll| {
        let own = state.last_row_ms.map_or(0, |(_, spacing)| spacing.saturating_mul(5) / 2);
        let told_ms = state.cover_ms.unwrap_or(poll.time_ms);
        End { told_ms, polled_ms: poll.time_ms, patience_ms: patience_ms(poll.interval_s).max(own) }
    });
    walk
}

#[derive(Default)]
struct State {
    walk: Walk,
    last_poll: Option<Poll>,
    /// The last row with values: its time and number; `None` when nothing may be compared with it any more.
    last_good: Option<(i64, usize)>,
    /// The last row's time and its distance from the one before.
    last_row_ms: Option<(i64, i64)>,
    /// Everything up to here has been told.
    cover_ms: Option<i64>,
    /// Missed polls in a row, and why the last one.
    run: u32,
    reason: Option<Gap>,
}

impl State {
    /// Tells a silence of the device before `poll`.
    fn silence(&mut self, poll: &Poll) {
        let Some(last) = self.last_poll else { return };
        let patience = patience_ms(last.interval_s.max(poll.interval_s));
        if poll.time_ms - last.time_ms > patience && poll.gap != Some(Gap::NotStored) {
            self.hole(self.cover_ms.unwrap_or(last.time_ms), poll.time_ms, Gap::DaemonDown);
            (self.last_good, self.run, self.reason) = (None, 1, Some(Gap::DaemonDown));
        }
    }

    /// A poll, or this port's part of it, is missing.
    fn missed(&mut self, poll: &Poll, time_ms: i64, gap: Gap) {
        self.run += 1;
        let cover = self.cover_ms.unwrap_or(time_ms - i64::from(poll.interval_s) * 1000);
        let from = self.last_poll.map_or(cover, |last| last.time_ms.max(cover));
        let lone = self.run == 1 && gap != Gap::NotStored;
        // Polls that were good but had no row of this port (not due) are covered once the comparison is broken.
        self.hole(if lone { from } else { cover }, time_ms, gap);
        if !lone {
            self.last_good = None;
        }
        self.reason = Some(gap);
    }

    fn row(&mut self, poll: &Poll, rows: &Rows, row: usize) {
        let skew = rows.skew_ms.get(row).copied().unwrap_or(0);
        let time_ms = poll.time_ms + i64::from(skew);
        let mark = gap_of(rows.mark.get(row).copied().unwrap_or(0));
        if rows.mask.get(row).copied().unwrap_or(0) == 0 {
            self.missed(poll, time_ms, mark.unwrap_or(Gap::Absent));
            return;
        }
        let interval_ms = i64::from(poll.interval_s) * 1000;
        match (self.last_good, mark) {
            (Some((from_ms, since)), None) if from_ms < time_ms => {
                self.walk.known.push(Known { from_ms, to_ms: time_ms, since: Some(since), row });
            }
            (Some((from_ms, _)), mark) => {
                self.hole(self.cover_ms.unwrap_or(from_ms), time_ms, mark.unwrap_or(Gap::Impossible));
                self.walk.known.push(Known { from_ms, to_ms: time_ms, since: None, row });
            }
            (None, mark) => {
                let from = self.cover_ms.unwrap_or(time_ms - interval_ms);
                let reason = if self.run > 0 { self.reason } else { None };
                self.hole(from, time_ms, reason.or(mark).unwrap_or(Gap::First));
                self.walk.known.push(Known { from_ms: from.max(time_ms - interval_ms), to_ms: time_ms, since: None, row });
            }
        }
        let spacing = self.last_row_ms.map_or(interval_ms, |(last, _)| time_ms - last);
        self.last_row_ms = Some((time_ms, spacing));
        self.last_good = Some((time_ms, row));
        self.cover_ms = Some(time_ms);
        self.run = 0;
    }

    fn hole(&mut self, from_ms: i64, to_ms: i64, gap: Gap) {
        self.cover_ms = Some(to_ms.max(self.cover_ms.unwrap_or(to_ms)));
        if from_ms >= to_ms {
            return;
        }
        match self.walk.holes.last_mut() {
            Some(last) if last.gap == gap && from_ms <= last.to_ms => last.to_ms = last.to_ms.max(to_ms),
            _ => self.walk.holes.push(Hole { from_ms, to_ms, gap }),
        }
    }
}
