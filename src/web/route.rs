//! Which address leads where, and which permission it takes: one table for pages, API and live stream. What is in no row
//! is refused.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{self, MethodRouter};

use super::access::{self, Gate};
use super::app::App;
use super::failure::{self, Failure};
use super::{api, assets, guard, live, pages};
use crate::accounts::Permission as P;

/// One row.
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) gate: Gate,
    handler: MethodRouter<Arc<App>, Infallible>,
}

/// A row that is read: GET, and HEAD with it.
pub(crate) fn get<H, T>(path: &'static str, permission: P, handler: H) -> Row
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Row { method: Method::GET, path, gate: Gate::May(permission), handler: routing::get(handler) }
}

/// A row that changes something: POST.
pub(crate) fn post<H, T>(path: &'static str, permission: P, handler: H) -> Row
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Row { method: Method::POST, path, gate: Gate::May(permission), handler: routing::post(handler) }
}

impl Row {
    /// The same for everybody.
    fn open(self) -> Self {
        Self { gate: Gate::Open, ..self }
    }
}

/// Every address but those of the exposition for Prometheus.
fn table() -> Vec<Row> {
    let mut rows = vec![
        get("/", P::Read, pages::overview::page),
        get("/devices", P::Read, pages::devices::page),
        get("/device/{name}", P::Read, pages::device::page),
        // The rest of the path: proxies in between may turn the %2F of `Gi1%2F0%2F1` into a slash.
        get("/device/{name}/port/{*port}", P::Read, pages::port::page),
        get("/hosts", P::Read, pages::host::list),
        get("/host/{name}", P::Read, pages::host::page),
        get("/host/{name}/ping", P::Probe, pages::host::stream),
        get("/host/{name}/ping.txt", P::Probe, pages::host::text),
        get("/host/{name}/graph/{file}", P::Read, pages::host::of_host),
        get("/host/{name}/service/{service}/graph/{file}", P::Read, pages::host::of_service),
        get("/detect", P::ReadDetections, pages::detect::page),
        get("/locate", P::ReadDetections, pages::locate::page),
        get("/traffic", P::ReadDetections, pages::traffic::page),
        get("/machine/{address}", P::ReadDetections, pages::machine::page),
        get("/ports", P::Read, pages::ports::page),
        get("/ports.csv", P::Read, pages::ports::csv),
        get("/search", P::Read, pages::search::page),
        get("/help", P::Read, pages::help::page),
        get("/about", P::Read, || async { Redirect::permanent("/help").into_response() }),
        get("/graph/{id}/{kind}/{file}", P::Read, pages::picture::file),
        get("/events", P::Read, live::events),
        get("/notices", P::TestNotices, pages::notices::page),
        post("/notices/{id}/retry", P::TestNotices, pages::notices::retry),
        // For watchdogs, who have no account.
        get("/healthz", P::Read, api::healthz).open(),
        get("/readyz", P::Read, api::readyz).open(),
        // What the page of the login is made of.
        get("/assets/{*name}", P::Read, assets::serve).open(),
    ];
    rows.extend(account_rows());
    rows.extend(incident_rows());
    rows.extend(capture_rows());
    rows.extend(block_rows());
    rows.extend(api::rows());
    rows
}

fn incident_rows() -> Vec<Row> {
    use pages::incident::{act, history, list, one, windows};
    vec![
        get("/incidents", P::Read, list::page),
        get("/incidents/history", P::Read, history::page),
        get("/incident/{id}", P::Read, one::page),
        post("/incident/{id}", P::Acknowledge, act::act),
        get("/maintenance", P::Read, windows::page),
        post("/maintenance", P::Maintain, windows::plan),
        post("/maintenance/{id}/end", P::Maintain, windows::end),
    ]
}

fn capture_rows() -> Vec<Row> {
    use pages::capture::{self, act};
    vec![
        get("/captures", P::ReadCaptures, capture::page),
        post("/captures", P::RequestCapture, act::request),
        get("/capture/{id}", P::ReadCaptures, capture::one),
        get("/capture/{id}/file", P::OpenCapture, act::file),
        post("/capture/{id}/approve", P::ApproveCapture, act::approve),
        post("/capture/{id}/refuse", P::ApproveCapture, act::refuse),
        post("/capture/{id}/withdraw", P::RequestCapture, act::withdraw),
        post("/capture/{id}/hold", P::OpenCapture, act::hold),
        post("/capture/{id}/release", P::ApproveCapture, act::release),
        post("/capture/{id}/delete", P::ApproveCapture, act::delete),
    ]
}

