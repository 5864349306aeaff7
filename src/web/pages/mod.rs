//! The pages, one file each: a handler that gathers, a template that shows, and the parts that the live stream renews.

pub(crate) mod account;
pub(crate) mod block;
pub(crate) mod capture;
pub(crate) mod detect;
pub(crate) mod device;
pub(crate) mod devices;
pub(crate) mod help;
pub(crate) mod host;
pub(crate) mod incident;
pub(crate) mod journal;
pub(crate) mod locate;
pub(crate) mod machine;
pub(crate) mod notices;
pub(crate) mod overview;
pub(crate) mod picture;
pub(crate) mod port;
pub(crate) mod ports;
mod row;
pub(crate) mod search;
pub(crate) mod traffic;

use askama::Template;

use super::html::Html;

/// A piece of a page that the live stream renews: the id of its place, and its inner markup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub(crate) id: &'static str,
    pub(crate) html: String,
}

impl Part {
    fn of(id: &'static str, template: &impl Template) -> Self {
        let html = template.render().unwrap_or_else(|error| {
            tracing::error!(part = id, %error, "a part of a page could not be written: {error}");
            String::new()
        });
        Self { id, html }
    }
}

/// The markup of one part, to stand in the whole page.
fn inner(parts: &[Part], id: &str) -> Html {
    Html(parts.iter().find(|part| part.id == id).map(|part| part.html.clone()).unwrap_or_default())
}
