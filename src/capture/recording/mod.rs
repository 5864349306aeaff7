//! "Capture now" as people meet it: somebody asks for the frames of one host and says why, a second person allows it, the
//! [`tap`](super::tap) records, and the file is kept for thirty days unless somebody holds it for longer.
//!
//! What may follow on what is pure ([`life`]); the record with its event in the journal is one transaction ([`store`]); the
//! [`Desk`] takes what people want and gives files out; its [`Desk::run`] records, and deletes what is due.

mod desk;
mod driver;
mod files;
pub mod life;
pub mod store;

pub use desk::{Ask, Desk, DeskError, Rules, Summary};
pub use life::{Approval, Counts, Deed, Fault, Recording, Refused, State, Why};
