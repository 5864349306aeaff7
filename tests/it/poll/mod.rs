//! What is asked of a device and what is made of its answers, against agents in memory.

mod faults;
mod harness;
mod recordings;
mod rules;
