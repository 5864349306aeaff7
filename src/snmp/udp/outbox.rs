//! Datagrams on their way out, one behind the other in one buffer.

use std::net::SocketAddr;
use std::ops::Range;

/// Datagrams in the order in which they are to leave.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    packets: Vec<(SocketAddr, Range<usize>)>,
}

impl Outbox {
    /// Adds a datagram.
    pub(super) fn push(&mut self, to: SocketAddr, datagram: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(datagram);
        self.packets.push((to, start..self.octets.len()));
    }

    /// How many datagrams there are.
    pub(super) const fn len(&self) -> usize {
        self.packets.len()
    }

    /// The datagrams from number `from` on.
    pub(super) fn packets(&self, from: usize) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.packets.iter().skip(from).map(|(to, range)| (*to, self.octets.get(range.clone()).unwrap_or_default()))
    }

    /// Forgets all datagrams, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.packets.clear();
    }
}
