//! What the series of hosts and services hold, column by column. All are momentary values.

use super::round::Round;
use crate::model::{METRICS, PortMetric};

/// One column. The numbers are written to disk: never reuse or change one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Column {
    /// The share of probes or checks that failed, in hundredths of a percent.
    Loss = 0,
    /// The shortest time of a round, in tenths of a microsecond, as all times here.
    Min = 1,
    /// A quarter of the times is shorter.
    Q1 = 2,
    /// Half of the times is shorter. Of a service: how long the check took.
    Median = 3,
    /// Three quarters of the times are shorter.
    Q3 = 4,
    /// The longest time.
    Max = 5,
    /// The mean difference between one time and the next.
    Jitter = 6,
    /// Replies that came again.
    Duplicates = 7,
    /// Replies that came too late.
    Late = 8,
}

impl Column {
    /// Those that hold times, from the shortest to the longest.
    pub const SPREAD: [Self; 5] = [Self::Min, Self::Q1, Self::Median, Self::Q3, Self::Max];

    /// The column as the store of series numbers it.
    pub fn metric(self) -> PortMetric {
        PortMetric::from_index(self as usize).unwrap_or(PortMetric::OperStatus)
    }

    /// From what is stored to milliseconds.
    pub fn millis(stored: f64) -> f64 {
        stored / 10_000.0
    }

    /// From what is stored to percent.
    pub fn percent(stored: f64) -> f64 {
        stored / 100.0
    }
}

/// A round as it is stored.
pub fn of_round(round: &Round) -> [Option<u64>; METRICS] {
    let mut values = [None; METRICS];
    let mut put = |column: Column, value: f64| {
        if let Some(place) = values.get_mut(column as usize) {
            *place = Some(value.round().max(0.0) as u64);
        }
    };
    put(Column::Loss, round.loss_percent() * 100.0);
    put(Column::Duplicates, f64::from(round.duplicates));
    put(Column::Late, f64::from(round.late));
    if let Some(spread) = round.spread() {
        let times = [spread.min_ns, spread.q1_ns, spread.median_ns, spread.q3_ns, spread.max_ns];
        Column::SPREAD.into_iter().zip(times).for_each(|(column, ns)| put(column, ns / 100.0));
        put(Column::Jitter, spread.jitter_ns / 100.0);
    }
    values
}

/// A check as it is stored: how long it took in nanoseconds, `None` when it failed.
pub fn of_check(took_ns: Option<f64>) -> [Option<u64>; METRICS] {
    let mut values = [None; METRICS];
    let took = took_ns.map(|took| (took / 100.0).round() as u64);
    for (column, value) in [(Column::Loss, Some(if took.is_some() { 0 } else { 10_000 })), (Column::Median, took)] {
        if let Some(place) = values.get_mut(column as usize) {
            *place = value;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_stored_in_its_units() {
        let round = Round { sent: 5, lost: 1, times_ns: vec![1_000_000, 2_000_000, 3_000_000, 4_000_000], ..Round::default() };
        let values = of_round(&round);
        assert_eq!(values[Column::Loss as usize].map(|loss| Column::percent(loss as f64)), Some(20.0));
        assert_eq!(values[Column::Median as usize].map(|median| Column::millis(median as f64)), Some(2.5));
        let lost = of_round(&Round { sent: 5, lost: 5, ..Round::default() });
        assert_eq!((lost[Column::Loss as usize], lost[Column::Median as usize]), (Some(10_000), None));
        for column in Column::SPREAD {
            assert_eq!(column.metric().index(), column as usize);
        }
    }
}
