//! SNMPv1 and v2c messages (RFC 1157, RFC 1901, RFC 3416): community, PDU, varbinds.

use super::ber::{self, BerError, Reader, Writer};
use super::oid::{Oid, OidRef};
use super::value::Value;

/// The community-based versions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Version {
    /// SNMPv1: no GETBULK, no Counter64, errors instead of exceptions.
    V1,
    /// SNMPv2c.
    V2c,
}

/// The PDU types that share one form (all but the v1 trap).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum PduKind {
    /// GetRequest.
    Get = 0xa0,
    /// GetNextRequest.
    GetNext = 0xa1,
    /// Response.
    Response = 0xa2,
    /// SetRequest.
    Set = 0xa3,
    /// GetBulkRequest: error-status is non-repeaters, error-index is max-repetitions.
    GetBulk = 0xa5,
    /// InformRequest.
    Inform = 0xa6,
    /// SNMPv2-Trap.
    TrapV2 = 0xa7,
    /// Report (v3).
    Report = 0xa8,
}

impl PduKind {
    fn from_tag(tag: u8) -> Result<Self, BerError> {
        Ok(match tag {
            0xa0 => Self::Get,
            0xa1 => Self::GetNext,
            0xa2 => Self::Response,
            0xa3 => Self::Set,
            0xa5 => Self::GetBulk,
            0xa6 => Self::Inform,
            0xa7 => Self::TrapV2,
            0xa8 => Self::Report,
            _ => return Err(BerError::PduType(tag)),
        })
    }
}

/// error-status values (RFC 3416 section 3) that change what a poller does.
pub mod status {
    /// noError.
    pub const NO_ERROR: i64 = 0;
    /// tooBig: ask for less at once.
    pub const TOO_BIG: i64 = 1;
    /// noSuchName (v1): the object at error-index is not there.
    pub const NO_SUCH_NAME: i64 = 2;
    /// genErr.
    pub const GEN_ERR: i64 = 5;
    /// noAccess.
    pub const NO_ACCESS: i64 = 6;
    /// authorizationError.
    pub const AUTHORIZATION_ERROR: i64 = 16;
    /// notWritable.
    pub const NOT_WRITABLE: i64 = 17;
}

/// A decoded PDU; varbinds are read on the way.
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    /// Its type.
    pub kind: PduKind,
    /// request-id.
    pub request_id: i32,
    /// error-status, or non-repeaters.
    pub error_status: i64,
    /// error-index (1 = first varbind), or max-repetitions.
    pub error_index: i64,
    /// The varbind list.
    pub varbinds: Varbinds<'a>,
}

/// A decoded message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its version.
    pub version: Version,
    /// The community octets.
    pub community: &'a [u8],
    /// The PDU.
    pub pdu: Pdu<'a>,
}

impl<'a> Message<'a> {
    /// Reads one datagram. Octets behind the message are ignored (some agents pad).
    pub fn decode(datagram: &'a [u8]) -> Result<Self, BerError> {
        let mut outer = Reader::new(Reader::new(datagram).expect_tag(ber::SEQUENCE)?);
        let version = match outer.integer()? {
            0 => Version::V1,
            1 => Version::V2c,
            other => return Err(BerError::Version(other)),
        };
        let community = outer.expect_tag(ber::OCTET_STRING)?;
        let (tag, body) = outer.element()?;
        Ok(Self { version, community, pdu: Pdu::decode(tag, body)? })
    }

    /// Writes the message in front of what `writer` holds.
    pub fn encode(version: Version, community: &[u8], pdu: &PduParts<'_>, writer: &mut Writer) {
        let mark = writer.len();
        writer.raw(pdu.varbinds);
        writer.wrap(ber::SEQUENCE, mark);
        writer.signed(ber::INTEGER, pdu.error_index);
        writer.signed(ber::INTEGER, pdu.error_status);
        writer.signed(ber::INTEGER, i64::from(pdu.request_id));
        writer.wrap(pdu.kind as u8, mark);
        writer.element(ber::OCTET_STRING, community);
        writer.signed(
            ber::INTEGER,
            match version {
                Version::V1 => 0,
                Version::V2c => 1,
            },
        );
        writer.wrap(ber::SEQUENCE, mark);
    }
}

impl<'a> Pdu<'a> {
    /// Reads the contents of a PDU element.
    pub fn decode(tag: u8, body: &'a [u8]) -> Result<Self, BerError> {
        let kind = PduKind::from_tag(tag)?;
        let mut fields = Reader::new(body);
        let request_id = i32::try_from(fields.integer()?).map_err(|_| BerError::Integer)?;
        let error_status = fields.integer()?;
        let error_index = fields.integer()?;
        let varbinds = Varbinds(Reader::new(fields.expect_tag(ber::SEQUENCE)?));
        Ok(Self { kind, request_id, error_status, error_index, varbinds })
    }
}

