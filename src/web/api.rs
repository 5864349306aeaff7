//! The API for programs: JSON under `/api/v1`, described by `/api/v1/openapi.json`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::app::App;
use super::block_api;
use super::capture_api;
use super::csv::Csv;
use super::detect_api;
use super::failure::Failure;
use super::filter::Asked as PortsAsked;
use super::incident_api;
use super::openapi;
use super::reach_api;
use super::route::{Row, get, post};
use super::source::HistorySource;
use super::survey::{Survey, Top};
use super::visitor::Visitor;
use crate::accounts::Permission as P;
use crate::graph::{Kind, Trace, Window, feed};
use crate::model::{PortId, PortMetric, Timestamp};
use crate::ports::live::{DeviceHealth, DeviceLabel, DeviceLive, PortLive};
use crate::ports::query::PortQuery;
use crate::series::history::{History, HistoryQuery};

/// Buckets of an answer at most, and unless a step is asked for.
const BUCKETS_MOST: i64 = 20_000;
const BUCKETS: u32 = 1_500;

/// Every address of the API; the description is tested against this list.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        get("/api/v1/openapi.json", P::Read, || async { Json(openapi::document()) }),
        get("/api/v1/overview", P::Read, overview),
        get("/api/v1/devices", P::Read, devices),
        get("/api/v1/devices/{name}", P::Read, device),
        get("/api/v1/hosts", P::Read, reach_api::hosts),
        get("/api/v1/hosts/{name}", P::Read, reach_api::host),
        get("/api/v1/ports", P::Read, ports),
        get("/api/v1/ports/{id}", P::Read, port),
        get("/api/v1/ports/{id}/history", P::Read, history),
        get("/api/v1/ports/{id}/history.csv", P::Read, history_csv),
        get("/api/v1/ports/{id}/percentile", P::Read, percentile),
        get("/api/v1/changes", P::Read, changes),
        get("/api/v1/journal", P::ReadJournal, super::pages::journal::api),
        get("/api/v1/notices", P::TestNotices, super::pages::notices::json),
        get("/api/v1/incidents", P::Read, incident_api::open),
        get("/api/v1/incidents/history", P::Read, incident_api::history),
        get("/api/v1/incidents/{id}", P::Read, incident_api::one),
        post("/api/v1/incidents/{id}/act", P::Acknowledge, incident_api::act),
        get("/api/v1/detections", P::ReadDetections, detect_api::detections),
        get("/api/v1/traffic", P::ReadDetections, detect_api::traffic),
        get("/api/v1/machines", P::ReadDetections, detect_api::machines),
        get("/api/v1/machines/{address}", P::ReadDetections, detect_api::machine),
        get("/api/v1/locate/{what}", P::ReadDetections, super::pages::locate::api),
        get("/api/v1/maintenance", P::Read, incident_api::windows),
        get("/api/v1/events", P::Read, incident_api::events),
    ];
    rows.extend(block_api::rows());
    rows.extend(capture_api::rows());
    rows
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: every device has been asked once.
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not every device has been polled yet; ask again after one poll interval\n")
    }
}

#[derive(Serialize)]
struct TopEntry {
    device: Arc<str>,
    port: PortJson,
    value: f64,
}

fn top(top: &Top) -> Vec<TopEntry> {
    let entry = |(value, place): &(f64, super::survey::Place)| TopEntry {
        device: Arc::clone(&place.device.label.name),
        port: PortJson::new(&place.device, place.port()),
        value: *value,
    };
    top.entries.iter().map(entry).collect()
}

async fn overview(State(app): State<Arc<App>>) -> Json<Value> {
    let survey = Survey::of(&app.fleet());
    Json(json!({
        "counts": survey.counts,
        "in_bps": survey.total_in,
        "out_bps": survey.total_out,
        "troubles": survey.troubles.len(),
        "last_poll": survey.last_poll,
        "store": app.keeping(),
        "top_in": top(&survey.top_in),
        "top_out": top(&survey.top_out),
        "top_used": top(&survey.top_used),
        "top_errors": top(&survey.top_errors),
    }))
}

#[derive(Serialize)]
struct DeviceJson {
    #[serde(flatten)]
    label: Arc<DeviceLabel>,
    health: DeviceHealth,
    system: Option<Arc<crate::model::observe::SystemInfo>>,
    ports: usize,
}

impl From<&DeviceLive> for DeviceJson {
    fn from(device: &DeviceLive) -> Self {
        Self { label: Arc::clone(&device.label), health: device.health.clone(), system: device.system.clone(), ports: device.ports.len() }
    }
}

async fn devices(State(app): State<Arc<App>>) -> Json<Value> {
    let devices: Vec<DeviceJson> = app.fleet().iter().map(|device| DeviceJson::from(&**device)).collect();
    Json(json!({ "devices": devices }))
}

