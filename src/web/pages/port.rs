//! 端口: how much, now and over the years? Live rate, four graphs, the interactive one, and the facts.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::device::{FactList, Facts};
use super::overview::changes;
use super::picture::{self, Wanted};
use super::{Part, inner};
use crate::graph::{Kind, Span, Theme};
use crate::model::{Gap, PortMetric, Timestamp};
use crate::ports::live::{DeviceLive, PortLive, PortState};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::figure::{self, Figure, group};
use crate::web::html::{self, Html};
use crate::web::page::{Page, device_url, render};
use crate::web::source::HistoryError;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

const CHANGES: usize = 6;
/// The window of the 95th percentile beside the live rate.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// The query string.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    kind: Kind,
}

/// `GET /device/{name}/port/{*port}`.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path((name, port)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let device = app.device(&name).ok_or_else(|| Failure::NoDevice(name.clone()))?;
    let found = device.ports.iter().find(|candidate| *candidate.identity.name == *port);
    let live = found.ok_or_else(|| Failure::NoPort(name.clone(), port.clone()))?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let id = live.identity.id;
    let parts = parts(&app, words, &clock, &device, live);
    let (graphs, p95) = past(&app, words, &clock, &device, live, asked.kind).await;
    let page = Page::new(visitor, clock, "ports", format!("{name} {port}")).with_stream(&format!("port&id={}", id.0));
    let kinds =
        Kind::ALL.into_iter().map(|kind| Tab { word: kind.word(), title: words.t(kind_key(kind)), lit: kind == asked.kind }).collect();
    let work = super::block::work::part(&app, &page, &name, &port).await;
    Ok(render(&PortPage {
        id: id.0,
        work,
        device_url: device_url(&name),
        device: name,
        name: port,
        alias: live.identity.alias.shared(),
        head: inner(&parts, "head"),
        rates: inner(&parts, "rates"),
        counters: inner(&parts, "counters"),
        facts: inner(&parts, "facts"),
        changes: inner(&parts, "changes"),
        kinds,
        kind: asked.kind.word(),
        kind_title: words.t(kind_key(asked.kind)),
        graphs,
        p95,
        now_s: page.clock.now.secs(),
        zone_offset_s: offset_s(&page.clock),
        speed: live.identity.speed_bps.unwrap_or(0),
        page,
    }))
}

fn offset_s(clock: &Clock) -> i32 {
    jiff::Timestamp::from_millisecond(clock.now.millis()).map_or(0, |at| clock.zone().to_offset(at).seconds())
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, device: &DeviceLive, port: &PortLive) -> Vec<Part> {
    let name = &port.identity.name;
    vec![
        Part::of("head", &Head { state: html::port_state(words, port.state), age: age(words, clock, port), gap: gap(words, port) }),
        Part::of("rates", &rates(words, port)),
        Part::of("counters", &counters(words, port)),
        Part::of("facts", &facts(words, clock, device, port)),
        Part::of("changes", &changes(words, clock, &app.changes().of(&device.label.name, Some(name), CHANGES))),
    ]
}

/// The point that the live stream adds to the chart: time (s), in and out in bits per second.
pub(crate) fn point(port: &PortLive) -> Option<String> {
    let sampled = port.sampled?;
    let number = |value: Option<f64>| value.map_or_else(|| "null".to_owned(), |value| format!("{value:.0}"));
    Some(format!("{{\"t\":{},\"in\":{},\"out\":{}}}", sampled.secs(), number(port.in_bps()), number(port.out_bps())))
}

struct Tab {
    word: &'static str,
    title: String,
    lit: bool,
}

struct Graph {
    title: String,
    svg: Html,
    png: String,
    csv: String,
}

#[derive(Template)]
#[template(path = "port.html")]
struct PortPage {
    page: Page,
    id: u32,
    device: String,
    device_url: String,
    name: String,
    alias: Arc<str>,
    head: Html,
    rates: Html,
    counters: Html,
    facts: Html,
    changes: Html,
    work: Html,
    kinds: Vec<Tab>,
    kind: &'static str,
    kind_title: String,
    graphs: Result<Vec<Graph>, String>,
    p95: Option<(Figure, Figure)>,
    now_s: i64,
    zone_offset_s: i32,
    speed: u64,
}

