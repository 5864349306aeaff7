//! `/maintenance`: the windows in which nobody is alarmed, and the freezes; planning and taking back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::act::failed;
use super::hall;
use crate::config::Glob;
use crate::incident::windows::{Purpose, Target, When, Window};
use crate::incident::{OrderError, windows};
use crate::model::Timestamp;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::page::{Page, render};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

struct Row {
    id: i64,
    purpose: String,
    target: String,
    when: String,
    next: String,
    is_open: bool,
    comment: String,
    by: String,
}

#[derive(Template)]
#[template(path = "maintenance.html")]
struct MaintenancePage {
    page: Page,
    rows: Vec<Row>,
    days: Vec<(i8, String)>,
    problem: String,
}

/// The form of a new window.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filled {
    comment: String,
    devices: String,
    sites: String,
    ports: String,
    tags: String,
    /// `2026-11-24T22:00`, for one that comes once.
    from: String,
    to: String,
    /// `1,2,5`: days of the week, for one that comes again; then `from` and `to` are times of day.
    days: String,
    freeze: String,
}

/// `GET /maintenance`.
pub(crate) async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, visitor, String::new())
}

/// `POST /maintenance`.
pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let clock = app.clock();
    let actor = caller.actor();
    match window(&filled, &clock, actor.person.clone().unwrap_or_default()) {
        Ok(window) => {
            hall(&app)?.plan(window, actor).await.map_err(|error| failed(&error))?;
            Ok(Redirect::to("/maintenance").into_response())
        }
        Err(key) => {
            let problem = Words(visitor.lang).t(key);
            show(&app, visitor, problem)
        }
    }
}

/// `POST /maintenance/{id}/end`.
pub(crate) async fn end(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<i64>) -> Result<Response, Failure> {
    match hall(&app)?.unplan(id, caller.actor()).await {
        Ok(()) | Err(OrderError::NoWindow) => Ok(Redirect::to("/maintenance").into_response()),
        Err(other) => Err(failed(&other)),
    }
}

fn show(app: &Arc<App>, visitor: Visitor, problem: String) -> Result<Response, Failure> {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let all = app.incidents().map(|hall| hall.board().windows()).unwrap_or_default();
    let mut rows: Vec<Row> =
        all.all().filter(|window| all.next_span(window, clock.now).is_some()).map(|window| row(words, &clock, &all, window)).collect();
    rows.sort_by_key(|row| (!row.is_open, row.next.clone()));
    let days = (1..=7).map(|day| (day, words.t(&format!("incident-day-{day}")))).collect();
    let page = Page::new(visitor, clock, "incidents", words.t("incident-maintenance"));
    Ok(render(&MaintenancePage { page, rows, days, problem }))
}

fn row(words: Words, clock: &Clock, all: &windows::Windows, window: &Window) -> Row {
    let target = &window.target;
    let lists = [("device", &target.devices), ("site", &target.sites), ("port", &target.ports), ("tag", &target.tags)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let parts: Vec<String> = lists.map(|(kind, list)| words.what(&format!("incident-target-{kind}"), &list.join(", "))).collect();
    let next = all.next_span(window, clock.now).map(|(from, to)| format!("{} – {}", clock.full(from), clock.full(to))).unwrap_or_default();
    let when = match &window.when {
        When::Once { .. } => words.t("incident-once"),
        When::Weekly { days, .. } => {
            let days: Vec<String> = days.iter().map(|day| words.t(&format!("incident-day-{day}"))).collect();
            words.what("incident-weekly", &days.join(" "))
        }
    };
    Row {
        id: window.id,
        purpose: words.t(match window.purpose {
            Purpose::Maintenance => "incident-maintenance",
            Purpose::Freeze => "incident-freeze",
        }),
        target: if parts.is_empty() { words.t("incident-whole-network") } else { parts.join(" · ") },
        when,
        next,
        is_open: all.is_open(window, clock.now),
        comment: window.comment.clone(),
        by: window.by.to_string(),
    }
}

/// What the form says, or the key of what is wrong with it.
pub(crate) fn window(filled: &Filled, clock: &Clock, by: Arc<str>) -> Result<Window, &'static str> {
    let list = |text: &str| -> Vec<String> {
        text.split([',', '，', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let globs = |text: &str| {
        let list = list(text);
        list.iter().all(|text| text.parse::<Glob>().is_ok()).then_some(list).ok_or("incident-bad-pattern")
    };
    let target =
        Target { devices: globs(&filled.devices)?, sites: globs(&filled.sites)?, ports: globs(&filled.ports)?, tags: list(&filled.tags) };
    let days: Vec<i8> = list(&filled.days).iter().filter_map(|day| day.parse().ok()).filter(|day| (1..=7).contains(day)).collect();
    let when = if days.is_empty() {
        let (from, to) = (moment(&filled.from, clock).ok_or("incident-bad-time")?, moment(&filled.to, clock).ok_or("incident-bad-time")?);
        if to <= from || to <= clock.now {
            return Err("incident-bad-time");
        }
        When::Once { from, to }
    } else {
        let minutes = |text: &str| {
            // A form for dates gives `2026-11-24T22:00`; its time of day counts.
            let (hours, minutes) = text.trim().rsplit(['T', ' ']).next()?.split_once(':')?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        When::Weekly { days, from: minutes(&filled.from).ok_or("incident-bad-time")?, to: minutes(&filled.to).ok_or("incident-bad-time")? }
    };
    if filled.comment.trim().is_empty() {
        return Err("incident-no-comment");
    }
    let purpose = if filled.freeze.is_empty() { Purpose::Maintenance } else { Purpose::Freeze };
    Ok(Window { id: 0, purpose, target, when, by, comment: filled.comment.trim().to_owned() })
}

/// A moment in the office's own time.
fn moment(text: &str, clock: &Clock) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.trim().replace(' ', "T").parse().ok()?;
    Some(Timestamp::from_millis(civil.to_zoned_datetime(clock.zone().clone()).ok()?.timestamp().as_millisecond()))
}
