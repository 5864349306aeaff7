//! `netroom check`: is the configuration good, and what does it come to?

use std::path::PathBuf;

use serde::Serialize;

use super::{Answer, Globals, Outcome, out};
use crate::calendar::Days;
use crate::config::week::civil;
use crate::config::{self, Problems, Settings};
use crate::daemon::stands_on_both_sides;
use crate::model::clock;
use crate::notify::{Templates, letter};

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
    /// What is wrong with the templates of mails, which lie outside of the configuration's own files.
    #[serde(skip_serializing_if = "Option::is_none")]
    templates: Option<String>,
    /// What is wrong with this machine: it stands in the inner and in the outer network.
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
    /// What is missing in the office's calendar, though the configuration can be used without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calendar: Vec<String>,
}

/// The years whose holidays should be known today and are not.
fn missing_years(settings: &Settings) -> Vec<String> {
    let missing = Days::new(&settings.calendar).missing(civil(clock::wall(), &settings.time_zone).date());
    let warning = |year: &i16| {
        format!(
            "warning[CAL-001]: the holidays of {year} are not known, every weekday counts as worked\n  to do: write them as \
             [[calendar.year]] into conf.d/, in the form of config/holidays/2026.toml"
        )
    };
    missing.iter().map(warning).collect()
}

/// The templates are tried as the daemon would try them.
fn templates(settings: &Settings) -> Option<String> {
    Templates::load(settings.notify.templates.as_deref(), letter::sample).err().map(|error| error.to_string())
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    if args.schema {
        out::say(serde_json::to_string_pretty(config::json_schema())?)?;
        return Ok(Answer::Yes);
    }
    let origin = globals.origin()?;
    let report = match origin.load() {
        Ok(loaded) => {
            let templates = templates(&loaded.settings);
            let machine = stands_on_both_sides(&loaded.settings).map(|both| both.to_string());
            let ok = templates.is_none() && machine.is_none();
            let calendar = missing_years(&loaded.settings);
            Report { ok, files: loaded.files, problems: loaded.warnings, settings: Some(loaded.settings), templates, machine, calendar }
        }
        Err(problems) => {
            let files = vec![origin.main];
            Report { ok: false, files, problems, settings: None, templates: None, machine: None, calendar: Vec::new() }
        }
    };
    if args.json {
        out::say(serde_json::to_string_pretty(&report)?)?;
    } else {
        in_words(&report)?;
    }
    Ok(if report.ok { Answer::Yes } else { Answer::No })
}

/// Which devices netroom could change at all; whether it does is said by `[block]`.
fn writable(settings: &Settings) -> String {
    let names: Vec<&str> = settings.devices.iter().filter(|device| device.write.is_some()).map(|device| &*device.name).collect();
    match names[..] {
        [] => "No device may be changed: none has write_user or write_community.".into(),
        _ => format!("{} of {} devices may be changed: {}.", names.len(), settings.devices.len(), names.join(", ")),
    }
}

fn in_words(report: &Report) -> anyhow::Result<()> {
    if let Some(settings) = &report.settings {
        for file in &report.files {
            out::say(format_args!("# read: {}", file.display()))?;
        }
        out::say(toml::to_string(settings)?)?;
        out::say(format_args!("# {}", writable(settings)))?;
    }
    for trouble in report.templates.iter().chain(&report.machine).chain(&report.calendar) {
        out::note(trouble)?;
    }
    let verdict = if report.ok { "The configuration can be used" } else { "The configuration cannot be used" };
    if report.problems.is_empty() && report.ok {
        out::say(format_args!("# {verdict}."))
    } else {
        out::note(format_args!("{}. {verdict}.", report.problems))
    }
}
