//! The SNMP room: the wire to the switches.
//!
//! * [`ber`], [`oid`], [`value`], [`message`]: the v1/v2c codec (pure, no allocation when decoding, fuzzed).
//! * [`job`]: a conversation with one device as a state machine without I/O; [`job::Transport`] is what carries it.
//! * [`udp`]: the transport for all versions; [`v3`]: users, keys and engines; [`ask`]: awaiting one conversation.
//! * [`poll`]: what is asked of a device and when; [`set`]: what is changed on it.
//! * [`trap`]: what devices send by themselves.
//! * [`tables`]: what the tables of bridges, neighbours and addresses mean.
//!
//! The walk of one datum: a [`job::Job`] says what to ask, a transport wraps it into a message, sends it, accepts the
//! one right answer and hands its varbinds back to the job, which in the end gives a `model::observe` value upwards.

#![warn(clippy::indexing_slicing)]

pub mod ask;
pub mod ber;
pub mod job;
pub mod message;
pub mod oid;
pub mod poll;
pub mod set;
pub mod tables;
#[cfg(test)]
mod tests;
pub mod trap;
pub mod udp;
pub mod v3;
pub mod value;
