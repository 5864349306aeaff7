//! What cannot be answered: said in the reader's language, with what to do about it; as JSON to programs.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::app::App;
use super::page::{Page, render_as};
use super::pages;
use super::source::HistoryError;
use super::visitor::Visitor;
use super::words::Words;
use crate::accounts::Permission;

/// Why a request is not answered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No page has this address.
    #[error("there is no such page")]
    NoPage,
    /// The page has no such method.
    #[error("this address cannot be asked in this way")]
    NoMethod,
    /// No device has this name.
    #[error("there is no device named {0:?}")]
    NoDevice(String),
    /// No host has this name.
    #[error("there is no host named {0:?}")]
    NoHost(String),
    /// Nobody has seen a machine with this address.
    #[error("nobody has seen a machine with the address {0:?}")]
    NoMachine(String),
    /// No capture has this number.
    #[error("there is no capture {0}")]
    NoCapture(i64),
    /// Something cannot be done with a capture as it stands.
    #[error("{0}")]
    Capture(String),
    /// No block has this number.
    #[error("there is no block {0}")]
    NoBlock(i64),
    /// The device has no such port.
    #[error("the device {0:?} has no port named {1:?}")]
    NoPort(String, String),
    /// No port has this number.
    #[error("there is no port with the number {0}")]
    NoPortNumber(u32),
    /// A parameter cannot be understood.
    #[error("the parameter {0:?} cannot be understood: {1}")]
    BadParameter(&'static str, String),
    /// The store does not answer.
    #[error("{0}")]
    Store(#[from] HistoryError),
    /// A picture could not be made.
    #[error("the picture could not be drawn: {0}")]
    Picture(String),
    /// Somebody has to log in first.
    #[error("log in, or show a token: Authorization: Bearer ...")]
    LogIn,
    /// The account or token may not.
    #[error("this account or token lacks the permission {}", .0.word())]
    Forbidden(Permission),
    /// Another site's page sent it, or a form without the mark of its session.
    #[error("the request did not come from a page of netroom")]
    CrossSite,
    /// A token that does not count.
    #[error("the token is not valid, has expired or was revoked")]
    BadToken,
    /// The accounts cannot be read.
    #[error("accounts cannot be read or changed: {0}")]
    Accounts(String),
    /// Too many live streams.
    #[error("too many live streams are open")]
    Busy,
}

impl Failure {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoPage
            | Self::NoMachine(_)
            | Self::NoHost(_)
            | Self::NoDevice(_)
            | Self::NoPort(..)
            | Self::NoPortNumber(_)
            | Self::NoCapture(_)
            | Self::NoBlock(_) => StatusCode::NOT_FOUND,
            Self::Capture(_) => StatusCode::CONFLICT,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadParameter(..) => StatusCode::BAD_REQUEST,
            Self::LogIn | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::Store(_) | Self::Accounts(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Picture(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The key of the sentence that says what happened, and of the one that says what to do.
    const fn keys(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoPage => ("web-fail-page", "web-fail-page-do"),
            Self::NoMethod => ("web-fail-method", "web-fail-page-do"),
            Self::NoMachine(_) => ("machine-fail", "machine-fail-do"),
            Self::NoCapture(_) => ("recording-fail", "recording-fail-do"),
            Self::Capture(_) => ("recording-conflict", "recording-conflict-do"),
            Self::NoBlock(_) => ("blocking-fail", "blocking-fail-do"),
            Self::NoHost(_) => ("host-fail", "host-fail-do"),
            Self::NoDevice(_) => ("web-fail-device", "web-fail-device-do"),
            Self::NoPort(..) | Self::NoPortNumber(_) => ("web-fail-port", "web-fail-port-do"),
            Self::BadParameter(..) => ("web-fail-parameter", "web-fail-parameter-do"),
            Self::Store(_) => ("web-fail-store", "web-fail-store-do"),
            Self::Picture(_) => ("web-fail-picture", "web-fail-picture-do"),
            // Shown instead: the page of the login.
            Self::LogIn => ("access-login", "access-code-hint"),
            Self::Forbidden(_) => ("access-fail-forbidden", "access-fail-forbidden-do"),
            Self::CrossSite => ("access-fail-cross-site", "access-fail-cross-site-do"),
            Self::BadToken => ("access-fail-token", "access-fail-token-do"),
            Self::Accounts(_) => ("access-fail-store", "access-fail-store-do"),
            Self::Busy => ("web-fail-busy", "web-fail-busy-do"),
        }
    }

    /// The name or number that the sentence is about.
    fn what(&self, words: Words) -> String {
        match self {
            Self::Forbidden(permission) => words.permission(*permission),
            Self::NoHost(name) | Self::NoDevice(name) | Self::NoMachine(name) => name.clone(),
            Self::NoPort(device, port) => format!("{device} {port}"),
            Self::NoPortNumber(number) => number.to_string(),
            Self::NoCapture(number) => number.to_string(),
            Self::NoBlock(number) => format!("B{number}"),
            Self::BadParameter(name, _) => (*name).to_owned(),
            _ => String::new(),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::NoPage => "no_page",
            Self::NoMethod => "no_method",
            Self::NoMachine(_) => "no_machine",
            Self::NoCapture(_) => "no_capture",
            Self::Capture(_) => "capture",
            Self::NoBlock(_) => "no_block",
            Self::NoHost(_) => "no_host",
            Self::NoDevice(_) => "no_device",
            Self::NoPort(..) | Self::NoPortNumber(_) => "no_port",
            Self::BadParameter(..) => "bad_parameter",
            Self::Store(_) => "store",
            Self::Picture(_) => "picture",
            Self::LogIn => "log_in",
            Self::Forbidden(_) => "forbidden",
            Self::CrossSite => "cross_site",
            Self::BadToken => "bad_token",
            Self::Accounts(_) => "accounts",
            Self::Busy => "busy",
        }
    }
}

/// The failure travels as an extension of the answer; [`tell`] puts it into words where the reader is known.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    page: Page,
    status: u16,
    sentence: String,
    advice: String,
    detail: String,
}

/// Puts failures into words: a page for people, JSON under `/api`.
pub(crate) async fn tell(State(app): State<Arc<App>>, visitor: Visitor, request: Request, next: Next) -> Response {
    let for_program = request.uri().path().starts_with("/api/") || wants_json(request.headers());
    let response = next.run(request).await;
    let Some(failure) = response.extensions().get::<Failure>().cloned() else { return response };
    let status = failure.status();
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), %failure, "a request could not be answered: {failure}");
    }
    if for_program {
        let told = Json(json!({ "error": { "code": failure.word(), "message": failure.to_string() } }));
        let mut response = (status, told).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"netroom\""));
        }
        return response;
    }
    if failure == Failure::LogIn && app.access().accounts.is_some() {
        return pages::account::login::instead(&app, visitor);
    }
    let (sentence, advice) = failure.keys();
    let mut page = Page::new(visitor, app.clock(), "", String::new());
    page.title = page.words.what(sentence, &failure.what(page.words));
    let detail = match &failure {
        Failure::Store(_) | Failure::BadParameter(..) | Failure::Picture(_) | Failure::Accounts(_) | Failure::Capture(_) => {
            failure.to_string()
        }
        _ => String::new(),
    };
    let (sentence, advice) = (page.title.clone(), page.t(advice));
    render_as(status, &FailurePage { page, status: status.as_u16(), sentence, advice, detail })
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["application/json", "text/event-stream"].iter().any(|kind| accept.contains(kind)) && !accept.contains("text/html")
}

/// The last resort, when not even a page can be made.
pub(crate) fn plain(status: StatusCode) -> Response {
    (status, "网络机房：本页出错，其余功能照常运行，错误已记入日志。\nNetroom: this page failed; everything else keeps running. The error is in the log.\n")
        .into_response()
}
