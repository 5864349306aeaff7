//! Each header as it stands on the wire, cut at every octet, and frames that go round in circles.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::capture::packet::{Arp, Ip, Tcp, Transport};
use crate::model::MacAddr;

const DST: [u8; 6] = [2, 0, 0, 0, 0, 1];
const SRC: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn frame(parts: &[&[u8]]) -> Vec<u8> {
    [&[&DST[..], &SRC[..]], parts].concat().concat()
}

fn read(octets: &[u8]) -> Packet<'_> {
    parse(Nanos(7), octets.len() as u32, Link::Ethernet, None, octets)
}

fn v4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    header[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    header[6..8].copy_from_slice(&fragment.to_be_bytes());
    header.extend_from_slice(payload);
    header
}

fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 0, 0, next, 255];
    header[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    header.extend("fe80::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    header.extend("ff02::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    header.extend_from_slice(payload);
    header
}

fn tcp(flags: u8, data: &[u8]) -> Vec<u8> {
    [&[0xc0, 1, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, flags, 4, 0, 0, 0, 0, 0, 2, 4, 5, 180], data].concat()
}

fn ip<'a>(packet: &Packet<'a>) -> Ip<'a> {
    match packet.body {
        Body::Ip(ip) => ip,
        other => panic!("no IP: {other:?}"),
    }
}

#[test]
fn a_syn_in_two_tags_with_padding() {
    let segment = tcp(Tcp::SYN, b"");
    let octets = frame(&[&[0x88, 0xa8, 0x20, 7, 0x81, 0, 0, 9, 8, 0], &v4(6, 0x4000, &segment), &[0; 6]]);
    let packet = read(&octets);
    assert_eq!((packet.vlan, packet.src_mac, packet.dst_mac), (Some(7), Some(MacAddr(SRC)), Some(MacAddr(DST))));
    let Transport::Tcp(tcp) = ip(&packet).transport else { panic!("{packet:?}") };
    assert!(tcp.opens());
    assert_eq!((tcp.src_port, tcp.dst_port, tcp.data_octets, tcp.data.len()), (0xc001, 80, 0, 0));
    // The tag that the kernel took out was outside of both.
    assert_eq!(parse(Nanos(7), 60, Link::Ethernet, Some(5), &octets).vlan, Some(5));
    // A tag that only carries a priority names no VLAN.
    assert_eq!(parse(Nanos(7), 60, Link::Ethernet, Some(0), &octets).vlan, Some(7));
}

#[test]
fn arp_is_read_whole_or_not_at_all() {
    let message = [&[0, 1, 8, 0, 6, 4, 0, 2][..], &SRC, &[10, 0, 0, 1], &DST, &[10, 0, 0, 2]].concat();
    let octets = frame(&[&[8, 6], &message, &[0; 18]]);
    let Body::Arp(arp) = read(&octets).body else { panic!("no ARP") };
    let (sender, target) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    assert_eq!(arp, Arp { operation: 2, sender_mac: MacAddr(SRC), sender, target_mac: MacAddr(DST), target });
    assert!(matches!(read(&octets[..41]).body, Body::Other(0x0806, _)));
}

#[test]
fn lengths_are_those_of_the_headers() {
    // A segment that the card has not yet cut has no length of its own.
    let segment = tcp(Tcp::ACK, &[7; 3000]);
    let mut packet = v4(6, 0, &segment);
    packet[2..4].copy_from_slice(&[0, 0]);
    let octets = frame(&[&[8, 0], &packet]);
    let cut = &octets[..128];
    for (octets, there) in [(&octets[..], 3000), (cut, 128 - 14 - 20 - 24)] {
        let packet = parse(Nanos(0), 14 + 20 + 24 + 3000, Link::Ethernet, None, octets);
        let Transport::Tcp(tcp) = ip(&packet).transport else { panic!("{packet:?}") };
        assert_eq!((tcp.data_octets, tcp.data.len()), (3000, there));
    }
    // What is beyond the length of a datagram is not its data.
    let octets = frame(&[&[8, 0], &v4(17, 0, &[0, 53, 0xc0, 1, 0, 10, 0, 0, 1, 2, 3, 4])]);
    let packet = read(&octets);
    let Transport::Udp(udp) = ip(&packet).transport else { panic!("{packet:?}") };
    assert_eq!((udp.src_port, udp.dst_port, udp.data), (53, 0xc001, &[1, 2][..]));
}

