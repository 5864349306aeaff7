//! 故障事件: what is wrong now, one incident with all that happened to it, the past, and the maintenance windows.

pub(crate) mod act;
pub(crate) mod facts;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod windows;

use std::sync::Arc;

use crate::incident::record::{Incident, Phase};
use crate::incident::{Archive, Hall};
use crate::model::{Severity, Subject};
use crate::store::StoreError;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::page::{device_url, port_url};
use crate::web::pages::host::host_url;
use crate::web::pages::machine::machine_url;
use crate::web::source::HistoryError;
use crate::web::time::Clock;
use crate::web::words::Words;

use facts::sentence;

/// An incident as a row of a list.
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) mark: Html,
    pub(crate) severity: String,
    pub(crate) sentence: String,
    pub(crate) site: String,
    pub(crate) affected: usize,
    pub(crate) notes: String,
    pub(crate) opened: String,
    pub(crate) opened_full: String,
    pub(crate) lasted: String,
}

/// A row of a list.
pub(crate) fn row(words: Words, clock: &Clock, incident: &Incident) -> Row {
    let end = incident.cleared.unwrap_or(clock.now);
    Row {
        id: incident.id.0,
        mark: mark(incident),
        severity: severity(words, incident.severity),
        sentence: sentence(words, clock, incident.subject(), &incident.rule, &incident.evidence),
        site: match incident.subject() {
            Subject::Site(site) => site.to_string(),
            _ => String::new(),
        },
        affected: incident.affected,
        notes: notes(words, incident),
        opened: clock.short(incident.opened),
        opened_full: clock.full(incident.opened),
        lasted: words.span(end.since(incident.opened)),
    }
}

/// What else is to be known at a glance.
fn notes(words: Words, incident: &Incident) -> String {
    let mut notes = Vec::new();
    if let Phase::Merged(root) = incident.phase {
        notes.push(words.what("incident-note-merged", &root.0.to_string()));
    }
    if let Some(ack) = &incident.ack {
        notes.push(words.what("incident-note-acknowledged", &ack.by));
    }
    for (holds, key) in [
        (incident.is_flapping, "incident-note-flapping"),
        (incident.in_maintenance, "incident-note-maintenance"),
        (incident.mute.is_some(), "incident-note-muted"),
        (incident.is_unknown, "incident-note-unknown"),
    ] {
        if holds {
            notes.push(words.t(key));
        }
    }
    notes.join(" · ")
}

fn mark(incident: &Incident) -> Html {
    let mark = match (incident.phase, incident.severity) {
        (Phase::Cleared | Phase::Merged(_), _) => Mark::Up,
        (Phase::Open, Severity::Critical | Severity::Major) => Mark::Down,
        (Phase::Open, Severity::Minor) => Mark::Degraded,
        (Phase::Open, Severity::Info) => Mark::Unknown,
    };
    mark.html()
}

/// A severity in a word.
pub(crate) fn severity(words: Words, severity: Severity) -> String {
    words.t(&format!("incident-severity-{}", severity.word()))
}

/// The page of a subject, empty when it has none.
pub(crate) fn subject_url(subject: &Subject) -> String {
    match subject {
        Subject::Device(name) => device_url(name),
        Subject::Port(device, port) => port_url(device, port),
        Subject::Host(name) | Subject::Service(name, _) => host_url(name),
        Subject::Machine(address) => machine_url(address),
        _ => String::new(),
    }
}

fn hall(app: &App) -> Result<&Arc<Hall>, Failure> {
    app.incidents().ok_or(Failure::NoPage)
}

/// Asks the database on a blocking thread.
pub(crate) async fn ask<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&Archive) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let archive = hall(app)?.archive().clone();
    let unreadable = |error: String| Failure::Store(HistoryError::Unreadable(error));
    let asked = tokio::task::spawn_blocking(move || question(&archive)).await;
    asked.map_err(|_| unreadable("the reading thread died".to_owned()))?.map_err(|error| unreadable(error.to_string()))
}
