//! The octets of frames: Ethernet with or without a tag, ARP, IPv4 and IPv6 with TCP, UDP, ICMP, and the few payloads that
//! detectors read (DNS, DHCP, neighbour discovery). IPv4 header checksums are right; those of transport are left out (0).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) type Mac = [u8; 6];

pub(crate) const BROADCAST: Mac = [0xff; 6];
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;
pub(crate) const SYN_ACK: u8 = SYN | ACK;
pub(crate) const RST_ACK: u8 = RST | ACK;
pub(crate) const PSH_ACK: u8 = 8 | ACK;
pub(crate) const FIN_ACK: u8 = 1 | ACK;

/// What an IP packet carries: its protocol, its head and how many octets more it had on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) protocol: u8,
    pub(crate) head: Vec<u8>,
    /// Octets of data that passed but are not written: captures are cut.
    pub(crate) unseen: u16,
    /// Octets of the fragment offset field (in units of 8) and whether more follow.
    pub(crate) fragment: u16,
}

pub(crate) fn tcp(src: u16, dst: u16, flags: u8, data: u16) -> Load {
    tcp_with(src, dst, flags, &[], data)
}

pub(crate) fn tcp_with(src: u16, dst: u16, flags: u8, data: &[u8], unseen: u16) -> Load {
    let mut head = Vec::with_capacity(24 + data.len());
    head.extend(src.to_be_bytes());
    head.extend(dst.to_be_bytes());
    let options = flags & SYN != 0;
    head.extend([0, 0, 0x10, src as u8, 0, 0, 0, 0, if options { 6 } else { 5 } << 4, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    if options {
        head.extend([2, 4, 5, 0xb4]);
    }
    head.extend(data);
    Load { protocol: 6, head, unseen, fragment: 0 }
}

pub(crate) fn udp(src: u16, dst: u16, data: &[u8]) -> Load {
    udp_cut(src, dst, data, 0)
}

pub(crate) fn udp_cut(src: u16, dst: u16, data: &[u8], unseen: u16) -> Load {
    let mut head = Vec::with_capacity(8 + data.len());
    head.extend(src.to_be_bytes());
    head.extend(dst.to_be_bytes());
    head.extend((8 + data.len() as u16 + unseen).to_be_bytes());
    head.extend([0, 0]);
    head.extend(data);
    Load { protocol: 17, head, unseen, fragment: 0 }
}

/// ICMP or, of IPv6, ICMPv6.
pub(crate) fn icmp(six: bool, kind: u8, code: u8, rest: &[u8]) -> Load {
    let mut head = vec![kind, code, 0, 0];
    head.extend(rest);
    Load { protocol: if six { 58 } else { 1 }, head, unseen: 0, fragment: 0 }
}

pub(crate) fn echo(six: bool, reply: bool, ident: u16, number: u16) -> Load {
    let kind = match (six, reply) {
        (false, false) => 8,
        (false, true) => 0,
        (true, false) => 128,
        (true, true) => 129,
    };
    let mut rest = Vec::with_capacity(36);
    rest.extend(ident.to_be_bytes());
    rest.extend(number.to_be_bytes());
    rest.extend([0x61; 32]);
    icmp(six, kind, 0, &rest)
}

/// An IP packet.
pub(crate) fn packet(src: IpAddr, dst: IpAddr, hops: u8, load: &Load) -> Option<Vec<u8>> {
    let total = load.head.len() + load.unseen as usize;
    let mut out = Vec::with_capacity(40 + load.head.len());
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            out.extend([0x45, 0]);
            out.extend((20 + total as u16).to_be_bytes());
            out.extend([0, 0]);
            out.extend(load.fragment.to_be_bytes());
            out.extend([hops, load.protocol, 0, 0]);
            out.extend(src.octets());
            out.extend(dst.octets());
            let sum = checksum(&out);
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            out.extend([0x60, 0, 0, 0]);
            out.extend((total as u16).to_be_bytes());
            out.extend([load.protocol, hops]);
            out.extend(src.octets());
            out.extend(dst.octets());
        }
        _ => return None,
    }
    out.extend(&load.head);
    Some(out)
}

