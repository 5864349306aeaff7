//! The pages about who somebody is: logging in, the first administrator, the own account, and everybody's accounts.

pub(crate) mod factor;
pub(crate) mod first;
pub(crate) mod login;
pub(crate) mod mine;
pub(crate) mod users;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

use crate::accounts::{AccountError, Accounts, password};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::words::Words;

/// The accounts; pages without a database have none.
fn accounts(app: &App) -> Result<&Arc<Accounts>, Failure> {
    app.access().accounts.as_ref().ok_or(Failure::NoPage)
}

fn agent(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()).unwrap_or_default()
}

/// Why a change was refused, in the reader's language. What no reader can do anything about becomes a failure.
fn refusal(words: Words, error: &AccountError) -> Result<String, Failure> {
    use password::PasswordError as P;
    let text = match error {
        AccountError::NoAccount(login) => words.what("access-no-account", login),
        AccountError::Taken(login) => words.what("access-taken", login),
        AccountError::BadLogin(login) => words.what("access-bad-login", login),
        AccountError::BadPerson => words.t("access-bad-person"),
        AccountError::Separate { person, held, wanted } => {
            let (held, wanted) = (words.role(*held), words.role(*wanted));
            let values = [("person", person.as_str().into()), ("held", held.into()), ("wanted", wanted.into())];
            words.with("access-separate", &values)
        }
        AccountError::SamePerson => words.t("access-same-person"),
        AccountError::NotHeld(_, role) => words.what("access-not-held", &words.role(*role)),
        AccountError::BadToken(_) => words.t("access-bad-token"),
        AccountError::Gone => words.t("access-gone"),
        AccountError::WrongCode => words.t("access-wrong-code"),
        AccountError::WrongPassword => words.t("access-wrong-password"),
        AccountError::Locked(minutes) => words.n("access-locked", usize::try_from(*minutes).unwrap_or(usize::MAX)),
        AccountError::FactorRequired => words.t("access-factor-required"),
        AccountError::Password(P::Short) => words.n("access-password-short", password::SHORTEST),
        AccountError::Password(P::Long) => words.t("access-password-long"),
        AccountError::Password(P::HoldsName) => words.t("access-password-name"),
        AccountError::Password(P::Known) => words.t("access-password-known"),
        AccountError::Password(P::List { .. } | P::Random(_) | P::Hash(_)) | AccountError::Random(_) | AccountError::Store(_) => {
            return Err(Failure::Accounts(error.to_string()));
        }
    };
    Ok(text)
}
