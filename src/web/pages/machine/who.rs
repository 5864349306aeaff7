//! Who a machine is: its names, addresses, maker's prefix, socket.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;

use super::{Known, state};
use crate::detect::Machine;
use crate::detect::portrait::Portrait;
use crate::model::Subject;
use crate::web::app::App;
use crate::web::html::Html;
use crate::web::page::{device_url, port_url};
use crate::web::pages::host::host_url;
use crate::web::time::Clock;
use crate::web::words::Words;

/// Ready to be shown.
pub(crate) struct Who {
    name: String,
    state: Html,
    mac: String,
    maker: String,
    /// Each with when it was last seen.
    addresses: Vec<(String, String)>,
    /// Each with who told it.
    names: Vec<(Arc<str>, String)>,
    socket: String,
    socket_url: String,
    vlan: String,
    first: String,
    first_full: String,
    last: String,
    last_full: String,
    /// The page of what is configured under its address.
    configured: String,
    configured_url: String,
}

#[derive(Template)]
#[template(path = "machine_head.html")]
pub(super) struct Head {
    pub(super) words: Words,
    pub(super) who: Who,
}

impl Who {
    pub(crate) fn new(app: &App, words: Words, clock: &Clock, known: &Known) -> Self {
        let Known { machine, portrait, held } = known;
        let portrait = portrait.as_deref();
        let socket = app.detect().port(machine);
        let configured = configured(app, machine.ip);
        let time = |of: fn(&Portrait) -> crate::capture::packet::Nanos| portrait.map(|portrait| of(portrait).timestamp());
        let (first, last) = (time(|portrait| portrait.first), time(|portrait| portrait.last));
        let addresses = match portrait {
            Some(portrait) => portrait.addresses.iter().map(|(ip, at)| (ip.to_string(), clock.full(at.timestamp()))).collect(),
            None => machine.ip.iter().map(|ip| (ip.to_string(), String::new())).collect(),
        };
        Self {
            name: name_of(app, machine, portrait),
            state: state(words, held),
            mac: machine.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            maker: machine.mac.map(|mac| maker(words, mac.0)).unwrap_or_default(),
            addresses,
            names: portrait
                .map(|portrait| {
                    let named = |(source, name): &(_, Arc<str>)| {
                        let source: &crate::detect::portrait::NameSource = source;
                        (Arc::clone(name), words.t(&format!("machine-name-{}", source.word())))
                    };
                    portrait.names.iter().map(named).collect()
                })
                .unwrap_or_default(),
            socket: socket.as_ref().map_or_else(|| words.t("incident-unknown-port"), |(device, port)| format!("{device} {port}")),
            socket_url: socket.as_ref().map(|(device, port)| port_url(device, port)).unwrap_or_default(),
            vlan: machine.vlan.map(|vlan| vlan.to_string()).unwrap_or_default(),
            first: first.map_or_else(|| "—".to_owned(), |at| clock.ago(words, at)),
            first_full: first.map(|at| clock.full(at)).unwrap_or_default(),
            last: last.map_or_else(|| "—".to_owned(), |at| clock.ago(words, at)),
            last_full: last.map(|at| clock.full(at)).unwrap_or_default(),
            configured: configured.as_ref().map(Subject::name).unwrap_or_default(),
            configured_url: match &configured {
                Some(Subject::Device(name)) => device_url(name),
                Some(Subject::Host(name)) => host_url(name),
                _ => String::new(),
            },
        }
    }
}

/// The configured device or host that has this address.
pub(super) fn configured(app: &App, ip: Option<IpAddr>) -> Option<Subject> {
    let ip = ip?.to_canonical();
    let device = app.fleet().into_iter().find(|device| device.label.address.ip().to_canonical() == ip);
    let host = || app.board().hosts().iter().find(|host| host.info.address.to_canonical() == ip).map(|host| host.info.subject.clone());
    device.map(|device| Subject::Device(Arc::clone(&device.label.name))).or_else(host)
}

/// What people call it: the configured name, what it calls itself, its address.
pub(crate) fn name_of(app: &App, machine: &Machine, portrait: Option<&Portrait>) -> String {
    let address = machine.ip.map(|ip| ip.to_string()).or_else(|| machine.key().map(|key| key.to_string())).unwrap_or_default();
    if let Some(subject) = configured(app, machine.ip) {
        return subject.name();
    }
    match portrait.and_then(|portrait| portrait.names.first()) {
        Some((_, name)) => format!("{name} ({address})"),
        None => address,
    }
}

/// The part of a MAC address that the maker was given (IEEE 802: three octets), or that it was made up by the machine itself.
fn maker(words: Words, [a, b, c, ..]: [u8; 6]) -> String {
    if a & 2 != 0 { words.t("machine-made-up") } else { format!("{a:02x}:{b:02x}:{c:02x}") }
}
