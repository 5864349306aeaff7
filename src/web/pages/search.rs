//! 搜索: one box. Device, port, alias, machine, MAC in any notation, address.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::locate;
use super::machine::{machine_url, name_of, state};
use super::row::Row;
use crate::accounts::Permission;
use crate::detect::MachineKey;
use crate::detect::portrait::Portrait;
use crate::ports::live::DeviceLive;
use crate::ports::query::PortQuery;
use crate::web::app::App;
use crate::web::html::{self, Html};
use crate::web::page::{Page, device_url, port_url, render, segment};
use crate::web::spark::SparkMap;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Ports shown; the rest is a link to the list.
const SHOWN: usize = 40;

/// The query string.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

/// A machine that nobody configured.
struct Seen {
    name: String,
    url: String,
    state: Html,
    addresses: String,
}

struct Hit {
    name: Arc<str>,
    url: String,
    state: Html,
    says: Arc<str>,
    address: String,
    site: Arc<str>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Page,
    devices: Vec<Hit>,
    machines: Vec<Seen>,
    rows: Vec<Row>,
    found: usize,
    all_url: String,
}

/// `GET /search?q=`. A single hit is gone to at once.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let fleet = app.fleet();
    let q = asked.q.trim();
    let devices: Vec<&Arc<DeviceLive>> = if q.is_empty() { Vec::new() } else { fleet.iter().filter(|device| is_hit(device, q)).collect() };
    let ports = if q.is_empty() { Vec::new() } else { PortQuery::default().text(q).all(&fleet) };
    let machines = if q.is_empty() || !visitor.caller.may(Permission::ReadDetections) { Vec::new() } else { machines(&app, words, q) };
    // Who has not sent anything where we look may still be known to switches.
    let may_locate = visitor.caller.may(Permission::ReadDetections);
    if devices.is_empty() && ports.is_empty() && machines.is_empty() && may_locate && locate::is_known(&app, q) {
        return Redirect::to(&format!("/locate?q={}", segment(q))).into_response();
    }
    match (devices.as_slice(), ports.as_slice()) {
        ([], []) if machines.len() == 1 => {
            return Redirect::to(machines.first().map_or("/detect", |seen| seen.url.as_str())).into_response();
        }
        ([device], _) if device.label.name.eq_ignore_ascii_case(q) => return Redirect::to(&device_url(&device.label.name)).into_response(),
        ([], [(device, port)]) if machines.is_empty() => {
            return Redirect::to(&port_url(&device.label.name, &port.identity.name)).into_response();
        }
        _ => {}
    }
    let mut page = Page::new(visitor, clock, "", words.t("web-search"));
    page.query = q.to_owned();
    render(&SearchPage {
        page,
        devices: devices.into_iter().map(|device| hit(words, device)).collect(),
        machines,
        rows: ports.iter().take(SHOWN).map(|(device, port)| Row::new(words, device, port, &SparkMap::new())).collect(),
        found: ports.len(),
        all_url: format!("/ports?q={}", segment(q)),
    })
}

/// Machines whose address or name holds the text; a MAC address in any notation.
fn machines(app: &App, words: Words, q: &str) -> Vec<Seen> {
    let wanted = q.to_lowercase();
    let key: Option<MachineKey> = q.parse().ok();
    let is_hit = |portrait: &&Arc<Portrait>| {
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        key.map_or_else(
            || portrait.names.iter().any(|(_, name)| holds(name)) || (wanted.contains([':', '.']) && holds(&portrait.key.to_string())),
            |key| portrait.is(key),
        )
    };
    let all = app.detect().machines();
    let mut found: Vec<&Arc<Portrait>> = all.iter().filter(is_hit).collect();
    found.sort_by_key(|portrait| (std::cmp::Reverse(portrait.last), portrait.key));
    let seen = |portrait: &Arc<Portrait>| Seen {
        name: name_of(app, &portrait.machine(), Some(portrait)),
        url: machine_url(&portrait.key.to_string()),
        state: state(words, &app.detect().held_against(portrait.key)),
        addresses: portrait.addresses.iter().map(|(ip, _)| ip.to_string()).collect::<Vec<_>>().join(", "),
    };
    found.into_iter().take(SHOWN).map(seen).collect()
}

fn is_hit(device: &DeviceLive, q: &str) -> bool {
    let q = q.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&q);
    has(&device.label.name)
        || device.label.address.ip().to_string() == q
        || (q.contains(['.', ':']) && device.label.address.ip().to_string().starts_with(&q))
        || device.system.as_ref().is_some_and(|system| has(system.name.as_str()) || has(system.location.as_str()))
}

fn hit(words: Words, device: &DeviceLive) -> Hit {
    Hit {
        name: Arc::clone(&device.label.name),
        url: device_url(&device.label.name),
        state: html::device_state(words, device.health.state),
        says: device.system.as_ref().map(|system| system.name.shared()).unwrap_or_default(),
        address: device.label.address.ip().to_string(),
        site: Arc::clone(&device.label.site),
    }
}
