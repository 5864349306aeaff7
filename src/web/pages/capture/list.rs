//! `/captures`: all of them, the newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Row, ask, failed};
use crate::capture::recording::State as Standing;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// States that the list can be cut down to.
const CHOICES: [Standing; 6] = [Standing::Asked, Standing::Running, Standing::Kept, Standing::Cut, Standing::Failed, Standing::Deleted];

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) state: String,
    pub(crate) machine: String,
    /// Only those before this number.
    pub(crate) before: Option<i64>,
}

impl Asked {
    pub(crate) fn standing(&self) -> Result<Option<Standing>, Failure> {
        if self.state.is_empty() {
            return Ok(None);
        }
        let words = || Standing::ALL.map(Standing::word).join(", ");
        Standing::from_word(&self.state).map(Some).ok_or_else(|| Failure::BadParameter("state", format!("it is one of {}", words())))
    }

    /// Whose, as it is written in the records.
    pub(crate) fn host(&self) -> Option<String> {
        let machine = self.machine.trim();
        let canonical = || machine.parse().map_or_else(|_| machine.to_owned(), |host: crate::capture::tap::Host| host.to_string());
        (!machine.is_empty()).then(canonical)
    }
}

#[derive(Template)]
#[template(path = "captures.html")]
struct CapturesPage {
    page: Page,
    rows: Vec<Row>,
    /// Address, word, and whether it is the one that is shown.
    choices: Vec<(String, String, bool)>,
    problem: String,
    /// What stood in the form that was refused, or is asked for by the address.
    machine: String,
    reason: String,
    can_ask: bool,
    needs_second: bool,
}

/// `GET /captures`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, asked, visitor, String::new(), String::new()).await
}

/// The list, with what was wrong with a request.
pub(super) async fn show(app: &Arc<App>, asked: Asked, visitor: Visitor, reason: String, problem: String) -> Result<Response, Failure> {
    let (standing, host) = (asked.standing()?, asked.host());
    let listed = ask(app, move |desk| Ok((desk.list(host.as_deref(), standing, asked.before)?, desk.rules()))).await?;
    let (recordings, rules) = listed.map_err(|error| failed(&error))?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let choice = |state: &str, word: String| {
        let url = if state.is_empty() { "/captures".to_owned() } else { format!("/captures?state={state}") };
        (url, word, asked.state == state)
    };
    let mut choices = vec![choice("", words.t("recording-all"))];
    choices.extend(CHOICES.map(|state| choice(state.word(), words.t(&format!("recording-state-{}", state.word())))));
    let rows = recordings.iter().map(|recording| Row::new(words, &clock, recording)).collect();
    let can_ask = !rules.interfaces.is_empty();
    let needs_second = rules.approval == crate::capture::recording::Approval::Two;
    let page = Page::new(visitor, clock, "detect", words.t("recording-captures"));
    Ok(render(&CapturesPage { page, rows, choices, problem, machine: asked.machine, reason, can_ask, needs_second }))
}
