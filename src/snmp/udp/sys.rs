//! The four system calls that move datagrams in batches and that no safe interface offers: `recvmmsg`, `sendmmsg`,
//! the error queue of `recvmsg`, and integer socket options. Batches are worth a fifth of the poller's CPU.
//! Everything the kernel writes (addresses, control messages) is parsed in safe code from plain octets.
#![expect(unsafe_code, reason = "recvmmsg, sendmmsg and the error queue have no safe interface in std, socket2 or rustix")]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

/// How many datagrams one system call moves.
pub(in crate::snmp) const BATCH: usize = 64;

/// The largest datagram that UDP carries, rounded up.
const LARGEST: usize = 65_536;
/// From one datagram's room to the next. Not a power of two: then the beginnings of all rooms, where nearly all datagrams
/// end, would compete for the same few lines of the CPU's caches.
const STRIDE: usize = LARGEST + 1_600;

/// Room for an address or for control messages, aligned as the kernel wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(in crate::snmp) struct Cell([u8; 160]);

impl Cell {
    const EMPTY: Self = Self([0; 160]);

    fn first(&self, length: usize) -> &[u8] {
        self.0.get(..length).unwrap_or(&self.0)
    }
}

/// Memory for one batch of received datagrams. Untouched pages of it are never backed by memory.
pub(in crate::snmp) struct Inbox {
    octets: Vec<u8>,
    names: Vec<Cell>,
    controls: Vec<Cell>,
    arrived: Vec<Arrived>,
}

#[derive(Clone, Copy)]
struct Arrived {
    length: usize,
    name: usize,
    control: usize,
}

/// One received datagram.
pub(in crate::snmp) struct Datagram<'a> {
    /// Who sent it.
    pub(in crate::snmp) from: SocketAddr,
    /// What it holds.
    pub(in crate::snmp) octets: &'a [u8],
    /// When it arrived by the kernel's clock, nanoseconds since the Unix epoch.
    pub(in crate::snmp) stamp_ns: Option<i64>,
    /// How many datagrams the socket has dropped so far for want of room.
    pub(in crate::snmp) drops: Option<u32>,
}

impl Inbox {
    pub(in crate::snmp) fn new() -> Self {
        Self {
            octets: vec![0; STRIDE * BATCH],
            names: vec![Cell::EMPTY; BATCH],
            controls: vec![Cell::EMPTY; BATCH],
            arrived: Vec::with_capacity(BATCH),
        }
    }

    /// Takes up to [`BATCH`] waiting datagrams without blocking, and says how many. An error other than
    /// `WouldBlock` is mostly an ICMP message for something sent before.
    pub(in crate::snmp) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.arrived.clear();
        let mut parts = [EMPTY_PART; BATCH];
        let mut heads = [empty_head(); BATCH];
        let rooms = self.octets.chunks_exact_mut(STRIDE).zip(&mut self.names).zip(&mut self.controls);
        for ((head, part), ((room, name), control)) in heads.iter_mut().zip(&mut parts).zip(rooms) {
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            point(&mut head.msg_hdr, part, name, control);
        }
        // SAFETY: `heads` holds BATCH headers. Each points to its own part, name and control cell and each part to its
        // own stretch of `octets`, all with their true sizes; all of them outlive the call and nothing else refers to
        // them during it. The descriptor is open as long as `socket` is borrowed. A null timeout is allowed.
        let count =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), heads.as_mut_ptr(), BATCH as u32, libc::MSG_DONTWAIT, std::ptr::null_mut()) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.arrived.extend(heads.iter().take(count).map(|head| Arrived {
            length: head.msg_len as usize,
            name: head.msg_hdr.msg_namelen as usize,
            control: head.msg_hdr.msg_controllen,
        }));
        Ok(count)
    }

    /// The datagrams of the last [`Self::receive`].
    pub(in crate::snmp) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let rooms = self.octets.chunks_exact(STRIDE).zip(&self.names).zip(&self.controls);
        self.arrived.iter().zip(rooms).filter_map(|(arrived, ((room, name), control))| {
            let mut datagram =
                Datagram { from: address(name.first(arrived.name))?, octets: room.get(..arrived.length)?, stamp_ns: None, drops: None };
            for (level, kind, data) in Controls(control.first(arrived.control)) {
                match (level, kind) {
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => datagram.stamp_ns = timespec(data),
                    (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => datagram.drops = word(data, 0),
                    _ => {}
                }
            }
            Some(datagram)
        })
    }
}

