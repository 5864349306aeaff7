//! IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers, and the heads of packets that ICMP errors quote.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ether::{IPV4, IPV6};
use super::transport;
use crate::capture::packet::{Body, Ip, Quoted, Transport};

/// Extension headers that are walked; senders need two or three, and only attackers more than this.
const MOST_EXTENSIONS: u8 = 16;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// A packet of this EtherType. `missing` octets of the frame were not captured.
#[inline]
pub(super) fn by_type(kind: u16, octets: &[u8], missing: usize) -> Body<'_> {
    let read = match kind {
        IPV4 => v4(octets, missing),
        _ => v6(octets, missing),
    };
    read.map_or(Body::Other(kind, octets), Body::Ip)
}

/// A packet that says itself which version it is.
pub(super) fn by_version(octets: &[u8], missing: usize) -> Body<'_> {
    match octets.first().map(|first| first >> 4) {
        Some(4) => by_type(IPV4, octets, missing),
        Some(6) => by_type(IPV6, octets, missing),
        _ => Body::Other(0, octets),
    }
}

fn v4(octets: &[u8], missing: usize) -> Option<Ip<'_>> {
    let (&[first, _, l0, l1, _, _, f0, f1, hops, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3], _) = octets.split_first_chunk::<20>()?;
    let header = usize::from(first & 15) * 4;
    if first >> 4 != 4 || header < 20 {
        return None;
    }
    let told = match usize::from(u16::from_be_bytes([l0, l1])) {
        // A capture on the sending machine, before the card cuts the segment (TSO): the frame's length counts.
        0 => octets.len() + missing,
        told => told,
    };
    let payload_octets = told.checked_sub(header)?;
    let later_fragment = u16::from_be_bytes([f0 & 0x1f, f1]) != 0;
    let payload = octets.get(header..octets.len().min(told)).unwrap_or_default();
    Some(Ip {
        src: Ipv4Addr::new(s0, s1, s2, s3).into(),
        dst: Ipv4Addr::new(d0, d1, d2, d3).into(),
        hops,
        extensions: 0,
        later_fragment,
        transport: if later_fragment { Transport::Other(protocol) } else { transport::v4(protocol, payload, payload_octets) },
    })
}

fn v6(octets: &[u8], missing: usize) -> Option<Ip<'_>> {
    let (head, rest) = octets.split_first_chunk::<40>()?;
    let &[first, _, _, _, l0, l1, next, hops, ref addresses @ ..] = head;
    if first >> 4 != 6 {
        return None;
    }
    let told = match usize::from(u16::from_be_bytes([l0, l1])) {
        // A jumbogram (RFC 2675), or as with IPv4 not yet cut.
        0 => rest.len() + missing,
        told => told,
    };
    let payload = rest.get(..told).unwrap_or(rest);
    let walked = walk(next, payload);
    let (src, dst) = pair(addresses)?;
    let transport_octets = told.saturating_sub(payload.len() - walked.rest.len());
    let transport =
        if walked.is_readable { transport::v6(walked.protocol, walked.rest, transport_octets) } else { Transport::Other(walked.protocol) };
    let later_fragment = walked.later_fragment;
    Some(Ip { src: src.into(), dst: dst.into(), hops, extensions: walked.extensions, later_fragment, transport })
}

fn pair(octets: &[u8; 32]) -> Option<(Ipv6Addr, Ipv6Addr)> {
    Some(((*octets.first_chunk::<16>()?).into(), (*octets.last_chunk::<16>()?).into()))
}

/// Where a chain of extension headers ends.
struct Walked<'a> {
    /// What comes then, or the header at which the walk had to stop.
    protocol: u8,
    /// The octets from there.
    rest: &'a [u8],
    extensions: u8,
    later_fragment: bool,
    /// Whether `protocol` is the transport protocol and its header stands in `rest`.
    is_readable: bool,
}

#[inline]
fn walk(next: u8, octets: &[u8]) -> Walked<'_> {
    let mut at = Walked { protocol: next, rest: octets, extensions: 0, later_fragment: false, is_readable: false };
    while at.extensions < MOST_EXTENSIONS {
        let Some(header) = extension(at.protocol, at.rest) else {
            at.is_readable = !is_extension(at.protocol);
            return at;
        };
        at = Walked { extensions: at.extensions + 1, protocol: header.next, rest: header.rest, ..at };
        if header.later_fragment {
            return Walked { later_fragment: true, ..at };
        }
    }
    at
}

/// One extension header.
struct Extension<'a> {
    next: u8,
    rest: &'a [u8],
    later_fragment: bool,
}

const fn is_extension(protocol: u8) -> bool {
    matches!(protocol, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6)
}

/// Takes off one extension header; `None` when it is none, or is not there whole.
fn extension(protocol: u8, octets: &[u8]) -> Option<Extension<'_>> {
    if !is_extension(protocol) {
        return None;
    }
    let &[next, length, o0, o1] = octets.first_chunk::<4>()?;
    let octets_long = match protocol {
        FRAGMENT => 8,
        // In units of four octets, less two (RFC 4302).
        AUTHENTICATION => (usize::from(length) + 2) * 4,
        _ => (usize::from(length) + 1) * 8,
    };
    let later_fragment = protocol == FRAGMENT && u16::from_be_bytes([o0, o1]) >> 3 != 0;
    Some(Extension { next, rest: octets.get(octets_long..)?, later_fragment })
}

/// The packet that an ICMP error quotes; what was quoted of it may be short.
pub(super) fn quoted_v4(octets: &[u8]) -> Option<Quoted> {
    let &[first, _, _, _, _, _, f0, f1, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = octets.first_chunk::<20>()?;
    let header = usize::from(first & 15) * 4;
    if first >> 4 != 4 || header < 20 {
        return None;
    }
    let is_first = u16::from_be_bytes([f0 & 0x1f, f1]) == 0;
    let rest = octets.get(header..).filter(|_| is_first).unwrap_or_default();
    Some(quoted(Ipv4Addr::new(s0, s1, s2, s3).into(), Ipv4Addr::new(d0, d1, d2, d3).into(), protocol, rest))
}

/// The same of ICMPv6.
pub(super) fn quoted_v6(octets: &[u8]) -> Option<Quoted> {
    let (head, rest) = octets.split_first_chunk::<40>()?;
    let &[first, _, _, _, _, _, next, _, ref addresses @ ..] = head;
    if first >> 4 != 6 {
        return None;
    }
    let (src, dst) = pair(addresses)?;
    let walked = walk(next, rest);
    Some(quoted(src.into(), dst.into(), walked.protocol, if walked.is_readable { walked.rest } else { &[] }))
}

fn quoted(src: IpAddr, dst: IpAddr, protocol: u8, transport: &[u8]) -> Quoted {
    let (src_port, dst_port) = transport::ports(protocol, transport);
    Quoted { src, dst, protocol, src_port, dst_port }
}
