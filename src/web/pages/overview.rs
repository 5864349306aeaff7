//! 总览: is it all right, and if not, what first?

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use fluent_bundle::FluentValue;

use super::{Part, inner};
use crate::incident::record::Incident;
use crate::model::{PortId, Timestamp};
use crate::ports::live::{DeviceLive, DeviceState, PortState};
use crate::series::StoreState;
use crate::web::app::App;
use crate::web::change::{Change, What};
use crate::web::figure::{self, Figure, group};
use crate::web::html::{self, Html, Mark};
use crate::web::page::{Page, device_url, port_url, render};
use crate::web::source::Keeping;
use crate::web::spark::SparkMap;
use crate::web::survey::{Place, Survey, Top, Trouble};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Changes on the page.
const CHANGES: usize = 12;
/// Troubles on the page; the rest is a number and a link.
const TROUBLES: usize = 12;

/// `GET /`.
pub(crate) async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let words = Words(visitor.lang);
    let clock = app.clock();
    let parts = parts(&app, words, &clock).await;
    let page = Page::new(visitor, clock, "overview", words.t("web-overview")).with_stream("overview");
    render(&OverviewPage {
        page,
        now: inner(&parts, "now"),
        troubles: inner(&parts, "troubles"),
        uplinks: inner(&parts, "uplinks"),
        tops: inner(&parts, "tops"),
        changes: inner(&parts, "changes"),
    })
}

/// What the live stream renews.
pub(crate) async fn parts(app: &Arc<App>, words: Words, clock: &Clock) -> Vec<Part> {
    let survey = Survey::of(&app.fleet());
    let sparks = app.sparks(shown_ports(&survey), clock.now).await;
    let keeping = app.keeping();
    vec![
        Part::of("now", &now(words, clock, &survey, keeping)),
        Part::of("troubles", &troubles(app, words, clock, &survey, keeping)),
        Part::of("uplinks", &uplinks(words, &survey, &sparks)),
        Part::of("tops", &tops(words, &survey, &sparks)),
        Part::of("changes", &changes(words, clock, &app.changes().latest(CHANGES))),
    ]
}

fn shown_ports(survey: &Survey) -> Vec<PortId> {
    let tops = [&survey.top_in, &survey.top_out, &survey.top_used, &survey.top_errors];
    let talkers = tops.into_iter().flat_map(|top| top.entries.iter().map(|(_, place)| place));
    survey.uplinks.iter().chain(talkers).map(|place| place.port().identity.id).collect()
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    page: Page,
    now: Html,
    troubles: Html,
    uplinks: Html,
    tops: Html,
    changes: Html,
}

#[derive(Template)]
#[template(path = "overview_now.html")]
struct Now {
    words: Words,
    level: &'static str,
    mark: Html,
    verdict: String,
    sub: String,
    devices: String,
    ports: String,
    device_counts: Vec<Html>,
    port_counts: Vec<Html>,
    total_in: Figure,
    total_out: Figure,
    device_bar: Html,
    port_bar: Html,
}

