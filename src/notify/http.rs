//! One call to a webhook: no redirect is followed, the answer has a largest size, every step has its time. Addresses of the
//! office's own network are what this is for, so none is refused.

use std::error::Error as _;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::timeout;

use super::delivery::Refusal;
use super::hook::{Call, verdict};
use crate::config::notify::WebhookSettings;

/// More than this is no answer of a webhook.
const LARGEST_ANSWER: usize = 64 << 10;

/// Why a webhook was not told. Its address is not shown, for robots carry their key in it.
#[derive(Debug, Error)]
pub enum HookError {
    /// The address is none, or a header holds what headers may not.
    #[error("the call to webhook {0} cannot be made: {1}; check its `url` and `secret`")]
    Call(String, String),
    /// The file of the authority.
    #[error("the certificate {1} for webhook {0} cannot be used: {2}; write a PEM file of the authority into its `ca`")]
    Authority(String, String, String),
    /// No connection.
    #[error("webhook {0} cannot be reached: {1}; check its `url`, the way there, and `ca` when it has a certificate of the office")]
    Connect(String, String),
    /// It did not take it.
    #[error("webhook {0}: {1}")]
    Refused(String, String),
}

/// How a call ended.
#[derive(Debug)]
pub enum Told {
    /// It was taken.
    Accepted(String),
    /// It was not.
    Refused(Refusal, HookError),
    /// It went out and no whole answer came.
    Unanswered(String),
}

/// Makes a call.
pub async fn tell(hook: &WebhookSettings, call: &Call) -> Told {
    let name = hook.name.to_string();
    let request = match request(call) {
        Ok(request) => request,
        Err(error) => return Told::Refused(Refusal::Unreachable, HookError::Call(name, error.to_string())),
    };
    let client = match client(hook) {
        Ok(client) => client,
        Err(error) => return Told::Refused(Refusal::Unreachable, error),
    };
    let response = match timeout(hook.timeout, client.request(request)).await {
        Err(_) => return Told::Unanswered(format!("no answer within {:?}", hook.timeout)),
        Ok(Err(error)) if error.is_connect() => {
            return Told::Refused(Refusal::Unreachable, HookError::Connect(name, words(&error)));
        }
        Ok(Err(error)) => return Told::Unanswered(words(&error)),
        Ok(Ok(response)) => response,
    };
    let status = response.status().as_u16();
    // The status is the answer; a body that is too long or breaks off only leaves the words out.
    let body = timeout(hook.timeout, Limited::new(response.into_body(), LARGEST_ANSWER).collect()).await;
    let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
    match verdict(hook.kind, status, &String::from_utf8_lossy(&body)) {
        Ok(()) => Told::Accepted(format!("answered {status}")),
        Err((refusal, why)) => Told::Refused(refusal, HookError::Refused(name, why)),
    }
}

fn request(call: &Call) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut request = Request::post(&call.url).header("content-type", "application/json; charset=utf-8").header("user-agent", "netroom");
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(Bytes::from(call.body.clone())))
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

fn client(hook: &WebhookSettings) -> Result<HttpClient, HookError> {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_connect_timeout(Some(hook.timeout));
    let provider = rustls::crypto::ring::default_provider();
    let unusable = |error: String| HookError::Connect(hook.name.to_string(), error);
    let connector = match &hook.ca {
        None => {
            let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
            builder.map_err(|error| unusable(error.to_string()))?.https_or_http().enable_http1().wrap_connector(plain)
        }
        Some(path) => {
            let roots = authority(hook, path)?;
            let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
            let config = config.map_err(|error| unusable(error.to_string()))?.with_root_certificates(roots).with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(plain)
        }
    };
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

fn authority(hook: &WebhookSettings, path: &Path) -> Result<RootCertStore, HookError> {
    let unusable = |why: String| HookError::Authority(hook.name.to_string(), path.display().to_string(), why);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unusable("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

fn words(error: &hyper_util::client::legacy::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}
