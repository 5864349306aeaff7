//! 首次使用: the one-time link that makes the first administrator.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{accounts, agent, refusal};
use crate::accounts::{AccountError, LoginAttempt, Token, use_first_link};
use crate::web::access::{Caller, remember};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render_as};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "first.html")]
struct FirstPage {
    page: Page,
    link: String,
    /// Whether the link can be used.
    valid: bool,
    login: String,
    person: String,
    problem: String,
}

fn answer(app: &App, visitor: Visitor, link: String, valid: bool, filled: (String, String), problem: String) -> Response {
    let mut page = Page::new(visitor, app.clock(), "login", String::new());
    page.title = page.t("access-first");
    let status = match (valid, problem.is_empty()) {
        (true, true) => StatusCode::OK,
        (true, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (false, _) => StatusCode::NOT_FOUND,
    };
    render_as(status, &FirstPage { page, link, valid, login: filled.0, person: filled.1, problem })
}

async fn token(app: &App, link: &str) -> Result<Option<Token>, Failure> {
    let Some(token) = Token::shown(link) else { return Ok(None) };
    let valid = accounts(app)?.is_first_link(&token, app.clock().now).await.map_err(|error| Failure::Accounts(error.to_string()))?;
    Ok(valid.then_some(token))
}

/// `GET /first/{link}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(link): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let valid = token(&app, &link).await?.is_some();
    Ok(answer(&app, visitor, link, valid, Default::default(), String::new()))
}

/// The form.
#[derive(Deserialize)]
pub(crate) struct Filled {
    login: String,
    person: String,
    password: String,
}

/// `POST /first/{link}`: makes the administrator and logs in.
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    caller: Caller,
    visitor: Visitor,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let Filled { login, person, password } = filled;
    let Some(token) = token(&app, &link).await? else {
        return Ok(answer(&app, visitor, link, false, Default::default(), String::new()));
    };
    let (accounts, now) = (accounts(&app)?, app.clock().now);
    let made = async {
        let hashed = accounts.prepare_password(password.clone(), &login).await?;
        let (hash, name, who) = (token.hash(), login.clone(), person.clone());
        accounts.store().write(move |change| use_first_link(change, now, &hash, &name, &who, &hashed)).await?
    };
    match made.await {
        Ok(_) => {
            let attempt = LoginAttempt {
                login,
                password,
                code: String::new(),
                source: caller.source,
                agent: agent(&headers),
                device: caller.device.clone(),
                before: caller.session.clone(),
            };
            let given = accounts.login(attempt, now).await.map_err(|error| Failure::Accounts(error.to_string()))?;
            let mut response = Redirect::to("/account").into_response();
            remember(&mut response, caller.secure, &given);
            Ok(response)
        }
        Err(AccountError::Gone) => Ok(answer(&app, visitor, link, false, Default::default(), String::new())),
        Err(error) => {
            let problem = refusal(Words(visitor.lang), &error)?;
            Ok(answer(&app, visitor, link, true, (login, person), problem))
        }
    }
}
