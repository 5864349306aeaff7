//! The blocking room: how a machine is cut off, and given back.
//!
//! The walk of a case: something names a machine (a detection that is block-worthy, a person) → it is located → [`gate`] (pure)
//! says yes, no, or who has to be asked, by the rails of `docs/OPERATIONS.md` → only a yes makes a [`Permit`], and only a
//! permit moves an actuator → what was read before, what was set and what was read back stand in the case and in the journal.

#![warn(clippy::indexing_slicing)]

pub mod actuator;
pub mod case;
pub mod counter;
pub mod desk;
pub mod gate;
pub mod hold;
pub mod limit;
pub mod note;
pub mod observation;
pub mod order;
pub mod shield;
pub mod store;
pub mod tally;
pub mod work;

pub use case::{Case, Phase, Wish};
pub use counter::Counter;
pub use gate::{Decision, Permit};
pub use observation::Observation;
pub use order::{CaseId, Order, SessionChange, Spot, Verb};
