//! `/locate?q=`: where a machine sits, by its MAC or IP address: every place with its points, why, and who may be meant as well;
//! the same as a part of the page of a machine, and for programs.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use fluent_bundle::FluentValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::machine::machine_url;
use crate::locate::class::Why;
use crate::locate::find::ENOUGH;
use crate::locate::seek::{Sought, Wanted};
use crate::locate::{Candidate, Reason};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::page::{Page, port_url, render};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
}

/// One place.
struct Place {
    port: String,
    url: String,
    mark: Html,
    points: usize,
    kind: String,
    vlan: String,
    since: String,
    seen: String,
    seen_full: String,
    reasons: Vec<String>,
}

/// One machine.
struct Machine {
    mac: String,
    url: String,
    addresses: Vec<(String, String)>,
    says: String,
    /// Where it may be.
    places: Vec<Place>,
    /// Where it is only passed on.
    way: Vec<Place>,
}

#[derive(Template)]
#[template(path = "locate.html")]
struct LocatePage {
    page: Page,
    machines: Vec<Machine>,
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "locate_places.html")]
struct Places<'a> {
    words: Words,
    machine: &'a Machine,
}

/// `GET /locate?q=`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let wanted: Option<Wanted> = asked.q.parse().ok();
    let (words, clock) = (Words(visitor.lang), app.clock());
    let sought = wanted.map(|wanted| seek(&app, wanted)).unwrap_or_default();
    let machines = sought.iter().map(|sought| machine(words, &clock, sought)).collect();
    let mut page = Page::new(visitor, clock, "", words.t("locate-title"));
    asked.q.trim().clone_into(&mut page.query);
    let is_wrong = wanted.is_none() && !page.query.is_empty();
    Ok(render(&LocatePage { page, machines, is_wrong }))
}

/// The places of one machine, for its page.
pub(crate) fn part(app: &App, words: Words, clock: &Clock, address: &str) -> Html {
    let Ok(wanted) = address.parse::<Wanted>() else { return Html::default() };
    let sought = seek(app, wanted);
    let Some(machine) = sought.first().map(|sought| machine(words, clock, sought)) else { return Html::default() };
    Html(Places { words, machine: &machine }.render().unwrap_or_default())
}

/// Whether anything is known of the place of whoever is meant.
pub(crate) fn is_known(app: &App, text: &str) -> bool {
    let is_somewhere = |sought: &Sought| sought.found.own.is_some() || !sought.found.candidates.is_empty() || !sought.addresses.is_empty();
    text.parse().is_ok_and(|wanted| seek(app, wanted).iter().any(is_somewhere))
}

/// `GET /api/v1/locate/{what}`.
pub(crate) async fn api(State(app): State<Arc<App>>, Path(what): Path<String>) -> Result<Json<Value>, Failure> {
    let wanted = what.parse().map_err(|error: crate::locate::seek::NoAddress| Failure::BadParameter("what", error.to_string()))?;
    Ok(Json(json!({ "machines": seek(&app, wanted) })))
}

fn seek(app: &App, wanted: Wanted) -> Vec<Sought> {
    app.places().map(|places| places.seek(wanted)).unwrap_or_default()
}

fn machine(words: Words, clock: &Clock, sought: &Sought) -> Machine {
    let found = &sought.found;
    let says = match (&found.own, found.certain()) {
        (Some(device), _) => words.what("locate-own", device),
        _ if found.is_no_station => words.t("locate-nobody"),
        (_, Some(best)) => words.what("locate-there", &format!("{} {}", best.device, best.port)),
        _ if found.candidates.is_empty() => words.t("locate-unseen"),
        _ => words.t("locate-unsure"),
    };
    let (likely, way): (Vec<&Candidate>, Vec<&Candidate>) = found.candidates.iter().partition(|candidate| candidate.score >= ENOUGH);
    let mut addresses: Vec<(String, String)> = Vec::new();
    for address in &sought.addresses {
        let ip = address.ip.to_string();
        if !addresses.iter().any(|(known, _)| *known == ip) {
            addresses.push((ip, format!("{} · {}", address.router, clock.short(address.seen))));
        }
    }
    Machine {
        mac: found.mac.to_string(),
        url: machine_url(&found.mac.to_string()),
        addresses,
        says,
        places: likely.iter().map(|candidate| place(words, clock, candidate)).collect(),
        way: way.iter().map(|candidate| place(words, clock, candidate)).collect(),
    }
}

fn place(words: Words, clock: &Clock, candidate: &Candidate) -> Place {
    Place {
        port: format!("{} {}", candidate.device, candidate.port),
        url: port_url(&candidate.device, &candidate.port),
        mark: if candidate.score >= ENOUGH { Mark::Up } else { Mark::Unknown }.html(),
        points: usize::try_from(candidate.score).unwrap_or(0),
        kind: words.t(&format!("locate-kind-{}", candidate.kind.word())),
        vlan: if candidate.vlan > 0 { candidate.vlan.to_string() } else { String::new() },
        since: clock.short(candidate.since),
        seen: clock.short(candidate.seen),
        seen_full: clock.full(candidate.seen),
        reasons: candidate.reasons.iter().map(|why| reason(words, why)).collect(),
    }
}

fn reason(words: Words, reason: &Reason) -> String {
    let key = format!("locate-reason-{}", reason.word());
    match reason {
        Reason::Beside(others) => words.n(&key, *others),
        Reason::Tagged(vlans) => words.n(&key, *vlans),
        Reason::Old(minutes) => words.what(&key, &words.span(std::time::Duration::from_secs(minutes * 60))),
        Reason::LeadsOn(why) => words.with(&key, &[("why", FluentValue::from(self::why(words, why)))]),
        Reason::Neighbour(name) => words.what(&key, name),
        Reason::Rival(device, port) => words.what(&key, &format!("{device} {port}")),
        Reason::Alone | Reason::Moved | Reason::Unconfirmed | Reason::Root | Reason::Bundle | Reason::Down => words.t(&key),
    }
}

fn why(words: Words, why: &Why) -> String {
    match why {
        Why::Listed => words.t("locate-why-listed"),
        Why::Behind(device) => words.what("locate-why-behind", device),
        Why::Neighbour(device) => words.what("locate-why-neighbour", device),
        Why::Bridge => words.t("locate-why-bridge"),
        Why::Crowd => words.t("locate-why-crowd"),
        Why::Vlans => words.t("locate-why-vlans"),
        Why::Unwatched => words.t("locate-why-unwatched"),
        Why::Nowhere => words.t("locate-why-nowhere"),
    }
}
