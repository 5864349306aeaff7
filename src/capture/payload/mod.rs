//! What frames carry beyond their headers, as far as a judge needs it: names, leases, routers, the server that a TLS client names.
//!
//! Each parser borrows the octets, copies nothing, bounds its work by their number, and takes what is cut short for what is there.

pub mod dhcp;
pub mod dns;
pub mod nd;
pub mod tls;

/// Octets read from the front; every step may find too few.
#[derive(Clone, Copy, Debug)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn short(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(first)
    }

    /// The next octets, fewer when there are no more.
    fn take_most(&mut self, octets: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(octets.min(self.0.len()));
        self.0 = rest;
        first
    }
}
