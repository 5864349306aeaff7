//! Notifications as datagrams: the v1 Trap-PDU (RFC 1157 section 4.1.6), SNMPv2-Trap and InformRequest (RFC 3416), brought to
//! one form as RFC 3584 section 3.1 says. Nothing is allocated; nothing is believed yet.

use std::net::Ipv4Addr;

use super::kind::Kind;
use crate::snmp::ber::{self, BerError, Reader, Writer};
use crate::snmp::message::{Message, Pdu, PduKind, PduParts, Varbinds, Version};
use crate::snmp::oid::OidRef;
use crate::snmp::value::{self, Value};

/// The v1 Trap-PDU.
const TRAP_V1: u8 = 0xa4;

/// sysUpTime.0.
const UPTIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];
/// snmpTrapOID.0.
const TRAP_OID: &[u8] = &[0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0];

/// A community-based notification.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// The version of the message.
    pub version: Version,
    /// Its community.
    pub community: &'a [u8],
    /// What it says.
    pub said: Said<'a>,
    /// The PDU of an inform, which wants an answer.
    pub inform: Option<Pdu<'a>>,
}

/// What a notification says, in one form for all versions.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// What happened.
    pub kind: Kind<'a>,
    /// sysUpTime of the sender, hundredths of a second.
    pub uptime_ticks: Option<u32>,
    /// agent-addr of a v1 trap: whose trap it is when somebody forwards it.
    pub agent: Option<Ipv4Addr>,
    /// What else it carries.
    pub varbinds: Varbinds<'a>,
}

impl<'a> Notification<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// When it is no notification of v1 or v2c; [`BerError::Version`] with 3 for SNMPv3.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, BerError> {
        let mut outer = Reader::new(Reader::new(datagram).expect_tag(ber::SEQUENCE)?);
        let version = match outer.integer()? {
            0 => Version::V1,
            1 => Version::V2c,
            other => return Err(BerError::Version(other)),
        };
        let community = outer.expect_tag(ber::OCTET_STRING)?;
        let (tag, body) = outer.element()?;
        if tag == TRAP_V1 {
            return Ok(Self { version, community, said: Said::of_v1(body)?, inform: None });
        }
        let pdu = Pdu::decode(tag, body)?;
        let inform = match pdu.kind {
            PduKind::TrapV2 => None,
            PduKind::Inform => Some(pdu),
            other => return Err(BerError::PduType(other as u8)),
        };
        Ok(Self { version, community, said: Said::of_v2(pdu.varbinds)?, inform })
    }

    /// The answer to an inform (RFC 3416 section 4.2.7): the same varbinds, no error.
    pub fn acknowledge(&self, inform: &Pdu<'_>, writer: &mut Writer) {
        let parts = PduParts {
            kind: PduKind::Response,
            request_id: inform.request_id,
            error_status: 0,
            error_index: 0,
            varbinds: inform.varbinds.octets(),
        };
        Message::encode(self.version, self.community, &parts, writer);
    }
}

impl<'a> Said<'a> {
    /// Reads the contents of a v1 Trap-PDU.
    fn of_v1(body: &'a [u8]) -> Result<Self, BerError> {
        let mut fields = Reader::new(body);
        let enterprise = OidRef::parse(fields.expect_tag(ber::OID)?)?;
        let agent: [u8; 4] = fields.expect_tag(value::IP_ADDRESS)?.try_into().map_err(|_| BerError::Truncated)?;
        let generic = fields.integer()?;
        let specific = fields.integer()?;
        let ticks = ber::unsigned(fields.expect_tag(value::TIME_TICKS)?)?;
        let varbinds = Varbinds::new(fields.expect_tag(ber::SEQUENCE)?);
        let agent = Ipv4Addr::from(agent);
        Ok(Self {
            kind: Kind::of_v1(enterprise, generic, specific),
            uptime_ticks: u32::try_from(ticks).ok(),
            agent: (!agent.is_unspecified()).then_some(agent),
            varbinds,
        })
    }

