//! The system calls of the prober that no safe interface offers: `recvmmsg` with the kernel's stamps, `ppoll` to the
//! nanosecond, and options that are structures. Everything the kernel writes is parsed in safe code from plain octets.
#![expect(unsafe_code, reason = "recvmmsg, ppoll and SO_MEMINFO have no safe interface in std, socket2 or libc")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// How many messages one system call takes.
pub(super) const BATCH: usize = 64;
/// The largest message that is read whole; longer ones are cut, marks stand at the front.
const LARGEST: usize = 2048;
/// `SO_MEMINFO` of asm-generic/socket.h, and the place of the drops in its answer (linux/sock_diag.h).
const SO_MEMINFO: i32 = 55;
const MEMINFO_DROPS: usize = 8;

/// Room for an address or for control messages, aligned as the kernel wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Cell([u8; 160]);

impl Cell {
    const EMPTY: Self = Self([0; 160]);

    fn first(&self, length: usize) -> &[u8] {
        self.0.get(..length).unwrap_or(&self.0)
    }
}

/// Memory for one batch of received messages.
pub(super) struct Inbox {
    octets: Vec<u8>,
    names: Vec<Cell>,
    controls: Vec<Cell>,
    arrived: Vec<Arrived>,
}

struct Arrived {
    length: usize,
    name: usize,
    control: usize,
}

/// One received message.
pub(super) struct Message<'a> {
    /// Who sent it; from the error queue: to whom the packet had been sent.
    pub(super) peer: IpAddr,
    /// What it holds.
    pub(super) octets: &'a [u8],
    /// When it arrived by the kernel's wall clock, nanoseconds since the Unix epoch.
    pub(super) stamp_ns: Option<i64>,
    /// From the error queue: the type and code of the ICMP error.
    pub(super) error: Option<(u8, u8)>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            octets: vec![0; LARGEST * BATCH],
            names: vec![Cell::EMPTY; BATCH],
            controls: vec![Cell::EMPTY; BATCH],
            arrived: Vec::with_capacity(BATCH),
        }
    }

    /// Takes up to [`BATCH`] waiting messages without blocking, and says how many; `errors` takes them from the error queue.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>, errors: bool) -> io::Result<usize> {
        self.arrived.clear();
        let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
        // SAFETY: mmsghdr is a C struct of integers and raw pointers, for which all zero bits are a valid value.
        let mut heads: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        let rooms = self.octets.chunks_exact_mut(LARGEST).zip(&mut self.names).zip(&mut self.controls);
        for ((head, part), ((room, name), control)) in heads.iter_mut().zip(&mut parts).zip(rooms) {
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            head.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            head.msg_hdr.msg_namelen = size_of::<Cell>() as libc::socklen_t;
            head.msg_hdr.msg_iov = part;
            head.msg_hdr.msg_iovlen = 1;
            head.msg_hdr.msg_control = std::ptr::from_mut(control).cast();
            head.msg_hdr.msg_controllen = size_of::<Cell>();
        }
        let flags = libc::MSG_DONTWAIT | if errors { libc::MSG_ERRQUEUE } else { 0 };
        // SAFETY: `heads` holds BATCH headers. Each points to its own part, name and control cell and each part to its
        // own stretch of `octets`, all with their true sizes; all of them outlive the call and nothing else refers to
        // them during it. The descriptor is open as long as `socket` is borrowed. A null timeout is allowed.
        let count = unsafe { libc::recvmmsg(socket.as_raw_fd(), heads.as_mut_ptr(), BATCH as u32, flags, std::ptr::null_mut()) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.arrived.extend(heads.iter().take(count).map(|head| Arrived {
            length: head.msg_len as usize,
            name: head.msg_hdr.msg_namelen as usize,
            control: head.msg_hdr.msg_controllen,
        }));
        Ok(count)
    }

    /// The messages of the last [`Self::receive`].
    pub(super) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let rooms = self.octets.chunks_exact(LARGEST).zip(&self.names).zip(&self.controls);
        self.arrived.iter().zip(rooms).filter_map(|(arrived, ((room, name), control))| {
            let octets = room.get(..arrived.length.min(LARGEST))?;
            let mut message = Message { peer: address(name.first(arrived.name))?, octets, stamp_ns: None, error: None };
            for (level, kind, data) in Controls(control.first(arrived.control)) {
                match (level, kind) {
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => message.stamp_ns = timespec(data),
                    // struct sock_extended_err: errno (4 octets), origin, type, code.
                    (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                        message.error = data.get(5).copied().zip(data.get(6).copied());
                    }
                    _ => {}
                }
            }
            Some(message)
        })
    }
}

