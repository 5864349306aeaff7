//! 设备: what is this switch doing? A face like the switch's own, the facts, and every port.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::devices::{rtt, zone};
use super::overview::changes;
use super::row::Row;
use super::{Part, inner};
use crate::model::PortId;
use crate::ports::live::{DeviceLive, PortLive, PortState};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::figure::{self, Figure, group};
use crate::web::html::{self, Html, Mark};
use crate::web::page::{Page, port_url, render, segment};
use crate::web::spark::SparkMap;
use crate::web::survey::is_physical;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

const CHANGES: usize = 8;
/// Sockets in one block of the face, as switches group them.
const BLOCK: usize = 12;

/// `GET /device/{name}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let device = app.device(&name).ok_or_else(|| Failure::NoDevice(name.clone()))?;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &device).await;
    let page = Page::new(visitor, clock, "devices", name.clone()).with_stream(&format!("device&name={}", segment(&name)));
    Ok(render(&DevicePage {
        page,
        name,
        head: inner(&parts, "head"),
        face: inner(&parts, "face"),
        ports: inner(&parts, "ports"),
        facts: inner(&parts, "facts"),
        changes: inner(&parts, "changes"),
    }))
}

/// What the live stream renews.
pub(crate) async fn parts(app: &Arc<App>, words: Words, clock: &Clock, device: &Arc<DeviceLive>) -> Vec<Part> {
    let ids: Vec<PortId> = device.ports.iter().filter(|port| port.state == PortState::Up).map(|port| port.identity.id).collect();
    let sparks = app.sparks(ids, clock.now).await;
    vec![
        Part::of("head", &head(app, words, clock, device)),
        Part::of("face", &Face { words, blocks: blocks(words, device) }),
        Part::of("ports", &ports(words, device, &sparks)),
        Part::of("facts", &facts(words, clock, device)),
        Part::of("changes", &changes(words, clock, &app.changes().of(&device.label.name, None, CHANGES))),
    ]
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    page: Page,
    name: String,
    head: Html,
    face: Html,
    ports: Html,
    facts: Html,
    changes: Html,
}

#[derive(Template)]
#[template(path = "device_head.html")]
struct Head {
    words: Words,
    name: Arc<str>,
    state: Html,
    why: String,
    detail: Arc<str>,
    since: String,
    rtt: Figure,
    poll: Figure,
    last: String,
    last_full: String,
    uptime: String,
    uptime_full: String,
    up: usize,
    sockets: usize,
    ping: Option<(Html, Figure, String)>,
}

fn head(app: &App, words: Words, clock: &Clock, device: &DeviceLive) -> Head {
    let pinged = app.board().host(&device.label.name);
    let health = &device.health;
    let sockets = || device.ports.iter().filter(|port| is_physical(&port.identity));
    Head {
        words,
        name: Arc::clone(&device.label.name),
        state: html::device_state(words, health.state),
        why: health.gap.map(|gap| words.gap(gap)).unwrap_or_default(),
        detail: health.detail.clone().unwrap_or_default(),
        since: health.since.map(|since| words.what("web-since", &words.span(clock.now.since(since)))).unwrap_or_default(),
        rtt: rtt(words, device),
        poll: health.poll_ms.map_or_else(|| Figure::unknown(&words.t("web-no-poll-yet")), |ms| Figure::new(group(u64::from(ms)), "ms")),
        last: health.last_poll.map_or_else(|| "—".to_owned(), |last| clock.ago(words, last)),
        last_full: health.last_poll.map(|last| clock.full(last)).unwrap_or_default(),
        uptime: health.booted.map_or_else(|| "—".to_owned(), |booted| words.span(clock.now.since(booted))),
        uptime_full: health.booted.map(|booted| clock.full(booted)).unwrap_or_default(),
        up: sockets().filter(|port| port.state == PortState::Up).count(),
        sockets: sockets().count(),
        ping: pinged.map(|host| (super::host::state(words, &host), super::host::rtt(words, &host), super::host::host_url(&host.info.name))),
    }
}

/// A socket on the face.
struct Jack {
    url: String,
    class: &'static str,
    mark: Html,
    label: String,
    bar: Html,
    title: String,
}

struct Block {
    caption: String,
    /// Twelve at most, in the order of the device; drawn in two rows, odd above even, as on the switch.
    groups: Vec<Vec<Jack>>,
    flat: bool,
}

#[derive(Template)]
#[template(path = "device_face.html")]
struct Face {
    words: Words,
    blocks: Vec<Block>,
}

