//! The accounts room: who somebody is, and what that person may.
//!
//! Persons and accounts are apart: a person may have several accounts, roles hang on accounts, and what excludes what is
//! judged over all accounts of the person. Everything that changes is written to the journal in the same transaction.
//!
//! The walk of a login: [`Accounts::login`] asks [`limit`](Limits) whether this source may try → argon2id on a blocking
//! thread, for accounts that do not exist too → the code, when the account has a second factor → a session whose token only
//! the browser has → the journal. Each later request shows the token; [`Accounts::session`] makes an [`Identity`] of it
//! with exactly the [`Permissions`] that the matrix gives its roles.

mod driver;
mod error;
mod identity;
mod limit;
pub mod password;
mod permission;
mod sessions;
mod signature;
mod store;
mod token;
pub mod totp;

pub use crate::model::Role;
pub use driver::{Accounts, Counts, LoggedIn, LoginAttempt, LoginRefusal, Rules};
pub use error::AccountError;
pub use identity::{Held, Identity};
pub use limit::{Leave, Limits};
pub use permission::{Permission, Permissions, SEPARATE, clash, granted, is_separate};
pub use sessions::{ABSOLUTE, FIRST_LINK, IDLE, SessionRow, TokenRow, add_token, first_link, list_tokens, revoke_token, use_first_link};
pub use signature::{Proposal, THREE, VOID_AFTER, decline, give, make, needs_second, proposals, propose, sign};
pub use store::{
    AccountRow, NewAccount, add, apply, change_password, find, grant, has_administrator, list, revoke, set_disabled, violations,
};
pub use token::{NoRandomness, Token, TokenHash, same};

#[cfg(test)]
mod tests;
