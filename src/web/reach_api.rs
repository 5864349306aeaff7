//! Hosts and services for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::app::App;
use super::failure::Failure;
use crate::ping::live::{HostNow, ServiceNow};
use crate::ping::state::Fault;

/// `GET /api/v1/hosts`.
pub(crate) async fn hosts(State(app): State<Arc<App>>) -> Json<Value> {
    let hosts: Vec<Value> = app.board().hosts().iter().map(|host| of_host(&app, host)).collect();
    let vitals = app.board().vitals();
    Json(json!({ "blind": vitals.is_blind, "hosts": hosts }))
}

/// `GET /api/v1/hosts/{name}`.
pub(crate) async fn host(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Value>, Failure> {
    let host = app.board().host(&name).ok_or(Failure::NoHost(name))?;
    Ok(Json(json!({ "host": of_host(&app, &host) })))
}

fn of_host(app: &App, host: &HostNow) -> Value {
    let info = &host.info;
    let services: Vec<Value> =
        info.services.iter().filter_map(|service| app.board().service(service.id)).map(|service| of_service(&service)).collect();
    let last = host.last.as_ref().map(|(at, round)| {
        let spread = round.spread();
        let ms = |of: fn(&crate::ping::round::Spread) -> f64| spread.as_ref().map(|spread| of(spread) / 1e6);
        json!({
            "at": at, "measured": round.is_measured(), "sent": round.sent, "lost": round.lost, "refused": round.refused,
            "duplicates": round.duplicates, "late": round.late, "refusal": round.refusal.map(|refusal| refusal.word()),
            "loss_percent": round.loss_percent(),
            "rtt_ms": { "min": ms(|s| s.min_ns), "q1": ms(|s| s.q1_ns), "median": ms(|s| s.median_ns), "q3": ms(|s| s.q3_ns), "max": ms(|s| s.max_ns) },
            "jitter_ms": ms(|s| s.jitter_ns),
        })
    });
    json!({
        "name": info.name, "kind": info.subject.kind(), "address": info.address, "site": info.site, "zone": info.zone, "tags": info.tags,
        "parents": info.parents, "interval_s": info.interval_s, "probes": info.probes,
        "state": host.phase.word(), "since": host.since, "behind": host.behind,
        "lossy": host.is_lossy, "slow": host.is_slow, "flapping": host.is_flapping, "last": last, "services": services,
    })
}

fn of_service(service: &ServiceNow) -> Value {
    let state = match service.is_down {
        None => "unknown",
        Some(true) => "down",
        Some(false) => "up",
    };
    let certificate = service
        .certificate
        .as_ref()
        .map(|certificate| json!({ "days": certificate.days, "subject": certificate.subject, "issuer": certificate.issuer }));
    json!({
        "name": service.info.name, "kind": service.info.kind, "port": service.info.port, "state": state, "at": service.at,
        "took_ms": service.took_ms, "fault": service.fault.map(Fault::word), "said": service.said, "certificate": certificate,
    })
}
