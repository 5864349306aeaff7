//! The incidents for programs: lists, one with its log, the past, and the log as a stream that goes on where a reader was.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::access::Caller;
use super::app::App;
use super::failure::Failure;
use super::pages::incident::act::{Filled, action, failed};
use super::pages::incident::ask;
use super::pages::incident::history::Asked as HistoryAsked;
use super::pages::incident::list::Asked;
use crate::incident::record::{Event, Incident};
use crate::incident::{Archive, OrderError};
use crate::model::IncidentId;

/// Incidents of one answer about the past.
const ROWS: usize = 500;
/// Log entries and children of one answer.
const ENTRIES: usize = 1000;
/// Log entries read at once for a stream.
const BATCH: usize = 200;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /api/v1/incidents`: the open ones.
pub(crate) async fn open(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Failure> {
    let open = app.incidents().ok_or(Failure::NoPage)?.board().open();
    let incidents: Vec<&Arc<Incident>> = open.iter().filter(|incident| asked.fits(incident)).collect();
    Ok(Json(json!({ "incidents": incidents })))
}

/// `GET /api/v1/incidents/history`.
pub(crate) async fn history(State(app): State<Arc<App>>, Query(asked): Query<HistoryAsked>) -> Result<Json<Value>, Failure> {
    let search = asked.search(false, ROWS);
    let incidents = ask(&app, move |archive| archive.search(&search)).await?;
    Ok(Json(json!({ "incidents": incidents })))
}

/// `GET /api/v1/incidents/{id}`.
pub(crate) async fn one(State(app): State<Arc<App>>, Path(id): Path<i64>) -> Result<Json<Value>, Failure> {
    let id = IncidentId(id);
    let found = ask(&app, move |archive| {
        let Some(incident) = archive.incident(id)? else { return Ok(None) };
        Ok(Some((incident, archive.children(id, ENTRIES)?, archive.log(id, ENTRIES)?)))
    });
    let (incident, children, log) = found.await?.ok_or(Failure::NoPage)?;
    let children: Vec<Value> = children
        .into_iter()
        .map(|(key, child)| json!({ "subject": key.subject, "rule": child.rule, "severity": child.severity, "joined": child.joined, "left": child.left }))
        .collect();
    Ok(Json(json!({ "incident": incident, "children": children, "log": log })))
}

/// `POST /api/v1/incidents/{id}`: `{"what":"acknowledge","comment":"..."}`.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(filled): Json<Filled>,
) -> Result<Json<Value>, Failure> {
    let action = action(filled, app.clock().now)?;
    match app.incidents().ok_or(Failure::NoPage)?.act(IncidentId(id), action, caller.actor()).await {
        Ok(()) => Ok(Json(json!({ "ok": true }))),
        Err(OrderError::Refused(refused)) => Err(Failure::BadParameter("what", refused.to_string())),
        Err(other) => Err(failed(&other)),
    }
}

/// `GET /api/v1/maintenance`.
pub(crate) async fn windows(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let (now, windows) = (app.clock().now, app.incidents().ok_or(Failure::NoPage)?.board().windows());
    let each = windows.all().map(|window| {
        let next = windows.next_span(window, now);
        json!({ "window": window, "is_open": windows.is_open(window, now), "from": next.map(|(from, _)| from), "to": next.map(|(_, to)| to) })
    });
    Ok(Json(json!({ "windows": each.collect::<Vec<Value>>() })))
}

/// The query string of the stream.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct After {
    /// The last entry that the reader has; the newest when neither this nor the header says.
    after: Option<i64>,
}

/// `GET /api/v1/events`: the log as server-sent events, one JSON object each, its number as the id. A reader that comes back
/// with `Last-Event-ID` (or `?after=`) gets every entry since, in order, none twice.
pub(crate) async fn events(State(app): State<Arc<App>>, Query(asked): Query<After>, headers: HeaderMap) -> Result<Response, Failure> {
    let hall = Arc::clone(app.incidents().ok_or(Failure::NoPage)?);
    let permit = Arc::clone(app.streams()).try_acquire_owned().map_err(|_| Failure::Busy)?;
    let told = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
    // Subscribed before the newest is read: what comes in between wakes the stream.
    let changed = hall.board().last_event();
    let last = match told.or(asked.after) {
        Some(last) => last,
        None => ask(&app, Archive::last_event).await?,
    };
    let feed = Feed { archive: hall.archive().clone(), changed, last, ready: VecDeque::new(), _permit: permit };
    let closing = app.closing().clone().cancelled_owned();
    let events = feed.into_stream().take_until(Box::pin(closing));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// One reader: what has been sent, and what comes next.
struct Feed {
    archive: Archive,
    changed: watch::Receiver<i64>,
    last: i64,
    ready: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn into_stream(self) -> impl Stream<Item = Result<Sent, Infallible>> + Send {
        stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            let data = serde_json::to_string(&event).unwrap_or_default();
            Some((Ok(Sent::default().id(event.id.to_string()).data(data)), feed))
        })
    }

    /// The next entry, when there is one; `None` ends the stream, and the reader comes back.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last = event.id;
                return Some(event);
            }
            self.changed.mark_unchanged();
            let (archive, last) = (self.archive.clone(), self.last);
            let read = tokio::task::spawn_blocking(move || archive.events_after(last, BATCH)).await.ok()?;
            match read {
                Ok(events) if events.is_empty() => self.changed.changed().await.ok()?,
                Ok(events) => self.ready.extend(events),
                Err(error) => {
                    tracing::warn!(%error, "the log of incidents cannot be read for a stream: {error}");
                    return None;
                }
            }
        }
    }
}
