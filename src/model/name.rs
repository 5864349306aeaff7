//! Who is who: devices, ports, addresses, zones.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DeviceText;

/// A device's number in the catalogue: given once to a configured name, kept for good, below 2^20.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub u32);

/// A port's number in the catalogue: given once to a (device, ifName), kept through renumbering of ifIndex, below 2^24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortId(pub u32);

/// ifIndex (IF-MIB): where a row stands in the device's tables today. Not an identity: devices renumber.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IfIndex(pub u32);

/// A 48-bit IEEE 802 address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// From an ifPhysAddress; `None` unless it has exactly six octets and is not all zero.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let bytes: [u8; 6] = octets.try_into().ok()?;
        (bytes != [0; 6]).then_some(Self(bytes))
    }
}

/// A text that is no MAC address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no MAC address; write it as 00:25:90:ab:cd:ef")]
pub struct UnknownMac(pub String);

impl FromStr for MacAddr {
    type Err = UnknownMac;

    /// Twelve digits in all the ways that devices and people group them: `00:25:90:ab:cd:ef`, `00-25-90-AB-CD-EF`,
    /// `0025.90ab.cdef`, `0025-90ab-cdef`, `002590abcdef`.
    fn from_str(text: &str) -> Result<Self, UnknownMac> {
        let unknown = || UnknownMac(text.to_owned());
        let groups: Vec<&str> = text.split([':', '-', '.']).collect();
        let wanted = match groups.len() {
            1 => 12,
            3 => 4,
            6 => 2,
            _ => return Err(unknown()),
        };
        let separators = text.chars().filter(|c| matches!(c, ':' | '-' | '.'));
        let is_even = groups.iter().all(|group| group.len() == wanted) && separators.collect::<std::collections::HashSet<_>>().len() <= 1;
        let digits: Vec<u8> = groups.concat().chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
        let octets: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect();
        let octets: [u8; 6] = octets.try_into().map_err(|_| unknown())?;
        if is_even { Ok(Self(octets)) } else { Err(unknown()) }
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which side of a physically separated network something belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// The office's own network, never connected to the outside.
    Inner,
    /// The side that reaches the internet.
    #[default]
    Outer,
    /// The network that the equipment itself is managed on.
    Management,
}

impl Zone {
    /// The word of configuration, labels and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::Outer => "outer",
            Self::Management => "management",
        }
    }
}

/// What is known of a port besides its counters: the row of ifTable and ifXTable, made readable.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PortIdentity {
    /// The number in the catalogue.
    pub id: PortId,
    /// Where it stands in the device's tables now.
    pub if_index: IfIndex,
    /// The name people use: ifName, else ifDescr, else `ifIndex N`; with `#2` behind a duplicate.
    pub name: Arc<str>,
    /// ifDescr.
    pub descr: DeviceText,
    /// ifAlias, set by the administrators of the switch; empty when none.
    pub alias: DeviceText,
    /// ifType (IANAifType-MIB), 6 = ethernetCsmacd.
    pub if_type: u32,
    /// ifPhysAddress, when it is a 48-bit address.
    pub mac: Option<MacAddr>,
    /// The port's speed in bits per second: ifHighSpeed x 10^6 if above 0, else ifSpeed; `None` when unknown or 0.
    pub speed_bps: Option<u64>,
    /// ifMtu in octets.
    pub mtu: Option<u32>,
    /// ifAdminStatus: 1 up, 2 down, 3 testing; 0 when not given.
    pub admin: u8,
    /// ifConnectorPresent: whether there is a physical socket.
    pub connector: Option<bool>,
    /// dot3StatsDuplexStatus: 1 unknown, 2 half, 3 full.
    pub duplex: Option<u8>,
    /// ifLastChange: sysUpTime (hundredths of a second) when the state last changed.
    pub last_change_ticks: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::MacAddr;

    #[test]
    fn a_mac_needs_six_octets_that_are_not_all_zero() {
        assert_eq!(MacAddr::from_octets(&[0, 1, 2, 0xab, 4, 5]).map(|mac| mac.to_string()), Some("00:01:02:ab:04:05".into()));
        assert_eq!(MacAddr::from_octets(&[0; 6]), None);
        assert_eq!(MacAddr::from_octets(b"80 E0"), None);
    }

    #[test]
    fn a_mac_is_read_in_every_grouping_and_no_other() {
        for text in ["00:25:90:ab:cd:ef", "00-25-90-AB-CD-EF", "0025.90ab.cdef", "0025-90ab-cdef", "002590abcdef"] {
            assert_eq!(text.parse(), Ok(MacAddr([0, 0x25, 0x90, 0xab, 0xcd, 0xef])), "{text}");
        }
        for text in
            ["", "00:25:90:ab:cd", "0:25:90:ab:cd:ef0", "00:25-90:ab:cd:ef", "0025.90ab.cdeg", "2001:db8::1", "十二个字的文字在这里啊啊"]
        {
            assert!(text.parse::<MacAddr>().is_err(), "{text}");
        }
    }
}
