//! `netroom block`: cases of machines that are to be cut off, from the machine itself. What is wished is written down; the
//! daemon's desk takes it within a second and answers.

mod explain;
mod show;

use std::time::Duration;

use anyhow::Context as _;

use super::{Answer, Globals, Outcome, out};
use crate::block::gate::Path;
use crate::block::work::Told;
use crate::block::{CaseId, Wish, store};
use crate::config::exempt::end;
use crate::detect::MachineKey;
use crate::model::clock;
use crate::store::{Shared, Store, StoreError};

/// How long the desk is waited for: it may be waiting for a switch itself.
const WAIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Cut machines off and give them back
///
/// Every change goes through the gate of the daemon with all its rails; nothing is set on a switch from here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print cases, the newest first; those that are not over, when not told otherwise
    List {
        /// Those that are over too; 500 at most
        #[arg(long)]
        all: bool,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print all that is known of one case
    ///
    /// Exit code 1: there is none of this number.
    Show {
        /// Its number, as B12
        #[arg(value_parser = case)]
        case: CaseId,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what protects a machine from being cut off, line by line
    ///
    /// Exit code 0: nothing does; 1: it is protected.
    Explain {
        /// A MAC or IP address
        machine: MachineKey,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Propose that a machine be cut off
    Request {
        /// A MAC or IP address
        machine: MachineKey,
        #[command(flatten)]
        said: Said,
    },
    /// Say yes to a case that waits
    Approve {
        /// Its number, as B12
        #[arg(value_parser = case)]
        case: CaseId,
        /// The person who says so
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Say no to a case
    Decline {
        /// Its number, as B12
        #[arg(value_parser = case)]
        case: CaseId,
        #[command(flatten)]
        said: Said,
    },
    /// Give a machine back before its time
    Release {
        /// Its number, as B12
        #[arg(value_parser = case)]
        case: CaseId,
        #[command(flatten)]
        said: Said,
    },
    /// Block nothing without a person for a time
    Freeze {
        /// Its last day, as 2027-06-30, or the minute at which it ends, as "2027-06-30 18:00"
        #[arg(long)]
        until: String,
        #[command(flatten)]
        said: Said,
    },
    /// End a freeze before its time
    Unfreeze {
        #[command(flatten)]
        said: Said,
    },
    /// Close the breaker that was opened because too much was blocked without a person
    Reset {
        #[command(flatten)]
        said: Said,
    },
}

/// Who says it, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Said {
    /// Why
    #[arg(long)]
    pub(super) reason: String,
    /// The person who says so
    #[arg(long = "as", value_name = "PERSON")]
    pub(super) person: String,
}

fn case(text: &str) -> Result<CaseId, String> {
    let number = text.trim_start_matches(['B', 'b']);
    number.parse().map(CaseId).map_err(|_| format!("\"{text}\" is no case; write its number as B12"))
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let shared = Shared::open(&globals.data_dir()?)?;
    let wish = |wish: Wish, person: &str| wish_of(&shared, person, &wish);
    match args.what {
        What::List { all, json } => show::list(&shared.store, all, json),
        What::Show { case, json } => show::one(&shared.store, case, json),
        What::Explain { machine, json } => explain::run(&globals.settings()?, &shared.store, &machine, json),
        What::Request { machine, said: Said { reason, person } } => {
            let (mac, ip) = match machine {
                MachineKey::Mac(mac) => (Some(mac), None),
                MachineKey::Ip(ip) => (None, Some(ip)),
            };
            wish(Wish::Request { mac, ip, reason: given(reason)? }, &person)
        }
        What::Approve { case, person } => wish(Wish::Approve { case }, &person),
        What::Decline { case, said } => wish(Wish::Decline { case, reason: given(said.reason)? }, &said.person),
        What::Release { case, said } => wish(Wish::Release { case, reason: given(said.reason)? }, &said.person),
        What::Freeze { until, said } => {
            let zone = globals.settings()?.time_zone;
            let end =
                end(&until, &zone).with_context(|| format!("\"{until}\" is no day; write it as 2027-06-30, or \"2027-06-30 18:00\""))?;
            wish(Wish::Freeze { until: end, reason: given(said.reason)? }, &said.person)
        }
        What::Unfreeze { said } => wish(Wish::Freeze { until: clock::wall(), reason: given(said.reason)? }, &said.person),
        What::Reset { said } => wish(Wish::Reset { reason: given(said.reason)? }, &said.person),
    }
}

pub(super) fn given(reason: String) -> anyhow::Result<String> {
    anyhow::ensure!(!reason.trim().is_empty(), "--reason says why");
    Ok(reason)
}

/// Writes a wish down and waits for what becomes of it.
pub(super) fn wish_of(shared: &Shared, person: &str, wish: &Wish) -> Outcome {
    let person = person.trim();
    anyhow::ensure!(!person.is_empty(), "--as names the person who says so");
    let path = Path::Command(person.into());
    let (kept, now) = (wish.clone(), clock::wall());
    let id = shared.store.write_blocking(move |file| store::wish(file, now, &path, &kept))?;
    if shared.is_alone() {
        out::note("no daemon runs on this data directory: it takes this up as soon as it is started")?;
        return Ok(Answer::Yes);
    }
    match answer(&shared.store, id)? {
        Some(answer) => match Told::of(&answer) {
            Some(told) => out::say(&told).map(|()| if told.is_done() { Answer::Yes } else { Answer::No }),
            None => out::say(answer).map(|()| Answer::Yes),
        },
        None => out::note(format_args!(
            "the daemon has not taken it up within {} s; it stays written down: look into `netroom block list`, and into the daemon's log",
            WAIT.as_secs()
        ))
        .map(|()| Answer::No),
    }
}

fn answer(store: &Store, wish: i64) -> anyhow::Result<Option<String>> {
    let until = clock::monotonic() + WAIT;
    // Nobody ever sends: waiting for it is how this thread rests.
    let (_nobody, rest) = std::sync::mpsc::sync_channel::<()>(0);
    loop {
        let answer = store::answer(&store.reader()?, wish).map_err(|error| StoreError::sqlite(store.path(), error))?;
        if answer.is_some() || clock::monotonic() >= until {
            return Ok(answer);
        }
        let _ = rest.recv_timeout(LOOK_EVERY);
    }
}
