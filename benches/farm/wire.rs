//! One socket for all devices: recvmmsg and sendmmsg with IP_PKTINFO, so that the destination address says which device was
//! asked and the answer leaves from the same address. The standard library has none of the three.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg take pointers to buffers; see the SAFETY notes")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

/// Datagrams a system call.
pub(crate) const BATCH: usize = 64;
/// The largest request that is read.
const REQUEST: usize = 2048;
/// Room for one IP_PKTINFO: a header of 16 octets and 12 octets of `in_pktinfo`, aligned to 8.
const CONTROL: usize = 32;

/// Aligned as `cmsghdr` wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// An answer on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// The device's own address.
    pub(crate) from: Ipv4Addr,
    /// Who asked.
    pub(crate) to: SocketAddrV4,
    /// The message.
    pub(crate) octets: Vec<u8>,
}

/// The socket and its receive buffers.
pub(crate) struct Wire {
    socket: UdpSocket,
    requests: Vec<[u8; REQUEST]>,
    lengths: [usize; BATCH],
    peers: [libc::sockaddr_in; BATCH],
    controls: [Control; BATCH],
}

impl Wire {
    /// Listens on all addresses of the machine; only those of 127.0.0.0/8 are answered by the farm.
    pub(crate) fn open(port: u16, buffer_octets: i32) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
        let fd = socket.as_raw_fd();
        set_option(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        for (forced, usual) in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
            // The forced form needs a privilege; the usual one is cut to the system's limit.
            set_option(fd, libc::SOL_SOCKET, forced, buffer_octets).or_else(|_| set_option(fd, libc::SOL_SOCKET, usual, buffer_octets))?;
        }
        // SAFETY: sockaddr_in is plain numbers; all zero is a value of it.
        let peers = [unsafe { zeroed::<libc::sockaddr_in>() }; BATCH];
        Ok(Self { socket, requests: vec![[0; REQUEST]; BATCH], lengths: [0; BATCH], peers, controls: [Control([0; CONTROL]); BATCH] })
    }

    /// The port.
    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Waits up to `wait_ms` for datagrams and reads as many as there are, at most [`BATCH`].
    pub(crate) fn receive(&mut self, wait_ms: i32) -> io::Result<usize> {
        let mut ready = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd that lives through the call.
        if unsafe { libc::poll(&mut ready, 1, wait_ms) } <= 0 {
            return Ok(0);
        }
        // SAFETY: mmsghdr and iovec are plain numbers and pointers; all zero is a value of them.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        // SAFETY: as above.
        let mut parts: [libc::iovec; BATCH] = unsafe { zeroed() };
        for slot in 0..BATCH {
            parts[slot] = libc::iovec { iov_base: self.requests[slot].as_mut_ptr().cast(), iov_len: REQUEST };
            let header = &mut headers[slot].msg_hdr;
            header.msg_name = (&raw mut self.peers[slot]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            header.msg_iov = &raw mut parts[slot];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[slot].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL;
        }
        // SAFETY: every header points to buffers of this object and of this frame with their true lengths; they live and stay
        // in place through the call, and no two headers share one.
        let got = unsafe {
            libc::recvmmsg(self.socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as u32, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        let Ok(got) = usize::try_from(got) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        };
        for (length, header) in self.lengths.iter_mut().zip(&headers).take(got) {
            *length = (header.msg_len as usize).min(REQUEST);
        }
        Ok(got)
    }

    /// A datagram of the last [`Self::receive`]: who asked, which address was asked, what.
    pub(crate) fn request(&self, slot: usize) -> (SocketAddrV4, Ipv4Addr, &[u8]) {
        let peer = &self.peers[slot];
        let from = SocketAddrV4::new(Ipv4Addr::from(u32::from_be(peer.sin_addr.s_addr)), u16::from_be(peer.sin_port));
        // in_pktinfo behind the header of 16 octets: interface, local address, destination address of the packet.
        let [.., a, b, c, d, _, _, _, _] = self.controls[slot].0;
        (from, Ipv4Addr::new(a, b, c, d), &self.requests[slot][..self.lengths[slot]])
    }

    /// Sends answers, at most [`BATCH`]; what the kernel does not take is lost, as on a real network.
    pub(crate) fn send(&self, answers: &[Outgoing]) -> usize {
        // SAFETY: plain numbers and pointers; all zero is a value of each.
        let (mut headers, mut parts, mut peers): ([libc::mmsghdr; BATCH], [libc::iovec; BATCH], [libc::sockaddr_in; BATCH]) =
            unsafe { (zeroed(), zeroed(), zeroed()) };
        let mut controls = [Control([0; CONTROL]); BATCH];
        let count = answers.len().min(BATCH);
        for (slot, answer) in answers.iter().enumerate().take(count) {
            peers[slot].sin_family = libc::AF_INET as u16;
            peers[slot].sin_port = answer.to.port().to_be();
            peers[slot].sin_addr.s_addr = u32::from(*answer.to.ip()).to_be();
            let control = &mut controls[slot].0;
            control[..8].copy_from_slice(&28_usize.to_ne_bytes());
            control[8..12].copy_from_slice(&libc::IPPROTO_IP.to_ne_bytes());
            control[12..16].copy_from_slice(&libc::IP_PKTINFO.to_ne_bytes());
            control[20..24].copy_from_slice(&answer.from.octets());
            parts[slot] = libc::iovec { iov_base: answer.octets.as_ptr().cast_mut().cast(), iov_len: answer.octets.len() };
            let header = &mut headers[slot].msg_hdr;
            header.msg_name = (&raw mut peers[slot]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            header.msg_iov = &raw mut parts[slot];
            header.msg_iovlen = 1;
            header.msg_control = controls[slot].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL;
        }
        // SAFETY: the headers in front of `count` point to buffers with their true lengths that live through the call; the
        // kernel only reads the octets to be sent.
        let sent = unsafe { libc::sendmmsg(self.socket.as_raw_fd(), headers.as_mut_ptr(), count as u32, 0) };
        usize::try_from(sent).unwrap_or(0)
    }
}

/// User and system time of this process in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    // SAFETY: rusage is plain numbers, and the call fills the one that it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn set_option(fd: RawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the option's value is an int that lives through the call, and its length is given.
    let result = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size_of::<i32>() as u32) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
