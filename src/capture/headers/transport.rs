//! TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443).

use super::ip;
use crate::capture::packet::{Icmp, Quoted, Tcp, Transport, Udp};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
/// These have their ports where TCP and UDP have them: DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [TCP, UDP, 33, 132, 136];

/// What an IPv4 packet carries: `payload` of `octets` that the header tells.
#[inline]
pub(super) fn v4(protocol: u8, payload: &[u8], octets: usize) -> Transport<'_> {
    if protocol == ICMP {
        return icmp(payload, quotes_v4, ip::quoted_v4).unwrap_or(Transport::Other(protocol));
    }
    common(protocol, payload, octets)
}

/// What an IPv6 packet carries behind its extension headers.
#[inline]
pub(super) fn v6(protocol: u8, payload: &[u8], octets: usize) -> Transport<'_> {
    if protocol == ICMPV6 {
        return icmp(payload, quotes_v6, ip::quoted_v6).unwrap_or(Transport::Other(protocol));
    }
    common(protocol, payload, octets)
}

#[inline]
fn common(protocol: u8, payload: &[u8], octets: usize) -> Transport<'_> {
    let read = match protocol {
        TCP => tcp(payload, octets),
        UDP => udp(payload),
        _ => None,
    };
    read.unwrap_or(Transport::Other(protocol))
}

#[inline]
fn tcp(payload: &[u8], octets: usize) -> Option<Transport<'_>> {
    let &[s0, s1, d0, d1, _, _, _, _, _, _, _, _, offset, flags, _, _, _, _, _, _] = payload.first_chunk::<20>()?;
    let header = usize::from(offset >> 4) * 4;
    if header < 20 {
        return None;
    }
    Some(Transport::Tcp(Tcp {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port: u16::from_be_bytes([d0, d1]),
        flags,
        data_octets: u32::try_from(octets.saturating_sub(header)).unwrap_or(u32::MAX),
        data: payload.get(header..).unwrap_or_default(),
    }))
}

#[inline]
fn udp(payload: &[u8]) -> Option<Transport<'_>> {
    let (&[s0, s1, d0, d1, l0, l1, _, _], rest) = payload.split_first_chunk::<8>()?;
    // 0 stands for a jumbogram; a length that is too long is a lie or a first fragment.
    let told = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(8);
    let data = told.and_then(|told| rest.get(..told)).unwrap_or(rest);
    Some(Transport::Udp(Udp { src_port: u16::from_be_bytes([s0, s1]), dst_port: u16::from_be_bytes([d0, d1]), data }))
}

fn icmp(payload: &[u8], quotes: fn(u8) -> bool, quoted: fn(&[u8]) -> Option<Quoted>) -> Option<Transport<'_>> {
    let (&[kind, code, _, _], data) = payload.split_first_chunk::<4>()?;
    // Four octets of the error's own stand before the quote.
    let quoted = if quotes(kind) { data.get(4..).and_then(quoted) } else { None };
    Some(Transport::Icmp(Icmp { kind, code, quoted, data }))
}

/// Destination unreachable, source quench, redirect, time exceeded, parameter problem.
const fn quotes_v4(kind: u8) -> bool {
    matches!(kind, 3 | 4 | 5 | 11 | 12)
}

/// Destination unreachable, packet too big, time exceeded, parameter problem.
const fn quotes_v6(kind: u8) -> bool {
    matches!(kind, 1..=4)
}

/// Source and destination port at the front of a transport header; 0 where there are none.
pub(super) fn ports(protocol: u8, transport: &[u8]) -> (u16, u16) {
    match transport.first_chunk::<4>() {
        Some(&[s0, s1, d0, d1]) if WITH_PORTS.contains(&protocol) => (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])),
        _ => (0, 0),
    }
}
