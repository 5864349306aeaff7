//! `netroom capture`: captures of single hosts from the machine itself. Works while the daemon runs, and without it. Asking
//! and allowing take two persons who are known, and so the pages.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Answer, Globals, Outcome, out};
use crate::capture::recording::{Deed, Desk, DeskError, Recording, Rules, State};
use crate::capture::tap::Host;
use crate::journal::{Actor, Via};
use crate::model::{Timestamp, clock};
use crate::store::Shared;

/// Look after the captures of single hosts
///
/// They are asked for and allowed on the page of a machine, by two persons.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print captures, the newest first; 500 at most
    List {
        /// Those of one machine, by its MAC or IP address
        #[arg(long)]
        machine: Option<Host>,
        /// Those in one state: asked, approved, running, kept, cut, failed, refused, withdrawn, lapsed, deleted
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print all that is known of one capture, as JSON
    ///
    /// Exit code 1: there is none of this number.
    Show {
        /// Its number, as `list` prints it
        id: i64,
    },
    /// Take a copy of a capture's file; the journal knows who did
    ///
    /// Exit code 1: there is no file, or it is not what was recorded.
    Save {
        /// Its number, as `list` prints it
        id: i64,
        /// Where the copy goes; an existing file is left alone
        file: PathBuf,
        /// The person who takes it
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Keep a capture's file for longer than 30 days
    Hold {
        /// Its number, as `list` prints it
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
        /// The person who answers for it
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// End the hold of a capture
    Release {
        /// Its number, as `list` prints it
        id: i64,
        /// The person who ends it
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Delete a capture's file before its time
    Delete {
        /// Its number, as `list` prints it
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
        /// The person who deletes it
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
}

fn state(word: &str) -> Result<State, String> {
    State::from_word(word).ok_or_else(|| format!("the states are {}", State::ALL.map(State::word).join(", ")))
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let data = globals.data_dir()?;
    let shared = Shared::open(&data)?;
    let (desk, now) = (Desk::new(shared.store, &data, Rules::default()), clock::wall());
    let act = |id, deed: &Deed, person: &str, said: &str| {
        told(desk.act(id, deed, &actor(person)?, now).map(drop), &format!("capture {id} {said}"))
    };
    match args.what {
        What::List { machine, state, json } => list(&desk.list(machine.map(|machine| machine.to_string()).as_deref(), state, None)?, json),
        What::Show { id } => match desk.one(id) {
            Ok(recording) => out::say(serde_json::to_string_pretty(&recording)?).map(|()| Answer::Yes),
            Err(error) => told(Err(error), ""),
        },
        What::Save { id, file, person } => save(&desk, id, &file, &actor(&person)?, now),
        What::Hold { id, reason, person } => act(id, &Deed::Hold(reason), &person, "is kept until somebody releases it"),
        What::Release { id, person } => act(id, &Deed::Release, &person, "is deleted when its 30 days are over"),
        What::Delete { id, reason, person } => act(id, &Deed::Delete(reason), &person, "is deleted"),
    }
}

fn actor(person: &str) -> anyhow::Result<Actor> {
    let person = person.trim();
    anyhow::ensure!(!person.is_empty(), "--as names the person who does it");
    Ok(Actor::person(person, Via::Cli))
}

fn save(desk: &Desk, id: i64, to: &Path, actor: &Actor, now: Timestamp) -> Outcome {
    let mut copy =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).with_context(|| format!("{} cannot be made", to.display()))?;
    let (_, mut file) = match desk.open(id, actor, now) {
        Ok(opened) => opened,
        Err(error) => {
            // Nothing was written into it.
            let _ = std::fs::remove_file(to);
            return told(Err(error), "");
        }
    };
    let copied = io::copy(&mut file, &mut copy).and_then(|octets| copy.flush().map(|()| octets));
    let octets = copied.with_context(|| format!("{} could not be written", to.display()))?;
    told(Ok(()), &format!("capture {id} is in {}, {octets} octets", to.display()))
}

fn told(done: Result<(), DeskError>, said: &str) -> Outcome {
    match done {
        Ok(()) => out::say(said).map(|()| Answer::Yes),
        // The database or the disk did not answer: that is no refusal.
        Err(error @ (DeskError::Store(_) | DeskError::File { .. })) => Err(error.into()),
        Err(why) => out::note(why).map(|()| Answer::No),
    }
}

fn list(recordings: &[Recording], json: bool) -> Outcome {
    if json {
        out::say(serde_json::to_string_pretty(recordings)?)?;
        return Ok(Answer::Yes);
    }
    for one in recordings {
        let octets = one.counts.filter(|_| one.state.has_file()).map_or(0, |counts| counts.octets);
        let by = one.asked.by.as_deref().unwrap_or_default();
        let held = if one.hold.is_some() { "held" } else { "" };
        let at = jiff::Timestamp::from_millisecond(one.asked.at.millis()).map(|at| at.to_string()).unwrap_or_default();
        out::say(format_args!("{}\t{}\t{}\t{at}\t{octets}\t{held}\t{by}\t{}", one.id, one.machine, one.state.word(), one.asked.words))?;
    }
    Ok(Answer::Yes)
}
