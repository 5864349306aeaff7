//! The wire of the prober: for each family one raw socket that gets only answers to us, or, where raw sockets are not
//! allowed, one ICMP datagram socket (`net.ipv4.ping_group_range`), whose errors come by its error queue.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};

use super::codec::{self, Arrival, Family, Refusal};
use super::sys::{self, Inbox};

/// Asked of the kernel for received messages: some 20,000 replies.
const RECEIVE_BUFFER: usize = 8 << 20;
/// `ICMP_FILTER` of linux/icmp.h at the level SOL_RAW, `ICMPV6_FILTER` of linux/icmpv6.h.
const SOL_RAW: i32 = 255;
const ICMP_FILTER: i32 = 1;

/// How a socket came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A raw socket (CAP_NET_RAW).
    Raw,
    /// A datagram socket, open to the groups of `net.ipv4.ping_group_range`: the kernel sees no drops for us.
    Datagram,
}

/// No socket could be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "no ICMP socket can be opened ({raw}; without privilege: {datagram}): give the program CAP_NET_RAW, or its group a place in net.ipv4.ping_group_range"
)]
pub struct OpenError {
    /// Why no raw one.
    pub raw: io::Error,
    /// Why no datagram one.
    pub datagram: io::Error,
}

/// One message that concerns us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Received {
    /// Who sent it; unknown for errors from the error queue.
    pub(super) from: Option<IpAddr>,
    /// When it arrived, by the wall clock in nanoseconds.
    pub(super) stamp_ns: Option<i64>,
    /// What it says.
    pub(super) arrival: Arrival,
}

/// The socket of one family.
pub struct Wire {
    family: Family,
    mode: Mode,
    ident: u16,
    socket: Socket,
    drops: u32,
    inbox: Inbox,
}

impl Wire {
    /// Opens the socket of a family; `ident` is the identifier of our probes where we may choose it.
    ///
    /// # Errors
    /// Neither a raw nor a datagram socket is allowed, or the machine does not have the family.
    pub fn open(family: Family, ident: u16) -> Result<Self, OpenError> {
        Self::raw(family, ident).or_else(|raw| Self::datagram(family).map_err(|datagram| OpenError { raw, datagram }))
    }

    fn raw(family: Family, ident: u16) -> io::Result<Self> {
        let socket = Socket::new(domain(family), Type::RAW, Some(protocol(family)))?;
        // The filter is there before the first foreign message can be.
        socket.attach_filter(&own_only(family, ident))?;
        let (replies, errors) = match family {
            Family::V4 => (codec::REPLIES.0, codec::V4_ERRORS),
            Family::V6 => (codec::REPLIES.1, codec::V6_ERRORS),
        };
        let wanted = errors.iter().chain([&replies]);
        match family {
            // A set bit keeps a type out.
            Family::V4 => sys::set_option(socket.as_fd(), SOL_RAW, ICMP_FILTER, [!wanted.fold(0_u32, |mask, kind| mask | 1 << kind)])?,
            Family::V6 => {
                let mut mask = [u32::MAX; 8];
                for kind in wanted {
                    if let Some(word) = mask.get_mut(usize::from(kind >> 5)) {
                        *word &= !(1 << (kind & 31));
                    }
                }
                sys::set_option(socket.as_fd(), libc::IPPROTO_ICMPV6, ICMP_FILTER, mask)?;
            }
        }
        Self::prepared(family, Mode::Raw, ident, socket)
    }

    fn datagram(family: Family) -> io::Result<Self> {
        let socket = Socket::new(domain(family), Type::DGRAM, Some(protocol(family)))?;
        let any: IpAddr = if family == Family::V4 { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        socket.bind(&SocketAddr::new(any, 0).into())?;
        // The kernel's choice of identifier is the socket's port.
        let ident = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
        let (level, name) = match family {
            Family::V4 => (libc::IPPROTO_IP, libc::IP_RECVERR),
            Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        };
        sys::set_option(socket.as_fd(), level, name, [1])?;
        Self::prepared(family, Mode::Datagram, ident, socket)
    }

    fn prepared(family: Family, mode: Mode, ident: u16, socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Past net.core.rmem_max only with CAP_NET_ADMIN; without it as much as is allowed.
        let size = [u32::try_from(RECEIVE_BUFFER).unwrap_or(u32::MAX)];
        if sys::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, size).is_err() {
            socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        sys::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, [1])?;
        let drops = sys::drops(socket.as_fd()).unwrap_or(0);
        Ok(Self { family, mode, ident, socket, drops, inbox: Inbox::new() })
    }

