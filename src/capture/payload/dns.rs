//! DNS messages (RFC 1035): the head, the first question, the outcome, and the addresses in the answer. Multicast DNS (RFC 6762),
//! LLMNR (RFC 4795) and NetBIOS names (RFC 1002) have the same form and are told apart by their ports, because a name that
//! does not exist means nothing there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Reader;

/// Octets of the head.
const HEAD: usize = 12;
/// The most octets that a name has (RFC 1035, 2.3.4).
pub const LONGEST_NAME: usize = 255;
/// Records of an answer that are looked at. Answers with more than this are no longer UDP.
const MOST_RECORDS: u16 = 64;

/// Which of the protocols of this form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavour {
    /// Names of the internet, asked of a resolver.
    Dns,
    /// Names of the link, asked of everybody.
    Mdns,
    /// The same of Windows.
    Llmnr,
    /// NetBIOS names.
    Nbns,
}

impl Flavour {
    /// By the ports of a datagram; `None` when neither port is one of these.
    pub const fn of(src_port: u16, dst_port: u16) -> Option<Self> {
        match (src_port, dst_port) {
            (53, _) | (_, 53) => Some(Self::Dns),
            (5353, _) | (_, 5353) => Some(Self::Mdns),
            (5355, _) | (_, 5355) => Some(Self::Llmnr),
            (137, _) | (_, 137) => Some(Self::Nbns),
            _ => None,
        }
    }
}

/// RCODE 3: there is no such name.
pub const NXDOMAIN: u8 = 3;

/// A message whose head could be read.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    /// Its number.
    pub id: u16,
    /// Whether it is an answer.
    pub is_response: bool,
    /// 0 for an ordinary query.
    pub opcode: u8,
    /// How it ended, in answers: 0 well, [`NXDOMAIN`] no such name.
    pub rcode: u8,
    /// Questions, as the head tells.
    pub questions: u16,
    /// Records of the answer, as the head tells.
    pub answers: u16,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which name.
    pub name: Name<'a>,
    /// Which type of record: 1 A, 28 AAAA, 16 TXT ...
    pub kind: u16,
    /// Which class: 1 the internet.
    pub class: u16,
}

impl<'a> Message<'a> {
    /// Reads the head. `None` when there is less than a head.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(octets);
        let (id, flags) = (reader.short()?, reader.array::<2>()?);
        let (questions, answers) = (reader.short()?, reader.short()?);
        reader.take(4)?;
        let [high, low] = flags;
        Some(Self { octets, id, is_response: high & 0x80 != 0, opcode: high >> 3 & 15, rcode: low & 15, questions, answers })
    }

    /// Reads a message as it stands in a TCP segment: behind its length. A message over several segments is read as far as the first goes.
    pub fn parse_segment(octets: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(octets);
        let length = reader.short()?;
        Self::parse(reader.take_most(usize::from(length)))
    }

    /// The first question; `None` when there is none, or when it was cut.
    pub fn question(&self) -> Option<Question<'a>> {
        if self.questions == 0 {
            return None;
        }
        let name = Name { message: self.octets, at: HEAD };
        let mut reader = Reader(self.octets.get(name.end()?..)?);
        Some(Question { name, kind: reader.short()?, class: reader.short()? })
    }

    /// The addresses of the answer (A and AAAA records), whatever name they stand under: those of aliases are the question's too.
    pub fn addresses(&self) -> Addresses<'a> {
        let mut at = HEAD;
        for _ in 0..self.questions.min(MOST_RECORDS) {
            let behind = Name { message: self.octets, at }.end().map(|end| end + 4);
            let Some(behind) = behind else { return Addresses { octets: self.octets, at, left: 0 } };
            at = behind;
        }
        let left = if self.is_response { self.answers.min(MOST_RECORDS) } else { 0 };
        Addresses { octets: self.octets, at, left }
    }
}

