//! Work on a port: the form on its page, what was done to it before, and `POST /device/{name}/port/{port}`.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{act, ask, said};
use crate::block::Wish;
use crate::block::work::{Came, Deed, Work};
use crate::journal::Recorded;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::page::{Page, port_url};
use crate::web::time::Clock;
use crate::web::words::Words;

/// Works that are named on the page of a port.
const NAMED: u32 = 5;

/// The form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    deed: String,
    pvid: String,
    alias: String,
    reason: String,
}

impl Wanted {
    fn deed(&self) -> Result<Deed, Failure> {
        let deed = match self.deed.as_str() {
            "down" => Deed::Down,
            "up" => Deed::Up,
            "bounce" => Deed::Bounce,
            "power-cycle" => Deed::PowerCycle,
            "vlan" => Deed::Vlan { pvid: self.pvid.trim().parse().unwrap_or(0) },
            "alias" => Deed::Alias { alias: self.alias.trim().to_owned() },
            other => return Err(Failure::BadParameter("deed", format!("nothing is named {other:?}"))),
        };
        checked(deed)
    }
}

/// A deed that can be done to some port.
pub(crate) fn checked(deed: Deed) -> Result<Deed, Failure> {
    match deed.fault() {
        Some(fault) => Err(Failure::BadParameter("deed", fault.to_owned())),
        None => Ok(deed),
    }
}

/// `POST /device/{name}/port/{*port}`.
pub(crate) async fn work(
    State(app): State<Arc<App>>,
    Path((device, port)): Path<(String, String)>,
    caller: Caller,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Failure> {
    let found = app.device(&device).ok_or_else(|| Failure::NoDevice(device.clone()))?;
    if !found.ports.iter().any(|candidate| *candidate.identity.name == *port) {
        return Err(Failure::NoPort(device, port));
    }
    let back = format!("{}#h-work", port_url(&device, &port));
    let reason = act::reason(&wanted.reason)?;
    let work = Work { device: device.into(), port: port.into(), deed: wanted.deed()?, reason };
    act::wish(&app, &caller, Wish::Work(work)).await?;
    Ok(Redirect::to(&back).into_response())
}

struct Row {
    at: String,
    at_full: String,
    person: String,
    deed: String,
    reason: String,
    outcome: Html,
    why: Vec<String>,
}

#[derive(Template)]
#[template(path = "port_work.html")]
struct Part<'a> {
    page: &'a Page,
    action: String,
    deeds: [(&'static str, String); 4],
    rows: Vec<Row>,
    waiting: Vec<String>,
}

/// The section; empty for readers who may not know of blocks.
pub(crate) async fn part(app: &App, page: &Page, device: &str, port: &str) -> Html {
    if !page.may("read_blocks") || app.blocks().is_none() {
        return Html::default();
    }
    let (on, at) = (device.to_owned(), port.to_owned());
    let (works, waiting) = match ask(app, move |counter| Ok((counter.works(&on, &at, NAMED)?, counter.waiting()?))).await {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(%error, "the works on {device} {port} cannot be read: {error}");
            return Html::default();
        }
    };
    let words = page.words;
    let waiting = waiting.iter().filter_map(|waits| match &waits.wish {
        Wish::Work(work) if (&*work.device, &*work.port) == (device, port) => Some(deed(words, &work.deed)),
        _ => None,
    });
    let part = Part {
        page,
        action: port_url(device, port),
        deeds: [Deed::Down, Deed::Up, Deed::Bounce, Deed::PowerCycle].map(|simple| (simple.word(), deed(words, &simple))),
        waiting: waiting.collect(),
        rows: works.iter().filter_map(|event| row(words, &page.clock, event)).collect(),
    };
    Html(part.render().unwrap_or_default())
}

fn deed(words: Words, deed: &Deed) -> String {
    let what = match deed {
        Deed::Vlan { pvid } => pvid.to_string(),
        Deed::Alias { alias } => alias.clone(),
        _ => String::new(),
    };
    words.what(&format!("blocking-deed-{}", deed.word()), &what)
}

fn row(words: Words, clock: &Clock, event: &Recorded) -> Option<Row> {
    let payload: Value = serde_json::from_str(event.payload.as_deref()?).ok()?;
    let done: Deed = serde_json::from_value(payload.get("deed")?.clone()).ok()?;
    let came: Came = serde_json::from_value(payload.get("came")?.clone()).ok()?;
    let at = event.at;
    let (mark, key) = match &came {
        Came::Done => (Mark::Up, "blocking-work-done"),
        Came::Observed { .. } => (Mark::Unknown, "blocking-work-observed"),
        _ => (Mark::Down, "blocking-work-not-done"),
    };
    Some(Row {
        at: clock.short(at),
        at_full: clock.full(at),
        person: event.actor.clone().unwrap_or_default(),
        deed: deed(words, &done),
        reason: payload.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned(),
        outcome: mark.with(&words.t(key)),
        why: why(words, clock, &came),
    })
}

fn why(words: Words, clock: &Clock, came: &Came) -> Vec<String> {
    match came {
        Came::Done => Vec::new(),
        Came::NoPort => vec![words.t("blocking-work-no-port")],
        Came::NoNumber => vec![words.t("blocking-work-no-number")],
        Came::Failed { said: text } => vec![said::note(words, text)],
        Came::Observed { varbinds, rails } => {
            varbinds.iter().cloned().chain(rails.iter().map(|rail| said::rail(words, clock, rail))).collect()
        }
        Came::Refused { rails } => {
            rails.iter().map(|rail| format!("{} — {}", said::rail(words, clock, rail), said::remedy(words, rail))).collect()
        }
    }
}
