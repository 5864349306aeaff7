//! 主机: one host — does it answer, how fast, what runs on it — with its smoke graphs of a day, a week, a month, a year.

mod list;
mod now;
mod picture;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

pub(crate) use list::{Asked as ListAsked, page as list, parts as list_parts};
pub(crate) use now::{stream, text};
pub(crate) use picture::{of_host, of_service};

use super::{Part, inner};
use crate::graph::Span;
use crate::graph::smoke::millis;
use crate::model::Subject;
use crate::ping::live::{HostNow, ServiceNow};
use crate::ping::state::{Fault, Phase};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::figure::Figure;
use crate::web::html::{Html, Mark};
use crate::web::page::{Page, device_url, render, segment};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// The page of a host.
pub(crate) fn host_url(name: &str) -> String {
    format!("/host/{}", segment(name))
}

/// `GET /host/{name}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let host = app.board().host(&name).ok_or_else(|| Failure::NoHost(name.clone()))?;
    let (words, clock, lang) = (Words(visitor.lang), app.clock(), visitor.lang);
    let parts = parts(&app, words, &clock, &host);
    let page = Page::new(visitor, clock, "hosts", name.clone()).with_stream(&format!("host&name={}", segment(&name)));
    let pictures = Span::STANDARD.map(|span| {
        let url = |form: &str| format!("{}/graph/{}.{form}?lang={}", host_url(&name), span.word(), lang.tag());
        Picture { svg: format!("{}&theme=auto", url("svg")), png: url("png"), title: words.t(&format!("graph-span-{}", span.word())) }
    });
    Ok(render(&HostPage {
        head: inner(&parts, "head"),
        services: inner(&parts, "services"),
        has_services: !host.info.services.is_empty(),
        pictures: pictures.into(),
        ping_stream: format!("{}/ping", host_url(&name)),
        ping_text: format!("{}/ping.txt", host_url(&name)),
        device: if matches!(host.info.subject, Subject::Device(_)) { device_url(&name) } else { String::new() },
        page,
        name,
    }))
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, host: &HostNow) -> Vec<Part> {
    let services = host.info.services.iter().filter_map(|info| app.board().service(info.id));
    let rows = services.map(|service| ServiceRow::new(words, clock, &host.info.name, &service)).collect();
    vec![Part::of("head", &Head::new(words, clock, host)), Part::of("services", &Services { words, rows })]
}

struct Picture {
    svg: String,
    png: String,
    title: String,
}

#[derive(Template)]
#[template(path = "host.html")]
struct HostPage {
    page: Page,
    name: String,
    head: Html,
    services: Html,
    has_services: bool,
    pictures: Vec<Picture>,
    ping_stream: String,
    ping_text: String,
    device: String,
}

#[derive(Template)]
#[template(path = "host_head.html")]
struct Head {
    words: Words,
    name: Arc<str>,
    state: Html,
    why: String,
    since: String,
    address: String,
    site: Arc<str>,
    loss: Figure,
    rtt: Figure,
    spread: String,
    jitter: Figure,
    last: String,
    last_full: String,
    parents: Vec<(Arc<str>, String)>,
}

impl Head {
    fn new(words: Words, clock: &Clock, host: &HostNow) -> Self {
        let spread = host.last.as_ref().and_then(|(_, round)| round.spread());
        let range = |low: f64, high: f64| format!("{} – {}", millis(Some(low / 1e6)), millis(Some(high / 1e6)));
        Self {
            words,
            name: Arc::clone(&host.info.name),
            state: state(words, host),
            why: why(words, host),
            since: words.what("web-since", &words.span(clock.now.since(host.since))),
            address: host.info.address.to_string(),
            site: Arc::clone(&host.info.site),
            loss: loss(words, host),
            rtt: rtt(words, host),
            spread: spread.map(|spread| range(spread.min_ns, spread.max_ns)).unwrap_or_default(),
            jitter: milliseconds(words, spread.map(|spread| spread.jitter_ns / 1e6)),
            last: host.last.as_ref().map_or_else(|| "—".to_owned(), |(at, _)| clock.ago(words, *at)),
            last_full: host.last.as_ref().map(|(at, _)| clock.full(*at)).unwrap_or_default(),
            parents: host.info.parents.iter().map(|parent| (Arc::clone(parent), host_url(parent))).collect(),
        }
    }
}