impl PortPage {
    /// The reasons for gaps, for the script: JSON by word.
    fn gap_words(&self) -> String {
        let pair = |gap: Gap| (gap.word().to_owned(), serde_json::Value::from(self.page.words.gap(gap)));
        serde_json::Value::Object(Gap::ALL.into_iter().map(pair).collect()).to_string()
    }
}

#[derive(Template)]
#[template(path = "port_head.html")]
struct Head {
    state: Html,
    age: String,
    gap: String,
}

fn age(words: Words, clock: &Clock, port: &PortLive) -> String {
    port.sampled.map_or_else(|| words.t("web-no-poll-yet"), |at| words.what("web-sampled", &clock.ago(words, at)))
}

fn gap(words: Words, port: &PortLive) -> String {
    port.gap.map(|gap| words.gap(gap)).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "port_rates.html")]
struct Rates {
    words: Words,
    inbound: Figure,
    outbound: Figure,
    used: Figure,
    bar_in: Html,
    bar_out: Html,
    bar: Html,
    errors: Figure,
    speed: String,
}

fn rates(words: Words, port: &PortLive) -> Rates {
    let speed = port.identity.speed_bps.map(|speed| speed as f64);
    let share = |rate: Option<f64>| html::bar(rate.zip(speed).map(|(rate, speed)| rate / speed * 100.0));
    Rates {
        words,
        inbound: figure::inbound(words, port),
        outbound: figure::outbound(words, port),
        used: figure::utilisation(words, port),
        bar_in: share(port.in_bps()),
        bar_out: share(port.out_bps()),
        bar: html::bar(port.utilisation_percent()),
        errors: figure::errors(words, port),
        speed: figure::speed(port.identity.speed_bps),
    }
}

struct CounterRow {
    name: String,
    inbound: Figure,
    inbound_total: Figure,
    outbound: Figure,
    outbound_total: Figure,
}

#[derive(Template)]
#[template(path = "port_counters.html")]
struct Counters {
    words: Words,
    rows: Vec<CounterRow>,
}

fn counters(words: Words, port: &PortLive) -> Counters {
    use PortMetric::{
        InBroadcast, InDiscards, InErrors, InMulticast, InOctets, InUcast, OutBroadcast, OutDiscards, OutErrors, OutMulticast, OutOctets,
        OutUcast,
    };
    let why = figure::why(words, port);
    let rate = |metric: PortMetric| {
        let unit = if matches!(metric, InOctets | OutOctets) { ("bit/s", 8.0) } else { ("pps", 1.0) };
        port.rate(metric).map_or_else(|| Figure::unknown(&why), |rate| Figure::rate(rate * unit.1, unit.0))
    };
    let total = |metric: PortMetric| port.counter(metric).map_or_else(|| Figure::unknown(&why), |count| Figure::new(group(count), ""));
    let row = |key: &str, inbound: PortMetric, outbound: PortMetric| CounterRow {
        name: words.t(key),
        inbound: rate(inbound),
        inbound_total: total(inbound),
        outbound: rate(outbound),
        outbound_total: total(outbound),
    };
    Counters {
        words,
        rows: vec![
            row("web-octets", InOctets, OutOctets),
            row("web-ucast", InUcast, OutUcast),
            row("web-mcast", InMulticast, OutMulticast),
            row("web-bcast", InBroadcast, OutBroadcast),
            row("web-errors", InErrors, OutErrors),
            row("web-discards", InDiscards, OutDiscards),
        ],
    }
}

fn facts(words: Words, clock: &Clock, device: &DeviceLive, port: &PortLive) -> Facts {
    let identity = &port.identity;
    let mut facts = FactList::new(words);
    facts.push("web-alias", identity.alias.as_str());
    facts.push("web-descr", identity.descr.as_str());
    facts.push("web-speed", &figure::speed(identity.speed_bps));
    facts.push("web-duplex", &identity.duplex.map(|duplex| duplex_word(words, duplex)).unwrap_or_default());
    facts.push("web-admin", &admin_word(words, identity.admin));
    facts.push("web-mtu", &identity.mtu.map(|mtu| group(u64::from(mtu))).unwrap_or_default());
    facts.push("web-mac", &identity.mac.map(|mac| mac.to_string()).unwrap_or_default());
    facts.push("web-if-index", &identity.if_index.0.to_string());
    facts.push("web-if-type", &type_word(identity.if_type));
    let changed = last_change(device, port);
    facts.titled(
        "web-last-change",
        &changed.map(|at| clock.ago(words, at)).unwrap_or_default(),
        &changed.map(|at| clock.full(at)).unwrap_or_default(),
    );
    Facts { facts: facts.facts }
}

