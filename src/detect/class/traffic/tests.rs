use std::net::Ipv4Addr;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::capture::file::Capture;
use crate::capture::packet::{Tcp, Udp};
use crate::detect::Site;
use crate::detect::baseline::Calendar;
use crate::model::MacAddr;

/// Monday, 2026-11-23, 10:00 in Shanghai.
const MONDAY: u64 = 1_795_399_200;

struct Bench {
    traffic: Traffic,
    sight: Sight,
    second: u64,
    found: Vec<Detection>,
}

fn ours(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 1, 0, last))
}

fn theirs(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))
}

impl Bench {
    fn new() -> Self {
        let traffic = Traffic::new(Settings::default(), 3);
        Self { traffic, sight: Sight::new(Site::default(), 3), second: 1, found: Vec::new() }
    }

    fn pass(&mut self, src: IpAddr, dst: IpAddr, octets: u32, transport: Transport<'_>) {
        let body = Body::Ip(Ip { src, dst, hops: 64, extensions: 0, later_fragment: false, transport });
        let mac = |ip: IpAddr| match ip {
            IpAddr::V4(v4) if v4.is_private() => MacAddr([0, 1, 2, 3, 4, v4.octets()[3]]),
            _ => MacAddr([0, 1, 2, 3, 9, 9]),
        };
        let at = Nanos((MONDAY + self.second) * 1_000_000_000);
        let packet = Packet { at, wire_octets: octets, src_mac: Some(mac(src)), dst_mac: Some(mac(dst)), vlan: None, body };
        let now = Now { ms: self.second * 1000, at };
        self.traffic.packet(&packet, now, &self.sight, &mut self.found);
    }

    fn tcp(&mut self, src: (IpAddr, u16), dst: (IpAddr, u16), octets: u32, data: &[u8]) {
        let tcp = Tcp { src_port: src.1, dst_port: dst.1, flags: Tcp::ACK, data_octets: octets, data };
        self.pass(src.0, dst.0, octets, Transport::Tcp(tcp));
    }

    fn answer(&mut self, name: &str, address: IpAddr) {
        let IpAddr::V4(v4) = address else { unreachable!() };
        let mut data = vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        for label in name.split('.') {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.extend(b"\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
        data.extend(v4.octets());
        self.pass(ours(53), ours(5), 100, Transport::Udp(Udp { src_port: 53, dst_port: 40_000, data: &data }));
    }

    fn octets(&mut self, class: Class) -> Octets {
        self.traffic.report().totals[class.place()]
    }

    /// A minute of work: one machine has so many Mbit/s, five others a little.
    fn minute(&mut self, mbits: u32) {
        for second in 0..60 {
            self.second += 1;
            self.tcp((theirs(1), 443), (ours(9), 50_000), mbits * 125_000, &[]);
            for other in 1..=5 {
                self.tcp((theirs(2), 443), (ours(other), 50_000), if second % 10 == 0 { 50_000 } else { 0 }, &[]);
            }
        }
    }
}

#[test]
fn a_servers_class_comes_from_the_name_that_was_asked_for() {
    let mut bench = Bench::new();
    bench.tcp((theirs(7), 443), (ours(5), 50_000), 1000, &[]);
    bench.answer("vod.V.qq.com", theirs(7));
    bench.tcp((theirs(7), 443), (ours(5), 50_000), 2000, &[]);
    bench.tcp((ours(5), 50_000), (theirs(7), 443), 300, &[]);
    assert_eq!(bench.octets(Class::Web), Octets { received: 1000, sent: 0 }, "by its port, before the name was known");
    assert_eq!(bench.octets(Class::Film), Octets { received: 2000, sent: 300 });
    bench.answer("www.example.cn", theirs(7));
    bench.tcp((theirs(7), 443), (ours(5), 50_000), 10, &[]);
    assert_eq!(bench.octets(Class::Web).received, 1010, "an address that serves another name now");
}

#[test]
fn without_a_name_it_is_the_port_and_traffic_among_ourselves_is_none() {
    let mut bench = Bench::new();
    bench.tcp((ours(1), 50_000), (theirs(1), 993), 10, &[]);
    bench.tcp((theirs(2), 50_000), (ours(1), 6881), 20, &[]);
    bench.tcp((theirs(2), 1), (ours(1), 2), 30, &[]);
    bench.tcp((ours(2), 445), (ours(1), 50_000), 40, &[]);
    bench.tcp((theirs(2), 443), (theirs(1), 50_000), 50, &[]);
    assert_eq!(bench.octets(Class::Mail).sent, 10);
    assert_eq!(bench.octets(Class::P2p).received, 20, "a peer serves at our side");
    assert_eq!(bench.octets(Class::Other).received, 30);
    let all: u64 = bench.traffic.report().totals.iter().map(|octets| octets.all()).sum();
    assert_eq!(all, 60);
}

#[test]
fn hours_are_closed_with_those_who_had_most() {
    let mut bench = Bench::new();
    for last in 1..=7 {
        bench.tcp((theirs(1), 443), (ours(last), 50_000), u32::from(last) * 100, &[]);
    }
    bench.second = 3600;
    bench.tcp((theirs(1), 443), (ours(1), 50_000), 5, &[]);
    bench.second = 3599;
    bench.tcp((theirs(1), 443), (ours(1), 50_000), 6, &[]);
    let report = bench.traffic.report();
    assert_eq!(report.hours.len(), 2);
    let [first, second] = &report.hours[..] else { unreachable!() };
    assert_eq!((first.start.0 / 1_000_000_000, first.totals[Class::Web.place()].received), (MONDAY, 2800));
    let had: Vec<(Option<IpAddr>, u64)> = first.top.iter().map(|top| (top.machine.ip, top.octets)).collect();
    assert_eq!(had, [7, 6, 5, 4, 3].map(|last| (Some(ours(last)), u64::from(last) * 100)));
    assert_eq!(second.totals[Class::Web.place()].received, 11, "what is a little late counts for the hour that runs");
    for hour in 2..60 {
        bench.second = hour * 3600;
        bench.tcp((theirs(1), 443), (ours(1), 50_000), 5, &[]);
    }
    assert_eq!(bench.traffic.report().hours.len(), HOURS);
}

#[test]
fn ten_minutes_of_film_are_told_with_their_class() {
    let mut bench = Bench::new();
    bench.answer("v.qq.com", theirs(1));
    for _ in 0..10 {
        assert!(bench.found.is_empty());
        bench.minute(12);
    }
    bench.second += 1;
    bench.tcp((theirs(2), 443), (ours(1), 50_000), 1, &[]);
    let [hog] = &bench.found[..] else { panic!("{:?}", bench.found) };
    assert_eq!((hog.kind, hog.level, hog.machine.ip), (Kind::Hog, Level::Suspect, Some(ours(9))));
    assert_eq!(hog.evidence["class"], Fact::Text("film".into()));
    assert_eq!(hog.evidence["direction"], Fact::Text("in".into()));
    let Fact::BitsPerSecond(rate) = hog.evidence["rate"] else { unreachable!() };
    assert!((11e6..13e6).contains(&rate), "{rate}");
}

#[test]
fn servers_and_free_hours_are_left_in_peace() {
    let mut bench = Bench::new();
    bench.sight.set_site(Site { servers: [ours(9)].into(), ..Site::default() });
    (0..12).for_each(|_| bench.minute(12));
    assert!(bench.found.is_empty());
    for (hours, told) in [(0..9, false), (9..18, true)] {
        let mut bench = Bench::new();
        let mut works = [false; 168];
        // Monday.
        works[hours].fill(true);
        bench.traffic.set_office(Some(Office::new(Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), [], []), works)));
        (0..12).for_each(|_| bench.minute(12));
        assert_eq!(!bench.found.is_empty(), told);
    }
}

