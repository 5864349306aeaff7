//! Durations and sizes as people write them: `90s`, `1h30m`, `31d`, `5y`; `64MiB`, `2GB`; `10%`.

use std::time::Duration;

use serde::Serializer;
use thiserror::Error;

/// Units from the longest to the shortest, in milliseconds. A year is 365 days.
const UNITS: [(&str, u64); 7] =
    [("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Binary and decimal multiples of a byte.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Why a text is no duration, size or share. Reads as the end of "`interval` ...".
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SpanError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// A number without its unit.
    #[error("has a number without a unit")]
    NoUnit,
    /// Something else than numbers with units.
    #[error("is not a number with a unit")]
    Malformed,
    /// More than the machine counts.
    #[error("is too large")]
    TooLarge,
}

/// A whole number of days.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// Reads `10s`, `5m`, `1h30m`, `31d`, `5y`.
pub fn parse_duration(text: &str) -> Result<Duration, SpanError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(SpanError::Empty);
    }
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (number, behind) = leading_number(rest)?;
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        if unit.is_empty() && !next.is_empty() {
            return Err(SpanError::Malformed);
        }
        let scale = find(&UNITS, unit)?;
        millis = number.checked_mul(scale).and_then(|part| millis.checked_add(part)).ok_or(SpanError::TooLarge)?;
        rest = next.trim_start();
    }
    Ok(Duration::from_millis(millis))
}

/// Reads `64MiB`, `500 MB`, `2GiB`; bytes need their `B`.
pub fn parse_size(text: &str) -> Result<u64, SpanError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SpanError::Empty);
    }
    let (number, unit) = leading_number(text)?;
    number.checked_mul(find(&SIZES, unit.trim_start())?).ok_or(SpanError::TooLarge)
}

/// Reads `10%` or `2.5 %`, 0 to 100.
pub fn parse_percent(text: &str) -> Result<f64, SpanError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SpanError::Empty);
    }
    let number = text.strip_suffix('%').ok_or(SpanError::NoUnit)?;
    let share: f64 = number.trim_end().parse().map_err(|_| SpanError::Malformed)?;
    match share {
        share if (0.0..=100.0).contains(&share) => Ok(share),
        share if share > 100.0 => Err(SpanError::TooLarge),
        _ => Err(SpanError::Malformed),
    }
}

/// The shortest text that [`parse_duration`] reads back.
pub fn format_duration(span: Duration) -> String {
    let mut millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, scale) in UNITS.into_iter().filter(|(unit, _)| *unit != "w") {
        let count = millis / scale;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            millis %= scale;
        }
    }
    text
}

/// The shortest text that [`parse_size`] reads back as the same number.
pub fn format_size(bytes: u64) -> String {
    let fits = |scale: u64| bytes >= scale && bytes.is_multiple_of(scale);
    let (unit, scale) = SIZES.into_iter().rev().find(|(_, scale)| fits(*scale)).unwrap_or(("B", 1));
    format!("{}{unit}", bytes / scale)
}

/// For `#[serde(serialize_with = ..)]`, as the two below.
pub(super) fn serialize_size<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_size(*bytes))
}

pub(super) fn serialize_percent<S: Serializer>(share: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{share}%"))
}

pub(super) fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*span))
}

pub(super) fn serialize_option<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => serialize(span, serializer),
        None => serializer.serialize_none(),
    }
}

fn leading_number(text: &str) -> Result<(u64, &str), SpanError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Err(SpanError::Malformed);
    }
    Ok((digits.parse().map_err(|_| SpanError::TooLarge)?, rest))
}

fn find(table: &[(&str, u64)], unit: &str) -> Result<u64, SpanError> {
    match unit {
        "" => Err(SpanError::NoUnit),
        unit => table.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale).ok_or(SpanError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, result) in [
            ("10s", Ok(10_000)),
            ("1h30m", Ok(5_400_000)),
            (" 1h 30m ", Ok(5_400_000)),
            ("500ms", Ok(500)),
            ("31d", Ok(31 * 86_400_000)),
            ("5y", Ok(5 * 365 * 86_400_000)),
            ("", Err(SpanError::Empty)),
            ("60", Err(SpanError::NoUnit)),
            ("1h30", Err(SpanError::NoUnit)),
            ("-5s", Err(SpanError::Malformed)),
            ("1.5h", Err(SpanError::Malformed)),
            ("5 minutes", Err(SpanError::Malformed)),
            ("五分", Err(SpanError::Malformed)),
            ("99999999999999999999s", Err(SpanError::TooLarge)),
            ("9999999999999y", Err(SpanError::TooLarge)),
        ] {
            assert_eq!(parse_duration(text), result.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn sizes_and_shares_are_read() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("2 GB"), Ok(2_000_000_000));
        assert_eq!(parse_size("512"), Err(SpanError::NoUnit));
        assert_eq!(parse_size("64mib"), Err(SpanError::Malformed));
        assert_eq!(parse_size("99999999TiB"), Err(SpanError::TooLarge));
        assert_eq!(parse_percent("10%"), Ok(10.0));
        assert_eq!(parse_percent("2.5 %"), Ok(2.5));
        assert_eq!(parse_percent("10"), Err(SpanError::NoUnit));
        assert_eq!(parse_percent("101%"), Err(SpanError::TooLarge));
        assert_eq!(parse_percent("NaN%"), Err(SpanError::Malformed));
    }

    #[test]
    fn they_are_written_as_people_would() {
        for (seconds, text) in [(0, "0s"), (90, "1m30s"), (31 * 86_400, "31d"), (5 * 365 * 86_400, "5y")] {
            assert_eq!(format_duration(Duration::from_secs(seconds)), text);
        }
        for (bytes, text) in [(0, "0B"), (64 << 20, "64MiB"), (50_000_000_000, "50GB"), (1001, "1001B")] {
            assert_eq!(format_size(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0_u64..u64::MAX / 2) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(span)), Ok(span));
            prop_assert_eq!(parse_size(&format_size(millis)), Ok(millis));
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (parse_duration(&text), parse_size(&text), parse_percent(&text));
        }
    }
}
