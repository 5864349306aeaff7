//! Why something about accounts is not done.

use super::password::PasswordError;
use super::token::NoRandomness;
use crate::model::Role;
use crate::store::StoreError;

/// Why a change was refused. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// No account has this name.
    #[error("there is no account named `{0}`; `netroom user list` names them")]
    NoAccount(String),
    /// The name is taken.
    #[error("an account named `{0}` exists already; take another name")]
    Taken(String),
    /// A name that logins cannot have.
    #[error("`{0}` cannot be the name of an account: 2 to 32 small letters, digits, `.`, `-` and `_`, with a letter in front")]
    BadLogin(String),
    /// A person without a name.
    #[error("the person's name is empty or longer than 64 characters")]
    BadPerson,
    /// Two roles that one person must not hold together.
    #[error(
        "{person} holds the role {held} and may not hold {wanted} too: the two exclude each other for one person, whatever the account (three-member separation)"
    )]
    Separate {
        /// Whose roles.
        person: String,
        /// The role held, in this or another account.
        held: Role,
        /// The role asked for.
        wanted: Role,
    },
    /// One person would give both signatures, or sign for itself.
    #[error("the second signature must be that of another person than the one who proposed it and the one who is to hold the role")]
    SamePerson,
    /// The role is not held.
    #[error("`{0}` does not hold the role {1}")]
    NotHeld(String, Role),
    /// A token that could do more than it should.
    #[error("{0}")]
    BadToken(&'static str),
    /// The session, token or link does not exist or has expired.
    #[error("it does not exist any more: it was used, revoked, or has expired")]
    Gone,
    /// The one-time code does not fit.
    #[error("the code does not fit; see that the clocks of telephone and server are right")]
    WrongCode,
    /// The present password does not fit.
    #[error("the present password is not right")]
    WrongPassword,
    /// Too many wrong answers.
    #[error("too many wrong answers; try again in {0} minutes")]
    Locked(u64),
    /// The role that the account holds wants a second factor.
    #[error("a role of this account requires a second factor; it cannot be taken off")]
    FactorRequired,
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
