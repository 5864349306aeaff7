//! `netroom series`: the files of the series store.

use super::{Answer, Globals, Outcome, out};
use crate::series;
use crate::store::dir;

/// Look after the files that hold the samples
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Check every file: SQLite's own check, the checksum of each block, the digest of each sealed day
    ///
    /// Reads only. Exit code 0: all is whole; 1: something is damaged, and named.
    Verify {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    match args.what {
        What::Verify { json } => verify(globals, json),
    }
}

fn verify(globals: &Globals, json: bool) -> Outcome {
    let data = globals.data_dir()?;
    let dir = dir::series_of(&data);
    anyhow::ensure!(dir.is_dir(), "{} is no directory; name the data directory with --data DIR", dir.display());
    let report = series::verify(&dir)?;
    if json {
        out::say(serde_json::to_string_pretty(&report)?)?;
    } else {
        for (path, why) in &report.damaged {
            out::say(format_args!("DAMAGED {}: {why}", path.display()))?;
        }
        let (files, blocks, damaged) = (report.files, report.blocks, report.damaged.len());
        out::say(format_args!("{files} files and {blocks} blocks checked, {damaged} files damaged"))?;
    }
    Ok(if report.damaged.is_empty() { Answer::Yes } else { Answer::No })
}
