//! The capture room: what passes on the wire, read from a mirror port or from a file.
//!
//! The walk of one frame: the kernel writes it into a [`ring`], cut to what is read of it ([`mod@filter`]), or a file
//! ([`file`]) lends its octets → [`headers`] takes the headers off → as a [`packet::Packet`] it reaches the one judge, the
//! [`driver`]'s [`driver::Consumer`]. What became of each interface and its counts stand in [`live`]; [`tap`] records one
//! host's frames whole, beside all that, when people ask for it ([`recording`]).

#![warn(clippy::indexing_slicing)]

pub mod driver;
pub mod file;
mod filter;
pub mod headers;
pub mod interfaces;
pub mod link;
pub mod live;
pub mod packet;
pub mod payload;
pub mod recording;
pub mod ring;
pub mod silence;
mod sys;
pub mod tap;
