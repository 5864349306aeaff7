//! 我的账号: password, second factor, sessions and tokens of whoever has logged in.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{accounts, refusal};
use crate::accounts::{
    AccountError, Held, Identity, Permission, Permissions, SessionRow, Token, TokenRow, add_token, list_tokens, revoke_token,
};
use crate::model::Timestamp;
use crate::web::access::{Caller, forget};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render_as};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    identity: Arc<Identity>,
    roles: String,
    has_factor: bool,
    sessions: Vec<SessionRow>,
    tokens: Vec<TokenRow>,
    /// What a new token may be given.
    scopes: Vec<Permission>,
    /// A new token, shown once.
    fresh: String,
    problem: String,
}

impl AccountPage {
    fn is_own(&self, id: &i64) -> bool {
        self.identity.held == Held::Session(*id)
    }

    fn when(&self, at: &Timestamp) -> String {
        self.page.clock.full(*at)
    }

    fn scope(&self, scope: &Permission) -> String {
        self.page.words.permission(*scope)
    }

    fn scopes_of(&self, token: &TokenRow) -> String {
        token.scopes.iter().map(|scope| self.page.words.permission(scope)).collect::<Vec<_>>().join(&self.page.t("web-comma"))
    }
}

/// Whoever has logged in by a page: tokens look after no account.
pub(super) fn identity(caller: &Caller) -> Result<Arc<Identity>, Failure> {
    caller.identity.clone().ok_or(Failure::LogIn)
}

pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Accounts(error.to_string())
}

async fn answer(app: &App, visitor: Visitor, caller: &Caller, fresh: String, problem: String) -> Result<Response, Failure> {
    let (accounts, identity, now) = (accounts(app)?, identity(caller)?, app.clock().now);
    let sessions = accounts.sessions(identity.account, now).await.map_err(failed)?;
    let (account, login) = (identity.account, Arc::clone(&identity.login));
    let read =
        move |file: &_| Ok((list_tokens(file, Some(account))?, crate::accounts::find(file, &login)?.is_some_and(|row| row.has_factor)));
    let (tokens, has_factor) = accounts.read(read).await.map_err(failed)?;
    let mut page = Page::new(visitor, app.clock(), "account", String::new());
    page.title = page.t("access-account");
    let roles = identity.roles.iter().map(|role| page.words.role(*role)).collect::<Vec<_>>().join(&page.t("web-comma"));
    let scopes = identity.permissions.iter().filter(|permission| permission.fits_token()).collect();
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render_as(status, &AccountPage { page, identity, roles, has_factor, sessions, tokens, scopes, fresh, problem }))
}

/// `GET /account`.
pub(crate) async fn page(State(app): State<Arc<App>>, caller: Caller, visitor: Visitor) -> Result<Response, Failure> {
    answer(&app, visitor, &caller, String::new(), String::new()).await
}

/// Back to the page after a change, or the page with what went wrong.
async fn after(app: &App, visitor: Visitor, caller: &Caller, done: Result<(), AccountError>) -> Result<Response, Failure> {
    match done {
        Ok(()) => Ok(Redirect::to("/account").into_response()),
        Err(error) => {
            let problem = refusal(Words(visitor.lang), &error)?;
            answer(app, visitor, caller, String::new(), problem).await
        }
    }
}

/// The form of a new password.
#[derive(Deserialize)]
pub(crate) struct NewPassword {
    present: String,
    wanted: String,
}

/// `POST /account/password`: all sessions end, this one too.
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<NewPassword>,
) -> Result<Response, Failure> {
    let NewPassword { present, wanted } = filled;
    let done = accounts(&app)?.change_own_password(&*identity(&caller)?, caller.source, present, wanted, app.clock().now).await;
    if done.is_ok() {
        let mut response = Redirect::to("/login?next=/account").into_response();
        forget(&mut response, caller.secure);
        return Ok(response);
    }
    after(&app, visitor, &caller, done).await
}

/// `POST /account/sessions/{id}/end`.
pub(crate) async fn end_session(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let done = accounts(&app)?.end_session(&*identity(&caller)?, id, app.clock().now).await;
    after(&app, visitor, &caller, done).await
}

/// The form of a new token: its name, its days, and each scope as a key of its own.
#[derive(Deserialize)]
pub(crate) struct NewToken {
    name: String,
    days: u32,
    #[serde(flatten)]
    chosen: std::collections::HashMap<String, String>,
}

/// `POST /account/tokens`: shows the new token, this once.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<NewToken>,
) -> Result<Response, Failure> {
    let (identity, now) = (identity(&caller)?, app.clock().now);
    let NewToken { name, days, chosen } = filled;
    let chosen = Permission::ALL.into_iter().filter(|scope| chosen.contains_key(&format!("scope_{}", scope.word())));
    let scopes = chosen.collect::<Permissions>().and(identity.permissions);
    let token = Token::random().map_err(failed)?;
    let (hash, expires) = (token.hash(), now + Duration::from_secs(86_400) * days);
    let (login, actor) = (Arc::clone(&identity.login), identity.actor());
    let made = accounts(&app)?.store().write(move |change| add_token(change, now, &actor, &login, (&name, scopes, expires, hash))).await;
    match made.map_err(failed)? {
        Ok(_) => answer(&app, visitor, &caller, token.reveal().to_owned(), String::new()).await,
        Err(error) => after(&app, visitor, &caller, Err(error)).await,
    }
}

/// `POST /account/tokens/{id}/revoke`.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (identity, now) = (identity(&caller)?, app.clock().now);
    let (account, actor) = (identity.account, identity.actor());
    let done = accounts(&app)?.store().write(move |change| revoke_token(change, now, &actor, id, Some(account))).await;
    after(&app, visitor, &caller, done.map_err(failed)?).await
}
