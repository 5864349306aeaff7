//! 日志链: what was said and done, for the auditor.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::journal::{Recorded, latest};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::visitor::Visitor;

/// Events of one page.
const PER_PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    page: Page,
    events: Vec<Recorded>,
    /// The first event of the next page; 0 when there is none.
    older: i64,
}

impl JournalPage {
    fn when(&self, event: &Recorded) -> String {
        self.page.clock.full(event.at)
    }
}

/// The query string.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// Only events before this number.
    before: Option<i64>,
}

async fn read(app: &App, before: Option<i64>) -> Result<Vec<Recorded>, Failure> {
    let accounts: &Arc<Accounts> = app.access().accounts.as_ref().ok_or(Failure::NoPage)?;
    let events = accounts.read(move |file| latest(file, before.unwrap_or(i64::MAX), PER_PAGE)).await;
    events.map_err(|error| Failure::Accounts(error.to_string()))
}

/// `GET /journal`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let events = read(&app, asked.before).await?;
    let mut page = Page::new(visitor, app.clock(), "journal", String::new());
    page.title = page.t("access-journal");
    let older = events.last().map(|event| event.seq).filter(|seq| *seq > 1).unwrap_or(0);
    Ok(render(&JournalPage { page, events, older }))
}

/// `GET /api/v1/journal`: the newest events first.
pub(crate) async fn api(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Failure> {
    let events: Vec<Value> = read(&app, asked.before)
        .await?
        .into_iter()
        .map(|event| {
            json!({
                "seq": event.seq, "at": event.at, "subject": event.subject, "actor": event.actor, "on_behalf_of": event.on_behalf_of,
                "via": event.via, "action": event.action, "flags": event.flags, "hash": event.hash,
                "payload": event.payload.and_then(|payload| serde_json::from_str::<Value>(&payload).ok()),
            })
        })
        .collect();
    Ok(Json(json!({ "events": events })))
}
