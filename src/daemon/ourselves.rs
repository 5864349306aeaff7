//! This machine in its networks: its addresses, and whether it stands on both sides of networks that are apart.

use std::net::IpAddr;

use crate::config::Settings;
use crate::daemon::error::DaemonError;
use crate::detect::facts::Ourselves;
use crate::detect::zone::{BothSides, both_sides};
use crate::model::MacAddr;

/// The addresses of this machine, each with the interface that has it.
pub(super) fn addresses() -> Vec<(String, IpAddr)> {
    let interfaces = pnet_datalink::interfaces();
    interfaces.iter().flat_map(|interface| interface.ips.iter().map(|network| (interface.name.clone(), network.ip()))).collect()
}

/// Whether this machine stands on both sides without being allowed to (NET-SEP-01).
pub fn stands_on_both_sides(settings: &Settings) -> Option<BothSides> {
    both_sides(&addresses(), &settings.zones)
}

/// Refuses to run on both sides.
pub(super) fn separated(settings: &Settings) -> Result<(), DaemonError> {
    if let Some(reason) = &settings.zones.allow_both_zones {
        tracing::warn!(%reason, "this machine may stand in the inner and in the outer network: {reason}");
    }
    stands_on_both_sides(settings).map_or(Ok(()), |both| Err(DaemonError::BothSides(both)))
}

/// Who we are to the detectors.
pub fn ourselves() -> Ourselves {
    let macs = pnet_datalink::interfaces().iter().filter_map(|interface| interface.mac).map(|mac| MacAddr(mac.octets())).collect();
    let addresses = addresses().into_iter().map(|(_, address)| address).filter(|address| !address.is_loopback()).collect();
    Ourselves { addresses, macs }
}
