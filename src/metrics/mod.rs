//! The metrics room: what Prometheus scrapes.
//!
//! `/metrics` is the program itself ([`own`]) and one small group of series per device ([`devices`]); `/metrics/ports` are
//! the ports' counters, streamed straight from the live table ([`ports`]), because a registry that copies a million series
//! costs a hundred times as much; `/metrics/targets` lists the devices for Prometheus' HTTP service discovery
//! ([`targets`]). [`router`] serves the three; keep it outside any compression layer, which would cost ten times the
//! encoding itself.

mod access;
mod block;
mod capture;
mod detect;
pub mod devices;
mod families;
mod flow;
mod http;
mod incident;
mod labels;
mod notify;
pub mod own;
mod ping;
pub mod ports;
mod recording;
mod tables;
pub mod targets;
mod text;
mod traps;
pub mod vitals;

pub use access::AccessCollector;
pub use block::BlockCollector;
pub use capture::CaptureCollector;
pub use detect::DetectCollector;
pub use flow::FlowCollector;
pub use http::{Metrics, router};
pub use incident::IncidentCollector;
pub use notify::NotifyCollector;
pub use own::OwnMetrics;
pub use ping::PingCollector;
pub use recording::RecordingCollector;
pub use tables::{SiteFacts, TableCollector};
pub use text::Form;
pub use traps::TrapCollector;
pub use vitals::Vitals;
