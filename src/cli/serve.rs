//! `netroom serve`: the daemon on the reader's own switches.

use super::logging::Logging;
use super::{Answer, Globals, Outcome, out};
use crate::daemon::{self, ServeOptions};

/// Poll the configured switches, keep the series, serve pages and metrics
///
/// Runs until SIGTERM or SIGINT and stops within ten seconds; SIGHUP reads the configuration again, all or nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(globals: &Globals, _args: &Args) -> Outcome {
    let origin = globals.origin()?;
    let loaded = match origin.load() {
        Ok(loaded) => loaded,
        Err(problems) => anyhow::bail!("{problems}\nthe configuration cannot be used; `netroom check` shows all of it"),
    };
    let scheme = if loaded.settings.web.tls.is_some() { "https" } else { "http" };
    let logging = Logging::start(&loaded.settings.log, &loaded.settings.time_zone)?;
    if !loaded.warnings.is_empty() {
        tracing::warn!("the configuration has warnings: {}", loaded.warnings);
    }
    let options = ServeOptions {
        settings: loaded.settings,
        origin,
        files: loaded.files,
        set_log_filter: Box::new(move |filter| set_filter(&logging, filter)),
        // Not by the log, which others may read later: to whoever starts it, by hand or by systemd.
        on_first_link: Box::new(tell_first_link),
        on_ready: Box::new(move |address| tracing::info!(%address, "ready: the pages are at {scheme}://{address}/")),
    };
    runtime()?.block_on(daemon::serve(options))?;
    out::note("netroom: stopped")?;
    Ok(Answer::Yes)
}

/// Tells whoever starts the daemon how to become its first administrator.
pub(super) fn tell_first_link(link: &str) {
    // Nobody to tell: `netroom user first-link` prints another.
    let _ = out::note(format_args!("netroom: there is no administrator yet; this link makes one, once, within a day: {link}"));
}

/// The runtime of the daemon: as many threads as cores, at most four; polling has a thread of its own.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread().worker_threads(cores.clamp(2, 4)).enable_all().build()
}

pub(super) fn set_filter(logging: &Logging, filter: &str) {
    if let Err(error) = logging.set_filter(filter) {
        tracing::error!(%error, "the log filter stays as it was: {error}");
    }
}
