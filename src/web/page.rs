//! What every page has: words, the reader, the clock, its title, and how it is answered.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html as HtmlResponse, IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::assets;
use super::html::{Html, escape};
use super::time::Clock;
use super::visitor::{Theme, Visitor};
use super::words::Words;
use crate::accounts::Permission;
use crate::i18n::Lang;

/// A page's surroundings, handed to its template.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) words: Words,
    pub(crate) visitor: Visitor,
    pub(crate) clock: Clock,
    /// The title, without the product's name.
    pub(crate) title: String,
    /// Which entry of the navigation is lit: `overview`, `devices`, `ports`, or none.
    pub(crate) place: &'static str,
    /// The live stream of this page; empty for pages that stand still.
    pub(crate) stream: String,
    /// What stands in the search box.
    pub(crate) query: String,
}

impl Page {
    /// A page without a live stream.
    pub(crate) fn new(visitor: Visitor, clock: Clock, place: &'static str, title: String) -> Self {
        Self { words: Words(visitor.lang), visitor, clock, title, place, stream: String::new(), query: String::new() }
    }

    /// The same page with a live stream.
    pub(crate) fn with_stream(mut self, view: &str) -> Self {
        self.stream = format!("/events?view={view}");
        self
    }

    /// Who reads, when that is known.
    pub(crate) fn reader(&self) -> Option<&str> {
        self.visitor.caller.identity.as_ref().map(|identity| &*identity.person)
    }

    /// Whether the reader may.
    pub(crate) fn may(&self, permission: &str) -> bool {
        Permission::from_word(permission).is_some_and(|permission| self.visitor.caller.may(permission))
    }

    /// What stands in each form that changes something: the mark of the reader's session.
    pub(crate) fn mark(&self) -> Html {
        match self.visitor.caller.form_mark.as_str() {
            "" => Html::default(),
            mark => Html(format!("<input type=\"hidden\" name=\"csrf\" value=\"{}\">", escape(mark))),
        }
    }

    /// A text.
    pub(crate) fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// A text with a count.
    pub(crate) fn n(&self, key: &str, n: usize) -> String {
        self.words.n(key, n)
    }

    /// The moment of the page, for machines.
    pub(crate) fn now_iso(&self) -> String {
        self.clock.iso(self.clock.now)
    }

    /// The moment of the page, for people.
    pub(crate) fn now_full(&self) -> String {
        self.clock.full(self.clock.now)
    }

    /// The address of an embedded file.
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url(name).to_owned()
    }

    /// This page in the other language.
    pub(crate) fn other_lang_url(&self) -> String {
        self.visitor.with("lang", self.other_lang().tag())
    }

    /// The other language.
    pub(crate) const fn other_lang(&self) -> Lang {
        match self.words.0 {
            Lang::ZhCn => Lang::En,
            Lang::En => Lang::ZhCn,
        }
    }

    /// The other language's own name.
    pub(crate) const fn other_lang_name(&self) -> &'static str {
        match self.words.0 {
            Lang::ZhCn => "English",
            Lang::En => "中文",
        }
    }

    /// The theme that the switch leads to.
    pub(crate) const fn next_theme(&self) -> Theme {
        match self.visitor.theme {
            Theme::System => Theme::Dark,
            Theme::Dark => Theme::Light,
            Theme::Light => Theme::System,
        }
    }

    /// The address of the theme switch.
    pub(crate) fn next_theme_url(&self) -> String {
        self.visitor.with("theme", self.next_theme().word())
    }

    /// The classes of a navigation entry.
    pub(crate) fn lit(&self, place: &str) -> &'static str {
        if self.place == place { "page" } else { "false" }
    }
}

/// Writes a template out as an answer.
pub(crate) fn render(template: &impl Template) -> Response {
    render_as(StatusCode::OK, template)
}

/// The same with a status.
pub(crate) fn render_as(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, HtmlResponse(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page template failed: {error}");
            super::failure::plain(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

/// What must be encoded in one segment of a path (RFC 3986 section 3.3), slashes and percent signs among them.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'&')
    .add(b'+')
    .add(b';')
    .add(b'=');

/// One segment of a path or one value of a query.
pub(crate) fn segment(text: &str) -> String {
    // A segment of dots alone would be taken for a step in the tree.
    if !text.is_empty() && text.chars().all(|c| c == '.') {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The page of a device.
pub(crate) fn device_url(device: &str) -> String {
    format!("/device/{}", segment(device))
}

/// The page of a port.
pub(crate) fn port_url(device: &str, port: &str) -> String {
    format!("/device/{}/port/{}", segment(device), segment(port))
}
