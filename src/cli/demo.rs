//! `netroom demo`: a small living campus on loopback, polled by the real poller.

use std::path::{Path, PathBuf};

use super::logging::Logging;
use super::{Answer, Globals, Outcome, out, serve};
use crate::daemon::{self, DemoOptions};

/// Show netroom at work on simulated switches
///
/// Starts a small campus on loopback with a year of history and polls it like any other network. Without --data its
/// files go to a temporary directory and are removed at the end.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(globals: &Globals, _args: &Args) -> Outcome {
    let place = match &globals.data {
        Some(data) => Place::Named(data.clone()),
        None => Place::Temporary(std::env::temp_dir().join(format!("netroom-demo-{}", std::process::id()))),
    };
    let mut overrides = globals.overrides();
    // Twelve switches on a terminal: the person looks at the pages, not at the log.
    overrides.log.get_or_insert_with(|| "warn".to_owned());
    let options = DemoOptions {
        data: place.path().to_path_buf(),
        overrides,
        on_progress: Box::new(|line| {
            // Progress is a kindness; a closed terminal is no reason to stop.
            let _ = out::note(format_args!("netroom: {line}"));
        }),
        start_log: Box::new(|settings| match Logging::start(&settings.log, &settings.time_zone) {
            Ok(logging) => Box::new(move |filter: &str| serve::set_filter(&logging, filter)),
            Err(error) => {
                let _ = out::note(format_args!("netroom: no log: {error}"));
                Box::new(|_: &str| {})
            }
        }),
        on_ready: Box::new(|address| {
            let _ = out::say(format_args!("The dashboard: http://{address}/   (Ctrl-C ends the demo)"));
        }),
    };
    serve::runtime()?.block_on(daemon::demo(options))?;
    out::note("netroom: the demo has ended")?;
    Ok(Answer::Yes)
}

/// Where the demo's files are; a temporary place is removed when the demo ends.
enum Place {
    Named(PathBuf),
    Temporary(PathBuf),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self
            && path.exists()
            && let Err(error) = std::fs::remove_dir_all(&*path)
        {
            let _ = out::note(format_args!("netroom: {} could not be removed: {error}", path.display()));
        }
    }
}
