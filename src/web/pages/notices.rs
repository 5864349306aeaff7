//! 通知: what went to whom, by which way, and with which result; and a message that did not go, tried now.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::notify::Sender;
use crate::notify::delivery::State as Standing;
use crate::notify::list::Listed;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::source::HistoryError;
use crate::web::visitor::Visitor;

/// States that the list can be cut down to.
const CHOICES: [Standing; 5] = [Standing::Queued, Standing::Deferred, Standing::Uncertain, Standing::Failed, Standing::Sent];

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    page: Page,
    rows: Vec<Row>,
    /// Address, word, and whether it is the one that is shown.
    choices: Vec<(String, String, bool)>,
    oldest: String,
}

/// A message as a row.
struct Row {
    id: i64,
    at: String,
    at_full: String,
    to: String,
    way: String,
    what: String,
    more: String,
    state: String,
    is_bad: bool,
    detail: String,
    result: String,
    can_retry: bool,
}

/// The query string of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    state: String,
}

impl Asked {
    fn standing(&self) -> Result<Option<Standing>, Failure> {
        if self.state.is_empty() {
            return Ok(None);
        }
        let unknown = || Failure::BadParameter("state", "it is queued, deferred, uncertain, failed, sending, sent or spared".to_owned());
        Standing::from_word(&self.state).map(Some).ok_or_else(unknown)
    }
}

fn sender(app: &App) -> Result<Arc<Sender>, Failure> {
    app.outbox().cloned().ok_or(Failure::NoPage)
}

async fn listed(app: &App, asked: &Asked) -> Result<Vec<Listed>, Failure> {
    let (sender, standing) = (sender(app)?, asked.standing()?);
    let read = tokio::task::spawn_blocking(move || sender.list(standing)).await;
    let read = read.map_err(|error| unreadable(&error))?;
    read.map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::Store(HistoryError::Unreadable(error.to_string()))
}

/// `GET /notices`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let listed = listed(&app, &asked).await?;
    let waiting = sender(&app)?.waiting();
    let mut page = Page::new(visitor, app.clock(), "notices", String::new());
    page.title = page.t("notify-page");
    let choice = |state: &str, word: String| {
        let url = if state.is_empty() { "/notices".to_owned() } else { format!("/notices?state={state}") };
        (url, word, asked.state == state)
    };
    let mut choices = vec![choice("", page.t("notify-all"))];
    choices.extend(CHOICES.map(|state| choice(state.word(), page.t(&format!("notify-state-{}", state.word())))));
    let oldest = waiting.oldest.map(|oldest| page.words.what("notify-oldest", &page.clock.ago(page.words, oldest))).unwrap_or_default();
    let rows = listed.iter().map(|one| row(&page, one)).collect();
    Ok(render(&NoticesPage { page, rows, choices, oldest }))
}

fn row(page: &Page, one: &Listed) -> Row {
    let name = |key: &str| match key.strip_prefix("hook:") {
        Some(hook) => hook.to_owned(),
        None if key == "duty" => page.t("notify-duty"),
        None => key.to_owned(),
    };
    let to = if one.recipient == one.target { name(&one.target) } else { format!("{} ({})", name(&one.target), name(&one.recipient)) };
    let what = match &one.first {
        Some(first) => format!(
            "[{}] {}{}{}",
            page.t(&format!("notify-severity-{}", first.severity.word())),
            page.t(&format!("notify-change-{}", first.change)),
            page.t("web-colon"),
            first.subject
        ),
        None => page.t(&format!("notify-kind-{}", one.kind)),
    };
    let more = usize::try_from(one.notices).unwrap_or(0).saturating_sub(1);
    Row {
        id: one.id,
        at: page.clock.short(one.created),
        at_full: page.clock.full(one.created),
        to,
        way: if one.channel == "mail" { page.t("notify-mail") } else { one.channel.clone() },
        what,
        more: if more == 0 { String::new() } else { page.n("notify-and", more) },
        state: page.t(&format!("notify-state-{}", one.state.word())),
        is_bad: matches!(one.state, Standing::Failed | Standing::Deferred | Standing::Uncertain),
        detail: one.sent.map(|sent| page.clock.full(sent)).unwrap_or_default(),
        result: one.result.clone(),
        can_retry: matches!(one.state, Standing::Failed | Standing::Deferred | Standing::Uncertain),
    }
}

/// `POST /notices/{id}/retry`.
pub(crate) async fn retry(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<Response, Failure> {
    // Whether there was something to try is seen in the list.
    sender(&app)?.retry(id, caller.actor()).await.map_err(|error| unreadable(&error))?;
    Ok(Redirect::to("/notices").into_response())
}

/// `GET /api/v1/notices`.
pub(crate) async fn json(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Failure> {
    let listed = listed(&app, &asked).await?;
    let waiting = sender(&app)?.waiting();
    Ok(Json(json!({ "queued": waiting.queued, "oldest_unsent": waiting.oldest, "notices": listed })))
}
