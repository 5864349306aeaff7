//! The octets of a file through one buffer, decompressed when they are gzip (RFC 1952).

use std::io::{self, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::Trouble;

/// What is read at once.
const BUFFER: usize = 1 << 20;
/// The longest block that is believed, octets; tcpdump's own limit for a frame is 256 KiB.
pub const LARGEST: usize = 16 << 20;

pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not yet taken.
    from: usize,
    to: usize,
    /// Where `from` stands in the file.
    offset: u64,
    /// Frames that were told, for the error's text.
    pub(super) packets: u64,
}

impl Source {
    pub(super) fn new(mut reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut start = [0; 2];
        let length = read_full(&mut reader, &mut start)?;
        let start = io::Cursor::new(start.get(..length).unwrap_or_default().to_vec()).chain(reader);
        let is_gzip = start.get_ref().0.get_ref().as_slice() == [0x1f, 0x8b];
        let reader: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(BUFFER / 4, start))) } else { Box::new(start) };
        Ok(Self { reader, buffer: vec![0; BUFFER], from: 0, to: 0, offset: 0, packets: 0 })
    }

    /// Whether so many octets are there to be looked at; `false` at the very end of the file.
    ///
    /// # Errors
    /// The file ends before them, though not at once; or it cannot be read.
    #[inline]
    pub(super) fn have(&mut self, octets: usize) -> Result<bool, Trouble> {
        if self.to - self.from >= octets { Ok(true) } else { self.fill(octets) }
    }

    #[cold]
    fn fill(&mut self, octets: usize) -> Result<bool, Trouble> {
        if octets > LARGEST {
            return Err(self.damaged());
        }
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        if octets > self.buffer.len() {
            self.buffer.resize(octets.next_power_of_two(), 0);
        }
        while self.to < octets {
            match self.reader.read(self.buffer.get_mut(self.to..).unwrap_or_default()) {
                Ok(0) if self.to == 0 => return Ok(false),
                Ok(0) => return Err(self.cut_off()),
                Ok(length) => self.to += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A gzip file that was cut off.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(self.cut_off()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The octets that [`Self::have`] found, at a distance from the point that is reached.
    #[inline]
    pub(super) fn ahead<const N: usize>(&self, distance: usize) -> [u8; N] {
        self.buffer.get(self.from + distance..self.to).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
    }

    /// Goes on by so many octets and says where in the buffer they stand.
    #[inline]
    pub(super) fn take(&mut self, octets: usize) -> usize {
        let at = self.from;
        self.from = (self.from + octets).min(self.to);
        self.offset += octets as u64;
        at
    }

    /// Goes on by so many octets without looking at them; they need not fit into the buffer.
    pub(super) fn skip(&mut self, octets: usize) -> Result<(), Trouble> {
        let mut left = octets;
        loop {
            let step = left.min(BUFFER);
            if step == 0 {
                return Ok(());
            }
            if !self.have(step)? {
                return Err(self.cut_off());
            }
            self.take(step);
            left -= step;
        }
    }

    /// What stands in the buffer.
    #[inline]
    pub(super) fn octets(&self, from: usize, to: usize) -> &[u8] {
        self.buffer.get(from..to).unwrap_or_default()
    }

    pub(super) const fn cut_off(&self) -> Trouble {
        Trouble::CutOff { offset: self.offset, packets: self.packets }
    }

    pub(super) const fn damaged(&self) -> Trouble {
        Trouble::Damaged { offset: self.offset, packets: self.packets }
    }
}

/// Fills the buffer as far as there is something.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Numbers of a file, whose byte order its first octets tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    #[inline]
    pub(super) const fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    #[inline]
    pub(super) const fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }
}
