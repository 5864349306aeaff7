//! 端口列表: which of ten thousand? Filtered, sorted and cut into pages by the server; the view is its address.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use fluent_bundle::FluentValue;

use super::row::Row;
use super::{Part, inner};
use crate::model::PortId;
use crate::ports::live::{DeviceLive, PortState};
use crate::ports::query::{PortPage, PortQuery, PortSort};
use crate::web::app::App;
use crate::web::csv::Csv;
use crate::web::figure::group;
use crate::web::filter::{Asked, COLUMNS, is_number};
use crate::web::html::Html;
use crate::web::page::{Page, render, segment};
use crate::web::spark::SparkMap;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// `GET /ports`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let fleet = app.fleet();
    let list = list(&app, words, &clock, &fleet, &asked).await;
    let parts = [Part::of("list", &list)];
    let query = query(&asked, |_| {});
    let stream = if query.is_empty() { "ports".to_owned() } else { format!("ports&{query}") };
    let page = Page::new(visitor, clock, "ports", words.t("web-ports")).with_stream(&stream);
    let devices = fleet.iter().map(|device| Arc::clone(&device.label.name)).collect();
    render(&PortsPage { page, asked, devices, list: inner(&parts, "list") })
}

/// What the live stream renews.
pub(crate) async fn parts(app: &Arc<App>, words: Words, clock: &Clock, asked: &Asked) -> Vec<Part> {
    let fleet = app.fleet();
    vec![Part::of("list", &list(app, words, clock, &fleet, asked).await)]
}

/// `GET /ports.csv`: all that the filter finds, in its order.
pub(crate) async fn csv(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let fleet = app.fleet();
    let heading = ["web-device", "web-port", "web-alias", "web-state", "web-speed-bps", "web-in-bps", "web-out-bps", "web-used-percent"]
        .into_iter()
        .chain(["web-errors-pps", "web-discards-pps", "web-mac", "web-sampled-at"])
        .map(|key| words.t(key));
    let heading: Vec<String> = heading.collect();
    let mut csv = Csv::new(heading.iter().map(String::as_str));
    let number = |value: Option<f64>, digits: usize| value.map(|value| format!("{value:.digits$}")).unwrap_or_default();
    for (device, port) in PortQuery::from(&asked).all(&fleet) {
        let identity = &port.identity;
        csv.row([
            &*device.label.name,
            &identity.name,
            identity.alias.as_str(),
            &words.port_state(port.state),
            &identity.speed_bps.map(|speed| speed.to_string()).unwrap_or_default(),
            &number(port.in_bps(), 0),
            &number(port.out_bps(), 0),
            &number(port.utilisation_percent(), 2),
            &number(port.error_rate(), 3),
            &number(port.discard_rate(), 3),
            &identity.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            &port.sampled.map(|at| clock.iso(at)).unwrap_or_default(),
        ]);
    }
    let name = format!("attachment; filename=\"ports-{}.csv\"", clock.stamp(clock.now));
    ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], csv.into_text()).into_response()
}

#[derive(Template)]
#[template(path = "ports.html")]
struct PortsPage {
    page: Page,
    asked: Asked,
    devices: Vec<Arc<str>>,
    list: Html,
}

impl PortsPage {
    fn is_device(&self, name: &str) -> bool {
        self.asked.device == name
    }

    fn is_state(&self, word: &str) -> bool {
        self.asked.state == word
    }
}

struct Head {
    title: String,
    url: String,
    /// `ascending`, `descending` or `none`, as in `aria-sort`.
    sort: &'static str,
    is_number: bool,
}

struct Link {
    text: String,
    url: String,
    lit: bool,
}

#[derive(Template)]
#[template(path = "ports_list.html")]
struct List {
    words: Words,
    heads: Vec<Head>,
    rows: Vec<Row>,
    found: usize,
    first: usize,
    last: usize,
    pages: Vec<Link>,
    previous: Option<String>,
    next: Option<String>,
    csv: String,
    is_filtered: bool,
}

impl List {
    /// `51–100 of 10,000`.
    fn range(&self) -> String {
        let number = |n: usize| FluentValue::from(group(n as u64));
        self.words.with("web-range-of", &[("first", number(self.first)), ("last", number(self.last)), ("found", number(self.found))])
    }
}

async fn list(app: &Arc<App>, words: Words, clock: &Clock, fleet: &[Arc<DeviceLive>], asked: &Asked) -> List {
    let sought = PortQuery::from(asked);
    let PortPage { rows, found, page, pages } = sought.page(fleet);
    let ids: Vec<PortId> = rows.iter().filter(|(_, port)| port.state == PortState::Up).map(|(_, port)| port.identity.id).collect();
    let sparks: SparkMap = app.sparks(ids, clock.now).await;
    let to = |page: usize| format!("/ports?{}", query(asked, |asked| asked.page = page.to_string()));
    let first = (page - 1) * sought.per_page;
    List {
        words,
        heads: COLUMNS.into_iter().map(|column| head(words, asked, &sought, column)).collect(),
        first: if rows.is_empty() { 0 } else { first + 1 },
        last: first + rows.len(),
        rows: rows.iter().map(|(device, port)| Row::new(words, device, port, &sparks)).collect(),
        found,
        pages: page_links(page, pages, to),
        previous: (page > 1).then(|| to(page - 1)),
        next: (page < pages).then(|| to(page + 1)),
        csv: format!("/ports.csv?{}", query(asked, |asked| asked.page.clear())),
        is_filtered: !(asked.q.is_empty()
            && asked.device.is_empty()
            && asked.state.is_empty()
            && asked.min.is_empty()
            && asked.errors.is_empty()),
    }
}

fn head(words: Words, asked: &Asked, sought: &PortQuery, (column, word): (PortSort, &str)) -> Head {
    let lit = sought.sort == column;
    let descending = if lit { !sought.descending } else { is_number(column) };
    let sort = format!("{}{word}", if descending { "-" } else { "" });
    Head {
        title: words.t(match column {
            PortSort::Device => "web-device",
            PortSort::Name => "web-port",
            PortSort::Alias => "web-alias",
            PortSort::State => "web-state",
            PortSort::Speed => "web-speed",
            PortSort::In => "web-in",
            PortSort::Out => "web-out",
            PortSort::Utilisation => "web-used",
            PortSort::Errors => "web-errors",
        }),
        url: format!(
            "/ports?{}",
            query(asked, |asked| {
                asked.sort = sort;
                asked.page.clear();
            })
        ),
        sort: match (lit, sought.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        },
        is_number: is_number(column),
    }
}

/// The first, the last, and the pages around this one.
fn page_links(page: usize, pages: usize, to: impl Fn(usize) -> String) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut before = 0;
    for number in (1..=pages).filter(|n| *n == 1 || *n == pages || n.abs_diff(page) <= 2) {
        if number > before + 1 {
            links.push(Link { text: "…".to_owned(), url: String::new(), lit: false });
        }
        links.push(Link { text: number.to_string(), url: to(number), lit: number == page });
        before = number;
    }
    links
}

/// The query string of a view that differs from this one by `change`.
fn query(asked: &Asked, change: impl FnOnce(&mut Asked)) -> String {
    let mut asked = asked.clone();
    change(&mut asked);
    let pairs = [
        ("q", &asked.q),
        ("device", &asked.device),
        ("state", &asked.state),
        ("min", &asked.min),
        ("errors", &asked.errors),
        ("sort", &asked.sort),
        ("page", &asked.page),
        ("per", &asked.per),
    ];
    let pairs: Vec<String> =
        pairs.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={}", segment(value))).collect();
    pairs.join("&")
}
