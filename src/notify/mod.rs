//! The notify room: from a change of an incident to the person who has to know of it.
//!
//! The walk of one notice: [`Outbox::enqueue`] writes it in the transaction of the incident's change → `store::plan` asks the
//! pure [`route`] who is told and when, and puts it into a [`delivery`] for each → the [`driver`] takes what is due, finds who
//! is on duty at that moment, writes the message, marks it as on its way on the disk, and hands it over → what the other side
//! says decides what becomes of it. Nothing is sent twice but what may or may not have arrived, and that bears a mark.

pub mod delivery;
pub mod outbox;
pub mod roster;
pub mod route;
pub mod store;

pub use outbox::Outbox;
pub use roster::{People, Roster};
