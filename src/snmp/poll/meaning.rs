//! What values mean, whatever type the agent chose for them. What cannot be understood is absent, never 0.

use crate::snmp::value::Value;

/// The longest text that is read as a number: 20 digits of 2^64 and some blanks.
const LONGEST_NUMBER: usize = 24;

/// A non-negative number: of any numeric type, or decimal digits in a text (FS switches send ifSpeed so).
pub fn number(value: &Value<'_>) -> Option<u64> {
    value.number().or_else(|| {
        let octets = value.octets().filter(|octets| octets.len() <= LONGEST_NUMBER)?;
        std::str::from_utf8(octets).ok()?.trim_matches(|c: char| c.is_whitespace() || c == '\0').parse().ok()
    })
}

/// How many octets a number takes on the wire, with tag and length.
pub const fn octets(number: u64) -> u8 {
    (2 + (64 - number.leading_zeros()) / 8 + 1) as u8
}

/// A number that fits 32 bits.
pub fn number32(value: &Value<'_>) -> Option<u32> {
    number(value).and_then(|number| u32::try_from(number).ok())
}

/// A small enumeration (ifOperStatus, ifAdminStatus, dot3StatsDuplexStatus): 1 to 255.
pub fn state(value: &Value<'_>) -> Option<u8> {
    number(value).and_then(|number| u8::try_from(number).ok()).filter(|&state| state > 0)
}

/// TruthValue (RFC 2579): 1 is true, 2 is false.
pub fn truth(value: &Value<'_>) -> Option<bool> {
    match number(value) {
        Some(1) => Some(true),
        Some(2) => Some(false),
        _ => None,
    }
}

/// Whether sysUpTime fell between two readings: the device restarted, or its 497 days are over. Here both call for a look
/// at its identity; the rooms above tell them apart.
pub const fn restarted(before: u32, after: u32) -> bool {
    after < before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_any_dress() {
        assert_eq!(number(&Value::OctetString(b" 1000000000\0")), Some(1_000_000_000));
        assert_eq!(number(&Value::Integer(-1)), None);
        assert_eq!(number(&Value::Null), None);
        assert_eq!(number(&Value::NoSuchInstance), None);
        assert_eq!(number(&Value::OctetString(b"")), None);
        assert_eq!(number(&Value::IpAddress([0, 0, 0, 7])), None);
        assert_eq!(state(&Value::Gauge32(0)), None);
        assert_eq!(truth(&Value::Integer(2)), Some(false));
    }

    #[test]
    fn any_fall_of_the_uptime_calls_for_a_look() {
        assert!(restarted(500_000, 200));
        assert!(restarted(499, 498));
        assert!(restarted(u32::MAX - 500, 700));
        assert!(!restarted(200, 200));
    }
}
