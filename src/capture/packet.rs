//! One frame as the detectors see it: headers decoded, the payload borrowed from the ring or the file.

use std::net::IpAddr;

use crate::model::{MacAddr, Timestamp};

/// A point in time of the wire, in nanoseconds since the Unix epoch: of the kernel's stamp or of the file's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nanoseconds since `earlier`; 0 when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same time to the millisecond.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 / 1_000_000).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Nanos {
    fn from(at: Timestamp) -> Self {
        Self(u64::try_from(at.millis()).unwrap_or(0).saturating_mul(1_000_000))
    }
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it passed.
    pub at: Nanos,
    /// Its length on the wire in octets, without the check sequence; more than was captured when it was cut.
    pub wire_octets: u32,
    /// Who put it on this segment. `None` on links without such addresses (raw IP, loopback).
    pub src_mac: Option<MacAddr>,
    /// Whom it is for on this segment.
    pub dst_mac: Option<MacAddr>,
    /// The outermost VLAN identifier (IEEE 802.1Q), from the tag or from the ring's header.
    pub vlan: Option<u16>,
    /// What it carries.
    pub body: Body<'a>,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// ARP over Ethernet and IPv4 (RFC 826).
    Arp(Arp),
    /// IPv4 or IPv6.
    Ip(Ip<'a>),
    /// Anything else, with its EtherType (IEEE 802.3 frames without one: 0) and what follows the header.
    Other(u16, &'a [u8]),
}

/// One ARP message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arp {
    /// ar$op: 1 request, 2 reply.
    pub operation: u16,
    /// ar$sha.
    pub sender_mac: MacAddr,
    /// ar$spa.
    pub sender: std::net::Ipv4Addr,
    /// ar$tha.
    pub target_mac: MacAddr,
    /// ar$tpa.
    pub target: std::net::Ipv4Addr,
}

/// One IP packet. IPv6 extension headers have been walked: `transport` is what follows them.
#[derive(Clone, Copy, Debug)]
pub struct Ip<'a> {
    /// The source address.
    pub src: IpAddr,
    /// The destination address.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub hops: u8,
    /// Whether extension headers (IPv6) came before the transport header, and how many.
    pub extensions: u8,
    /// Whether it is a fragment other than the first: it has no transport header.
    pub later_fragment: bool,
    /// The transport header.
    pub transport: Transport<'a>,
}

/// The transport header and what follows it as far as it was captured.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'a> {
    /// TCP (RFC 9293).
    Tcp(Tcp<'a>),
    /// UDP (RFC 768).
    Udp(Udp<'a>),
    /// ICMP (RFC 792) and ICMPv6 (RFC 4443), told apart by the address family.
    Icmp(Icmp<'a>),
    /// Another protocol, a later fragment, or a header that was cut short: the number of the protocol.
    Other(u8),
}

/// A TCP header.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'a> {
    /// The source port.
    pub src_port: u16,
    /// The destination port.
    pub dst_port: u16,
    /// The flags octet: see [`Tcp::SYN`] and its neighbours.
    pub flags: u8,
    /// Octets of data, as the IP header tells them.
    pub data_octets: u32,
    /// The data as far as it was captured.
    pub data: &'a [u8],
}

impl Tcp<'_> {
    /// No more data from the sender.
    pub const FIN: u8 = 1;
    /// Open.
    pub const SYN: u8 = 2;
    /// Refuse or abort.
    pub const RST: u8 = 4;
    /// Push.
    pub const PSH: u8 = 8;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 16;
    /// The urgent pointer counts.
    pub const URG: u8 = 32;

    /// Whether it opens a connection: SYN without ACK.
    pub const fn opens(&self) -> bool {
        self.flags & (Self::SYN | Self::ACK | Self::RST) == Self::SYN
    }

    /// Whether it accepts a connection: SYN with ACK.
    pub const fn accepts(&self) -> bool {
        self.flags & (Self::SYN | Self::ACK | Self::RST) == Self::SYN | Self::ACK
    }
}

/// A UDP header.
#[derive(Clone, Copy, Debug)]
pub struct Udp<'a> {
    /// The source port.
    pub src_port: u16,
    /// The destination port.
    pub dst_port: u16,
    /// The data as far as it was captured.
    pub data: &'a [u8],
}

/// An ICMP or ICMPv6 header.
#[derive(Clone, Copy, Debug)]
pub struct Icmp<'a> {
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The packet that an error quotes.
    pub quoted: Option<Quoted>,
    /// What follows the first four octets, as far as it was captured: of neighbour discovery and of echoes.
    pub data: &'a [u8],
}

/// The head of the packet that an ICMP error quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// Who had sent it.
    pub src: IpAddr,
    /// Whom it was for.
    pub dst: IpAddr,
    /// Its protocol number.
    pub protocol: u8,
    /// Its source port; 0 when it has none.
    pub src_port: u16,
    /// Its destination port; 0 when it has none.
    pub dst_port: u16,
}
