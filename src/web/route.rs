//! Which address leads where.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::get;

use super::app::App;
use super::failure::{self, Failure};
use super::{api, assets, guard, live, pages};

/// The whole dashboard: pages, API, live stream, assets, with all guards around it.
pub fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new()
        .route("/", get(pages::overview::page))
        .route("/devices", get(pages::devices::page))
        .route("/device/{name}", get(pages::device::page))
        // The rest of the path: proxies in between may turn the %2F of `Gi1%2F0%2F1` into a slash.
        .route("/device/{name}/port/{*port}", get(pages::port::page))
        .route("/ports", get(pages::ports::page))
        .route("/ports.csv", get(pages::ports::csv))
        .route("/search", get(pages::search::page))
        .route("/help", get(pages::help::page))
        .route("/about", get(|| async { Redirect::permanent("/help").into_response() }))
        .route("/graph/{id}/{kind}/{file}", get(pages::picture::file))
        .route("/events", get(live::events))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz));
    for (path, handler) in api::routes() {
        routes = routes.route(path, handler);
    }
    let routes = routes
        .fallback(|| async { Failure::NoPage })
        .method_not_allowed_fallback(|| async { Failure::NoMethod })
        .layer(from_fn_with_state(Arc::clone(&app), failure::tell))
        .with_state(app)
        .route("/assets/{*name}", get(assets::serve));
    guard::guarded(routes)
}
