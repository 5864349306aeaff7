//! `netroom mail test`: do the mail settings work?

use std::sync::Arc;

use anyhow::{anyhow, bail};

use super::{Answer, Globals, Outcome, out};
use crate::config::Settings;
use crate::config::people::PersonSettings;
use crate::journal::{self, Actor, Entry};
use crate::model::clock;
use crate::notify::{People, Roster, Setup, Templates, letter, trial};
use crate::store::Store;

/// Try the mail settings
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Send one test mail now, and say what the mail server said
    ///
    /// Exit code 0: the server took it; 1: it did not, with the reason and what to do.
    Test {
        /// Who gets it, by name; without it the person on duty
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
    },
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let Command::Test { to } = &args.command;
    let loaded = globals.origin()?.load().map_err(|problems| anyhow!("{problems}"))?;
    let settings = loaded.settings;
    let Some(mail) = settings.notify.mail.clone() else { bail!("there is no [notify.mail] in the configuration; add it") };
    let now = clock::wall();
    let people = Roster::new(&settings);
    let person = recipient(&people, &settings, to.as_deref())?;
    let Some(email) = person.email.clone() else { bail!("\"{}\" has no `email` in the configuration; add it to [[person]]", person.name) };
    let templates = Templates::load(settings.notify.templates.as_deref(), letter::sample)?;
    let setup = Setup {
        settings: Arc::new(settings.notify.clone()),
        people: Arc::new(people),
        zone: settings.time_zone.clone(),
        lang: settings.web.language,
        templates,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(trial::send(&setup, &mail, &person, now));
    note(&settings, &person, sent.is_ok());
    match sent {
        Ok(said) => {
            out::say(format_args!("{}:{} took the mail to {} <{email}>: {said}", mail.server, mail.port, person.name))?;
            Ok(Answer::Yes)
        }
        Err(error) => {
            out::note(error)?;
            Ok(Answer::No)
        }
    }
}

fn recipient(people: &Roster, settings: &Settings, to: Option<&str>) -> anyhow::Result<PersonSettings> {
    let name = match to {
        Some(name) => Arc::from(name),
        None => people.on_duty(clock::wall()).ok_or_else(|| anyhow!("nobody is on duty now; name somebody with --to NAME"))?,
    };
    let known = || settings.people.iter().map(|person| &*person.name).collect::<Vec<_>>().join(", ");
    people.person(&name).ok_or_else(|| anyhow!("there is no person \"{name}\" in the configuration; there are: {}", known()))
}

/// The journal keeps that it was tried, where there is one already; a test mail must not need a data directory.
fn note(settings: &Settings, person: &PersonSettings, was_taken: bool) {
    let path = settings.data.join("netroom.db");
    if !path.exists() {
        return;
    }
    let payload = serde_json::json!({ "to": &*person.name, "taken": was_taken });
    let entry =
        Entry::new(clock::wall(), Actor { person: None, on_behalf_of: None, via: journal::Via::Cli }, "mail.tested", "mail", payload);
    let written = Store::open(&path).and_then(|store| store.write_blocking(move |tx| journal::append(tx, &entry).map(drop)));
    if let Err(error) = written {
        tracing::warn!(%error, "the test is not in the journal: {error}");
    }
}
