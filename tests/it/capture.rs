//! Headers and capture files on recordings of real networks: held against etherparse, damaged in every way, never a panic.
//! The recordings do not belong to the project: NETROOM_SHARED names the folder, `../shared` by default.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use etherparse::{LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use netroom::capture::file::{Capture, Frame, Writer};
use netroom::capture::link::Link;
use netroom::capture::packet::{Body, Nanos, Packet, Tcp, Transport};

use crate::damaged::entries;

/// The recordings, sorted; `None`, said aloud, where there are none.
pub(crate) fn recordings() -> Option<Vec<PathBuf>> {
    let root = std::env::var("NETROOM_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    let folder = Path::new(&root).join("data/pcap");
    let Ok(entries) = fs::read_dir(&folder) else {
        assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "{} is not there", folder.display());
        eprintln!("SKIPPED: {} is not there; set NETROOM_SHARED to the folder of recordings", folder.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| ["pcap", "pcapng", "trace"].iter().any(|ours| extension == *ours)));
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    Some(files)
}

fn each(path: &Path, visit: &mut dyn FnMut(&Frame<'_>)) -> u64 {
    let mut capture = Capture::open(path).unwrap_or_else(|error| panic!("{error}"));
    loop {
        match capture.next() {
            Ok(Some(frame)) => visit(&frame),
            Ok(None) => return capture.packets(),
            Err(error) => {
                eprintln!("{error}");
                return capture.packets();
            }
        }
    }
}

#[test]
fn what_etherparse_reads_we_read_alike() {
    let Some(files) = recordings() else { return };
    let (mut compared, mut transports, mut unlike) = (0, 0, Vec::new());
    for path in &files {
        each(path, &mut |frame| {
            if frame.link != Link::Ethernet {
                return;
            }
            let Ok(theirs) = LaxSlicedPacket::from_ethernet(frame.octets) else { return };
            compared += 1;
            transports += u64::from(theirs.transport.is_some());
            if let Some(difference) = difference(&frame.parse(), &theirs) {
                unlike.push(format!("{} at {}: {difference}", path.display(), frame.at.0));
            }
        });
    }
    eprintln!("{compared} frames of {} files compared, {transports} with a transport header", files.len());
    assert!(compared > 50_000 && transports > 40_000, "too little was compared");
    assert!(unlike.is_empty(), "{} of {compared}:\n{}", unlike.len(), unlike[..unlike.len().min(20)].join("\n"));
}

/// What etherparse says otherwise; what it does not read (LLC, ports of first fragments) it says nothing of.
fn difference(ours: &Packet<'_>, theirs: &LaxSlicedPacket<'_>) -> Option<String> {
    let tag = theirs.link_exts.iter().find_map(|tag| match tag {
        LaxLinkExtSlice::Vlan(vlan) => Some(vlan.vlan_identifier().value()).filter(|&id| id != 0),
        LaxLinkExtSlice::Macsec(_) => None,
    });
    if tag != ours.vlan {
        return Some(format!("VLAN {tag:?}, not {:?}", ours.vlan));
    }
    let (src, dst, hops): (std::net::IpAddr, std::net::IpAddr, u8) = match theirs.net.as_ref()? {
        // Authentication headers in IPv4 are not walked by us.
        LaxNetSlice::Ipv4(v4) if v4.extensions().auth.is_some() => return None,
        LaxNetSlice::Ipv4(v4) => (v4.header().source_addr().into(), v4.header().destination_addr().into(), v4.header().ttl()),
        LaxNetSlice::Ipv6(v6) => (v6.header().source_addr().into(), v6.header().destination_addr().into(), v6.header().hop_limit()),
        LaxNetSlice::Arp(arp) => return arp_difference(ours, arp),
    };
    let Body::Ip(ip) = ours.body else { return Some(format!("IP, not {:?}", ours.body)) };
    if (ip.src, ip.dst, ip.hops) != (src, dst, hops) {
        return Some(format!("{src} to {dst}, not {} to {}", ip.src, ip.dst));
    }
    match (theirs.transport.as_ref()?, ip.transport) {
        (TransportSlice::Tcp(theirs), Transport::Tcp(ours)) => {
            let same = (theirs.source_port(), theirs.destination_port(), theirs.syn(), theirs.ack(), theirs.rst(), theirs.fin());
            let flag = |bit| ours.flags & bit != 0;
            let here = (ours.src_port, ours.dst_port, flag(Tcp::SYN), flag(Tcp::ACK), flag(Tcp::RST), flag(Tcp::FIN));
            (same != here || theirs.payload() != ours.data).then(|| format!("{same:?}, not {here:?}; or the data"))
        }
        (TransportSlice::Udp(theirs), Transport::Udp(ours)) => {
            let (same, here) = ((theirs.source_port(), theirs.destination_port()), (ours.src_port, ours.dst_port));
            (same != here || theirs.payload() != ours.data).then(|| format!("{same:?}, not {here:?}; or the data"))
        }
        (TransportSlice::Icmpv4(theirs), Transport::Icmp(ours)) => {
            ((theirs.type_u8(), theirs.code_u8()) != (ours.kind, ours.code)).then(|| "the type of an ICMP message".to_owned())
        }
        (TransportSlice::Icmpv6(theirs), Transport::Icmp(ours)) => {
            ((theirs.type_u8(), theirs.code_u8()) != (ours.kind, ours.code)).then(|| "the type of an ICMPv6 message".to_owned())
        }
        (TransportSlice::Igmp(_), Transport::Other(2)) => None,
        (theirs, ours) => Some(format!("{theirs:?}, not {ours:?}")),
    }
}

fn arp_difference(ours: &Packet<'_>, theirs: &etherparse::ArpPacketSlice<'_>) -> Option<String> {
    // Other hardware and other protocols are not for us.
    if (theirs.hw_addr_size(), theirs.proto_addr_size()) != (6, 4) || theirs.hw_addr_type().0 != 1 || theirs.proto_addr_type().0 != 0x0800 {
        return None;
    }
    let Body::Arp(arp) = ours.body else { return Some(format!("ARP, not {:?}", ours.body)) };
    let same = arp.operation == theirs.operation().0
        && arp.sender_mac.0 == theirs.sender_hw_addr()
        && arp.sender.octets() == theirs.sender_protocol_addr()
        && arp.target_mac.0 == theirs.target_hw_addr()
        && arp.target.octets() == theirs.target_protocol_addr();
    (!same).then(|| format!("another ARP message than {arp:?}"))
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    /// Some octets changed, put in, taken out, or all cut off behind a point.
    fn wound(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut copy = octets.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(copy.len());
            let octet = [0, 1, 4, 0x0f, 0x7f, 0x80, 0xff, self.below(256) as u8][self.below(8)];
            match self.below(8) {
                0..5 if !copy.is_empty() => copy[at] = octet,
                5 => copy.insert(at, octet),
                6 if !copy.is_empty() => drop(copy.remove(at)),
                _ => copy.truncate(at),
            }
        }
        copy
    }
}

