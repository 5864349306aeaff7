//! Object identifiers, kept in their encoded form: comparing prefixes and building requests needs no decoding.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::ber::BerError;

/// The longest encoded OID accepted: 128 subidentifiers (RFC 2578 section 3.5) of at most 5 octets.
const MAX_OCTETS: usize = 640;

/// An object identifier inside a received message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OidRef<'a>(&'a [u8]);

impl<'a> OidRef<'a> {
    /// Checks encoded contents: not empty, every subidentifier finished, without padding and below 2^32.
    pub fn parse(octets: &'a [u8]) -> Result<Self, BerError> {
        let mut value: u64 = 0;
        let mut at_start = true;
        if octets.is_empty() || octets.len() > MAX_OCTETS {
            return Err(BerError::Oid);
        }
        // Subidentifiers below 128 only, as in most names of a poll: one look at all octets together.
        if octets.iter().fold(0, |all, &octet| all | octet) < 0x80 {
            return Ok(Self(octets));
        }
        for &octet in octets {
            if at_start && octet == 0x80 {
                return Err(BerError::Oid);
            }
            value = value << 7 | u64::from(octet & 0x7f);
            if value > u64::from(u32::MAX) {
                return Err(BerError::Oid);
            }
            at_start = octet & 0x80 == 0;
            if at_start {
                value = 0;
            }
        }
        if at_start { Ok(Self(octets)) } else { Err(BerError::Oid) }
    }

    /// The encoded contents.
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// What follows `prefix`; `None` when the OID is not below it.
    #[inline]
    pub fn below(self, prefix: &Oid) -> Option<Subids<'a>> {
        self.0.strip_prefix(&*prefix.0).map(Subids)
    }

    /// An owned copy.
    pub fn to_owned(self) -> Oid {
        Oid(Arc::from(self.0))
    }
}

impl fmt::Display for OidRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut subids = Subids(self.0);
        let first = subids.next().unwrap_or(0);
        match first {
            0..40 => write!(f, "0.{first}")?,
            40..80 => write!(f, "1.{}", first - 40)?,
            _ => write!(f, "2.{}", first - 80)?,
        }
        subids.try_for_each(|subid| write!(f, ".{subid}"))
    }
}

impl fmt::Debug for OidRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The subidentifiers of an encoded OID or of a part of one. (The first octets of a whole OID hold two arcs in one.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subids<'a>(&'a [u8]);

impl<'a> Subids<'a> {
    /// The single subidentifier left, when there is exactly one: the usual index of a table row.
    pub fn only(mut self) -> Option<u32> {
        let first = self.next()?;
        self.0.is_empty().then_some(first)
    }

    /// The encoded rest.
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }
}

impl Iterator for Subids<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut value: u32 = 0;
        while let Some((&octet, rest)) = self.0.split_first() {
            self.0 = rest;
            value = value << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

/// An owned object identifier.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Oid(Arc<[u8]>);

impl Oid {
    /// From numbers; the first two must be a valid pair (0-1 with 0-39, or 2 with anything that fits).
    pub fn new(arcs: &[u32]) -> Result<Self, OidError> {
        let (&first, rest) = arcs.split_first().ok_or(OidError::TooShort)?;
        let (&second, rest) = rest.split_first().ok_or(OidError::TooShort)?;
        if first > 2 || (first < 2 && second > 39) || rest.len() > 126 {
            return Err(OidError::Arc);
        }
        let joined = (first * 40).checked_add(second).ok_or(OidError::Arc)?;
        let mut octets = Vec::with_capacity(arcs.len() + 4);
        push(&mut octets, joined);
        rest.iter().for_each(|&arc| push(&mut octets, arc));
        Ok(Self(Arc::from(octets)))
    }

    /// An OID below iso(1), which holds all MIBs: `iso(3, &[6, 1])` is 1.3.6.1. `second` above 39 counts as 39.
    pub fn iso(second: u8, rest: &[u32]) -> Self {
        Self(Arc::from([40 + second.min(39)].as_slice())).child(rest)
    }

    /// This OID with more subidentifiers behind it.
    pub fn child(&self, subids: &[u32]) -> Self {
        let mut octets = self.0.to_vec();
        subids.iter().for_each(|&subid| push(&mut octets, subid));
        Self(Arc::from(octets))
    }

    /// As a reference.
    pub fn as_ref(&self) -> OidRef<'_> {
        OidRef(&self.0)
    }

    /// The encoded contents.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

fn push(octets: &mut Vec<u8>, subid: u32) {
    for shift in [28, 21, 14, 7] {
        if subid >> shift != 0 {
            octets.push((subid >> shift & 0x7f) as u8 | 0x80);
        }
    }
    octets.push((subid & 0x7f) as u8);
}

/// Why a text is no OID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OidError {
    /// Fewer than two numbers.
    #[error("an OID needs at least two numbers, as in 1.3")]
    TooShort,
    /// A number out of range, or not a number.
    #[error("an OID is numbers with dots between them; the first is 0 to 2, the second 0 to 39 below 0 and 1")]
    Arc,
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let text = text.strip_prefix('.').unwrap_or(text);
        let arcs: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        Self::new(&arcs.map_err(|_| OidError::Arc)?)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

/// Orders as the MIB does: by subidentifiers, not by octets.
impl Ord for Oid {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        Subids(&self.0).cmp(Subids(&other.0))
    }
}

impl PartialOrd for Oid {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for text in ["1.3.6.1.2.1.1.3.0", "0.0", "2.999.4294967295", "1.3.6.1.4.1.4194316032"] {
            let oid: Oid = text.parse().unwrap();
            assert_eq!(oid.to_string(), text);
            assert_eq!(OidRef::parse(oid.octets()).unwrap().to_string(), text);
        }
        assert_eq!(Oid::iso(0, &[8802, 1]).to_string(), "1.0.8802.1");
        assert_eq!("1".parse::<Oid>(), Err(OidError::TooShort));
        assert_eq!("1.40".parse::<Oid>(), Err(OidError::Arc));
        assert_eq!("1.3.x".parse::<Oid>(), Err(OidError::Arc));
    }

    #[test]
    fn the_index_below_a_column_is_found() {
        let column: Oid = "1.3.6.1.2.1.2.2.1.10".parse().unwrap();
        let cell = column.child(&[4_194_316_032]);
        assert_eq!(cell.as_ref().below(&column).and_then(Subids::only), Some(4_194_316_032));
        let other: Oid = "1.3.6.1.2.1.2.2.1.1".parse().unwrap();
        assert_eq!(cell.as_ref().below(&other), None, "10 is not below 1");
    }

    #[test]
    fn malformed_encodings_are_refused() {
        for octets in [&[][..], &[0x2b, 0x86], &[0x2b, 0x80, 0x01], &[0x2b, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            assert_eq!(OidRef::parse(octets), Err(BerError::Oid), "{octets:02x?}");
        }
    }

    #[test]
    fn order_is_by_number() {
        let small: Oid = "1.3.6.127".parse().unwrap();
        let large: Oid = "1.3.6.128".parse().unwrap();
        assert!(small < large);
        assert!(small < small.child(&[0]));
    }
}