async fn device(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Value>, Failure> {
    let device = app.device(&name).ok_or(Failure::NoDevice(name))?;
    let ports: Vec<PortJson> = device.ports.iter().map(|port| PortJson::new(&device, port)).collect();
    Ok(Json(json!({ "device": DeviceJson::from(&*device), "ports": ports })))
}

/// A port for programs: the names of IF-MIB where it has one, units in the other names.
#[derive(Serialize)]
struct PortJson {
    device: Arc<str>,
    #[serde(flatten)]
    identity: Arc<crate::model::PortIdentity>,
    state: crate::ports::live::PortState,
    sampled: Option<Timestamp>,
    in_bps: Option<f64>,
    out_bps: Option<f64>,
    used_percent: Option<f64>,
    errors_pps: Option<f64>,
    discards_pps: Option<f64>,
    gap: Option<crate::model::Gap>,
}

impl PortJson {
    fn new(device: &DeviceLive, port: &PortLive) -> Self {
        Self {
            device: Arc::clone(&device.label.name),
            identity: Arc::clone(&port.identity),
            state: port.state,
            sampled: port.sampled,
            in_bps: port.in_bps(),
            out_bps: port.out_bps(),
            used_percent: port.utilisation_percent(),
            errors_pps: port.error_rate(),
            discards_pps: port.discard_rate(),
            gap: port.gap,
        }
    }
}

async fn ports(State(app): State<Arc<App>>, Query(asked): Query<PortsAsked>) -> Json<Value> {
    let fleet = app.fleet();
    let query = PortQuery::from(&asked);
    let page = query.page(&fleet);
    let rows: Vec<PortJson> = page.rows.iter().map(|(device, port)| PortJson::new(device, port)).collect();
    Json(json!({ "found": page.found, "page": page.page, "pages": page.pages, "per": query.per_page, "ports": rows }))
}

async fn port(State(app): State<Arc<App>>, Path(id): Path<u32>) -> Result<Json<Value>, Failure> {
    let (device, index) = app.port(PortId(id)).ok_or(Failure::NoPortNumber(id))?;
    let port = device.ports.get(index).ok_or(Failure::NoPortNumber(id))?;
    let pair = |metric: PortMetric| (metric.word(), json!({ "counter": port.counter(metric), "per_second": port.rate(metric) }));
    let metrics: serde_json::Map<String, Value> =
        PortMetric::ALL.into_iter().map(pair).map(|(word, value)| (word.to_owned(), value)).collect();
    Ok(Json(json!({ "port": PortJson::new(&device, port), "metrics": metrics })))
}

/// The window of a question about the past.
#[derive(Debug, Default, Deserialize)]
struct Past {
    from: Option<i64>,
    to: Option<i64>,
    step: Option<u32>,
    #[serde(default)]
    kind: Kind,
    metrics: Option<String>,
}

struct Question {
    query: HistoryQuery,
    kind: Kind,
    speed_bps: Option<u64>,
    title: String,
}

impl Past {
    fn question(&self, app: &App, id: u32) -> Result<Question, Failure> {
        let (device, index) = app.port(PortId(id)).ok_or(Failure::NoPortNumber(id))?;
        let port = device.ports.get(index).ok_or(Failure::NoPortNumber(id))?;
        let clock = app.clock();
        let to = self.to.map_or(clock.now, Timestamp::from_secs);
        let from = self.from.map_or(to - Duration::from_secs(86_400), Timestamp::from_secs);
        if from >= to {
            return Err(Failure::BadParameter("from", "it must be before \"to\"; both are seconds since 1970-01-01 UTC".to_owned()));
        }
        let window = Window::custom(from, to, BUCKETS, clock.zone());
        let (from, to, step_s) = match self.step {
            None => (window.from, window.to, window.step_s),
            Some(0) => return Err(Failure::BadParameter("step", "it is a number of seconds, 1 or more".to_owned())),
            Some(step) => (from, to, step),
        };
        if (to.secs() - from.secs()) / i64::from(step_s) > BUCKETS_MOST {
            return Err(Failure::BadParameter("step", format!("at most {BUCKETS_MOST} steps fit into one answer; ask for longer steps")));
        }
        let metrics = self.metrics()?;
        let query = HistoryQuery { port: PortId(id), metrics, from, to, step_s, origin_s: window.origin_s };
        let title = format!("{}-{}", device.label.name, port.identity.name);
        Ok(Question { query, kind: self.kind, speed_bps: port.identity.speed_bps, title })
    }

    fn metrics(&self) -> Result<Vec<PortMetric>, Failure> {
        let Some(words) = &self.metrics else { return Ok(self.kind.metrics()) };
        let known = |word: &str| PortMetric::ALL.into_iter().find(|metric| metric.word() == word);
        words
            .split(',')
            .map(|word| known(word.trim()).ok_or_else(|| Failure::BadParameter("metrics", format!("there is no {word:?}"))))
            .collect()
    }
}

async fn history(State(app): State<Arc<App>>, Path(id): Path<u32>, Query(past): Query<Past>) -> Result<Response, Failure> {
    let Question { query, kind, speed_bps, .. } = past.question(&app, id)?;
    let ask = move |source: &dyn HistorySource| {
        let answer = source.history(&query)?;
        let buckets = answer.curves.first().map_or(0, |curve| curve.average.len());
        let usual = source.usual(query.port, answer.t0, answer.step_s, buckets);
        Ok((answer, usual))
    };
    let (answer, usual) = app.ask(ask).await?;
    let text = match &past.metrics {
        None => feed::json(kind, &answer, speed_bps, usual),
        Some(_) => by_metric(&answer).to_string(),
    };
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// The curves as asked, per second in the metric's own unit: `s` the averages, `max` the maxima.
fn by_metric(history: &History) -> Value {
    let gaps: Vec<Value> = history.gaps.iter().map(|gap| json!([gap.from.secs(), gap.to.secs(), gap.reason.word()])).collect();
    json!({
        "t0": history.t0.secs(),
        "step": history.step_s,
        "unit": "per second",
        "metrics": history.curves.iter().map(|curve| curve.metric.word()).collect::<Vec<_>>(),
        "s": history.curves.iter().map(|curve| &curve.average).collect::<Vec<_>>(),
        "max": history.curves.iter().map(|curve| &curve.maximum).collect::<Vec<_>>(),
        "gaps": gaps,
    })
}

async fn history_csv(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    Query(past): Query<Past>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let Question { query, kind, speed_bps, title } = past.question(&app, id)?;
    let answer = app.ask(move |source| source.history(&query)).await?;
    let (words, clock) = (super::words::Words(visitor.lang), app.clock());
    let factor = kind.factor(speed_bps);
    let (inbound, outbound) = (Trace::of(&answer, kind.inbound(), factor), Trace::of(&answer, kind.outbound(), factor));
    let unit = kind.unit().symbol();
    let heading = |key: &str| format!("{} ({unit})", words.t(key));
    let heading =
        [words.t("web-time"), heading("web-in"), heading("web-out"), heading("web-in-max"), heading("web-out-max"), words.t("web-gap")];
    let mut csv = Csv::new(heading.iter().map(String::as_str));
    let cell =
        |values: &[Option<f64>], index: usize| values.get(index).copied().flatten().map(|value| format!("{value:.2}")).unwrap_or_default();
    for index in 0..inbound.average.len() {
        let at = answer.t0 + Duration::from_secs(u64::from(answer.step_s)) * u32::try_from(index).unwrap_or(u32::MAX);
        let gap = answer.gaps.iter().find(|gap| gap.from <= at && at < gap.to).map(|gap| words.gap(gap.reason)).unwrap_or_default();
        csv.row([
            clock.iso(at).as_str(),
            &cell(&inbound.average, index),
            &cell(&outbound.average, index),
            &cell(&inbound.maximum, index),
            &cell(&outbound.maximum, index),
            &gap,
        ]);
    }
    let name = super::pages::picture::inline_name(&format!("{title}-{}", kind.word()), "csv").replacen("inline", "attachment", 1);
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], csv.into_text()).into_response())
}

