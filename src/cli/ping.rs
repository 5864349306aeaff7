//! `netroom ping HOST`: does it answer, and how fast?

use std::net::{IpAddr, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use super::{Answer, Globals, Outcome, out};
use crate::ping::now::{Asking, Shot, ask};

/// Ping one host now
///
/// HOST is the name of a configured host or device, an IP address, or a name that the system resolves. Prints a line a
/// request and a summary. An error that the host sends back is no answer. Exit code 0: it answered; 1: it did not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whom to ask
    host: String,
    /// How many requests
    #[arg(long, short = 'c', value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Milliseconds between two requests
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pause: u64,
    /// Milliseconds after which a request is given up
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    timeout: u64,
    /// Octets of payload
    #[arg(long, value_name = "OCTETS", default_value_t = 56, value_parser = clap::value_parser!(u16).range(0..=1472))]
    size: u16,
    /// Print one JSON object when all is done
    #[arg(long)]
    json: bool,
}

/// `ping --json`. Its keys are an interface.
#[derive(Serialize)]
struct Report<'a> {
    host: &'a str,
    address: IpAddr,
    sent: usize,
    answered: usize,
    refused: usize,
    lost: usize,
    loss_percent: f64,
    rtt_ms: Option<Times>,
    shots: &'a [Shot],
}

#[derive(Clone, Copy, Serialize)]
struct Times {
    min: f64,
    median: f64,
    max: f64,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let address = address(globals, &args.host)?;
    let asking = Asking {
        address,
        count: args.count,
        pause: Duration::from_millis(args.pause),
        timeout: Duration::from_millis(args.timeout),
        size: args.size.into(),
    };
    let mut shots = Vec::new();
    let mut told = Ok(());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime can be started")?;
    runtime.block_on(ask(&asking, |shot| {
        shots.push(shot);
        if !args.json {
            told = out::say(line(address, &shot));
        }
        told.is_ok()
    }))?;
    told?;
    let report = report(args, address, &shots);
    if args.json {
        out::say(serde_json::to_string(&report)?)?;
    } else {
        out::say(summary(&report))?;
    }
    Ok(if report.answered > 0 { Answer::Yes } else { Answer::No })
}

/// The address of a configured name, of an address, or of a name that the system knows.
fn address(globals: &Globals, host: &str) -> anyhow::Result<IpAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(address);
    }
    if let Some(loaded) = globals.origin().ok().and_then(|origin| origin.load().ok()) {
        let settings = &loaded.settings;
        let hosts = settings.hosts.iter().map(|known| (&known.name, known.address));
        let devices = settings.devices.iter().map(|known| (&known.name, known.address.ip()));
        if let Some((_, address)) = hosts.chain(devices).find(|(name, _)| ***name == *host) {
            return Ok(address);
        }
    }
    let Some(found) = (host, 0).to_socket_addrs().ok().and_then(|mut addresses| addresses.next()) else {
        bail!("`{host}` is no configured host or device, no IP address, and no name that this machine resolves")
    };
    Ok(found.ip())
}

fn line(address: IpAddr, shot: &Shot) -> String {
    match shot {
        Shot::Answered { seq, rtt_ms, ttl } => {
            let ttl = ttl.map(|ttl| format!(" ttl={ttl}")).unwrap_or_default();
            format!("{address}: seq={seq}{ttl} {rtt_ms:.3} ms")
        }
        Shot::Lost { seq } => format!("{address}: seq={seq} no answer"),
        Shot::Refused { seq, icmp_type, icmp_code } => format!("{address}: seq={seq} refused (ICMP type {icmp_type}, code {icmp_code})"),
    }
}

fn report<'a>(args: &'a Args, address: IpAddr, shots: &'a [Shot]) -> Report<'a> {
    let mut times: Vec<f64> =
        shots.iter().filter_map(|shot| if let Shot::Answered { rtt_ms, .. } = shot { Some(*rtt_ms) } else { None }).collect();
    times.sort_by(f64::total_cmp);
    let rtt_ms = match (times.first(), times.get(times.len() / 2), times.last()) {
        (Some(&min), Some(&median), Some(&max)) => Some(Times { min, median, max }),
        _ => None,
    };
    let refused = shots.iter().filter(|shot| matches!(shot, Shot::Refused { .. })).count();
    let lost = shots.len() - times.len();
    Report {
        host: &args.host,
        address,
        sent: shots.len(),
        answered: times.len(),
        refused,
        lost,
        loss_percent: lost as f64 * 100.0 / shots.len().max(1) as f64,
        rtt_ms,
        shots,
    }
}

fn summary(report: &Report<'_>) -> String {
    let head =
        format!("{} ({}): {} of {} answered, {:.0} % lost", report.host, report.address, report.answered, report.sent, report.loss_percent);
    match report.rtt_ms {
        Some(Times { min, median, max }) => format!("{head}; min/median/max {min:.3}/{median:.3}/{max:.3} ms"),
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_as_lost() {
        let args = Args { host: "www".into(), count: 3, pause: 10, timeout: 10, size: 56, json: true };
        let shots = [
            Shot::Answered { seq: 0, rtt_ms: 2.0, ttl: Some(64) },
            Shot::Refused { seq: 1, icmp_type: 3, icmp_code: 10 },
            Shot::Lost { seq: 2 },
            Shot::Answered { seq: 3, rtt_ms: 1.0, ttl: None },
        ];
        let address = "192.0.2.1".parse().unwrap();
        let report = report(&args, address, &shots);
        assert_eq!((report.sent, report.answered, report.refused, report.lost, report.loss_percent), (4, 2, 1, 2, 50.0));
        assert_eq!(summary(&report), "www (192.0.2.1): 2 of 4 answered, 50 % lost; min/median/max 1.000/2.000/2.000 ms");
        assert_eq!(line(address, &shots[1]), "192.0.2.1: seq=1 refused (ICMP type 3, code 10)");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["shots"][1], serde_json::json!({ "outcome": "refused", "seq": 1, "icmp_type": 3, "icmp_code": 10 }));
    }
}
