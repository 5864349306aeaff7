//! `netroom detect exempt`: adding, listing and ending exemptions.

use anyhow::Context as _;
use serde::Serialize;

use super::local;
use crate::cli::{Answer, Outcome, out};
use crate::config::Settings;
use crate::config::exempt::{Who, end};
use crate::detect::Kind;
use crate::detect::exempt::store::{self, ExemptError, New};
use crate::detect::exempt::{Exemptions, Source};
use crate::journal::{Actor, Via};
use crate::model::clock;
use crate::store::Store;

#[derive(Debug, clap::Subcommand)]
pub(super) enum What {
    /// Make an exemption and print its number
    Add {
        /// An IP address, a network as 10.1.9.0/24, a MAC address, or its first three octets as 00:25:90
        who: Who,
        /// A kind of behaviour that is not told of it, as tcp-scan; may be given several times, all when not given
        #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
        kinds: Vec<Kind>,
        /// Who answers for it
        #[arg(long)]
        owner: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Its last day, as 2027-06-30, or the minute at which it ends, as "2027-06-30 18:00"; a year from now at most
        #[arg(long)]
        until: String,
    },
    /// Print all exemptions, those of the configuration too
    List {
        /// Print one JSON array
        #[arg(long)]
        json: bool,
        /// Those that have ended too
        #[arg(long)]
        all: bool,
    },
    /// End an exemption before its time
    ///
    /// Exit code 1: there is none of this number in force.
    End {
        /// Its number, as `list` prints it
        id: i64,
    },
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::from_word(word).ok_or_else(|| format!("the kinds are {}", Kind::ALL.map(Kind::word).join(", ")))
}

/// `exempt list --json`. Its keys are an interface.
#[derive(Serialize)]
struct Listed<'a> {
    /// `None` for one of the configuration.
    id: Option<i64>,
    who: String,
    kinds: &'a [Kind],
    owner: &'a str,
    reason: &'a str,
    until: String,
    in_force: bool,
}

pub(super) fn run(settings: &Settings, database: &Store, what: What) -> Outcome {
    let (actor, now) = (Actor::nobody(Via::Cli), clock::wall());
    match what {
        What::Add { who, kinds, owner, reason, until } => {
            let end = end(&until, &settings.time_zone)
                .with_context(|| format!("\"{until}\" is no day; write it as 2027-06-30, or \"2027-06-30 18:00\""))?;
            let new = New { who, kinds, owner, reason, until: end };
            let added = store::apply(database, move |file| store::add(file, now, &actor, &new));
            told(added.map(|id| format!("exemption {id} of {who} is in force until {}", local(end, &settings.time_zone))))
        }
        What::End { id } => {
            let ended = store::apply(database, move |file| store::end(file, now, &actor, id));
            told(ended.map(|()| format!("exemption {id} has ended")))
        }
        What::List { json, all } => list(settings, database, json, all),
    }
}

fn told(done: Result<String, ExemptError>) -> Outcome {
    match done {
        Ok(done) => out::say(done).map(|()| Answer::Yes),
        // The database did not answer: that is no refusal.
        Err(error @ ExemptError::Store(_)) => Err(error.into()),
        Err(why) => out::note(why).map(|()| Answer::No),
    }
}

fn list(settings: &Settings, database: &Store, json: bool, all: bool) -> Outcome {
    let now = clock::wall();
    let recorded = store::load(&database.reader()?).context("the exemptions cannot be read")?;
    let exemptions = Exemptions::new(&settings.exemptions, recorded);
    let shown = exemptions.all().iter().filter(|exemption| all || now < exemption.until);
    let listed: Vec<Listed<'_>> = shown
        .map(|exemption| Listed {
            id: match exemption.source {
                Source::Configured => None,
                Source::Recorded(id) => Some(id),
            },
            who: exemption.who.to_string(),
            kinds: &exemption.kinds,
            owner: &exemption.owner,
            reason: &exemption.reason,
            until: local(exemption.until, &settings.time_zone),
            in_force: now < exemption.until,
        })
        .collect();
    if json {
        out::say(serde_json::to_string_pretty(&listed)?)?;
        return Ok(Answer::Yes);
    }
    for one in &listed {
        let id = one.id.map_or_else(|| "configured".to_owned(), |id| id.to_string());
        let kinds =
            if one.kinds.is_empty() { "all".to_owned() } else { one.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(",") };
        let until = if one.in_force { format!("until {}", one.until) } else { format!("ended {}", one.until) };
        out::say(format_args!("{id}\t{}\t{kinds}\t{until}\t{}\t{}", one.who, one.owner, one.reason))?;
    }
    Ok(Answer::Yes)
}