#[test]
fn fragments_have_their_header_in_the_first() {
    let octets = frame(&[&[8, 0], &v4(6, 0x2000, &tcp(Tcp::SYN, b""))]);
    let first = ip(&read(&octets));
    assert!(!first.later_fragment && matches!(first.transport, Transport::Tcp(_)));
    let octets = frame(&[&[8, 0], &v4(6, 0x2003, &tcp(Tcp::SYN, b""))]);
    let later = ip(&read(&octets));
    assert!(later.later_fragment && matches!(later.transport, Transport::Other(6)));
}

#[test]
fn extension_headers_are_walked() {
    let hop = [60, 0, 5, 2, 0, 0, 0, 0];
    let destination = [44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let (first, later) = ([6, 0, 0, 1, 0, 0, 0, 1], [6, 0, 0, 8, 0, 0, 0, 1]);
    let segment = tcp(Tcp::SYN, b"");
    let octets = frame(&[&[0x86, 0xdd], &v6(0, &[&hop[..], &destination, &first, &segment].concat())]);
    let packet = ip(&read(&octets));
    assert!(packet.extensions == 3 && !packet.later_fragment && matches!(packet.transport, Transport::Tcp(tcp) if tcp.opens()));
    let octets = frame(&[&[0x86, 0xdd], &v6(0, &[&hop[..], &destination, &later, &segment].concat())]);
    let packet = ip(&read(&octets));
    assert!(packet.later_fragment && matches!(packet.transport, Transport::Other(6)));
    // More headers than anybody needs: the walk stops and says where.
    let endless = [60, 0, 0, 0, 0, 0, 0, 0].repeat(100);
    let octets = frame(&[&[0x86, 0xdd], &v6(60, &endless)]);
    let packet = ip(&read(&octets));
    assert!(packet.extensions == 16 && matches!(packet.transport, Transport::Other(60)));
    // A header that is not there whole.
    let octets = frame(&[&[0x86, 0xdd], &v6(0, &[6, 9, 0, 0])]);
    assert!(matches!(ip(&read(&octets)).transport, Transport::Other(0)));
}

#[test]
fn errors_quote_what_they_are_about() {
    let quote = v4(17, 0, &[0xc0, 1, 0, 161]);
    let octets = frame(&[&[8, 0], &v4(1, 0, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &quote].concat())]);
    let packet = read(&octets);
    let Transport::Icmp(icmp) = ip(&packet).transport else { panic!("{packet:?}") };
    let quoted = icmp.quoted.unwrap();
    let (src, dst): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    assert_eq!((icmp.kind, icmp.code, quoted.src, quoted.dst), (3, 3, src, dst));
    assert_eq!((quoted.protocol, quoted.src_port, quoted.dst_port), (17, 0xc001, 161));
    let quote = v6(44, &[17, 0, 0, 0, 0, 0, 0, 1, 0xc0, 1, 0, 53]);
    let octets = frame(&[&[0x86, 0xdd], &v6(58, &[&[1, 4, 0, 0, 0, 0, 0, 0][..], &quote].concat())]);
    let packet = read(&octets);
    let Transport::Icmp(icmp) = ip(&packet).transport else { panic!("{packet:?}") };
    let quoted = icmp.quoted.unwrap();
    assert_eq!((quoted.protocol, quoted.src_port, quoted.dst_port), (17, 0xc001, 53));
    // An echo quotes nothing; its data begins with identifier and number.
    let octets = frame(&[&[8, 0], &v4(1, 0, &[8, 0, 0, 0, 1, 2, 0, 1])]);
    let packet = read(&octets);
    let Transport::Icmp(icmp) = ip(&packet).transport else { panic!("{packet:?}") };
    assert_eq!((icmp.kind, icmp.quoted, icmp.data), (8, None, &[1, 2, 0, 1][..]));
}

