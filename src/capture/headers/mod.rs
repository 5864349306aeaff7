//! From the octets of a frame to a [`Packet`], without copying. Written by hand because it stands in the path of every
//! packet: each header is taken off the front as an array of known size, or not at all, so nothing can be read beyond the
//! end. What is cut short or does not fit becomes `Other`; there are no errors, a wire carries anything.

mod ether;
mod ip;
mod transport;

use super::link::Link;
use super::packet::{Body, Nanos, Packet};

/// Reads one frame.
///
/// `wire_octets` is its length on the wire, `frame` as much of it as was captured. `ring_vlan` is the VLAN identifier that
/// the kernel took out of the frame; it was outside of all those that are still in it.
#[inline]
pub fn parse(at: Nanos, wire_octets: u32, link: Link, ring_vlan: Option<u16>, frame: &[u8]) -> Packet<'_> {
    let mut packet = Packet { at, wire_octets, src_mac: None, dst_mac: None, vlan: ring_vlan.filter(named), body: Body::Other(0, frame) };
    // Octets of the frame that were not captured.
    let missing = (wire_octets as usize).saturating_sub(frame.len());
    match link {
        Link::Ethernet => ether::ethernet(&mut packet, frame, missing),
        Link::Ip => packet.body = ip::by_version(frame, missing),
        Link::Loopback => ether::loopback(&mut packet, frame, missing),
        Link::Cooked => ether::cooked(&mut packet, frame, missing),
        Link::Cooked2 => ether::cooked2(&mut packet, frame, missing),
    }
    packet
}

/// VLAN identifier 0 only carries a priority.
const fn named(vlan: &u16) -> bool {
    *vlan != 0
}

#[cfg(test)]
mod tests;
