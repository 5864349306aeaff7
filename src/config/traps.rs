//! `[traps]`: where notifications are received, and from whom beyond the configured devices.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::secret::Secret;
use super::secrets::Ways;
use super::settings::User;
use super::source::At;

/// What one source may send in the long run, unless said otherwise: notifications a second.
const PER_SECOND: u32 = 50;

/// `[traps]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTraps {
    /// Where traps and informs are received, like `0.0.0.0:162`; nowhere when not given.
    pub listen: Option<Vec<At<String>>>,
    /// A community that is taken from every address; each device's own is always taken from that device.
    pub community: Option<At<String>>,
    /// A file that holds this community.
    pub community_file: Option<At<String>>,
    /// A systemd credential that holds this community.
    pub community_credential: Option<At<String>>,
    /// What one source may send in the long run, notifications a second; four times as many at once.
    #[schemars(range(min = 1, max = 100_000))]
    pub per_second: Option<u32>,
}

/// How notifications are received. The users of `[snmp.users]` may send by SNMPv3, at their own level.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TrapSettings {
    /// Where; empty for not at all.
    pub listen: Vec<SocketAddr>,
    /// A community that is taken from every address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<Secret>,
    /// What one source may send in the long run, notifications a second.
    pub per_second: u32,
    /// Who may send by SNMPv3.
    #[serde(skip)]
    pub users: Vec<User>,
}

impl Default for TrapSettings {
    fn default() -> Self {
        Self { listen: Vec::new(), community: None, per_second: PER_SECOND, users: Vec::new() }
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: &RawTraps, users: Vec<User>) -> TrapSettings {
    let ways = Ways {
        key: "community",
        inline: raw.community.as_ref(),
        file: raw.community_file.as_ref(),
        credential: raw.community_credential.as_ref(),
    };
    let community = if ways.offsets().next().is_some() { judge.secret(&ways) } else { None };
    let listen = raw.listen.iter().flatten().filter_map(|at| address(judge, at)).collect();
    TrapSettings { listen, community, per_second: raw.per_second.unwrap_or(PER_SECOND).max(1), users }
}

fn address(judge: &mut Judge<'_>, at: &At<String>) -> Option<SocketAddr> {
    let address = at.value.parse().ok();
    if address.is_none() {
        judge.error(
            at.offset,
            Code::BadAddress,
            format!("`traps.listen` is no IP address with a port: \"{}\"", at.value),
            "write it as \"0.0.0.0:162\", or \"[::]:162\" for IPv6",
        );
    }
    address
}
