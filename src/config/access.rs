//! `[access]`, and of `[web]` what decides who can reach the pages: TLS, proxies, plain text.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::source::At;
use super::suggest::nearest;
use crate::model::Role;

/// `[access]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccess {
    /// What somebody may who has not logged in: `viewer` looks at everything, `none` at nothing. Without it: `viewer` while
    /// only this machine is listened to and no proxy is trusted, else `none`.
    pub anonymous: Option<Anonymous>,
    /// The roles whose accounts need two-step login, as `system_admin`.
    pub totp_required: Option<Vec<At<String>>>,
    /// A file of passwords that are not taken: one a line, plain or as SHA-1 in hexadecimal digits.
    pub known_passwords: Option<At<String>>,
}

/// What somebody may who has not logged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Look at everything, change nothing.
    Viewer,
    /// Nothing.
    None,
}

/// `[web.tls]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    /// The certificate with its chain, PEM.
    pub certificate: Option<At<String>>,
    /// Its private key, PEM.
    pub key: Option<At<String>>,
}

/// What to do when the pages would go over the network unencrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Plaintext {
    /// Not to start.
    #[default]
    Refuse,
    /// To serve them all the same: everybody on the way can read passwords.
    Accept,
}

/// Who gets in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccessSettings {
    /// What somebody may who has not logged in.
    pub anonymous: Anonymous,
    /// The roles whose accounts need two-step login.
    pub totp_required: Vec<Role>,
    /// A file of passwords that are not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_passwords: Option<PathBuf>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self { anonymous: Anonymous::Viewer, totp_required: Vec::new(), known_passwords: None }
    }
}

/// Where certificate and key are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TlsSettings {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Gives `[access]` its meaning. `is_local` when the pages are reached from this machine alone.
pub(super) fn access(judge: &mut Judge<'_>, raw: RawAccess, is_local: bool) -> AccessSettings {
    let default = if is_local { Anonymous::Viewer } else { Anonymous::None };
    AccessSettings {
        anonymous: raw.anonymous.unwrap_or(default),
        totp_required: raw.totp_required.unwrap_or_default().iter().filter_map(|at| role(judge, at)).collect(),
        known_passwords: raw.known_passwords.map(|at| judge.sources.relative(at.offset, &at.value)),
    }
}

fn role(judge: &mut Judge<'_>, at: &At<String>) -> Option<Role> {
    if let Ok(role) = at.value.parse() {
        return Some(role);
    }
    let words = Role::ALL.map(Role::word);
    let remedy = match nearest(&at.value, words) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("the roles are {}", words.join(", ")),
    };
    judge.error(at.offset, Code::UnknownName, format!("there is no role \"{}\"", at.value), remedy);
    None
}

/// Gives `[web.tls]` its meaning: both files or none.
pub(super) fn tls(judge: &mut Judge<'_>, raw: RawTls) -> Option<TlsSettings> {
    match (raw.certificate, raw.key) {
        (Some(certificate), Some(key)) => Some(TlsSettings {
            certificate: judge.sources.relative(certificate.offset, &certificate.value),
            key: judge.sources.relative(key.offset, &key.value),
        }),
        (Some(at), None) => {
            judge.error(at.offset, Code::MissingKey, "`web.tls` has a certificate but no key", "name its private key: key = \"...\"");
            None
        }
        (None, Some(at)) => {
            judge.error(at.offset, Code::MissingKey, "`web.tls` has a key but no certificate", "name it: certificate = \"...\"");
            None
        }
        (None, None) => None,
    }
}

/// Addresses and networks of proxies.
pub(super) fn proxies(judge: &mut Judge<'_>, raw: &[At<String>]) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for at in raw {
        match at.value.parse::<IpNet>().or_else(|_| at.value.parse().map(|host: std::net::IpAddr| IpNet::from(host))) {
            Ok(net) => nets.push(net),
            Err(_) => judge.error(
                at.offset,
                Code::BadAddress,
                format!("`web.trusted_proxies` holds no address and no network: \"{}\"", at.value),
                "write an address as \"10.0.0.5\", or a network as \"10.0.0.0/24\"",
            ),
        }
    }
    nets
}

/// Refuses to send passwords over the network in plain text, unless that is asked for by name.
pub(super) fn plaintext(judge: &mut Judge<'_>, place: Option<usize>, listen: SocketAddr, is_protected: bool) {
    if listen.ip().is_loopback() || is_protected {
        return;
    }
    judge.error_at(
        place,
        Code::Plaintext,
        format!("the pages would be served on {listen} without TLS: passwords and sessions could be read on the way"),
        "name certificate and key in [web.tls]; or listen on 127.0.0.1 behind a proxy named in web.trusted_proxies; or say plaintext = \"accept\" in [web]",
    );
}
