//! The interfaces of this machine, by name: which there are, and whether they carry anything.

use pnet_datalink::NetworkInterface;

use crate::model::MacAddr;

/// One interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Its name now.
    pub name: String,
    /// ifIndex: it stays when the name changes.
    pub index: u32,
    /// Its own address.
    pub mac: Option<MacAddr>,
    /// Whether it is set up and has a carrier.
    pub is_up: bool,
}

/// All of them.
pub fn list() -> Vec<Interface> {
    pnet_datalink::interfaces().into_iter().map(interface).collect()
}

fn interface(found: NetworkInterface) -> Interface {
    let mac = found.mac.and_then(|mac| MacAddr::from_octets(&mac.octets()));
    Interface { is_up: found.is_up() && found.is_running(), name: found.name, index: found.index, mac }
}
