//! What is asked of a device and what is made of its answers, against agents in memory.

mod faults;
mod harness;
pub(crate) mod recordings;
mod rules;
