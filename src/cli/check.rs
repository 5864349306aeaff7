//! `netroom check`: is the configuration good, and what does it come to?

use std::path::PathBuf;

use serde::Serialize;

use super::{Answer, Globals, Outcome, out};
use crate::config::{self, Problems, Settings};

/// Check the configuration and print the settings in force
///
/// Reads the files as `serve` would, touches nothing else, and prints every problem with its place and what to do about it.
/// Exit code 0: it can be used (there may be warnings); 1: it cannot.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object: ok, files, problems, settings
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of the configuration and check nothing
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

/// `check --json`. Its keys are an interface.
#[derive(Serialize)]
struct Report {
    ok: bool,
    files: Vec<PathBuf>,
    problems: Problems,
    settings: Option<Settings>,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    if args.schema {
        out::say(serde_json::to_string_pretty(config::json_schema())?)?;
        return Ok(Answer::Yes);
    }
    let origin = globals.origin()?;
    let report = match origin.load() {
        Ok(loaded) => Report { ok: true, files: loaded.files, problems: loaded.warnings, settings: Some(loaded.settings) },
        Err(problems) => Report { ok: false, files: vec![origin.main], problems, settings: None },
    };
    if args.json {
        out::say(serde_json::to_string_pretty(&report)?)?;
    } else {
        in_words(&report)?;
    }
    Ok(if report.ok { Answer::Yes } else { Answer::No })
}

fn in_words(report: &Report) -> anyhow::Result<()> {
    if let Some(settings) = &report.settings {
        for file in &report.files {
            out::say(format_args!("# read: {}", file.display()))?;
        }
        out::say(toml::to_string(settings)?)?;
    }
    let verdict = if report.ok { "The configuration can be used" } else { "The configuration cannot be used" };
    if report.problems.is_empty() {
        out::say(format_args!("# {verdict}."))
    } else {
        out::note(format_args!("{}. {verdict}.", report.problems))
    }
}
