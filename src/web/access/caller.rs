//! The caller of a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::{Access, cookie, origin};
use crate::accounts::{Held, Identity, Permission, Permissions, Token};
use crate::journal::{Actor, Via};
use crate::model::Timestamp;
use crate::store::StoreError;

/// Who asks, and what that may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    /// Known by session or token; `None` for somebody who has not logged in.
    pub(crate) identity: Option<Arc<Identity>>,
    permissions: Permissions,
    /// Whether there is something to log in to.
    pub(crate) can_log_in: bool,
    /// Where the request comes from.
    pub(crate) source: IpAddr,
    /// Whether the browser speaks TLS.
    pub(crate) secure: bool,
    /// What the forms of this session carry; empty without a session.
    pub(crate) form_mark: String,
    /// The session's token as it was shown, also one that does not count any more.
    pub(crate) session: Option<Token>,
    /// The mark of the browser.
    pub(crate) device: Option<Token>,
}

/// Why nobody can be told from a request.
#[derive(Debug)]
pub(super) enum Unclear {
    /// A token was shown that does not count.
    BadToken,
    /// The database does not answer.
    Store(StoreError),
}

impl Default for Caller {
    /// Nobody, from nowhere, who may nothing.
    fn default() -> Self {
        Self {
            identity: None,
            permissions: Permissions::NONE,
            can_log_in: false,
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            secure: false,
            form_mark: String::new(),
            session: None,
            device: None,
        }
    }
}

impl Caller {
    pub(super) async fn of(access: &Access, extensions: &Extensions, headers: &HeaderMap, now: Timestamp) -> Result<Self, Unclear> {
        let client = origin::client(access, extensions, headers);
        let (session, device) = cookie::read(headers, client.secure);
        let anonymous = if access.rules.load().anonymous { Permissions::anonymous_viewer() } else { Permissions::NONE };
        let can_log_in = access.accounts.is_some();
        let mut caller =
            Self { permissions: anonymous, can_log_in, source: client.address, secure: client.secure, session, device, ..Self::default() };
        let Some(accounts) = &access.accounts else { return Ok(caller) };
        let identity = match (bearer(headers), &caller.session) {
            (Some(shown), _) => {
                let token = Token::shown(shown).ok_or(Unclear::BadToken)?;
                Some(accounts.token(&token, now).await.map_err(Unclear::Store)?.ok_or(Unclear::BadToken)?)
            }
            (None, Some(session)) => accounts.session(session, now).await.map_err(Unclear::Store)?,
            (None, None) => None,
        };
        if let Some(identity) = identity {
            if let (Held::Session(_), Some(session)) = (&identity.held, &caller.session) {
                caller.form_mark = session.derive("netroom form");
            }
            caller.permissions = identity.permissions;
            caller.identity = Some(Arc::new(identity));
        }
        Ok(caller)
    }

    /// Whether it may.
    pub(crate) const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// For the journal.
    pub(crate) fn actor(&self) -> Actor {
        self.identity.as_ref().map_or_else(|| Actor::nobody(Via::Web), |identity| identity.actor())
    }
}

/// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