fn now(words: Words, clock: &Clock, survey: &Survey, keeping: Keeping) -> Now {
    let counts = survey.counts;
    let bad = survey.troubles.iter().filter(|trouble| matches!(trouble, Trouble::Down(_) | Trouble::UplinkDown(_))).count();
    let not_kept = usize::from(matches!(keeping.state, StoreState::Full | StoreState::Failing));
    let all = survey.troubles.len() + usize::from(keeping.state != StoreState::Ok);
    let (level, mark) = match (all, bad + not_kept) {
        (0, _) if counts.devices == 0 || counts.devices_unknown == counts.devices => ("none", Mark::Unknown),
        (0, _) => ("ok", Mark::Up),
        (_, 0) => ("warn", Mark::Degraded),
        _ => ("bad", Mark::Down),
    };
    let unknown = |why: &str| Figure::unknown(&words.t(why));
    Now {
        words,
        level,
        mark: mark.html(),
        verdict: verdict(words, survey, keeping),
        sub: beneath(words, clock, survey),
        devices: group(counts.devices as u64),
        ports: group(counts.ports as u64),
        device_counts: vec![
            count(words, Mark::Up, "web-device-up", counts.devices_up),
            count(words, Mark::Degraded, "web-device-degraded", counts.devices_degraded),
            count(words, Mark::Down, "web-device-down", counts.devices_down),
            count(words, Mark::Unknown, "web-device-unknown", counts.devices_unknown),
        ],
        port_counts: vec![
            count(words, Mark::Up, "web-port-up", counts.ports_up),
            count(words, Mark::NoLink, "web-port-down", counts.ports_down),
            count(words, Mark::Shut, "web-port-shut", counts.ports_shut),
            count(words, Mark::Unknown, "web-port-unknown", counts.ports_unknown),
        ],
        total_in: survey.total_in.map_or_else(|| unknown("web-why-no-rate"), Figure::bits),
        total_out: survey.total_out.map_or_else(|| unknown("web-why-no-rate"), Figure::bits),
        device_bar: stacked(&[
            ("up", counts.devices_up),
            ("degraded", counts.devices_degraded),
            ("down", counts.devices_down),
            ("unknown", counts.devices_unknown),
        ]),
        port_bar: stacked(&[
            ("up", counts.ports_up),
            ("nolink", counts.ports_down),
            ("shut", counts.ports_shut),
            ("unknown", counts.ports_unknown),
        ]),
    }
}

/// How many are in a state.
fn count(words: Words, mark: Mark, key: &str, n: usize) -> Html {
    let dim = if n == 0 { " zero" } else { "" };
    Html(format!("<li class=\"count{dim}\">{}<b>{}</b> {}</li>", mark.html(), group(n as u64), html::escape(&words.t(key))))
}

/// The answer to "is it all right?" in one sentence.
fn verdict(words: Words, survey: &Survey, keeping: Keeping) -> String {
    let counts = survey.counts;
    if counts.devices == 0 {
        return words.t("web-verdict-empty");
    }
    if counts.devices_unknown == counts.devices {
        return words.t("web-verdict-starting");
    }
    let store = store_verdict(keeping.state).map(|key| words.t(key));
    if survey.troubles.is_empty() && store.is_none() {
        return words.n("web-verdict-ok", counts.devices);
    }
    let n = |kind: fn(&Trouble) -> bool| survey.troubles.iter().filter(|trouble| kind(trouble)).count();
    let pieces = [
        ("web-verdict-down", n(|trouble| matches!(trouble, Trouble::Down(_)))),
        ("web-verdict-uplink", n(|trouble| matches!(trouble, Trouble::UplinkDown(_)))),
        ("web-verdict-degraded", n(|trouble| matches!(trouble, Trouble::Degraded(_)))),
        ("web-verdict-hot", n(|trouble| matches!(trouble, Trouble::Hot(..)))),
        ("web-verdict-errors", n(|trouble| matches!(trouble, Trouble::Errors(..)))),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(key, n)| words.n(key, n));
    store.into_iter().chain(pieces).collect::<Vec<_>>().join(&words.t("web-comma"))
}

/// What the store's state says, when it is not well.
const fn store_verdict(state: StoreState) -> Option<&'static str> {
    match state {
        StoreState::Ok => None,
        StoreState::LowSpace => Some("web-verdict-store-low"),
        StoreState::Full => Some("web-verdict-store-full"),
        StoreState::Failing => Some("web-verdict-store-failing"),
    }
}

fn beneath(words: Words, clock: &Clock, survey: &Survey) -> String {
    let Some(last) = survey.last_poll else { return words.t("web-no-poll-yet") };
    let ago = clock.ago(words, last);
    match survey.slowest_poll_ms {
        Some(ms) => {
            words.with("web-last-poll-slowest", &[("ago", FluentValue::from(ago)), ("ms", FluentValue::from(group(u64::from(ms))))])
        }
        None => words.with("web-last-poll", &[("ago", FluentValue::from(ago))]),
    }
}

