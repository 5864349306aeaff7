//! 设备: all devices, how each is doing.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{Part, inner};
use crate::ports::live::{DeviceLive, PortState};
use crate::web::app::App;
use crate::web::figure::Figure;
use crate::web::html::{self, Html};
use crate::web::page::{Page, device_url, render};
use crate::web::survey::is_physical;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// A device as a row.
struct DeviceRow {
    name: Arc<str>,
    url: String,
    says: Arc<str>,
    site: Arc<str>,
    zone: String,
    address: String,
    state: Html,
    why: String,
    up: usize,
    ports: usize,
    share: Html,
    inbound: Figure,
    outbound: Figure,
    rtt: Figure,
    last: String,
    last_full: String,
}

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    page: Page,
    table: Html,
}

#[derive(Template)]
#[template(path = "devices_table.html")]
struct Table {
    words: Words,
    rows: Vec<DeviceRow>,
}

/// `GET /devices`.
pub(crate) async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock);
    let page = Page::new(visitor, clock, "devices", words.t("web-devices")).with_stream("devices");
    render(&DevicesPage { table: inner(&parts, "devices"), page })
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock) -> Vec<Part> {
    let rows = app.fleet().iter().map(|device| row(words, clock, device)).collect();
    vec![Part::of("devices", &Table { words, rows })]
}

fn row(words: Words, clock: &Clock, device: &DeviceLive) -> DeviceRow {
    let (label, health) = (&device.label, &device.health);
    let sockets = || device.ports.iter().filter(|port| is_physical(&port.identity));
    let (ports, up) = (sockets().count(), sockets().filter(|port| port.state == PortState::Up).count());
    let sum = |rates: Vec<Option<f64>>| rates.into_iter().flatten().reduce(|sum, rate| sum + rate);
    let rate = |sum: Option<f64>| sum.map_or_else(|| Figure::unknown(&words.t("web-why-no-rate")), Figure::bits);
    DeviceRow {
        name: Arc::clone(&label.name),
        url: device_url(&label.name),
        says: device.system.as_ref().map(|system| system.name.shared()).filter(|says| says != &label.name).unwrap_or_default(),
        site: Arc::clone(&label.site),
        zone: zone(words, label.zone),
        address: label.address.ip().to_string(),
        state: html::device_state(words, health.state),
        why: health.gap.map(|gap| words.gap(gap)).unwrap_or_default(),
        up,
        ports,
        share: html::share(up as f64 / ports.max(1) as f64),
        inbound: rate(sum(sockets().map(|port| port.in_bps()).collect())),
        outbound: rate(sum(sockets().map(|port| port.out_bps()).collect())),
        rtt: rtt(words, device),
        last: health.last_poll.map_or_else(|| "—".to_owned(), |last| clock.ago(words, last)),
        last_full: health.last_poll.map(|last| clock.full(last)).unwrap_or_default(),
    }
}

/// The round-trip time to a device.
pub(super) fn rtt(words: Words, device: &DeviceLive) -> Figure {
    device.health.rtt_us.map_or_else(
        || Figure::unknown(&words.t("web-why-no-rtt")),
        |us| {
            let ms = f64::from(us) / 1000.0;
            Figure::new(if ms < 9.995 { format!("{ms:.2}") } else { format!("{ms:.1}") }, "ms")
        },
    )
}

/// A zone in a word.
pub(super) fn zone(words: Words, zone: crate::model::Zone) -> String {
    use crate::model::Zone;
    words.t(match zone {
        Zone::Inner => "web-zone-inner",
        Zone::Outer => "web-zone-outer",
        Zone::Management => "web-zone-management",
    })
}
