//! The SNMPv3 message as it stands in the clear (RFC 3412 section 6, RFC 3414 section 2.4).

use crate::snmp::ber::{self, BerError, Reader, Writer};
use crate::snmp::message::{Pdu, PduParts};

/// msgFlags: the message is signed.
pub const AUTH: u8 = 1;
/// msgFlags: the scoped PDU is encrypted.
pub const PRIV: u8 = 2;
/// msgFlags: a report is wanted when the message cannot be processed.
pub const REPORTABLE: u8 = 4;
/// The User-based Security Model.
pub const USM: i64 = 3;
/// What we say we can take: the largest UDP payload over IPv4.
const OUR_MAX_SIZE: i64 = 65_507;

/// A message without what is encrypted in it. Nothing here is verified.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// msgID.
    pub id: i32,
    /// msgMaxSize: the largest message that the sender takes.
    pub max_size: i64,
    /// msgFlags.
    pub flags: u8,
    /// msgSecurityModel.
    pub model: i64,
    /// msgAuthoritativeEngineID.
    pub engine_id: &'a [u8],
    /// msgAuthoritativeEngineBoots.
    pub boots: u32,
    /// msgAuthoritativeEngineTime, seconds.
    pub time: u32,
    /// msgUserName.
    pub user: &'a [u8],
    /// Where msgAuthenticationParameters begin in [`Self::message`], and how many octets they have.
    pub signature: (usize, usize),
    /// msgPrivacyParameters.
    pub privacy: &'a [u8],
    /// The scoped PDU.
    pub body: Body<'a>,
    /// The whole message without octets behind it.
    pub message: &'a [u8],
}

/// The scoped PDU of a message.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// In the clear.
    Plain(Scoped<'a>),
    /// Encrypted.
    Sealed(&'a [u8]),
}

/// A PDU with its context.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<'a> {
    /// contextEngineID.
    pub engine_id: &'a [u8],
    /// contextName.
    pub context: &'a [u8],
    /// The PDU.
    pub pdu: Pdu<'a>,
}

impl<'a> Envelope<'a> {
    /// Reads one datagram; octets behind the message are ignored.
    ///
    /// # Errors
    /// When it is no SNMPv3 message.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, BerError> {
        let mut whole = Reader::new(datagram);
        let mut outer = Reader::new(whole.expect_tag(ber::SEQUENCE)?);
        let length = datagram.len().saturating_sub(whole.rest().len());
        match outer.integer()? {
            3 => {}
            other => return Err(BerError::Version(other)),
        }
        let mut head = Reader::new(outer.expect_tag(ber::SEQUENCE)?);
        let id = i32::try_from(head.integer()?).map_err(|_| BerError::Integer)?;
        let max_size = head.integer()?;
        let flags = head.expect_tag(ber::OCTET_STRING)?.first().copied().ok_or(BerError::Truncated)?;
        let model = head.integer()?;
        let mut parameters = Reader::new(Reader::new(outer.expect_tag(ber::OCTET_STRING)?).expect_tag(ber::SEQUENCE)?);
        let engine_id = parameters.expect_tag(ber::OCTET_STRING)?;
        let boots = seconds(&mut parameters)?;
        let time = seconds(&mut parameters)?;
        let user = parameters.expect_tag(ber::OCTET_STRING)?;
        let signature = parameters.expect_tag(ber::OCTET_STRING)?;
        let signature = (offset(datagram, signature), signature.len());
        let privacy = parameters.expect_tag(ber::OCTET_STRING)?;
        let body = match outer.element()? {
            (ber::OCTET_STRING, octets) => Body::Sealed(octets),
            (ber::SEQUENCE, octets) => Body::Plain(Scoped::decode(octets)?),
            (found, _) => return Err(BerError::Tag { wanted: ber::SEQUENCE, found }),
        };
        let message = datagram.get(..length).unwrap_or(datagram);
        Ok(Self { id, max_size, flags, model, engine_id, boots, time, user, signature, privacy, body, message })
    }
}

impl<'a> Scoped<'a> {
    /// Reads the contents of a scoped PDU.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(octets: &'a [u8]) -> Result<Self, BerError> {
        let mut fields = Reader::new(octets);
        let engine_id = fields.expect_tag(ber::OCTET_STRING)?;
        let context = fields.expect_tag(ber::OCTET_STRING)?;
        let (tag, body) = fields.element()?;
        Ok(Self { engine_id, context, pdu: Pdu::decode(tag, body)? })
    }
}

/// Where a part of `whole` begins.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// A number that the protocol limits to 0..2^31-1.
fn seconds(reader: &mut Reader<'_>) -> Result<u32, BerError> {
    i32::try_from(reader.integer()?).ok().and_then(|value| u32::try_from(value).ok()).ok_or(BerError::Integer)
}

