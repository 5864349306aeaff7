//! A value that an agent owns: the counterpart of [`Value`], which borrows from a message.

use std::sync::Arc;

use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

/// One value of a MIB. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Datum {
    /// INTEGER, Integer32.
    Integer(i64),
    /// OCTET STRING.
    Octets(Arc<[u8]>),
    /// NULL, as some devices send.
    Null,
    /// OBJECT IDENTIFIER.
    Oid(Oid),
    /// IpAddress.
    IpAddress([u8; 4]),
    /// Counter32.
    Counter32(u32),
    /// Gauge32, Unsigned32.
    Gauge32(u32),
    /// TimeTicks: hundredths of a second.
    TimeTicks(u32),
    /// Opaque.
    Opaque(Arc<[u8]>),
    /// Counter64.
    Counter64(u64),
    /// Anything else, sent as it stands: values that their own type forbids.
    Raw {
        /// The tag.
        tag: u8,
        /// The contents.
        octets: Arc<[u8]>,
    },
}

impl Datum {
    /// An OCTET STRING of these octets.
    pub fn octets(octets: impl AsRef<[u8]>) -> Self {
        Self::Octets(Arc::from(octets.as_ref()))
    }

    /// As the codec writes it.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Integer(value) => Value::Integer(*value),
            Self::Octets(octets) => Value::OctetString(octets),
            Self::Null => Value::Null,
            Self::Oid(oid) => Value::Oid(oid.as_ref()),
            Self::IpAddress(octets) => Value::IpAddress(*octets),
            Self::Counter32(value) => Value::Counter32(*value),
            Self::Gauge32(value) => Value::Gauge32(*value),
            Self::TimeTicks(value) => Value::TimeTicks(*value),
            Self::Opaque(octets) => Value::Opaque(octets),
            Self::Counter64(value) => Value::Counter64(*value),
            Self::Raw { tag, octets } => Value::Malformed { tag: *tag, octets },
        }
    }
}