/// A PDU about to be written; `varbinds` is an encoded list from [`encode_varbinds`] or [`encode_names`].
#[derive(Clone, Copy, Debug)]
pub struct PduParts<'a> {
    /// Its type.
    pub kind: PduKind,
    /// request-id.
    pub request_id: i32,
    /// error-status, or non-repeaters.
    pub error_status: i64,
    /// error-index, or max-repetitions.
    pub error_index: i64,
    /// Encoded varbinds, without the enclosing SEQUENCE.
    pub varbinds: &'a [u8],
}

/// Encodes a list of names with NULL values, as requests carry them.
pub fn encode_names<'a>(names: impl DoubleEndedIterator<Item = &'a Oid>) -> Vec<u8> {
    encode_varbinds(names.map(|name| (name.as_ref(), Value::Null)))
}

/// Encodes a list of varbinds.
pub fn encode_varbinds<'a>(varbinds: impl DoubleEndedIterator<Item = (OidRef<'a>, Value<'a>)>) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    varbinds.rev().for_each(|(name, value)| write_varbind(name, &value, &mut writer));
    writer.as_slice().to_vec()
}

/// Puts one varbind in front of what `writer` holds.
pub fn write_varbind(name: OidRef<'_>, value: &Value<'_>, writer: &mut Writer) {
    let mark = writer.len();
    value.write(writer);
    writer.element(ber::OID, name.octets());
    writer.wrap(ber::SEQUENCE, mark);
}

/// The varbinds of a received PDU, one after the other. After the first error it ends.
#[derive(Clone, Copy, Debug)]
pub struct Varbinds<'a>(Reader<'a>);

impl<'a> Varbinds<'a> {
    /// Over an encoded list without the enclosing SEQUENCE.
    pub const fn new(list: &'a [u8]) -> Self {
        Self(Reader::new(list))
    }

    /// The encoded list that is left.
    pub const fn octets(&self) -> &'a [u8] {
        self.0.rest()
    }

    fn read(&mut self) -> Result<(OidRef<'a>, Value<'a>), BerError> {
        let mut pair = Reader::new(self.0.expect_tag(ber::SEQUENCE)?);
        let name = OidRef::parse(pair.expect_tag(ber::OID)?)?;
        let (tag, octets) = pair.element()?;
        Ok((name, Value::parse(tag, octets)))
    }
}

impl<'a> Iterator for Varbinds<'a> {
    type Item = Result<(OidRef<'a>, Value<'a>), BerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let item = self.read();
        if item.is_err() {
            self.0 = Reader::new(&[]);
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back() {
        let uptime: Oid = "1.3.6.1.2.1.1.3.0".parse().unwrap();
        let speed: Oid = "1.3.6.1.2.1.2.2.1.5.7".parse().unwrap();
        let list =
            encode_varbinds([(uptime.as_ref(), Value::TimeTicks(4_000_000_000)), (speed.as_ref(), Value::NoSuchInstance)].into_iter());
        let parts = PduParts { kind: PduKind::Response, request_id: -5, error_status: 0, error_index: 0, varbinds: &list };
        let mut writer = Writer::with_capacity(8);
        Message::encode(Version::V2c, b"public", &parts, &mut writer);
        let message = Message::decode(writer.as_slice()).unwrap();
        assert_eq!(
            (message.version, message.community, message.pdu.kind, message.pdu.request_id),
            (Version::V2c, &b"public"[..], PduKind::Response, -5)
        );
        let read: Result<Vec<_>, _> = message.pdu.varbinds.collect();
        assert_eq!(read.unwrap(), [(uptime.as_ref(), Value::TimeTicks(4_000_000_000)), (speed.as_ref(), Value::NoSuchInstance)]);
    }

    #[test]
    fn a_malformed_value_does_not_take_its_neighbours_with_it() {
        let name: Oid = "1.3.6.1.2.1.1.3.0".parse().unwrap();
        let list = encode_varbinds(
            [(name.as_ref(), Value::Malformed { tag: 0x41, octets: &[] }), (name.as_ref(), Value::Counter32(7))].into_iter(),
        );
        let read: Vec<_> = Varbinds::new(&list).map(|item| item.unwrap().1).collect();
        assert_eq!(read, [Value::Malformed { tag: 0x41, octets: &[] }, Value::Counter32(7)]);
    }
}
