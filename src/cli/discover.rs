//! `netroom discover CIDR`: which devices of a network answer SNMP or ping, as configuration.

mod listing;
mod sweep;

use std::io::IsTerminal;
use std::net::IpAddr;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ipnet::IpNet;

use super::snmp_args::SnmpArgs;
use super::{Answer, Outcome, out};

/// Networks of more addresses than a /16 has are not swept unless told twice.
const LARGE: u64 = 1 << 16;

/// Find devices in a network and print configuration for them
///
/// Sends a ping and an SNMP question with each community or user to every address of the networks given, at a gentle pace, and
/// to no other address. Prints TOML for conf.d; what answers ping only is told in comments. Exit code 0: devices answer SNMP; 1: none does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Networks such as 10.0.3.0/24, or single addresses
    #[arg(required = true, value_name = "CIDR", value_parser = parse_network)]
    networks: Vec<IpNet>,
    /// Requests a second, pings and SNMP together
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Sweep networks of more addresses than a /16
    #[arg(long)]
    yes_large: bool,
    /// Send no pings
    #[arg(long)]
    no_ping: bool,
    /// Print a JSON array instead of TOML
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    snmp: SnmpArgs,
}

pub(super) fn run(args: &Args) -> Outcome {
    let addresses = addresses(&args.networks, args.yes_large)?;
    let known = args.snmp.known()?;
    let bar = progress(addresses.len());
    let sweep = sweep::Sweep {
        addresses,
        known: known.clone(),
        port: args.snmp.port(),
        patience: args.snmp.patience(),
        rate: args.rate,
        ping: !args.no_ping,
    };
    let seen = sweep.run(&bar);
    bar.finish_and_clear();
    let seen = seen?;
    for note in &seen.notes {
        out::note(format_args!("netroom: {note}"))?;
    }
    if args.json {
        out::say(serde_json::to_string_pretty(&listing::json(&seen.found))?)?;
    } else {
        out::say_raw(listing::toml(&seen.found, &known, args.snmp.port()).as_bytes())?;
    }
    Ok(if seen.found.iter().any(|found| found.snmp.is_some()) { Answer::Yes } else { Answer::No })
}

/// Every address of the networks once: no network or broadcast addresses, none beside what was asked for.
fn addresses(networks: &[IpNet], yes_large: bool) -> anyhow::Result<Vec<IpAddr>> {
    let joined = IpNet::aggregate(&networks.to_vec());
    for network in &joined {
        let bits = network.max_prefix_len() - network.prefix_len();
        if bits > 24 {
            bail!("{network} has 2^{bits} addresses; no sweep of it would ever end. Name smaller networks");
        }
    }
    let count: u64 = joined.iter().map(|network| 1_u64 << (network.max_prefix_len() - network.prefix_len())).sum();
    if count > LARGE && !yes_large {
        bail!("these networks have {count} addresses, more than a /16; add --yes-large if that is meant");
    }
    Ok(joined.iter().flat_map(IpNet::hosts).collect())
}

/// A network, or one address.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| "it is a network such as 10.0.3.0/24 or 2001:db8::/120, or one address".to_owned())?;
    Ok(network.trunc())
}

/// A bar on a terminal, nothing elsewhere.
fn progress(addresses: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(addresses as u64);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} addresses, {msg} answer, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The runtime that the sweep needs.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime of the sweep cannot be started")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(networks: &[&str], yes_large: bool) -> Result<Vec<IpAddr>, String> {
        let networks: Vec<IpNet> = networks.iter().map(|text| parse_network(text).unwrap()).collect();
        addresses(&networks, yes_large).map_err(|error| error.to_string())
    }

    #[test]
    fn no_address_outside_the_networks_and_none_twice() {
        let list = swept(&["10.0.0.77/29", "10.0.0.73", "10.0.1.0/31"], false).unwrap();
        let told: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["10.0.0.73", "10.0.0.74", "10.0.0.75", "10.0.0.76", "10.0.0.77", "10.0.0.78", "10.0.1.0", "10.0.1.1"]);
        assert_eq!(swept(&["127.0.0.9"], false).unwrap().len(), 1);
    }

    #[test]
    fn large_networks_need_a_second_word_and_endless_ones_are_refused() {
        assert_eq!(swept(&["10.1.0.0/16"], false).unwrap().len(), 65_534);
        assert!(swept(&["10.0.0.0/15"], false).unwrap_err().contains("--yes-large"));
        assert!(swept(&["10.0.0.0/16", "10.9.0.0/24"], false).unwrap_err().contains("--yes-large"));
        assert_eq!(swept(&["10.0.0.0/15"], true).unwrap().len(), 131_070);
        assert!(swept(&["2001:db8::/64"], true).unwrap_err().contains("2^64"));
        assert!(parse_network("10.0.0.0/33").is_err());
    }
}
