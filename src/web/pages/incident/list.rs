//! `/incidents`: what is wrong now, the gravest first, each with its cause.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Row, row};
use crate::incident::record::Incident;
use crate::model::Severity;
use crate::web::app::App;
use crate::web::html::Html;
use crate::web::page::{Page, render};
use crate::web::pages::{Part, inner};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Rows at most; whoever has more has a storm.
const ROWS: usize = 500;

/// The query string.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// Stands in the subject or the rule.
    #[serde(default)]
    q: String,
    /// At least so severe.
    #[serde(default)]
    severity: String,
    /// `no`: only those that nobody has acknowledged.
    #[serde(default)]
    acknowledged: String,
}

impl Asked {
    /// Whether an incident is asked for.
    pub(crate) fn fits(&self, incident: &Incident) -> bool {
        let text = self.q.trim().to_lowercase();
        let subject = incident.subject().to_string().to_lowercase();
        (text.is_empty() || subject.contains(&text) || incident.rule.contains(&text))
            && self.severity.parse::<Severity>().map_or(true, |least| incident.severity >= least)
            && (self.acknowledged != "no" || incident.ack.is_none())
    }
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct IncidentsPage {
    page: Page,
    asked: Asked,
    severities: Vec<(&'static str, String)>,
    table: Html,
}

#[derive(Template)]
#[template(path = "incidents_table.html")]
struct Table {
    words: Words,
    rows: Vec<Row>,
    more: usize,
}

/// `GET /incidents`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &asked);
    let mut page = Page::new(visitor, clock, "incidents", words.t("incident-now"));
    if asked == Asked::default() {
        page = page.with_stream("incidents");
    }
    let severities = Severity::ALL.map(|severity| (severity.word(), super::severity(words, severity))).into();
    render(&IncidentsPage { table: inner(&parts, "incidents"), page, asked, severities })
}

/// What the live stream renews.
pub(crate) fn now(app: &App, words: Words, clock: &Clock) -> Vec<Part> {
    parts(app, words, clock, &Asked::default())
}

fn parts(app: &App, words: Words, clock: &Clock, asked: &Asked) -> Vec<Part> {
    let open = app.incidents().map(|hall| hall.board().open()).unwrap_or_default();
    let fitting: Vec<_> = open.iter().filter(|incident| asked.fits(incident)).collect();
    let rows = fitting.iter().take(ROWS).map(|incident| row(words, clock, incident)).collect();
    vec![Part::of("incidents", &Table { words, rows, more: fitting.len().saturating_sub(ROWS) })]
}
