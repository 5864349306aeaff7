//! `/incident/{id}`: one incident, with its time line, its facts, what it takes along, and what people did about it.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ask, facts, mark, notes, severity, subject_url};
use crate::incident::record::{Event, Incident, Phase};
use crate::model::{IncidentId, Subject, Timestamp};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::Html;
use crate::web::page::{Page, render, segment};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Children named on the page.
const CHILDREN: usize = 500;
/// The graph of the moment shows so much of what came after the beginning.
const AFTER: Duration = Duration::from_secs(6 * 3600);
/// Five-minute values are kept about so long.
const DAYS_KEPT: Duration = Duration::from_secs(180 * 86_400);
/// Log entries shown.
const ENTRIES: usize = 500;

struct Entry {
    at: String,
    at_full: String,
    what: String,
    person: String,
    comment: String,
    sentence: String,
    muted: bool,
}

struct Follower {
    name: String,
    url: String,
    rule: String,
    left: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    page: Page,
    id: i64,
    mark: Html,
    severity: String,
    sentence: String,
    notes: String,
    is_open: bool,
    root: String,
    subject: String,
    subject_url: String,
    opened: String,
    cleared: String,
    lasted: String,
    ack: Option<(String, String, String)>,
    is_muted: bool,
    facts: Vec<(String, String)>,
    followers: Vec<Follower>,
    affected: usize,
    taken: usize,
    entries: Vec<Entry>,
    graph: String,
    graph_url: String,
    problem: String,
}

/// `GET /incident/{id}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(id): Path<i64>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, id, visitor, String::new()).await
}

/// The page, with what could not be done.
pub(super) async fn show(app: &Arc<App>, id: i64, visitor: Visitor, problem: String) -> Result<Response, Failure> {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let found = ask(app, move |archive| {
        let Some(incident) = archive.incident(IncidentId(id))? else { return Ok(None) };
        Ok(Some((incident, archive.children(IncidentId(id), CHILDREN)?, archive.log(IncidentId(id), ENTRIES)?)))
    });
    let (incident, children, log) = found.await?.ok_or(Failure::NoPage)?;
    let sentence = facts::sentence(words, &clock, incident.subject(), &incident.rule, &incident.evidence);
    let followers = children.iter().map(|(key, child)| Follower {
        name: key.subject.name(),
        url: subject_url(&key.subject),
        rule: child.rule.to_string(),
        left: child.left.map(|left| clock.short(left)).unwrap_or_default(),
    });
    let (graph, graph_url) = graph(app, words, &incident).unwrap_or_default();
    let ack = incident.ack.as_ref().map(|ack| {
        let until = ack.until.map(|until| clock.full(until)).unwrap_or_default();
        (words.what("incident-note-acknowledged", &ack.by), ack.comment.clone(), until)
    });
    let page = Page::new(visitor, clock.clone(), "incidents", format!("#{id} {}", facts::name(words, incident.subject())));
    Ok(render(&IncidentPage {
        page,
        id,
        mark: mark(&incident),
        severity: severity(words, incident.severity),
        notes: notes(words, &incident),
        is_open: incident.is_open(),
        root: match incident.phase {
            Phase::Merged(root) => root.0.to_string(),
            _ => String::new(),
        },
        subject: facts::name(words, incident.subject()),
        subject_url: subject_url(incident.subject()),
        opened: clock.full(incident.opened),
        cleared: incident.cleared.map(|cleared| clock.full(cleared)).unwrap_or_default(),
        lasted: words.span(incident.cleared.unwrap_or(clock.now).since(incident.opened)),
        ack,
        is_muted: incident.mute.is_some(),
        facts: facts::all(words, &clock, &incident.evidence),
        followers: followers.collect(),
        affected: incident.affected,
        taken: incident.taken,
        entries: log.iter().rev().map(|event| entry(words, &clock, event)).collect(),
        graph,
        graph_url,
        sentence,
        problem,
    }))
}

fn entry(words: Words, clock: &Clock, event: &Event) -> Entry {
    Entry {
        at: clock.short(event.at),
        at_full: clock.full(event.at),
        what: words.t(&format!("incident-change-{}", event.change.word())),
        person: event.person.as_deref().unwrap_or_default().to_owned(),
        comment: event.comment.clone().unwrap_or_default(),
        sentence: facts::sentence(words, clock, &event.subject, &event.rule, &event.evidence),
        muted: event.is_muted,
    }
}

/// The graph of the moment: of the kind that the rule is about, the day before it and the hours after it.
fn graph(app: &App, words: Words, incident: &Incident) -> Option<(String, String)> {
    let moment = moment(incident.opened, app.clock().now, words.0.tag());
    let (device, name) = match incident.subject() {
        Subject::Port(device, name) => (device, name),
        Subject::Host(name) | Subject::Device(name) => {
            let host = app.board().host(name)?;
            return Some((format!("/host/{}/graph/{moment}", segment(&host.info.name)), subject_url(incident.subject())));
        }
        Subject::Service(name, service) => {
            let picture = format!("/host/{}/service/{}/graph/{moment}", segment(name), segment(service));
            return Some((picture, subject_url(incident.subject())));
        }
        _ => return None,
    };
    let live = app.device(device)?;
    let port = live.ports.iter().find(|port| port.identity.name == *name)?;
    let kind = match &*incident.rule {
        rule if rule.contains("errors") => "errors",
        rule if rule.contains("discards") => "discards",
        rule if rule.contains("broadcast") || rule.contains("multicast") => "broadcast",
        "port-utilisation" => "utilisation",
        _ => "traffic",
    };
    Some((format!("/graph/{}/{kind}/{moment}", port.identity.id.0), subject_url(incident.subject())))
}

/// The picture's file: the day that ends some hours after the beginning, or, where days are not kept so long, the year.
fn moment(opened: Timestamp, now: Timestamp, lang: &str) -> String {
    if now.since(opened) > DAYS_KEPT {
        return format!("year.svg?lang={lang}");
    }
    let end = (opened + AFTER).min(now);
    format!("day.svg?lang={lang}&at={}", end.secs())
}

/// The end of a span that a form names in hours; `None` for none.
pub(super) fn until(hours: &str, now: Timestamp) -> Option<Timestamp> {
    let hours: u64 = hours.trim().parse().ok()?;
    (1..=24 * 366).contains(&hours).then(|| now + Duration::from_secs(hours * 3600))
}

/// The page of an incident.
pub(super) fn url(id: i64) -> String {
    format!("/incident/{}", segment(&id.to_string()))
}
