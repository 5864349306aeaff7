//! Smoke graphs as files, of hosts and of services.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::graph::{Span, Theme, png};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::pages::picture::inline_name;
use crate::web::reach::Wanted;
use crate::web::source::HistoryError;
use crate::web::visitor::Visitor;

/// Pixels of a PNG for each pixel of the drawing.
const SCALE: f32 = 2.0;

/// The query string of a picture.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    theme: Option<String>,
    /// The moment that it ends with, seconds since 1970; now when not given.
    at: Option<i64>,
}

/// `GET /host/{name}/graph/{file}`: `day.svg`, `year.png` ...
pub(crate) async fn of_host(
    State(app): State<Arc<App>>,
    Path((name, file)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let host = app.board().host(&name).ok_or_else(|| Failure::NoHost(name.clone()))?;
    draw(&app, (host.info.id.0, name, host.info.address.to_string()), &file, &asked, &visitor).await
}

/// `GET /host/{name}/service/{service}/graph/{file}`.
pub(crate) async fn of_service(
    State(app): State<Arc<App>>,
    Path((name, service, file)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let host = app.board().host(&name).ok_or_else(|| Failure::NoHost(name.clone()))?;
    let found = host.info.services.iter().find(|info| *info.name == *service).ok_or(Failure::NoPage)?;
    let below = format!("{} {}:{}", found.kind, host.info.address, found.port);
    draw(&app, (found.id.0, format!("{name} {service}"), below), &file, &asked, &visitor).await
}

async fn draw(
    app: &App,
    (id, title, subtitle): (u32, String, String),
    file: &str,
    asked: &Asked,
    visitor: &Visitor,
) -> Result<Response, Failure> {
    let (span, form) = file.split_once('.').ok_or(Failure::NoPage)?;
    let span = Span::STANDARD.into_iter().find(|candidate| candidate.word() == span).ok_or(Failure::NoPage)?;
    let theme = match (asked.theme.as_deref(), form) {
        (Some("dark"), _) => Theme::Dark,
        (Some("auto"), "svg") => Theme::Auto,
        _ => Theme::Light,
    };
    let clock = app.clock().at(asked.at);
    let name = format!("{title}-{}-{}", span.word(), clock.stamp(clock.now));
    let wanted = Wanted { id, title, subtitle, span, lang: visitor.lang, theme };
    let history = Arc::clone(&app.reach().ok_or(Failure::NoPage)?.history);
    let drawn = tokio::task::spawn_blocking(move || wanted.chart(&*history, &clock).map(|chart| chart.svg())).await;
    let svg = drawn.unwrap_or_else(|_| Err(HistoryError::Unreadable("the reading thread died".to_owned())))?;
    let kept = (CACHE_CONTROL, "private, max-age=30");
    match form {
        "svg" => Ok(([(CONTENT_TYPE, "image/svg+xml"), kept], svg).into_response()),
        "png" => {
            let failed = |error: &dyn std::fmt::Display| Failure::Picture(error.to_string());
            let drawn = tokio::task::spawn_blocking(move || png::render(&svg, SCALE)).await;
            let image = drawn.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
            Ok(([(CONTENT_TYPE, "image/png"), kept], [(CONTENT_DISPOSITION, inline_name(&name, "png"))], image).into_response())
        }
        _ => Err(Failure::NoPage),
    }
}
