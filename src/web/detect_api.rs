//! Machines and what is held against them, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::failure::Failure;
use super::pages::detect::Asked;
use super::pages::machine::{Known, name_of, wound};
use crate::detect::class::{Class, Hour, Octets, Top};
use crate::detect::portrait::{Portrait, Tally};
use crate::detect::standing::{Point, weigh};
use crate::detect::{Detection, MachineKey};

/// Rows of one answer.
const ROWS: usize = 1000;

/// `GET /api/v1/detections`: those of now unless another level is asked for.
pub(crate) async fn detections(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Json<Value> {
    let held = app.detect().held();
    let found: Vec<Value> =
        held.iter().filter(|held| asked.fits(&app, held)).take(ROWS).map(|detection| of_detection(&app, detection)).collect();
    Json(json!({ "mode": "observe", "detections": found }))
}

/// The query string of the list of machines.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Page {
    /// Behind this one.
    #[serde(default)]
    after: String,
}

/// `GET /api/v1/machines`: those seen since the start, by address, 1000 at a time.
pub(crate) async fn machines(State(app): State<Arc<App>>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    let after: Option<MachineKey> = match page.after.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|error: crate::detect::detection::NoAddress| Failure::BadParameter("after", error.to_string()))?),
    };
    let all = app.detect().machines();
    let mut found: Vec<&Arc<Portrait>> = all.iter().filter(|portrait| after.is_none_or(|after| portrait.key > after)).collect();
    found.sort_by_key(|portrait| portrait.key);
    let next = found.get(ROWS - 1).filter(|_| found.len() > ROWS).map(|portrait| portrait.key.to_string());
    let rows: Vec<Value> = found.into_iter().take(ROWS).map(|portrait| short(portrait)).collect();
    Ok(Json(json!({ "machines": rows, "next": next })))
}

/// `GET /api/v1/machines/{address}`.
pub(crate) async fn machine(State(app): State<Arc<App>>, Path(address): Path<String>) -> Result<Json<Value>, Failure> {
    let known = Known::of(&app, &address)?;
    let Known { machine, portrait, held } = &known;
    let site = app.detect().known(machine, app.clock().now);
    let balance = weigh(portrait.as_deref(), held, &site);
    let points = |points: &[Point]| points.iter().map(|point| json!({ "point": point.word, "facts": point.facts })).collect::<Vec<_>>();
    let exemptions: Vec<Value> = site
        .exemptions
        .iter()
        .map(|exemption| {
            let kinds: Vec<&str> = exemption.kinds.iter().map(|kind| kind.word()).collect();
            json!({ "owner": exemption.owner, "reason": exemption.reason, "expires": exemption.expires, "kinds": kinds })
        })
        .collect();
    Ok(Json(json!({
        "name": name_of(&app, machine, portrait.as_deref()),
        "ip": machine.ip, "mac": machine.mac.map(|mac| mac.to_string()), "vlan": machine.vlan,
        "port": app.detect().port(machine).map(|(device, port)| json!({ "device": device, "port": port })),
        "parts": site.parts.iter().map(|part| part.word()).collect::<Vec<_>>(),
        "exemptions": exemptions,
        "learnt": site.learnt.iter().map(|learnt| json!({ "role": learnt.role, "reason": learnt.reason() })).collect::<Vec<_>>(),
        "seen": portrait.as_deref().map(whole),
        "detections": held.iter().map(|detection| of_detection(&app, detection)).collect::<Vec<_>>(),
        "against": points(&balance.against),
        "favour": points(&balance.favour),
    })))
}

/// `GET /api/v1/traffic`.
pub(crate) async fn traffic(State(app): State<Arc<App>>) -> Json<Value> {
    let report = app.detect().traffic();
    let classes = |totals: &[Octets]| -> Value {
        let of_class = |(class, octets): (Class, &Octets)| (class.word().to_owned(), json!(octets));
        Value::Object(Class::ALL.into_iter().zip(totals).map(of_class).collect())
    };
    let top = |top: &Top| {
        let machine = &top.machine;
        json!({ "class": top.class, "ip": machine.ip, "mac": machine.mac.map(|mac| mac.to_string()), "octets": top.octets })
    };
    let hour = |hour: &Hour| {
        json!({
            "start": hour.start.timestamp(), "works": hour.works, "classes": classes(&hour.totals),
            "top": hour.top.iter().map(top).collect::<Vec<_>>(),
        })
    };
    Json(json!({ "classes": classes(&report.totals), "hours": report.hours.iter().map(hour).collect::<Vec<_>>() }))
}

fn of_detection(app: &App, detection: &Detection) -> Value {
    let machine = &detection.machine;
    let state = if detection.cleared { "cleared" } else { detection.level.word() };
    json!({
        "kind": detection.kind, "state": state, "level": detection.level.word(),
        "subject": { "ip": machine.ip, "mac": machine.mac.map(|mac| mac.to_string()), "vlan": machine.vlan },
        "first": detection.first.timestamp(), "last": detection.last.timestamp(), "contacts": detection.contacts,
        "evidence": wound(app, detection),
    })
}

fn tally(tally: &Tally) -> Value {
    json!({ "contacts": tally.contacts, "failed": tally.failed, "answered": tally.answered })
}

fn short(portrait: &Portrait) -> Value {
    json!({
        "address": portrait.key.to_string(), "vlan": portrait.vlan,
        "addresses": portrait.addresses.iter().map(|(ip, _)| ip).collect::<Vec<_>>(),
        "names": portrait.names.iter().map(|(source, name)| json!({ "name": name, "source": source.word() })).collect::<Vec<_>>(),
        "first": portrait.first.timestamp(), "last": portrait.last.timestamp(), "total": tally(&portrait.total),
    })
}

fn whole(portrait: &Portrait) -> Value {
    let services = portrait
        .services
        .iter()
        .map(|(service, counted)| json!({ "way": service.way.word(), "port": service.port, "tally": tally(counted) }));
    let targets = portrait.targets.iter().map(|target| {
        let service = target.service;
        json!({ "ip": target.ip, "way": service.way.word(), "port": service.port, "tally": tally(&target.tally), "last": target.last.timestamp() })
    });
    let past = portrait.past.slots().map(|slot| json!([slot.from().secs(), slot.contacts, slot.failed, slot.targets]));
    let mut seen = short(portrait);
    if let Some(seen) = seen.as_object_mut() {
        seen.insert("services".to_owned(), services.collect());
        seen.insert("targets".to_owned(), targets.collect());
        seen.insert("past".to_owned(), past.collect());
    }
    seen
}
