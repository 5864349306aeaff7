//! One unconnected UDP socket: a large receive buffer, the kernel's receive stamps, its count of dropped datagrams, and
//! the ICMP messages that concern what was sent.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::sys::{self, Complaint, Inbox};

/// A socket of one address family.
pub(in crate::snmp) struct UdpSocket {
    inner: Socket,
    v6: bool,
}

impl UdpSocket {
    /// Binds to `local` (an unspecified address and port 0 for any).
    pub(in crate::snmp) fn bind(local: SocketAddr, receive_buffer: usize) -> io::Result<Self> {
        let v6 = local.is_ipv6();
        let inner = Socket::new(if v6 { Domain::IPV6 } else { Domain::IPV4 }, Type::DGRAM, Some(Protocol::UDP))?;
        inner.set_nonblocking(true)?;
        if v6 {
            inner.set_only_v6(true)?;
        }
        let size = i32::try_from(receive_buffer).unwrap_or(i32::MAX);
        let fd = inner.as_fd();
        // Past the limit of net.core.rmem_max only with CAP_NET_ADMIN; without it as much as is allowed.
        if sys::set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, size).is_err() {
            inner.set_recv_buffer_size(receive_buffer)?;
        }
        if sys::set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, size / 4).is_err() {
            inner.set_send_buffer_size(receive_buffer / 4)?;
        }
        sys::set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        sys::set_option(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
        let (level, name) = if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
        sys::set_option(fd, level, name, 1)?;
        inner.bind(&local.into())?;
        Ok(Self { inner, v6 })
    }

    /// Any address of the family.
    pub(in crate::snmp) const fn any(v6: bool) -> SocketAddr {
        SocketAddr::new(if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }, 0)
    }

    /// Whether this socket can send to `peer`.
    pub(in crate::snmp) const fn carries(&self, peer: SocketAddr) -> bool {
        peer.is_ipv6() == self.v6
    }

    /// The size of the receive buffer that the kernel granted, in octets.
    pub(in crate::snmp) fn receive_buffer(&self) -> io::Result<usize> {
        // The kernel doubles what it is asked for, to have room for its own bookkeeping.
        self.inner.recv_buffer_size().map(|size| size / 2)
    }

    /// Where it is bound.
    pub(in crate::snmp) fn address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an IP socket"))
    }

    /// See [`Inbox::receive`].
    pub(in crate::snmp) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        inbox.receive(self.inner.as_fd())
    }

    /// See [`sys::send`].
    pub(in crate::snmp) fn send<'a>(&self, packets: impl Iterator<Item = (SocketAddr, &'a [u8])>) -> io::Result<usize> {
        sys::send(self.inner.as_fd(), packets)
    }

    /// The next message of the network about what was sent.
    pub(in crate::snmp) fn complaint(&self) -> Option<Complaint> {
        sys::complaint(self.inner.as_fd())
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
