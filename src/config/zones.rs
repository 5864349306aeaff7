//! `[zones]`: which networks are the inner and which the outer one, where the two are physically apart.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::site::networks;
use super::source::At;
use crate::model::Zone;

/// `[zones]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawZones {
    /// The networks of the inner side, which never reaches the internet.
    pub inner: Option<Vec<At<String>>>,
    /// The networks of the outer side.
    pub outer: Option<Vec<At<String>>>,
    /// Why this machine may have addresses on both sides; without a reason it refuses to start there.
    pub allow_both_zones: Option<At<String>>,
}

/// The two sides.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ZoneSettings {
    /// The networks of the inner side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<IpNet>,
    /// The networks of the outer side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outer: Vec<IpNet>,
    /// Why this machine may stand on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_both_zones: Option<Arc<str>>,
}

impl ZoneSettings {
    /// The side that an address is on: that of the narrowest network that holds it.
    pub fn of(&self, address: IpAddr) -> Option<Zone> {
        let address = address.to_canonical();
        let narrowest = |networks: &[IpNet]| networks.iter().filter(|network| network.contains(&address)).map(IpNet::prefix_len).max();
        match (narrowest(&self.inner), narrowest(&self.outer)) {
            (None, None) => None,
            (inner, outer) if inner > outer => Some(Zone::Inner),
            _ => Some(Zone::Outer),
        }
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: RawZones) -> ZoneSettings {
    let (inner, outer) = (networks(judge, raw.inner.as_deref()), networks(judge, raw.outer.as_deref()));
    let at = raw.inner.iter().flatten().chain(raw.outer.iter().flatten()).next();
    if let (Some(both), Some(at)) = (inner.iter().find(|network| outer.contains(network)), at) {
        let message = format!("{both} is named as an inner and as an outer network");
        judge.error(at.offset, Code::TwoWays, message, "name each network on its own side only");
    }
    let reason = raw.allow_both_zones;
    if let Some(at) = reason.as_ref().filter(|at| at.value.trim().is_empty()) {
        let remedy = "write why, as \"import station, approved by the director on 2026-11-20\"";
        judge.error(at.offset, Code::MissingKey, "`zones.allow_both_zones` gives no reason", remedy);
    }
    ZoneSettings { inner, outer, allow_both_zones: reason.map(|at| at.value.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_network_says_the_side() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let zones = ZoneSettings { inner: vec![net("10.0.0.0/8")], outer: vec![net("10.200.0.0/16")], allow_both_zones: None };
        for (address, zone) in [("10.1.0.5", Some(Zone::Inner)), ("10.200.0.5", Some(Zone::Outer)), ("192.0.2.1", None)] {
            assert_eq!(zones.of(address.parse().unwrap()), zone, "{address}");
        }
        assert_eq!(zones.of("::ffff:10.1.0.5".parse().unwrap()), Some(Zone::Inner));
    }
}
