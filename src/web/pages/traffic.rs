//! `/traffic`: how much of the line goes to which class of traffic, and who has most of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::machine::{machine_url, name_of};
use super::{Part, inner};
use crate::detect::Machine;
use crate::detect::class::{Class, Span, Sum};
use crate::web::app::App;
use crate::web::figure::Figure;
use crate::web::html::{Html, share};
use crate::web::page::{Page, render};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Machines named beside a class.
const NAMED: usize = 3;
/// Machines in the list of all.
const TALKERS: usize = 15;

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// `day`, `hour` or `work`.
    #[serde(default)]
    pub(crate) span: String,
}

struct Choice {
    url: String,
    label: String,
    is_on: bool,
}

/// A machine with its part of something.
struct Holder {
    name: String,
    url: String,
    octets: Figure,
    share: Figure,
    bar: Html,
    class: String,
}

struct Row {
    class: String,
    share: Figure,
    bar: Html,
    received: Figure,
    sent: Figure,
    top: Vec<Holder>,
}

#[derive(Template)]
#[template(path = "traffic.html")]
struct TrafficPage {
    page: Page,
    list: Html,
}

#[derive(Template)]
#[template(path = "traffic_list.html")]
struct List {
    words: Words,
    choices: Vec<Choice>,
    rows: Vec<Row>,
    talkers: Vec<Holder>,
    /// Why there is nothing.
    empty: String,
    /// Since when is counted.
    since: String,
}

/// `GET /traffic`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &asked);
    let span = Span::from_word(&asked.span);
    let page = Page::new(visitor, clock, "detect", words.t("machine-traffic")).with_stream(&format!("traffic&span={}", span.word()));
    render(&TrafficPage { list: inner(&parts, "traffic"), page })
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, asked: &Asked) -> Vec<Part> {
    let (report, span) = (app.detect().traffic(), Span::from_word(&asked.span));
    let sum = report.sum(span);
    let all = sum.all();
    let choices = Span::ALL.map(|one| Choice {
        url: format!("/traffic?span={}", one.word()),
        label: words.t(&format!("machine-span-{}", one.word())),
        is_on: one == span,
    });
    let empty = if span == Span::Work && !report.hours.is_empty() && !report.knows_work() {
        "machine-no-hours"
    } else if report.hours.is_empty() {
        "machine-no-traffic"
    } else {
        "machine-no-octets"
    };
    let talkers = sum.talkers.iter().take(TALKERS);
    vec![Part::of(
        "traffic",
        &List {
            words,
            choices: choices.into(),
            rows: if all == 0 { Vec::new() } else { rows(app, words, &sum) },
            talkers: talkers.map(|talker| holder(app, words, &talker.machine, (talker.octets, all), talker.most)).collect(),
            empty: words.t(empty),
            since: report.hours.first().map(|hour| clock.full(hour.start.timestamp())).unwrap_or_default(),
        },
    )]
}

fn rows(app: &App, words: Words, sum: &Sum) -> Vec<Row> {
    let all = sum.all();
    let mut classes: Vec<_> = Class::ALL.into_iter().zip(&sum.totals).filter(|(_, octets)| octets.all() > 0).collect();
    classes.sort_by_key(|(class, octets)| (std::cmp::Reverse(octets.all()), *class));
    let row = |(class, octets): (Class, &crate::detect::class::Octets)| Row {
        class: words.t(&format!("machine-class-{}", class.word())),
        share: Figure::percent(part(octets.all(), all) * 100.0),
        bar: share(part(octets.all(), all)),
        received: octets_of(octets.received),
        sent: octets_of(octets.sent),
        top: sum.top_of(class).take(NAMED).map(|top| holder(app, words, &top.machine, (top.octets, octets.all()), class)).collect(),
    };
    classes.into_iter().map(row).collect()
}

fn holder(app: &App, words: Words, machine: &Machine, (own, all): (u64, u64), class: Class) -> Holder {
    let portrait = machine.key().and_then(|key| app.detect().machine(key));
    Holder {
        name: name_of(app, machine, portrait.as_deref()),
        url: machine.key().map(|key| machine_url(&key.to_string())).unwrap_or_default(),
        octets: octets_of(own),
        share: Figure::percent(part(own, all) * 100.0),
        bar: share(part(own, all)),
        class: words.t(&format!("machine-class-{}", class.word())),
    }
}

fn part(own: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { own as f64 / all as f64 }
}

fn octets_of(octets: u64) -> Figure {
    Figure::rate(octets as f64, "B")
}
