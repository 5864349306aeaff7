//! 登录: logging in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{accounts, agent};
use crate::accounts::{Held, LoginAttempt, LoginRefusal};
use crate::web::access::{Caller, forget, remember};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render_as};
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    /// Where the reader wanted to go.
    next: String,
    login: String,
    /// What went wrong; empty before the first attempt.
    problem: String,
}

fn answer(app: &App, visitor: Visitor, status: StatusCode, next: &str, login: String, problem: String) -> Response {
    let mut page = Page::new(visitor, app.clock(), "login", String::new());
    page.title = page.t("access-login");
    render_as(status, &LoginPage { page, next: ours(next).to_owned(), login, problem })
}

/// Instead of a page that its reader may not see before logging in.
pub(crate) fn instead(app: &App, visitor: Visitor) -> Response {
    let next = visitor.uri.to_string();
    answer(app, visitor, StatusCode::UNAUTHORIZED, &next, String::new(), String::new())
}

/// Only an address of ours: no other site's, however it is written.
fn ours(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.chars().any(char::is_control);
    if is_path { next } else { "/" }
}

/// The address behind `?next=`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    next: String,
}

/// `GET /login`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    accounts(&app)?;
    Ok(answer(&app, visitor, StatusCode::OK, &asked.next, String::new(), String::new()))
}

/// The form.
#[derive(Deserialize)]
pub(crate) struct Filled {
    login: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`.
pub(crate) async fn enter(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let Filled { login, password, code, next } = filled;
    let attempt = LoginAttempt {
        login: login.clone(),
        password,
        code,
        source: caller.source,
        agent: agent(&headers),
        device: caller.device.clone(),
        before: caller.session.clone(),
    };
    match accounts(&app)?.login(attempt, app.clock().now).await {
        Ok(given) => {
            let mut response = Redirect::to(ours(&next)).into_response();
            remember(&mut response, caller.secure, &given);
            Ok(response)
        }
        Err(refused) => {
            let words = crate::web::words::Words(visitor.lang);
            let (status, problem) = match refused {
                LoginRefusal::Wrong => (StatusCode::UNAUTHORIZED, words.t("access-login-wrong")),
                LoginRefusal::Locked(minutes) => {
                    (StatusCode::TOO_MANY_REQUESTS, words.n("access-locked", usize::try_from(minutes).unwrap_or(usize::MAX)))
                }
                LoginRefusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, words.t("access-login-busy")),
                LoginRefusal::Failed(error) => return Err(Failure::Accounts(error.to_string())),
            };
            Ok(answer(&app, visitor, status, &next, login, problem))
        }
    }
}

/// `POST /logout`.
pub(crate) async fn leave(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Failure> {
    if let Some(identity) = &caller.identity
        && let Held::Session(id) = identity.held
    {
        // Ended already is ended.
        let ended = accounts(&app)?.end_session(identity, id, app.clock().now).await;
        if let Err(error @ crate::accounts::AccountError::Store(_)) = ended {
            return Err(Failure::Accounts(error.to_string()));
        }
    }
    let mut response = Redirect::to("/").into_response();
    forget(&mut response, caller.secure);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn a_login_leads_nowhere_else() {
        for (next, to) in [
            ("/ports?q=a", "/ports?q=a"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nb", "/"),
        ] {
            assert_eq!(ours(next), to, "{next}");
        }
    }
}
