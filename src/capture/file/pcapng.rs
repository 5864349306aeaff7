//! pcapng: blocks, in sections with a byte order each, of which interface descriptions and three kinds of packet blocks
//! are read; all others are passed over.

use super::source::{LARGEST, Order, Source};
use super::{Spot, Trouble};
use crate::capture::link::{Link, UnknownLink};
use crate::capture::packet::Nanos;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// The byte-order magic of a section header.
const MAGIC: u32 = 0x1a2b_3c4d;
/// A block's type and length in front, its length again behind.
const FRONT: usize = 8;
const FRAME: usize = FRONT + 4;
/// Options of an interface: in which unit its times are, and what is to be added to them.
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
/// Interfaces of one section that are believed.
const MOST_INTERFACES: usize = 65_536;

/// What the blocks read so far say of those that follow.
pub(super) struct Sections {
    order: Order,
    interfaces: Vec<Interface>,
    /// The time of the last packet, for simple packets, which have none.
    last: Nanos,
}

struct Interface {
    link: Result<Link, UnknownLink>,
    snap_octets: u32,
    unit: Unit,
    offset_s: i64,
}

/// In which unit times are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// Nanoseconds in one.
    Nanos(u64),
    /// How many are a nanosecond.
    PerNano(u64),
    /// How many are a second, as an exponent of two.
    Binary(u32),
}

impl Sections {
    /// Takes the first section header off; `None` when the file is no pcapng.
    pub(super) fn read(source: &mut Source) -> Result<Option<Self>, Trouble> {
        if u32::from_le_bytes(source.ahead(0)) != SECTION {
            return Ok(None);
        }
        let mut sections = Self { order: Order::Little, interfaces: Vec::new(), last: Nanos(0) };
        sections.section(source)?;
        Ok(Some(sections))
    }

    /// A section begins: its byte order, and no interfaces yet.
    fn section(&mut self, source: &mut Source) -> Result<(), Trouble> {
        if !source.have(FRONT + 4)? {
            return Err(source.cut_off());
        }
        let magic = source.ahead::<4>(FRONT);
        self.order = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (MAGIC, _) => Order::Little,
            (_, MAGIC) => Order::Big,
            _ => return Err(source.damaged()),
        };
        self.interfaces.clear();
        let length = self.length(source)?;
        source.skip(length)
    }

    /// The whole length of the block ahead, whose front is there.
    #[inline]
    fn length(&self, source: &Source) -> Result<usize, Trouble> {
        let length = self.order.u32(source.ahead(4)) as usize;
        if length < FRAME || !length.is_multiple_of(4) { Err(source.damaged()) } else { Ok(length) }
    }

    #[inline]
    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Spot>, Trouble> {
        while source.have(FRONT)? {
            let kind = self.order.u32(source.ahead(0));
            if kind == SECTION {
                self.section(source)?;
                continue;
            }
            let length = self.length(source)?;
            if !matches!(kind, INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                source.skip(length)?;
                continue;
            }
            if length > LARGEST {
                return Err(source.damaged());
            }
            if !source.have(length)? {
                return Err(source.cut_off());
            }
            if kind == INTERFACE {
                self.interface(source, length)?;
                source.take(length);
                continue;
            }
            let spot = self.packet(source, kind, length)?;
            self.last = spot.at;
            return Ok(Some(spot));
        }
        Ok(None)
    }

    /// A packet block that is there whole; takes it off.
    #[inline]
    fn packet(&self, source: &mut Source, kind: u32, length: usize) -> Result<Spot, Trouble> {
        let number = |distance| self.order.u32(source.ahead(FRONT + distance));
        // Which interface, where the frame begins, how much of it there is, how long it was.
        let (interface, head, captured, wire_octets) = match kind {
            SIMPLE_PACKET => (0, 4, None, number(0)),
            OBSOLETE_PACKET => (self.order.u16(source.ahead(FRONT)).into(), 20, Some(number(12)), number(16)),
            _ => (number(0) as usize, 20, Some(number(12)), number(16)),
        };
        let interface = self.interfaces.get(interface).ok_or_else(|| source.damaged())?;
        let at = match kind {
            SIMPLE_PACKET => self.last,
            _ => interface.time(number(4), number(8)),
        };
        let captured = captured.unwrap_or_else(|| match interface.snap_octets {
            0 => wire_octets,
            snap => wire_octets.min(snap),
        });
        let room = length.saturating_sub(FRAME + head);
        if captured as usize > room || length < FRAME + head {
            return Err(source.damaged());
        }
        let link = interface.link?;
        let from = source.take(length) + FRONT + head;
        Ok(Spot { at, wire_octets, link, from, to: from + captured as usize })
    }

    /// An interface description that is there whole.
    fn interface(&mut self, source: &Source, length: usize) -> Result<(), Trouble> {
        if length < FRAME + 8 || self.interfaces.len() >= MOST_INTERFACES {
            return Err(source.damaged());
        }
        let link = Link::from_number(self.order.u16(source.ahead(FRONT)).into());
        let snap_octets = self.order.u32(source.ahead(FRONT + 4));
        let mut interface = Interface { link, snap_octets, unit: Unit::Nanos(1000), offset_s: 0 };
        let (mut at, end) = (FRONT + 8, length - 4);
        while at + 4 <= end {
            let kind = self.order.u16(source.ahead(at));
            let size = usize::from(self.order.u16(source.ahead(at + 2)));
            match (kind, size) {
                (0, _) => break,
                _ if at + 4 + size > end => return Err(source.damaged()),
                (IF_TSRESOL, 1) => interface.unit = Unit::of(source.ahead::<1>(at + 4)),
                (IF_TSOFFSET, 8) => interface.offset_s = self.offset(source.ahead(at + 4)),
                _ => {}
            }
            at += 4 + size.next_multiple_of(4);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    const fn offset(&self, octets: [u8; 8]) -> i64 {
        match self.order {
            Order::Little => i64::from_le_bytes(octets),
            Order::Big => i64::from_be_bytes(octets),
        }
    }
}

impl Unit {
    /// Of an `if_tsresol`: an exponent of ten, or of two when its highest bit is set. What no clock has is read as
    /// nanoseconds.
    fn of([resolution]: [u8; 1]) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        match (resolution >> 7, exponent) {
            (0, 0..=9) => Self::Nanos(10_u64.pow(9 - exponent)),
            (0, 10..=28) => Self::PerNano(10_u64.pow(exponent - 9)),
            (1, 0..=63) => Self::Binary(exponent),
            _ => Self::Nanos(1),
        }
    }

    #[inline]
    fn nanos(self, ticks: u64) -> u64 {
        match self {
            Self::Nanos(nanos) => ticks.saturating_mul(nanos),
            Self::PerNano(ticks_a_nano) => ticks / ticks_a_nano,
            Self::Binary(exponent) => u64::try_from((u128::from(ticks) * 1_000_000_000) >> exponent).unwrap_or(u64::MAX),
        }
    }
}

impl Interface {
    #[inline]
    fn time(&self, high: u32, low: u32) -> Nanos {
        let nanos = self.unit.nanos((u64::from(high) << 32) | u64::from(low));
        Nanos(nanos.saturating_add_signed(self.offset_s.saturating_mul(1_000_000_000)))
    }
}
