//! Files as tcpdump, dumpcap and their like write them, made octet by octet, whole and damaged.

use std::io::{Cursor, Write as _};

use super::*;

type Packets = Vec<(u64, u32, Vec<u8>)>;

/// Everything in a file, and how it ended.
fn read(octets: &[u8]) -> (Packets, Option<Trouble>) {
    let mut capture = match Capture::from_reader(Path::new("x.pcap"), Cursor::new(octets.to_vec())) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), Some(error.what)),
    };
    let mut packets = Vec::new();
    loop {
        match capture.next() {
            Ok(Some(frame)) => packets.push((frame.at.0, frame.wire_octets, frame.octets.to_vec())),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.what)),
        }
    }
}

fn pcap(magic: [u8; 4], link: u32, word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut octets = [magic, word(4 << 16 | 2), [0; 4], [0; 4], word(262_144), word(link)].concat();
    for (seconds, fraction, frame) in [(1000, 5, &b"abcd"[..]), (1001, 999_999, b"efghi")] {
        octets.extend([word(seconds), word(fraction), word(frame.len() as u32), word(1500)].concat());
        octets.extend(frame);
    }
    octets
}

#[test]
fn pcap_of_both_orders_and_both_units() {
    let micros = vec![(1_000_000_005_000, 1500, b"abcd".to_vec()), (1_001_999_999_000, 1500, b"efghi".to_vec())];
    let nanos = vec![(1_000_000_000_005, 1500, b"abcd".to_vec()), (1_001_000_999_999, 1500, b"efghi".to_vec())];
    let little = pcap([0xd4, 0xc3, 0xb2, 0xa1], 1, u32::to_le_bytes);
    for (octets, expected) in [
        (little.clone(), &micros),
        (pcap([0xa1, 0xb2, 0xc3, 0xd4], 1, u32::to_be_bytes), &micros),
        (pcap([0x4d, 0x3c, 0xb2, 0xa1], 1, u32::to_le_bytes), &nanos),
        (pcap([0xa1, 0xb2, 0x3c, 0x4d], 1, u32::to_be_bytes), &nanos),
    ] {
        let (packets, end) = read(&octets);
        assert_eq!(&packets, expected);
        assert!(end.is_none(), "{end:?}");
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&little).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(read(&gzip).0, micros);
    // Cut anywhere, whatever was whole before is told.
    let (packets, end) = read(&gzip[..gzip.len() - 12]);
    assert!(packets.len() <= 2 && matches!(end, Some(Trouble::CutOff { .. } | Trouble::Strange)), "{end:?}");
}

#[test]
fn what_was_whole_before_the_cut_is_told_with_its_place() {
    let octets = pcap([0xd4, 0xc3, 0xb2, 0xa1], 1, u32::to_le_bytes);
    for length in [45, 59, 60, 64] {
        let (packets, end) = read(&octets[..length]);
        assert_eq!(packets.len(), 1, "{length}");
        assert!(matches!(end, Some(Trouble::CutOff { offset: 44, packets: 1 })), "{length}: {end:?}");
    }
    let (packets, end) = read(&octets[..44]);
    assert!(packets.len() == 1 && end.is_none());
    let mut damaged = octets.clone();
    damaged[44 + 8..44 + 12].copy_from_slice(&[0xff; 4]);
    assert!(matches!(read(&damaged).1, Some(Trouble::Damaged { offset: 44, packets: 1 })));
    assert!(matches!(read(b"").1, Some(Trouble::Strange)));
    assert!(matches!(read(b"GIF89a and more").1, Some(Trouble::Strange)));
    assert!(matches!(read(&octets[..20]).1, Some(Trouble::CutOff { offset: 0, packets: 0 })));
    let radio = pcap([0xd4, 0xc3, 0xb2, 0xa1], 105, u32::to_le_bytes);
    assert!(matches!(read(&radio).1, Some(Trouble::Link(link)) if link.name.contains("802.11")));
}

/// A block of a section of the given byte order.
fn block(kind: u32, body: &[u8], word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = word(body.len() as u32 + 12);
    [&word(kind)[..], &length, &body, &length].concat()
}

fn section(word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    block(0x0a0d_0d0a, &[&word(0x1a2b_3c4d)[..], &word(1), &[0xff; 8]].concat(), word)
}

fn enhanced(interface: u32, time: u64, frame: &[u8], word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let numbers = [interface, (time >> 32) as u32, time as u32, frame.len() as u32, 900].map(word).concat();
    block(6, &[&numbers, frame].concat(), word)
}

#[test]
fn pcapng_with_several_interfaces_and_sections() {
    let (le, be) = (u32::to_le_bytes as fn(u32) -> [u8; 4], u32::to_be_bytes as fn(u32) -> [u8; 4]);
    // Microseconds unless said otherwise; nanoseconds; 1024ths of a second, 10 seconds later; radio frames.
    let plain = block(1, &[1, 0, 0, 0, 0, 0, 0, 0], le);
    let nanos = block(1, &[101, 0, 0, 0, 3, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0], le);
    let binary = block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0x8a, 0, 0, 0, 14, 0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0], le);
    let radio = block(1, &[127, 0, 0, 0, 0, 0, 0, 0], le);
    let obsolete = [&[1, 0, 0xff, 0xff][..], &[0, 0, 0, 7, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0].map(|octet: u8| octet), b"ob"].concat();
    let mut octets = [
        section(le),
        plain.clone(),
        enhanced(0, 2_000_000, b"micro", le),
        block(10, &[0; 2 << 20], le),
        nanos,
        enhanced(1, 1 << 32, b"nano", le),
        binary,
        enhanced(2, 1536, b"binary", le),
        block(3, &[&4_u32.to_le_bytes()[..], b"simp"].concat(), le),
        block(2, &obsolete, le),
        section(be),
        block(1, &[0, 1, 0, 0, 0, 0, 0, 0], be),
        enhanced(0, 3_000_000, b"big", be),
    ]
    .concat();
    let (packets, end) = read(&octets);
    assert!(end.is_none(), "{end:?}");
    let told: Vec<(u64, &[u8])> = packets.iter().map(|(at, _, octets)| (*at, octets.as_slice())).collect();
    let obsolete_at = (7 << 24 << 32) + 3;
    assert_eq!(
        told,
        [
            (2_000_000_000, &b"micro"[..]),
            (1 << 32, b"nano"),
            (11_500_000_000, b"binary"),
            (11_500_000_000, b"simp"),
            (obsolete_at, b"ob"),
            (3_000_000_000, b"big"),
        ]
    );
    assert_eq!(packets[0].1, 900);
    let whole = octets.len() as u64;
    octets.extend([section(le), radio, enhanced(0, 1, b"radio", le)].concat());
    assert!(matches!(read(&octets).1, Some(Trouble::Link(_))));
    octets.truncate(whole as usize + 5);
    let end = read(&octets).1;
    assert!(matches!(end, Some(Trouble::CutOff { offset, packets: 6 }) if offset == whole), "{end:?}");
    // A packet of an interface that was never described.
    let stray = [section(le), plain, enhanced(1, 1, b"stray", le)].concat();
    assert!(matches!(read(&stray).1, Some(Trouble::Damaged { packets: 0, .. })));
}

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.frame(Nanos(1_700_000_000_123_456_789), 1400, &[b"ab", b"", b"cd"]).unwrap();
    assert_eq!(writer.octets(), 24 + 16 + 4);
    let (packets, end) = read(&writer.finish().unwrap());
    assert_eq!(packets, [(1_700_000_000_123_456_789, 1400, b"abcd".to_vec())]);
    assert!(end.is_none());
}
