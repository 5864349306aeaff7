//! What stands before the network layer: Ethernet (IEEE 802.3, with LLC and SNAP), VLAN tags (IEEE 802.1Q, 802.1ad), ARP
//! (RFC 826), BSD loopback and Linux cooked frames.

use std::net::Ipv4Addr;

use super::ip;
use super::named;
use crate::capture::packet::{Arp, Body, Packet};
use crate::model::MacAddr;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
/// EtherTypes of tags: 802.1Q, 802.1ad, and what came before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags that are taken off before a frame is held for garbage.
const MOST_TAGS: usize = 8;
/// Numbers below this are lengths of 802.3 frames.
const FIRST_TYPE: u16 = 0x0600;

pub(super) fn ethernet<'a>(packet: &mut Packet<'a>, frame: &'a [u8], missing: usize) {
    let Some((&[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1], rest)) = frame.split_first_chunk::<14>() else { return };
    packet.dst_mac = mac([d0, d1, d2, d3, d4, d5]);
    packet.src_mac = mac([s0, s1, s2, s3, s4, s5]);
    typed(packet, u16::from_be_bytes([t0, t1]), rest, missing);
}

/// What follows an EtherType.
fn typed<'a>(packet: &mut Packet<'a>, kind: u16, rest: &'a [u8], missing: usize) {
    match kind {
        IPV4 | IPV6 => packet.body = ip::by_type(kind, rest, missing),
        ARP => packet.body = arp(rest).map_or(Body::Other(ARP, rest), Body::Arp),
        _ if TAGS.contains(&kind) => tagged(packet, kind, rest, missing),
        0..FIRST_TYPE => llc(packet, kind, rest, missing),
        _ => packet.body = Body::Other(kind, rest),
    }
}

fn tagged<'a>(packet: &mut Packet<'a>, mut kind: u16, mut rest: &'a [u8], missing: usize) {
    for _ in 0..MOST_TAGS {
        let Some((&[c0, c1, t0, t1], inner)) = rest.split_first_chunk::<4>() else { break };
        let vlan = u16::from_be_bytes([c0, c1]) & 0x0fff;
        packet.vlan = packet.vlan.or(Some(vlan).filter(named));
        (kind, rest) = (u16::from_be_bytes([t0, t1]), inner);
        if !TAGS.contains(&kind) {
            return typed(packet, kind, rest, missing);
        }
    }
    packet.body = Body::Other(kind, rest);
}

/// An 802.3 frame: its length instead of a type, then LLC, then SNAP with a type after all, or something of its own.
fn llc<'a>(packet: &mut Packet<'a>, length: u16, rest: &'a [u8], missing: usize) {
    // What is beyond the length is padding.
    let (inner, missing) = match rest.get(..usize::from(length)) {
        Some(inner) => (inner, 0),
        None => (rest, missing),
    };
    if let Some((&[0xaa, 0xaa, 0x03, 0, 0, 0, t0, t1], inner)) = inner.split_first_chunk::<8>() {
        let kind = u16::from_be_bytes([t0, t1]);
        // Neither a length nor a tag belongs here, and neither may lead round in circles.
        if kind >= FIRST_TYPE && !TAGS.contains(&kind) {
            return typed(packet, kind, inner, missing);
        }
    }
    packet.body = Body::Other(0, inner);
}

fn arp(octets: &[u8]) -> Option<Arp> {
    let (head, rest) = octets.split_first_chunk::<8>()?;
    // Ethernet and IPv4 with addresses of their lengths.
    let &[0, 1, 8, 0, 6, 4, o0, o1] = head else { return None };
    let (&[s0, s1, s2, s3, s4, s5, a0, a1, a2, a3], rest) = rest.split_first_chunk::<10>()?;
    let &[t0, t1, t2, t3, t4, t5, b0, b1, b2, b3] = rest.first_chunk::<10>()?;
    Some(Arp {
        operation: u16::from_be_bytes([o0, o1]),
        sender_mac: MacAddr([s0, s1, s2, s3, s4, s5]),
        sender: Ipv4Addr::new(a0, a1, a2, a3),
        target_mac: MacAddr([t0, t1, t2, t3, t4, t5]),
        target: Ipv4Addr::new(b0, b1, b2, b3),
    })
}

/// Four octets of address family: 2 for IPv4 everywhere, for IPv6 each system has its own number.
pub(super) fn loopback<'a>(packet: &mut Packet<'a>, frame: &'a [u8], missing: usize) {
    let Some((family, rest)) = frame.split_first_chunk::<4>() else { return };
    let kind = match u32::from_le_bytes(*family).min(u32::from_be_bytes(*family)) {
        2 => IPV4,
        10 | 24 | 28 | 30 => IPV6,
        _ => return,
    };
    packet.body = ip::by_type(kind, rest, missing);
}

/// Packet type, ARPHRD, length of the address, the sender's address in eight octets, EtherType.
pub(super) fn cooked<'a>(packet: &mut Packet<'a>, frame: &'a [u8], missing: usize) {
    let Some((&[_, _, _, _, l0, l1, a0, a1, a2, a3, a4, a5, _, _, t0, t1], rest)) = frame.split_first_chunk::<16>() else { return };
    if [l0, l1] == [0, 6] {
        packet.src_mac = mac([a0, a1, a2, a3, a4, a5]);
    }
    cooked_type(packet, u16::from_be_bytes([t0, t1]), rest, missing);
}

/// EtherType, two reserved octets, ifIndex, ARPHRD, packet type, length of the address, the sender's address in eight.
pub(super) fn cooked2<'a>(packet: &mut Packet<'a>, frame: &'a [u8], missing: usize) {
    let Some((&[t0, t1, _, _, _, _, _, _, _, _, _, length, a0, a1, a2, a3, a4, a5, _, _], rest)) = frame.split_first_chunk::<20>() else {
        return;
    };
    if length == 6 {
        packet.src_mac = mac([a0, a1, a2, a3, a4, a5]);
    }
    cooked_type(packet, u16::from_be_bytes([t0, t1]), rest, missing);
}

/// Small numbers are kinds of frames here (1: Novell, 4: LLC), never lengths.
fn cooked_type<'a>(packet: &mut Packet<'a>, kind: u16, rest: &'a [u8], missing: usize) {
    if kind >= FIRST_TYPE {
        typed(packet, kind, rest, missing);
    } else {
        packet.body = Body::Other(0, rest);
    }
}

/// An address of zeros, as the loopback interface has it, is nobody's.
fn mac(octets: [u8; 6]) -> Option<MacAddr> {
    (octets != [0; 6]).then_some(MacAddr(octets))
}
