//! The capture room: what passes on the wire, read from a mirror port or from a file.
//!
//! [`packet`] is the one form in which a frame reaches the detectors, wherever it came from.

#![warn(clippy::indexing_slicing)]

pub mod packet;
pub mod payload;