/// A bar of shares by state; the numbers stand beside it.
fn stacked(shares: &[(&str, usize)]) -> Html {
    let total = shares.iter().map(|(_, n)| n).sum::<usize>().max(1) as f64;
    let mut x = 0.0;
    let mut svg = String::from("<svg class=\"stack\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (name, n) in shares {
        let width = *n as f64 / total * 100.0;
        svg.push_str(&format!("<rect class=\"f-{name}\" x=\"{x:.2}\" width=\"{width:.2}\" height=\"4\"/>"));
        x += width;
    }
    svg.push_str("</svg>");
    Html(svg)
}

struct TroubleRow {
    mark: Html,
    name: String,
    url: String,
    alias: Arc<str>,
    sentence: String,
    detail: Arc<str>,
    since: String,
    since_full: String,
}

#[derive(Template)]
#[template(path = "overview_troubles.html")]
struct Troubles {
    words: Words,
    rows: Vec<TroubleRow>,
    more: usize,
    more_url: &'static str,
    /// What is not measured: sentences.
    unmeasured: Vec<String>,
    asked_yet: bool,
    /// What is wrong with the store: a mark and a sentence with what to do.
    store: Option<(Html, String)>,
}

fn troubles(app: &App, words: Words, clock: &Clock, survey: &Survey, keeping: Keeping) -> Troubles {
    let mut unmeasured: Vec<String> = Vec::new();
    if keeping.lost_samples > 0 {
        unmeasured.push(words.n("web-unmeasured-lost", usize::try_from(keeping.lost_samples).unwrap_or(usize::MAX)));
    }
    if survey.counts.devices_unknown > 0 {
        unmeasured.push(words.n("web-unmeasured-devices", survey.counts.devices_unknown));
    }
    for (gap, n) in &survey.unmeasured {
        let why = words.gap(*gap);
        unmeasured.push(words.with("web-unmeasured-ports", &[("n", FluentValue::from(*n)), ("why", FluentValue::from(why))]));
    }
    if survey.counts.ports_unknown > 0 {
        unmeasured.push(words.n("web-unmeasured-unknown", survey.counts.ports_unknown));
    }
    // Incidents know causes; before the first of them is told the table itself speaks.
    let open = app.incidents().map(|hall| hall.board().open()).unwrap_or_default();
    let (rows, all, more_url) = if open.is_empty() {
        let rows = survey.troubles.iter().take(TROUBLES).map(|trouble| trouble_row(words, clock, trouble)).collect();
        (rows, survey.troubles.len(), "/ports?errors=1&sort=-errors")
    } else {
        (open.iter().take(TROUBLES).map(|incident| incident_row(words, clock, incident)).collect(), open.len(), "/incidents")
    };
    Troubles {
        words,
        rows,
        more: all.saturating_sub(TROUBLES),
        more_url,
        unmeasured,
        asked_yet: survey.counts.devices > survey.counts.devices_unknown,
        store: store_trouble(words, keeping),
    }
}

fn store_trouble(words: Words, keeping: Keeping) -> Option<(Html, String)> {
    let (mark, key) = match keeping.state {
        StoreState::Ok => return None,
        StoreState::LowSpace => return Some((Mark::Degraded.html(), words.t("web-store-low"))),
        StoreState::Full => (Mark::Down, "web-store-full"),
        StoreState::Failing => (Mark::Down, "web-store-failing"),
    };
    Some((mark.html(), words.n(key, usize::try_from(keeping.held_polls).unwrap_or(usize::MAX))))
}

