//! Basic Encoding Rules as SNMP uses them (RFC 3417 section 8, X.690): definite lengths, primitive strings.
//! Reading never allocates and never panics; writing goes backwards so that lengths are known when they are due.

use thiserror::Error;

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// SEQUENCE (constructed).
pub const SEQUENCE: u8 = 0x30;

/// What is wrong with a piece of BER.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BerError {
    /// The data ends inside an element.
    #[error("the data ends inside an element")]
    Truncated,
    /// A length in the indefinite form, or with more than four octets.
    #[error("an unsupported form of length (indefinite, or over four octets)")]
    Length,
    /// Another tag stands where one is required.
    #[error("tag 0x{found:02x} where 0x{wanted:02x} was expected")]
    Tag {
        /// The tag the protocol requires here.
        wanted: u8,
        /// The tag that is there.
        found: u8,
    },
    /// An integer without octets or too large for its type.
    #[error("an integer without octets or too large for its type")]
    Integer,
    /// An object identifier that is empty, unfinished, or has a subidentifier above 2^32-1.
    #[error("a malformed object identifier")]
    Oid,
    /// A version other than v1 (0) and v2c (1).
    #[error("SNMP version number {0} (0 is v1, 1 is v2c, 3 is v3)")]
    Version(i64),
    /// A PDU type that this codec does not read.
    #[error("PDU type 0x{0:02x}")]
    PduType(u8),
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over `data`.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element: tag and contents.
    #[inline]
    pub fn element(&mut self) -> Result<(u8, &'a [u8]), BerError> {
        // Nearly all elements of a poll have a length of one octet.
        if let [tag, length @ 0..0x80, body @ ..] = self.rest
            && let Some((contents, rest)) = body.split_at_checked(usize::from(*length))
        {
            self.rest = rest;
            return Ok((*tag, contents));
        }
        self.long_element()
    }

    fn long_element(&mut self) -> Result<(u8, &'a [u8]), BerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(BerError::Truncated)?;
        let (&first, after_first) = after_tag.split_first().ok_or(BerError::Truncated)?;
        let (length, body) = if first < 0x80 {
            (usize::from(first), after_first)
        } else {
            let octets = usize::from(first & 0x7f);
            if octets == 0 || octets > 4 {
                return Err(BerError::Length);
            }
            let (head, tail) = after_first.split_at_checked(octets).ok_or(BerError::Truncated)?;
            (head.iter().fold(0_usize, |sum, &octet| sum << 8 | usize::from(octet)), tail)
        };
        let (contents, rest) = body.split_at_checked(length).ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok((tag, contents))
    }

    /// The contents of the next element, which must have tag `wanted`.
    pub fn expect_tag(&mut self, wanted: u8) -> Result<&'a [u8], BerError> {
        let (found, contents) = self.element()?;
        if found == wanted { Ok(contents) } else { Err(BerError::Tag { wanted, found }) }
    }

    /// The next element as INTEGER.
    pub fn integer(&mut self) -> Result<i64, BerError> {
        signed(self.expect_tag(INTEGER)?)
    }
}

/// A two's complement integer; superfluous sign octets are accepted.
pub fn signed(octets: &[u8]) -> Result<i64, BerError> {
    let (&first, _) = octets.split_first().ok_or(BerError::Integer)?;
    let negative = first & 0x80 != 0;
    if octets.len() <= 8 {
        return Ok(octets.iter().fold(if negative { -1 } else { 0 }, |sum, &octet| sum << 8 | i64::from(octet)));
    }
    let filler = if negative { 0xff } else { 0x00 };
    let lead = octets.iter().take_while(|&&octet| octet == filler).count().min(octets.len() - 1);
    let digits = octets.get(lead..).ok_or(BerError::Integer)?;
    if digits.len() > 8 || (digits.len() == 8 && lead > 0 && (digits.first().is_some_and(|d| d & 0x80 != 0) != negative)) {
        return Err(BerError::Integer);
    }
    let seed = if negative { -1_i64 } else { 0 };
    Ok(digits.iter().fold(seed, |sum, &octet| sum << 8 | i64::from(octet)))
}

/// An unsigned integer as Counter, Gauge and TimeTicks carry it. Agents send 32-bit values above 2^31 both with and
/// without the leading zero octet, so the sign bit is never a sign here.
#[inline]
pub fn unsigned(octets: &[u8]) -> Result<u64, BerError> {
    if octets.is_empty() {
        return Err(BerError::Integer);
    }
    if octets.len() <= 8 {
        return Ok(octets.iter().fold(0_u64, |sum, &octet| sum << 8 | u64::from(octet)));
    }
    let lead = octets.iter().take_while(|&&octet| octet == 0).count();
    let digits = octets.get(lead..).ok_or(BerError::Integer)?;
    if digits.len() > 8 {
        return Err(BerError::Integer);
    }
    Ok(digits.iter().fold(0_u64, |sum, &octet| sum << 8 | u64::from(octet)))
}

