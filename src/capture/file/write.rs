//! Writing pcap, with times to the nanosecond, as tcpdump and Wireshark open it.

use std::io::{self, Write};

use crate::capture::packet::Nanos;

/// A pcap file of Ethernet frames on its way.
pub struct Writer<W> {
    inner: W,
    octets: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn new(mut inner: W) -> io::Result<Self> {
        // Magic for nanoseconds, version 2.4, time zone and accuracy (never used), longest frame, Ethernet.
        for word in [0xa1b2_3c4d_u32, 4 << 16 | 2, 0, 0, 262_144, 1] {
            inner.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { inner, octets: 24 })
    }

    /// Writes one frame of `wire_octets`, given in parts, which may be less than the whole.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn frame(&mut self, at: Nanos, wire_octets: u32, parts: &[&[u8]]) -> io::Result<()> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let seconds = u32::try_from(at.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let nanos = u32::try_from(at.0 % 1_000_000_000).unwrap_or(0);
        for word in [seconds, nanos, u32::try_from(length).unwrap_or(u32::MAX), wire_octets] {
            self.inner.write_all(&word.to_le_bytes())?;
        }
        parts.iter().try_for_each(|part| self.inner.write_all(part))?;
        self.octets += 16 + length as u64;
        Ok(())
    }

    /// Writes out what waits.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// How long the file is so far.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Writes out what waits, and gives the writer below back.
    ///
    /// # Errors
    /// What the writer below says.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush()?;
        Ok(self.inner)
    }
}