    /// The family that it carries.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How the socket came to be.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The identifier of its requests.
    pub const fn ident(&self) -> u16 {
        self.ident
    }

    /// The receive buffer that the kernel granted, in octets.
    pub fn receive_buffer(&self) -> usize {
        // The kernel doubles what it is asked for, to have room for its own bookkeeping.
        self.socket.recv_buffer_size().unwrap_or(0) / 2
    }

    /// Sends a request.
    pub(super) fn send(&self, to: IpAddr, request: &[u8]) -> io::Result<()> {
        let address = SockAddr::from(SocketAddr::new(to, 0));
        let first = self.socket.send_to(request, &address);
        // A datagram socket first gives out the error of an earlier packet; the second try is about this one.
        let sent = if first.is_err() && self.mode == Mode::Datagram { self.socket.send_to(request, &address) } else { first };
        sent.map(|_| ())
    }

    /// Gives everything that has come to `each`, without blocking.
    pub(super) fn receive(&mut self, mut each: impl FnMut(Received)) -> io::Result<()> {
        if self.mode == Mode::Datagram {
            self.drain(true, &mut each)?;
        }
        self.drain(false, &mut each)
    }

    fn drain(&mut self, errors: bool, each: &mut impl FnMut(Received)) -> io::Result<()> {
        let mut stale_errors = 0;
        loop {
            let count = match self.inbox.receive(self.socket.as_fd(), errors) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // The error of an earlier packet, which the error queue has told in full.
                Err(_) if self.mode == Mode::Datagram && !errors && stale_errors < sys::BATCH => {
                    stale_errors += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            for message in self.inbox.messages() {
                let arrival = match (self.mode, self.family, message.error) {
                    (_, family, Some((kind, code))) => codec::read_quoted(Refusal { family, kind, code }, message.peer, message.octets),
                    (Mode::Raw, Family::V4, None) => codec::read_v4(message.octets),
                    (_, family, None) => codec::read_message(family, message.octets),
                };
                let from = message.error.is_none().then_some(message.peer);
                let ours = |arrival: &Arrival| match *arrival {
                    Arrival::Reply { ident, .. } | Arrival::Refused { ident, .. } => ident == self.ident,
                };
                if let Some(arrival) = arrival.filter(ours) {
                    each(Received { from, stamp_ns: message.stamp_ns, arrival });
                }
            }
            if count < sys::BATCH {
                return Ok(());
            }
        }
    }

    /// Whether the socket has thrown away messages since the last time this was asked. A flag only: some kernels
    /// count one loss twice.
    pub(super) fn has_dropped(&mut self) -> bool {
        let now = sys::drops(self.socket.as_fd()).unwrap_or(self.drops);
        std::mem::replace(&mut self.drops, now) != now
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

const fn domain(family: Family) -> Domain {
    match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    }
}

const fn protocol(family: Family) -> Protocol {
    match family {
        Family::V4 => Protocol::ICMPV4,
        Family::V6 => Protocol::ICMPV6,
    }
}

/// Classic BPF (linux/filter.h): replies with our identifier, and errors; their quotes are looked at later.
fn own_only(family: Family, ident: u16) -> Vec<SockFilter> {
    const LOAD_HEADER_LENGTH: u16 = 0xb1;
    const LOAD_OCTET: u16 = 0x50;
    const LOAD_HALF: u16 = 0x48;
    const LOAD_ZERO: u16 = 0x01;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let step = |code, k| SockFilter::new(code, 0, 0, k);
    let (reply, errors) = match family {
        Family::V4 => (codec::REPLIES.0, codec::V4_ERRORS),
        Family::V6 => (codec::REPLIES.1, codec::V6_ERRORS),
    };
    // X becomes the length of the IP header; ICMPv6 comes without one.
    let start = if family == Family::V4 { step(LOAD_HEADER_LENGTH, 0) } else { step(LOAD_ZERO, 0) };
    let [first, second, third] = errors.map(u32::from);
    vec![
        start,
        step(LOAD_OCTET, 0),
        SockFilter::new(IF_EQUAL, 0, 2, u32::from(reply)),
        step(LOAD_HALF, 4),
        SockFilter::new(IF_EQUAL, 3, 4, u32::from(ident)),
        SockFilter::new(IF_EQUAL, 2, 0, first),
        SockFilter::new(IF_EQUAL, 1, 0, second),
        SockFilter::new(IF_EQUAL, 0, 1, third),
        step(RETURN, u32::MAX),
        step(RETURN, 0),
    ]
}
