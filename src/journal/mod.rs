//! The journal: everything that is said or done, one chain of events that shows every later change of itself.
//!
//! The walk of one event: a room calls [`append`] inside the transaction of its own change, with who did what to whom and a
//! payload → the payload is written in canonical form and digested with a salt of its own → the header with that digest
//! is hashed together with the hash of the event before → both are inserted, and triggers refuse to change them ever after.
//! [`verify`] walks the chain again; [`Anchor`]s kept elsewhere (mail, paper) show what a chain alone cannot: that its end
//! was cut off, or that all of it was written anew. A payload may be [destroyed](destroy) lawfully; the headers still verify.

mod canonical;
mod chain;
mod event;
mod export;
mod heads;
mod recorded;
mod row;
mod store;
mod verify;

pub use event::{Actor, Entry, Flags, Stamp, Via};
pub use export::{ExportError, export};
pub use heads::{HEAD_ACTION, next_head};
pub use recorded::{Recorded, about, latest, newest};
pub use store::{DestroyError, GENESIS, append, append_head, destroy, head, last_head_at};
pub use verify::{Anchor, AnchorError, Fault, Report, VerifyError, verify};

#[cfg(test)]
mod tests;
