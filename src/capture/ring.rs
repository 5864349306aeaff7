//! One ring of the kernel on one interface: AF_PACKET with TPACKET_V3 (packet(7)). Frames come in blocks that we read where
//! the kernel wrote them, with the kernel's time, with the VLAN tag that it took out, and with a count of what did not fit.
//!
//! Needs CAP_NET_RAW, nothing else.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::packet::Nanos;
use super::sys::{self, Blocks};

/// Octets of one block.
pub const BLOCK: usize = 1 << 20;
/// A block that is not full is handed over after this time.
const RETIRE_MS: u32 = 20;
/// The kernel wants to know a size of frames, though V3 packs them.
const FRAME: usize = 2048;

/// Options of SOL_PACKET (linux/if_packet.h).
const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_RX_RING: i32 = 5;
const PACKET_STATISTICS: i32 = 6;
const PACKET_VERSION: i32 = 10;
const PACKET_FANOUT: i32 = 18;
const PACKET_IGNORE_OUTGOING: i32 = 23;
const TPACKET_V3: u32 = 2;
const PACKET_MR_PROMISC: u16 = 1;
const PACKET_FANOUT_HASH: u32 = 0;
/// The tag's number is there.
const TP_STATUS_VLAN_VALID: u32 = 1 << 4;
/// `sll_pkttype` of what this machine itself sends.
const PACKET_OUTGOING: u8 = 4;
/// Octets of `struct tpacket3_hdr`, behind which `struct sockaddr_ll` follows.
const HEAD: usize = 48;

/// How a ring is to be.
#[derive(Debug)]
pub struct Options {
    /// ifIndex.
    pub interface: u32,
    /// Blocks of [`BLOCK`] octets.
    pub blocks: usize,
    /// Whether frames for others are wanted, as on a mirror port.
    pub promiscuous: bool,
    /// Rings with the same number share the frames by flow.
    pub fanout: Option<u16>,
    /// What passes, and how much of it.
    pub filter: Vec<SockFilter>,
}

/// What the kernel counted since it was asked last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Drops {
    /// Frames for which there was no room.
    pub dropped: u64,
    /// Times at which the ring was full.
    pub full: u64,
}

/// One frame in a block.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The kernel's stamp.
    pub at: Nanos,
    /// Its length on the wire without the tag that the kernel took out.
    pub wire_octets: u32,
    /// That tag: protocol identifier and control information.
    pub tag: Option<(u16, u16)>,
    /// Whether this machine sent it.
    pub is_outgoing: bool,
    /// As much of it as the filter keeps.
    pub octets: &'a [u8],
}

impl Frame<'_> {
    /// The VLAN identifier of the tag.
    #[inline]
    pub fn vlan(&self) -> Option<u16> {
        self.tag.map(|(_, control)| control & 0x0fff)
    }
}

/// A ring that receives.
pub struct Ring {
    // Unmapped before the socket is closed.
    blocks: Blocks,
    socket: Socket,
    count: usize,
    /// The block that comes next.
    next: usize,
    /// Whether the kernel itself leaves out what this machine sends.
    ignores_outgoing: bool,
}

