//! The head of a packet that a switch sampled: as much of it as a flow record tells (IEEE 802.3 and 802.1Q, RFC 791, RFC 8200).

use std::net::IpAddr;

use super::bytes::Bytes;
use crate::model::MacAddr;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags that are looked behind.
const DEEPEST: usize = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

/// With what a sampled head begins (sFlow v5, `header_protocol`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// 1: Ethernet.
    Ethernet,
    /// 11: IPv4.
    V4,
    /// 12: IPv6.
    V6,
}

/// What the head of a packet tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Who put it on the segment.
    pub src_mac: Option<MacAddr>,
    /// The outermost VLAN identifier.
    pub vlan: Option<u16>,
    /// The source address.
    pub src: IpAddr,
    /// The destination address.
    pub dst: IpAddr,
    /// The protocol number behind all extension headers.
    pub protocol: u8,
    /// The source port; 0 when there is none.
    pub src_port: u16,
    /// The destination port; for ICMP: type × 256 + code.
    pub dst_port: u16,
    /// The TCP flags.
    pub tcp_flags: u8,
    /// Octets of the IP packet by its own header; `None` when that does not tell (jumbograms, offloaded segments).
    pub octets: Option<u32>,
}

impl Header {
    /// Reads a head; `None` for what is not IP or is cut off before its addresses.
    pub fn read(link: Link, head: &[u8]) -> Option<Self> {
        let mut head = Bytes::new(head);
        match link {
            Link::Ethernet => {
                head.take(6)?;
                let src_mac = MacAddr::from_octets(head.take(6)?);
                let (mut kind, mut vlan) = (head.u16()?, None);
                for _ in 0..DEEPEST {
                    if !TAGS.contains(&kind) {
                        break;
                    }
                    let tag = head.u16()? & 0xfff;
                    vlan = vlan.or(Some(tag).filter(|tag| *tag > 0));
                    kind = head.u16()?;
                }
                let packet = match kind {
                    IPV4 => v4(head)?,
                    IPV6 => v6(head)?,
                    _ => return None,
                };
                Some(Self { src_mac, vlan, ..packet })
            }
            Link::V4 => v4(head),
            Link::V6 => v6(head),
        }
    }
}

fn v4(mut head: Bytes<'_>) -> Option<Header> {
    let first = head.u8()?;
    let options = usize::from(first & 0xf).checked_sub(5)? * 4;
    head.take(1)?;
    let length = head.u16()?;
    head.take(2)?;
    let offset = head.u16()? & 0x1fff;
    head.take(1)?;
    let protocol = head.u8()?;
    head.take(2)?;
    let (src, dst) = (head.v4()?, head.v4()?);
    if first >> 4 != 4 {
        return None;
    }
    let whole = Header::bare(src, dst, protocol, Some(u32::from(length)).filter(|length| *length > 0));
    Some(if offset == 0 && head.take(options).is_some() { whole.with_transport(head) } else { whole })
}

fn v6(mut head: Bytes<'_>) -> Option<Header> {
    if head.u32()? >> 28 != 6 {
        return None;
    }
    let (payload, mut next) = (head.u16()?, head.u8()?);
    head.take(1)?;
    let (src, dst) = (head.v6()?, head.v6()?);
    let octets = (payload > 0).then_some(u32::from(payload) + 40);
    let mut later_fragment = false;
    // Each header is at least eight octets of a head that is short.
    while let Some((length, kind)) = extension(next, head) {
        if next == 44 {
            let mut fragment = head;
            later_fragment = fragment.take(2).is_some() && fragment.u16().is_some_and(|word| word >> 3 != 0);
        }
        next = kind;
        if head.take(length).is_none() || later_fragment {
            break;
        }
    }
    let whole = Header::bare(src, dst, next, octets);
    Some(if later_fragment { whole } else { whole.with_transport(head) })
}

/// The length of an extension header and what follows it (RFC 8200, 4; RFC 4302 for authentication).
fn extension(kind: u8, mut head: Bytes<'_>) -> Option<(usize, u8)> {
    if !matches!(kind, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) {
        return None;
    }
    let (next, length) = (head.u8()?, usize::from(head.u8()?));
    let octets = match kind {
        44 => 8,
        51 => (length + 2) * 4,
        _ => (length + 1) * 8,
    };
    Some((octets, next))
}

impl Header {
    const fn bare(src: IpAddr, dst: IpAddr, protocol: u8, octets: Option<u32>) -> Self {
        Self { src_mac: None, vlan: None, src, dst, protocol, src_port: 0, dst_port: 0, tcp_flags: 0, octets }
    }

    /// Adds ports and flags as far as they are there.
    fn with_transport(mut self, mut head: Bytes<'_>) -> Self {
        match self.protocol {
            TCP | UDP => {
                if let (Some(src_port), Some(dst_port)) = (head.u16(), head.u16()) {
                    (self.src_port, self.dst_port) = (src_port, dst_port);
                }
                if self.protocol == TCP && head.take(9).is_some() {
                    self.tcp_flags = head.u8().unwrap_or(0);
                }
            }
            ICMP | ICMP_V6 => self.dst_port = head.u16().unwrap_or(0),
            _ => {}
        }
        self
    }
}
