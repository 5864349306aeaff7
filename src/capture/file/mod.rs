//! Captures from files: pcap (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html) and pcapng
//! (draft-ietf-opsawg-pcapng), of either byte order, plain or compressed with gzip; told by content, never by name.
//!
//! Frames are lent from one large buffer, so a file of any size is read in little memory and nothing is copied twice.

mod pcap;
mod pcapng;
mod source;
mod write;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use source::LARGEST;
use source::Source;
pub use write::Writer;

use super::headers;
use super::link::{Link, UnknownLink};
use super::packet::{Nanos, Packet};

/// A file of frames. See [`Self::next`].
pub struct Capture {
    path: PathBuf,
    source: Source,
    format: Format,
}

/// One frame as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it passed.
    pub at: Nanos,
    /// Its length on the wire.
    pub wire_octets: u32,
    /// What its first octets are.
    pub link: Link,
    /// As much of it as was captured.
    pub octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Its headers.
    #[inline]
    pub fn parse(&self) -> Packet<'a> {
        headers::parse(self.at, self.wire_octets, self.link, None, self.octets)
    }
}

/// Why a file cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; part of the message above.
    pub what: Trouble,
}

/// What is wrong with a file. Offsets count from the front of the file as it is when it is not compressed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It cannot be opened or read, or is no good gzip.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is neither a pcap nor a pcapng file, nor one of these in gzip")]
    Strange,
    /// It ends in the middle of something.
    #[error("it is cut off at offset {offset}: {packets} packets before it were whole")]
    CutOff {
        /// Where the part that is not whole begins.
        offset: u64,
        /// How many packets were read.
        packets: u64,
    },
    /// A length in it cannot be.
    #[error("it is damaged at offset {offset}: {packets} packets before it were whole")]
    Damaged {
        /// Where the damaged part begins.
        offset: u64,
        /// How many packets were read.
        packets: u64,
    },
    /// Its frames are of a kind that is not read.
    #[error(transparent)]
    Link(#[from] UnknownLink),
}

enum Format {
    Pcap(pcap::Layout),
    Pcapng(pcapng::Sections),
}

/// Where a frame stands in the source's buffer.
struct Spot {
    at: Nanos,
    wire_octets: u32,
    link: Link,
    from: usize,
    to: usize,
}

impl Capture {
    /// Opens a file and reads its head.
    ///
    /// # Errors
    /// It cannot be read, or is no capture.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let wrap = |what| FileError { path: path.to_owned(), what };
        let file = File::open(path).map_err(|error| wrap(error.into()))?;
        Self::from_reader(path, file)
    }

    /// The same from anything that can be read; `path` is its name in errors.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_reader(path: &Path, reader: impl Read + Send + 'static) -> Result<Self, FileError> {
        let wrap = |what| FileError { path: path.to_owned(), what };
        let mut source = Source::new(Box::new(reader)).map_err(|error| wrap(error.into()))?;
        let format = format(&mut source).map_err(wrap)?;
        Ok(Self { path: path.to_owned(), source, format })
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// The file is cut off or damaged here: everything before has been told.
    #[expect(clippy::should_implement_trait, reason = "what is lent from the buffer cannot be an iterator's item")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FileError> {
        let spot = match &mut self.format {
            Format::Pcap(layout) => layout.next(&mut self.source),
            Format::Pcapng(sections) => sections.next(&mut self.source),
        };
        match spot {
            Ok(Some(Spot { at, wire_octets, link, from, to })) => {
                self.source.packets += 1;
                let octets = self.source.octets(from, to);
                Ok(Some(Frame { at, wire_octets, link, octets }))
            }
            Ok(None) => Ok(None),
            Err(what) => Err(FileError { path: self.path.clone(), what }),
        }
    }

    /// How many frames have been read.
    pub const fn packets(&self) -> u64 {
        self.source.packets
    }
}

fn format(source: &mut Source) -> Result<Format, Trouble> {
    let Ok(true) = source.have(4) else { return Err(Trouble::Strange) };
    if let Some(layout) = pcap::Layout::read(source)? {
        return Ok(Format::Pcap(layout));
    }
    pcapng::Sections::read(source)?.map(Format::Pcapng).ok_or(Trouble::Strange)
}

#[cfg(test)]
mod tests;
