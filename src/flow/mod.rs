//! The flow room: what exporters (routers, switches, probes) tell about traffic that no mirror port shows.
//!
//! The walk of one datagram: [`driver`] takes it from its socket and asks [`Allowed`] whether its sender may speak; [`Collector`]
//! (pure) sees by its first octets whether it is NetFlow v5 or v9, IPFIX or sFlow, reads it by what the same exporter has said
//! before (templates, sampling rates), and makes a [`record::Record`] of each flow; [`stats`] counts what came and what did
//! not; full batches go on to the detectors through one bounded queue.

#![warn(clippy::indexing_slicing)]

mod allowed;
mod bytes;
mod clock;
mod collector;
mod draft;
pub mod driver;
mod header;
mod netflow;
pub mod record;
mod sampling;
mod sequence;
mod sets;
mod sflow;
pub mod silence;
mod slot;
mod socket;
pub mod stats;
mod template;

pub use allowed::Allowed;
pub use collector::{Collector, Heard, Limits, Protocol};
pub use header::{Header, Link};
pub use socket::Listener;

#[cfg(test)]
mod tests;
