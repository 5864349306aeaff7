//! SIGHUP: the configuration is read again, all or nothing.

use std::sync::Arc;

use crate::config::{Loaded, Origin, Settings};
use crate::daemon::flow::{Flow, Roster};
use crate::daemon::inventory;
use crate::daemon::notify;
use crate::daemon::ourselves;
use crate::model::clock;
use crate::notify::Sender;
use crate::ports::store as catalogue;
use crate::store::{Store, StoreError};

/// Gives every configured device its number and makes what the tasks take.
pub(super) async fn roster(store: &Store, settings: &Settings) -> Result<Roster, StoreError> {
    let names = settings.devices.iter().map(|device| Arc::clone(&device.name)).collect();
    let ids = catalogue::enrol(store, names, clock::wall()).await?;
    let numbered = || ids.iter().copied().zip(&settings.devices);
    Ok(Roster {
        labels: numbered().map(|(id, device)| inventory::label(id, device)).collect(),
        devices: numbered().map(|(id, device)| inventory::poll_device(id, device)).collect(),
    })
}

/// Reads the configuration again. `None` when it is not good: the one in force stays, and the log says why.
pub(super) async fn again(origin: &Origin, store: &Store, flow: &Flow, sender: &Sender, before: &Settings) -> Option<Loaded> {
    let from = origin.clone();
    let loaded = tokio::task::spawn_blocking(move || from.load()).await.ok()?;
    let Loaded { settings, warnings, files } = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => {
            tracing::error!("the configuration was not reloaded, the one before stays in force: {problems}");
            return None;
        }
    };
    if !warnings.is_empty() {
        tracing::warn!("the configuration has warnings: {warnings}");
    }
    for (what, changed) in [
        ("data", before.data != settings.data),
        ("web.listen", before.web.listen != settings.web.listen),
        ("web.tls", before.web.tls.is_some() != settings.web.tls.is_some()),
        ("time_zone", before.time_zone != settings.time_zone),
        ("metrics", before.metrics != settings.metrics),
        ("retention", before.retention != settings.retention),
        ("capture", before.capture != settings.capture),
        ("traps.listen", before.traps.listen != settings.traps.listen),
        ("flow.listen", before.flow.listen != settings.flow.listen),
        ("flow.silent", before.flow.silent != settings.flow.silent),
        (
            "traps: users and per_second",
            (&before.traps.users, before.traps.per_second) != (&settings.traps.users, settings.traps.per_second),
        ),
    ] {
        if changed {
            tracing::warn!(setting = what, "{what} was changed; it takes effect at the next start");
        }
    }
    if let Some(both) = ourselves::stands_on_both_sides(&settings) {
        tracing::error!("the configuration was not reloaded: {both}");
        return None;
    }
    let told = match notify::setup(&settings) {
        Ok(told) => told,
        Err(error) => {
            tracing::error!(%error, "the configuration was not reloaded, a template of mails cannot be used: {error}");
            return None;
        }
    };
    match roster(store, &settings).await {
        Ok(roster) => flow.set_roster(roster).await,
        Err(error) => {
            tracing::error!(%error, "the configuration was not reloaded, its devices cannot be written to the catalogue: {error}");
            return None;
        }
    }
    sender.reload(told);
    tracing::info!(devices = settings.devices.len(), "the configuration was reloaded, {} devices", settings.devices.len());
    Some(Loaded { settings, warnings, files })
}
