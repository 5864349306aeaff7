//! `netroom detect explain`: both sides of a machine, out of the database, the configuration, and what the daemon keeps of what
//! it sees.

mod seen;

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use self::seen::Seen;
use super::local;
use crate::cli::{Answer, Outcome, out};
use crate::config::Settings;
use crate::daemon::ourselves;
use crate::detect::exempt::{self, Exemption, Exemptions};
use crate::detect::facts;
use crate::detect::kept;
use crate::detect::standing::{Part, Point};
use crate::detect::{Machine, MachineKey, Site};
use crate::incident::record::{Incident, Phase};
use crate::locate::{self, DeviceTables, Place, table};
use crate::model::{Evidence, Fact, MacAddr, Subject, Timestamp, clock};
use crate::store::Store;

/// `explain --json`. Its keys are an interface.
#[derive(Serialize)]
struct Told<'a> {
    addresses: Vec<Address>,
    places: Vec<Place>,
    roles: Vec<Role>,
    exemptions: Vec<&'a Exemption>,
    incidents: Vec<Held<'a>>,
    seen: Seen,
}

/// An IP address with its MAC address, and who says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Address {
    ip: IpAddr,
    #[serde(serialize_with = "written")]
    mac: Option<MacAddr>,
    router: Arc<str>,
    since: Timestamp,
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn written<S: serde::Serializer>(mac: &Option<MacAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    mac.map(|mac| mac.to_string()).serialize(serializer)
}

/// What the machine is held to be.
#[derive(Serialize)]
struct Role {
    #[serde(skip)]
    part: Part,
    role: &'static str,
    /// `configuration`, or the devices whose tables say so.
    source: String,
}

/// What is held against it.
#[derive(Serialize)]
struct Held<'a> {
    incident: i64,
    rule: &'a str,
    severity: &'static str,
    open: bool,
    since: Timestamp,
    evidence: &'a Evidence,
}

pub(super) fn run(settings: &Settings, database: &Store, host: &str, json: bool) -> Outcome {
    let machine = machine(settings, host)?;
    let now = clock::wall();
    let file = database.reader()?;
    let all = locate::store::load(&file).context("the tables cannot be read")?;
    let recorded = exempt::store::load(&file).context("the exemptions cannot be read")?;
    let exemptions = Exemptions::new(&settings.exemptions, recorded);
    let addresses = addresses(&all, &machine);
    let machine = complete(machine, &addresses);
    let saved = crate::incident::store::load(database, now - std::time::Duration::from_secs(7 * 86_400))?;
    let subjects = subjects(settings, &machine, host, &addresses);
    // What cannot be read is told, and the rest all the same.
    let kept = kept::store::read(&settings.data).unwrap_or_else(|error| {
        tracing::warn!(%error, "what the daemon sees cannot be told: {error}");
        None
    });
    let in_force: Vec<&Exemption> = exemptions.about(&machine).filter(|exemption| now < exemption.until).collect();
    let roles = roles(settings, &all, &machine, now);
    let parts = roles.iter().map(|role| role.part).collect();
    let told = Told {
        seen: Seen::new(kept.as_ref(), &machine, parts, &in_force, now),
        places: machine.mac.map(|mac| table::places(&all, mac)).unwrap_or_default(),
        roles,
        exemptions: in_force,
        incidents: saved.incidents.iter().filter(|incident| subjects.contains(&incident.key.subject)).map(held).collect(),
        addresses,
    };
    if json {
        out::say(serde_json::to_string_pretty(&told)?)?;
    } else {
        in_words(settings, host, &machine, &told)?;
    }
    let is_held = told.seen.is_held || told.incidents.iter().any(|held| held.open);
    Ok(if is_held { Answer::No } else { Answer::Yes })
}

