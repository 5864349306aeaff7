//! DHCP for IPv4 (RFC 2131, options of RFC 2132): who asks, who answers, and what is given away.

use std::net::Ipv4Addr;

use super::Reader;
use crate::model::MacAddr;

/// What stands before the options.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Octets of `sname` and `file`, which no judge needs.
const NAMES: usize = 64 + 128;
/// Options that are looked at: a message of 1,500 octets with the shortest ones would have more, an honest one never has.
const MOST_OPTIONS: usize = 128;

/// DHCP message types (option 53) that judges tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// A client asks for an address.
    Request,
    /// A server gives it.
    Ack,
    /// A server refuses it.
    Nak,
    /// Any other, and BOOTP, which has none (0).
    Other(u8),
}

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// Whether it is a server's (BOOTREPLY).
    pub is_reply: bool,
    /// Its number.
    pub xid: u32,
    /// Whose lease: chaddr, when it is an Ethernet address.
    pub client: Option<MacAddr>,
    /// yiaddr, the address that is given; 0.0.0.0 when none is.
    pub given: Ipv4Addr,
    /// giaddr, the relay that it passed; 0.0.0.0 when it passed none.
    pub relay: Ipv4Addr,
    /// Option 53.
    pub kind: Kind,
    /// Option 54, the server's address.
    pub server: Option<Ipv4Addr>,
    /// Option 3, the first gateway that is given.
    pub router: Option<Ipv4Addr>,
    /// Option 6, the first resolver that is given.
    pub resolver: Option<Ipv4Addr>,
}

/// What a client calls itself (option 12), as octets of any kind. `None` in replies, and where it says nothing.
pub fn host_name(octets: &[u8]) -> Option<&[u8]> {
    /// What stands before `sname`.
    const FIXED: usize = 44;
    let mut reader = Reader(octets);
    if reader.octet()? != 1 {
        return None;
    }
    reader.take(FIXED - 1 + NAMES)?;
    if reader.array()? != COOKIE {
        return None;
    }
    for _ in 0..MOST_OPTIONS {
        let code = match reader.octet()? {
            255 => return None,
            0 => continue,
            code => code,
        };
        let length = usize::from(reader.octet()?);
        let value = reader.take(length)?;
        if code == 12 {
            return Some(value);
        }
    }
    None
}

impl Message {
    /// Reads a message. Options that were cut are missing. `None` when it is no DHCP message or cut before its names.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader(octets);
        let [operation, hardware, length, _hops] = reader.array()?;
        let is_reply = match operation {
            1 => false,
            2 => true,
            _ => return None,
        };
        let xid = u32::from_be_bytes(reader.array()?);
        let _secs_and_flags: [u8; 4] = reader.array()?;
        let _client: [u8; 4] = reader.array()?;
        let given = Ipv4Addr::from(reader.array::<4>()?);
        let _next_server: [u8; 4] = reader.array()?;
        let relay = Ipv4Addr::from(reader.array::<4>()?);
        let address: [u8; 16] = reader.array()?;
        let [a, b, c, d, e, f, ..] = address;
        let client = if (hardware, length) == (1, 6) { MacAddr::from_octets(&[a, b, c, d, e, f]) } else { None };
        let mut message = Self { is_reply, xid, client, given, relay, kind: Kind::Other(0), server: None, router: None, resolver: None };
        // Captures are cut: who asks and what is given stands before the names.
        if reader.take(NAMES).is_some() && reader.array() == Some(COOKIE) {
            message.options(reader);
        }
        Some(message)
    }

    /// Options overloaded into `sname` and `file` (option 52) are left alone: servers put none there that is read here.
    fn options(&mut self, mut reader: Reader<'_>) {
        for _ in 0..MOST_OPTIONS {
            let code = match reader.octet() {
                None | Some(255) => return,
                Some(0) => continue,
                Some(code) => code,
            };
            let Some(value) = reader.octet().and_then(|length| reader.take(usize::from(length))) else { return };
            let address = || Reader(value).array::<4>().map(Ipv4Addr::from);
            match code {
                3 => self.router = address(),
                6 => self.resolver = address(),
                53 => self.kind = value.first().map_or(Kind::Other(0), |number| Kind::of(*number)),
                54 => self.server = address(),
                _ => {}
            }
        }
    }
}

impl Kind {
    const fn of(number: u8) -> Self {
        match number {
            1 => Self::Discover,
            2 => Self::Offer,
            3 => Self::Request,
            5 => Self::Ack,
            6 => Self::Nak,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(operation: u8, options: &[u8]) -> Vec<u8> {
        let mut octets = vec![operation, 1, 6, 0, 0xde, 0xad, 0, 1];
        octets.extend([0; 8]);
        octets.extend([10, 1, 0, 7]);
        octets.extend([0; 4]);
        octets.extend([10, 1, 0, 254]);
        octets.extend([2, 0, 0, 0, 0, 9]);
        octets.extend([0; 10 + NAMES]);
        octets.extend(COOKIE);
        octets.extend(options);
        octets
    }

    const OFFER: [u8; 23] = [0, 53, 1, 2, 54, 4, 10, 1, 0, 2, 3, 8, 10, 1, 0, 1, 10, 1, 0, 2, 6, 4, 10];

    #[test]
    fn a_client_says_its_name_and_a_server_none() {
        let options = [53, 1, 3, 0, 12, 4, b'P', b'C', b'-', b'7', 255];
        assert_eq!(host_name(&message(1, &options)), Some(&b"PC-7"[..]));
        assert_eq!(host_name(&message(2, &options)), None);
        assert_eq!(host_name(&message(1, &options[..7])), None);
        assert_eq!(host_name(&message(1, &[255, 12, 1, b'x'])), None);
    }

    #[test]
    fn an_offer_is_read() {
        let octets = message(2, &[&OFFER[..], &[1, 0, 3, 255, 3, 4, 9, 9, 9, 9]].concat());
        let read = Message::parse(&octets).unwrap();
        let ip = |d| Ipv4Addr::new(10, 1, 0, d);
        assert_eq!(
            read,
            Message {
                is_reply: true,
                xid: 0xdead_0001,
                client: Some(MacAddr([2, 0, 0, 0, 0, 9])),
                given: ip(7),
                relay: ip(254),
                kind: Kind::Offer,
                server: Some(ip(2)),
                router: Some(ip(1)),
                resolver: Some(Ipv4Addr::new(10, 1, 0, 3)),
            }
        );
    }

    #[test]
    fn a_cut_message_lacks_only_what_was_cut() {
        let octets = message(2, &OFFER);
        let cut = Message::parse(&octets).unwrap();
        assert_eq!((cut.kind, cut.server.is_some(), cut.resolver), (Kind::Offer, true, None));
        assert_eq!(Message::parse(&octets[..236]).unwrap().kind, Kind::Other(0), "no options at all");
        let short = Message::parse(&octets[..54]).unwrap();
        assert_eq!((short.client, short.kind), (cut.client, Kind::Other(0)), "a capture with a short snap length");
        assert_eq!(Message::parse(&octets[..40]), None);
        assert_eq!(Message::parse(&message(3, &OFFER)), None, "neither request nor reply");
    }

    proptest! {
        #[test]
        fn any_octets_are_borne(octets in proptest::collection::vec(any::<u8>(), 0..700)) {
            Message::parse(&octets);
        }

        #[test]
        fn any_options_are_borne(options in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Message::parse(&message(1, &options)).is_some());
        }
    }
}
