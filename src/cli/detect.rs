//! `netroom detect`: what is held for and against a machine, and about whom something is not told. Works while the daemon
//! runs, and without it.

mod exempt;
mod explain;

use jiff::tz::TimeZone;

use super::{Globals, Outcome};
use crate::model::Timestamp;
use crate::store::Shared;

/// Look at what is known of a machine, and look after exemptions
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say what is held for and against a machine
    ///
    /// Where it sits, its addresses, what the site holds it to be and why, its exemptions, the incidents about it, and what the
    /// daemon sees of it, weighed as its page weighs it; all as the daemon has it on disk, a minute old at most while it runs.
    /// Exit code 0: nothing is held against it; 1: something is.
    Explain {
        /// An IP address, a MAC address, or the name of a configured device or host
        host: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Machines about which some kinds of behaviour are not told
    ///
    /// Changes count within seconds, also for a daemon that runs, and stand in the journal as made at the command line.
    Exempt {
        #[command(subcommand)]
        what: exempt::What,
    },
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let settings = globals.settings()?;
    let shared = Shared::open(&settings.data)?;
    match args.what {
        What::Explain { host, json } => explain::run(&settings, &shared.store, &host, json),
        What::Exempt { what } => exempt::run(&settings, &shared.store, what),
    }
}

/// A moment in the office's own time, to the minute.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).map(|moment| moment.to_zoned_datetime(zone.clone()));
    moment.map_or_else(|_| at.millis().to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
}
