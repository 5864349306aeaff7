//! The ping room: who answers, how fast, and whether it is they or we who do not reach the network.
//!
//! The walk of one probe: the [`schedule`] says that it is due; the [`prober`] stamps it and sends it through the
//! [`socket`]; the kernel stamps the reply; [`codec`] reads it; the schedule matches it by the mark it carries and tells
//! what became of it. Five make a [`round`], which goes to the series by its [`column`]s. The [`state`] machine judges each
//! probe: suspects, asks again, and tells findings. [`driver`] is the thread in which all of this turns; [`check`] looks
//! at services beside it; [`live`] is the table that everybody else reads.

pub mod check;
pub mod codec;
pub mod column;
pub mod driver;
pub mod link;
pub mod live;
pub mod now;
pub mod prober;
pub mod round;
pub mod schedule;
pub mod socket;
pub mod state;
mod steady;
pub mod store;
mod sys;
