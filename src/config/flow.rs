//! `[flow]`: where exporters send NetFlow, IPFIX and sFlow, and who may.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::source::At;
use super::span;

/// NetFlow by habit, IPFIX and sFlow by IANA.
const PORTS: [u16; 3] = [2055, 4739, 6343];
const SILENT: Duration = Duration::from_secs(15 * 60);
const SILENCES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 3_600));

/// `[flow]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFlow {
    /// Whether flow records are received.
    pub enabled: Option<bool>,
    /// Where; each address takes every protocol. Ports 2055, 4739 and 6343 of all IPv4 addresses when not given.
    pub listen: Option<Vec<At<String>>>,
    /// Addresses and networks that may send, beside the configured devices.
    pub exporters: Option<Vec<At<String>>>,
    /// An exporter that has sent before and does not for so long is told, 1m to 7d.
    pub silent: Option<At<String>>,
}

/// How flow records are received.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FlowSettings {
    /// Where; empty for not at all.
    pub listen: Vec<SocketAddr>,
    /// Who may send, beside the configured devices.
    pub exporters: Vec<IpNet>,
    /// An exporter is told as silent after this time.
    #[serde(serialize_with = "span::serialize")]
    pub silent: Duration,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self { listen: Vec::new(), exporters: Vec::new(), silent: SILENT }
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: &RawFlow) -> FlowSettings {
    let exporters = raw.exporters.iter().flatten().filter_map(|at| network(judge, at)).collect();
    let silent = judge.duration(raw.silent.as_ref(), "flow.silent", SILENCES).unwrap_or(SILENT);
    let listen: Vec<SocketAddr> = match &raw.listen {
        Some(listen) => listen.iter().filter_map(|at| address(judge, at)).collect(),
        None => PORTS.iter().map(|port| (Ipv4Addr::UNSPECIFIED, *port).into()).collect(),
    };
    let listen = if raw.enabled.unwrap_or(false) { listen } else { Vec::new() };
    FlowSettings { listen, exporters, silent }
}

fn address(judge: &mut Judge<'_>, at: &At<String>) -> Option<SocketAddr> {
    let address = at.value.parse().ok();
    if address.is_none() {
        judge.error(
            at.offset,
            Code::BadAddress,
            format!("`flow.listen` is no IP address with a port: \"{}\"", at.value),
            "write it as \"0.0.0.0:2055\", or \"[::]:2055\" for IPv6",
        );
    }
    address
}

fn network(judge: &mut Judge<'_>, at: &At<String>) -> Option<IpNet> {
    let network = at.value.parse::<IpNet>().or_else(|_| at.value.parse().map(|host: std::net::IpAddr| IpNet::from(host))).ok();
    if network.is_none() {
        judge.error(
            at.offset,
            Code::BadAddress,
            format!("`flow.exporters` holds no address and no network: \"{}\"", at.value),
            "write an address as \"10.0.0.5\", or a network as \"10.0.0.0/24\"",
        );
    }
    network
}