fn trouble_row(words: Words, clock: &Clock, trouble: &Trouble) -> TroubleRow {
    match trouble {
        Trouble::Down(device) => device_row(words, clock, device, Mark::Down),
        Trouble::Degraded(device) => device_row(words, clock, device, Mark::Degraded),
        Trouble::UplinkDown(place) => port_row(Mark::Down, place, words.t("web-trouble-uplink")),
        Trouble::Errors(place, rate) => {
            port_row(Mark::Degraded, place, words.what("web-trouble-errors", &Figure::rate(*rate, "pps").text()))
        }
        Trouble::Hot(place, percent) => port_row(Mark::Degraded, place, words.what("web-trouble-hot", &Figure::percent(*percent).text())),
    }
}

fn incident_row(words: Words, clock: &Clock, incident: &Incident) -> TroubleRow {
    let row = super::incident::row(words, clock, incident);
    TroubleRow {
        mark: row.mark,
        name: format!("#{}", row.id),
        url: format!("/incident/{}", row.id),
        alias: row.notes.into(),
        sentence: row.sentence,
        detail: row.severity.into(),
        since: words.what("web-since", &row.lasted),
        since_full: row.opened_full,
    }
}

fn device_row(words: Words, clock: &Clock, device: &DeviceLive, mark: Mark) -> TroubleRow {
    let health = &device.health;
    TroubleRow {
        mark: mark.html(),
        name: device.label.name.to_string(),
        url: device_url(&device.label.name),
        alias: Arc::clone(&device.label.site),
        sentence: health.gap.map_or_else(|| words.device_state(health.state), |gap| words.gap(gap)),
        detail: health.detail.clone().unwrap_or_default(),
        since: health.since.map(|since| words.what("web-since", &words.span(clock.now.since(since)))).unwrap_or_default(),
        since_full: health.since.map(|since| clock.full(since)).unwrap_or_default(),
    }
}

fn port_row(mark: Mark, place: &Place, sentence: String) -> TroubleRow {
    let identity = &place.port().identity;
    let device = &place.device.label.name;
    TroubleRow {
        mark: mark.html(),
        name: format!("{device} {}", figure::short_name(&identity.name)),
        url: port_url(device, &identity.name),
        alias: identity.alias.shared(),
        sentence,
        detail: Arc::default(),
        since: String::new(),
        since_full: String::new(),
    }
}

struct Strip {
    device: Arc<str>,
    name: String,
    full_name: Arc<str>,
    url: String,
    alias: Arc<str>,
    state: Html,
    speed: String,
    inbound: Figure,
    outbound: Figure,
    spark: Html,
}

#[derive(Template)]
#[template(path = "overview_uplinks.html")]
struct Uplinks {
    words: Words,
    strips: Vec<Strip>,
}

fn uplinks(words: Words, survey: &Survey, sparks: &SparkMap) -> Uplinks {
    let strip = |place: &Place| {
        let (device, port) = (&place.device.label.name, place.port());
        Strip {
            device: Arc::clone(device),
            name: figure::short_name(&port.identity.name),
            full_name: Arc::clone(&port.identity.name),
            url: port_url(device, &port.identity.name),
            alias: port.identity.alias.shared(),
            state: Mark::from(port.state).html(),
            speed: figure::speed(port.identity.speed_bps),
            inbound: figure::inbound(words, port),
            outbound: figure::outbound(words, port),
            spark: html::spark(sparks.get(&port.identity.id).map(|spark| &**spark)),
        }
    };
    Uplinks { words, strips: survey.uplinks.iter().map(strip).collect() }
}

struct Talker {
    device: Arc<str>,
    name: String,
    full_name: Arc<str>,
    url: String,
    alias: Arc<str>,
    value: Figure,
    bar: Html,
    spark: Html,
}

struct TopList {
    title: String,
    all_url: &'static str,
    rows: Vec<Talker>,
    empty: String,
}

#[derive(Template)]
#[template(path = "overview_tops.html")]
struct Tops {
    words: Words,
    lists: Vec<TopList>,
}

