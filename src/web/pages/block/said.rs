//! Cases in the reader's words: rails with what to do about them, notes, steps.

use fluent_bundle::FluentValue;

use crate::block::gate::{Path, Rail};
use crate::block::note::Note;
use crate::block::{Case, Order, SessionChange};
use crate::web::time::Clock;
use crate::web::words::Words;

/// What accuses the machine.
pub(super) fn rule(words: Words, case: &Case) -> String {
    if *case.rule == *"request" {
        return words.t("blocking-rule-request");
    }
    let key = format!("machine-kind-{}", case.rule);
    let text = words.t(&key);
    if text == key { case.rule.to_string() } else { text }
}

/// How it came.
pub(super) fn path(words: Words, path: &Path) -> String {
    match path.person() {
        Some(person) => format!("{person} · {}", words.t(&format!("blocking-path-{}", path.word()))),
        None => words.t(&format!("blocking-path-{}", path.word())),
    }
}

/// What is to be done, or was.
pub(super) fn order(words: Words, order: &Order) -> String {
    let (key, what) = match order {
        Order::PortAdmin { up: false, .. } => ("blocking-order-down", String::new()),
        Order::PortAdmin { up: true, .. } => ("blocking-order-up", String::new()),
        Order::Pvid { pvid, .. } => ("blocking-order-vlan", pvid.to_string()),
        Order::Filter { gateway, address, .. } => ("blocking-order-filter", format!("{gateway} {address}")),
        Order::Session { nas, change: SessionChange::Vlan(vlan), .. } => ("blocking-order-session-vlan", format!("{nas} {vlan}")),
        Order::Session { nas, .. } => ("blocking-order-session", nas.to_string()),
        Order::Script { name, .. } => ("blocking-order-script", name.to_string()),
        Order::Alias { alias, .. } => ("blocking-order-alias", alias.clone()),
        Order::Power { on: true, .. } => ("blocking-order-power-on", String::new()),
        Order::Power { on: false, .. } => ("blocking-order-power-off", String::new()),
    };
    words.what(key, &what)
}

/// What is peculiar; what a device said stays as it is.
pub(super) fn note(words: Words, note: &str) -> String {
    Note::of(note).map_or_else(|| note.to_owned(), |note| words.t(&format!("incident-note-{}", note.word())))
}

/// What stands in the way, in a sentence.
pub(super) fn rail(words: Words, clock: &Clock, rail: &Rail) -> String {
    let text = |text: &str| FluentValue::from(text.to_owned());
    let values: Vec<(&str, FluentValue<'_>)> = match rail {
        Rail::Protected { line, reason, owner } => vec![("line", text(line)), ("reason", text(reason)), ("owner", text(owner))],
        Rail::Stale { age_s } => vec![("age", text(&words.span(std::time::Duration::from_secs(*age_s))))],
        Rail::OtherPort { told } => vec![("told", text(told))],
        Rail::Neighbour { name, what } => vec![("name", text(name)), ("what", text(&words.t(&format!("blocking-what-{what}"))))],
        Rail::Shared { others } => vec![("n", FluentValue::from(others.len())), ("others", text(&others.join(", ")))],
        Rail::Rival { port } => vec![("port", text(port))],
        Rail::Blast { limit } => vec![("limit", text(limit))],
        Rail::Frozen { reason, until } => vec![("reason", text(reason)), ("until", text(&clock.full(*until)))],
        Rail::Drift { found } => vec![("found", text(found))],
        Rail::SecondPerson { first } => vec![("first", text(first))],
        _ => Vec::new(),
    };
    if matches!(rail, Rail::OtherPort { told } if told.is_empty()) {
        return words.t("blocking-rail-name-untold");
    }
    words.with(&format!("blocking-rail-{}", rail.word()), &values)
}

/// What to do about it.
pub(super) fn remedy(words: Words, rail: &Rail) -> String {
    words.t(&format!("blocking-remedy-{}", rail.word()))
}
