//! `netroom port`: work on a switch port, from the machine itself. What is wished is written down; the daemon's desk does it
//! through the same gate as blocks.

use super::block::{Said, given, wish_of};
use super::{Globals, Outcome};
use crate::block::Wish;
use crate::block::work::{Deed, Work};
use crate::store::Shared;

/// Set something on a switch port
///
/// The daemon reads what is there, asks its gate, sets, and reads back; reason, person, before and after stand in the journal.
/// Exit code 0: it is done; 1: it is not, and it is said why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Shut it (ifAdminStatus down)
    Down {
        #[command(flatten)]
        at: At,
    },
    /// Open it (ifAdminStatus up)
    Up {
        #[command(flatten)]
        at: At,
    },
    /// Shut it and open it again: whoever is behind it begins anew
    Bounce {
        #[command(flatten)]
        at: At,
    },
    /// Put frames without a tag into another VLAN (dot1qPvid)
    Vlan {
        #[command(flatten)]
        at: At,
        /// Its number
        #[arg(value_parser = clap::value_parser!(u16).range(1..=4094))]
        pvid: u16,
    },
    /// Take the power from the cable and give it back (pethPsePortAdminEnable)
    PowerCycle {
        #[command(flatten)]
        at: At,
    },
    /// Write its description (ifAlias)
    Alias {
        #[command(flatten)]
        at: At,
        /// The new text; 64 octets at most
        alias: String,
    },
}

/// Which port, who says so, and why.
#[derive(Debug, clap::Args)]
struct At {
    /// The device, by its configured name
    device: String,
    /// The port's ifName
    port: String,
    #[command(flatten)]
    said: Said,
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let (at, deed) = match args.what {
        What::Down { at } => (at, Deed::Down),
        What::Up { at } => (at, Deed::Up),
        What::Bounce { at } => (at, Deed::Bounce),
        What::Vlan { at, pvid } => (at, Deed::Vlan { pvid }),
        What::PowerCycle { at } => (at, Deed::PowerCycle),
        What::Alias { at, alias } => (at, Deed::Alias { alias }),
    };
    if let Some(fault) = deed.fault() {
        anyhow::bail!("{fault}");
    }
    let At { device, port, said: Said { reason, person } } = at;
    let work = Work { device: device.into(), port: port.into(), deed, reason: given(reason)? };
    wish_of(&Shared::open(&globals.data_dir()?)?, &person, &Wish::Work(work))
}
