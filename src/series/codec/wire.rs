//! The bytes under all blobs: variable-length numbers, a reader that cannot run past its end, and the frame
//! `codec id, content, crc32c`.

use super::DecodeError;

/// Reads a blob from front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of bare content.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Opens a framed blob: checks the CRC-32C at its end and the codec id at its front.
    pub fn open(blob: &'a [u8], codec: u8) -> Result<Self, DecodeError> {
        let (content, sum) = blob.split_last_chunk::<4>().ok_or(DecodeError::Short)?;
        if crc32c::crc32c(content) != u32::from_le_bytes(*sum) {
            return Err(DecodeError::Checksum);
        }
        let mut reader = Self { rest: content };
        match reader.byte()? {
            id if id == codec => Ok(reader),
            id => Err(DecodeError::Codec(id)),
        }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) = self.rest.split_first().ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(first)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next two bytes as a bit set.
    pub fn mask(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// A number in LEB128 of at most ten bytes.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(DecodeError::Contradiction("a number beyond 64 bits"));
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Contradiction("a number beyond ten bytes"))
    }

    /// A signed number.
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        self.varint().map(unzigzag)
    }

    /// A number of things, at most `most`.
    pub fn count(&mut self, most: usize) -> Result<usize, DecodeError> {
        usize::try_from(self.varint()?).ok().filter(|&count| count <= most).ok_or(DecodeError::Contradiction("a count beyond its bound"))
    }

    /// Nothing may be left.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Contradiction("bytes left over")) }
    }
}

/// Starts a framed blob.
pub fn begin(codec: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.push(codec);
    out
}

/// Ends a framed blob.
pub fn seal(mut out: Vec<u8>) -> Vec<u8> {
    let sum = crc32c::crc32c(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Appends a number in LEB128.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, small magnitudes in few bytes.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, zigzag(value));
}

/// 0, -1, 1, -2 ... as 0, 1, 2, 3 ...
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends flags as bits, the first in the lowest bit.
pub fn put_bits(out: &mut Vec<u8>, flags: impl Iterator<Item = bool>) {
    let (mut byte, mut filled) = (0_u8, 0_u32);
    for flag in flags {
        byte |= u8::from(flag) << filled;
        filled += 1;
        if filled == 8 {
            out.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    if filled > 0 {
        out.push(byte);
    }
}

/// The flag at `at` of bits written by [`put_bits`]; false past their end.
pub fn bit(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}
