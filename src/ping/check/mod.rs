//! Checks of services: does something accept, answer, and say the right thing? TCP connect, HTTP and HTTPS, DNS.
//!
//! Each check asks an address, never a name: what is looked at must not depend on a resolver. A check has one deadline for
//! everything it does.

mod dns;
mod http;
pub mod runner;
mod tcp;
mod tls;

use std::io::ErrorKind;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::state::{Certificate, Fault, ServiceId};
use crate::config::reach::RecordKind;
use crate::model::{Timestamp, clock};

/// A service to be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Who.
    pub id: ServiceId,
    /// Where.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// What is asked.
    pub ask: Ask,
    /// How often.
    pub interval: Duration,
    /// The whole check must be done within this time.
    pub timeout: Duration,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Whether a connection is accepted.
    Tcp,
    /// An HTTP request.
    Http(HttpAsk),
    /// A DNS query.
    Dns(DnsAsk),
}

/// An HTTP request and what its answer has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpAsk {
    /// Over TLS. The certificate is read and its days are counted; who signed it is not judged.
    pub tls: bool,
    /// The name in the `Host` header and in TLS (SNI).
    pub host: Arc<str>,
    /// The path, with its query.
    pub path: Arc<str>,
    /// The status codes that are good.
    pub status: RangeInclusive<u16>,
    /// Text that the body's first 256 KiB must hold.
    pub text: Option<Arc<str>>,
}

/// A DNS query and what its answer has to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsAsk {
    /// The name asked for.
    pub name: Arc<str>,
    /// The type asked for.
    pub kind: RecordKind,
    /// What one of the answers must say; any answer when not given.
    pub expect: Option<Arc<str>>,
    /// Over TCP from the start.
    pub tcp: bool,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// How long it took; `None` when it failed.
    pub took: Option<Duration>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// What was answered, or the details of the failure, in the words of those who told.
    pub said: String,
    /// The certificate, also when it is no good.
    pub certificate: Option<Certificate>,
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("no connection: {0}")]
    Connect(#[source] std::io::Error),
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("no TLS: {0}")]
    Tls(#[source] std::io::Error),
    #[error("`{0}` is no name for TLS")]
    Name(String),
    #[error("no HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("this request cannot be made: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("status {0}")]
    Status(u16),
    #[error("the text is missing in the answer (status {0})")]
    Text(u16),
    #[error("no DNS: {0}")]
    Dns(String),
}

/// The word for it.
fn fault(error: &CheckError) -> Fault {
    match error {
        CheckError::Connect(error) | CheckError::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => Fault::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Fault::Unreachable,
            ErrorKind::TimedOut => Fault::Timeout,
            _ => Fault::Broken,
        },
        CheckError::Tls(_) | CheckError::Name(_) => Fault::Tls,
        CheckError::Http(_) | CheckError::Request(_) => Fault::Http,
        CheckError::Status(_) => Fault::Status,
        CheckError::Text(_) => Fault::Text,
        CheckError::Dns(_) => Fault::Dns,
    }
}

impl Check {
    /// Performs the check. Never fails: what went wrong is what it found.
    pub async fn perform(&self) -> Found {
        let began = clock::monotonic();
        let mut certificate = None;
        let now = clock::wall();
        let work = self.ask(now, &mut certificate);
        let result = tokio::time::timeout(self.timeout, work).await;
        let took = clock::monotonic().saturating_duration_since(began);
        match result {
            Ok(Ok(said)) => Found { took: Some(took), fault: None, said, certificate },
            Ok(Err(error)) => Found { took: None, fault: Some(fault(&error)), said: error.to_string(), certificate },
            Err(_) => {
                let said = format!("no answer within {} ms", self.timeout.as_millis());
                Found { took: None, fault: Some(Fault::Timeout), said, certificate }
            }
        }
    }

    async fn ask(&self, now: Timestamp, certificate: &mut Option<Certificate>) -> Result<String, CheckError> {
        match &self.ask {
            Ask::Tcp => tcp::connect(self.address, self.port).await.map(|_| "connected".to_owned()),
            Ask::Http(ask) => http::ask(self.address, self.port, ask, now, certificate).await,
            Ask::Dns(ask) => dns::ask(self.address, self.port, ask).await,
        }
    }
}

#[cfg(test)]
mod tests;
