//! The ping room: who answers, how fast, and whether it is they or we who do not reach the network.
//!
//! The walk of one probe: the [`schedule`] says that it is due; the [`prober`]'s thread stamps it and sends it through the
//! [`socket`]; the kernel stamps the reply; [`codec`] reads it; the schedule matches it by the mark it carries and tells
//! what became of it. Five make a [`round`], which goes to the series.

pub mod codec;
pub mod prober;
pub mod round;
pub mod schedule;
pub mod socket;
mod steady;
mod sys;
