//! The axes: a zero-based value scale with round steps, and ticks at round local times.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, ZonedDateTime};

use crate::i18n::{Lang, text};
use crate::model::Timestamp;

/// A value axis from 0 to `top` in steps of 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Scale {
    /// The value at the upper edge.
    pub top: f64,
    /// The distance of two marks.
    pub step: f64,
}

impl Scale {
    /// The scale that shows values up to `max`; `speed` is taken in when the values come near it (half of it or more).
    pub fn fit(max: f64, speed: Option<f64>) -> Self {
        let max = if max.is_finite() && max > 1e-9 { max } else { 8.0 };
        let reach = speed.filter(|speed| speed.is_finite() && max >= speed * 0.5).map_or(max, |speed| max.max(speed));
        let raw = reach / 5.0;
        let power = 10_f64.powf(raw.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= raw * 0.999_999).unwrap_or(power * 10.0);
        Self { top: (reach / step - 1e-9).ceil().max(1.0) * step, step }
    }

    /// The marks from 0 to the top.
    pub fn marks(self) -> impl Iterator<Item = f64> {
        let count = (self.top / self.step).round() as u32;
        (0..=count).map(move |index| f64::from(index) * self.step)
    }

    /// The label of a mark: no more digits than the step needs, SI prefix, no unit (`200 M`, `1.2 G`, `0.05`).
    pub fn label(self, mark: f64) -> String {
        const PREFIXES: [(f64, &str); 4] = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
        if mark == 0.0 {
            return "0".to_owned();
        }
        let (divisor, prefix) = PREFIXES.into_iter().find(|(divisor, _)| mark >= divisor * 0.999_999).unwrap_or((1.0, ""));
        let decimals = (-(self.step / divisor).log10().floor()).clamp(0.0, 9.0) as usize;
        let digits = format!("{:.decimals$}", mark / divisor);
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
        format!("{digits}{prefix}")
    }
}

/// A mark on the time axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// Where.
    pub at: Timestamp,
    /// Whether a larger unit of time begins here (a day among hours, a month among days, a year among months).
    pub strong: bool,
    /// The label, empty for a mark without one.
    pub label: String,
    /// Where the label's middle stands; for periods (days, months) the middle of what is seen of the period, else `at`.
    pub label_at: Timestamp,
}

/// The ticks between two times in a time zone, by the length of the window: minutes, hours, days, weeks, months or years.
/// Round local times are found on the local calendar, so days of 23 and 25 hours are right.
pub fn ticks(from: Timestamp, to: Timestamp, zone: &TimeZone, lang: Lang) -> Vec<Tick> {
    const HOUR: i64 = 3600;
    const DAY: i64 = 86_400;
    let seconds = to.secs().saturating_sub(from.secs());
    let mut ticks = match seconds {
        s if s <= 0 => Vec::new(),
        s if s <= HOUR => clock_ticks(from, to, zone, lang, 10),
        s if s <= 3 * HOUR => clock_ticks(from, to, zone, lang, 30),
        s if s <= 10 * HOUR => clock_ticks(from, to, zone, lang, 60),
        s if s <= 20 * HOUR => clock_ticks(from, to, zone, lang, 120),
        s if s <= 2 * DAY => clock_ticks(from, to, zone, lang, 240),
        s if s <= 10 * DAY => day_ticks(from, to, zone, lang, true),
        s if s <= 70 * DAY => day_ticks(from, to, zone, lang, false),
        s if s <= 800 * DAY => month_ticks(from, to, zone, lang),
        _ => year_ticks(from, to, zone),
    };
    ticks.retain(|tick| tick.at >= from && tick.at < to || tick.label_at >= from && tick.label_at < to);
    ticks
}

/// Every `minutes` of local time; midnight carries the date.
fn clock_ticks(from: Timestamp, to: Timestamp, zone: &TimeZone, lang: Lang, minutes: i64) -> Vec<Tick> {
    // All offsets in use since 1972 are multiples of five minutes or were left before computers drew graphs.
    const PACE: i64 = 300;
    let mut ticks = Vec::new();
    let mut at = from.secs().div_euclid(PACE) * PACE;
    while at < to.secs() {
        if let Some(local) = local(Timestamp::from_secs(at), zone) {
            let minute_of_day = i64::from(local.hour()) * 60 + i64::from(local.minute());
            if minute_of_day % minutes == 0 && local.second() == 0 {
                let strong = minute_of_day == 0;
                let label = if strong { day_label(local.date(), lang) } else { format!("{:02}:{:02}", local.hour(), local.minute()) };
                let at = Timestamp::from_secs(at);
                ticks.push(Tick { at, strong, label, label_at: at });
            }
        }
        at += PACE;
    }
    ticks
}

