//! pcap: a head of 24 octets, then records of 16 octets and a frame each.

use super::source::{LARGEST, Order, Source};
use super::{Spot, Trouble};
use crate::capture::link::Link;
use crate::capture::packet::Nanos;

const HEAD: usize = 24;
const RECORD: usize = 16;
/// The first four octets where times are in microseconds, and where they are in nanoseconds.
const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;

/// What the head says of all records.
pub(super) struct Layout {
    order: Order,
    /// Nanoseconds in a unit of the second number of a time.
    unit: u64,
    link: Link,
}

impl Layout {
    /// Takes the head off; `None` when the file is no pcap.
    pub(super) fn read(source: &mut Source) -> Result<Option<Self>, Trouble> {
        let magic = source.ahead::<4>(0);
        let (order, unit) = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (MICROS, _) => (Order::Little, 1000),
            (NANOS, _) => (Order::Little, 1),
            (_, MICROS) => (Order::Big, 1000),
            (_, NANOS) => (Order::Big, 1),
            _ => return Ok(None),
        };
        if !source.have(HEAD)? {
            return Err(source.cut_off());
        }
        // The upper half tells of check sequences behind the frames.
        let link = Link::from_number(order.u32(source.ahead(20)) & 0xffff)?;
        source.take(HEAD);
        Ok(Some(Self { order, unit, link }))
    }

    #[inline]
    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Spot>, Trouble> {
        if !source.have(RECORD)? {
            return Ok(None);
        }
        let head: [u8; RECORD] = source.ahead(0);
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3] = head;
        let number = |octets| self.order.u32(octets);
        let length = number([c0, c1, c2, c3]) as usize;
        if length > LARGEST - RECORD {
            return Err(source.damaged());
        }
        if !source.have(RECORD + length)? {
            return Err(source.cut_off());
        }
        let seconds = u64::from(number([s0, s1, s2, s3]));
        let fraction = u64::from(number([f0, f1, f2, f3]));
        let from = source.take(RECORD + length) + RECORD;
        Ok(Some(Spot {
            at: Nanos(seconds * 1_000_000_000 + fraction * self.unit),
            wire_octets: number([w0, w1, w2, w3]),
            link: self.link,
            from,
            to: from + length,
        }))
    }
}
