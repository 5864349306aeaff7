//! The pages that Prometheus reads.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use serde::Deserialize;

use crate::model::clock;
use crate::ports::live::Live;

use super::devices;
use super::own::OwnMetrics;
use super::ports::{Exposer, Filter};
use super::targets;
use super::text::Form;

/// What the pages show.
pub struct Metrics {
    live: Arc<Live>,
    own: Arc<OwnMetrics>,
    exposer: Exposer,
}

impl Metrics {
    /// Over the live table and the program's own series.
    pub fn new(live: Arc<Live>, own: Arc<OwnMetrics>) -> Self {
        Self { live, own, exposer: Exposer::default() }
    }
}

/// The routes `/metrics`, `/metrics/ports` and `/metrics/targets`; the last two only when `ports` are exposed.
pub fn router(metrics: Arc<Metrics>, ports: bool) -> Router {
    let mut router = Router::new().route("/metrics", get(own));
    if ports {
        router = router.route("/metrics/ports", get(all_ports)).route("/metrics/targets", get(all_targets));
    }
    router.with_state(metrics)
}

async fn own(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.own.text() {
        Ok(mut text) => {
            text.extend_from_slice(&devices::expose(&metrics.live, clock::wall()));
            ([(CONTENT_TYPE, Form::Classic.content_type())], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the program's own metrics cannot be encoded");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("the program's own metrics cannot be encoded: {error}\n")).into_response()
        }
    }
}

/// What can be asked of `/metrics/ports`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortsQuery {
    device: Option<String>,
    site: Option<String>,
    up: Option<u8>,
}

async fn all_ports(State(metrics): State<Arc<Metrics>>, Query(query): Query<PortsQuery>, headers: HeaderMap) -> Response {
    if let Some(name) = query.device.as_deref().filter(|name| metrics.live.device(name).is_none()) {
        return (StatusCode::NOT_FOUND, format!("no device is named {name:?}; /metrics/targets lists the names\n")).into_response();
    }
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let form = Form::accept(&accept.join(","));
    let filter = Filter { device: query.device, site: query.site, up_only: query.up.unwrap_or(0) != 0 };
    let pieces = metrics.exposer.expose(&metrics.live, &filter, form).map(Ok::<_, Infallible>);
    ([(CONTENT_TYPE, form.content_type())], Body::from_stream(stream::iter(pieces))).into_response()
}

async fn all_targets(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if host.is_empty() {
        return (StatusCode::BAD_REQUEST, "the request names no Host, so the targets cannot be told\n").into_response();
    }
    Json(targets::list(&metrics.live, host)).into_response()
}
