//! ICMP and ICMPv6 echo (RFC 792, RFC 4443): our probes, their replies, and the errors that quote them. Pure.
//! A probe carries its [`Mark`], so that a reply is matched by looking into an array; an error that quotes only the eight
//! octets that RFC 792 promises is matched by the address it was sent to, the identifier and the sequence number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The version of IP.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Family {
    /// ICMP over IPv4.
    V4,
    /// ICMPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: &IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// What a probe carries, to be recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Where its host stands in the array of hosts.
    pub slot: u32,
    /// Which probe of this host it is.
    pub number: u32,
    /// What only we can know of these two.
    pub cookie: u64,
}

/// Octets of payload that a mark takes: the least size of a probe.
pub const MARK_SIZE: usize = 20;
/// Octets of the ICMP header of an echo.
pub const HEADER_SIZE: usize = 8;

impl Mark {
    fn read(payload: &[u8]) -> Option<Self> {
        Some(Self { slot: word(payload, 0)?, number: word(payload, 4)?, cookie: u64::from_be_bytes(array(payload, 8)?) })
            .filter(|_| payload.len() >= MARK_SIZE && payload.get(16..20) == Some(MAGIC.as_slice()))
    }
}

const MAGIC: [u8; 4] = *b"nrpg";

const V4_REQUEST: u8 = 8;
const V4_REPLY: u8 = 0;
const V6_REQUEST: u8 = 128;
const V6_REPLY: u8 = 129;
/// Errors about a packet that did not arrive: destination unreachable, time exceeded, parameter problem.
pub(super) const V4_ERRORS: [u8; 3] = [3, 11, 12];
/// See [`V4_ERRORS`].
pub(super) const V6_ERRORS: [u8; 3] = [1, 3, 4];
/// The types of replies.
pub(super) const REPLIES: (u8, u8) = (V4_REPLY, V6_REPLY);

/// Writes an echo request with `size` octets of payload into `out`, which is cleared first.
/// The checksum of ICMPv6 is left to the kernel, which knows the source address.
pub fn write_request(out: &mut Vec<u8>, family: Family, ident: u16, seq: u16, mark: Mark, size: usize) {
    let kind = if family == Family::V4 { V4_REQUEST } else { V6_REQUEST };
    out.clear();
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&ident.to_be_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&mark.slot.to_be_bytes());
    out.extend_from_slice(&mark.number.to_be_bytes());
    out.extend_from_slice(&mark.cookie.to_be_bytes());
    out.extend_from_slice(&MAGIC);
    out.resize(HEADER_SIZE + size.max(MARK_SIZE), 0x5a);
    if family == Family::V4 {
        let sum = checksum(out).to_be_bytes();
        out.iter_mut().skip(2).zip(sum).for_each(|(octet, sum)| *octet = sum);
    }
}

/// What came in, as far as it may concern us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// An echo reply.
    Reply {
        /// The identifier it answers to.
        ident: u16,
        /// The mark of the probe.
        mark: Mark,
    },
    /// An error that quotes an echo request.
    Refused {
        /// What it says.
        refusal: Refusal,
        /// To whom the request had been sent.
        to: IpAddr,
        /// The request's identifier.
        ident: u16,
        /// The request's sequence number.
        seq: u16,
        /// The request's mark, when that much was quoted.
        mark: Option<Mark>,
    },
}

/// Why a packet did not arrive, in the words of the router or host that threw it away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Refusal {
    /// Which list of types and codes it is from.
    pub family: Family,
    /// The type of the ICMP message.
    pub kind: u8,
    /// Its code.
    pub code: u8,
}

impl Refusal {
    /// The word of JSON and of the words' keys.
    pub const fn word(self) -> &'static str {
        match (self.family, self.kind, self.code) {
            (Family::V4, 3, 0 | 6 | 11) | (Family::V6, 1, 0) => "no_route",
            (Family::V4, 3, 1 | 7 | 12) | (Family::V6, 1, 3) => "host_unreachable",
            (Family::V4, 3, 2) => "protocol_unreachable",
            (Family::V4, 3, 3) | (Family::V6, 1, 4) => "port_unreachable",
            (Family::V4, 3, 4) => "fragmentation_needed",
            (Family::V4, 3, 9 | 10 | 13) | (Family::V6, 1, 1 | 5 | 6) => "prohibited",
            (Family::V4, 11, _) | (Family::V6, 3, _) => "time_exceeded",
            (Family::V4, 12, _) | (Family::V6, 4, _) => "bad_header",
            _ => "unreachable",
        }
    }
}

/// Reads what a raw IPv4 socket gives: the IP header first.
pub fn read_v4(packet: &[u8]) -> Option<Arrival> {
    let (_, message) = ip_v4(packet)?;
    (checksum(message) == 0).then(|| read_message(Family::V4, message))?
}

/// Reads an ICMP message without its IP header, as datagram sockets and all ICMPv6 sockets give it. The kernel has
/// checked its checksum.
pub fn read_message(family: Family, message: &[u8]) -> Option<Arrival> {
    let (kind, code) = (*message.first()?, *message.get(1)?);
    let (reply, errors) = match family {
        Family::V4 => (V4_REPLY, V4_ERRORS),
        Family::V6 => (V6_REPLY, V6_ERRORS),
    };
    if kind == reply {
        return Some(Arrival::Reply { ident: half(message, 4)?, mark: Mark::read(message.get(HEADER_SIZE..)?)? });
    }
    let refusal = errors.contains(&kind).then_some(Refusal { family, kind, code })?;
    let quoted = message.get(HEADER_SIZE..)?;
    let (to, request) = if family == Family::V4 { ip_v4(quoted)? } else { ip_v6(quoted)? };
    read_quoted(refusal, to, request)
}

/// Reads an echo request that an error is about.
pub fn read_quoted(refusal: Refusal, to: IpAddr, request: &[u8]) -> Option<Arrival> {
    let kind = if refusal.family == Family::V4 { V4_REQUEST } else { V6_REQUEST };
    if *request.first()? != kind {
        return None;
    }
    let mark = request.get(HEADER_SIZE..).and_then(Mark::read);
    Some(Arrival::Refused { refusal, to, ident: half(request, 4)?, seq: half(request, 6)?, mark })
}

/// The destination and the ICMP message of an IPv4 packet that is no later fragment.
fn ip_v4(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let first = *packet.first()?;
    let length = usize::from(first & 0x0f) * 4;
    let is_icmp = first >> 4 == 4 && length >= 20 && *packet.get(9)? == 1 && half(packet, 6)? & 0x1fff == 0;
    let to = Ipv4Addr::from(array::<4>(packet, 16)?);
    is_icmp.then_some((IpAddr::V4(to), packet.get(length..)?))
}

/// The destination and the ICMPv6 message of an IPv6 packet. Our requests carry no extension headers.
fn ip_v6(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let is_icmp = *packet.first()? >> 4 == 6 && *packet.get(6)? == 58;
    let to = Ipv6Addr::from(array::<16>(packet, 24)?);
    is_icmp.then_some((IpAddr::V6(to), packet.get(40..)?))
}

/// The internet checksum (RFC 1071): over a message with its checksum inside it is 0.
fn checksum(message: &[u8]) -> u16 {
    let pairs = message.chunks(2).map(|pair| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    // An IP packet has at most 32,768 pairs: the sum stays below 2^32.
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn array<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..at + N)?.try_into().ok()
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    array(octets, at).map(u16::from_be_bytes)
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    array(octets, at).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests;
