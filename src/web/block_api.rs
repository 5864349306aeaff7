//! Blocks, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Caller;
use super::app::App;
use super::failure::Failure;
use super::pages::block::act::{self, Because, Freeze, Wanted};
use super::pages::block::work::checked;
use super::pages::block::{ListAsked, ProtectedAsked, ask, case};
use super::route::{Row, get, post};
use crate::accounts::Permission as P;
use crate::block::work::{Deed, Told, Work};
use crate::block::{Case, CaseId, Wish};
use crate::model::PortId;

/// Cases that are told at most.
const MOST: u32 = 500;

/// The addresses.
pub(super) fn rows() -> Vec<Row> {
    vec![
        get("/api/v1/blocks", P::ReadBlocks, list),
        post("/api/v1/blocks", P::RequestBlock, request),
        get("/api/v1/blocks/protected", P::ReadBlocks, protected),
        post("/api/v1/blocks/freeze", P::FreezeBlocks, freeze),
        post("/api/v1/blocks/reset", P::FreezeBlocks, reset),
        get("/api/v1/blocks/{id}", P::ReadBlocks, one),
        post("/api/v1/blocks/{id}/approve", P::ApproveBlock, approve),
        post("/api/v1/blocks/{id}/decline", P::ApproveBlock, decline),
        post("/api/v1/blocks/{id}/release", P::ReleaseBlock, release),
        post("/api/v1/ports/{id}/work", P::WorkOnPorts, work),
    ]
}

/// A case with its addresses as people write them.
fn told(case: &Case) -> Value {
    let mut told = serde_json::to_value(case).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("mac".to_owned(), json!(case.mac.map(|mac| mac.to_string())));
        told.insert("name".to_owned(), json!(case.id.to_string()));
        told.insert("place".to_owned(), json!(case.place()));
        told.insert("took_ms".to_owned(), json!(case.took_ms()));
        told.remove("due");
    }
    told
}

async fn list(State(app): State<Arc<App>>, Query(asked): Query<ListAsked>) -> Result<Json<Value>, Failure> {
    let (with_over, only) = asked.filter()?;
    let (cases, brake) = ask(&app, move |counter| Ok((counter.list(with_over, MOST)?, counter.brake()?))).await?;
    let cases: Vec<Value> = cases.iter().filter(|case| only.is_none_or(|phase| case.phase == phase)).map(told).collect();
    let frozen = brake.frozen.as_ref().filter(|(until, _, _)| app.clock().now < *until);
    let frozen = frozen.map(|(until, reason, person)| json!({ "until": until, "reason": reason, "person": person }));
    Ok(Json(json!({ "blocks": cases, "frozen": frozen, "tripped": brake.tripped })))
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<i64>) -> Result<Json<Value>, Failure> {
    Ok(Json(told(&case(&app, id).await?)))
}

async fn protected(State(app): State<Arc<App>>, Query(asked): Query<ProtectedAsked>) -> Result<Json<Value>, Failure> {
    let key = asked.key()?;
    let (settings, rails) = ask(&app, move |counter| Ok((counter.rules().settings(), key.map(|key| counter.rules().explain(key))))).await?;
    Ok(Json(json!({ "lines": settings.protected, "explained": rails })))
}

/// What was wished, and what the desk has answered so far.
async fn wished(app: &Arc<App>, caller: &Caller, wish: Wish) -> Result<(StatusCode, Json<Value>), Failure> {
    let answer = act::wish(app, caller, wish).await?;
    let status = if answer.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "answer": answer }))))
}

async fn request(State(app): State<Arc<App>>, caller: Caller, Json(wanted): Json<Wanted>) -> Result<(StatusCode, Json<Value>), Failure> {
    wished(&app, &caller, wanted.wish()?).await
}

async fn freeze(State(app): State<Arc<App>>, caller: Caller, Json(form): Json<Freeze>) -> Result<(StatusCode, Json<Value>), Failure> {
    wished(&app, &caller, form.wish(&app.clock())?).await
}

async fn reset(State(app): State<Arc<App>>, caller: Caller, Json(because): Json<Because>) -> Result<(StatusCode, Json<Value>), Failure> {
    let reason = act::reason(&because.reason)?;
    wished(&app, &caller, Wish::Reset { reason }).await
}

async fn approve(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<(StatusCode, Json<Value>), Failure> {
    case(&app, id).await?;
    wished(&app, &caller, Wish::Approve { case: CaseId(id) }).await
}

async fn decline(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(because): Json<Because>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    case(&app, id).await?;
    wished(&app, &caller, Wish::Decline { case: CaseId(id), reason: act::reason(&because.reason)? }).await
}

async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(because): Json<Because>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    case(&app, id).await?;
    wished(&app, &caller, Wish::Release { case: CaseId(id), reason: act::reason(&because.reason)? }).await
}

/// What is to be done to a port, and why.
#[derive(Debug, Deserialize)]
struct Worked {
    #[serde(flatten)]
    deed: Deed,
    #[serde(default)]
    reason: String,
}

async fn work(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    caller: Caller,
    Json(worked): Json<Worked>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let (device, index) = app.port(PortId(id)).ok_or(Failure::NoPortNumber(id))?;
    let port = device.ports.get(index).ok_or(Failure::NoPortNumber(id))?;
    let (deed, reason) = (checked(worked.deed)?, act::reason(&worked.reason)?);
    let work = Work { device: Arc::clone(&device.label.name), port: Arc::clone(&port.identity.name), deed, reason };
    let answer = act::wish(&app, &caller, Wish::Work(work)).await?;
    let told = answer.as_deref().and_then(Told::of);
    let status = match &told {
        None => StatusCode::ACCEPTED,
        Some(told) if told.is_done() => StatusCode::OK,
        Some(_) => StatusCode::CONFLICT,
    };
    Ok((status, Json(json!({ "answer": told.as_ref().map(ToString::to_string), "told": told }))))
}
