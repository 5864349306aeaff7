//! The location room: which machine sits where. What bridges have learnt (forwarding databases), what routers have resolved
//! (ARP and neighbour caches), and who the neighbours of each device are (LLDP, CDP, spanning tree).
//!
//! The walk of a reading: [`pace`] (pure) says that a device is due and how long there is until its next poll → [`driver`] has
//! the transport walk its tables in that time, and goes on after the poll where it has not come to the end → [`merge`] (pure)
//! lays what was seen over what was known: what a broken walk did not show is not gone → [`Tables`] has the new snapshot.
//! [`find`] (pure) says where a machine sits by all of them, with its reasons and the rivals; [`fresh`] asks one switch again
//! just before somebody acts on that.

#![warn(clippy::indexing_slicing)]

pub mod class;
pub mod driver;
pub mod find;
pub mod fresh;
pub mod layout;
pub mod merge;
pub mod pace;
pub mod seek;
pub mod store;
pub mod table;

pub use find::{Candidate, Found, PortKind, Reason, Scene};
pub use table::{Binding, ByPort, DeviceTables, Interface, Neighbour, Place, Seat, Tables};