fn tops(words: Words, survey: &Survey, sparks: &SparkMap) -> Tops {
    let list = |key: &str, all_url, top: &Top, show: fn(f64) -> Figure, empty: &str| TopList {
        title: words.t(key),
        all_url,
        rows: top
            .entries
            .iter()
            .map(|(value, place)| talker(place, show(*value), *value / top.entries.first().map_or(1.0, |(most, _)| *most), sparks))
            .collect(),
        empty: words.t(empty),
    };
    Tops {
        words,
        lists: vec![
            list("web-top-in", "/ports?sort=-in", &survey.top_in, Figure::bits, "web-top-none"),
            list("web-top-out", "/ports?sort=-out", &survey.top_out, Figure::bits, "web-top-none"),
            list("web-top-used", "/ports?sort=-used", &survey.top_used, Figure::percent, "web-top-none"),
            list(
                "web-top-errors",
                "/ports?errors=1&sort=-errors",
                &survey.top_errors,
                |rate| Figure::rate(rate, "pps"),
                "web-top-no-errors",
            ),
        ],
    }
}

fn talker(place: &Place, value: Figure, share: f64, sparks: &SparkMap) -> Talker {
    let (device, port) = (&place.device.label.name, place.port());
    Talker {
        device: Arc::clone(device),
        name: figure::short_name(&port.identity.name),
        full_name: Arc::clone(&port.identity.name),
        url: port_url(device, &port.identity.name),
        alias: port.identity.alias.shared(),
        bar: if value.unit == "%" { html::bar(port.utilisation_percent()) } else { html::share(share) },
        value,
        spark: html::spark(sparks.get(&port.identity.id).map(|spark| &**spark)),
    }
}

/// A change as a row of a list.
pub(super) struct ChangeRow {
    at: String,
    at_full: String,
    at_iso: String,
    mark: Html,
    name: String,
    url: String,
    alias: Arc<str>,
    sentence: String,
}

#[derive(Template)]
#[template(path = "changes.html")]
pub(super) struct ChangeList {
    words: Words,
    rows: Vec<ChangeRow>,
}

/// The last changes, in words.
pub(super) fn changes(words: Words, clock: &Clock, changes: &[Change]) -> ChangeList {
    ChangeList { words, rows: changes.iter().map(|change| change_row(words, clock, change)).collect() }
}

fn change_row(words: Words, clock: &Clock, change: &Change) -> ChangeRow {
    let (mark, sentence) = match change.what {
        What::Device { to: DeviceState::Up, .. } => (Mark::Up, words.t("web-change-device-up")),
        What::Device { to, gap, .. } => (
            Mark::from(to),
            gap.map_or_else(
                || words.device_state(to),
                |gap| format!("{}{}{}", words.device_state(to), words.t("web-colon"), words.gap(gap)),
            ),
        ),
        What::Restarted => (Mark::Degraded, words.t("web-change-restarted")),
        What::Port { from: PortState::Shut, to } => (Mark::from(to), words.what("web-change-opened", &words.port_state(to))),
        What::Port { to: PortState::Up, .. } => (Mark::Up, words.t("web-change-port-up")),
        What::Port { to: PortState::Shut, .. } => (Mark::Shut, words.t("web-change-port-shut")),
        What::Port { to, .. } => (Mark::from(to), words.t("web-change-port-down")),
    };
    let at: Timestamp = change.at;
    ChangeRow {
        at: clock.short(at),
        at_full: clock.full(at),
        at_iso: clock.iso(at),
        mark: mark.html(),
        name: change
            .port
            .as_ref()
            .map_or_else(|| change.device.to_string(), |port| format!("{} {}", change.device, figure::short_name(port))),
        url: change.port.as_ref().map_or_else(|| device_url(&change.device), |port| port_url(&change.device, port)),
        alias: change.alias.clone().unwrap_or_default(),
        sentence,
    }
}
