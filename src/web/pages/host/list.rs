//! 主机列表: every host and pinged device, those in trouble first.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{host_url, loss, rtt, state, why};
use crate::model::Subject;
use crate::ping::live::HostNow;
use crate::ping::state::Phase;
use crate::web::app::App;
use crate::web::figure::Figure;
use crate::web::html::{Html, spark};
use crate::web::page::{Page, render, segment};
use crate::web::pages::{Part, inner};
use crate::web::spark::Spark;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Rows of a page.
const PER_PAGE: usize = 100;

/// The query string of the list.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// Only those in this state: up, down, unreachable, unknown, poor.
    #[serde(default)]
    pub(crate) state: String,
    /// Only those whose name, address, site or tag holds this.
    #[serde(default)]
    pub(crate) q: String,
    /// Which page, from 1. A text, because the live stream reads it beside other keys.
    #[serde(default)]
    pub(crate) page: String,
}

impl Asked {
    fn number(&self) -> usize {
        self.page.parse().unwrap_or(1)
    }

    /// The query string again, with another page.
    fn url(&self, page: usize) -> String {
        format!("state={}&q={}&page={page}", segment(&self.state), segment(&self.q))
    }

    fn fits(&self, host: &HostNow) -> bool {
        let state = match self.state.as_str() {
            "" => true,
            "poor" => is_poor(host),
            word => host.phase.word() == word,
        };
        let wanted = self.q.trim().to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        let info = &host.info;
        state
            && (wanted.is_empty()
                || holds(&info.name)
                || holds(&info.address.to_string())
                || holds(&info.site)
                || info.tags.iter().any(|tag| holds(tag)))
    }
}

struct Row {
    name: Arc<str>,
    url: String,
    is_device: bool,
    state: Html,
    why: String,
    site: Arc<str>,
    address: String,
    loss: Figure,
    rtt: Figure,
    spark: Html,
    since: String,
    since_full: String,
}

struct Choice {
    url: String,
    label: String,
    count: usize,
    is_on: bool,
}

#[derive(Template)]
#[template(path = "hosts.html")]
struct HostsPage {
    page: Page,
    asked: Asked,
    table: Html,
}

#[derive(Template)]
#[template(path = "hosts_table.html")]
struct Table {
    words: Words,
    is_blind: bool,
    choices: Vec<Choice>,
    rows: Vec<Row>,
    has_any: bool,
    at: usize,
    pages: usize,
    before: String,
    after: String,
}

/// `GET /hosts`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &asked);
    let page = Page::new(visitor, clock, "hosts", words.t("host-list")).with_stream(&format!("hosts&{}", asked.url(asked.number())));
    render(&HostsPage { table: inner(&parts, "hosts"), page, asked })
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, asked: &Asked) -> Vec<Part> {
    let all = app.board().hosts();
    let count = |state: &str| all.iter().filter(|host| Asked { state: state.to_owned(), ..asked.clone() }.fits(host)).count();
    let choices = [
        ("", "host-all"),
        ("down", "host-down"),
        ("unreachable", "host-unreachable"),
        ("poor", "host-poor"),
        ("up", "host-up"),
        ("unknown", "host-unknown"),
    ]
    .map(|(state, key)| Choice {
        url: format!("/hosts?{}", Asked { state: state.to_owned(), ..asked.clone() }.url(1)),
        label: words.t(key),
        count: count(state),
        is_on: asked.state == state,
    });
    let mut found: Vec<&HostNow> = all.iter().filter(|host| asked.fits(host)).collect();
    found.sort_by_key(|host| rank(host));
    let pages = found.len().div_ceil(PER_PAGE).max(1);
    let at = asked.number().clamp(1, pages);
    let rows = found.into_iter().skip((at - 1) * PER_PAGE).take(PER_PAGE).map(|host| row(words, clock, host)).collect();
    let link = |page: usize| format!("/hosts?{}", asked.url(page));
    vec![Part::of(
        "hosts",
        &Table {
            words,
            is_blind: app.board().vitals().is_blind,
            choices: choices.into_iter().filter(|choice| choice.count > 0 || choice.is_on).collect(),
            rows,
            has_any: !all.is_empty(),
            at,
            pages,
            before: if at > 1 { link(at - 1) } else { String::new() },
            after: if at < pages { link(at + 1) } else { String::new() },
        },
    )]
}

/// Trouble first; the order of the configuration within.
const fn rank(host: &HostNow) -> u8 {
    match host.phase {
        Phase::Down => 0,
        Phase::Behind(_) => 1,
        Phase::Up | Phase::Suspect { .. } if is_poor(host) => 2,
        Phase::Unknown => 3,
        Phase::Up | Phase::Suspect { .. } => 4,
    }
}

const fn is_poor(host: &HostNow) -> bool {
    host.is_lossy || host.is_slow || host.is_flapping
}

fn row(words: Words, clock: &Clock, host: &HostNow) -> Row {
    let trail = Spark { inbound: host.trail.iter().copied().collect(), outbound: Vec::new() };
    Row {
        name: Arc::clone(&host.info.name),
        url: host_url(&host.info.name),
        is_device: matches!(host.info.subject, Subject::Device(_)),
        state: state(words, host),
        why: why(words, host),
        site: Arc::clone(&host.info.site),
        address: host.info.address.to_string(),
        loss: loss(words, host),
        rtt: rtt(words, host),
        spark: spark((trail.inbound.len() > 1).then_some(&trail)),
        since: words.span(clock.now.since(host.since)),
        since_full: clock.full(host.since),
    }
}