proptest! {
    #[test]
    fn anything_is_counted_once(packets in proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u16>(), 0_u32..9000, 0_u64..7200, proptest::collection::vec(any::<u8>(), 0..80)), 1..100)) {
        let mut bench = Bench::new();
        let mut all = 0;
        for (from, to, port, octets, second, data) in &packets {
            bench.second = *second;
            bench.tcp((ours(*from), 1000), (theirs(*to), *port), *octets, data);
            all += u64::from(*octets);
        }
        let report = bench.traffic.report();
        prop_assert_eq!(report.totals.iter().map(|octets| octets.all()).sum::<u64>(), all);
        let by_hour: u64 = report.hours.iter().flat_map(|hour| &hour.totals).map(|octets| octets.all()).sum();
        prop_assert_eq!(by_hour, all);
        prop_assert!(report.hours.len() <= HOURS);
    }
}

/// What is given a class is given the right one; the share without any is printed.
#[test]
fn labelled_captures_have_their_class() {
    let root = std::env::var("NETROOM_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    let folder = std::path::Path::new(&root).join("data/pcap");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there; set NETROOM_SHARED to the folder of captures", folder.display());
        return;
    }
    for (part, class) in [
        ("netflix", Class::Film),
        ("wechat", Class::Chat),
        ("instagram", Class::Chat),
        ("reddit", Class::Chat),
        ("bittorrent", Class::P2p),
        ("gnutella", Class::P2p),
        ("smtp", Class::Mail),
        ("pop3", Class::Mail),
    ] {
        let name = |path: &std::path::Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(part));
        let mut paths = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let Some(path) = paths.find(|path| name(path)) else { continue };
        let (mut traffic, sight) = (Traffic::new(Settings::default(), 0), Sight::new(Site::default(), 0));
        let mut capture = Capture::open(&path).unwrap();
        let mut out = Vec::new();
        while let Ok(Some(frame)) = capture.next() {
            let packet = frame.parse();
            traffic.packet(&packet, Now { ms: packet.at.0 / 1_000_000, at: packet.at }, &sight, &mut out);
        }
        let totals = traffic.report().totals;
        let of = |class: Class| totals[class.place()].all();
        let named: u64 = [Class::Film, Class::Game, Class::Chat, Class::P2p, Class::Mail].into_iter().map(of).sum();
        let all: u64 = totals.iter().map(|octets| octets.all()).sum();
        eprintln!("{part}: {} of {all} octets are {}, {named} of any telling class", of(class), class.word());
        assert!(of(class) * 100 >= named * 95, "{part}: {totals:?}");
    }
}
