//! Classic BPF programs (linux/filter.h) that run in the kernel on each frame: how much of it reaches us, and for one host's
//! recording which ones. Written with labels; [`assemble`] makes jumps of them. The kernel has taken the outermost VLAN tag
//! out before. A load beyond the end of the frame would drop it uncounted, so each length is asked for first.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use socket2::SockFilter;

use crate::model::MacAddr;

/// Octets kept of frames in which only headers are of interest; room for an ICMP error with its quote.
const HEADERS: u32 = 128;
/// Of what is rare and told by its content: ICMPv6, LLDP, spanning tree, tags within tags.
const CONTENT: u32 = 512;
/// Of DNS, DHCP, NetBIOS names and the openings of TLS: a whole frame.
const WHOLE: u32 = 1600;
/// All there is.
const ALL: u32 = 262_144;
/// UDP ports whose data is read: DNS, DHCP, NetBIOS names, DHCPv6, mDNS, LLMNR.
const READ: [u16; 8] = [53, 67, 68, 137, 546, 547, 5353, 5355];

/// Whom a recording is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Host {
    /// By address on the segment: everything it sends and receives there.
    Mac(MacAddr),
    /// By IP address: with the ARP that names it.
    Ip(IpAddr),
}

/// `00:25:90:ab:cd:ef` or `10.1.2.3`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// A text that is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a machine is named by its IP address or its MAC address, as 10.1.2.3 or 00:25:90:ab:cd:ef")]
pub struct NoHost;

impl FromStr for Host {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(ip) => Ok(Self::Ip(ip.to_canonical())),
            Err(_) => text.parse().map(Self::Mac).map_err(|_| NoHost),
        }
    }
}

#[derive(Clone, Copy)]
enum Step {
    /// One instruction.
    Do(u16, u32),
    /// A comparison of the accumulator with a number or with X, and where to go.
    If(u16, u32, &'static str, &'static str),
    /// A place to go to.
    At(&'static str),
}
use Step::{At, Do, If};

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_OCTET: u16 = 0x30;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_OCTET_AT_X: u16 = 0x50;
const LOAD_LENGTH: u16 = 0x80;
const X_HEADER_LENGTH: u16 = 0xb1;
const X_NUMBER: u16 = 0x01;
const X_FROM_A: u16 = 0x07;
const SUBTRACT: u16 = 0x14;
const AND: u16 = 0x54;
const RIGHT: u16 = 0x74;
const ADD_X: u16 = 0x0c;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const HAS_BITS: u16 = 0x45;
const AT_LEAST_X: u16 = 0x3d;
const RETURN: u16 = 0x06;
/// The next instruction.
const ON: &str = "";

/// One instruction: what to do, how far to jump when a comparison holds and when not, with which number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Instruction {
    code: u16,
    yes: u8,
    no: u8,
    number: u32,
}

/// Every frame, cut to what the detectors read of it.
pub(super) fn snap() -> Vec<SockFilter> {
    loaded(&cut())
}

/// The frames of one host, whole.
pub(super) fn only(host: Host) -> Vec<SockFilter> {
    loaded(&of(host))
}

fn loaded(program: &[Instruction]) -> Vec<SockFilter> {
    program.iter().map(|step| SockFilter::new(step.code, step.yes, step.no, step.number)).collect()
}

