//! The sockets that exporters send to, and what the kernel dropped before we read it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use socket2::{Domain, Protocol, Socket, Type};

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    address: SocketAddr,
    /// How many octets of waiting datagrams the kernel keeps.
    buffer: usize,
    /// The socket's number in the kernel's tables.
    inode: Option<u64>,
}

impl Listener {
    /// Binds a socket, with room for so many octets of waiting datagrams if the kernel grants it.
    ///
    /// # Errors
    /// Those of the kernel: the address is not ours, or taken.
    pub fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // `0.0.0.0` may be listened to beside.
            socket.set_only_v6(true)?;
        }
        socket.set_recv_buffer_size(receive_buffer)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        // The kernel keeps as much again for its own bookkeeping, and tells both together.
        let buffer = socket.recv_buffer_size()? / 2;
        let socket = UdpSocket::from(socket);
        let inode = std::fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok().map(|about| about.ino());
        Ok(Self { address: socket.local_addr()?, socket, buffer, inode })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many octets of waiting datagrams the kernel keeps.
    pub const fn buffer(&self) -> usize {
        self.buffer
    }

    pub(super) fn socket(&self) -> io::Result<UdpSocket> {
        self.socket.try_clone()
    }

    /// Datagrams that the kernel has dropped for want of room, since the start; `None` when it does not tell.
    pub(super) fn drops(&self) -> Option<u64> {
        let table = if self.address.is_ipv6() { "/proc/net/udp6" } else { "/proc/net/udp" };
        drops(&std::fs::read_to_string(table).ok()?, self.inode?)
    }
}

/// The last column of the socket's line.
fn drops(table: &str, inode: u64) -> Option<u64> {
    let inode = inode.to_string();
    let line = table.lines().skip(1).find(|line| line.split_ascii_whitespace().nth(9) == Some(&*inode))?;
    line.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Listener, drops};

    const TABLE: &str =
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1022: 00000000:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16331 2 0000000000000000 41
 1123: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16332 2 0000000000000000 0
";

    #[test]
    fn drops_are_found_by_the_number_of_the_socket() {
        assert_eq!((drops(TABLE, 16_331), drops(TABLE, 16_332), drops(TABLE, 7)), (Some(41), Some(0), None));
    }

    #[test]
    fn a_socket_finds_itself_in_the_kernels_table() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 1 << 16).unwrap();
        assert!(listener.address().port() > 0 && listener.buffer() >= 1 << 16);
        // A full buffer drops: more is sent than it holds.
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..4_000 {
            sender.send_to(&[0; 1_000], listener.address()).unwrap();
        }
        assert!(listener.drops().unwrap() > 0);
    }
}
