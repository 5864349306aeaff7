//! Spans of office rules as people write them: `15min`, `4h`, `2wd` (working days), `5d` (calendar days), `1m` (months).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How long: one number with one unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// Minutes, working or real by the clock that counts them.
    Minutes(u32),
    /// Hours, likewise.
    Hours(u32),
    /// Working days.
    WorkingDays(u16),
    /// Calendar days: never fewer because of holidays.
    Days(u16),
    /// Months: the same day of a later month, or its last.
    Months(u16),
}

/// Why a text is no term.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("cannot read the time \"{0}\" (use 15min, 4h, 2wd, 5d or 1m)")]
pub struct TermError(String);

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        let error = || TermError(text.to_owned());
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (digits, unit) = text.split_at(end);
        let number: u16 = digits.parse().map_err(|_| error())?;
        match unit {
            "min" => Ok(Self::Minutes(number.into())),
            "h" => Ok(Self::Hours(number.into())),
            "wd" => Ok(Self::WorkingDays(number)),
            "d" => Ok(Self::Days(number)),
            "m" => Ok(Self::Months(number)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(number) => write!(f, "{number}min"),
            Self::Hours(number) => write!(f, "{number}h"),
            Self::WorkingDays(number) => write!(f, "{number}wd"),
            Self::Days(number) => write!(f, "{number}d"),
            Self::Months(number) => write!(f, "{number}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slips_are_refused_with_the_units_that_there_are() {
        for text in ["", "4", "h", "1 day", "4 h", "-1h", "1.5h", "99999h", "2WD", "五天"] {
            let error = text.parse::<Term>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("15min, 4h, 2wd, 5d or 1m"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_nothing_panics(number: u16, unit in "min|h|wd|d|m", junk in any::<String>()) {
            let text = format!("{number}{unit}");
            prop_assert_eq!(text.parse::<Term>().map(|term| term.to_string()), Ok(text));
            let _ = junk.parse::<Term>();
        }
    }
}
