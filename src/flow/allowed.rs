//! Who may tell us flows.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// The exporters that are listened to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Allowed {
    /// Single addresses: those of the configured devices.
    pub addresses: HashSet<IpAddr>,
    /// Ranges by configuration.
    pub networks: Vec<IpNet>,
}

impl Allowed {
    /// Whether this address may.
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address) || self.networks.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::Allowed;

    #[test]
    fn devices_and_ranges_may_and_nobody_else() {
        let allowed = Allowed { addresses: ["10.1.0.2".parse().unwrap()].into(), networks: vec!["2001:db8::/32".parse().unwrap()] };
        for (address, may) in [("10.1.0.2", true), ("10.1.0.3", false), ("2001:db8::7", true), ("2001:db9::7", false)] {
            assert_eq!(allowed.has(address.parse().unwrap()), may, "{address}");
        }
        assert!(!Allowed::default().has("127.0.0.1".parse().unwrap()));
    }
}
