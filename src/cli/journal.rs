//! `netroom journal`: the chain of everything that was said and done.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::{Answer, Globals, Outcome, out};
use crate::journal::{self, Anchor, Fault, Report};
use crate::store::dir;
use crate::store::sqlite;

/// Check, export and anchor the journal
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Check that no event was changed, removed, inserted or moved
    ///
    /// Reads only, and while the daemon runs. Exit code 0: the chain is whole; 1: it is not, and the first bad event is named;
    /// 2: it could not be read. Without anchors a chain cannot show that its end was cut off or that all of it was
    /// written anew: keep the output of `netroom journal head` elsewhere.
    Verify {
        /// Heads that were kept elsewhere: a file of lines as `netroom journal head` prints them
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write every event as one line of JSON, with what is needed to check its hash
    Export,
    /// Print the number and the hash of the last event: an anchor, to be kept elsewhere
    Head,
}

/// `journal verify --json`. Its keys are an interface.
#[derive(Serialize)]
struct Told {
    ok: bool,
    events: i64,
    destroyed: i64,
    anchors: usize,
    head: String,
    first_bad: Option<i64>,
    fault: Option<Fault>,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let path = dir::database_of(&globals.data_dir()?);
    let file = sqlite::open_live_readonly(&path)?;
    match &args.what {
        What::Verify { anchor, json } => {
            let anchors = anchor.as_deref().map_or(Ok(Vec::new()), anchors)?;
            told(&journal::verify(&file, &anchors)?, *json)
        }
        What::Export => {
            let mut lines = BufWriter::new(std::io::stdout().lock());
            match journal::export(&file, &mut lines).and_then(|_| Ok(lines.flush()?)) {
                Err(journal::ExportError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Answer::Yes),
                done => Ok(done.map(|()| Answer::Yes)?),
            }
        }
        What::Head => {
            let head = journal::head(&file).context("the journal cannot be read")?;
            anyhow::ensure!(head.seq > 0, "the journal is empty, there is nothing to anchor yet");
            out::say(head)?;
            Ok(Answer::Yes)
        }
    }
}

fn anchors(path: &Path) -> anyhow::Result<Vec<Anchor>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("the anchors in {} cannot be read", path.display()))?;
    let anchors = Anchor::all(&text)?;
    anyhow::ensure!(!anchors.is_empty(), "there is no anchor in {}", path.display());
    Ok(anchors)
}

fn told(report: &Report, json: bool) -> Outcome {
    if json {
        let (first_bad, fault) = report.first_bad.clone().unzip();
        let (events, destroyed, anchors) = (report.events, report.destroyed, report.anchors);
        let told = Told { ok: first_bad.is_none(), events, destroyed, anchors, head: report.head.to_string(), first_bad, fault };
        out::say(serde_json::to_string_pretty(&told)?)?;
    } else {
        match &report.first_bad {
            Some((seq, fault)) => out::say(format_args!("BAD from event {seq} on: {fault}"))?,
            None => {
                let (events, destroyed, anchors) = (report.events, report.destroyed, report.anchors);
                out::say(format_args!(
                    "{events} events, the chain is whole; {destroyed} payloads destroyed lawfully, {anchors} anchors stand"
                ))?;
            }
        }
        out::say(format_args!("head: {}", report.head))?;
    }
    Ok(if report.first_bad.is_none() { Answer::Yes } else { Answer::No })
}