/// The packet that an ICMP error quotes, in the error's body.
pub(crate) fn unreachable(six: bool, code: u8, quoted: &[u8]) -> Load {
    let mut rest = vec![0; 4];
    rest.extend(&quoted[..quoted.len().min(if six { 48 } else { 28 })]);
    icmp(six, if six { 1 } else { 3 }, code, &rest)
}

/// The frame around a packet.
pub(crate) fn ethernet(src: Mac, dst: Mac, vlan: Option<u16>, kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(18 + body.len().max(46));
    out.extend(dst);
    out.extend(src);
    if let Some(vlan) = vlan {
        out.extend(0x8100_u16.to_be_bytes());
        out.extend(vlan.to_be_bytes());
    }
    out.extend(kind.to_be_bytes());
    out.extend(body);
    if out.len() < 60 {
        out.resize(60, 0);
    }
    out
}

pub(crate) fn arp(operation: u16, sender_mac: Mac, sender: Ipv4Addr, target_mac: Mac, target: Ipv4Addr) -> Vec<u8> {
    let mut out = vec![0, 1, 8, 0, 6, 4];
    out.extend(operation.to_be_bytes());
    out.extend(sender_mac);
    out.extend(sender.octets());
    out.extend(target_mac);
    out.extend(target.octets());
    out
}

/// A DNS message with one question; `answers` A records, or none with the code.
pub(crate) fn dns(id: u16, response: bool, code: u8, name: &str, kind: u16, answers: &[Ipv4Addr]) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + name.len());
    out.extend(id.to_be_bytes());
    out.extend([if response { 0x81 } else { 1 }, if response { 0x80 | code } else { 0 }]);
    out.extend([0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
    push_name(&mut out, name);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1]);
    for answer in answers {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
        out.extend(answer.octets());
    }
    out
}

/// A DNS answer whose one record carries data of a type that is not an address.
pub(crate) fn dns_data(id: u16, name: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = dns(id, true, 0, name, kind, &[]);
    out[7] = 1;
    out.extend([0xc0, 12]);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1, 0, 0, 0, 5]);
    out.extend((data.len() as u16).to_be_bytes());
    out.extend(data);
    out
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len().min(63) as u8);
        out.extend(label.bytes().take(63));
    }
    out.push(0);
}

/// A DHCP message (RFC 2131) with its type in option 53 and, of servers, their identifier in option 54.
pub(crate) fn dhcp(kind: u8, transaction: u32, client: Mac, yours: Ipv4Addr, server: Option<Ipv4Addr>) -> Vec<u8> {
    let reply = matches!(kind, 2 | 5 | 6);
    let mut out = vec![if reply { 2 } else { 1 }, 1, 6, 0];
    out.extend(transaction.to_be_bytes());
    out.extend([0, 0, 0x80, 0, 0, 0, 0, 0]);
    out.extend(yours.octets());
    out.extend(server.unwrap_or(Ipv4Addr::UNSPECIFIED).octets());
    out.extend([0; 4]);
    out.extend(client);
    out.resize(236, 0);
    out.extend([99, 130, 83, 99, 53, 1, kind]);
    if let Some(server) = server {
        out.extend([54, 4]);
        out.extend(server.octets());
    }
    out.extend([255, 0, 0, 0]);
    out
}

/// A neighbour solicitation (RFC 4861) with the sender's link-layer address.
pub(crate) fn solicitation(target: Ipv6Addr, mac: Mac) -> Load {
    let mut rest = vec![0; 4];
    rest.extend(target.octets());
    rest.extend([1, 1]);
    rest.extend(mac);
    icmp(true, 135, 0, &rest)
}

/// A router advertisement (RFC 4861).
pub(crate) fn advertisement(mac: Mac, prefix: Ipv6Addr) -> Load {
    let mut rest = vec![64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    rest.extend(mac);
    rest.extend([3, 4, 64, 0xc0, 0, 0x27, 0x8d, 0, 0, 9, 0x3a, 0x80, 0, 0, 0, 0]);
    rest.extend(prefix.octets());
    icmp(true, 134, 0, &rest)
}

fn checksum(head: &[u8]) -> u16 {
    let mut sum: u32 = head.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
