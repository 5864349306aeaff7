//! `netroom device test HOST`: what a poll of one device sees, at once.

mod ask;
mod object;
mod report;
mod words;

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::snmp_args::SnmpArgs;
use super::{Answer, Outcome, out};
use crate::snmp::job::Target;

/// Look at one device
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Test(TestArgs),
}

/// Ask one device now and print what a poll sees
///
/// Reads the system group, the interfaces with their counters, learnt addresses (FDB), the neighbour cache (ARP and ND), LLDP
/// neighbours and VLANs. Needs no configuration. Exit code 0: it answered; 1: it did not, or not validly; 2: it could not be asked.
#[derive(Debug, clap::Args)]
struct TestArgs {
    /// Name or IP address of the device
    host: String,
    /// Print one JSON object: device, ports, fdb, arp, neighbours, vlans; keys are the MIB objects' names
    #[arg(long)]
    json: bool,
    /// Seconds for everything together
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    within: u64,
    #[command(flatten)]
    snmp: SnmpArgs,
}

pub(super) fn run(args: &Args) -> Outcome {
    let Command::Test(args) = &args.command;
    let known = args.snmp.known()?;
    let Some(credentials) = known.into_iter().next().map(|known| known.credentials) else {
        anyhow::bail!("no community and no user: add -c COMMUNITY or -u NAME");
    };
    let address = address(&args.host, args.snmp.port)?;
    let target = Target { name: Arc::from(args.host.as_str()), address, credentials, patience: args.snmp.patience() };
    let sight = ask::ask(&Arc::new(target), Duration::from_secs(args.within))?;
    let answer = if sight.answered() { Answer::Yes } else { Answer::No };
    if args.json {
        out::say(serde_json::to_string_pretty(&report::report(&sight))?)?;
    } else if answer == Answer::Yes {
        out::say(words::words(&sight))?;
    }
    for note in sight.notes() {
        out::note(format_args!("netroom: {note}"))?;
    }
    Ok(answer)
}

/// The address of a host; IPv4 is preferred where a name has both.
fn address(host: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let all: Vec<SocketAddr> = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .with_context(|| format!("the address of {host} cannot be found; write an IP address, or check the name and DNS"))?
        .collect();
    let first = all.iter().find(|address| address.is_ipv4()).or(all.first()).copied();
    first.with_context(|| format!("the name {host} has no address"))
}
