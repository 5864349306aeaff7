//! `/capture/{id}`: one capture, what became of it, and what may be done about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ask, failed, size, state, until, who};
use crate::capture::recording::life::Said;
use crate::capture::recording::{Approval, Recording, State as Standing};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::figure::group;
use crate::web::html::Html;
use crate::web::page::{Page, render};
use crate::web::pages::machine::machine_url;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// A step of its life.
struct Step {
    at: String,
    at_full: String,
    what: String,
    by: String,
    words: String,
}

#[derive(Template)]
#[template(path = "capture.html")]
struct CapturePage {
    page: Page,
    id: i64,
    machine: String,
    machine_url: String,
    state: Html,
    problem: String,
    /// Name and value.
    facts: Vec<(String, String)>,
    sha256: String,
    steps: Vec<Step>,
    fault: String,
    detail: String,
    waits: bool,
    /// Whether this reader can be the second person.
    is_second: bool,
    is_asker: bool,
    has_file: bool,
    is_held: bool,
}

/// `GET /capture/{id}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(id): Path<i64>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, id, visitor, String::new()).await
}

/// The page, with what was wrong with the last wish.
pub(super) async fn show(app: &Arc<App>, id: i64, visitor: Visitor, problem: String) -> Result<Response, Failure> {
    let read = ask(app, move |desk| Ok((desk.one(id)?, desk.rules().approval))).await?;
    let (recording, approval) = read.map_err(|error| failed(&error))?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let is_asker = visitor.caller.identity.as_ref().map(|identity| &identity.person) == recording.asked.by.as_ref();
    let title = format!("{} #{id}", words.t("recording-capture"));
    let fault = recording.fault.as_ref().map(|fault| words.t(&format!("recording-fault-{}", fault.why.word())));
    Ok(render(&CapturePage {
        id,
        machine_url: machine_url(&recording.machine),
        state: state(words, recording.state),
        problem,
        facts: facts(words, &clock, &recording),
        sha256: recording.sha256.clone().unwrap_or_default(),
        steps: steps(words, &clock, &recording),
        fault: fault.unwrap_or_default(),
        detail: recording.fault.as_ref().map(|fault| fault.detail.clone()).unwrap_or_default(),
        waits: recording.state == Standing::Asked,
        is_second: !is_asker || approval == Approval::One,
        is_asker,
        has_file: recording.state.has_file(),
        is_held: recording.hold.is_some(),
        machine: recording.machine,
        page: Page::new(visitor, clock, "detect", title),
    }))
}

fn facts(words: Words, clock: &Clock, recording: &Recording) -> Vec<(String, String)> {
    let mut facts = vec![(
        words.t("recording-asked-for"),
        format!("{}, {}", words.span(std::time::Duration::from_secs(recording.seconds)), mebibytes(recording.most_octets)),
    )];
    if let Some(counts) = recording.counts {
        facts.push((words.t("recording-packets"), group(counts.packets)));
        facts.push((words.t("recording-size"), size(counts.octets)));
        if counts.dropped > 0 {
            facts.push((words.t("recording-dropped"), group(counts.dropped)));
        }
        if counts.is_full {
            facts.push((words.t("recording-note"), words.t("recording-was-full")));
        }
    }
    let kept = until(words, clock, recording);
    if !kept.is_empty() {
        facts.push((words.t("recording-kept"), kept));
    }
    facts
}

fn mebibytes(octets: u64) -> String {
    format!("≤\u{a0}{}\u{a0}MiB", octets >> 20)
}

fn steps(words: Words, clock: &Clock, recording: &Recording) -> Vec<Step> {
    let step = |key: &str, said: &Said| Step {
        at: clock.short(said.at),
        at_full: clock.full(said.at),
        what: words.t(key),
        by: who(words, said.by.as_ref()),
        words: said.words.clone(),
    };
    let own = |at| Said { by: None, at, words: String::new() };
    let mut steps = vec![step("recording-step-asked", &recording.asked)];
    if let Some(said) = &recording.answered {
        steps.push(step(
            match recording.state {
                Standing::Refused => "recording-step-refused",
                Standing::Withdrawn => "recording-step-withdrawn",
                Standing::Lapsed if said.by.is_none() => "recording-step-lapsed",
                _ => "recording-step-approved",
            },
            said,
        ));
    }
    steps.extend(recording.started.map(|at| step("recording-step-started", &own(at))));
    steps.extend(recording.ended.map(|at| step("recording-step-ended", &own(at))));
    steps.extend(recording.hold.as_ref().map(|said| step("recording-step-held", said)));
    steps.extend(recording.deleted.as_ref().map(|said| step("recording-step-deleted", said)));
    steps
}