fn block_rows() -> Vec<Row> {
    use pages::block::{self, act};
    vec![
        post("/device/{name}/port/{*port}", P::WorkOnPorts, block::work::work),
        get("/blocks", P::ReadBlocks, block::page),
        post("/blocks", P::RequestBlock, act::request),
        get("/blocks/protected", P::ReadBlocks, block::protected),
        post("/blocks/freeze", P::FreezeBlocks, act::freeze),
        post("/blocks/reset", P::FreezeBlocks, act::reset),
        get("/block/{id}", P::ReadBlocks, block::one),
        get("/block/{id}/slip", P::ReadBlocks, block::slip),
        post("/block/{id}/approve", P::ApproveBlock, act::approve),
        post("/block/{id}/decline", P::ApproveBlock, act::decline),
        post("/block/{id}/release", P::ReleaseBlock, act::release),
    ]
}

fn account_rows() -> Vec<Row> {
    use pages::account::{factor, first, login, mine, users};
    vec![
        get("/login", P::Read, login::page).open(),
        post("/login", P::Read, login::enter).open(),
        post("/logout", P::OwnAccount, login::leave),
        get("/first/{link}", P::Read, first::page).open(),
        post("/first/{link}", P::Read, first::make).open(),
        get("/account", P::OwnAccount, mine::page),
        post("/account/password", P::OwnAccount, mine::password),
        post("/account/sessions/{id}/end", P::OwnAccount, mine::end_session),
        post("/account/tokens", P::OwnAccount, mine::add),
        post("/account/tokens/{id}/revoke", P::OwnAccount, mine::revoke),
        post("/account/factor", P::OwnAccount, factor::begin),
        post("/account/factor/confirm", P::OwnAccount, factor::confirm),
        post("/account/factor/remove", P::OwnAccount, factor::remove),
        get("/users", P::GrantRoles, users::page),
        post("/users", P::ManageAccounts, users::make_it),
        post("/users/{login}/password", P::ManageAccounts, users::password),
        post("/users/{login}/disable", P::ManageAccounts, users::shut),
        post("/users/{login}/enable", P::ManageAccounts, users::open),
        post("/users/{login}/grant", P::GrantRoles, users::give_it),
        post("/users/{login}/revoke", P::GrantRoles, users::take),
        post("/users/proposals/{id}/sign", P::GrantSeparated, users::sign_it),
        post("/users/proposals/{id}/decline", P::GrantRoles, users::decline_it),
        post("/users/tokens/{id}/revoke", P::ManageAccounts, users::end_token),
        get("/journal", P::ReadJournal, pages::journal::page),
    ]
}

/// Every row with the permission that it takes; `None` for everybody.
pub fn addresses() -> Vec<(Method, &'static str, Option<P>)> {
    let permission = |gate| match gate {
        Gate::Open => None,
        Gate::May(permission) => Some(permission),
    };
    table().into_iter().map(|row| (row.method, row.path, permission(row.gate))).collect()
}

/// The whole dashboard: pages, API, live stream, assets, with all guards around it.
pub fn router(app: Arc<App>) -> Router {
    let gate = |gate| from_fn_with_state((Arc::clone(&app), gate), access::guard);
    let mut routes = Router::new();
    for row in table() {
        routes = routes.route(row.path, row.handler.layer(gate(row.gate)));
    }
    let nowhere = Router::new().fallback(|| async { Failure::NoPage }).layer(gate(Gate::May(P::Read)));
    let routes = routes
        .fallback_service(nowhere.with_state(()))
        .method_not_allowed_fallback(|| async { Failure::NoMethod })
        .layer(from_fn_with_state(Arc::clone(&app), failure::tell))
        .layer(from_fn_with_state(Arc::clone(&app), access::identify))
        .with_state(app);
    guard::guarded(routes)
}
