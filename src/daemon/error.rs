//! Why the daemon could not start or did not end well: one sentence each, with what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::config::Problems;
use crate::detect::zone::BothSides;
use crate::series::SeriesError;
use crate::store::StoreError;
use crate::web::TlsError;

/// Why the daemon could not start or did not end well.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The configuration cannot be used.
    #[error("{0}\nthe configuration cannot be used; nothing was started")]
    Configuration(Problems),
    /// The pages cannot be served there.
    #[error("cannot serve the pages on {address}: {}", listen_remedy(.source))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// This machine stands in both networks.
    #[error("{0}")]
    BothSides(BothSides),
    /// The data directory or the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The accounts.
    #[error("accounts cannot be used: {0}")]
    Accounts(String),
    /// Certificate and key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// No socket for SNMP.
    #[error("no socket for SNMP can be opened: {0}; look at the limit of open files and at the service's sandbox")]
    Snmp(#[source] io::Error),
    /// Signals cannot be listened to.
    #[error("signals cannot be listened to: {0}")]
    Signals(#[source] io::Error),
    /// Two metric families have one name: a fault of this program.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The templates of mails.
    #[error("a template of mails cannot be used: {0}")]
    Templates(#[from] crate::notify::TemplateError),
    /// The demo's directory.
    #[error("cannot write {}: {source}; name a directory that can be written with --data", .path.display())]
    Demo {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The demo's agents.
    #[error("the simulated switches cannot listen: {0}; is another demo running?")]
    Agents(#[source] io::Error),
    /// The pages are not served any more.
    #[error("the pages are not served any more: {0}")]
    Pages(String),
    /// Some tasks did not stop in time.
    #[error("not everything stopped in time: {}", .0.join(", "))]
    Unfinished(Vec<Arc<str>>),
}

fn listen_remedy(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or choose another address with --listen ADDRESS:PORT".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; choose another one with --listen ADDRESS:PORT".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "no permission: ports below 1024 need CAP_NET_BIND_SERVICE; choose another one with --listen ADDRESS:PORT".to_owned()
        }
        _ => source.to_string(),
    }
}
