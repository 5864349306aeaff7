//! The campus as a `netroom.toml`.

use std::fmt::Write;
use std::net::SocketAddr;

use super::{COMMUNITY, Campus};

impl Campus {
    /// The configuration of the demo, with the addresses at which the agents listen in the order of [`Self::devices`].
    /// An empty list stands for the addresses as planned.
    pub fn configuration(&self, addresses: &[SocketAddr]) -> String {
        let mut text = format!(
            "# The demo's simulated campus: every switch answers real SNMP on loopback.\n\n\
             [snmp]\nversion = \"2c\"\ncommunity = \"{COMMUNITY}\"\ninterval = \"60s\"\n"
        );
        for (place, device) in self.devices().into_iter().enumerate() {
            let address = addresses.get(place).copied().unwrap_or(device.address);
            let tags = device.tags.iter().map(|tag| format!("\"{tag}\"")).collect::<Vec<_>>().join(", ");
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n[[device]]\nname = \"{}\"\naddress = \"{}\"\nport = {}\nsite = \"{}\"\ntags = [{tags}]\n",
                device.name,
                address.ip(),
                address.port(),
                device.site,
            );
        }
        text
    }
}
