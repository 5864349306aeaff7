//! The codec as a whole: round trips, hostile octets, and the crate snmp2 as a second opinion.

use proptest::prelude::*;

use super::ber::Writer;
use super::message::{Message, PduKind, PduParts, Varbinds, Version, encode_varbinds};
use super::oid::{Oid, OidRef};
use super::value::Value;

/// A value that owns its octets.
#[derive(Clone, Debug)]
enum Owned {
    Integer(i32),
    Octets(Vec<u8>),
    Null,
    Name(Oid),
    Address([u8; 4]),
    Counter32(u32),
    Gauge32(u32),
    Ticks(u32),
    Opaque(Vec<u8>),
    Counter64(u64),
    NoSuchObject,
    NoSuchInstance,
    EndOfMibView,
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Integer(number) => Value::Integer((*number).into()),
            Self::Octets(octets) => Value::OctetString(octets),
            Self::Null => Value::Null,
            Self::Name(oid) => Value::Oid(oid.as_ref()),
            Self::Address(octets) => Value::IpAddress(*octets),
            Self::Counter32(number) => Value::Counter32(*number),
            Self::Gauge32(number) => Value::Gauge32(*number),
            Self::Ticks(number) => Value::TimeTicks(*number),
            Self::Opaque(octets) => Value::Opaque(octets),
            Self::Counter64(number) => Value::Counter64(*number),
            Self::NoSuchObject => Value::NoSuchObject,
            Self::NoSuchInstance => Value::NoSuchInstance,
            Self::EndOfMibView => Value::EndOfMibView,
        }
    }
}

fn oid() -> impl Strategy<Value = Oid> {
    let subid = prop_oneof![0..200_u32, any::<u32>()];
    (0..3_u32, 0..40_u32, prop::collection::vec(subid, 0..20))
        .prop_map(|(first, second, rest)| Oid::new(&[&[first, second], &rest[..]].concat()).unwrap())
}

fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<i32>().prop_map(Owned::Integer),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Owned::Octets),
        Just(Owned::Null),
        oid().prop_map(Owned::Name),
        any::<[u8; 4]>().prop_map(Owned::Address),
        any::<u32>().prop_map(Owned::Counter32),
        any::<u32>().prop_map(Owned::Gauge32),
        any::<u32>().prop_map(Owned::Ticks),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Owned::Opaque),
        any::<u64>().prop_map(Owned::Counter64),
        Just(Owned::NoSuchObject),
        Just(Owned::NoSuchInstance),
        Just(Owned::EndOfMibView),
    ]
}

fn kind() -> impl Strategy<Value = PduKind> {
    prop::sample::select(vec![
        PduKind::Get,
        PduKind::GetNext,
        PduKind::Response,
        PduKind::Set,
        PduKind::GetBulk,
        PduKind::Inform,
        PduKind::TrapV2,
        PduKind::Report,
    ])
}

fn encoded(version: Version, community: &[u8], parts: &PduParts<'_>) -> Vec<u8> {
    let mut writer = Writer::with_capacity(0);
    Message::encode(version, community, parts, &mut writer);
    writer.as_slice().to_vec()
}

/// What snmp2 makes of a value, in our words.
fn opinion<'a>(value: &snmp2::Value<'a>, oids: &'a mut Vec<Vec<u8>>) -> Option<Value<'a>> {
    Some(match value {
        snmp2::Value::Integer(number) => Value::Integer(*number),
        snmp2::Value::OctetString(octets) => Value::OctetString(octets),
        snmp2::Value::Null => Value::Null,
        snmp2::Value::ObjectIdentifier(oid) => {
            oids.push(oid.as_bytes().to_vec());
            Value::Oid(OidRef::parse(oids.last()?).ok()?)
        }
        snmp2::Value::IpAddress(octets) => Value::IpAddress(*octets),
        snmp2::Value::Counter32(number) => Value::Counter32(*number),
        snmp2::Value::Unsigned32(number) => Value::Gauge32(*number),
        snmp2::Value::Timeticks(number) => Value::TimeTicks(*number),
        snmp2::Value::Opaque(octets) => Value::Opaque(octets),
        snmp2::Value::Counter64(number) => Value::Counter64(*number),
        snmp2::Value::NoSuchObject => Value::NoSuchObject,
        snmp2::Value::NoSuchInstance => Value::NoSuchInstance,
        snmp2::Value::EndOfMibView => Value::EndOfMibView,
        _ => return None,
    })
}

