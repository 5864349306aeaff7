//! What exporters say and what must not be believed: each protocol, templates that change, floods, any octets at all.

mod datagrams;
mod hostile;

use std::net::{IpAddr, SocketAddr};

use datagrams::{Flow, SENT_S, UPTIME_MS, V4_FIELDS, flow, frame, ipfix, part, record, sample, set, sflow, template, v5, v9};

use super::record::Record;
use super::{Collector, Heard, Limits, Protocol};
use crate::model::{MacAddr, Timestamp};

fn from() -> SocketAddr {
    "10.1.0.2:40000".parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_secs(SENT_S.into())
}

/// A collector with what it makes of one datagram after the other.
struct Room(Collector);

impl Room {
    fn new() -> Self {
        Self(Collector::new(Limits::default()))
    }

    fn hear(&mut self, datagram: &[u8]) -> (Heard, Vec<Record>) {
        let mut records = Vec::new();
        let heard = self.0.read(from(), now(), datagram, &mut records);
        (heard, records)
    }
}

fn expected(flow: &Flow, sampling: u32) -> Record {
    let at = |uptime: u32| Timestamp::from_millis(i64::from(SENT_S) * 1_000 - i64::from(UPTIME_MS) + i64::from(uptime));
    Record {
        exporter: from().ip(),
        first: at(flow.first),
        last: at(flow.last),
        src: flow.src,
        dst: flow.dst,
        src_mac: None,
        vlan: None,
        protocol: flow.protocol,
        src_port: flow.ports.0,
        dst_port: flow.ports.1,
        tcp_flags: flow.flags,
        packets: u64::from(flow.packets) * u64::from(sampling),
        octets: u64::from(flow.octets) * u64::from(sampling),
        sampling,
        input: 3,
        output: 4,
    }
}

#[test]
fn v5_is_read_with_its_times_and_its_sampling() {
    let mut room = Room::new();
    let flows: Vec<Flow> = (0..30).map(flow).collect();
    let (heard, records) = room.hear(&v5(7, 0x4000 | 100, &flows));
    assert_eq!((heard.protocol, heard.records, heard.lost, heard.malformed), (Some(Protocol::V5), 30, 0, false));
    assert_eq!(records, flows.iter().map(|flow| expected(flow, 100)).collect::<Vec<_>>());
    let (heard, records) = room.hear(&v5(97, 0, &flows[..1]));
    assert_eq!((heard.lost, &records[0]), (60, &expected(&flows[0], 1)));
}

#[test]
fn v5_that_ends_early_gives_what_is_there() {
    let whole = v5(0, 0, &[flow(1), flow(2)]);
    let (heard, records) = Room::new().hear(&whole[..whole.len() - 1]);
    assert!(heard.malformed);
    assert_eq!(records, [expected(&flow(1), 1)]);
}

#[test]
fn v9_waits_for_its_template_and_takes_another_by_the_same_number() {
    let mut room = Room::new();
    let data = |number| set(256, record(&V4_FIELDS, &flow(number)));
    let (heard, records) = room.hear(&v9(1, 9, &[data(1)]));
    assert_eq!((heard.unknown_templates, heard.malformed, records.len()), (1, false, 0));
    let (heard, records) = room.hear(&v9(2, 9, &[set(0, template(256, &V4_FIELDS)), data(2)]));
    assert_eq!((heard.unknown_templates, records), (0, vec![expected(&flow(2), 1)]));
    // Another domain of the same exporter has templates of its own.
    assert_eq!(room.hear(&v9(1, 10, &[data(3)])).0.unknown_templates, 1);
    let mut turned = V4_FIELDS;
    turned.reverse();
    let (heard, records) = room.hear(&v9(5, 9, &[set(0, template(256, &turned)), set(256, record(&turned, &flow(4)))]));
    assert_eq!((heard.lost, records), (2, vec![expected(&flow(4), 1)]));
}

