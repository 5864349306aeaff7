//! The link types in which captures come (https://www.tcpdump.org/linktypes.html).

/// What stands in front of the IP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Ethernet (1): DIX or IEEE 802.3 with LLC, tagged or not.
    Ethernet,
    /// Nothing: IPv4 or IPv6 by its first four bits (12, 14, 101, 228, 229).
    Ip,
    /// BSD loopback: four octets of address family, of either byte order (0, 108).
    Loopback,
    /// Linux cooked (113).
    Cooked,
    /// Linux cooked, version 2 (276).
    Cooked2,
}

/// A link type that is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("link type {number} ({name}) is not read: only Ethernet, raw IP, BSD loopback and Linux cooked frames are")]
pub struct UnknownLink {
    /// Its number.
    pub number: u32,
    /// Its name, where it is a usual one.
    pub name: &'static str,
}

impl Link {
    /// The link of a number of the tcpdump registry.
    ///
    /// # Errors
    /// It is one that is not read: radio frames above all, which are encrypted anyhow.
    pub const fn from_number(number: u32) -> Result<Self, UnknownLink> {
        let name = match number {
            1 => return Ok(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => return Ok(Self::Ip),
            0 | 108 => return Ok(Self::Loopback),
            113 => return Ok(Self::Cooked),
            276 => return Ok(Self::Cooked2),
            105 => "IEEE 802.11",
            119 => "IEEE 802.11 with Prism header",
            127 => "IEEE 802.11 with radiotap header",
            163 => "IEEE 802.11 with AVS header",
            192 => "PPI",
            9 | 50 => "PPP",
            51 => "PPPoE",
            104 => "Cisco HDLC",
            107 => "Frame Relay",
            147..=162 => "private use",
            187 | 201 | 251 | 256 => "Bluetooth",
            189 | 220 | 249 => "USB",
            195 | 215 | 230 => "IEEE 802.15.4",
            227 => "CAN",
            239 => "NFLOG",
            253 => "netlink",
            _ => "unknown here",
        };
        Err(UnknownLink { number, name })
    }
}