/// ifLastChange on our time line: it counts from the device's start.
fn last_change(device: &DeviceLive, port: &PortLive) -> Option<Timestamp> {
    let ticks = port.identity.last_change_ticks.filter(|ticks| *ticks > 0)?;
    Some(device.health.booted? + Duration::from_millis(u64::from(ticks) * 10))
}

fn duplex_word(words: Words, duplex: u8) -> String {
    match duplex {
        2 => words.t("web-duplex-half"),
        3 => words.t("web-duplex-full"),
        _ => String::new(),
    }
}

fn admin_word(words: Words, admin: u8) -> String {
    match admin {
        1 => words.t("web-admin-up"),
        2 => words.t("web-admin-down"),
        3 => words.t("web-admin-testing"),
        _ => String::new(),
    }
}

/// The usual names of IANAifType; the number for all others.
fn type_word(if_type: u32) -> String {
    match if_type {
        6 => "ethernetCsmacd (6)".to_owned(),
        24 => "softwareLoopback (24)".to_owned(),
        53 => "propVirtual (53)".to_owned(),
        131 => "tunnel (131)".to_owned(),
        135 => "l2vlan (135)".to_owned(),
        136 => "l3ipvlan (136)".to_owned(),
        161 => "ieee8023adLag (161)".to_owned(),
        209 => "bridge (209)".to_owned(),
        other => other.to_string(),
    }
}

/// The words of a kind of graph.
pub(super) const fn kind_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Traffic => "web-kind-traffic",
        Kind::Utilisation => "web-kind-utilisation",
        Kind::Packets => "web-kind-packets",
        Kind::Broadcast => "web-kind-broadcast",
        Kind::Errors => "web-kind-errors",
        Kind::Discards => "web-kind-discards",
    }
}

const fn span_key(span: Span) -> &'static str {
    match span {
        Span::Day | Span::Custom => "web-span-day",
        Span::Week => "web-span-week",
        Span::Month => "web-span-month",
        Span::Year => "web-span-year",
    }
}

type Past = (Result<Vec<Graph>, String>, Option<(Figure, Figure)>);

/// The four graphs, and the 95th percentile of the last 30 days.
async fn past(app: &Arc<App>, words: Words, clock: &Clock, device: &DeviceLive, port: &PortLive, kind: Kind) -> Past {
    let id = port.identity.id;
    let wanted = |span| Wanted::new(device, port, kind, span, words.0, Theme::Page);
    let all: Vec<Wanted> = Span::STANDARD.into_iter().map(wanted).collect();
    let at = clock.clone();
    let asked = app
        .ask(move |history| {
            let charts = all.iter().map(|wanted| wanted.chart(history, &at)).collect::<Result<Vec<_>, HistoryError>>()?;
            let from = at.now - MONTH;
            let inbound = history.percentile(id, PortMetric::InOctets, from, at.now, 95.0)?;
            let outbound = history.percentile(id, PortMetric::OutOctets, from, at.now, 95.0)?;
            Ok((charts, inbound, outbound))
        })
        .await;
    let (charts, inbound, outbound) = match asked {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(port = id.0, %error, "a port page goes without graphs: {error}");
            return (Err(error.to_string()), None);
        }
    };
    let graphs = charts
        .into_iter()
        .map(|chart| Graph {
            title: words.t(span_key(chart.span)),
            png: picture::url(id, kind, chart.span, "png", words.0),
            csv: picture::csv_url(id, kind, &chart),
            svg: Html(chart.svg()),
        })
        .collect();
    let bits =
        |octets: Option<f64>| octets.map_or_else(|| Figure::unknown(&words.t("web-why-no-history")), |octets| Figure::bits(octets * 8.0));
    let p95 = (port.state != PortState::Unknown || inbound.is_some()).then(|| (bits(inbound), bits(outbound)));
    (Ok(graphs), p95)
}
