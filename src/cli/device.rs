//! `netroom device test DEVICE`: what a poll of one device sees, at once.

mod ask;
mod object;
mod report;
mod words;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::snmp_args::SnmpArgs;
use super::{Answer, Globals, Outcome, out};
use crate::config::settings::DeviceSettings;
use crate::daemon;
use crate::snmp::job::{Credentials, Target};

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
/// neighbours and VLANs. A device of the configuration is asked as the daemon asks it, any other needs no configuration. Exit code 0: it answered; 1: it did not, or not validly; 2: it could not be asked.
#[derive(Debug, clap::Args)]
struct TestArgs {
    /// A device of the configuration by its name, or any host by name or IP address
    #[arg(value_name = "DEVICE")]
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

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let Command::Test(args) = &args.command;
    let target = match configured(globals, &args.host)? {
        Some(device) => as_configured(&device, &args.snmp)?,
        None => as_told(args)?,
    };
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

/// The device of this name or address in the configuration. One that was named is always read; one that happens to be there
/// only for what is no address.
fn configured(globals: &Globals, host: &str) -> anyhow::Result<Option<DeviceSettings>> {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let origin = match globals.origin() {
        Ok(origin) if globals.config.is_some() || ip.is_none() => origin,
        Ok(_) => return Ok(None),
        Err(_) if globals.config.is_none() => return Ok(None),
        Err(error) => return Err(error),
    };
    let loaded = origin
        .load()
        .map_err(|problems| anyhow::anyhow!("{problems}\nthe configuration cannot be used; `netroom check` shows all of it"))?;
    let is_it = |device: &DeviceSettings| *device.name == *host || ip == Some(device.address.ip());
    Ok(loaded.settings.devices.into_iter().find(is_it))
}

/// As the daemon asks it, but for what the command line says otherwise.
fn as_configured(device: &DeviceSettings, snmp: &SnmpArgs) -> anyhow::Result<Target> {
    let mut target = Target::clone(&daemon::target(device));
    if snmp.names_credentials() {
        target.credentials = credentials(snmp)?;
    }
    if let Some(port) = snmp.port {
        target.address.set_port(port);
    }
    Ok(target)
}

/// As the command line says.
fn as_told(args: &TestArgs) -> anyhow::Result<Target> {
    let (credentials, address) = (credentials(&args.snmp)?, address(&args.host, args.snmp.port())?);
    Ok(Target { name: Arc::from(args.host.as_str()), address, credentials, patience: args.snmp.patience() })
}

fn credentials(snmp: &SnmpArgs) -> anyhow::Result<Credentials> {
    let first = snmp.known()?.into_iter().next();
    first.map(|known| known.credentials).context("no community and no user: add -c COMMUNITY or -u NAME")
}

/// The address of a host; IPv4 is preferred where a name has both.
fn address(host: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let all: Vec<SocketAddr> = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .with_context(|| format!("no configured device is called {host}, and no address of it can be found; write an IP address, or check the name, --config and DNS"))?
        .collect();
    let first = all.iter().find(|address| address.is_ipv4()).or(all.first()).copied();
    first.with_context(|| format!("the name {host} has no address"))
}
