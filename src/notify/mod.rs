//! The notify room: from a change of an incident to the person who has to know of it.
//!
//! The walk of one notice: [`Outbox::enqueue`] writes it in the transaction of the incident's change → `store::plan` asks the
//! pure [`route`] who is told and when, and puts it into a [`delivery`] for each → the [`driver`] takes what is due, finds who
//! is on duty at that moment, writes the message, marks it as on its way on the disk, and hands it over → what the other side
//! says decides what becomes of it. Nothing is sent twice but what may or may not have arrived, and that bears a mark.

pub mod delivery;
pub mod driver;
pub mod hook;
pub mod http;
pub mod letter;
pub mod list;
pub mod mail;
pub mod outbox;
pub mod roster;
pub mod route;
pub mod smtp;
pub mod store;
pub mod templates;
pub mod trial;
mod watch;

pub use driver::{Pictures, Proof, Sender, Setup, Wiring};
pub use outbox::Outbox;
pub use roster::{People, Roster};
pub use templates::{TemplateError, Templates};