/// Writes an unsigned and unencrypted message in front of what `writer` holds: the discovery of an engine, or the plain
/// form of a request that is still to be sealed. The PDU's request-id is also the msgID.
pub fn write_plain(engine_id: &[u8], user: &[u8], context: &[u8], pdu: &PduParts<'_>, writer: &mut Writer) {
    let head = Head { id: pdu.request_id, flags: REPORTABLE, engine_id, boots: 0, time: 0, user, privacy: &[] };
    let mark = writer.len();
    write_scoped(engine_id, context, pdu, writer);
    writer.wrap(ber::SEQUENCE, mark);
    head.write(0, mark, writer);
}

/// What stands around the scoped PDU of a message to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) id: i32,
    pub(crate) flags: u8,
    pub(crate) engine_id: &'a [u8],
    pub(crate) boots: u32,
    pub(crate) time: u32,
    pub(crate) user: &'a [u8],
    pub(crate) privacy: &'a [u8],
}

impl Head<'_> {
    /// Puts the head in front of the scoped PDU that was written since `mark`, with `signature` zeros where the signature
    /// goes; returns how many octets the message has from the begin of these zeros on.
    pub(crate) fn write(&self, signature: usize, mark: usize, writer: &mut Writer) -> usize {
        let parameters = writer.len();
        writer.element(ber::OCTET_STRING, self.privacy);
        let place = writer.len() + signature;
        writer.element(ber::OCTET_STRING, &vec![0; signature]);
        writer.element(ber::OCTET_STRING, self.user);
        writer.signed(ber::INTEGER, i64::from(self.time));
        writer.signed(ber::INTEGER, i64::from(self.boots));
        writer.element(ber::OCTET_STRING, self.engine_id);
        writer.wrap(ber::SEQUENCE, parameters);
        writer.wrap(ber::OCTET_STRING, parameters);
        let head = writer.len();
        writer.signed(ber::INTEGER, USM);
        writer.element(ber::OCTET_STRING, &[self.flags]);
        writer.signed(ber::INTEGER, OUR_MAX_SIZE);
        writer.signed(ber::INTEGER, i64::from(self.id));
        writer.wrap(ber::SEQUENCE, head);
        writer.signed(ber::INTEGER, 3);
        writer.wrap(ber::SEQUENCE, mark);
        place - mark
    }
}

/// Puts the contents of a scoped PDU in front of what `writer` holds.
pub(crate) fn write_scoped(engine_id: &[u8], context: &[u8], pdu: &PduParts<'_>, writer: &mut Writer) {
    let mark = writer.len();
    writer.raw(pdu.varbinds);
    writer.wrap(ber::SEQUENCE, mark);
    writer.signed(ber::INTEGER, pdu.error_index);
    writer.signed(ber::INTEGER, pdu.error_status);
    writer.signed(ber::INTEGER, i64::from(pdu.request_id));
    writer.wrap(pdu.kind as u8, mark);
    writer.element(ber::OCTET_STRING, context);
    writer.element(ber::OCTET_STRING, engine_id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::message::PduKind;

    #[test]
    fn a_plain_message_comes_back() {
        let parts = PduParts { kind: PduKind::GetBulk, request_id: 77, error_status: 1, error_index: 20, varbinds: &[] };
        let mut writer = Writer::default();
        write_plain(b"\x80\0\0\x01x", b"bob", b"vlan-7", &parts, &mut writer);
        let mut datagram = writer.as_slice().to_vec();
        let length = datagram.len();
        datagram.extend([0; 5]);
        let envelope = Envelope::decode(&datagram).unwrap();
        assert_eq!((envelope.id, envelope.flags, envelope.model, envelope.user), (77, REPORTABLE, USM, &b"bob"[..]));
        assert_eq!((envelope.engine_id, envelope.message.len()), (&b"\x80\0\0\x01x"[..], length));
        let Body::Plain(scoped) = envelope.body else { panic!("sealed") };
        assert_eq!((scoped.context, scoped.pdu.kind, scoped.pdu.error_index), (&b"vlan-7"[..], PduKind::GetBulk, 20));
    }

    #[test]
    fn cut_messages_are_refused() {
        let parts = PduParts { kind: PduKind::Get, request_id: 1, error_status: 0, error_index: 0, varbinds: &[] };
        let mut writer = Writer::default();
        write_plain(b"engine", b"bob", b"", &parts, &mut writer);
        for length in 0..writer.len() {
            assert!(Envelope::decode(&writer.as_slice()[..length]).is_err());
        }
    }
}
