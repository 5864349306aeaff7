//! What stands before every handler: size and time limits, a net for panics, request numbers, and the headers that tell
//! a browser to trust nothing but us.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnFailure, TraceLayer};

use super::access::Peer;
use super::{failure, visitor};

/// No form of the dashboard sends more.
const BODY_LIMIT: usize = 64 * 1024;
/// Past this a person has given up waiting.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts all guards around the routes.
pub(crate) fn guarded(routes: Router) -> Router {
    routes
        .layer(from_fn(visitor::recognise))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_LIMIT))
        .layer(CompressionLayer::new().gzip(true))
        .layer(from_fn(headers))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(DefaultOnFailure::new()))
        .layer(SetRequestIdLayer::x_request_id(Numbered))
}

/// The headers of every answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let is_tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_tls {
        // One year (RFC 6797): a browser that came by TLS once comes by nothing else.
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    response
}

/// Request numbers: one for each request since the start, told in the log and in the answer.
#[derive(Clone, Copy)]
struct Numbered;

static NEXT: AtomicU64 = AtomicU64::new(1);

impl MakeRequestId for Numbered {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        HeaderValue::from_str(&format!("{number:08x}")).ok().map(RequestId::new)
    }
}

fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path(), request_id = id)
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the panic layer asks for")]
fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = what, "a page handler panicked: {what}; the request was answered with 500, the rest keeps running");
    failure::plain(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_LENGTH;
    use axum::routing::{get, post};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(request: axum::http::Request<Body>) -> Response {
        let routes = Router::new()
            .route("/panic", get(|| async { panic!("told in the log") as &'static str }))
            .route("/form", post(|body: String| async move { body.len().to_string() }));
        guarded(routes).oneshot(request).await.unwrap_or_else(|never| match never {})
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_with_all_headers() {
        let answer = ask(Request::get("/panic").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY) && answer.headers().contains_key("x-request-id"));
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_whether_its_length_is_told_or_not() {
        let post = |length: usize| Request::post("/form").body(Body::from(vec![b'x'; length])).unwrap();
        assert_eq!(ask(post(BODY_LIMIT)).await.status(), StatusCode::OK);
        assert_eq!(ask(post(BODY_LIMIT + 1)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let mut told = post(1);
        told.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(BODY_LIMIT + 1));
        assert_eq!(ask(told).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
