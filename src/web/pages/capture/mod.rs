//! `/captures`: which captures of one host's frames there are; `/capture/{id}`: one, with what may be done about it; and the
//! part of them on the page of a machine.

pub(crate) mod act;
mod list;
mod one;
mod part;

use std::sync::Arc;

use fluent_bundle::FluentValue;

pub(crate) use list::{Asked, page};
pub(crate) use one::page as one;
pub(crate) use part::part;

use crate::capture::recording::{Desk, DeskError, Recording, State};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::pages::machine::machine_url;
use crate::web::source::HistoryError;
use crate::web::time::Clock;
use crate::web::words::Words;

/// The page of one.
pub(crate) fn url(id: i64) -> String {
    format!("/capture/{id}")
}

/// The desk, where there is one.
pub(crate) fn desk(app: &App) -> Result<Arc<Desk>, Failure> {
    app.recordings().cloned().ok_or(Failure::NoPage)
}

/// Asks the desk on a blocking thread.
pub(crate) async fn ask<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&Desk) -> Result<T, DeskError> + Send + 'static,
) -> Result<Result<T, DeskError>, Failure> {
    let desk = desk(app)?;
    tokio::task::spawn_blocking(move || question(&desk))
        .await
        .map_err(|_| Failure::Store(HistoryError::Unreadable("the asking thread died".to_owned())))
}

/// What the desk would not do, as the answer to a request.
pub(crate) fn failed(error: &DeskError) -> Failure {
    match error {
        DeskError::Unknown(id) => Failure::NoCapture(*id),
        DeskError::Store(_) | DeskError::File { .. } => Failure::Store(HistoryError::Unreadable(error.to_string())),
        other => Failure::Capture(other.to_string()),
    }
}

/// What the desk would not do, as a sentence on the page; `None` where the page itself cannot be shown.
fn problem(words: Words, error: &DeskError) -> Option<String> {
    Some(match error {
        DeskError::Refused(refused) => words.t(&format!("recording-refused-{}", refused.word())),
        DeskError::NoInterface => words.t("recording-no-interface"),
        DeskError::NoRoom { free, needed } => {
            words.with("recording-no-room", &[("free", FluentValue::from(*free)), ("needed", FluentValue::from(*needed))])
        }
        DeskError::Already(id) => words.what("recording-already", &id.to_string()),
        DeskError::Busy => words.t("recording-busy"),
        DeskError::Changed(_) => words.t("recording-changed"),
        DeskError::Unknown(_) | DeskError::File { .. } | DeskError::Store(_) => return None,
    })
}

/// One as a row.
struct Row {
    id: i64,
    url: String,
    machine: String,
    machine_url: String,
    state: Html,
    reason: String,
    by: String,
    asked: String,
    asked_full: String,
    size: String,
    until: String,
}

impl Row {
    fn new(words: Words, clock: &Clock, recording: &Recording) -> Self {
        Self {
            id: recording.id,
            url: url(recording.id),
            machine: recording.machine.clone(),
            machine_url: machine_url(&recording.machine),
            state: state(words, recording.state),
            reason: recording.asked.words.clone(),
            by: who(words, recording.asked.by.as_ref()),
            asked: clock.short(recording.asked.at),
            asked_full: clock.full(recording.asked.at),
            size: recording.counts.filter(|_| recording.state.has_file()).map(|counts| size(counts.octets)).unwrap_or_default(),
            until: until(words, clock, recording),
        }
    }
}

/// Who keeps it, or until when it is kept.
fn until(words: Words, clock: &Clock, recording: &Recording) -> String {
    match (&recording.hold, recording.until()) {
        (Some(hold), _) if recording.state.has_file() => words.what("recording-held-by", &who(words, hold.by.as_ref())),
        (_, Some(until)) => clock.short(until),
        _ => String::new(),
    }
}

/// A person, or netroom itself.
fn who(words: Words, by: Option<&Arc<str>>) -> String {
    by.map_or_else(|| words.t("product"), ToString::to_string)
}

/// A state: mark and word.
fn state(words: Words, state: State) -> Html {
    let mark = match state {
        State::Kept => Mark::Up,
        State::Cut => Mark::Degraded,
        State::Failed => Mark::Down,
        State::Asked | State::Approved | State::Running => Mark::Unknown,
        State::Refused | State::Withdrawn | State::Lapsed | State::Deleted => Mark::Shut,
    };
    mark.with(&words.t(&format!("recording-state-{}", state.word())))
}

/// Octets as the pages write them: `1.20 MB`.
fn size(octets: u64) -> String {
    let (digits, prefix) = crate::model::units::si(octets as f64);
    format!("{digits}\u{a0}{prefix}B")
}
