//! The cookies of a session. Under TLS their names begin with `__Host-`, which browsers bind to this host and to TLS.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::accounts::{LoggedIn, Token};

const SECURE: (&str, &str) = ("__Host-netroom", "__Host-netroom-device");
const PLAIN: (&str, &str) = ("netroom_session", "netroom_device");
/// The mark of a browser is kept for half a year.
const DEVICE_S: u64 = 180 * 86_400;

/// Session and mark of the browser, as they came.
pub(super) fn read(headers: &HeaderMap, secure: bool) -> (Option<Token>, Option<Token>) {
    let (session, device) = if secure { SECURE } else { PLAIN };
    let find = |name: &str| {
        let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let value = lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
        Token::shown(value)
    };
    (find(session), find(device))
}

/// Gives a browser its session.
pub(crate) fn remember(response: &mut Response, secure: bool, given: &LoggedIn) {
    let (session, device) = if secure { SECURE } else { PLAIN };
    // Without an age: it ends with the browser, and with us when its time is up.
    set(response, format!("{session}={}; {}", given.session.reveal(), attributes(secure)));
    set(response, format!("{device}={}; Max-Age={DEVICE_S}; {}", given.device.reveal(), attributes(secure)));
}

/// Takes the session away; the browser stays known.
pub(crate) fn forget(response: &mut Response, secure: bool) {
    let (session, _) = if secure { SECURE } else { PLAIN };
    set(response, format!("{session}=; Max-Age=0; {}", attributes(secure)));
}

const fn attributes(secure: bool) -> &'static str {
    if secure { "Path=/; Secure; HttpOnly; SameSite=Lax" } else { "Path=/; HttpOnly; SameSite=Lax" }
}

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn set(response: &mut Response, cookie: String) {
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