/// Every local midnight; either each day is named in its middle, or Mondays carry the date.
fn day_ticks(from: Timestamp, to: Timestamp, zone: &TimeZone, lang: Lang, each: bool) -> Vec<Tick> {
    let weekdays = text(lang, "graph-weekdays");
    let mut ticks = Vec::new();
    let Some(mut date) = local(from, zone).map(|local| local.date()) else { return ticks };
    while let Some((at, end)) = midnight(date, zone).zip(date.tomorrow().ok().and_then(|next| midnight(next, zone))) {
        if at >= to {
            break;
        }
        let weekday = date.weekday().to_monday_zero_offset();
        let monday = weekday == 0;
        if each {
            let name = usize::try_from(weekday).ok().and_then(|index| weekdays.split(' ').nth(index)).unwrap_or_default();
            let label = format!("{name} {}", date.day());
            ticks.push(Tick { at, strong: monday, label, label_at: middle(at.max(from), end.min(to)) });
        } else {
            let label = if monday { day_label(date, lang) } else { String::new() };
            ticks.push(Tick { at, strong: monday, label, label_at: at });
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    ticks
}

/// The first of each month, named in its middle; January begins a year.
fn month_ticks(from: Timestamp, to: Timestamp, zone: &TimeZone, lang: Lang) -> Vec<Tick> {
    let months = text(lang, "graph-months");
    let sparse = to.secs() - from.secs() > 430 * 86_400;
    let mut ticks = Vec::new();
    let Some(mut date) = local(from, zone).map(|local| local.date().first_of_month()) else { return ticks };
    while let Ok(next) = date.checked_add(1.month()) {
        let (Some(at), Some(end)) = (midnight(date, zone), midnight(next, zone)) else { break };
        if at >= to {
            break;
        }
        let name = usize::try_from(date.month() - 1).ok().and_then(|index| months.split(' ').nth(index)).unwrap_or_default();
        let label = match date.month() {
            1 => date.year().to_string(),
            month if sparse && month % 3 != 1 => String::new(),
            _ => name.to_owned(),
        };
        ticks.push(Tick { at, strong: date.month() == 1, label, label_at: middle(at.max(from), end.min(to)) });
        date = next;
    }
    ticks
}

/// Each New Year, named in the middle of the year.
fn year_ticks(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Tick> {
    let mut ticks = Vec::new();
    let Some(mut date) = local(from, zone).map(|local| local.date().first_of_year()) else { return ticks };
    while let Ok(next) = date.checked_add(1.year()) {
        let (Some(at), Some(end)) = (midnight(date, zone), midnight(next, zone)) else { break };
        if at >= to {
            break;
        }
        ticks.push(Tick { at, strong: true, label: date.year().to_string(), label_at: middle(at.max(from), end.min(to)) });
        date = next;
    }
    ticks
}

/// `11月23日`, `23 Nov`.
fn day_label(date: Date, lang: Lang) -> String {
    let months = text(lang, "graph-months");
    let month = usize::try_from(date.month() - 1).ok().and_then(|index| months.split(' ').nth(index)).unwrap_or_default();
    crate::i18n::format(lang, "graph-day-of-month", &[("month", month.into()), ("day", date.day().to_string().into())])
}

/// A time on the local calendar.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> Option<ZonedDateTime> {
    Some(jiff::Timestamp::from_millisecond(at.millis()).ok()?.to_zoned_datetime(zone.clone()))
}

/// The first moment of a local day (not always 00:00).
fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let start = date.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp::from_millis(start.timestamp().as_millisecond()))
}