impl Ring {
    /// Opens a ring. Nothing is received before all of it stands, so nothing foreign is ever in it.
    ///
    /// # Errors
    /// Without CAP_NET_RAW, without memory, or when the interface is gone.
    pub fn open(options: &Options) -> io::Result<Self> {
        // Protocol 0 receives nothing; `bind` names the real one.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        socket.set_nonblocking(true)?;
        let fd = socket.as_fd();
        sys::set_option(fd, PACKET_VERSION, [TPACKET_V3])?;
        // Kernels before 4.20 do not know this; then what we send is left out below.
        let ignores_outgoing = sys::set_option(fd, PACKET_IGNORE_OUTGOING, [1]).is_ok();
        socket.attach_filter(&options.filter)?;
        let word = |number: usize| u32::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let count = options.blocks.max(1);
        // struct tpacket_req3: block size and number, frame size and number, time, room of our own, features.
        let wanted = [word(BLOCK)?, word(count)?, word(FRAME)?, word(BLOCK / FRAME * count)?, RETIRE_MS, 0, 0];
        sys::set_option(fd, PACKET_RX_RING, wanted)?;
        let blocks = Blocks::map(fd, count, BLOCK)?;
        sys::bind(fd, options.interface)?;
        if options.promiscuous {
            // struct packet_mreq: ifIndex, type and length of an address in one word, the address.
            let kind = u32::from_ne_bytes(halves(PACKET_MR_PROMISC, 0));
            sys::set_option(fd, PACKET_ADD_MEMBERSHIP, [options.interface, kind, 0, 0])?;
        }
        if let Some(group) = options.fanout {
            sys::set_option(fd, PACKET_FANOUT, [u32::from(group) | PACKET_FANOUT_HASH << 16])?;
        }
        // What was counted while the ring was made is of no interest.
        let mut ring = Self { blocks, socket, count, next: 0, ignores_outgoing };
        ring.drops()?;
        Ok(ring)
    }

    /// The next block, when it is there; [`Self::release`] it after reading.
    #[inline]
    pub fn block(&self) -> Option<Block<'_>> {
        Some(Block { octets: self.blocks.block(self.next)?, ignores_outgoing: self.ignores_outgoing })
    }

    /// Gives the block back that [`Self::block`] showed.
    pub fn release(&mut self) {
        self.blocks.release(self.next);
        self.next = (self.next + 1) % self.count;
    }

    /// What the kernel dropped since this was asked last.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn drops(&mut self) -> io::Result<Drops> {
        // struct tpacket_stats_v3: packets (with those dropped), drops, times full. Reading sets them to zero.
        let [_, dropped, full] = sys::option::<3>(self.socket.as_fd(), PACKET_STATISTICS)?;
        Ok(Drops { dropped: dropped.into(), full: full.into() })
    }

    /// Takes the error that waits at the socket (the interface went down or away), so that waiting works again.
    ///
    /// # Errors
    /// The socket is no good any more.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

const fn halves(first: u16, second: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    [a, b, c, d]
}

/// A block of frames, lent from the ring.
pub struct Block<'a> {
    octets: &'a [u8],
    ignores_outgoing: bool,
}

impl<'a> Block<'a> {
    /// The frames in it.
    #[inline]
    pub fn frames(&self) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        // struct tpacket_hdr_v1 behind version and offset: status, number of packets, offset of the first.
        let left = word(self.octets, 12).unwrap_or(0);
        let at = word(self.octets, 16).unwrap_or(0) as usize;
        // Where the kernel leaves them out, those that it marks so are none.
        let ignores_outgoing = self.ignores_outgoing;
        Frames { octets: self.octets, at, left }.filter(move |frame| ignores_outgoing || !frame.is_outgoing)
    }
}

struct Frames<'a> {
    octets: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        self.left = self.left.checked_sub(1)?;
        let rest = self.octets.get(self.at..)?;
        let head = rest.first_chunk::<HEAD>()?;
        let number = |at| word(head, at).unwrap_or(0);
        let from = usize::from(half(head, 24).unwrap_or(0));
        let captured = number(12) as usize;
        let frame = Frame {
            at: Nanos(u64::from(number(4)) * 1_000_000_000 + u64::from(number(8))),
            wire_octets: number(16),
            // A kernel that does not tell the protocol identifier means 802.1Q.
            tag: (number(20) & TP_STATUS_VLAN_VALID != 0)
                .then(|| (half(head, 36).filter(|&id| id != 0).unwrap_or(0x8100), number(32) as u16)),
            is_outgoing: rest.get(HEAD + 10) == Some(&PACKET_OUTGOING),
            octets: rest.get(from..)?.get(..captured)?,
        };
        self.at += number(0) as usize;
        Some(frame)
    }
}

#[inline]
fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*octets.get(at..)?.first_chunk()?))
}

#[inline]
fn half(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*octets.get(at..)?.first_chunk()?))
}
