//! The state machine of reachability: from what became of single probes and checks to findings. Pure: times come in,
//! effects go out; [`Judge::next_deadline`] says when it wants to be asked again.
//!
//! * A host is *suspected* when k of its last n probes failed. Then it, everything it stands behind, and our own gateway
//!   are probed again at once; only when those probes are through it is decided.
//! * First the question is whether it is we: no link, or a gateway that used to answer is silent and nobody beyond it
//!   answers. Then we are blind, say so once, and accuse nobody.
//! * Then whether something it stands behind is dead: the host is *unreachable behind* the first dead one on the way.
//! * Only then it is *down*. Down and up have counts of their own.

mod judge;
mod service;
mod tell;
mod tracker;

pub use judge::{Effect, Judge, Watch};
pub use service::{Certificate, Checked, Fault, ServiceId, ServiceThresholds, ServiceWatch};
pub use tracker::{Of, Phase, Thresholds};

#[cfg(test)]
mod tests;
