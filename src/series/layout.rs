//! Where each file lies, and the keys within. Days are UTC days.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::{DeviceId, PortId, Timestamp};
use crate::store::sqlite::Format;

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// The tail's form.
pub(super) const TAIL: Format = Format { application_id: 0x6e72_7401, version: 1, what: "the series tail of netroom" };
/// A day's form, open and sealed.
pub(super) const DAY: Format = Format { application_id: 0x6e72_7402, version: 1, what: "a day of netroom's series" };
/// A tier's form.
pub(super) const TIER: Format = Format { application_id: 0x6e72_7403, version: 1, what: "a consolidated tier of netroom's series" };

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Day(pub i64);

impl Day {
    /// The day of a time.
    pub(super) const fn of(time_ms: i64) -> Self {
        Self(time_ms.div_euclid(DAY_MS))
    }

    /// Its first millisecond.
    pub(super) const fn start_ms(self) -> i64 {
        self.0 * DAY_MS
    }

    /// The first millisecond after it.
    pub(super) const fn end_ms(self) -> i64 {
        (self.0 + 1) * DAY_MS
    }

    /// Year, month and day of the month (proleptic Gregorian calendar; the era arithmetic of civil-from-days).
    pub(super) const fn civil(self) -> (i64, i64, i64) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        (year_of_era + era * 400 + (month <= 2) as i64, month, day)
    }

    /// The day of a date.
    pub(super) const fn of_civil(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        Self(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468)
    }

    /// The day written as `2026-11-23`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let day = Self::of_civil(parts.next()??, parts.next()??, parts.next()??);
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The files under the series directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Files under `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// This hour's polls.
    pub(super) fn tail(&self) -> PathBuf {
        self.root.join("tail.db")
    }

    /// The directory of days.
    pub(super) fn days(&self) -> PathBuf {
        self.root.join("day")
    }

    /// A day that still grows.
    pub(super) fn open_day(&self, day: Day) -> PathBuf {
        self.days().join(format!("{day}.open.db"))
    }

    /// A day that is whole.
    pub(super) fn sealed_day(&self, day: Day) -> PathBuf {
        self.days().join(format!("{day}.db"))
    }

    /// The sealed day's SHA-256, in the form that `sha256sum -c` reads.
    pub(super) fn manifest(&self, day: Day) -> PathBuf {
        self.days().join(format!("{day}.db.sha256"))
    }

    /// The directory of 5-minute months.
    pub(super) fn m5(&self) -> PathBuf {
        self.root.join("m5")
    }

    /// The directory of hourly years.
    pub(super) fn h1(&self) -> PathBuf {
        self.root.join("h1")
    }

    /// The file of days.
    pub(super) fn d1(&self) -> PathBuf {
        self.root.join("d1.db")
    }

    /// Where damaged files are put.
    pub(super) fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }

    /// Space kept for the moment when the disk is full.
    pub(super) fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }
}

/// Seconds are counted from here in keys of the tail (2020-01-01), which keeps them short.
const EPOCH_S: i64 = 1_577_836_800;

/// A poll in the tail: time, then device.
pub(super) const fn tail_key(time_ms: i64, device: DeviceId) -> i64 {
    (time_ms.div_euclid(1000) - EPOCH_S) << 20 | (device.0 & 0xf_ffff) as i64
}

/// The device of a key of the tail.
pub(super) const fn tail_device(key: i64) -> DeviceId {
    DeviceId((key & 0xf_ffff) as u32)
}

/// A port's block in an open day: the hour in which the block begins, then the port.
pub(super) const fn hour_port(hour: i64, port: PortId) -> i64 {
    hour << 24 | (port.0 & 0xff_ffff) as i64
}

/// A device's times in an open day.
pub(super) const fn hour_device(hour: i64, device: DeviceId) -> i64 {
    hour << 20 | (device.0 & 0xf_ffff) as i64
}

/// The hour of the day.
pub(super) const fn hour_of(time_ms: i64) -> i64 {
    time_ms.rem_euclid(DAY_MS) / HOUR_MS
}

/// A time from milliseconds.
pub(super) const fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, text) in [(0, "1970-01-01"), (-1, "1969-12-31"), (19_782, "2024-02-29"), (20_780, "2026-11-23"), (11_016, "2000-02-29")] {
            assert_eq!(Day(day).to_string(), text);
            assert_eq!(Day::parse(text), Some(Day(day)));
        }
        for text in ["2026-02-30", "2026-1-1", "x", "2026-13-01", "2026-11-23.open"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        for day in -800..60_000 {
            let (year, month, date) = Day(day).civil();
            assert_eq!(Day::of_civil(year, month, date), Day(day));
        }
    }

    #[test]
    fn keys_of_the_tail_grow_with_time_and_keep_the_device() {
        let device = DeviceId(0xf_ffff);
        let times = [-1, 0, 1_577_836_799_999, 1_577_836_800_000, 1_763_900_000_000];
        assert!(times.windows(2).all(|pair| tail_key(pair[0], device) <= tail_key(pair[1], device)));
        assert!(times.iter().all(|&at| tail_device(tail_key(at, device)) == device));
    }
}
