//! The network room in one program. The rooms (modules) stand on floors and use only floors below their own;
//! `tests/house` reads the `use crate::` edges and holds them to that. See `docs/ARCHITECTURE.md`.

// Floor 0: vocabulary.
pub mod accounts;
pub mod calendar;
pub mod config;
pub mod i18n;
pub mod journal;
pub mod model;
pub mod store;
// Floor 1: the wire.
pub mod capture;
pub mod flow;
pub mod ping;
pub mod snmp;
// Floor 2: understanding.
pub mod detect;
pub mod graph;
pub mod locate;
pub mod ports;
pub mod series;
// Floor 3: what decides and tells.
pub mod block;
pub mod incident;
pub mod notify;
// Floor 4: the ways in and out.
pub mod metrics;
pub mod web;
// Floor 5: the only places that see everything.
pub mod cli;
pub mod daemon;
pub mod demo;
