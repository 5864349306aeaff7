//! Accounts, journal and TLS in the daemon: built, told at the first start, looked after, reloaded.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Accounts, Rules, Token};
use crate::config::Settings;
use crate::config::access::{Anonymous, TlsSettings};
use crate::daemon::error::DaemonError;
use crate::daemon::supervise::{Supervisor, Task};
use crate::journal::{self, Actor, Entry, Via};
use crate::model::{Timestamp, clock};
use crate::store::{Store, StoreError};
use crate::web::{AccessRules, App, Tls, TlsError};

/// A failed head is tried again after this time.
const AGAIN: Duration = Duration::from_secs(300);
/// A wall clock that is set shows within this time.
const LOOK: Duration = Duration::from_secs(60);

/// What stands at the doors: accounts, TLS, and the pages that ask for both.
pub(super) struct Doors {
    pub(super) accounts: Arc<Accounts>,
    pub(super) tls: Option<Arc<Tls>>,
    /// The pages, once they are built.
    app: OnceLock<Arc<App>>,
}

impl Doors {
    pub(super) async fn open(store: &Store, settings: &Settings) -> Result<Self, DaemonError> {
        Ok(Self { accounts: accounts(store, settings).await?, tls: tls(settings)?, app: OnceLock::new() })
    }

    /// Puts accounts and rules before the pages.
    pub(super) fn hang(&self, app: App, settings: &Settings) -> Arc<App> {
        let app = Arc::new(app.with_accounts(Arc::clone(&self.accounts), access_rules(settings)));
        // The pages are built once.
        Arc::clone(self.app.get_or_init(|| app))
    }

    pub(super) fn start(&self, supervisor: &Supervisor, store: &Store, settings: &Settings) {
        let (store, zone) = (store.clone(), settings.time_zone.clone());
        supervisor.spawn(Task::service("journal"), move |token| {
            let (store, zone) = (store.clone(), zone.clone());
            async move {
                keep_heads(store, zone, token).await;
                Ok::<(), DaemonError>(())
            }
        });
    }

    /// Goes by these settings from now on.
    pub(super) fn reload(&self, settings: &Settings) {
        self.accounts.set_rules(rules(settings));
        if let Some(app) = self.app.get() {
            app.set_access_rules(access_rules(settings));
        }
        reload_tls(self.tls.as_deref(), settings);
    }
}

/// What the accounts go by.
fn rules(settings: &Settings) -> Rules {
    Rules { factor_for: settings.access.totp_required.clone(), known_passwords: settings.access.known_passwords.clone() }
}

/// What the pages go by.
fn access_rules(settings: &Settings) -> AccessRules {
    AccessRules { anonymous: settings.access.anonymous == Anonymous::Viewer, proxies: settings.web.trusted_proxies.clone() }
}

/// Opens the accounts, and says what is wrong with them.
async fn accounts(store: &Store, settings: &Settings) -> Result<Arc<Accounts>, StoreError> {
    let accounts = Arc::new(Accounts::open(store.clone(), rules(settings))?);
    for (person, one, other) in accounts.read(accounts::violations).await? {
        tracing::error!(
            %person, %one, %other,
            "{person} holds {one} and {other}, which exclude each other: neither gives any right until one is revoked (netroom user revoke)"
        );
    }
    Ok(accounts)
}

/// While there is no administrator: a link that makes one. An earlier link is of no use any more.
pub(super) async fn first_link(accounts: &Arc<Accounts>, settings: &Settings, at: SocketAddr) -> Result<Option<String>, DaemonError> {
    if accounts.read(accounts::has_administrator).await? {
        return Ok(None);
    }
    let token = Token::random().map_err(|error| DaemonError::Accounts(error.to_string()))?;
    let (hash, now) = (token.hash(), clock::wall());
    accounts.store().write(move |change| accounts::first_link(change, now, Via::Daemon, &hash)).await?;
    Ok(Some(settings.web.first_link(at, token.reveal())))
}

/// Certificate and key, when the configuration names them.
fn tls(settings: &Settings) -> Result<Option<Arc<Tls>>, TlsError> {
    let Some(TlsSettings { certificate, key }) = &settings.web.tls else { return Ok(None) };
    Ok(Some(Arc::new(Tls::load(certificate, key)?)))
}

/// Reads certificate and key again; what is in force stays when they are no good.
fn reload_tls(tls: Option<&Tls>, settings: &Settings) {
    let (Some(tls), Some(files)) = (tls, &settings.web.tls) else { return };
    match tls.reload(&files.certificate, &files.key) {
        Ok(()) => tracing::info!(certificate = %files.certificate.display(), "certificate and key were read again"),
        Err(error) => tracing::error!(%error, "certificate and key in force stay, the new ones are no good: {error}"),
    }
}

/// Writes down that a configuration was put in force.
pub(super) async fn config_loaded(store: &Store, settings: &Settings, files: &[PathBuf], at: &'static str) {
    let payload = json!({
        "devices": settings.devices.len(),
        "files": files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "at": at,
    });
    let entry = Entry::new(clock::wall(), Actor::daemon(), "config.loaded", "config", payload);
    if let Err(error) = store.write(move |change| journal::append(change, &entry)).await {
        tracing::error!(%error, "that the configuration was loaded could not be written to the journal: {error}");
    }
}

/// Writes the head of the chain each day at 00:05 until told to stop.
async fn keep_heads(store: Store, zone: TimeZone, token: CancellationToken) {
    let mut last: Option<Timestamp> = None;
    let mut known = false;
    loop {
        if !known {
            let reader = store.clone();
            let read = tokio::task::spawn_blocking(move || {
                let file = reader.reader()?;
                journal::last_head_at(&file).map_err(|error| StoreError::sqlite(reader.path(), error))
            });
            match read.await {
                Ok(Ok(at)) => (last, known) = (Some(at.unwrap_or_else(clock::wall)), true),
                Ok(Err(error)) => tracing::error!(%error, "the journal cannot be read: {error}"),
                Err(_) => {}
            }
        }
        let now = clock::wall();
        let mut wait = AGAIN;
        if known {
            let due = journal::next_head(last, now, &zone);
            if due > now {
                wait = due.since(now).min(LOOK);
            } else {
                match store.write(move |change| journal::append_head(change, now)).await {
                    Ok(head) => {
                        tracing::info!(seq = head.seq, "the head of the journal was written: {head}");
                        (last, wait) = (Some(now), Duration::ZERO);
                    }
                    Err(error) => tracing::error!(%error, "the head of the journal could not be written: {error}"),
                }
            }
        }
        if token.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}
