//! The incidents room: what is wrong, since when, because of what, and who looks after it.
//!
//! The walk of a finding: a judge (reachability, the rules over the live table, traps, baselines, detection) says that a rule holds for
//! a subject → [`engine`] (pure) gives it its place: a new incident, part of one that is open, or child of its root cause →
//! incident, log entry and notices are written in one transaction → pages, the stream and the mail tell it.

pub mod behaviour;
pub mod board;
pub mod driver;
pub mod engine;
pub mod family;
mod hall;
pub mod record;
pub mod rules;
pub mod scope;
pub mod store;
pub mod traps;
pub mod windows;

pub use board::Board;
pub use driver::{Desk, Driver, OrderError, Setup};
pub use hall::Hall;
pub use store::{Archive, Notices};
