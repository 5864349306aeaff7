//! An SNMP v1/v2c agent (RFC 1157, RFC 3416) for the demo and for tests: read-only, over any [`Mib`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use netroom::demo::agent::{Agent, Recording, Running};
//! let walk = Recording::parse(b"1.3.6.1.2.1.1.5.0|4|sw-a1\n");
//! let running = Running::start(vec![Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(walk))])?;
//! println!("answers on {}", running.addresses()[0]);
//! # Ok::<(), std::io::Error>(())
//! ```

mod datum;
mod faults;
mod mib;
mod recording;
mod respond;
mod serve;

pub use datum::Datum;
pub use faults::{Delivery, Endless, Faults, Looping, Source, Spoiler};
pub use mib::{Mib, Missing, Table};
pub use recording::Recording;
pub use respond::{Manners, respond};
pub use serve::{Agent, Bound, Clock, Running, bind, serve};
