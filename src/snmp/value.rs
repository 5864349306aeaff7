//! The values of a varbind (RFC 2578 section 2, RFC 3416 section 3).

use super::ber::{self, BerError, Writer};
use super::oid::OidRef;

/// Tag of IpAddress.
pub const IP_ADDRESS: u8 = 0x40;
/// Tag of Counter32.
pub const COUNTER32: u8 = 0x41;
/// Tag of Gauge32 and Unsigned32.
pub const GAUGE32: u8 = 0x42;
/// Tag of TimeTicks.
pub const TIME_TICKS: u8 = 0x43;
/// Tag of Opaque.
pub const OPAQUE: u8 = 0x44;
/// Tag of Counter64.
pub const COUNTER64: u8 = 0x46;
/// Tag of the historic UInteger32 (RFC 1442), read as Gauge32.
pub const UINTEGER32: u8 = 0x47;
/// Tag of noSuchObject.
pub const NO_SUCH_OBJECT: u8 = 0x80;
/// Tag of noSuchInstance.
pub const NO_SUCH_INSTANCE: u8 = 0x81;
/// Tag of endOfMibView.
pub const END_OF_MIB_VIEW: u8 = 0x82;

/// One value. A value that its own type forbids is [`Value::Malformed`], so that its neighbours are not lost with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// INTEGER, Integer32.
    Integer(i64),
    /// OCTET STRING.
    OctetString(&'a [u8]),
    /// NULL.
    Null,
    /// OBJECT IDENTIFIER.
    Oid(OidRef<'a>),
    /// IpAddress.
    IpAddress([u8; 4]),
    /// Counter32.
    Counter32(u32),
    /// Gauge32, Unsigned32, UInteger32.
    Gauge32(u32),
    /// TimeTicks: hundredths of a second.
    TimeTicks(u32),
    /// Opaque, undecoded.
    Opaque(&'a [u8]),
    /// Counter64.
    Counter64(u64),
    /// noSuchObject: the device does not have this object at all.
    NoSuchObject,
    /// noSuchInstance: the device has the object, not this row.
    NoSuchInstance,
    /// endOfMibView: a walk has come to the end.
    EndOfMibView,
    /// An unknown tag, or contents that the tag forbids.
    Malformed {
        /// The tag as sent.
        tag: u8,
        /// The contents as sent.
        octets: &'a [u8],
    },
}

impl<'a> Value<'a> {
    /// Reads the contents of an element.
    #[inline]
    pub fn parse(tag: u8, octets: &'a [u8]) -> Self {
        Self::try_parse(tag, octets).unwrap_or(Self::Malformed { tag, octets })
    }

    fn try_parse(tag: u8, octets: &'a [u8]) -> Result<Self, BerError> {
        let narrow = |octets| u32::try_from(ber::unsigned(octets)?).map_err(|_| BerError::Integer);
        Ok(match tag {
            ber::INTEGER => Self::Integer(ber::signed(octets)?),
            ber::OCTET_STRING => Self::OctetString(octets),
            ber::NULL => Self::Null,
            ber::OID => Self::Oid(OidRef::parse(octets)?),
            IP_ADDRESS => Self::IpAddress(octets.try_into().map_err(|_| BerError::Truncated)?),
            COUNTER32 => Self::Counter32(narrow(octets)?),
            GAUGE32 | UINTEGER32 => Self::Gauge32(narrow(octets)?),
            TIME_TICKS => Self::TimeTicks(narrow(octets)?),
            OPAQUE => Self::Opaque(octets),
            COUNTER64 => Self::Counter64(ber::unsigned(octets)?),
            NO_SUCH_OBJECT => Self::NoSuchObject,
            NO_SUCH_INSTANCE => Self::NoSuchInstance,
            END_OF_MIB_VIEW => Self::EndOfMibView,
            _ => return Err(BerError::Tag { wanted: ber::NULL, found: tag }),
        })
    }

    /// Whether the device said that there is no such value.
    pub const fn is_exception(&self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView)
    }

    /// Any non-negative number, whatever type the agent chose for it (agents mistype counters, speeds and states).
    pub fn number(&self) -> Option<u64> {
        match *self {
            Self::Integer(value) => u64::try_from(value).ok(),
            Self::Counter32(value) | Self::Gauge32(value) | Self::TimeTicks(value) => Some(u64::from(value)),
            Self::Counter64(value) => Some(value),
            _ => None,
        }
    }

    /// The octets of a string.
    pub const fn octets(&self) -> Option<&'a [u8]> {
        match *self {
            Self::OctetString(octets) => Some(octets),
            _ => None,
        }
    }

    /// Writes the value as an element.
    pub fn write(&self, writer: &mut Writer) {
        match *self {
            Self::Integer(value) => writer.signed(ber::INTEGER, value),
            Self::OctetString(octets) => writer.element(ber::OCTET_STRING, octets),
            Self::Null => writer.element(ber::NULL, &[]),
            Self::Oid(oid) => writer.element(ber::OID, oid.octets()),
            Self::IpAddress(octets) => writer.element(IP_ADDRESS, &octets),
            Self::Counter32(value) => writer.unsigned(COUNTER32, u64::from(value)),
            Self::Gauge32(value) => writer.unsigned(GAUGE32, u64::from(value)),
            Self::TimeTicks(value) => writer.unsigned(TIME_TICKS, u64::from(value)),
            Self::Opaque(octets) => writer.element(OPAQUE, octets),
            Self::Counter64(value) => writer.unsigned(COUNTER64, value),
            Self::NoSuchObject => writer.element(NO_SUCH_OBJECT, &[]),
            Self::NoSuchInstance => writer.element(NO_SUCH_INSTANCE, &[]),
            Self::EndOfMibView => writer.element(END_OF_MIB_VIEW, &[]),
            Self::Malformed { tag, octets } => writer.element(tag, octets),
        }
    }
}
