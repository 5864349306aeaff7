//! `netroom token`: API tokens from the machine itself. Works while the daemon runs, and without it.

use anyhow::Context as _;
use serde::Serialize;

use super::user::told;
use super::{Answer, Globals, Outcome, out};
use crate::accounts::{self, Permission, Permissions, Token, apply};
use crate::config::span;
use crate::journal::{Actor, Via};
use crate::model::{Timestamp, clock};
use crate::store::Shared;

/// Look after the tokens that programs show to the API and the metrics
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a token for an account and print it, this once
    Add {
        /// The account's name; a token never may more than its account
        login: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may: read, metrics, acknowledge, maintain, probe, test_notices, read_journal; may be given several times
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope)]
        scopes: Vec<Permission>,
        /// How long it works, as 30d; a year at most
        #[arg(long = "for", value_name = "SPAN", default_value = "90d")]
        lasts: String,
    },
    /// Print all tokens, without their texts
    List {
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Take a token away
    Revoke {
        /// Its number, as `list` prints it
        id: i64,
    },
}

fn scope(word: &str) -> Result<Permission, String> {
    let known = || Permission::ALL.into_iter().filter(|scope| scope.fits_token()).map(Permission::word).collect::<Vec<_>>().join(", ");
    Permission::from_word(word).filter(|scope| scope.fits_token()).ok_or_else(|| format!("the scopes are {}", known()))
}

/// `token list --json`. Its keys are an interface.
#[derive(Serialize)]
struct Listed {
    id: i64,
    login: String,
    name: String,
    scopes: Vec<&'static str>,
    expires: Timestamp,
    used: Option<Timestamp>,
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let shared = Shared::open(&globals.data_dir()?)?;
    let (actor, now) = (Actor::nobody(Via::Cli), clock::wall());
    match args.what {
        What::Add { login, name, scopes, lasts } => {
            let lasts = span::parse_duration(&lasts).map_err(|error| anyhow::anyhow!("--for {lasts}: {error}"))?;
            let token = Token::random()?;
            let (hash, scopes) = (token.hash(), scopes.into_iter().collect::<Permissions>());
            let done = apply(&shared.store, move |file| accounts::add_token(file, now, &actor, &login, (&name, scopes, now + lasts, hash)));
            let answer = told(done, "the token, shown this once:", None)?;
            if answer == Answer::Yes {
                out::say(token.reveal())?;
            }
            Ok(answer)
        }
        What::List { json } => list(&shared, json),
        What::Revoke { id } => {
            let done = apply(&shared.store, move |file| accounts::revoke_token(file, now, &actor, id, None));
            told(done, &format!("the token {id} does not work any more"), None)
        }
    }
}

fn list(shared: &Shared, json: bool) -> Outcome {
    let all = accounts::list_tokens(&shared.store.reader()?, None).context("the tokens cannot be read")?;
    let listed: Vec<Listed> = all
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            login: row.login,
            name: row.name,
            scopes: row.scopes.iter().map(Permission::word).collect(),
            expires: row.expires,
            used: row.used,
        })
        .collect();
    if json {
        out::say(serde_json::to_string_pretty(&listed)?)?;
        return Ok(Answer::Yes);
    }
    for row in listed {
        out::say(format_args!("{}\t{}\t{}\t{}\tuntil {}", row.id, row.login, row.name, row.scopes.join(","), iso(row.expires)))?;
    }
    Ok(Answer::Yes)
}

fn iso(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map(|at| at.to_string()).unwrap_or_default()
}
