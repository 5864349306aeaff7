//! 用户与角色: everybody's accounts, for those who look after them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::mine::failed;
use super::{accounts, refusal};
use crate::accounts::{
    AccountError, AccountRow, NewAccount, Permission, Proposal, Role, THREE, Token, TokenRow, change_password, decline, give, is_separate,
    list, list_tokens, make, needs_second, proposals, revoke, revoke_token, set_disabled, sign,
};
use crate::model::Timestamp;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render_as};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    page: Page,
    accounts: Vec<AccountRow>,
    tokens: Vec<TokenRow>,
    /// The roles that the reader may give.
    giveable: Vec<Role>,
    /// The roles that the reader may take away.
    takeable: Vec<Role>,
    /// What waits for the second signature.
    proposals: Vec<Proposal>,
    signs: bool,
    manages: bool,
    /// Whose first password is shown, this once.
    fresh: Option<(String, String)>,
    problem: String,
}

impl UsersPage {
    fn may_take(&self, role: &Role) -> bool {
        self.takeable.contains(role)
    }

    fn lacks(&self, account: &AccountRow, role: &Role) -> bool {
        !account.roles.contains(role)
    }

    fn when(&self, at: &Timestamp) -> String {
        self.page.clock.full(*at)
    }

    fn role(&self, role: &Role) -> String {
        self.page.words.role(*role)
    }

    fn scopes_of(&self, token: &TokenRow) -> String {
        token.scopes.iter().map(|scope| self.page.words.permission(scope)).collect::<Vec<_>>().join(&self.page.t("web-comma"))
    }
}

/// Whether the reader may give a role, or propose it where that takes two.
fn may_give(caller: &Caller, role: Role) -> bool {
    if THREE.contains(&role) { caller.may(Permission::ManageAccounts) } else { may_take(caller, role) }
}

fn may_take(caller: &Caller, role: Role) -> bool {
    caller.may(if is_separate(role) { Permission::GrantSeparated } else { Permission::GrantRoles })
}

/// What is missing to give or take this role.
fn forbidden(role: Role) -> Failure {
    Failure::Forbidden(if is_separate(role) { Permission::GrantSeparated } else { Permission::GrantRoles })
}

async fn answer(
    app: &App,
    visitor: Visitor,
    caller: &Caller,
    fresh: Option<(String, String)>,
    problem: String,
) -> Result<Response, Failure> {
    let now = app.clock().now;
    let read = move |file: &_| Ok((list(file)?, list_tokens(file, None)?, proposals(file, now)?));
    let (accounts, tokens, proposals) = accounts(app)?.read(read).await.map_err(failed)?;
    let mut page = Page::new(visitor, app.clock(), "users", String::new());
    page.title = page.t("access-users");
    let giveable = Role::ALL.into_iter().filter(|role| may_give(caller, *role)).collect();
    let takeable = Role::ALL.into_iter().filter(|role| may_take(caller, *role)).collect();
    let signs = caller.may(Permission::GrantSeparated);
    let manages = caller.may(Permission::ManageAccounts);
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render_as(status, &UsersPage { page, accounts, tokens, giveable, takeable, proposals, signs, manages, fresh, problem }))
}

/// `GET /users`.
pub(crate) async fn page(State(app): State<Arc<App>>, caller: Caller, visitor: Visitor) -> Result<Response, Failure> {
    answer(&app, visitor, &caller, None, String::new()).await
}

async fn after(app: &App, visitor: Visitor, caller: &Caller, done: Result<(), AccountError>) -> Result<Response, Failure> {
    match done {
        Ok(()) => Ok(Redirect::to("/users").into_response()),
        Err(error) => {
            let problem = refusal(Words(visitor.lang), &error)?;
            answer(app, visitor, caller, None, problem).await
        }
    }
}

/// A password that nobody has to think up; it is changed at the first login.
async fn first_password(app: &App, login: &str) -> Result<(String, String), Failure> {
    let text: String = Token::random().map_err(failed)?.reveal().chars().take(16).collect();
    let hashed = accounts(app)?.prepare_password(text.clone(), login).await.map_err(failed)?;
    Ok((text, hashed))
}

/// The form of a new account.
#[derive(Deserialize)]
pub(crate) struct Filled {
    login: String,
    person: String,
    #[serde(default)]
    role: String,
}

