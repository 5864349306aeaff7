//! `/incidents/history`: the past, searched.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Row, ask, row};
use crate::incident::store::Search;
use crate::model::{IncidentId, Severity};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render, segment};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Rows a page.
const ROWS: usize = 100;

/// The query string, of the page and of the API.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    severity: String,
    before: Option<i64>,
}

impl Asked {
    /// As the database is asked.
    pub(crate) fn search(&self, is_over: bool, limit: usize) -> Search {
        Search {
            text: self.q.clone(),
            severity: self.severity.parse::<Severity>().ok(),
            before: self.before.map(IncidentId),
            is_over,
            limit,
            ..Search::default()
        }
    }
}

#[derive(Template)]
#[template(path = "incidents_history.html")]
struct HistoryPage {
    page: Page,
    words: Words,
    asked: Asked,
    severities: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    next: String,
}

/// `GET /incidents/history`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let search = asked.search(false, ROWS);
    let found = match app.incidents() {
        Some(_) => ask(&app, move |archive| archive.search(&search)).await?,
        None => Vec::new(),
    };
    let rows: Vec<Row> = found.iter().map(|incident| row(words, &clock, incident)).collect();
    let next = match rows.last() {
        Some(last) if rows.len() == ROWS => {
            format!("/incidents/history?q={}&severity={}&before={}", segment(&asked.q), segment(&asked.severity), last.id)
        }
        _ => String::new(),
    };
    let severities = Severity::ALL.map(|severity| (severity.word(), super::severity(words, severity))).into();
    let page = Page::new(visitor, clock, "incidents", words.t("incident-history"));
    Ok(render(&HistoryPage { page, words, asked, severities, rows, next }))
}
