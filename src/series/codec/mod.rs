//! The form of samples on disk: columns of whole numbers as differences, packed to the bits they need (frame of
//! reference), with the few that need more kept apart. Lossless for every u64. One blob holds a codec id, its content
//! and a CRC-32C; what does not check is an error, never a wrong number.

pub mod block;
pub mod cells;
pub mod column;
pub mod poll;
pub mod wire;

/// The largest number of polls or rows a blob may claim; a guard for the decoder, far above any real block.
pub const MOST_ROWS: usize = 1 << 16;

/// Why a blob cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// It ends before its content does.
    #[error("the block ends too early")]
    Short,
    /// Its CRC-32C does not fit its content.
    #[error("the block's checksum does not fit: the file is damaged")]
    Checksum,
    /// Written by a later version.
    #[error("the block was written in form {0}, which this version does not know")]
    Codec(u8),
    /// Its content contradicts itself.
    #[error("the block contradicts itself: {0}")]
    Contradiction(&'static str),
}

#[cfg(test)]
mod tests;
