//! The gates: nobody passes without the permission of the row, no form without the mark of its session.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::caller::{Caller, Unclear};
use super::origin;
use crate::accounts::{Permission, same};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::guard;
use crate::web::visitor::Visitor;

/// What stands before a row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gate {
    /// Everybody: logging in itself, and what tells a watchdog that we live.
    Open,
    /// Whoever has the permission.
    May(Permission),
}

/// How often an open stream looks whether its reader may still read.
const RECHECK: Duration = Duration::from_secs(15);

/// Why it could not be found out who asks; told at the gate, for what is open to everybody stays open.
#[derive(Clone)]
struct Unknown(Failure);

/// Finds out who asks, once for all that stands behind. A stream that is answered ends when its reader's right does.
pub(crate) async fn identify(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let caller = match Caller::of(app.access(), request.extensions(), request.headers(), app.clock().now).await {
        Ok(caller) => caller,
        Err(unclear) => {
            request.extensions_mut().insert(Unknown(match unclear {
                Unclear::BadToken => Failure::BadToken,
                Unclear::Store(error) => Failure::Accounts(error.to_string()),
            }));
            Caller::default()
        }
    };
    if let Some(visitor) = request.extensions_mut().get_mut::<Visitor>() {
        visitor.caller = caller.clone();
    }
    let by = (caller.identity.is_some()).then(|| (request.extensions().clone(), request.headers().clone()));
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    match by {
        Some((extensions, headers)) if is_stream => {
            let ended = async move {
                loop {
                    tokio::time::sleep(RECHECK).await;
                    let caller = Caller::of(app.access(), &extensions, &headers, app.clock().now).await;
                    if !caller.is_ok_and(|caller| caller.identity.is_some() && caller.may(Permission::Read)) {
                        return;
                    }
                }
            };
            response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(ended))))
        }
        _ => response,
    }
}

/// Stands before one row.
pub(crate) async fn guard(State((app, gate)): State<(Arc<App>, Gate)>, caller: Caller, request: Request, next: Next) -> Response {
    if let Gate::May(permission) = gate
        && !caller.may(permission)
    {
        let unknown = request.extensions().get::<Unknown>().map(|Unknown(failure)| failure.clone());
        return unknown.unwrap_or_else(|| refusal(&caller, permission)).into_response();
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    match from_our_own_page(&app, &caller, request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

const fn refusal(caller: &Caller, permission: Permission) -> Failure {
    if caller.identity.is_some() { Failure::Forbidden(permission) } else { Failure::LogIn }
}

/// Lets a change pass when a page of ours sent it: by what the browser says, and for forms by the mark of the session.
async fn from_our_own_page(app: &App, caller: &Caller, request: Request) -> Result<Request, Failure> {
    let client = origin::client(app.access(), request.extensions(), request.headers());
    if origin::is_cross_site(request.headers(), &client) {
        return Err(Failure::CrossSite);
    }
    // Without a session there is no right that another page could borrow.
    if caller.form_mark.is_empty() || is_json(request.headers()) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    // The limit of bodies stands before us.
    let whole = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await.map_err(|_| Failure::CrossSite)?;
    let marked = std::str::from_utf8(&whole).unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("csrf="));
    if marked.into_iter().any(|mark| same(mark, &caller.form_mark)) {
        Ok(Request::from_parts(parts, Body::from(whole)))
    } else {
        Err(Failure::CrossSite)
    }
}

/// What no form of another site can send without our leave (CORS preflight).
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// Puts a gate and the security headers before routes of another room, whose answers are for programs.
pub fn protect(app: &Arc<App>, routes: Router, permission: Permission) -> Router {
    let state = (Arc::clone(app), permission);
    routes.layer(from_fn_with_state(state, admit)).layer(from_fn(guard::headers))
}

async fn admit(State((app, permission)): State<(Arc<App>, Permission)>, request: Request, next: Next) -> Response {
    let known = Caller::of(app.access(), request.extensions(), request.headers(), app.clock().now).await;
    match known {
        Ok(caller) if caller.may(permission) => next.run(request).await,
        Ok(caller) if caller.identity.is_some() => {
            (StatusCode::FORBIDDEN, format!("this account or token lacks the permission {}\n", permission.word())).into_response()
        }
        Ok(_) | Err(Unclear::BadToken) => {
            let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"netroom\""))];
            (StatusCode::UNAUTHORIZED, challenge, "show a token: Authorization: Bearer ...; `netroom token add` makes one\n")
                .into_response()
        }
        Err(Unclear::Store(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}