/// The name by which a machine that speaks from this address calls itself: in multicast DNS and LLMNR the owner of an address
/// record with its own address, in NetBIOS the unique name of a workstation that it registers (RFC 1002, 4.2.2). Without `.local`.
pub fn own_name(flavour: Flavour, octets: &[u8], speaker: IpAddr) -> Option<String> {
    let mut reader = Reader(octets);
    let (_, flags) = (reader.short()?, reader.short()?);
    let mut records = 0_u16;
    let questions = reader.short()?;
    for _ in 0..3 {
        records = records.saturating_add(reader.short()?);
    }
    let registers = matches!(flags >> 11 & 15, 5 | 8 | 9);
    if matches!(flavour, Flavour::Dns) || (matches!(flavour, Flavour::Nbns) && !registers) {
        return None;
    }
    let mut at = HEAD;
    for _ in 0..questions.min(MOST_RECORDS) {
        at = Name { message: octets, at }.end()? + 4;
    }
    for _ in 0..records.min(MOST_RECORDS) {
        let name = Name { message: octets, at };
        let start = name.end()?;
        let mut reader = Reader(octets.get(start..)?);
        // The highest bit of the class says that others' records are to be forgotten.
        let (kind, class) = (reader.short()?, reader.short()? & 0x7fff);
        reader.take(4)?;
        let length = usize::from(reader.short()?);
        let data = reader.take(length)?;
        at = start + 10 + length;
        let address = match (flavour, kind) {
            (Flavour::Mdns | Flavour::Llmnr, 1) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            (Flavour::Mdns | Flavour::Llmnr, 28) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            // NB: flags, of which the highest bit marks a group, and the address.
            (Flavour::Nbns, 32) => match data {
                [flags, _, a, b, c, d] if flags & 0x80 == 0 => Some(IpAddr::from([*a, *b, *c, *d])),
                _ => None,
            },
            _ => None,
        };
        if class == 1 && address == Some(speaker) {
            let label = name.labels().next()?;
            return match flavour {
                Flavour::Nbns => netbios(label),
                _ => Some(String::from_utf8_lossy(label).into_owned()),
            };
        }
    }
    None
}

/// The name of a workstation out of its first-level encoding: a letter for each half octet, blanks at the end, and a suffix of 0.
fn netbios(label: &[u8]) -> Option<String> {
    let half = |letter: u8| letter.to_ascii_uppercase().checked_sub(b'A').filter(|half| *half < 16);
    let (pairs, rest) = label.as_chunks::<2>();
    let octets = pairs.iter().map(|[high, low]| Some(half(*high)? << 4 | half(*low)?)).collect::<Option<Vec<u8>>>()?;
    let (suffix, name) = octets.split_last()?;
    let is_workstation = octets.len() == 16 && rest.is_empty() && *suffix == 0;
    let name = String::from_utf8_lossy(name).trim_end().to_owned();
    (is_workstation && !name.is_empty()).then_some(name)
}

/// See [`Message::addresses`].
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    octets: &'a [u8],
    at: usize,
    left: u16,
}

impl Iterator for Addresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        while self.left > 0 {
            self.left -= 1;
            let start = Name { message: self.octets, at: self.at }.end()?;
            let mut reader = Reader(self.octets.get(start..)?);
            let (kind, class) = (reader.short()?, reader.short()?);
            reader.take(4)?;
            let length = usize::from(reader.short()?);
            let data = reader.take(length)?;
            self.at = start + 10 + length;
            let address = match (kind, class) {
                (1, 1) => <[u8; 4]>::try_from(data).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
                (28, 1) => <[u8; 16]>::try_from(data).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
                _ => None,
            };
            if address.is_some() {
                return address;
            }
        }
        None
    }
}

/// A name inside a message, which may go on elsewhere in it (compression, RFC 1035, 4.1.4).
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Name<'a> {
    /// Its labels, from the host to the top level. They end early where the name is cut or leads in a circle.
    pub fn labels(self) -> Labels<'a> {
        Labels { message: self.message, at: self.at, lowest: self.at, octets: 0 }
    }

    /// The name in lower case with dots between the labels. Labels may hold any octet.
    pub fn text(self, buffer: &mut [u8; LONGEST_NAME]) -> &[u8] {
        let mut length = 0;
        for label in self.labels() {
            let dot = usize::from(length > 0);
            let Some(space) = buffer.get_mut(length..length + dot + label.len()) else { break };
            let (front, place) = space.split_at_mut(dot);
            front.fill(b'.');
            for (to, from) in place.iter_mut().zip(label) {
                *to = from.to_ascii_lowercase();
            }
            length += dot + label.len();
        }
        buffer.get(..length).unwrap_or_default()
    }

    /// Where the name ends in the place where it begins: behind its last label or behind the first pointer.
    fn end(self) -> Option<usize> {
        let mut at = self.at;
        // Every label has an octet or more, so a name has at most 128 steps.
        for _ in 0..=LONGEST_NAME / 2 {
            let length = *self.message.get(at)?;
            match length {
                0 => return Some(at + 1),
                1..=63 => at += 1 + usize::from(length),
                192..=255 => return (at + 2 <= self.message.len()).then_some(at + 2),
                _ => return None,
            }
        }
        None
    }
}

