//! `/blocks/protected`: every line that protects, and which of them protect one machine.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{ask, said};
use crate::block::Counter;
use crate::config::block::Guarded;
use crate::detect::MachineKey;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// A MAC or IP address.
    pub(crate) machine: String,
}

impl Asked {
    /// The machine that is asked for.
    pub(crate) fn key(&self) -> Result<Option<MachineKey>, Failure> {
        let machine = self.machine.trim();
        if machine.is_empty() {
            return Ok(None);
        }
        machine.parse().map(Some).map_err(|error: crate::detect::detection::NoAddress| Failure::BadParameter("machine", error.to_string()))
    }
}

/// A line of the configuration.
struct Line {
    place: String,
    what: String,
    owner: String,
    reason: String,
    until: String,
    is_over: bool,
}

#[derive(Template)]
#[template(path = "blocks_protected.html")]
struct ProtectedPage {
    page: Page,
    lines: Vec<Line>,
    machine: String,
    /// What protects the machine that is asked for; `None` when none is.
    explained: Option<Vec<String>>,
}

/// `GET /blocks/protected`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let key = asked.key()?;
    let read = move |counter: &Counter| Ok((counter.rules().settings(), key.map(|key| counter.rules().explain(key))));
    let (settings, rails) = ask(&app, read).await?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let line = |line: &crate::config::block::ProtectSettings| Line {
        place: line.place.to_string(),
        what: match &line.guarded {
            Guarded::Who(whom) => whom.to_string(),
            Guarded::Device(glob) => words.what("blocking-guards-device", &glob.to_string()),
            Guarded::Port(glob) => words.what("blocking-guards-port", &glob.to_string()),
            Guarded::Vlan(vlan) => format!("VLAN {vlan}"),
            Guarded::Alias(glob) => words.what("blocking-guards-alias", &glob.to_string()),
        },
        owner: line.owner.to_string(),
        reason: line.reason.to_string(),
        until: line.until.map(|until| clock.full(until)).unwrap_or_default(),
        is_over: line.until.is_some_and(|until| until <= clock.now),
    };
    Ok(render(&ProtectedPage {
        lines: settings.protected.iter().map(line).collect(),
        machine: asked.machine,
        explained: rails.map(|rails| rails.iter().map(|rail| said::rail(words, &clock, rail)).collect()),
        page: Page::new(visitor, clock, "blocks", words.t("blocking-protected")),
    }))
}