fn cut() -> Vec<Instruction> {
    let mut steps = vec![
        Do(LOAD_LENGTH, 0),
        If(AT_LEAST, 54, ON, "content"),
        Do(LOAD_HALF, 12),
        If(EQUAL, 0x0800, "v4", ON),
        If(EQUAL, 0x86dd, "v6", ON),
        If(EQUAL, 0x0806, "headers", "content"),
        At("v4"),
        // Where the transport header begins, without Ethernet's 14.
        Do(X_HEADER_LENGTH, 14),
        Do(LOAD_HALF, 20),
        If(HAS_BITS, 0x1fff, "headers", ON),
        Do(LOAD_OCTET, 23),
        If(EQUAL, 6, "tcp", ON),
        If(EQUAL, 17, "udp", "headers"),
        At("v6"),
        Do(X_NUMBER, 40),
        Do(LOAD_OCTET, 20),
        If(EQUAL, 6, "tcp", ON),
        If(EQUAL, 17, "udp", "content"),
        At("udp"),
        Do(LOAD_LENGTH, 0),
        Do(SUBTRACT, 14 + 8),
        If(AT_LEAST_X, 0, ON, "headers"),
    ];
    for at in [14, 16] {
        steps.push(Do(LOAD_HALF_AT_X, at));
        steps.extend(READ.map(|port| If(EQUAL, port.into(), "whole", ON)));
    }
    steps.extend([
        Do(RETURN, HEADERS),
        At("tcp"),
        Do(LOAD_LENGTH, 0),
        Do(SUBTRACT, 14 + 20),
        If(AT_LEAST_X, 0, ON, "headers"),
        Do(LOAD_OCTET_AT_X, 14 + 12),
        Do(AND, 0xf0),
        Do(RIGHT, 2),
        Do(ADD_X, 0),
        Do(X_FROM_A, 0),
        // Is there data, and does it begin as a TLS handshake does?
        Do(LOAD_LENGTH, 0),
        Do(SUBTRACT, 14 + 1),
        If(AT_LEAST_X, 0, ON, "headers"),
        Do(LOAD_OCTET_AT_X, 14),
        If(EQUAL, 0x16, "whole", ON),
        At("headers"),
        Do(RETURN, HEADERS),
        At("content"),
        Do(RETURN, CONTENT),
        At("whole"),
        Do(RETURN, WHOLE),
    ]);
    assemble(&steps)
}

fn of(host: Host) -> Vec<Instruction> {
    let steps = match host {
        Host::Mac(MacAddr([a, b, c, d, e, f])) => {
            let (high, low) = (u16::from_be_bytes([a, b]).into(), u32::from_be_bytes([c, d, e, f]));
            vec![
                Do(LOAD_WORD, 2),
                If(EQUAL, low, ON, "source"),
                Do(LOAD_HALF, 0),
                If(EQUAL, high, "all", ON),
                At("source"),
                Do(LOAD_WORD, 8),
                If(EQUAL, low, ON, "none"),
                Do(LOAD_HALF, 6),
                If(EQUAL, high, "all", "none"),
            ]
        }
        Host::Ip(IpAddr::V4(address)) => {
            let word = address.to_bits();
            vec![
                Do(LOAD_HALF, 12),
                If(EQUAL, 0x0800, ON, "arp"),
                Do(LOAD_WORD, 26),
                If(EQUAL, word, "all", ON),
                Do(LOAD_WORD, 30),
                If(EQUAL, word, "all", "none"),
                At("arp"),
                If(EQUAL, 0x0806, ON, "none"),
                Do(LOAD_WORD, 28),
                If(EQUAL, word, "all", ON),
                Do(LOAD_WORD, 38),
                If(EQUAL, word, "all", "none"),
            ]
        }
        Host::Ip(IpAddr::V6(address)) => {
            let bits = address.to_bits();
            let words = [96, 64, 32, 0].map(|shift| u32::try_from(bits >> shift & 0xffff_ffff).unwrap_or(0));
            let mut steps = vec![Do(LOAD_HALF, 12), If(EQUAL, 0x86dd, ON, "none")];
            for (first, no) in [(22, "destination"), (38, "none")] {
                if first == 38 {
                    steps.push(At("destination"));
                }
                for (at, word) in (first..).step_by(4).zip(words) {
                    steps.push(Do(LOAD_WORD, at));
                    steps.push(If(EQUAL, word, ON, no));
                }
                steps.push(Do(RETURN, ALL));
            }
            steps
        }
    };
    assemble(&[steps.as_slice(), &[At("none"), Do(RETURN, 0), At("all"), Do(RETURN, ALL)]].concat())
}

/// Makes jumps of labels. All are forward and short: the programs above are far below 255 steps.
fn assemble(steps: &[Step]) -> Vec<Instruction> {
    let (mut places, mut count) = (Vec::new(), 0_usize);
    for step in steps {
        match step {
            At(label) => places.push((*label, count)),
            Do(..) | If(..) => count += 1,
        }
    }
    let distance = |label: &str, at: usize| {
        let to = places.iter().find(|(known, _)| *known == label).map_or(at + 1, |(_, to)| *to);
        u8::try_from(to.saturating_sub(at + 1)).unwrap_or(0)
    };
    let mut program = Vec::with_capacity(count);
    for step in steps {
        let at = program.len();
        match *step {
            At(_) => {}
            Do(code, number) => program.push(Instruction { code, yes: 0, no: 0, number }),
            If(code, number, yes, no) => program.push(Instruction { code, yes: distance(yes, at), no: distance(no, at), number }),
        }
    }
    program
}

#[cfg(test)]
mod tests;
