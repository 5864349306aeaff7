//! "Capture now": the frames of one host, whole, from now on for a minute or until the file is full. It has rings of its own,
//! so what the detectors see stays as short as it is, and the kernel itself picks the host's frames out.
//!
//! The file is pcap and can be opened at every moment, also after a crash: what was written stands there whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use super::file::Writer;
use super::filter;
pub use super::filter::{Host, NoHost};
use super::interfaces;
use super::packet::Nanos;
use super::ring::{self, Frame, Ring};
use crate::model::clock;

/// The longest recording.
pub const LONGEST: Duration = Duration::from_secs(60);
/// The largest file, octets.
pub const MOST_OCTETS: u64 = 64 << 20;
/// Blocks of each ring: a second of two hundred megabits.
const BLOCKS: usize = 24;

/// What is to be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Whose frames.
    pub host: Host,
    /// On which interfaces.
    pub interfaces: Vec<Arc<str>>,
    /// Whether frames for others are wanted, as on a mirror port.
    pub promiscuous: bool,
    /// For how long; never longer than [`LONGEST`].
    pub longest: Duration,
    /// How long the file may become; never longer than [`MOST_OCTETS`].
    pub most_octets: u64,
}

/// What was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Frames in the file.
    pub packets: u64,
    /// Octets of the file.
    pub octets: u64,
    /// Frames of the host for which there was no room.
    pub dropped: u64,
    /// The first frame's time.
    pub first: Option<Nanos>,
    /// The last one's.
    pub last: Option<Nanos>,
    /// Whether the file was full before the time was over.
    pub is_full: bool,
}

/// Why nothing could be recorded.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// There is nothing to listen at.
    #[error("no interface is watched: name one in capture.interfaces")]
    NoInterface,
    /// An interface is missing.
    #[error("there is no interface {0}")]
    Missing(Arc<str>),
    /// An interface cannot be listened at.
    #[error("{interface} cannot be watched: {error}; it needs CAP_NET_RAW")]
    Refused {
        /// Which one.
        interface: Arc<str>,
        /// The system's word, part of the message.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The system's word, part of the message.
        error: io::Error,
    },
}

/// Records into a new file that only its owner can read, until the time is over, the file is full, or the token says so.
///
/// # Errors
/// There is nothing to listen at, or the file cannot be written.
pub fn take(order: &Order, path: &Path, token: &CancellationToken) -> Result<Taken, TapError> {
    let mut rings = open(order)?;
    let failed = |error| TapError::File { path: path.to_owned(), error };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut tape = Tape {
        writer: Writer::new(BufWriter::with_capacity(1 << 18, file)).map_err(failed)?,
        most_octets: order.most_octets.min(MOST_OCTETS),
        taken: Taken::default(),
    };
    let deadline = clock::monotonic() + order.longest.min(LONGEST);
    while !token.is_cancelled() && !tape.taken.is_full {
        let was_any = tape.turn(&mut rings).map_err(failed)?;
        let now = clock::monotonic();
        if now >= deadline {
            break;
        }
        if !was_any {
            tape.writer.flush().map_err(failed)?;
            driver::wait_any(&rings, deadline - now);
        }
    }
    tape.taken.dropped = rings.iter_mut().filter_map(|ring| ring.drops().ok()).map(|drops| drops.dropped).sum();
    tape.close().map_err(failed)
}

fn open(order: &Order) -> Result<Vec<Ring>, TapError> {
    if order.interfaces.is_empty() {
        return Err(TapError::NoInterface);
    }
    let there = interfaces::list();
    let ring = |name: &Arc<str>| {
        let interface = there.iter().find(|interface| *interface.name == **name).ok_or_else(|| TapError::Missing(Arc::clone(name)))?;
        let options = ring::Options {
            interface: interface.index,
            blocks: BLOCKS,
            promiscuous: order.promiscuous,
            fanout: None,
            filter: filter::only(order.host),
        };
        Ring::open(&options).map_err(|error| TapError::Refused { interface: Arc::clone(name), error })
    };
    order.interfaces.iter().map(ring).collect()
}

/// The file on its way.
struct Tape {
    writer: Writer<BufWriter<File>>,
    most_octets: u64,
    taken: Taken,
}

impl Tape {
    /// Takes one block of each ring; `false` when there was none.
    fn turn(&mut self, rings: &mut [Ring]) -> io::Result<bool> {
        let mut was_any = false;
        for ring in rings {
            let Some(block) = ring.block() else { continue };
            was_any = true;
            for frame in block.frames() {
                if !self.taken.is_full {
                    self.frame(&frame)?;
                }
            }
            ring.release();
        }
        Ok(was_any)
    }

    /// Writes one frame with the tag that the kernel had taken out of it.
    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let tag = frame.tag.map(|(id, control)| {
            let ([a, b], [c, d]) = (id.to_be_bytes(), control.to_be_bytes());
            [a, b, c, d]
        });
        let tag = tag.as_ref().map_or(&[][..], |tag| tag);
        let (addresses, rest) = frame.octets.split_at(frame.octets.len().min(12));
        let octets = (frame.octets.len() + tag.len()) as u64;
        if self.writer.octets() + 16 + octets > self.most_octets {
            self.taken.is_full = true;
            return Ok(());
        }
        self.writer.frame(frame.at, frame.wire_octets + tag.len() as u32, &[addresses, tag, rest])?;
        self.taken.packets += 1;
        self.taken.first.get_or_insert(frame.at);
        self.taken.last = Some(frame.at);
        Ok(())
    }

    /// Writes out what waits, down to the disk.
    fn close(self) -> io::Result<Taken> {
        let octets = self.writer.octets();
        let file = self.writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Taken { octets, ..self.taken })
    }
}
