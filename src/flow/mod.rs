//! The flow room: what exporters (routers, probes) tell about traffic that no mirror port shows.
//!
//! [`record`] is the one form in which a flow reaches the detectors, whichever protocol told it.

#![warn(clippy::indexing_slicing)]

pub mod record;
