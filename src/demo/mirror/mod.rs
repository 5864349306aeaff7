//! What a mirror port of the demo's campus would show: some machines that browse, ask for names and print, one that fetches a
//! film, one that shares files with the world, and from half a minute on one with a worm. Frames of real octets in the order of
//! time, the same for the same seed; who is ill is not said here but has to be found.

pub mod frame;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::Chance;
use crate::capture::packet::{Nanos, Tcp};
use frame::End;

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
/// Machines on the segment that do what people do.
const PEOPLE: u8 = 16;
/// The worm begins so long after the start.
const ILL_AFTER_S: u64 = 30;
/// Segments of the film in one go, and how often: about 12 Mbit/s.
const FILM_SEGMENTS: u16 = 40;
const FILM_EVERY: u64 = 40 * MILLI;
/// How often the film's machine asks for the name of its server again.
const SEEK_EVERY: u64 = 300 * SECOND;
/// Octets of a full segment.
const FULL: u16 = 1448;
/// Full segments of a page, or of a piece that somebody shares, at most.
const PAGE: u64 = 120;

/// After so many minutes the demo tells who has too much of the line: nobody wants to wait for the ten of an office.
pub const HOG_MINUTES: u16 = 3;

/// The router of the segment, the file server, the printer, the resolver behind the router.
const ROUTER: End = ([0x00, 0x1b, 0x54, 0x20, 0x03, 0x01], [10, 20, 3, 1]);
const FILES: End = ([0x00, 0x25, 0x90, 0x20, 0x03, 0x0a], [10, 20, 3, 10]);
const PRINTER: End = ([0x00, 0x80, 0x77, 0x20, 0x03, 0x14], [10, 20, 3, 20]);
const RESOLVER: [u8; 4] = [10, 20, 0, 53];
/// Places of the three by number on the segment.
const HOG: u8 = 117;
const SHARER: u8 = 118;
const WORM: u8 = 119;

/// What people turn to, each with the first of its ten addresses in 203.0.113.0/24.
const SITES: [(&str, u8); 8] = [
    ("www.example.org", 10),
    ("news.example.com", 20),
    ("oa.example.edu.cn", 30),
    ("mail.163.com", 40),
    ("im.qq.com", 50),
    ("download.windowsupdate.com", 60),
    ("map.example.org", 70),
    ("lol.qq.com", 80),
];
/// What the film's machine turns to.
const FILM: (&str, [u8; 4]) = ("www.bilibili.com", [203, 0, 113, 200]);

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// When it passed.
    pub at: Nanos,
    /// Its length on the wire.
    pub wire_octets: u32,
    /// Its octets, cut as a capture cuts them.
    pub octets: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    Lease,
    Browse,
    Print,
    Seek,
    Film,
    Share,
    Spread,
}

/// The wire.
#[derive(Debug)]
pub struct Mirror {
    chance: Chance,
    /// Who does what next, the soonest first.
    plan: BinaryHeap<Reverse<(u64, u8, Act)>>,
}

impl Mirror {
    /// Everybody begins within some seconds of `start`.
    pub fn new(seed: u64, start: Nanos) -> Self {
        let mut mirror = Self { chance: Chance::new(seed), plan: BinaryHeap::new() };
        let (from, soon) = (start.0, 5 * SECOND);
        for place in (101..101 + PEOPLE).chain([HOG, SHARER, WORM]) {
            for act in [Act::Lease, Act::Browse, Act::Print] {
                let wait = mirror.chance.below(if act == Act::Print { 12 * soon } else { soon });
                mirror.plan.push(Reverse((from + wait, place, act)));
            }
        }
        mirror.plan.push(Reverse((from + soon / 2, HOG, Act::Seek)));
        mirror.plan.push(Reverse((from + soon, HOG, Act::Film)));
        mirror.plan.push(Reverse((from + soon, SHARER, Act::Share)));
        mirror.plan.push(Reverse((from + ILL_AFTER_S * SECOND, WORM, Act::Spread)));
        mirror
    }

