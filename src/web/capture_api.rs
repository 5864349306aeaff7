//! Captures of one host's frames, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::access::Caller;
use super::app::App;
use super::failure::Failure;
use super::pages::capture::act::{self, Because, Wanted};
use super::pages::capture::{Asked, ask, failed};
use super::route::{Row, get, post};
use crate::accounts::Permission as P;
use crate::capture::recording::{Deed, Recording};

/// The addresses.
pub(super) fn rows() -> Vec<Row> {
    vec![
        get("/api/v1/captures", P::ReadCaptures, list),
        post("/api/v1/captures", P::RequestCapture, request),
        get("/api/v1/captures/{id}", P::ReadCaptures, one),
        get("/api/v1/captures/{id}/file", P::OpenCapture, act::file),
        post("/api/v1/captures/{id}/approve", P::ApproveCapture, approve),
        post("/api/v1/captures/{id}/refuse", P::ApproveCapture, refuse),
        post("/api/v1/captures/{id}/withdraw", P::RequestCapture, withdraw),
        post("/api/v1/captures/{id}/hold", P::OpenCapture, hold),
        post("/api/v1/captures/{id}/release", P::ApproveCapture, release),
        post("/api/v1/captures/{id}/delete", P::ApproveCapture, delete),
    ]
}

/// A recording with when its file goes.
fn told(recording: &Recording) -> Value {
    let mut told = serde_json::to_value(recording).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("until".to_owned(), json!(recording.until()));
    }
    told
}

async fn list(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Failure> {
    let (standing, host) = (asked.standing()?, asked.host());
    let listed = ask(&app, move |desk| desk.list(host.as_deref(), standing, asked.before)).await?;
    let listed = listed.map_err(|error| failed(&error))?;
    Ok(Json(json!({ "captures": listed.iter().map(told).collect::<Vec<_>>() })))
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<i64>) -> Result<Json<Value>, Failure> {
    let recording = ask(&app, move |desk| desk.one(id)).await?;
    Ok(Json(told(&recording.map_err(|error| failed(&error))?)))
}

async fn request(State(app): State<Arc<App>>, caller: Caller, Json(wanted): Json<Wanted>) -> Result<(StatusCode, Json<Value>), Failure> {
    let (order, actor, now) = (wanted.ask()?, caller.actor(), app.clock().now);
    let asked = ask(&app, move |desk| desk.ask(&order, &actor, now)).await?;
    Ok((StatusCode::CREATED, Json(told(&asked.map_err(|error| failed(&error))?))))
}

async fn done(app: Arc<App>, id: i64, caller: Caller, deed: Deed) -> Result<Json<Value>, Failure> {
    let recording = act::done(&app, id, &caller, deed).await?;
    Ok(Json(told(&recording.map_err(|error| failed(&error))?)))
}

async fn approve(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Approve).await
}

async fn refuse(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(because): Json<Because>,
) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Refuse(because.reason)).await
}

async fn withdraw(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Withdraw).await
}

async fn hold(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(because): Json<Because>,
) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Hold(because.reason)).await
}

async fn release(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Release).await
}

async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Json(because): Json<Because>,
) -> Result<Json<Value>, Failure> {
    done(app, id, caller, Deed::Delete(because.reason)).await
}