proptest! {
    #[test]
    fn messages_come_back_and_snmp2_reads_the_same(
        list in prop::collection::vec((oid(), value()), 0..30),
        community in prop::collection::vec(any::<u8>(), 0..40),
        (kind, request_id) in (kind(), any::<i32>()),
        (status, index) in (0..20_i64, 0..2_000_i64),
        v1 in any::<bool>(),
    ) {
        let version = if v1 { Version::V1 } else { Version::V2c };
        let varbinds = encode_varbinds(list.iter().map(|(name, value)| (name.as_ref(), value.value())));
        let parts = PduParts { kind, request_id, error_status: status, error_index: index, varbinds: &varbinds };
        let datagram = encoded(version, &community, &parts);

        let message = Message::decode(&datagram).unwrap();
        let pdu = message.pdu;
        prop_assert_eq!((message.version, message.community), (version, &community[..]));
        prop_assert_eq!((pdu.kind, pdu.request_id, pdu.error_status, pdu.error_index), (kind, request_id, status, index));
        let read: Vec<_> = pdu.varbinds.map(Result::unwrap).collect();
        let written: Vec<_> = list.iter().map(|(name, value)| (name.as_ref(), value.value())).collect();
        prop_assert_eq!(&read, &written);

        let theirs = snmp2::Pdu::from_bytes(&datagram).unwrap();
        prop_assert_eq!(theirs.version().unwrap() as i64, i64::from(!v1));
        prop_assert_eq!((theirs.community, theirs.req_id), (&community[..], request_id));
        prop_assert_eq!((i64::from(theirs.error_status), i64::from(theirs.error_index)), (status, index));
        let mut count = 0;
        for ((name, value), (our_name, our_value)) in theirs.varbinds.clone().zip(&read) {
            let mut oids = Vec::new();
            prop_assert_eq!(name.as_bytes(), our_name.octets());
            prop_assert_eq!(opinion(&value, &mut oids), Some(*our_value));
            count += 1;
        }
        prop_assert_eq!(count, read.len());
    }

    #[test]
    fn lengths_and_numbers_in_a_longer_form_mean_the_same(number in any::<u32>(), octets in prop::collection::vec(any::<u8>(), 0..60)) {
        // As older agents send them: 82 00 nn for lengths, five octets for counters.
        let mut name: Vec<u8> = vec![0x06, 0x81, 0x03, 0x2b, 0x06, 0x01];
        let mut counter = vec![0x41, 0x82, 0x00, 0x05, 0x00];
        counter.extend(number.to_be_bytes());
        let mut text = vec![0x04, 0x82, 0x00, u8::try_from(octets.len()).unwrap()];
        text.extend(&octets);
        let mut list = Vec::new();
        for value in [counter, text] {
            let body = [&name[..], &value].concat();
            list.extend([0x30, 0x82, 0x00, u8::try_from(body.len()).unwrap()]);
            list.extend(body);
        }
        name.clear();
        let read: Vec<_> = Varbinds::new(&list).map(|item| item.unwrap().1).collect();
        prop_assert_eq!(read, [Value::Counter32(number), Value::OctetString(&octets)]);
    }

    #[test]
    fn hostile_octets_are_read_to_a_bounded_end(data in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(message) = Message::decode(&data) {
            prop_assert!(message.pdu.varbinds.count() <= data.len());
        }
        prop_assert!(Varbinds::new(&data).count() <= data.len() / 7 + 1);
        prop_assert!(super::v3::envelope::Envelope::decode(&data).map_or(true, |read| read.message.len() <= data.len()));
    }

    #[test]
    fn an_oid_is_its_text_and_its_order(a in oid(), b in oid()) {
        prop_assert!(a.to_string().parse::<Oid>().is_ok_and(|read| read == a));
        prop_assert_eq!(OidRef::parse(a.octets()).unwrap(), a.as_ref());
        let arcs = |oid: &Oid| oid.to_string().split('.').map(|arc| arc.parse::<u32>().unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(a.cmp(&b), arcs(&a).cmp(&arcs(&b)));
        let child = a.child(&[7, 70_000]);
        prop_assert_eq!(child.as_ref().below(&a).map(Iterator::collect), Some(vec![7, 70_000]));
    }
}