/// `POST /users`: makes an account and shows its first password, this once.
pub(crate) async fn make_it(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let login = filled.login.trim().to_lowercase();
    let roles: Vec<Role> = filled.role.parse().into_iter().collect();
    let roles = roles.into_iter().map(|role| if may_give(&caller, role) { Ok(role) } else { Err(forbidden(role)) });
    let roles = roles.collect::<Result<Vec<Role>, Failure>>()?;
    let (text, password) = first_password(&app, &login).await?;
    let new = NewAccount { login: login.clone(), person: filled.person, roles, password, must_change: true };
    let (actor, now) = (caller.actor(), app.clock().now);
    let signs = caller.may(Permission::GrantSeparated);
    let made = accounts(&app)?.store().write(move |change| {
        // Nobody to sign: only whoever owns the machine makes the first of the three.
        for role in new.roles.iter().filter(|role| is_separate(**role) && !signs) {
            if !needs_second(change, *role)? {
                return Ok(None);
            }
        }
        make(change, now, &actor, new).map(Some)
    });
    match made.await.map_err(failed)? {
        None => Err(Failure::Forbidden(Permission::GrantSeparated)),
        Some(Ok(_)) => answer(&app, visitor, &caller, Some((login, text)), String::new()).await,
        Some(Err(error)) => after(&app, visitor, &caller, Err(error)).await,
    }
}

/// `POST /users/{login}/password`: sets a new first password and shows it, this once.
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (text, hashed) = first_password(&app, &login).await?;
    let (actor, now, name) = (caller.actor(), app.clock().now, login.clone());
    let done = accounts(&app)?.store().write(move |change| change_password(change, now, &actor, &name, &hashed, true)).await;
    match done.map_err(failed)? {
        Ok(()) => answer(&app, visitor, &caller, Some((login, text)), String::new()).await,
        Err(error) => after(&app, visitor, &caller, Err(error)).await,
    }
}

async fn disable(app: &App, login: String, caller: &Caller, visitor: Visitor, disabled: bool) -> Result<Response, Failure> {
    let (actor, now) = (caller.actor(), app.clock().now);
    let done = accounts(app)?.store().write(move |change| set_disabled(change, now, &actor, &login, disabled)).await;
    after(app, visitor, caller, done.map_err(failed)?).await
}

/// `POST /users/{login}/disable`.
pub(crate) async fn shut(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    disable(&app, login, &caller, visitor, true).await
}

/// `POST /users/{login}/enable`.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    disable(&app, login, &caller, visitor, false).await
}

/// The form of a grant.
#[derive(Deserialize)]
pub(crate) struct Granted {
    role: Role,
}

/// `POST /users/{login}/grant`.
pub(crate) async fn give_it(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
    caller: Caller,
    visitor: Visitor,
    Form(Granted { role }): Form<Granted>,
) -> Result<Response, Failure> {
    if !may_give(&caller, role) {
        return Err(forbidden(role));
    }
    let (actor, now, signs) = (caller.actor(), app.clock().now, caller.may(Permission::GrantSeparated));
    let done = accounts(&app)?.store().write(move |change| {
        // Nobody to sign: only whoever owns the machine makes the first of the three.
        if is_separate(role) && !signs && !needs_second(change, role)? {
            Ok(None)
        } else {
            give(change, now, &actor, &login, role).map(Some)
        }
    });
    match done.await.map_err(failed)? {
        None => Err(Failure::Forbidden(Permission::GrantSeparated)),
        Some(done) => after(&app, visitor, &caller, done.map(drop)).await,
    }
}

/// `POST /users/{login}/revoke`.
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
    caller: Caller,
    visitor: Visitor,
    Form(Granted { role }): Form<Granted>,
) -> Result<Response, Failure> {
    if !may_take(&caller, role) {
        return Err(forbidden(role));
    }
    let (actor, now) = (caller.actor(), app.clock().now);
    let done = accounts(&app)?.store().write(move |change| revoke(change, now, &actor, &login, role)).await;
    after(&app, visitor, &caller, done.map_err(failed)?).await
}

/// `POST /users/proposals/{id}/sign`: the second signature.
pub(crate) async fn sign_it(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (actor, now) = (caller.actor(), app.clock().now);
    let done = accounts(&app)?.store().write(move |change| sign(change, now, &actor, id)).await;
    after(&app, visitor, &caller, done.map_err(failed)?).await
}

/// `POST /users/proposals/{id}/decline`.
pub(crate) async fn decline_it(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (actor, now) = (caller.actor(), app.clock().now);
    let done = accounts(&app)?.store().write(move |change| decline(change, now, &actor, id)).await;
    after(&app, visitor, &caller, done.map_err(failed)?).await
}

/// `POST /users/tokens/{id}/revoke`.
pub(crate) async fn end_token(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (actor, now) = (caller.actor(), app.clock().now);
    let done = accounts(&app)?.store().write(move |change| revoke_token(change, now, &actor, id, None)).await;
    after(&app, visitor, &caller, done.map_err(failed)?).await
}
