//! What a neighbour says that it is: lldpRemSysCapEnabled (LLDP-MIB, IEEE 802.1AB 8.5.8) and cdpCacheCapabilities
//! (CISCO-CDP-MIB).

use serde::{Deserialize, Serialize};

/// What a neighbour does, as far as it matters to whoever touches the port that it is on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// It forwards frames between its ports: a switch, a hub.
    pub bridge: bool,
    /// It forwards packets between networks.
    pub router: bool,
    /// It is an access point of a wireless network.
    pub access_point: bool,
    /// It is a telephone; many have a socket for a computer.
    pub telephone: bool,
}

impl Capabilities {
    /// From BITS: bit 0 is the highest of the first octet. repeater(1), bridge(2), wlanAccessPoint(3), router(4), telephone(5).
    pub fn lldp(bits: &[u8]) -> Self {
        let first = bits.first().copied().unwrap_or(0);
        let has = |bit: u32| first & (0x80 >> bit) != 0;
        Self { bridge: has(1) || has(2), router: has(4), access_point: has(3), telephone: has(5) }
    }

    /// From the word of the CDP message, most significant octet first: router 0x01, bridges 0x02 and 0x04, switch 0x08,
    /// repeater 0x40, telephone 0x80.
    pub fn cdp(word: &[u8]) -> Self {
        let last = word.last().copied().unwrap_or(0);
        Self { bridge: last & 0x4e != 0, router: last & 0x01 != 0, access_point: false, telephone: last & 0x80 != 0 }
    }

    /// Whether others are reached through it.
    pub const fn leads_on(self) -> bool {
        self.bridge && !self.telephone || self.router || self.access_point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephones_with_a_socket_are_no_switches() {
        assert!(Capabilities::lldp(&[0x28, 0]).leads_on(), "bridge and router");
        let phone = Capabilities::lldp(&[0x24, 0]);
        assert!(phone.telephone && phone.bridge && !phone.leads_on());
        assert!(Capabilities::lldp(&[0x10]).access_point && !Capabilities::lldp(&[]).leads_on());
        assert!(Capabilities::cdp(&[0, 0, 0, 0x28]).leads_on() && !Capabilities::cdp(&[0, 0, 0, 0x90]).leads_on());
        assert!(!Capabilities::cdp(&[0, 0, 0, 0x10]).leads_on(), "a host");
    }
}