/// Sends up to [`BATCH`] datagrams without blocking, and says how many the kernel took.
/// An error concerns the first one, or is an ICMP message for something sent before.
pub(in crate::snmp) fn send<'a>(socket: BorrowedFd<'_>, packets: impl Iterator<Item = (SocketAddr, &'a [u8])>) -> io::Result<usize> {
    let mut names = [Cell::EMPTY; BATCH];
    let mut parts = [EMPTY_PART; BATCH];
    let mut heads = [empty_head(); BATCH];
    let mut count = 0_u32;
    for ((head, (part, name)), (to, octets)) in heads.iter_mut().zip(parts.iter_mut().zip(&mut names)).zip(packets) {
        let length = write_address(to, name);
        *part = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        head.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
        head.msg_hdr.msg_namelen = length;
        head.msg_hdr.msg_iov = part;
        head.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers (count <= BATCH) each point to their own part and name with their true sizes,
    // and each part to octets borrowed for the whole call; the kernel only reads them (the iovec type has no const form).
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), heads.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// One entry of the socket's error queue.
pub(in crate::snmp) struct Complaint {
    /// To whom the datagram had been sent.
    pub(in crate::snmp) peer: SocketAddr,
    /// The error number, as in `errno`.
    pub(in crate::snmp) errno: i32,
}

/// Takes the next entry of the error queue (`IP_RECVERR`); `None` when there is none.
pub(in crate::snmp) fn complaint(socket: BorrowedFd<'_>) -> Option<Complaint> {
    let (mut name, mut control, mut room) = (Cell::EMPTY, [Cell::EMPTY; 4], [0_u8; 64]);
    let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    let mut head = empty_head().msg_hdr;
    point(&mut head, &mut part, &mut name, &mut control);
    // SAFETY: `head` points to one part, one name and the control cells, with their true sizes; all of them live on this
    // stack frame longer than the call, and nothing else refers to them during it.
    let result = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut head, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if result < 0 {
        return None;
    }
    let peer = address(name.first(head.msg_namelen as usize))?;
    let octets: Vec<u8> = control.iter().flat_map(|cell| cell.0).take(head.msg_controllen).collect();
    let errno = Controls(&octets).find_map(|(level, kind, data)| {
        matches!((level, kind), (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)).then(|| word(data, 0))?
    })?;
    Some(Complaint { peer, errno: errno.cast_signed() })
}

/// Sets an integer option.
pub(in crate::snmp) fn set_option(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let size = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the pointer is to an i32 that lives through the call, and `size` is its size.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

const EMPTY_PART: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

fn empty_head() -> libc::mmsghdr {
    // SAFETY: mmsghdr is a C struct of integers and raw pointers, for which all zero bits are a valid value.
    unsafe { std::mem::zeroed() }
}

/// Lets a header point to where one datagram, its sender and its control messages are to be put.
fn point<C>(head: &mut libc::msghdr, part: &mut libc::iovec, name: &mut Cell, control: &mut C) {
    head.msg_name = std::ptr::from_mut(name).cast();
    head.msg_namelen = size_of::<Cell>() as libc::socklen_t;
    head.msg_iov = part;
    head.msg_iovlen = 1;
    head.msg_control = std::ptr::from_mut(control).cast();
    head.msg_controllen = size_of::<C>();
}

/// The control messages in the octets the kernel wrote: level, type, data (`struct cmsghdr`).
struct Controls<'a>(&'a [u8]);

impl<'a> Iterator for Controls<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const WORD: usize = size_of::<usize>();
        let length = usize::from_ne_bytes(self.0.get(..WORD)?.try_into().ok()?);
        let level = word(self.0, WORD)?.cast_signed();
        let kind = word(self.0, WORD + 4)?.cast_signed();
        let data = self.0.get(WORD + 8..length)?;
        self.0 = self.0.get(length.next_multiple_of(WORD)..).unwrap_or_default();
        Some((level, kind, data))
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

/// A `struct timespec` of 64-bit fields.
fn timespec(octets: &[u8]) -> Option<i64> {
    let seconds = i64::from_ne_bytes(octets.get(..8)?.try_into().ok()?);
    let nanos = i64::from_ne_bytes(octets.get(8..16)?.try_into().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Reads a `sockaddr_in` or `sockaddr_in6`.
fn address(octets: &[u8]) -> Option<SocketAddr> {
    let family = i32::from(u16::from_ne_bytes(octets.get(..2)?.try_into().ok()?));
    let port = u16::from_be_bytes(octets.get(2..4)?.try_into().ok()?);
    match family {
        libc::AF_INET => {
            let ip: [u8; 4] = octets.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::from((Ipv4Addr::from(ip), port)))
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = octets.get(8..24)?.try_into().ok()?;
            Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, word(octets, 24)?)))
        }
        _ => None,
    }
}

/// Writes a `sockaddr_in` or `sockaddr_in6`, and says how long it is.
fn write_address(to: SocketAddr, cell: &mut Cell) -> libc::socklen_t {
    let port = to.port().to_be_bytes();
    let mut octets = [0_u8; 28];
    let (family, length) = match to {
        SocketAddr::V4(v4) => {
            put(&mut octets, 4, &v4.ip().octets());
            (libc::AF_INET, 16)
        }
        SocketAddr::V6(v6) => {
            put(&mut octets, 8, &v6.ip().octets());
            put(&mut octets, 24, &v6.scope_id().to_ne_bytes());
            (libc::AF_INET6, 28)
        }
    };
    put(&mut octets, 0, &(family as u16).to_ne_bytes());
    put(&mut octets, 2, &port);
    put(&mut cell.0, 0, &octets);
    length
}

fn put(octets: &mut [u8], at: usize, what: &[u8]) {
    if let Some(room) = octets.get_mut(at..at + what.len()) {
        room.copy_from_slice(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_from_their_kernel_form() {
        for text in ["192.0.2.7:161", "[2001:db8::5]:161", "[fe80::1%3]:10161"] {
            let to: SocketAddr = text.parse().unwrap();
            let mut cell = Cell::EMPTY;
            let length = write_address(to, &mut cell);
            assert_eq!(address(cell.first(length as usize)), Some(to));
        }
    }

    #[test]
    fn broken_control_messages_end_the_list() {
        let mut octets = [0_u8; 24];
        for length in [0_usize, 7, 15, 16, 25, usize::MAX] {
            octets[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
            assert!(Controls(&octets).count() <= 2);
        }
    }
}
