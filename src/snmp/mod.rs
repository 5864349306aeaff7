//! The SNMP room: the wire to the switches.
//!
//! * [`ber`], [`oid`], [`value`], [`message`]: the v1/v2c codec (pure, no allocation when decoding, fuzzed).
//! * [`job`]: a conversation with one device as a state machine without I/O; [`job::Transport`] is what carries it.
//!
//! The walk of one datum: a [`job::Job`] says what to ask, a transport wraps it into a message, sends it, accepts the
//! one right answer and hands its varbinds back to the job, which in the end gives a `model::observe` value upwards.

pub mod ber;
pub mod job;
pub mod message;
pub mod oid;
pub mod value;
