//! The ports room: what the counters mean. Identity through renumbering, rates from the agent's own uptime, resets and
//! wraps told apart, and the live table that pages, metrics and alarms read.
pub mod clocks;
pub mod identity;
pub mod live;
pub mod rates;
pub mod speed;
pub mod timeline;