#[test]
fn v9_sampling_comes_from_options_or_from_the_record() {
    let mut room = Room::new();
    // Scope: the system, four octets; then samplerId and samplerRandomInterval.
    let options = [&300_u16.to_be_bytes()[..], &[0, 4, 0, 8], &[0, 1, 0, 4], &[0, 48, 0, 1], &[0, 50, 0, 4]].concat();
    let rate = |sampler: u8, rate: u32| set(300, [&[0; 4][..], &[sampler], &rate.to_be_bytes()].concat());
    room.hear(&v9(0, 0, &[set(1, options), rate(1, 512), rate(2, 64)]));
    let with_sampler = [&V4_FIELDS[..], &[(48, 1)]].concat();
    room.hear(&v9(1, 0, &[set(0, template(256, &with_sampler)), set(0, template(257, &V4_FIELDS))]));
    let sampled = |sampler: u8| [record(&V4_FIELDS, &flow(1)), vec![sampler]].concat();
    let (_, records) = room.hear(&v9(2, 0, &[set(256, sampled(1)), set(256, sampled(2)), set(257, record(&V4_FIELDS, &flow(1)))]));
    assert_eq!(records, [expected(&flow(1), 512), expected(&flow(1), 64), expected(&flow(1), 1)]);
    // samplingInterval in the record itself.
    let with_rate = [&V4_FIELDS[..], &[(34, 4)]].concat();
    let own = [record(&V4_FIELDS, &flow(1)), 10_u32.to_be_bytes().to_vec()].concat();
    let (_, records) = room.hear(&v9(3, 0, &[set(0, template(258, &with_rate)), set(258, own)]));
    assert_eq!(records, [expected(&flow(1), 10)]);
}

#[test]
fn ipfix_counts_records_withdraws_templates_and_samples_by_selector() {
    let mut room = Room::new();
    let fields = [&V4_FIELDS[..6], &[(152, 8), (153, 8)], &V4_FIELDS[8..]].concat();
    let data = set(256, [record(&fields, &flow(1)), record(&fields, &flow(2))].concat());
    let (heard, records) = room.hear(&ipfix(0, 1, &[set(2, template(256, &fields)), data.clone()]));
    assert_eq!((heard.protocol, heard.malformed), (Some(Protocol::Ipfix), false));
    assert_eq!(records, [expected(&flow(1), 1), expected(&flow(2), 1)]);
    assert_eq!(room.hear(&ipfix(5, 1, std::slice::from_ref(&data))).0.lost, 3);
    // selectorId is the scope; samplingPacketInterval and samplingPacketSpace follow.
    let options = [&[1_u8, 4, 0, 3, 0, 1][..], &[1, 46, 0, 1, 1, 49, 0, 4, 1, 50, 0, 4]].concat();
    let rate = set(260, [&[7_u8][..], &1_u32.to_be_bytes(), &999_u32.to_be_bytes()].concat());
    let (heard, records) = room.hear(&ipfix(7, 1, &[set(3, options), rate, data.clone()]));
    assert_eq!((heard.lost, records[0].sampling, records[0].packets), (0, 1_000, u64::from(flow(1).packets) * 1_000));
    // Withdrawn: a template without fields.
    let (heard, records) = room.hear(&ipfix(10, 1, &[set(2, vec![1, 0, 0, 0]), data.clone()]));
    assert_eq!((heard.unknown_templates, heard.lost, records.len()), (1, 0, 0));
    // What could not be counted is not taken for a loss afterwards.
    assert_eq!(room.hear(&ipfix(40, 1, &[set(2, template(256, &fields)), data])).0.lost, 0);
}

#[test]
fn ipfix_fields_of_variable_length_and_of_vendors_are_stepped_over() {
    let addresses = [(8, 4), (12, 4)];
    let mut fields = template(256, &[(8, 4), (371, 0xffff), (0x8001, 2), (12, 4), (371, 0xffff)]);
    // The vendor's number stands behind the third field.
    fields.splice(16..16, 9_u32.to_be_bytes());
    let both = record(&addresses, &flow(1));
    let mut long = vec![255, 1, 0];
    long.extend([b'x'; 256]);
    let body = [&both[..4], b"\x03abc", &[9, 9], &both[4..], &long].concat();
    let (heard, records) = Room::new().hear(&ipfix(0, 0, &[set(2, fields), set(256, body)]));
    assert!(!heard.malformed);
    assert_eq!(records.iter().map(|record| (record.src, record.dst)).collect::<Vec<_>>(), [(flow(1).src, flow(1).dst)]);
}

#[test]
fn a_two_way_flow_is_two_and_an_echo_has_its_type_for_a_port() {
    let mut fields = template(256, &[(8, 4), (12, 4), (4, 1), (32, 2), (2, 4), (1, 4), (0x8001, 4), (0x8002, 4)]);
    fields.splice(32..32, 29_305_u32.to_be_bytes());
    fields.extend(29_305_u32.to_be_bytes());
    let body = [
        &record(&[(8, 4), (12, 4)], &flow(1))[..],
        &[1, 8, 0],
        &2_u32.to_be_bytes(),
        &168_u32.to_be_bytes(),
        &84_u32.to_be_bytes(),
        &1_u32.to_be_bytes(),
    ];
    let (_, records) = Room::new().hear(&ipfix(0, 0, &[set(2, fields), set(256, body.concat())]));
    let told: Vec<_> = records.iter().map(|it| (it.src, it.dst, it.dst_port, it.packets, it.octets)).collect();
    let (here, there) = (flow(1).src, flow(1).dst);
    assert_eq!(told, [(there, here, 0x800, 1, 84), (here, there, 0x800, 2, 168)]);
    // No times were told: both are when it was sent.
    assert_eq!((records[0].first, records[0].last), (now(), now()));
}

