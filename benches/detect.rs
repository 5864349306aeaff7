//! What judging costs: nanoseconds of CPU a packet with every detector on, and the memory that the engine takes, for an office,
//! for 100,000 local hosts and under 1,000,000 forged sources. `cargo bench --bench detect`; a name (office, hosts, forged, nameless) runs
//! one part. Packets are made beforehand or by a counter, so that next to nothing but the engine is measured.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "and stops at the first surprise")]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use netroom::capture::packet::{Arp, Body, Ip, Nanos, Packet, Tcp, Transport, Udp};
use netroom::detect::{Engine, Settings, Site};
use netroom::model::MacAddr;

/// The most that the engine may take, MiB (detection.md's goal; by construction, whatever arrives).
const MOST_MIB: f64 = 128.0;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    for (name, hosts, packets) in [("office", 2_000, 4_000_000), ("hosts", 100_000, 8_000_000)] {
        if runs(name) {
            report(name, packets, |at| usual(at, hosts));
        }
    }
    if runs("forged") {
        report("forged", 4_000_000, |at| forged(at, false));
    }
    if runs("nameless") {
        report("nameless", 4_000_000, |at| forged(at, true));
    }
}

fn report(name: &str, packets: u64, packet: impl Fn(u64) -> Packet<'static>) {
    // The same packets, made and looked at by nobody.
    let making = cpu_of(|| (0..packets).map(|at| u64::from(std::hint::black_box(packet(at)).wire_octets)).sum::<u64>());
    let before = rss_mib();
    let site = Site { local: vec!["10.0.0.0/8".parse().unwrap()], routers: [router()].into(), ..Site::default() };
    let mut engine = Engine::new(Settings::default(), site, 1);
    let judging = cpu_of(|| (0..packets).for_each(|at| engine.packet(&packet(at))));
    let took = rss_mib() - before;
    let each = judging.saturating_sub(making) as f64 / packets as f64;
    let told = engine.take().len();
    println!(
        "{name}: {each:.0} ns a packet ({:.2} M packets per CPU second), {took:.1} MiB, {told} told, {} shed",
        1e3 / each,
        engine.shed()
    );
    assert!(took <= MOST_MIB, "{name}: {took:.1} MiB are more than {MOST_MIB}");
}

fn router() -> MacAddr {
    MacAddr([2, 0xff, 0, 0, 0, 1])
}

/// A number that looks like chance (splitmix64).
fn chance(at: u64) -> u64 {
    let mut word = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word ^ (word >> 27)
}

/// Of a hundred packets: 76 segments of connections, 16 datagrams of flows, 3 openings with their answers, 1 look-up with its
/// answer, 1 ARP request; at 100,000 packets a second.
fn usual(at: u64, hosts: u64) -> Packet<'static> {
    let (pick, what) = (chance(at / 2), chance((at / 2) ^ 0x55) % 100);
    let host = pick % hosts;
    let src = Ipv4Addr::from(0x0a00_0000 + host as u32 + 1);
    // Ten servers for each host, a few of them for all.
    let server = Ipv4Addr::from(0x5db8_0000 + (chance(host * 16 + pick % 10) % 50_000) as u32);
    let (port, flow) = (443, 20_000 + (pick >> 40) as u16 % 8);
    let back = at % 2 == 1;
    let body = match what {
        0..76 => tcp(src, server, (flow, port), Tcp::ACK, back),
        76..92 => udp(src, server, (flow, port), back),
        92..98 => tcp(src, server, (flow, port), if back { Tcp::SYN | Tcp::ACK } else { Tcp::SYN }, back),
        98 => udp(src, Ipv4Addr::new(10, 255, 0, 53), (flow, 53), back),
        _ => Body::Arp(Arp {
            operation: 1,
            sender_mac: mac(src),
            sender: src,
            target_mac: MacAddr([0; 6]),
            target: Ipv4Addr::new(10, 255, 0, 1),
        }),
    };
    let (from, to) = if back { (router(), mac(src)) } else { (mac(src), router()) };
    Packet {
        at: Nanos(1_700_000_000_000_000_000 + at * 10_000),
        wire_octets: 206,
        src_mac: Some(from),
        dst_mac: Some(to),
        vlan: Some(7),
        body,
    }
}

/// Openings from a million forged addresses of ours, a million a second; the stations' addresses are forged too, or are one.
fn forged(at: u64, stations: bool) -> Packet<'static> {
    let pick = chance(at);
    let src = Ipv4Addr::from(0x0a00_0000 + (pick % 1_000_000) as u32);
    let dst = Ipv4Addr::from(0x5db8_0000 + (pick >> 40) as u32 % 65_536);
    let body = tcp(src, dst, (pick as u16, 445), Tcp::SYN, false);
    let from = Some(if stations { mac(src) } else { MacAddr([2, 0, 0, 0, 0, 66]) });
    Packet { at: Nanos(1_700_000_000_000_000_000 + at * 1000), wire_octets: 60, src_mac: from, dst_mac: Some(router()), vlan: None, body }
}

fn mac(ip: Ipv4Addr) -> MacAddr {
    let [a, b, c, d] = ip.octets();
    MacAddr([2, 0, a, b, c, d])
}

fn tcp(client: Ipv4Addr, server: Ipv4Addr, (from, to): (u16, u16), flags: u8, back: bool) -> Body<'static> {
    let (src_port, dst_port) = if back { (to, from) } else { (from, to) };
    ip(client, server, Transport::Tcp(Tcp { src_port, dst_port, flags, data_octets: 0, data: &[] }), back)
}

fn udp(client: Ipv4Addr, server: Ipv4Addr, (from, to): (u16, u16), back: bool) -> Body<'static> {
    let (src_port, dst_port) = if back { (to, from) } else { (from, to) };
    ip(client, server, Transport::Udp(Udp { src_port, dst_port, data: &[] }), back)
}

fn ip(client: Ipv4Addr, server: Ipv4Addr, transport: Transport<'static>, back: bool) -> Body<'static> {
    let (src, dst): (IpAddr, IpAddr) = if back { (server.into(), client.into()) } else { (client.into(), server.into()) };
    Body::Ip(Ip { src, dst, hops: 63, extensions: 0, later_fragment: false, transport })
}

/// Nanoseconds of CPU of this thread that the work takes.
fn cpu_of<T>(work: impl FnOnce() -> T) -> u64 {
    let before = cpu_ns();
    std::hint::black_box(work());
    cpu_ns() - before
}

fn cpu_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn rss_mib() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