    /// What passed since the last call and before `now`, in its order.
    pub fn until(&mut self, now: Nanos) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(&Reverse((at, place, act))) = self.plan.peek().filter(|Reverse((at, ..))| *at < now.0) {
            self.plan.pop();
            let again = self.act(&mut seen, at, place, act);
            self.plan.push(Reverse((at + again.max(1), place, act)));
        }
        // Answers reach a little into the time after.
        seen.sort_by_key(|frame| frame.at);
        seen
    }

    /// Does it; after how long it is done again.
    fn act(&mut self, seen: &mut Vec<Seen>, at: u64, place: u8, act: Act) -> u64 {
        let own = station(place);
        match act {
            Act::Lease => {
                seen.push(whole(at, frame::dhcp_request(own.0, &format!("A301-{place:03}"))));
                seen.push(whole(at + MILLI, frame::arp_request(own, ROUTER.1)));
                seen.push(whole(at + 2 * MILLI, frame::arp_reply(ROUTER, own)));
                600 * SECOND
            }
            Act::Browse => {
                self.browse(seen, at, own);
                2 * SECOND + self.chance.below(16 * SECOND)
            }
            Act::Print => {
                let to = if self.chance.happens(0.3) { (PRINTER, 9100) } else { (FILES, 445) };
                self.answered(seen, at, own, to.0, to.1);
                30 * SECOND + self.chance.below(90 * SECOND)
            }
            Act::Seek => {
                self.resolve(seen, at, own, FILM.0, FILM.1);
                SEEK_EVERY
            }
            Act::Film => {
                for segment in 0..u64::from(FILM_SEGMENTS) {
                    seen.push(full(at + segment * 100_000, (ROUTER.0, FILM.1), own, (443, 51_234)));
                }
                FILM_EVERY
            }
            Act::Share => {
                self.share(seen, at, own);
                MILLI * (100 + self.chance.below(300))
            }
            Act::Spread => {
                self.spread(seen, at, own);
                MILLI * (40 + self.chance.below(160))
            }
        }
    }

    /// A name is asked for, then some connections go to its server. One in thirty does not answer.
    fn browse(&mut self, seen: &mut Vec<Seen>, at: u64, own: End) {
        let (name, first) = SITES.get(self.chance.below(SITES.len() as u64) as usize).copied().unwrap_or_default();
        let server = [203, 0, 113, first + self.chance.below(10) as u8];
        self.resolve(seen, at, own, name, server);
        for connection in 0..1 + self.chance.below(4) {
            let start = at + (10 + connection * 7) * MILLI;
            if self.chance.happens(0.033) {
                seen.push(whole(start, frame::tcp(own, (ROUTER.0, server), (self.port(), 443), Tcp::SYN)));
            } else {
                self.answered(seen, start, own, (ROUTER.0, server), 443);
            }
        }
    }

    /// A name is asked for and told.
    fn resolve(&mut self, seen: &mut Vec<Seen>, at: u64, own: End, name: &str, server: [u8; 4]) {
        let (port, resolver) = (self.port(), (ROUTER.0, RESOLVER));
        seen.push(whole(at, frame::udp(own, resolver, (port, 53), &frame::dns(name, None))));
        seen.push(whole(at + 3 * MILLI, frame::udp(resolver, own, (53, port), &frame::dns(name, Some(server)))));
    }

    /// A connection that is taken, used and closed.
    fn answered(&mut self, seen: &mut Vec<Seen>, at: u64, own: End, to: End, port: u16) {
        let ports = (self.port(), port);
        let back = (ports.1, ports.0);
        let trip = MILLI / 4 + self.chance.below(20 * MILLI);
        let segments = 1 + self.chance.below(PAGE);
        seen.push(whole(at, frame::tcp(own, to, ports, Tcp::SYN)));
        seen.push(whole(at + trip, frame::tcp(to, own, back, Tcp::SYN | Tcp::ACK)));
        seen.push(whole(at + trip + 1, frame::tcp(own, to, ports, Tcp::ACK)));
        for segment in 0..segments {
            seen.push(full(at + 2 * trip + segment * MILLI / 2, to, own, back));
        }
        let end = at + 3 * trip + segments * MILLI / 2;
        seen.push(whole(end, frame::tcp(own, to, ports, Tcp::ACK | Tcp::FIN)));
        seen.push(whole(end + trip, frame::tcp(to, own, back, Tcp::ACK | Tcp::FIN)));
    }

    /// A peer somewhere in the world, by UDP or TCP on a port of its own; most of them are gone, as lists of peers are old.
    fn share(&mut self, seen: &mut Vec<Seen>, at: u64, own: End) {
        let peer = (ROUTER.0, [198, 51, 100, 1 + self.chance.below(250) as u8]);
        let (port, lives) = (6_881 + self.chance.below(40_000) as u16, self.chance.happens(0.3));
        if self.chance.happens(0.5) {
            seen.push(whole(at, frame::udp(own, peer, (51_413, port), b"d1:ad2:id20:")));
            if lives {
                seen.push(whole(at + 80 * MILLI, frame::udp(peer, own, (port, 51_413), b"d1:rd2:id20:")));
            }
        } else if lives {
            self.answered(seen, at, own, peer, port);
        } else {
            seen.push(whole(at, frame::tcp(own, peer, (self.port(), port), Tcp::SYN)));
        }
    }

    /// An address of the campus by chance, on the port of file shares. Few live there, and few of those take it.
    fn spread(&mut self, seen: &mut Vec<Seen>, at: u64, own: End) {
        let to = (ROUTER.0, [10, 20, 4 + self.chance.below(200) as u8, 1 + self.chance.below(250) as u8]);
        let ports = (self.port(), 445);
        seen.push(whole(at, frame::tcp(own, to, ports, Tcp::SYN)));
        let flags = match self.chance.below(100) {
            0..2 => Tcp::SYN | Tcp::ACK,
            2..8 => Tcp::RST | Tcp::ACK,
            _ => return,
        };
        seen.push(whole(at + MILLI, frame::tcp(to, own, (445, ports.0), flags)));
    }

    fn port(&mut self) -> u16 {
        49_152 + self.chance.below(16_000) as u16
    }
}

/// The MAC addresses of the machines that sit on the segment, those that never rest first.
pub fn stations() -> Vec<[u8; 6]> {
    [WORM, HOG, SHARER].into_iter().chain(101..101 + PEOPLE).map(|place| station(place).0).collect()
}

/// The machine at a place of the segment.
fn station(place: u8) -> End {
    let maker = match place % 3 {
        0 => [0x3c, 0x97, 0x0e],
        1 => [0x00, 0x21, 0xcc],
        _ => [0xf8, 0xb1, 0x56],
    };
    ([maker[0], maker[1], maker[2], 0x20, 0x03, place], [10, 20, 3, place])
}

/// A full segment, of which the data were cut off.
fn full(at: u64, from: End, to: End, ports: (u16, u16)) -> Seen {
    Seen { at: Nanos(at), wire_octets: 54 + u32::from(FULL), octets: frame::tcp_data(from, to, ports, Tcp::ACK, FULL) }
}

fn whole(at: u64, octets: Vec<u8>) -> Seen {
    Seen { at: Nanos(at), wire_octets: octets.len() as u32, octets }
}

#[cfg(test)]
mod tests;