/// Whom the word means.
fn machine(settings: &Settings, host: &str) -> anyhow::Result<Machine> {
    let named = || {
        let devices = settings.devices.iter().map(|device| (&device.name, device.address.ip()));
        devices.chain(settings.hosts.iter().map(|host| (&host.name, host.address))).find(|(name, _)| &***name == host)
    };
    match (host.parse(), named()) {
        (Ok(MachineKey::Ip(ip)), _) | (Err(_), Some((_, ip))) => Ok(Machine { ip: Some(ip.to_canonical()), ..Machine::default() }),
        (Ok(MachineKey::Mac(mac)), _) => Ok(Machine { mac: Some(mac), ..Machine::default() }),
        (Err(error), None) => anyhow::bail!("`{host}` is no configured device or host; {error}"),
    }
}

/// The pairs of addresses that routers have for it, the latest first.
fn addresses(all: &[Arc<DeviceTables>], machine: &Machine) -> Vec<Address> {
    let mut found: Vec<(Timestamp, Address)> = Vec::new();
    for tables in all {
        let is_it =
            |binding: &&locate::Binding| machine.ip == Some(binding.address) || (machine.mac.is_some() && machine.mac == binding.mac);
        for binding in tables.bindings.iter().filter(is_it) {
            let address = Address { ip: binding.address, mac: binding.mac, router: Arc::clone(&tables.device), since: binding.since };
            found.push((binding.seen, address));
        }
    }
    found.sort_by_key(|(seen, _)| std::cmp::Reverse(*seen));
    found.into_iter().map(|(_, address)| address).collect()
}

/// The machine with the address that was not given, where a router knows it.
fn complete(machine: Machine, addresses: &[Address]) -> Machine {
    let latest = addresses.first();
    Machine { ip: machine.ip.or(latest.map(|address| address.ip)), mac: machine.mac.or(latest.and_then(|address| address.mac)), ..machine }
}

/// What incidents may be about when they are about it.
fn subjects(settings: &Settings, machine: &Machine, host: &str, addresses: &[Address]) -> Vec<Subject> {
    let own = |name: String| Subject::Machine(name.into());
    let ips = addresses.iter().map(|address| address.ip).chain(machine.ip);
    let macs = addresses.iter().filter_map(|address| address.mac).chain(machine.mac);
    let mut subjects: Vec<Subject> = ips.map(|ip| own(ip.to_string())).chain(macs.map(|mac| own(mac.to_string()))).collect();
    subjects.extend([Subject::Device(host.into()), Subject::Host(host.into())]);
    let is_it = |ip: IpAddr| machine.ip == Some(ip.to_canonical());
    subjects.extend(
        settings.devices.iter().filter(|device| is_it(device.address.ip())).map(|device| Subject::Device(Arc::clone(&device.name))),
    );
    subjects.extend(settings.hosts.iter().filter(|host| is_it(host.address)).map(|host| Subject::Host(Arc::clone(&host.name))));
    subjects
}

/// What it is held to be, each with where that comes from.
fn roles(settings: &Settings, all: &[Arc<DeviceTables>], machine: &Machine, now: Timestamp) -> Vec<Role> {
    let own = ourselves();
    let from = |tables: &[Arc<DeviceTables>]| -> Site { facts::site(&settings.site, &settings.zones, tables, &own, now) };
    let configured = Part::of(&from(&[]), machine);
    let role = |part: Part| {
        let source = if part == Part::Exempt {
            "this machine itself".to_owned()
        } else if configured.contains(&part) {
            "configuration".to_owned()
        } else {
            let says = |tables: &&Arc<DeviceTables>| Part::of(&from(std::slice::from_ref(*tables)), machine).contains(&part);
            let names: Vec<&str> = all.iter().filter(says).map(|tables| &*tables.device).collect();
            if names.is_empty() { "tables of several devices".to_owned() } else { format!("tables of {}", names.join(", ")) }
        };
        Role { part, role: part.word(), source }
    };
    Part::of(&from(all), machine).into_iter().map(role).collect()
}

fn held(incident: &Incident) -> Held<'_> {
    Held {
        incident: incident.id.0,
        rule: &incident.rule,
        severity: incident.severity.word(),
        open: incident.phase == Phase::Open,
        since: incident.opened,
        evidence: &incident.evidence,
    }
}