/// Damages frames and whole files, so many of them.
fn damage(frames: usize, files: usize) {
    let Some(paths) = recordings() else { return };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let links = [Link::Ethernet, Link::Ip, Link::Loopback, Link::Cooked, Link::Cooked2];
    for path in &paths {
        let mut kept = Vec::new();
        // The first ones tell most; all of a large file would only be more of the same.
        each(path, &mut |frame| {
            if kept.len() < 400 {
                kept.push((frame.link, frame.octets.to_vec()));
            }
        });
        for _ in 0..frames / paths.len() + 1 {
            let (link, octets) = &kept[dice.below(kept.len())];
            let number = links.iter().position(|known| known == link).unwrap();
            let number = if dice.below(8) == 0 { dice.below(5) } else { number };
            entries::frame(&[&[number as u8, 0, 0], dice.wound(octets).as_slice()].concat());
        }
        let whole = fs::read(path).unwrap();
        for _ in 0..files / paths.len() + 1 {
            entries::capture_file(&dice.wound(&whole[..whole.len().min(4096)]));
        }
    }
}

#[test]
fn damaged_frames_and_files_are_read_without_panic() {
    damage(20_000, 2_000);
}

#[test]
#[ignore = "half a minute without optimisation: cargo test --release --test it -- --ignored half_a_million"]
fn half_a_million_damaged_frames() {
    damage(500_000, 50_000);
}

/// Frames made here, so that something is damaged also where there are no recordings.
#[test]
fn a_file_cut_at_every_octet_tells_what_was_whole() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for number in 0..4_u8 {
        writer.frame(Nanos(u64::from(number)), 60, &[&[number; 30]]).unwrap();
    }
    let whole = writer.finish().unwrap();
    for length in 24..whole.len() {
        let mut capture = Capture::from_reader(Path::new("cut.pcap"), Cursor::new(whole[..length].to_vec())).unwrap();
        let mut count = 0;
        let end = loop {
            match capture.next() {
                Ok(Some(_)) => count += 1,
                other => break other.map(drop),
            }
        };
        let expected = (length - 24) / 46;
        assert_eq!((count, end.is_ok()), (expected, (length - 24).is_multiple_of(46)), "{length}");
        if let Err(error) = end {
            let offset = 24 + expected * 46;
            assert_eq!(error.to_string(), format!("cut.pcap: it is cut off at offset {offset}: {expected} packets before it were whole"));
        }
    }
}
