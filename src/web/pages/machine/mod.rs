//! `/machine/{address}`: who a machine is, what is held for and against it, its day, and whom it turns to.

mod day;
mod finding;
mod who;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

pub(crate) use finding::{Finding, level, wound};
pub(crate) use who::{Who, name_of};

use super::{Part, block, capture, inner, locate};
use crate::detect::portrait::Portrait;
use crate::detect::standing::{Point, weigh};
use crate::detect::{Detection, Machine, MachineKey};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::page::{Page, render, segment};
use crate::web::pages::incident::facts;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// The page of a machine.
pub(crate) fn machine_url(address: &str) -> String {
    format!("/machine/{}", segment(address))
}

/// All that is known of one machine.
pub(crate) struct Known {
    pub(crate) machine: Machine,
    pub(crate) portrait: Option<Arc<Portrait>>,
    pub(crate) held: Vec<Arc<Detection>>,
}

impl Known {
    /// By any address; `None` when nobody has heard of it.
    pub(crate) fn find(app: &App, key: MachineKey) -> Option<Self> {
        let (portrait, held) = (app.detect().machine(key), app.detect().held_against(key));
        let key = portrait.as_ref().map_or(key, |portrait| portrait.key);
        let newest = portrait.as_ref().and_then(|portrait| portrait.addresses.first()).map(|(ip, _)| *ip);
        let said = held.first().map(|detection| detection.machine).unwrap_or_default();
        let (mac, ip) = match key {
            MachineKey::Mac(mac) => (Some(mac), newest.or(said.ip)),
            MachineKey::Ip(ip) => (said.mac, Some(ip)),
        };
        let vlan = portrait.as_ref().and_then(|portrait| portrait.vlan).or(said.vlan);
        let machine = Machine { ip, mac, vlan };
        let is_known = portrait.is_some() || !held.is_empty() || app.detect().port(&machine).is_some();
        is_known.then_some(Self { machine, portrait, held })
    }

    /// The one of an address as people write it.
    pub(crate) fn of(app: &App, address: &str) -> Result<Self, Failure> {
        let unknown = || Failure::NoMachine(address.to_owned());
        Self::find(app, address.parse().map_err(|_| unknown())?).ok_or_else(unknown)
    }
}

#[derive(Template)]
#[template(path = "machine.html")]
struct MachinePage {
    page: Page,
    name: String,
    head: Html,
    findings: Html,
    sides: Html,
    day: Html,
    fan: Html,
    places: Html,
    block: Html,
    capture: Html,
}

/// `GET /machine/{address}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(address): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let known = Known::of(&app, &address)?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &known);
    let name = name_of(&app, &known.machine, known.portrait.as_deref());
    let page = Page::new(visitor, clock, "detect", name.clone()).with_stream(&format!("machine&name={}", segment(&address)));
    let key = known.machine.key().map(|key| key.to_string()).unwrap_or_default();
    let (block, capture) = (block::part(&app, &page, &key).await, capture::part(&app, &page, &key).await);
    Ok(render(&MachinePage {
        head: inner(&parts, "head"),
        findings: inner(&parts, "findings"),
        sides: inner(&parts, "sides"),
        day: inner(&parts, "day"),
        fan: inner(&parts, "fan"),
        places: locate::part(&app, page.words, &page.clock, &key),
        block,
        capture,
        page,
        name,
    }))
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, known: &Known) -> Vec<Part> {
    let Known { machine, portrait, held } = known;
    let findings = held.iter().map(|detection| Finding::new(app, words, clock, detection)).collect();
    let balance = weigh(portrait.as_deref(), held, &app.detect().known(machine, app.clock().now));
    let points = |points: &[Point]| points.iter().map(|point| said(words, clock, point)).collect();
    vec![
        Part::of("head", &who::Head { words, who: Who::new(app, words, clock, known) }),
        Part::of("findings", &Findings { words, findings }),
        Part::of("sides", &Sides { words, against: points(&balance.against), favour: points(&balance.favour) }),
        Part::of("day", &Drawn { svg: day::contacts(portrait.as_deref(), words, clock), services: Vec::new(), words }),
        Part::of("fan", &Drawn { svg: day::fan(portrait.as_deref(), words), services: day::services(portrait.as_deref()), words }),
    ]
}

/// One thing that is said for or against a machine, in a sentence.
pub(crate) fn said(words: Words, clock: &Clock, point: &Point) -> String {
    let values: Vec<(&str, fluent_bundle::FluentValue<'_>)> = point
        .facts
        .iter()
        .map(|(name, fact)| match (name.as_str(), fact) {
            ("part", crate::model::Fact::Text(part)) => ("part", words.t(&format!("machine-part-{part}")).into()),
            (name, crate::model::Fact::Count(count)) => (name, (*count).into()),
            (name, fact) => (name, facts::written(words, clock, fact).into()),
        })
        .collect();
    words.filled(&format!("machine-point-{}", point.word), &values)
}

/// The state of a machine by the gravest of what is held against it now.
pub(crate) fn state(words: Words, held: &[Arc<Detection>]) -> Html {
    match held.iter().filter(|detection| !detection.cleared).map(|detection| detection.level).max() {
        Some(worst) => level(words, worst),
        None => Mark::Up.with(&words.t("machine-calm")),
    }
}

#[derive(Template)]
#[template(path = "machine_findings.html")]
struct Findings {
    words: Words,
    findings: Vec<Finding>,
}

#[derive(Template)]
#[template(path = "machine_sides.html")]
struct Sides {
    words: Words,
    against: Vec<String>,
    favour: Vec<String>,
}

#[derive(Template)]
#[template(path = "machine_drawn.html")]
struct Drawn {
    words: Words,
    svg: Html,
    services: Vec<day::Row>,
}