/// See [`Name::labels`].
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    /// Pointers must lead to before this: so they end.
    lowest: usize,
    octets: usize,
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let length = usize::from(*self.message.get(self.at)?);
            match length {
                1..=63 => {
                    let label = self.message.get(self.at + 1..self.at + 1 + length)?;
                    self.octets += 1 + length;
                    self.at += 1 + length;
                    return (self.octets < LONGEST_NAME).then_some(label);
                }
                192.. => {
                    let to = (length & 63) << 8 | usize::from(*self.message.get(self.at + 1)?);
                    if to >= self.lowest {
                        return None;
                    }
                    (self.at, self.lowest) = (to, to);
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer to `www.example.cn A` with an alias and an address, names compressed.
    fn answer() -> Vec<u8> {
        let mut octets = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        octets.extend(b"\x03WWW\x07example\x02cn\0\0\x01\0\x01");
        octets.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10");
        octets.extend(b"\xc0\x2c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\x00\x02\x01");
        octets
    }

    fn text(name: Name<'_>) -> String {
        String::from_utf8_lossy(name.text(&mut [0; LONGEST_NAME])).into_owned()
    }

    #[test]
    fn an_answer_is_read() {
        let octets = answer();
        let message = Message::parse(&octets).unwrap();
        assert_eq!((message.id, message.is_response, message.opcode, message.rcode), (0x1234, true, 0, 0));
        let question = message.question().unwrap();
        assert_eq!((text(question.name).as_str(), question.kind, question.class), ("www.example.cn", 1, 1));
        assert_eq!(message.addresses().collect::<Vec<_>>(), [IpAddr::from([192, 0, 2, 1])]);
        assert_eq!(text(Name { message: &octets, at: 0x2c }), "cdn.example.cn");
    }

    #[test]
    fn what_is_cut_gives_what_is_there() {
        let octets = answer();
        for cut in 0..octets.len() {
            let message = Message::parse(&octets[..cut]);
            assert_eq!(message.is_some(), cut >= HEAD, "{cut}");
            let Some(message) = message else { continue };
            assert_eq!(message.question().is_some(), cut >= HEAD + 20, "{cut}");
            assert_eq!(message.addresses().count(), 0, "{cut}");
        }
        let segment = [&[0, u8::try_from(octets.len()).unwrap()], octets.as_slice(), b"more"].concat();
        assert_eq!(Message::parse_segment(&segment).unwrap().addresses().count(), 1);
    }

    #[test]
    fn a_name_that_leads_in_a_circle_ends() {
        let mut octets = vec![0; HEAD];
        octets[5] = 1;
        octets.extend(b"\x01a\xc0\x0c\0\x01\0\x01");
        let name = Message::parse(&octets).unwrap().question().unwrap().name;
        assert_eq!(name.labels().collect::<Vec<_>>(), [b"a"]);
        octets.truncate(HEAD);
        octets.extend(b"\xc0\x0e\xc0\x0c\0\x01\0\x01");
        assert_eq!(Name { message: &octets, at: HEAD }.labels().count(), 0);
    }

    #[test]
    fn a_name_has_at_most_255_octets() {
        let mut octets = vec![0; HEAD];
        octets[5] = 1;
        for _ in 0..5 {
            octets.push(63);
            octets.extend([b'x'; 63]);
        }
        octets.extend([0, 0, 1, 0, 1]);
        let name = Message::parse(&octets).unwrap().question().unwrap().name;
        assert!(name.text(&mut [0; LONGEST_NAME]).len() <= LONGEST_NAME);
        assert_eq!(name.labels().count(), 3);
    }

    #[test]
    fn ports_tell_the_protocols_apart() {
        assert_eq!(Flavour::of(40_000, 53), Some(Flavour::Dns));
        assert_eq!(Flavour::of(5353, 5353), Some(Flavour::Mdns));
        assert_eq!(Flavour::of(50_000, 5355), Some(Flavour::Llmnr));
        assert_eq!(Flavour::of(137, 137), Some(Flavour::Nbns));
        assert_eq!(Flavour::of(443, 50_000), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_borne(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
            for message in [Message::parse(&octets), Message::parse_segment(&octets)].into_iter().flatten() {
                let most = message.addresses().count();
                prop_assert!(most <= usize::from(MOST_RECORDS));
                if let Some(question) = message.question() {
                    let octets: usize = question.name.labels().map(|label| label.len() + 1).sum();
                    prop_assert!(octets <= LONGEST_NAME);
                    prop_assert!(question.name.text(&mut [0; LONGEST_NAME]).len() < LONGEST_NAME);
                }
            }
        }

        #[test]
        fn names_are_read_as_they_were_written(labels in proptest::collection::vec("[a-z0-9_-]{1,20}", 1..8)) {
            let mut octets = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            for label in &labels {
                octets.push(u8::try_from(label.len()).unwrap());
                octets.extend(label.as_bytes());
            }
            octets.extend([0, 0, 28, 0, 1]);
            let question = Message::parse(&octets).unwrap().question().unwrap();
            prop_assert_eq!(text(question.name), labels.join("."));
            prop_assert_eq!(question.kind, 28);
        }
    }

    fn mdns(ip: [u8; 4]) -> Vec<u8> {
        let mut octets = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        octets.extend(b"\x04_ipp\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x02\xc0\x0c");
        octets.extend(b"\x07A301-07\xc0\x16\0\x01\x80\x01\0\0\0\x78\0\x04");
        octets.extend(ip);
        octets
    }

    fn registration(name: &str, suffix: u8, group: u8) -> Vec<u8> {
        let mut octets = vec![0x12, 0x34, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1, 32];
        let padded = format!("{name:<15}");
        octets.extend(padded.bytes().chain([suffix]).flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]));
        octets.extend(b"\0\0\x20\0\x01\xc0\x0c\0\x20\0\x01\0\x04\x93\xe0\0\x06");
        octets.extend([group, 0, 10, 1, 0, 9]);
        octets
    }

    #[test]
    fn a_machine_says_its_own_name_and_nobody_elses() {
        let own = IpAddr::from([10, 1, 0, 9]);
        let mdns = mdns([10, 1, 0, 9]);
        assert_eq!(own_name(Flavour::Mdns, &mdns, own).as_deref(), Some("A301-07"));
        assert_eq!(own_name(Flavour::Llmnr, &mdns, own).as_deref(), Some("A301-07"));
        assert_eq!(own_name(Flavour::Mdns, &mdns, [10, 1, 0, 8].into()), None, "of another address");
        assert_eq!(own_name(Flavour::Dns, &mdns, own), None, "a resolver speaks of others");
        assert_eq!(own_name(Flavour::Nbns, &registration("KAOSHI-07", 0, 0), own).as_deref(), Some("KAOSHI-07"));
        assert_eq!(own_name(Flavour::Nbns, &registration("WORKGROUP", 0, 0x80), own), None, "a group is no machine");
        assert_eq!(own_name(Flavour::Nbns, &registration("KAOSHI-07", 0x20, 0), own), None, "the file service, not the machine");
    }

    proptest! {
        #[test]
        fn own_names_of_anything_do_no_harm(mut octets in prop_oneof![Just(mdns([10, 1, 0, 9])), Just(registration("A", 0, 0))],
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in any::<prop::sample::Index>()) {
            for (place, octet) in changes {
                let place = place.index(octets.len());
                octets[place] = octet;
            }
            octets.truncate(cut.index(octets.len() + 1));
            for flavour in [Flavour::Mdns, Flavour::Llmnr, Flavour::Nbns] {
                let name = own_name(flavour, &octets, [10, 1, 0, 9].into());
                prop_assert!(name.is_none_or(|name| name.chars().count() <= 63));
            }
        }
    }
}
