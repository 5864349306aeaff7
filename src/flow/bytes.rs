//! Octets in network order, read one after the other; what is too short ends the reading.

/// What is still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(super) const fn len(self) -> usize {
        self.0.len()
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The next `count` octets.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn v4(&mut self) -> Option<std::net::IpAddr> {
        self.array::<4>().map(Into::into)
    }

    pub(super) fn v6(&mut self) -> Option<std::net::IpAddr> {
        self.array::<16>().map(Into::into)
    }
}

/// A number of at most eight octets.
#[inline]
pub(super) fn number(octets: &[u8]) -> u64 {
    match *octets {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_be_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => octets.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet)),
    }
}
