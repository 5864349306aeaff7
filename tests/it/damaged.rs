//! The fuzz targets' entry points over a fixed set of damaged messages, so that every test run covers them.

#[path = "../../fuzz/entries.rs"]
pub(crate) mod entries;

use netroom::ping::codec::{Family, Mark, write_request};
use netroom::snmp::ber::Writer;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_varbinds};
use netroom::snmp::oid::Oid;
use netroom::snmp::v3::envelope;
use netroom::snmp::value::Value;

/// Messages to damage: answers of each version with every type of value, and a report.
fn seeds() -> Vec<Vec<u8>> {
    let name: Oid = "1.3.6.1.2.1.31.1.1.1.6.4194316032".parse().unwrap();
    let report: Oid = "1.3.6.1.6.3.15.1.1.4.0".parse().unwrap();
    let values = [
        Value::Integer(-300),
        Value::OctetString(b"GigabitEthernet1/0/1"),
        Value::Null,
        Value::Oid(name.as_ref()),
        Value::IpAddress([192, 0, 2, 1]),
        Value::Counter32(u32::MAX),
        Value::Gauge32(1_000_000_000),
        Value::TimeTicks(7),
        Value::Opaque(&[0x9f, 0x78, 4, 0x42, 0xf6, 0, 0]),
        Value::Counter64(u64::MAX),
        Value::NoSuchObject,
        Value::NoSuchInstance,
        Value::EndOfMibView,
    ];
    let list = encode_varbinds(values.iter().map(|value| (name.as_ref(), *value)));
    let reason = encode_varbinds([(report.as_ref(), Value::Counter32(1))].into_iter());
    let mut seeds = vec![list.clone()];
    for (version, kind) in [(Version::V1, PduKind::Response), (Version::V2c, PduKind::Response), (Version::V2c, PduKind::TrapV2)] {
        let mut writer = Writer::default();
        let parts = PduParts { kind, request_id: 0x0102_0304, error_status: 0, error_index: 0, varbinds: &list };
        Message::encode(version, b"public", &parts, &mut writer);
        seeds.push(writer.as_slice().to_vec());
    }
    for (kind, varbinds) in [(PduKind::Response, &list), (PduKind::Report, &reason)] {
        // The id that the first question of `entries::snmp_answer` has.
        let parts = PduParts { kind, request_id: 7, error_status: 0, error_index: 0, varbinds };
        let mut writer = Writer::default();
        envelope::write_plain(b"\x80\0\x1f\x88\x80abcd", b"fuzz", b"", &parts, &mut writer);
        seeds.push(writer.as_slice().to_vec());
    }
    seeds
}

/// Every cut, every octet replaced by telling ones, and some thousand random wounds; the same each time.
fn damaged(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cuts = (0..=seed.len()).map(|length| seed[..length].to_vec());
    let telling = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xff, 0x30, 0x06];
    let replaced = (0..seed.len()).flat_map(move |at| {
        telling.map(|octet| {
            let mut copy = seed.to_vec();
            copy[at] = octet;
            copy
        })
    });
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let wounded = (0..4_000).map(move |_| {
        let mut copy = seed.to_vec();
        for _ in 0..4 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let at = dice as usize % copy.len();
            match dice >> 60 {
                0..8 => copy[at] = (dice >> 32) as u8,
                8..12 => copy.insert(at, (dice >> 32) as u8),
                _ if copy.len() > 1 => drop(copy.remove(at)),
                _ => {}
            }
        }
        copy
    });
    cuts.chain(replaced).chain(wounded)
}

#[test]
fn damaged_messages_are_read_without_panic_and_within_bounds() {
    for seed in seeds() {
        damaged(&seed).for_each(|data| entries::snmp_message(&data));
    }
}

#[test]
fn damaged_answers_leave_the_question_answerable() {
    for seed in seeds() {
        for data in damaged(&seed).step_by(3) {
            entries::snmp_answer(&data);
        }
    }
}

#[test]
fn damaged_icmp_is_read_without_panic() {
    let mut seeds = Vec::new();
    for (family, reply, error) in [(Family::V4, 0, 3), (Family::V6, 129, 1)] {
        let mut echo = Vec::new();
        write_request(&mut echo, family, 7, 9, Mark { slot: 1, number: 2, cookie: 3 }, 56);
        let header: &[u8] = match family {
            Family::V4 => &[0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1],
            Family::V6 => &[
                0x60, 0, 0, 0, 0, 64, 58, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                1,
            ],
        };
        seeds.push([&[error, 1, 0, 0, 0, 0, 0, 0], header, &echo].concat());
        echo[0] = reply;
        seeds.push([header, &echo].concat());
        seeds.push(echo);
    }
    for seed in seeds {
        damaged(&seed).for_each(|data| entries::ping_message(&data));
    }
}

#[test]
fn damaged_payloads_are_read_without_panic_and_within_bounds() {
    let answer = [
        &[0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0][..],
        b"\x03www\x07example\x02cn\0\0\x01\0\x01",
        b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10\xc0\x2c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\x00\x02\x01",
    ]
    .concat();
    let mut offer = vec![0; 236];
    offer[..3].copy_from_slice(&[2, 1, 6]);
    offer.extend([99, 130, 83, 99, 53, 1, 2, 54, 4, 10, 1, 0, 2, 3, 8, 10, 1, 0, 1, 10, 1, 0, 2, 255]);
    let router = [&[64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9, 3, 4, 64, 0xc0][..], &[0; 28]].concat();
    let mut hello = vec![22, 3, 1, 0, 64, 1, 0, 0, 60, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0x13, 1, 1, 0, 0, 17, 0, 0, 0, 13, 0, 11, 0, 0, 8]);
    hello.extend(b"v.qq.com");
    for seed in [answer, offer, router, hello] {
        damaged(&seed).for_each(|data| entries::payload(&data));
    }
}

#[test]
fn damaged_flow_datagrams_are_survived() {
    use crate::flow::datagrams::{V4_FIELDS, flow, frame, ipfix, record, sample, set, sflow, template, v5, v9};

    let data = set(256, record(&V4_FIELDS, &flow(1)));
    let seeds = [
        v5(0, 10, &[flow(1), flow(2)]),
        v9(0, 0, &[set(0, template(256, &V4_FIELDS)), data.clone()]),
        ipfix(0, 0, &[set(2, template(256, &V4_FIELDS)), data]),
        sflow(0, &[sample(100, 90, &frame(&flow(1), Some(3), 72))]),
    ];
    for seed in seeds {
        damaged(&seed).for_each(|data| entries::flow(&data));
    }
}
