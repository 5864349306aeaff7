//! The four windows of MRTG and the steps they are drawn in.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// How many buckets each of the four standard windows has: MRTG's "a little more than a day, a week, a month, a year",
/// so that the same hour of the day before is in the picture.
const BUCKETS: i64 = 384;

/// A window of time and the step it is drawn in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// 32 hours in steps of 5 minutes.
    Day,
    /// 8 days in steps of 30 minutes.
    Week,
    /// 32 days in steps of 2 hours.
    Month,
    /// 384 days in steps of 1 day.
    Year,
    /// Any other window.
    Custom,
}

/// The borders of a picture, aligned to its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The start of the first bucket.
    pub from: Timestamp,
    /// The end of the last bucket, not included.
    pub to: Timestamp,
    /// The length of a bucket in seconds.
    pub step_s: u32,
    /// Shift of the buckets against the epoch in seconds, so that days begin at local midnight.
    pub origin_s: i32,
}

impl Span {
    /// The four standard windows.
    pub const STANDARD: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    /// The step in seconds; for [`Span::Custom`] that of a day, see [`Window::custom`].
    pub const fn step_s(self) -> u32 {
        match self {
            Self::Day | Self::Custom => 300,
            Self::Week => 1800,
            Self::Month => 7200,
            Self::Year => 86_400,
        }
    }

    /// The window that ends with the bucket of `now`.
    pub fn window(self, now: Timestamp, zone: &TimeZone) -> Window {
        let step = i64::from(self.step_s());
        let origin = origin_s(now, zone, step);
        let end = (now.secs() - origin).div_euclid(step).saturating_add(1) * step + origin;
        Window {
            from: Timestamp::from_secs(end - BUCKETS * step),
            to: Timestamp::from_secs(end),
            step_s: self.step_s(),
            origin_s: i32::try_from(origin).unwrap_or(0),
        }
    }

    /// The stable word of query strings and message keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::Custom => "custom",
        }
    }

    /// The span of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year, Self::Custom].into_iter().find(|span| span.word() == word)
    }
}

impl Window {
    /// A window of one's own: the smallest usual step with which at most `most` buckets lie between `from` and `to`.
    pub fn custom(from: Timestamp, to: Timestamp, most: u32, zone: &TimeZone) -> Self {
        const STEPS: [u32; 13] = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 7 * 86_400];
        let length = to.secs().saturating_sub(from.secs()).max(1);
        let most = i64::from(most.max(1));
        let fits = |step: &&u32| length.div_euclid(i64::from(**step)) < most;
        let step_s = STEPS.iter().find(fits).copied().unwrap_or(28 * 86_400);
        let step = i64::from(step_s);
        let origin = origin_s(to, zone, step);
        let start = (from.secs() - origin).div_euclid(step) * step + origin;
        let end = (to.secs().saturating_sub(1).max(start) - origin).div_euclid(step).saturating_add(1) * step + origin;
        Self { from: Timestamp::from_secs(start), to: Timestamp::from_secs(end), step_s, origin_s: i32::try_from(origin).unwrap_or(0) }
    }
}

/// The shift that puts the borders of buckets on round local times.
fn origin_s(at: Timestamp, zone: &TimeZone, step: i64) -> i64 {
    let Ok(at) = jiff::Timestamp::from_second(at.secs()) else { return 0 };
    (-i64::from(zone.to_offset(at).seconds())).rem_euclid(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_secs(text.parse::<jiff::Timestamp>().unwrap().as_second())
    }

    #[test]
    fn a_day_bucket_begins_at_local_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let window = Span::Year.window(at("2026-11-23T10:00:00+08:00"), &zone);
        assert_eq!(window.to, at("2026-11-24T00:00:00+08:00"));
        assert_eq!(window.to.secs() - window.from.secs(), 384 * 86_400);
        assert_eq!((window.from.secs() - i64::from(window.origin_s)).rem_euclid(86_400), 0);
    }

    #[test]
    fn the_bucket_of_now_is_the_last_one() {
        let zone = TimeZone::get("Asia/Kathmandu").unwrap();
        for span in Span::STANDARD {
            for now in [at("2026-11-23T10:00:00Z"), at("2026-11-23T10:04:59Z"), at("2026-11-22T18:15:00Z")] {
                let window = span.window(now, &zone);
                assert!(window.to > now && window.to.secs() - now.secs() <= i64::from(window.step_s), "{span:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_custom_window_takes_the_finest_step_that_fits() {
        let zone = TimeZone::UTC;
        let from = at("2026-11-23T00:00:00Z");
        for (hours, step) in [(1, 10), (24, 300), (24 * 7, 1800), (24 * 365, 86_400)] {
            let to = Timestamp::from_secs(from.secs() + hours * 3600);
            let window = Window::custom(from, to, 400, &zone);
            assert_eq!(window.step_s, step, "{hours} h");
            assert!(window.from <= from && window.to >= to);
        }
    }
}
