//! The daemon room: everything that runs, under one supervisor.
//!
//! * [`supervise`]: tasks and threads, started again when they panic, told to stop in two stages, drained within a deadline.
//! * [`liveness`]: loops beat; [`systemd`] pings its watchdog only while they do.
//! * [`signals`]: stop and reload.

pub mod backoff;
pub mod liveness;
pub mod signals;
pub mod supervise;
pub mod systemd;