fn middle(from: Timestamp, to: Timestamp) -> Timestamp {
    Timestamp::from_millis(from.millis().midpoint(to.millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_secs(text.parse::<jiff::Timestamp>().unwrap().as_second())
    }

    fn labels(scale: Scale) -> Vec<String> {
        scale.marks().map(|mark| scale.label(mark)).collect()
    }

    #[test]
    fn scales_are_round_and_hold_the_values() {
        for (max, speed, expected) in [
            (938e6, Some(1e9), "0 200 M 400 M 600 M 800 M 1 G"),
            (938e6, None, "0 200 M 400 M 600 M 800 M 1 G"),
            (1.13e9, Some(1e9), "0 500 M 1 G 1.5 G"),
            (400e9, Some(400e9), "0 100 G 200 G 300 G 400 G"),
            (100e6, Some(1e9), "0 20 M 40 M 60 M 80 M 100 M"),
            (600e6, Some(1e9), "0 200 M 400 M 600 M 800 M 1 G"),
            (0.0, Some(1e9), "0 2 4 6 8"),
            (0.35, None, "0 0.1 0.2 0.3 0.4"),
            (11_234.0, None, "0 5 k 10 k 15 k"),
            (f64::NAN, None, "0 2 4 6 8"),
        ] {
            assert_eq!(labels(Scale::fit(max, speed)).join(" "), expected, "{max}");
        }
    }

    #[test]
    fn every_scale_holds_its_maximum_within_half_of_empty_space() {
        for exponent in -60..140 {
            for factor in [1.0, 1.3, 1.99, 2.0, 2.01, 4.2, 5.0, 7.7, 9.99] {
                let max = factor * 10_f64.powf(f64::from(exponent) / 10.0);
                let scale = Scale::fit(max, None);
                assert!(scale.top >= max * 0.999_999 && scale.top <= max * 2.0, "{max}: {scale:?}");
                assert!((2..=7).contains(&scale.marks().count()), "{max}: {scale:?}");
                assert!(scale.marks().all(|mark| scale.label(mark).len() <= 12), "{:?}", labels(scale));
            }
        }
    }

    #[test]
    fn hours_survive_the_changes_of_summer_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // On 25 October 2026 the hour from 02:00 comes twice; on 29 March it does not come.
        let autumn = ticks(at("2026-10-24T18:00:00Z"), at("2026-10-25T08:00:00Z"), &zone, Lang::En);
        let shown: Vec<&str> = autumn.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(shown, ["20:00", "22:00", "25 Oct", "02:00", "02:00", "04:00", "06:00", "08:00"]);
        let spring = ticks(at("2026-03-28T18:00:00Z"), at("2026-03-29T08:00:00Z"), &zone, Lang::En);
        let shown: Vec<&str> = spring.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(shown, ["20:00", "22:00", "29 Mar", "04:00", "06:00", "08:00"]);
    }

    #[test]
    fn days_of_25_hours_stay_days() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let week = ticks(at("2026-10-21T22:00:00Z"), at("2026-10-28T23:00:00Z"), &zone, Lang::En);
        let starts: Vec<i64> = week.windows(2).map(|pair| (pair[1].at.secs() - pair[0].at.secs()) / 3600).collect();
        assert_eq!(starts, [24, 24, 24, 25, 24, 24]);
        assert_eq!(week[0].label, "Thu 22");
    }

    #[test]
    fn a_chinese_year_has_its_months() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let year = ticks(at("2025-11-05T16:00:00Z"), at("2026-11-23T16:00:00Z"), &zone, Lang::ZhCn);
        let shown: Vec<&str> = year.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(shown, ["11月", "12月", "2026", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月"]);
        assert!(year.iter().filter(|tick| tick.strong).all(|tick| tick.at == at("2025-12-31T16:00:00Z")));
    }

    #[test]
    fn no_window_gets_more_ticks_than_fit() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let from = at("2026-01-01T00:00:00Z");
        for hours in [1, 2, 3, 5, 12, 24, 32, 48, 49, 100, 24 * 11, 24 * 32, 24 * 69, 24 * 384, 24 * 790, 24 * 365 * 20] {
            let shown = ticks(from, Timestamp::from_secs(from.secs() + hours * 3600), &zone, Lang::ZhCn);
            let labelled = shown.iter().filter(|tick| !tick.label.is_empty()).count();
            assert!((1..=21).contains(&labelled), "{hours} h: {labelled}");
        }
    }
}