/// Writes elements from the last to the first into one buffer.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    start: usize,
}

impl Writer {
    /// A writer with room for `capacity` octets before it has to grow.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buffer: vec![0; capacity], start: capacity }
    }

    /// Forgets what was written, keeps the memory.
    pub const fn clear(&mut self) {
        self.start = self.buffer.len();
    }

    /// How many octets have been written.
    pub const fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether nothing has been written.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What has been written.
    pub fn as_slice(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Puts raw octets in front.
    pub fn raw(&mut self, octets: &[u8]) {
        if octets.len() > self.start {
            self.grow(octets.len());
        }
        let from = self.start - octets.len();
        if let Some(room) = self.buffer.get_mut(from..self.start) {
            room.copy_from_slice(octets);
            self.start = from;
        }
    }

    fn grow(&mut self, needed: usize) {
        let more = (self.buffer.len()).max(needed).max(64);
        let mut larger = vec![0; self.buffer.len() + more];
        let from = self.start + more;
        if let Some(room) = larger.get_mut(from..) {
            room.copy_from_slice(self.as_slice());
        }
        self.buffer = larger;
        self.start = from;
    }

    /// Puts tag and length in front of what was written since `mark` (a [`Self::len`] taken before).
    pub fn wrap(&mut self, tag: u8, mark: usize) {
        let length = self.len() - mark;
        if length < 0x80 {
            self.raw(&[tag, length as u8]);
        } else {
            let octets = (length as u32).to_be_bytes();
            let lead = octets.iter().take_while(|&&octet| octet == 0).count();
            let digits = octets.get(lead..).unwrap_or_default();
            self.raw(digits);
            self.raw(&[tag, 0x80 | digits.len() as u8]);
        }
    }

    /// An element with the given contents.
    pub fn element(&mut self, tag: u8, contents: &[u8]) {
        let mark = self.len();
        self.raw(contents);
        self.wrap(tag, mark);
    }

    /// A two's complement integer in the fewest octets.
    pub fn signed(&mut self, tag: u8, value: i64) {
        let octets = value.to_be_bytes();
        let mut lead = 0;
        while let Some(&[a, b]) = octets.get(lead..lead + 2) {
            if (a == 0 && b & 0x80 == 0) || (a == 0xff && b & 0x80 != 0) {
                lead += 1;
            } else {
                break;
            }
        }
        self.element(tag, octets.get(lead..).unwrap_or_default());
    }

    /// An unsigned integer in the fewest octets, with a leading zero where the sign bit would be set.
    pub fn unsigned(&mut self, tag: u8, value: u64) {
        let mut octets = [0_u8; 9];
        if let Some(low) = octets.get_mut(1..) {
            low.copy_from_slice(&value.to_be_bytes());
        }
        let mut lead = 0;
        while let Some(&[a, b]) = octets.get(lead..lead + 2) {
            if a == 0 && b & 0x80 == 0 {
                lead += 1;
            } else {
                break;
            }
        }
        self.element(tag, octets.get(lead..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_from_the_wire() {
        for value in [0, 1, -1, 127, 128, -128, -129, 255, 256, 65_535, i64::from(i32::MIN), i64::MAX, i64::MIN] {
            let mut writer = Writer::with_capacity(2);
            writer.signed(INTEGER, value);
            assert_eq!(Reader::new(writer.as_slice()).integer(), Ok(value));
        }
        for value in [0, 1, 127, 128, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let mut writer = Writer::default();
            writer.unsigned(0x46, value);
            let contents = Reader::new(writer.as_slice()).expect_tag(0x46).unwrap();
            assert_eq!(unsigned(contents), Ok(value));
        }
    }

    #[test]
    fn counters_above_two_to_31_are_read_with_and_without_the_leading_zero() {
        assert_eq!(unsigned(&[0xff, 0xff, 0xff, 0xfe]), Ok(4_294_967_294));
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xfe]), Ok(4_294_967_294));
        assert_eq!(unsigned(&[]), Err(BerError::Integer));
        assert_eq!(unsigned(&[1; 9]), Err(BerError::Integer));
    }

    #[test]
    fn long_lengths_are_written_and_read() {
        for size in [0, 127, 128, 255, 256, 70_000] {
            let mut writer = Writer::with_capacity(16);
            writer.element(OCTET_STRING, &vec![7; size]);
            assert_eq!(Reader::new(writer.as_slice()).expect_tag(OCTET_STRING).unwrap().len(), size);
        }
    }

    #[test]
    fn hostile_lengths_are_refused() {
        assert_eq!(Reader::new(&[0x30, 0x80, 0, 0]).element(), Err(BerError::Length));
        assert_eq!(Reader::new(&[0x30, 0x85, 1, 1, 1, 1, 1]).element(), Err(BerError::Length));
        assert_eq!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).element(), Err(BerError::Truncated));
        assert_eq!(Reader::new(&[0x30]).element(), Err(BerError::Truncated));
    }
}
