//! `netroom locate`: where a machine sits, by what the daemon last wrote down. Works beside the daemon and without it.

use std::sync::Arc;

use anyhow::Context as _;

use super::{Answer, Globals, Outcome, out};
use crate::config::Settings;
use crate::locate::class::Infrastructure;
use crate::locate::seek::{Sought, Wanted, seek};
use crate::locate::{self, Scene};
use crate::model::{Timestamp, clock};
use crate::store::Shared;

/// Say at which port of which switch a machine sits
///
/// Every place where it is seen, the likeliest first, with its points and the reasons for them; out of the tables that the
/// daemon has written down, a minute ago at most. Exit code 0: one place is certain; 1: none is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A MAC address in any notation, an IP address, or the name of a configured device or host
    what: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let settings = globals.settings()?;
    let wanted = wanted(&settings, &args.what)?;
    let shared = Shared::open(&globals.data_dir()?)?;
    let all = locate::store::load(&shared.store.reader()?).context("the tables cannot be read")?;
    let infrastructure = Infrastructure::new(&all, &|_| None);
    let is_listed = |device: &str, port: &str| settings.incident.uplinks.iter().any(|glob| glob.is_match(&format!("{device}/{port}")));
    let scene = Scene { all: &all, infrastructure: &infrastructure, is_listed: &is_listed, is_up: &|_, _| None };
    let sought = seek(&scene, wanted, clock::wall());
    if args.json {
        out::say(serde_json::to_string_pretty(&sought)?)?;
    } else {
        in_words(&args.what, &sought)?;
    }
    let is_certain = sought.iter().any(|one| one.found.own.is_some() || one.found.certain().is_some());
    Ok(if is_certain { Answer::Yes } else { Answer::No })
}

/// Whom the word means.
fn wanted(settings: &Settings, what: &str) -> anyhow::Result<Wanted> {
    if let Ok(wanted) = what.parse() {
        return Ok(wanted);
    }
    let devices = settings.devices.iter().map(|device| (&device.name, device.address.ip()));
    let named = devices.chain(settings.hosts.iter().map(|host| (&host.name, host.address))).find(|(name, _)| &***name == what);
    named
        .map(|(_, ip)| Wanted::Ip(ip))
        .with_context(|| format!("`{what}` is no configured device or host, and {}", locate::seek::NoAddress))
}

fn in_words(what: &str, sought: &[Sought]) -> anyhow::Result<()> {
    if sought.is_empty() {
        return out::note(format_args!("no router has resolved {what}: nobody knows its MAC address"));
    }
    for Sought { addresses, found } in sought {
        let mut ips: Vec<Arc<str>> = addresses.iter().map(|address| address.ip.to_string().into()).collect();
        ips.dedup();
        out::say(format_args!("{}  {}", found.mac, ips.join(" ")))?;
        match (&found.own, found.candidates.is_empty()) {
            (Some(device), _) => out::say(format_args!("  it is {device} itself"))?,
            (None, true) => out::say("  no switch has seen it on any port")?,
            (None, false) => {}
        }
        for place in &found.candidates {
            let reasons = place.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let (score, kind, seen) = (place.score, place.kind.word(), utc(place.seen));
            out::say(format_args!("  {} {}\t{score}\t{kind}\tVLAN {}\tseen {seen}\t{reasons}", place.device, place.port, place.vlan))?;
        }
    }
    Ok(())
}

fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}