#[test]
fn frames_of_802_3_are_read_by_llc() {
    let datagram = v4(17, 0, &[0, 53, 0, 53, 0, 8, 0, 0]);
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &datagram].concat();
    let length = (snap.len() as u16).to_be_bytes();
    let octets = frame(&[&length, &snap, &[0; 10]]);
    assert!(matches!(ip(&read(&octets)).transport, Transport::Udp(_)));
    // A spanning tree frame, without its padding.
    let octets = frame(&[&[0, 5, 0x42, 0x42, 3, 0, 0], &[0; 40]]);
    assert!(matches!(read(&octets).body, Body::Other(0, &[0x42, 0x42, 3, 0, 0])));
    // Tags in SNAP in tags: nobody is led round in circles.
    let circle = [&[0x81, 0, 0, 1, 0, 250, 0xaa, 0xaa, 3, 0, 0, 0][..]; 8000].concat();
    assert!(matches!(read(&frame(&[&circle])).body, Body::Other(..)));
}

#[test]
fn every_link_leads_to_the_same_packet() {
    let datagram = v4(17, 0, &[0, 53, 0, 53, 0, 8, 0, 0]);
    let cooked = [&[0, 0, 0, 1, 0, 6][..], &SRC, &[0, 0, 8, 0]].concat();
    let cooked2 = [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &SRC, &[0, 0]].concat();
    let heads: [(u32, &[u8]); 6] = [(101, &[]), (0, &[2, 0, 0, 0]), (108, &[0, 0, 0, 2]), (113, &cooked), (276, &cooked2), (12, &[])];
    for (number, head) in heads {
        let octets = [head, &datagram].concat();
        let link = Link::from_number(number).unwrap();
        let packet = parse(Nanos(0), octets.len() as u32, link, None, &octets);
        assert!(matches!(ip(&packet).transport, Transport::Udp(udp) if udp.src_port == 53), "{number}: {packet:?}");
        assert_eq!(packet.src_mac.is_some(), number == 113 || number == 276);
    }
    let error = Link::from_number(127).unwrap_err().to_string();
    assert!(error.contains("802.11"), "{error}");
}

fn links() -> impl Strategy<Value = Link> {
    prop::sample::select(vec![Link::Ethernet, Link::Ip, Link::Loopback, Link::Cooked, Link::Cooked2])
}

proptest! {
    /// Whatever comes, nothing is read beyond what was captured, and it is the same twice.
    #[test]
    fn whatever_comes_is_read(link in links(), wire in 0_u32..100_000, octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let once = format!("{:?}", parse(Nanos(1), wire, link, None, &octets));
        prop_assert_eq!(once, format!("{:?}", parse(Nanos(1), wire, link, None, &octets)));
    }

    /// A frame that is cut short never says more than the whole one, nor something else.
    #[test]
    fn a_cut_changes_no_address_and_no_port(cut in 0_usize..200, data in prop::collection::vec(any::<u8>(), 0..100)) {
        let hop = [6, 0, 5, 2, 0, 0, 0, 0];
        for octets in [
            frame(&[&[0x81, 0, 0, 5, 8, 0], &v4(6, 0, &tcp(Tcp::SYN, &data))]),
            frame(&[&[0x86, 0xdd], &v6(0, &[&hop[..], &tcp(Tcp::SYN, &data)].concat())]),
        ] {
            let wire = octets.len() as u32;
            let whole = ip(&parse(Nanos(0), wire, Link::Ethernet, None, &octets));
            let Transport::Tcp(all) = whole.transport else { panic!() };
            let part = parse(Nanos(0), wire, Link::Ethernet, None, &octets[..cut.min(octets.len())]);
            if let Body::Ip(part) = part.body {
                prop_assert_eq!((part.src, part.dst), (whole.src, whole.dst));
                if let Transport::Tcp(some) = part.transport {
                    prop_assert_eq!((some.src_port, some.dst_port, some.flags), (all.src_port, all.dst_port, all.flags));
                    prop_assert_eq!(some.data_octets, all.data_octets);
                    prop_assert!(all.data.starts_with(some.data));
                }
            }
        }
    }
}
