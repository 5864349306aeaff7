//! IPv6 neighbour discovery (RFC 4861): routers that offer themselves, and who claims which address.

use std::net::Ipv6Addr;

use super::Reader;
use crate::model::MacAddr;

/// Options of one message that are looked at; each has eight octets or more.
const MOST_OPTIONS: usize = 32;

/// The hop limit that every such message has: what passed a router has less, and is forged.
pub const HOPS: u8 = 255;

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// A router offers itself (type 134).
    RouterAdvertisement {
        /// For how many seconds it will be the way out; 0: it no longer is.
        lifetime_s: u16,
        /// Its address on the segment, where it tells it.
        mac: Option<MacAddr>,
        /// The first prefix that it gives, with its length.
        prefix: Option<(Ipv6Addr, u8)>,
    },
    /// Somebody asks who has an address (type 135).
    NeighbourSolicitation {
        /// Which address.
        target: Ipv6Addr,
        /// The asker's address on the segment; absent while it checks that an address is free.
        mac: Option<MacAddr>,
    },
    /// Somebody says that it has an address (type 136).
    NeighbourAdvertisement {
        /// Which address.
        target: Ipv6Addr,
        /// Whether the sender is a router.
        router: bool,
        /// Whether it was asked.
        solicited: bool,
        /// Whether it is to replace what others remember.
        overrides: bool,
        /// The address on the segment; absent where the frame's own is meant.
        mac: Option<MacAddr>,
    },
}

impl Message {
    /// Reads a message of ICMPv6 by its type, from behind its checksum. `None` for other types and what is cut before the options.
    pub fn parse(kind: u8, data: &[u8]) -> Option<Self> {
        let mut reader = Reader(data);
        match kind {
            134 => {
                let [_hops, _flags] = reader.array()?;
                let lifetime_s = reader.short()?;
                reader.take(8)?;
                let options = Options::read(reader);
                Some(Self::RouterAdvertisement { lifetime_s, mac: options.source, prefix: options.prefix })
            }
            135 => {
                reader.take(4)?;
                let target = Ipv6Addr::from(reader.array::<16>()?);
                Some(Self::NeighbourSolicitation { target, mac: Options::read(reader).source })
            }
            136 => {
                let [flags, ..] = reader.array::<4>()?;
                let target = Ipv6Addr::from(reader.array::<16>()?);
                let (router, solicited, overrides) = (flags & 0x80 != 0, flags & 0x40 != 0, flags & 0x20 != 0);
                Some(Self::NeighbourAdvertisement { target, router, solicited, overrides, mac: Options::read(reader).target })
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Options {
    source: Option<MacAddr>,
    target: Option<MacAddr>,
    prefix: Option<(Ipv6Addr, u8)>,
}

impl Options {
    fn read(mut reader: Reader<'_>) -> Self {
        let mut options = Self::default();
        for _ in 0..MOST_OPTIONS {
            let (Some(kind), Some(eights)) = (reader.octet(), reader.octet()) else { break };
            // A length of 0 would never end (RFC 4861, 4.6).
            let Some(length) = usize::from(eights).checked_mul(8).and_then(|octets| octets.checked_sub(2)) else { break };
            let Some(value) = reader.take(length) else { break };
            let mac = || value.get(..6).and_then(MacAddr::from_octets);
            match kind {
                1 => options.source = options.source.or_else(mac),
                2 => options.target = options.target.or_else(mac),
                3 if options.prefix.is_none() => options.prefix = prefix(value),
                _ => {}
            }
        }
        options
    }
}

fn prefix(value: &[u8]) -> Option<(Ipv6Addr, u8)> {
    let mut reader = Reader(value);
    let length = reader.octet()?;
    reader.take(13)?;
    Some((Ipv6Addr::from(reader.array::<16>()?), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);

    #[test]
    fn a_router_is_read() {
        let mut data = vec![64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        data.extend([1, 1, 2, 0, 0, 0, 0, 9]);
        data.extend([3, 4, 64, 0xc0]);
        data.extend([0; 12]);
        data.extend("2001:db8:7::".parse::<Ipv6Addr>().unwrap().octets());
        let prefix = Some(("2001:db8:7::".parse().unwrap(), 64));
        assert_eq!(Message::parse(134, &data), Some(Message::RouterAdvertisement { lifetime_s: 1800, mac: Some(MAC), prefix }));
        let cut = Message::parse(134, &data[..40]);
        assert_eq!(cut, Some(Message::RouterAdvertisement { lifetime_s: 1800, mac: Some(MAC), prefix: None }));
        assert_eq!(Message::parse(134, &data[..11]), None);
    }

    #[test]
    fn neighbours_are_read() {
        let target: Ipv6Addr = "fe80::9".parse().unwrap();
        let ask = [&[0; 4], &target.octets()[..], &[1, 1, 2, 0, 0, 0, 0, 9]].concat();
        assert_eq!(Message::parse(135, &ask), Some(Message::NeighbourSolicitation { target, mac: Some(MAC) }));
        assert_eq!(Message::parse(135, &ask[..20]), Some(Message::NeighbourSolicitation { target, mac: None }));
        let say = [&[0x60, 0, 0, 0], &target.octets()[..], &[2, 1, 2, 0, 0, 0, 0, 9]].concat();
        let said = Message::NeighbourAdvertisement { target, router: false, solicited: true, overrides: true, mac: Some(MAC) };
        assert_eq!(Message::parse(136, &say), Some(said));
        assert_eq!(Message::parse(133, &say), None);
    }

    #[test]
    fn an_option_without_length_ends_the_reading() {
        let data = [&[0; 20][..], &[1, 0, 1, 1, 2, 0, 0, 0, 0, 9]].concat();
        assert_eq!(Message::parse(135, &data), Some(Message::NeighbourSolicitation { target: Ipv6Addr::UNSPECIFIED, mac: None }));
    }

    proptest! {
        #[test]
        fn any_octets_are_borne(kind in 133_u8..138, data in proptest::collection::vec(any::<u8>(), 0..300)) {
            Message::parse(kind, &data);
        }
    }
}