fn blocks(words: Words, device: &DeviceLive) -> Vec<Block> {
    let mut blocks: Vec<(String, Vec<Jack>)> = Vec::new();
    for port in device.ports.iter().filter(|port| is_physical(&port.identity)) {
        let (stem, label) = split_name(&port.identity.name);
        let jack = jack(words, device, port, label);
        match blocks.iter_mut().find(|(caption, _)| caption == stem) {
            Some((_, jacks)) => jacks.push(jack),
            None => blocks.push((stem.to_owned(), vec![jack])),
        }
    }
    blocks
        .into_iter()
        .map(|(caption, jacks)| {
            let flat = jacks.len() <= 4;
            let mut groups: Vec<Vec<Jack>> = Vec::new();
            for jack in jacks {
                match groups.last_mut().filter(|group| group.len() < BLOCK) {
                    Some(group) => group.push(jack),
                    None => groups.push(vec![jack]),
                }
            }
            Block { caption, groups, flat }
        })
        .collect()
}

fn jack(words: Words, device: &DeviceLive, port: &PortLive, label: &str) -> Jack {
    let identity = &port.identity;
    let used = figure::utilisation(words, port);
    let mut said = vec![identity.name.to_string()];
    if !identity.alias.is_empty() {
        said.push(identity.alias.as_str().to_owned());
    }
    said.push(words.port_state(port.state));
    if port.state == PortState::Up {
        said.push(figure::speed(identity.speed_bps));
        said.push(format!("{} {}", words.t("web-used"), used.text()));
    }
    let has_errors = port.error_rate().is_some_and(|rate| rate > 0.0);
    if has_errors {
        said.push(words.what("web-trouble-errors", &figure::errors(words, port).text()));
    }
    said.retain(|piece| !piece.is_empty());
    Jack {
        url: port_url(&device.label.name, &identity.name),
        class: match (port.state, has_errors) {
            (PortState::Up, true) => "up bad",
            (PortState::Up, false) => "up",
            (PortState::Down, _) => "nolink",
            (PortState::Shut, _) => "shut",
            (PortState::Unknown, _) => "unknown",
        },
        mark: if has_errors { Mark::Degraded.html() } else { Mark::from(port.state).html() },
        label: label.to_owned(),
        bar: html::bar(port.utilisation_percent()),
        title: said.join(" · "),
    }
}

/// `Gi1/0/12` is socket `12` of the block `Gi1/0/`; a name without a number at its end stands for itself.
fn split_name(name: &str) -> (&str, &str) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.get(stem.len()..) {
        Some(number) if !number.is_empty() => (stem, number),
        _ => ("", name),
    }
}

#[derive(Template)]
#[template(path = "device_ports.html")]
struct Ports {
    words: Words,
    rows: Vec<Row>,
}

fn ports(words: Words, device: &DeviceLive, sparks: &SparkMap) -> Ports {
    Ports { words, rows: device.ports.iter().map(|port| Row::new(words, device, port, sparks)).collect() }
}

/// A fact: what, its value, and more of it on hover.
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) title: String,
}

#[derive(Template)]
#[template(path = "facts.html")]
pub(super) struct Facts {
    pub(super) facts: Vec<Fact>,
}

fn facts(words: Words, clock: &Clock, device: &DeviceLive) -> Facts {
    let (label, health) = (&device.label, &device.health);
    let mut facts = FactList::new(words);
    if let Some(system) = &device.system {
        facts.push("web-sys-name", system.name.as_str());
        facts.push("web-sys-descr", system.descr.as_str());
        facts.push("web-sys-location", system.location.as_str());
        facts.push("web-sys-contact", system.contact.as_str());
        facts.push("web-sys-object", &system.object_id);
    }
    facts.push("web-address", &label.address.to_string());
    facts.push("web-site", &label.site);
    facts.push("web-zone", &zone(words, label.zone));
    facts.push("web-interval", &words.span(std::time::Duration::from_secs(u64::from(label.interval_s))));
    facts.push("web-last-answer", &health.last_answer.map(|at| clock.full(at)).unwrap_or_default());
    facts.push("web-booted", &health.booted.map(|at| clock.full(at)).unwrap_or_default());
    Facts { facts: facts.facts }
}

/// Gathers facts, leaving out those that are not known.
pub(super) struct FactList {
    words: Words,
    pub(super) facts: Vec<Fact>,
}

impl FactList {
    pub(super) const fn new(words: Words) -> Self {
        Self { words, facts: Vec::new() }
    }

    pub(super) fn push(&mut self, key: &str, value: &str) {
        self.titled(key, value, "");
    }

    pub(super) fn titled(&mut self, key: &str, value: &str, title: &str) {
        if !value.is_empty() {
            self.facts.push(Fact { name: self.words.t(key), value: value.to_owned(), title: title.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split_name;

    #[test]
    fn a_name_is_a_block_and_a_socket() {
        for (name, parts) in [("Gi1/0/12", ("Gi1/0/", "12")), ("eth0", ("eth", "0")), ("mgmt", ("", "mgmt")), ("7", ("", "7"))] {
            assert_eq!(split_name(name), parts);
        }
    }
}
