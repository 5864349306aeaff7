//! `/blocks`: cases, the newest first, with the brake and the form of a request.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Row, ask};
use crate::block::{Counter, Phase};
use crate::config::block::Mode;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Cases that are shown at most.
const MOST: u32 = 500;
/// Phases that the list can be cut down to.
const CHOICES: [Phase; 6] = [Phase::Waiting, Phase::Blocked, Phase::Observed, Phase::Refused, Phase::Failed, Phase::Released];

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// A phase, or `all`; what is not over without it.
    pub(crate) phase: String,
}

impl Asked {
    /// Whether those that are over are wanted, and the one phase that is.
    pub(crate) fn filter(&self) -> Result<(bool, Option<Phase>), Failure> {
        match self.phase.as_str() {
            "" => Ok((false, None)),
            "all" => Ok((true, None)),
            word => match Phase::ALL.into_iter().find(|phase| phase.word() == word) {
                Some(phase) => Ok((phase.is_over(), Some(phase))),
                None => {
                    let words = Phase::ALL.map(Phase::word).join(", ");
                    Err(Failure::BadParameter("phase", format!("it is one of all, {words}")))
                }
            },
        }
    }
}

#[derive(Template)]
#[template(path = "blocks.html")]
struct BlocksPage {
    page: Page,
    rows: Vec<Row>,
    /// Address, word, and whether it is the one that is shown.
    choices: Vec<(String, String, bool)>,
    mode: String,
    has_scopes: bool,
    is_observe: bool,
    frozen: String,
    is_tripped: bool,
    problem: String,
    machine: String,
    reason: String,
}

/// What stood in the form that was refused.
#[derive(Default)]
pub(super) struct Wrong {
    pub(super) machine: String,
    pub(super) reason: String,
    pub(super) problem: String,
}

/// `GET /blocks`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, &asked, visitor, Wrong::default()).await
}

pub(super) async fn show(app: &Arc<App>, asked: &Asked, visitor: Visitor, wrong: Wrong) -> Result<Response, Failure> {
    let (with_over, only) = asked.filter()?;
    let read = move |counter: &Counter| Ok((counter.list(with_over, MOST)?, counter.brake()?, counter.rules().settings()));
    let (mut cases, brake, settings) = ask(app, read).await?;
    cases.retain(|case| only.is_none_or(|phase| case.phase == phase));
    let (words, clock) = (Words(visitor.lang), app.clock());
    let choice = |phase: &str, word: String| {
        let url = if phase.is_empty() { "/blocks".to_owned() } else { format!("/blocks?phase={phase}") };
        (url, word, asked.phase == phase)
    };
    let mut choices = vec![choice("", words.t("blocking-open"))];
    choices.extend(CHOICES.map(|phase| choice(phase.word(), words.t(&format!("blocking-phase-{}", phase.word())))));
    choices.push(choice("all", words.t("blocking-all")));
    let frozen = brake.frozen.as_ref().filter(|(until, _, _)| clock.now < *until);
    let frozen = frozen.map(|(until, reason, person)| {
        words.with("blocking-frozen", &[("until", clock.full(*until).into()), ("reason", reason.into()), ("person", person.into())])
    });
    Ok(render(&BlocksPage {
        rows: cases.iter().map(|case| Row::new(words, &clock, case)).collect(),
        choices,
        mode: words.t(&format!("blocking-mode-{}", settings.mode.word())),
        has_scopes: settings.scopes.iter().any(|scope| scope.mode.is_some()),
        is_observe: settings.mode == Mode::Observe,
        frozen: frozen.unwrap_or_default(),
        is_tripped: Counter::is_tripped(&brake, clock.now),
        problem: wrong.problem,
        machine: wrong.machine,
        reason: wrong.reason,
        page: Page::new(visitor, clock, "blocks", words.t("blocking-title")),
    }))
}