/// `连接被拒绝（no connection: Connection refused）`.
fn fault_words(words: Words, fault: Fault, said: &str) -> String {
    let what = words.t(&format!("host-fault-{}", fault.word()));
    words.with("host-fault", &[("what", what.into()), ("said", said.to_owned().into())])
}

struct ServiceRow {
    name: Arc<str>,
    kind: String,
    state: Html,
    took: Figure,
    said: String,
    certificate: String,
    certificate_full: String,
    last: String,
    picture: String,
}

#[derive(Template)]
#[template(path = "host_services.html")]
struct Services {
    words: Words,
    rows: Vec<ServiceRow>,
}

impl ServiceRow {
    fn new(words: Words, clock: &Clock, host: &str, service: &ServiceNow) -> Self {
        let (mark, word) = match service.is_down {
            None => (Mark::Unknown, "host-unknown"),
            Some(false) if service.took_ms.is_none() => (Mark::Degraded, "host-failing"),
            Some(false) => (Mark::Up, "host-up"),
            Some(true) => (Mark::Down, "host-down"),
        };
        let certificate = service.certificate.as_ref();
        Self {
            name: Arc::clone(&service.info.name),
            kind: format!("{} {}", service.info.kind, service.info.port),
            state: mark.with(&words.t(word)),
            took: milliseconds(words, service.took_ms),
            said: service.fault.map_or_else(|| service.said.clone(), |fault| fault_words(words, fault, &service.said)),
            certificate: certificate.map_or_else(String::new, |certificate| match usize::try_from(certificate.days) {
                Ok(days) => words.n("host-certificate-days", days),
                Err(_) => words.t("host-certificate-ended"),
            }),
            certificate_full: certificate
                .map(|certificate| format!("{} ← {}", certificate.subject, certificate.issuer))
                .unwrap_or_default(),
            last: service.at.map_or_else(|| "—".to_owned(), |at| clock.ago(words, at)),
            picture: format!("{}/service/{}/graph/day.svg?lang={}&theme=auto", host_url(host), segment(&service.info.name), words.0.tag()),
        }
    }
}

/// A host's state: mark and word.
pub(super) fn state(words: Words, host: &HostNow) -> Html {
    let is_poor = host.is_lossy || host.is_slow || host.is_flapping;
    let (mark, word) = match host.phase {
        Phase::Unknown => (Mark::Unknown, "host-unknown"),
        Phase::Up | Phase::Suspect { .. } if is_poor => (Mark::Degraded, "host-poor"),
        Phase::Up | Phase::Suspect { .. } => (Mark::Up, "host-up"),
        Phase::Down => (Mark::Down, "host-down"),
        Phase::Behind(_) => (Mark::NoLink, "host-unreachable"),
    };
    mark.with(&words.t(word))
}

/// What there is to be said of the state.
pub(super) fn why(words: Words, host: &HostNow) -> String {
    if let Some(behind) = &host.behind {
        return words.what("host-behind", &behind.name());
    }
    let refusal = host.last.as_ref().and_then(|(_, round)| round.refusal);
    if let Some(refusal) = refusal.filter(|_| host.phase == Phase::Down) {
        return words.t(&format!("host-refusal-{}", refusal.word().replace('_', "-")));
    }
    let flags = [(host.is_flapping, "host-flapping"), (host.is_lossy, "host-lossy"), (host.is_slow, "host-slow")];
    flags.into_iter().filter(|(is_so, _)| *is_so).map(|(_, key)| words.t(key)).collect::<Vec<_>>().join(" · ")
}

/// The loss of the last round.
pub(super) fn loss(words: Words, host: &HostNow) -> Figure {
    match &host.last {
        None => Figure::unknown(&words.t("host-no-round")),
        Some((_, round)) if !round.is_measured() => Figure::unknown(&words.t("host-unmeasured")),
        Some((_, round)) => Figure::new(format!("{:.0}", round.loss_percent()), "%"),
    }
}

/// The median of the last round.
pub(super) fn rtt(words: Words, host: &HostNow) -> Figure {
    milliseconds(words, host.last.as_ref().and_then(|(_, round)| Some(round.spread()?.median_ns / 1e6)))
}

fn milliseconds(words: Words, value: Option<f64>) -> Figure {
    value.map_or_else(
        || Figure::unknown(&words.t("host-no-answer")),
        |ms| Figure::new(millis(Some(ms)).trim_end_matches(" ms").to_owned(), "ms"),
    )
}