fn in_words(settings: &Settings, host: &str, machine: &Machine, told: &Told<'_>) -> anyhow::Result<()> {
    let at = |at: Timestamp| local(at, &settings.time_zone);
    let mac = machine.mac.map(|mac| format!(" ({mac})")).unwrap_or_default();
    out::say(format_args!("{}{mac}", machine.ip.map_or_else(|| host.to_owned(), |ip| ip.to_string())))?;
    for address in &told.addresses {
        let mac = address.mac.map_or_else(|| "nobody".to_owned(), |mac| mac.to_string());
        out::say(format_args!("  {} is {mac}, says {} since {}", address.ip, address.router, at(address.since)))?;
    }
    for place in &told.places {
        let vlan = if place.vlan == 0 { String::new() } else { format!(", VLAN {}", place.vlan) };
        let (device, port, beside) = (&place.device, &place.port, place.beside);
        out::say(format_args!("  seen behind {device} {port}{vlan} since {}; {beside} MAC addresses there", at(place.since)))?;
    }
    if told.places.is_empty() {
        out::say("  seen behind no port of a device whose tables are read")?;
    }
    seen_in_words(&told.seen, &at)?;
    out::say("for it:")?;
    for role in &told.roles {
        out::say(format_args!("  {} ({})", role.role, role.source))?;
    }
    for one in &told.exemptions {
        let kinds = if one.kinds.is_empty() {
            "everything".to_owned()
        } else {
            one.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
        };
        out::say(format_args!("  {} exempt from {kinds} until {}: {}, {}", one.who, at(one.until), one.owner, one.reason))?;
    }
    // Roles and exemptions stand above with where they come from.
    let is_said = |point: &&Point| !matches!(point.word, "part" | "exempted" | "exempted-until" | "nothing");
    let mut favour = told.seen.favour.iter().filter(is_said).peekable();
    if told.roles.is_empty() && told.exemptions.is_empty() && favour.peek().is_none() {
        out::say("  nothing")?;
    }
    for point in favour {
        out::say(format_args!("  {}", seen::sentence(point)))?;
    }
    out::say("against it:")?;
    for held in &told.incidents {
        let state = if held.open { "since" } else { "over, from" };
        out::say(format_args!(
            "  incident {}: {} ({}) {state} {}{}",
            held.incident,
            held.rule,
            held.severity,
            at(held.since),
            evidence(held.evidence)
        ))?;
    }
    let current = told.seen.detections.iter().filter(|one| one["state"] != "cleared");
    for one in current {
        let (kind, state) = (one["kind"].as_str().unwrap_or_default(), one["state"].as_str().unwrap_or_default());
        out::say(format_args!("  seen now: {kind} ({state}), {} first contacts", one["contacts"]))?;
    }
    for point in &told.seen.against {
        out::say(format_args!("  {}", seen::sentence(point)))?;
    }
    let nothing = told.incidents.is_empty() && !told.seen.is_held && told.seen.against.is_empty();
    if nothing { out::say("  nothing") } else { Ok(()) }
}

fn seen_in_words(seen: &Seen, at: &dyn Fn(Timestamp) -> String) -> anyhow::Result<()> {
    let Some(as_of) = seen.as_of else { return Ok(()) };
    let names = if seen.names.is_empty() { String::new() } else { format!(", calls itself {}", seen.names.join(", ")) };
    match (seen.first, seen.last) {
        (Some(first), Some(last)) => {
            out::say(format_args!("  its traffic was seen from {} to {}{names} (as of {})", at(first), at(last), at(as_of)))
        }
        _ => out::say(format_args!("  none of its traffic was seen (as of {})", at(as_of))),
    }
}

/// The facts as `name=value`.
fn evidence(evidence: &Evidence) -> String {
    evidence.iter().map(|(name, fact)| format!("\n    {name}={}", value(fact))).collect()
}

/// A fact as it is written in a line.
fn value(fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Count(count) => count.to_string(),
        Fact::Percent(share) => format!("{share:.1}%"),
        Fact::BitsPerSecond(bps) => format!("{bps:.0}bit/s"),
        Fact::PerSecond(rate) => format!("{rate:.1}/s"),
        Fact::Millis(span) => format!("{span:.0}ms"),
        Fact::Time(at) => at.millis().to_string(),
        Fact::Subjects(subjects) => subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
