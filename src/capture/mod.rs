//! The capture room: what passes on the wire, read from a mirror port or from a file.
//!
//! The walk of one frame: a file ([`file`]) lends its octets with their time and [`link`] type → [`headers`] takes the
//! headers off → as a [`packet::Packet`] it reaches the detectors, wherever it came from.

#![warn(clippy::indexing_slicing)]

pub mod file;
pub mod headers;
pub mod link;
pub mod packet;
pub mod payload;