    /// Reads the varbinds of a v2 trap or inform: sysUpTime.0 and snmpTrapOID.0 stand first, and senders keep to it.
    ///
    /// # Errors
    /// When snmpTrapOID.0 is not among the first two.
    pub fn of_v2(varbinds: Varbinds<'a>) -> Result<Self, BerError> {
        let mut rest = varbinds;
        let mut uptime_ticks = None;
        for _ in 0..2 {
            let (name, value) = rest.next().ok_or(BerError::Truncated)??;
            if name.octets() == UPTIME {
                uptime_ticks = value.number().and_then(|ticks| u32::try_from(ticks).ok());
            } else if name.octets() == TRAP_OID {
                let Value::Oid(what) = value else { return Err(BerError::Oid) };
                return Ok(Self { kind: Kind::of(what), uptime_ticks, agent: None, varbinds: rest });
            }
        }
        Err(BerError::Oid)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snmp::message::encode_varbinds;
    use crate::snmp::oid::Oid;
    use crate::snmp::trap::kind::Standard;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    fn v2(kind: PduKind, names: &[(Oid, Value<'_>)]) -> Vec<u8> {
        let list = encode_varbinds(names.iter().map(|(name, value)| (name.as_ref(), *value)));
        let parts = PduParts { kind, request_id: 41, error_status: 0, error_index: 0, varbinds: &list };
        let mut writer = Writer::with_capacity(64);
        Message::encode(Version::V2c, b"traps", &parts, &mut writer);
        writer.as_slice().to_vec()
    }

    fn link_down(kind: PduKind) -> Vec<u8> {
        let what = oid("1.3.6.1.6.3.1.1.5.3");
        v2(
            kind,
            &[
                (oid("1.3.6.1.2.1.1.3.0"), Value::TimeTicks(77)),
                (oid("1.3.6.1.6.3.1.1.4.1.0"), Value::Oid(what.as_ref())),
                (oid("1.3.6.1.2.1.2.2.1.1.5"), Value::Integer(5)),
            ],
        )
    }

    #[test]
    fn a_v2_trap_says_what_happened_and_to_which_port() {
        let datagram = link_down(PduKind::TrapV2);
        let read = Notification::decode(&datagram).unwrap();
        assert_eq!((read.community, read.said.uptime_ticks), (&b"traps"[..], Some(77)));
        assert_eq!(read.said.kind.standard(), Some(Standard::LinkDown));
        assert_eq!(read.said.varbinds.count(), 1);
        assert!(read.inform.is_none());
    }

    #[test]
    fn an_inform_is_answered_with_its_own_varbinds() {
        let datagram = link_down(PduKind::Inform);
        let read = Notification::decode(&datagram).unwrap();
        let inform = read.inform.unwrap();
        let mut writer = Writer::with_capacity(8);
        read.acknowledge(&inform, &mut writer);
        let answer = Message::decode(writer.as_slice()).unwrap();
        assert_eq!((answer.pdu.kind, answer.pdu.request_id, answer.community), (PduKind::Response, 41, &b"traps"[..]));
        assert_eq!(answer.pdu.varbinds.octets(), inform.varbinds.octets());
    }

    #[test]
    fn a_v1_trap_comes_to_the_same_form() {
        let mut writer = Writer::with_capacity(64);
        let mark = writer.len();
        writer.wrap(ber::SEQUENCE, mark);
        writer.unsigned(value::TIME_TICKS, 9_000);
        writer.signed(ber::INTEGER, 0);
        writer.signed(ber::INTEGER, 2);
        writer.element(value::IP_ADDRESS, &[10, 0, 0, 9]);
        writer.element(ber::OID, oid("1.3.6.1.4.1.9.1.1").octets());
        writer.wrap(TRAP_V1, mark);
        writer.element(ber::OCTET_STRING, b"public");
        writer.signed(ber::INTEGER, 0);
        writer.wrap(ber::SEQUENCE, mark);
        let read = Notification::decode(writer.as_slice()).unwrap();
        assert_eq!(read.said.kind.standard(), Some(Standard::LinkDown));
        assert_eq!((read.said.agent, read.said.uptime_ticks), (Some(Ipv4Addr::new(10, 0, 0, 9)), Some(9_000)));
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        assert!(matches!(Notification::decode(&v2(PduKind::Get, &[])), Err(BerError::PduType(0xa0))));
        assert!(matches!(Notification::decode(&v2(PduKind::TrapV2, &[])), Err(BerError::Truncated)));
        let other = [(oid("1.3.6.1.2.1.1.3.0"), Value::TimeTicks(1)), (oid("1.3.6.1.2.1.1.3.0"), Value::TimeTicks(1))];
        assert!(matches!(Notification::decode(&v2(PduKind::TrapV2, &other)), Err(BerError::Oid)));
    }

    proptest! {
        /// Whatever comes from the network is read or refused.
        #[test]
        fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Notification::decode(&octets);
        }

        #[test]
        fn no_damage_makes_it_panic(place in 0_usize..90, octet in any::<u8>(), cut in 0_usize..90) {
            let mut datagram = link_down(PduKind::Inform);
            let place = place % datagram.len();
            datagram[place] = octet;
            datagram.truncate(datagram.len().saturating_sub(cut % 40));
            if let Ok(read) = Notification::decode(&datagram) {
                read.said.varbinds.for_each(drop);
            }
        }
    }
}