/// The question for a percentile.
#[derive(Debug, Deserialize)]
struct PercentileAsked {
    from: Option<i64>,
    to: Option<i64>,
    percent: Option<f64>,
}

async fn percentile(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    Query(asked): Query<PercentileAsked>,
) -> Result<Json<Value>, Failure> {
    app.port(PortId(id)).ok_or(Failure::NoPortNumber(id))?;
    let to = asked.to.map_or(app.clock().now, Timestamp::from_secs);
    let from = asked.from.map_or(to - Duration::from_secs(30 * 86_400), Timestamp::from_secs);
    let percent = asked.percent.unwrap_or(95.0);
    if !(0.0..=100.0).contains(&percent) {
        return Err(Failure::BadParameter("percent", "it lies between 0 and 100".to_owned()));
    }
    let ask =
        move |source: &dyn HistorySource, metric| Ok(source.percentile(PortId(id), metric, from, to, percent)?.map(|octets| octets * 8.0));
    let (inbound, outbound) = app.ask(move |source| Ok((ask(source, PortMetric::InOctets)?, ask(source, PortMetric::OutOctets)?))).await?;
    Ok(Json(json!({ "from": from.secs(), "to": to.secs(), "percent": percent, "in_bps": inbound, "out_bps": outbound })))
}

async fn changes(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "changes": app.changes().latest(usize::MAX) }))
}
