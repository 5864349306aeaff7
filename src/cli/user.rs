//! `netroom user`: accounts from the machine itself. Works while the daemon runs, and without it.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use serde::Serialize;

use super::{Answer, Globals, Outcome, out};
use crate::accounts::{self, AccountError, NewAccount, Role, Token, apply, password};
use crate::config::Settings;
use crate::journal::{Actor, Via};
use crate::model::{Timestamp, clock};
use crate::store::Shared;

/// Look after the accounts that log in to the pages
///
/// Changes count at once, also for a daemon that runs, and stand in the journal as made at the command line.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make an account
    ///
    /// Without --password-stdin a first password is made and printed; it must be changed at the first login.
    Add {
        /// The account's name: small letters, digits, `.`, `-`, `_`
        login: String,
        /// The person's name; several accounts may belong to one person
        #[arg(long)]
        person: String,
        /// A role; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a new password; all sessions of the account end
    Passwd {
        /// The account's name
        login: String,
        /// Read the password from the first line of stdin; without it one is made and printed, to be changed at the first login
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut an account: its sessions end, its tokens do not work
    Disable {
        /// The account's name
        login: String,
    },
    /// Open an account again
    Enable {
        /// The account's name
        login: String,
    },
    /// Print all accounts
    List {
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Give an account a role
    ///
    /// Exit code 1: the person holds a role, in any account, that excludes it.
    Grant {
        /// The account's name
        login: String,
        /// The role
        role: Role,
    },
    /// Take a role from an account
    Revoke {
        /// The account's name
        login: String,
        /// The role
        role: Role,
    },
    /// Print a link that makes a system administrator, once, within a day
    FirstLink,
}

/// `user list --json`. Its keys are an interface.
#[derive(Serialize)]
struct Listed<'a> {
    login: &'a str,
    person: &'a str,
    roles: &'a [Role],
    disabled: bool,
    second_factor: bool,
    must_change_password: bool,
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let settings = globals.settings()?;
    let shared = Shared::open(&settings.data)?;
    let (actor, now) = (Actor::nobody(Via::Cli), clock::wall());
    match args.what {
        What::Add { login, person, roles, password_stdin } => {
            let (hashed, fresh) = first_password(&settings, &login, password_stdin)?;
            let new = NewAccount { login: login.clone(), person, roles, password: hashed, must_change: fresh.is_some() };
            let done = apply(&shared.store, move |file| accounts::make(file, now, &actor, new));
            let what = match &done {
                Ok(proposed) if !proposed.is_empty() => format!("the account {login} was made; {}", waits(proposed)),
                _ => format!("the account {login} was made"),
            };
            told(done, &what, fresh)
        }
        What::Passwd { login, password_stdin } => {
            let (hashed, fresh) = first_password(&settings, &login, password_stdin)?;
            let (name, must) = (login.clone(), fresh.is_some());
            let done = apply(&shared.store, move |file| accounts::change_password(file, now, &actor, &name, &hashed, must));
            told(done, &format!("the password of {login} was set, its sessions have ended"), fresh)
        }
        What::Disable { login } => disable(&shared, &login, true, &actor, now),
        What::Enable { login } => disable(&shared, &login, false, &actor, now),
        What::List { json } => list(&shared, json),
        What::Grant { login, role } => {
            let name = login.clone();
            let done = apply(&shared.store, move |file| accounts::give(file, now, &actor, &name, role));
            let what = match &done {
                Ok(false) => waits(&[role]),
                _ => format!("{login} holds the role {role}"),
            };
            told(done, &what, None)
        }
        What::Revoke { login, role } => {
            let name = login.clone();
            let done = apply(&shared.store, move |file| accounts::revoke(file, now, &actor, &name, role));
            told(done, &format!("{login} does not hold the role {role} any more"), None)
        }
        What::FirstLink => first_link(&shared, &settings, now),
    }
}

fn waits(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    format!("{} is proposed: a security administrator signs it on the page of the users, within seven days", words.join(", "))
}

/// Says what was done, or why it was refused.
pub(super) fn told<T>(done: Result<T, AccountError>, what: &str, fresh: Option<String>) -> Outcome {
    match done {
        Ok(_) => {
            out::note(what)?;
            if let Some(password) = fresh {
                out::note("first password, to be changed at the first login:")?;
                out::say(password)?;
            }
            Ok(Answer::Yes)
        }
        // The database did not answer: that is no refusal.
        Err(error @ AccountError::Store(_)) => Err(error.into()),
        Err(why) => {
            out::note(why)?;
            Ok(Answer::No)
        }
    }
}

fn disable(shared: &Shared, login: &str, disabled: bool, actor: &Actor, now: Timestamp) -> Outcome {
    let (name, actor) = (login.to_owned(), actor.clone());
    let done = apply(&shared.store, move |file| accounts::set_disabled(file, now, &actor, &name, disabled));
    told(done, &format!("{login} is {}", if disabled { "disabled" } else { "enabled" }), None)
}

/// The hash of a password, and its text when it was made here.
fn first_password(settings: &Settings, login: &str, from_stdin: bool) -> anyhow::Result<(String, Option<String>)> {
    if !from_stdin {
        let text: String = Token::random()?.reveal().chars().take(16).collect();
        return Ok((password::hash(&text)?, Some(text)));
    }
    if std::io::stdin().is_terminal() {
        out::note("the new password, it is shown as you type:")?;
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password cannot be read from stdin")?;
    let line = line.trim_end_matches(['\r', '\n']);
    password::judge(line, login, settings.access.known_passwords.as_deref())?;
    Ok((password::hash(line)?, None))
}

fn list(shared: &Shared, json: bool) -> Outcome {
    let all = accounts::list(&shared.store.reader()?).context("the accounts cannot be read")?;
    if json {
        let listed: Vec<Listed<'_>> = all
            .iter()
            .map(|account| Listed {
                login: &account.login,
                person: &account.person,
                roles: &account.roles,
                disabled: account.disabled,
                second_factor: account.has_factor,
                must_change_password: account.must_change,
            })
            .collect();
        out::say(serde_json::to_string_pretty(&listed)?)?;
        return Ok(Answer::Yes);
    }
    for account in &all {
        let roles = account.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(",");
        let mut marks = Vec::new();
        for (is, word) in [(account.disabled, "disabled"), (account.must_change, "first password"), (account.has_factor, "two-step")] {
            if is {
                marks.push(word);
            }
        }
        out::say(format_args!(
            "{}\t{}\t{}\t{}",
            account.login,
            account.person,
            if roles.is_empty() { "-" } else { &roles },
            marks.join(", ")
        ))?;
    }
    Ok(Answer::Yes)
}

fn first_link(shared: &Shared, settings: &Settings, now: Timestamp) -> Outcome {
    let token = Token::random()?;
    let hash = token.hash();
    shared.store.write_blocking(move |file| accounts::first_link(file, now, Via::Cli, &hash))?;
    out::note("this link makes a system administrator, once, within a day:")?;
    out::say(settings.web.first_link(settings.web.listen, token.reveal()))?;
    Ok(Answer::Yes)
}
