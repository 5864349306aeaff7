//! One flow as an exporter tells it (NetFlow v5 and v9, IPFIX, sFlow), in one form.

use std::net::IpAddr;

use crate::model::{MacAddr, Timestamp};

/// One direction of one conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Who told it.
    pub exporter: IpAddr,
    /// Its first packet.
    pub first: Timestamp,
    /// Its last packet.
    pub last: Timestamp,
    /// The source address.
    pub src: IpAddr,
    /// The destination address.
    pub dst: IpAddr,
    /// The source's address on its segment, where the exporter tells it.
    pub src_mac: Option<MacAddr>,
    /// The VLAN identifier, where the exporter tells it.
    pub vlan: Option<u16>,
    /// The protocol number (6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6).
    pub protocol: u8,
    /// The source port; 0 when the protocol has none.
    pub src_port: u16,
    /// The destination port; 0 when the protocol has none. For ICMP: type × 256 + code.
    pub dst_port: u16,
    /// Every TCP flag that was seen, or-ed together.
    pub tcp_flags: u8,
    /// Packets, scaled up by `sampling`.
    pub packets: u64,
    /// Octets of IP packets, scaled up by `sampling`.
    pub octets: u64,
    /// One packet of how many was looked at; 1 where all were.
    pub sampling: u32,
    /// ifIndex of the port by which it came in; 0 when unknown.
    pub input: u32,
    /// ifIndex of the port by which it went out; 0 when unknown.
    pub output: u32,
}
