//! 帮助: the keys, the marks, how to read a graph, and which version this is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::web::app::App;
use crate::web::html::{Html, Mark};
use crate::web::page::{Page, render};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    version: &'static str,
    keys: [(&'static [&'static str], String); 7],
    marks: [(Html, String); 6],
}

/// `GET /help`.
pub(crate) async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let words = Words(visitor.lang);
    let page = Page::new(visitor, app.clock(), "help", words.t("web-help"));
    render(&HelpPage {
        page,
        version: env!("CARGO_PKG_VERSION"),
        keys: [
            (&["/"], words.t("web-key-search")),
            (&["g", "o"], words.t("web-key-overview")),
            (&["g", "d"], words.t("web-key-devices")),
            (&["g", "p"], words.t("web-key-ports")),
            (&["j", "k"], words.t("web-key-rows")),
            (&["t"], words.t("web-key-theme")),
            (&["?"], words.t("web-key-help")),
        ],
        marks: [
            (Mark::Up.html(), words.t("web-mark-up")),
            (Mark::Degraded.html(), words.t("web-mark-degraded")),
            (Mark::Down.html(), words.t("web-mark-down")),
            (Mark::NoLink.html(), words.t("web-mark-nolink")),
            (Mark::Shut.html(), words.t("web-mark-shut")),
            (Mark::Unknown.html(), words.t("web-mark-unknown")),
        ],
    })
}
