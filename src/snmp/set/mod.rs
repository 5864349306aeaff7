//! SetRequest (RFC 3416 section 4.2.5): the one way in which netroom changes a device.
//!
//! A request to set needs a [`Warrant`], which names the device, the exact varbinds and until when it holds, and is used
//! up by [`write`]. No other code can make such a request: the mark in [`Ask::Set`](super::job::Ask) is private to this module.
//! It leaves in one datagram at most. A device that gives no answer may have done it or not; who set reads back before
//! anything else is done.

mod driver;
mod refusal;

use std::fmt;
use std::sync::Arc;

pub use self::driver::{SetError, Written, read, write};
pub use self::refusal::{Refusal, Status};
use super::job::{Ask, Request};
use super::message::encode_varbinds;
use super::oid::Oid;
use super::value::Value;
use crate::model::Timestamp;

/// Marks a request that may change a device; made from a [`Warrant`] only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(());

/// One object with the value that it is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Varbind {
    /// Its name.
    pub name: Oid,
    /// Its value.
    pub value: Datum,
}

/// The value of an object that can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Datum {
    /// INTEGER.
    Integer(i32),
    /// Gauge32, Unsigned32.
    Unsigned(u32),
    /// OCTET STRING.
    Octets(Vec<u8>),
}

impl Varbind {
    /// An object and its value.
    pub const fn new(name: Oid, value: Datum) -> Self {
        Self { name, value }
    }
}

impl Datum {
    /// As it goes over the wire.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Integer(number) => Value::Integer((*number).into()),
            Self::Unsigned(number) => Value::Gauge32(*number),
            Self::Octets(octets) => Value::OctetString(octets),
        }
    }

    /// What a device gave, when it is of a kind that can be written.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(number) => i32::try_from(*number).ok().map(Self::Integer),
            Value::OctetString(octets) => Some(Self::Octets(octets.to_vec())),
            other => other.number().and_then(|number| u32::try_from(number).ok()).map(Self::Unsigned),
        }
    }

    /// As a number that is not negative.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Integer(number) => u32::try_from(*number).ok(),
            Self::Unsigned(number) => Some(*number),
            Self::Octets(_) => None,
        }
    }

    /// As octets.
    pub fn octets(&self) -> Option<&[u8]> {
        if let Self::Octets(octets) = self { Some(octets) } else { None }
    }

    /// Whether a device gave this very value. Agents mistype numbers; what counts is the number.
    pub fn is(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Integer(number) => match *value {
                Value::Integer(other) => other == i64::from(*number),
                _ => value.number().is_some_and(|other| u64::try_from(*number) == Ok(other)),
            },
            Self::Unsigned(number) => value.number() == Some(u64::from(*number)),
            Self::Octets(octets) => value.octets() == Some(octets),
        }
    }
}

/// As `snmpset` prints it: `1.3.6.1.2.1.2.2.1.7.3 = INTEGER: 2`.
impl fmt::Display for Varbind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "INTEGER: {number}"),
            Self::Unsigned(number) => write!(f, "Gauge32: {number}"),
            Self::Octets(octets) => match std::str::from_utf8(octets) {
                Ok(text) if !text.contains(char::is_control) => write!(f, "STRING: {text:?}"),
                _ => {
                    f.write_str("Hex-STRING:")?;
                    octets.iter().try_for_each(|octet| write!(f, " {octet:02X}"))
                }
            },
        }
    }
}

/// The right to set these objects of this device once.
#[derive(PartialEq, Eq, Debug)]
pub struct Warrant {
    device: Arc<str>,
    varbinds: Vec<Varbind>,
    until: Timestamp,
}

impl Warrant {
    /// A warrant for the device with this name in the configuration. Only what decides over blocks issues them.
    pub const fn issue(device: Arc<str>, varbinds: Vec<Varbind>, until: Timestamp) -> Self {
        Self { device, varbinds, until }
    }

    /// What is to be set.
    pub fn varbinds(&self) -> &[Varbind] {
        &self.varbinds
    }

    /// The request that it allows.
    pub(in crate::snmp) fn request(&self) -> Request {
        let list = encode_varbinds(self.varbinds.iter().map(|varbind| (varbind.name.as_ref(), varbind.value.value())));
        Request { ask: Ask::Set(Mark(())), varbinds: list.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varbinds_are_shown_as_snmpset_shows_them() {
        let name: Oid = "1.3.6.1.2.1.2.2.1.7.3".parse().unwrap();
        for (value, text) in [
            (Datum::Integer(2), "INTEGER: 2"),
            (Datum::Unsigned(666), "Gauge32: 666"),
            (Datum::Octets("主楼 \"3\"".into()), r#"STRING: "主楼 \"3\"""#),
            (Datum::Octets(vec![0x80, 0x01]), "Hex-STRING: 80 01"),
        ] {
            assert_eq!(Varbind::new(name.clone(), value).to_string(), format!("1.3.6.1.2.1.2.2.1.7.3 = {text}"));
        }
    }

    #[test]
    fn a_value_is_compared_by_its_number_whatever_its_type() {
        assert!(Datum::Integer(2).is(&Value::Integer(2)) && Datum::Integer(2).is(&Value::Gauge32(2)));
        assert!(Datum::Unsigned(7).is(&Value::Integer(7)) && !Datum::Unsigned(7).is(&Value::Integer(-7)));
        assert!(!Datum::Integer(-1).is(&Value::Gauge32(u32::MAX)) && !Datum::Integer(2).is(&Value::NoSuchInstance));
        assert!(Datum::Octets(vec![1]).is(&Value::OctetString(&[1])) && !Datum::Octets(vec![1]).is(&Value::OctetString(&[1, 0])));
    }
}
