//! Who reads: language, theme and the place of the page, from the address, a cookie and Accept-Language.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, COOKIE, SET_COOKIE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Caller;
use crate::i18n::Lang;

/// Light or dark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Theme {
    /// As the reader's system is set.
    #[default]
    System,
    /// Light whatever the system says.
    Light,
    /// Dark whatever the system says.
    Dark,
}

impl Theme {
    /// The word of cookies, addresses and `<html data-theme>`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.word() == word)
    }
}

/// The reader of this page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Visitor {
    /// The language of the page.
    pub(crate) lang: Lang,
    /// The theme of the page.
    pub(crate) theme: Theme,
    /// The address asked for: path and query.
    pub(crate) uri: Uri,
    /// Who that is.
    pub(crate) caller: Caller,
}

impl Visitor {
    fn of(uri: &Uri, headers: &HeaderMap) -> (Self, Vec<String>) {
        let mut cookies = Vec::new();
        let lang = match asked(uri, "lang").and_then(|tag| tag.parse::<Lang>().ok()) {
            Some(lang) => {
                cookies.push(format!("lang={lang}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"));
                lang
            }
            None => cookie(headers, "lang")
                .and_then(|tag| tag.parse().ok())
                .unwrap_or_else(|| Lang::accept(headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default())),
        };
        let theme = match asked(uri, "theme").and_then(Theme::from_word) {
            Some(theme) => {
                cookies.push(format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", theme.word()));
                theme
            }
            None => cookie(headers, "theme").and_then(Theme::from_word).unwrap_or_default(),
        };
        (Self { lang, theme, uri: uri.clone(), caller: Caller::default() }, cookies)
    }

    /// This page's address with one parameter set anew.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let rest = self.uri.query().unwrap_or_default().split('&').filter(|pair| {
            let key = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && key != name
        });
        let pair = format!("{name}={value}");
        let query: Vec<&str> = rest.chain([pair.as_str()]).collect();
        format!("{}?{}", self.uri.path(), query.join("&"))
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(&parts.uri, &parts.headers).0))
    }
}

/// Reads the visitor once for all handlers, keeps a choice made in the address in a cookie, and tells caches what the
/// answer depends on.
pub(crate) async fn recognise(mut request: Request, next: Next) -> Response {
    let (visitor, cookies) = Visitor::of(request.uri(), request.headers());
    let lang = visitor.lang;
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            headers.append(SET_COOKIE, value);
        }
    }
    let is_page =
        headers.get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("text/html"));
    if is_page {
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
    }
    response
}

fn asked<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(uri: &'static str, cookie: &'static str, accept: &'static str) -> Visitor {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static(cookie));
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
        Visitor::of(&Uri::from_static(uri), &headers).0
    }

    #[test]
    fn the_address_wins_over_the_cookie_and_the_cookie_over_the_browser() {
        assert_eq!(visitor("/?lang=en", "lang=zh-CN", "zh").lang, Lang::En);
        assert_eq!(visitor("/", "x=1; lang=zh-CN", "en").lang, Lang::ZhCn);
        assert_eq!(visitor("/", "", "en").lang, Lang::En);
        assert_eq!(visitor("/", "", "fr").lang, Lang::ZhCn);
        assert_eq!(visitor("/?lang=xx", "", "en").lang, Lang::En);
        assert_eq!(visitor("/?theme=dark", "theme=light", "").theme, Theme::Dark);
        assert_eq!(visitor("/", "theme=light", "").theme, Theme::Light);
    }

    #[test]
    fn a_parameter_is_replaced_and_the_others_stay() {
        let visitor = visitor("/ports?q=a%26b&lang=en&page=2", "", "");
        assert_eq!(visitor.with("lang", "zh-CN"), "/ports?q=a%26b&page=2&lang=zh-CN");
    }
}
