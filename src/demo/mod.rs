//! The demo: a small living campus on loopback, for people who want to see netroom before they own a switch, and for
//! tests and benches that need devices which answer.
//!
//! * [`agent`]: an SNMP v1/v2c agent over any [`agent::Mib`]: the campus, a recorded walk, a table made by a test; with
//!   faults on demand.
//! * [`campus`]: twelve switches whose counters are a pure function of time, as agents and as a history of polls.
//! * [`mirror`]: frames as a mirror port of that campus would show them.
//! * [`chance`]: the numbers behind faults and campus, the same on every machine.
//!
//! The walk of one datum: a poller's datagram comes to [`agent::serve`], [`agent::respond`] decodes it and asks the
//! `Mib` for each name at one moment, and [`agent::Faults`] may spoil the answer before it goes back.

pub mod agent;
pub mod campus;
pub mod chance;
pub mod mirror;
