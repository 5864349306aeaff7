//! The files that a browser needs, embedded: style, script, icon, and the vendored htmx and uPlot. Their addresses carry
//! a hash of their content, so a browser may keep them for a year and never sees a stale one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;

use crate::graph::theme;

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Files;

struct Asset {
    bytes: Bytes,
    kind: &'static str,
    address: String,
}

/// By the name in the source tree: `app.css`, `vendor/htmx.min.js`.
static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let kind = content_type(&name)?;
            let content = Files::get(&name)?;
            // The colours and lines of graphs are named in the graph room; the page's style sheet takes them along.
            let bytes = match &*name {
                "app.css" => Bytes::from([&*content.data, theme::page_css().as_bytes()].concat()),
                // In one file with its extension: htmx looks at the page a moment after it was run, and where the extension
                // came later than that, the page stood still for good.
                "vendor/htmx.min.js" => {
                    let stream = Files::get("vendor/hx-sse.min.js")?;
                    Bytes::from([&*content.data, b"\n", &*stream.data].concat())
                }
                _ => match content.data {
                    Cow::Borrowed(data) => Bytes::from_static(data),
                    Cow::Owned(data) => Bytes::from(data),
                },
            };
            let address = address(&name, &bytes);
            Some((name.into_owned(), Asset { bytes, kind, address }))
        })
        .collect()
});

/// By the name in the address.
static BY_ADDRESS: LazyLock<HashMap<&'static str, &'static Asset>> =
    LazyLock::new(|| ASSETS.values().filter_map(|asset| Some((asset.address.strip_prefix("/assets/")?, asset))).collect());

/// The address of a file of the source tree; the plain name when there is no such file, which a test finds.
pub(crate) fn url(name: &str) -> &str {
    ASSETS.get(name).map_or(name, |asset| asset.address.as_str())
}

/// `GET /assets/{*name}`.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = BY_ADDRESS.get(name.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], asset.bytes.clone()).into_response()
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit('.').next()? {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// `/assets/vendor/htmx.min.1a2b3c4d5e.js`.
fn address(name: &str, bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(bytes);
    let hash: String = digest.iter().take(5).map(|octet| format!("{octet:02x}")).collect();
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("/assets/{stem}.{hash}.{ending}"),
        None => format!("/assets/{name}.{hash}"),
    }
}
