//! The daemon room: everything that runs, under one supervisor.
//!
//! * [`serve()`]: builds the house from its settings, runs it, takes it down in order; [`demo()`] does so for the simulated campus.
//! * `flow`: the line that samples walk, poller → ports → series; `reload`: SIGHUP; `vitals`: what is told to Prometheus.
//! * `block`: the desk that cuts machines off, with the eyes and hands of this house.
//! * `tables`: who sits where, the rules over that, the facts of the site; `ourselves`: this machine in its networks.
//! * [`supervise`]: tasks and threads, started again when they panic, told to stop in two stages, drained within a deadline.
//! * [`liveness`]: loops beat; [`systemd`] pings its watchdog only while they do.
//! * [`signals`]: stop and reload.

mod access;
pub mod backoff;
mod baseline;
mod block;
mod capture;
mod demo;
mod detect;
mod error;
mod flow;
mod flows;
mod incident;
mod inventory;
pub mod liveness;
mod memory;
mod notify;
mod ourselves;
mod past;
mod ping;
mod reload;
mod serve;
pub mod signals;
pub mod supervise;
pub mod systemd;
mod tables;
mod tables_judge;
mod traps;
mod view;
mod vitals;

pub use demo::{DemoOptions, demo};
pub use error::DaemonError;
pub use inventory::{access, target};
pub use ourselves::{ourselves, stands_on_both_sides};
pub use serve::{ServeOptions, SetLogFilter, serve};