/// Waits until something can be read from one of the descriptors, but for no longer than `longest`; a signal ends it too.
pub(super) fn wait<const N: usize>(descriptors: [BorrowedFd<'_>; N], longest: Duration) -> io::Result<()> {
    let mut polled = descriptors.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let span = libc::timespec {
        tv_sec: libc::time_t::try_from(longest.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: longest.subsec_nanos().into(),
    };
    // SAFETY: `polled` has N entries and `span` is a valid timespec; both live through the call. A null mask is allowed.
    let result = unsafe { libc::ppoll(polled.as_mut_ptr(), N as libc::nfds_t, &raw const span, std::ptr::null()) };
    if result < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
    }
    Ok(())
}

/// Sets an option whose value is some words.
pub(super) fn set_option<const N: usize>(socket: BorrowedFd<'_>, level: i32, name: i32, value: [u32; N]) -> io::Result<()> {
    let size = size_of::<[u32; N]>() as libc::socklen_t;
    // SAFETY: the pointer is to N words that live through the call, and `size` is their size.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many messages the socket has thrown away for want of room (without CAP_NET_RAW the kernel may not tell: `None`).
pub(super) fn drops(socket: BorrowedFd<'_>) -> Option<u32> {
    let mut words = [0_u32; 16];
    let mut size = size_of_val(&words) as libc::socklen_t;
    // SAFETY: the pointer is to 16 words that live through the call and `size` says so; the kernel writes no more and
    // puts into `size` how much it wrote.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_MEMINFO, words.as_mut_ptr().cast(), &raw mut size) };
    let told = size as usize / size_of::<u32>();
    (result == 0).then(|| words.get(..told)?.get(MEMINFO_DROPS).copied())?
}

/// The control messages in the octets the kernel wrote: level, type, data (`struct cmsghdr`).
struct Controls<'a>(&'a [u8]);

impl<'a> Iterator for Controls<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const WORD: usize = size_of::<usize>();
        let length = usize::from_ne_bytes(self.0.get(..WORD)?.try_into().ok()?);
        let level = i32::from_ne_bytes(self.0.get(WORD..WORD + 4)?.try_into().ok()?);
        let kind = i32::from_ne_bytes(self.0.get(WORD + 4..WORD + 8)?.try_into().ok()?);
        let data = self.0.get(WORD + 8..length)?;
        self.0 = self.0.get(length.next_multiple_of(WORD)..).unwrap_or_default();
        Some((level, kind, data))
    }
}

/// A `struct timespec` of 64-bit fields.
fn timespec(octets: &[u8]) -> Option<i64> {
    let seconds = i64::from_ne_bytes(octets.get(..8)?.try_into().ok()?);
    let nanos = i64::from_ne_bytes(octets.get(8..16)?.try_into().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Reads a `sockaddr_in` or `sockaddr_in6`.
fn address(octets: &[u8]) -> Option<IpAddr> {
    match i32::from(u16::from_ne_bytes(octets.get(..2)?.try_into().ok()?)) {
        libc::AF_INET => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets.get(4..8)?).ok()?).into()),
        libc::AF_INET6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets.get(8..24)?).ok()?).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_control_messages_end_the_list() {
        let mut octets = [0_u8; 24];
        for length in [0_usize, 7, 15, 16, 25, usize::MAX] {
            octets[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
            assert!(Controls(&octets).count() <= 2);
        }
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        let mut octets = [0_u8; 28];
        octets[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
        octets[4..8].copy_from_slice(&[192, 0, 2, 7]);
        assert_eq!(address(&octets), Some("192.0.2.7".parse().unwrap()));
        octets[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
        octets[8..24].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(address(&octets), Some("2001:db8::7".parse().unwrap()));
        assert_eq!((address(&octets[..3]), address(&[1, 0, 0, 0])), (None, None));
    }
}