#[test]
fn ipv6_and_the_vlan_and_the_mac_are_read() {
    let (src, dst): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
    let six = Flow { src, dst, ..flow(1) };
    let fields = [(27, 16), (28, 16), (7, 2), (11, 2), (4, 1)];
    let with_link = [&fields[..], &[(58, 2), (56, 6)]].concat();
    let body = [record(&fields, &six), vec![0, 12, 2, 0, 0, 0, 0, 1]].concat();
    let (_, records) = Room::new().hear(&v9(0, 0, &[set(0, template(256, &with_link)), set(256, body)]));
    assert_eq!((records[0].src, records[0].dst, records[0].src_port), (src, dst, six.ports.0));
    assert_eq!((records[0].vlan, records[0].src_mac), (Some(12), Some(MacAddr([2, 0, 0, 0, 0, 1]))));
}

#[test]
fn records_without_addresses_are_counted_and_made_nothing_of() {
    let (heard, records) = Room::new().hear(&v9(0, 0, &[set(0, template(256, &[(1, 4), (2, 4)])), set(256, vec![0; 16])]));
    assert_eq!((heard.other, heard.malformed, records.len()), (2, false, 0));
}

#[test]
fn sflow_samples_are_flows_of_one_packet_scaled() {
    let mut room = Room::new();
    let datagram = sflow(4, &[sample(512, 90, &frame(&flow(1), Some(12), 72)), part(2, vec![0; 40])]);
    let (heard, records) = room.hear(&datagram);
    assert_eq!((heard.protocol, heard.malformed, heard.other), (Some(Protocol::Sflow), false, 0));
    let wanted = Record {
        first: now(),
        last: now(),
        src_mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
        vlan: Some(12),
        packets: 512,
        octets: 72 * 512,
        sampling: 512,
        ..expected(&flow(1), 1)
    };
    assert_eq!(records, [wanted]);
    // ARP is none of ours; two datagrams are missing.
    let mut arp = frame(&flow(1), None, 72);
    arp[13] = 6;
    let (heard, records) = room.hear(&sflow(7, &[sample(512, 64, &arp)]));
    assert_eq!((heard.lost, heard.other, heard.malformed, records.len()), (2, 1, false, 0));
}

#[test]
fn an_expanded_sample_with_the_switchs_own_reading_is_a_flow_too() {
    let mut ip = Vec::new();
    for word in [60_u32, 17] {
        ip.extend(word.to_be_bytes());
    }
    ip.extend(record(&[(8, 4), (12, 4)], &flow(1)));
    for word in [5_353_u32, 53, 0, 0] {
        ip.extend(word.to_be_bytes());
    }
    let mut body = Vec::new();
    // Out by several ports: no ifIndex.
    for word in [1_u32, 0, 3, 100, 100, 0, 0, 77, 2, 5, 2] {
        body.extend(word.to_be_bytes());
    }
    body.extend(part(3, ip));
    body.extend(part(1_001, [9_u32, 0, 9, 0].iter().flat_map(|word| word.to_be_bytes()).collect()));
    let (heard, records) = Room::new().hear(&sflow(0, &[part(3, body)]));
    assert!(!heard.malformed);
    let told = &records[0];
    assert_eq!((told.src_port, told.dst_port, told.protocol, told.vlan), (5_353, 53, 17, Some(9)));
    assert_eq!((told.input, told.output, told.octets), (77, 0, 6_000));
}

#[test]
fn what_is_nothing_of_ours_is_malformed() {
    for octets in [&b""[..], b"\0", b"GET / HTTP/1.1", &[0, 5], &[0, 9, 0, 1], &[0, 10, 0, 3, 0, 0], &[0, 0, 0, 4]] {
        let (heard, records) = Room::new().hear(octets);
        assert!(heard.malformed && records.is_empty(), "{octets:?}");
    }
    // A set that is longer than the datagram, and one that is shorter than its own header.
    for length in [200_u16, 3] {
        let bad = [&[1, 0][..], &length.to_be_bytes(), &[0; 8]].concat();
        assert!(Room::new().hear(&v9(0, 0, &[bad])).0.malformed);
    }
}
