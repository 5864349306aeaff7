//! One threshold over one value through time: raised after it has lasted, cleared after it has been over, each with its own
//! edge. What lies between the edges changes nothing.

use super::plan::Threshold;
use crate::model::{Timestamp, Verdict};

/// The state of one rule for one subject.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Gauge {
    /// Since when the value has been beyond the edge that would change the state.
    since: Option<Timestamp>,
    is_raised: bool,
    /// The value that was told last.
    told: f64,
}

impl Gauge {
    /// As before a restart.
    pub(super) const fn raised() -> Self {
        Self { since: None, is_raised: true, told: f64::INFINITY }
    }

    pub(super) const fn is_raised(&self) -> bool {
        self.is_raised
    }

    /// Takes a value; what is to be told of it. A raised condition is told again when it has doubled.
    pub(super) fn take(&mut self, value: f64, at: Timestamp, threshold: &Threshold) -> Option<Verdict> {
        let beyond = |edge: f64, above: bool| if above { value >= edge } else { value < edge };
        if self.is_raised {
            // At the edge itself a thing without margin is over, one that holds is not.
            if !beyond(threshold.clear, !threshold.falls) {
                let since = *self.since.get_or_insert(at);
                if at.since(since) >= threshold.clear_for {
                    *self = Self::default();
                    return Some(Verdict::Cleared);
                }
                return None;
            }
            self.since = None;
            let doubled = if threshold.falls { value * 2.0 <= self.told } else { value >= self.told * 2.0 };
            if doubled && self.told.is_finite() {
                self.told = value;
                return Some(Verdict::Raised(threshold.severity));
            }
            return None;
        }
        if !beyond(threshold.raise, !threshold.falls) {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(at);
        if at.since(since) < threshold.raise_for {
            return None;
        }
        *self = Self { since: None, is_raised: true, told: value };
        Some(Verdict::Raised(threshold.severity))
    }

    /// The rule is not judged here any more; whether that is news.
    pub(super) fn drop_it(&mut self) -> bool {
        std::mem::take(self).is_raised
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Severity;

    fn threshold(falls: bool) -> Threshold {
        let (raise, clear) = if falls { (10.0, 12.0) } else { (90.0, 80.0) };
        let for_ = Duration::from_secs(120);
        Threshold { raise, clear, falls, raise_for: for_, clear_for: for_, up_for: Duration::ZERO, severity: Severity::Minor }
    }

    /// The minutes at which something is told, with the values given each minute.
    fn told(values: &[f64], falls: bool) -> Vec<(usize, bool)> {
        let mut gauge = Gauge::default();
        let each = values.iter().enumerate();
        each.filter_map(|(minute, value)| {
            let at = Timestamp::from_secs(minute as i64 * 60);
            Some((minute, gauge.take(*value, at, &threshold(falls))? != Verdict::Cleared))
        })
        .collect()
    }

    #[test]
    fn it_must_last_to_begin_and_to_end() {
        assert_eq!(told(&[95.0, 95.0, 85.0, 95.0, 95.0, 95.0, 85.0, 79.0, 85.0, 79.0, 79.0, 79.0], false), [(5, true), (11, false)]);
        assert_eq!(told(&[90.0; 9], false), [(2, true)], "the edge itself counts, and it is told once");
        assert_eq!(told(&[90.0, 90.0, 90.0, 100.0, 185.0, 400.0], false), [(2, true), (4, true), (5, true)], "twice as much is news");
    }

    #[test]
    fn a_falling_one_is_the_mirror_image() {
        assert_eq!(told(&[9.0, 9.0, 9.0, 11.0, 13.0, 13.0, 13.0], true), [(2, true), (6, false)]);
        assert_eq!(told(&[9.0, 9.0, 9.0, 4.0], true), [(2, true), (3, true)]);
    }
}
