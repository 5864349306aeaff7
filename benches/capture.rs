//! What capturing costs, in ratios of one run: the headers of a packet, a packet of the ring with its headers, the same by
//! pnet::datalink, and a packet of a file. The wire is a pair of veth in a network namespace of the bench's own; the sender
//! is `sendmmsg` past the queue. Needs root. `cargo bench --bench capture`; a name (parse, file, ring) runs one part.

#![expect(unsafe_code, reason = "the sender and the namespace are bare system calls")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "and stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "it makes interfaces by ip(8), and measures time")]

use std::io::Cursor;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netroom::capture::driver::{Consumer, Options, Watch};
use netroom::capture::file::{Capture, Writer};
use netroom::capture::headers;
use netroom::capture::link::Link;
use netroom::capture::live::State;
use netroom::capture::packet::{Body, Nanos, Packet, Transport};
use netroom::detect::{Engine, Settings, Site};
use pnet_datalink::Channel;
use socket2::{Domain, Protocol, Socket, Type};
use tokio_util::sync::CancellationToken;

/// Frames of the mix.
const MIX: usize = 4096;
/// Frames of one `sendmmsg`.
const BATCH: usize = 64;
/// `PACKET_QDISC_BYPASS` of linux/if_packet.h.
const PACKET_QDISC_BYPASS: i32 = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|asked| *asked == name);
    let mix = mix();
    if wanted("parse") {
        parse(&mix, measured);
    }
    if wanted("file") {
        file(&mix, measured);
    }
    if wanted("ring") {
        ring(&mix, measured);
    }
}

/// Frames of a campus: 206 octets on average, a quarter tagged, an eighth IPv6, of very many machines.
fn mix() -> Vec<Vec<u8>> {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 20) % below
    };
    let frame = |number: usize| {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 1];
        frame.extend(&(roll(2000) as u32).to_be_bytes()[1..]);
        if number.is_multiple_of(4) {
            frame.extend([0x81, 0, 0, 12]);
        }
        let data = [0, 6, 20, 60, 160, 160, 300, 500][roll(8) as usize];
        let is_tcp = roll(10) < 7;
        let (protocol, header) = if is_tcp { (6, 20) } else { (17, 8) };
        let (host, peer) = (roll(2000) as u16, roll(200_000) as u32);
        if number % 8 == 3 {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(((header + data) as u16).to_be_bytes());
            frame.extend([protocol, 64]);
            frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            frame.extend(host.to_be_bytes());
            frame.extend([0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0]);
            frame.extend(peer.to_be_bytes());
        } else {
            frame.extend([8, 0, 0x45, 0]);
            frame.extend(((20 + header + data) as u16).to_be_bytes());
            frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 1]);
            frame.extend(host.to_be_bytes());
            frame.extend([203, (peer >> 16) as u8, (peer >> 8) as u8, peer as u8]);
        }
        frame.extend((1024 + roll(60_000) as u16).to_be_bytes());
        frame.extend([443_u16, 80, 53, 445][roll(4) as usize].to_be_bytes());
        if is_tcp {
            frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, [2, 18, 16, 24][roll(4) as usize], 4, 0, 0, 0, 0, 0]);
        } else {
            frame.extend(((8 + data) as u16).to_be_bytes());
            frame.extend([0, 0]);
        }
        frame.resize(frame.len() + data, 0x17);
        frame
    };
    (0..MIX).map(frame).collect()
}

/// What a reader must have looked at.
fn touch(packet: &Packet<'_>) -> u64 {
    let transport = match packet.body {
        Body::Ip(ip) => match ip.transport {
            Transport::Tcp(tcp) => u64::from(tcp.dst_port) + u64::from(tcp.flags),
            Transport::Udp(udp) => u64::from(udp.dst_port),
            _ => 1,
        },
        _ => 2,
    };
    transport + u64::from(packet.vlan.unwrap_or(0))
}

/// Nanoseconds of CPU that this thread has used.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// CPU nanoseconds of one thing out of `count`.
fn each(count: u64, work: impl FnOnce() -> u64) -> f64 {
    let before = cpu_ns();
    std::hint::black_box(work());
    (cpu_ns() - before) as f64 / count as f64
}

fn best(rounds: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..rounds).map(|_| run()).fold(f64::MAX, f64::min)
}

/// Headers alone, beside etherparse on the same frames.
fn parse(mix: &[Vec<u8>], measured: bool) {
    let rounds = if measured { 500 } else { 2 };
    let count = (rounds * mix.len()) as u64;
    let times = if measured { 5 } else { 1 };
    let ours = best(times, || {
        each(count, || {
            let frames = (0..rounds).flat_map(|_| mix);
            frames.map(|frame| touch(&headers::parse(Nanos(1), frame.len() as u32, Link::Ethernet, None, frame))).sum()
        })
    });
    let theirs = best(times, || {
        each(count, || {
            let frames = (0..rounds).flat_map(|_| mix);
            let read = |frame: &Vec<u8>| match etherparse::LaxSlicedPacket::from_ethernet(frame).unwrap().transport {
                Some(etherparse::TransportSlice::Tcp(tcp)) => u64::from(tcp.destination_port()),
                Some(etherparse::TransportSlice::Udp(udp)) => u64::from(udp.destination_port()),
                _ => 1,
            };
            frames.map(read).sum()
        })
    });
    println!("parse: {ours:.1} ns a packet, etherparse (lax) {theirs:.1} ns: {:.1} times", theirs / ours);
    assert!(!measured || ours * 1.5 <= theirs, "less than 1.5 times cheaper than etherparse");
}

/// A packet of a file: read alone, with its headers, and judged.
fn file(mix: &[Vec<u8>], measured: bool) {
    let rounds = if measured { 128 } else { 2 };
    let mut writer = Writer::new(Vec::new()).unwrap();
    for number in 0..rounds * mix.len() {
        let frame = &mix[number % mix.len()];
        writer.frame(Nanos(1_700_000_000_000_000_000 + number as u64 * 10_000), frame.len() as u32, &[frame]).unwrap();
    }
    let file = writer.finish().unwrap();
    let count = (rounds * mix.len()) as u64;
    let run = |visit: &mut dyn FnMut(&netroom::capture::file::Frame<'_>) -> u64| {
        let mut capture = Capture::from_reader(Path::new("bench.pcap"), Cursor::new(file.clone())).unwrap();
        each(count, || {
            let mut sum = 0;
            while let Some(frame) = capture.next().unwrap() {
                sum += visit(&frame);
            }
            sum
        })
    };
    let times = if measured { 3 } else { 1 };
    let read = best(times, || run(&mut |frame| frame.octets.len() as u64));
    let parsed = best(times, || run(&mut |frame| touch(&frame.parse())));
    let judged = best(times, || {
        let mut engine = Engine::new(Settings::default(), Site::default(), 7);
        run(&mut |frame| {
            engine.packet(&frame.parse());
            1
        })
    });
    println!(
        "file: {read:.1} ns a packet, with headers {parsed:.1} ns, judged {judged:.1} ns ({:.2} M packets a CPU-second)",
        1e3 / judged
    );
    assert!(!measured || parsed <= 100.0, "reading a packet of a file and its headers costs more than 100 ns");
}

/// Makes the pair of interfaces in a namespace of this thread and its children; `false`, said aloud, where it may not.
fn namespace() -> bool {
    // SAFETY: unshare takes no pointers.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        eprintln!("NOT RUN: a network namespace needs root: {}", std::io::Error::last_os_error());
        return false;
    }
    std::fs::write("/proc/thread-self/root/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
    for line in ["link add wire type veth peer name mirror", "link set wire up", "link set mirror up"] {
        assert!(Command::new("ip").args(line.split(' ')).status().unwrap().success(), "ip {line}");
    }
    true
}

/// Sends the mix for a time, so many frames a second; how many were sent.
fn send(mix: &[Vec<u8>], per_second: u64, span: Duration) -> u64 {
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0))).unwrap();
    let one = 1_i32;
    // SAFETY: the pointer is to an int that lives through the call, and its size is given.
    unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, PACKET_QDISC_BYPASS, (&raw const one).cast(), 4) };
    let index = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == "wire").unwrap().index;
    // SAFETY: a C struct of integers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = index as i32;
    // SAFETY: the pointer is to a sockaddr_ll that lives through the call, and its size is given.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32) };
    assert_eq!(bound, 0);
    let mut parts: Vec<libc::iovec> =
        mix.iter().map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() }).collect();
    let heads = parts.iter_mut().map(|part| {
        // SAFETY: a C struct of integers and pointers.
        let mut head: libc::mmsghdr = unsafe { std::mem::zeroed() };
        head.msg_hdr.msg_iov = part;
        head.msg_hdr.msg_iovlen = 1;
        head
    });
    let mut heads: Vec<libc::mmsghdr> = heads.collect();
    let (start, mut sent, mut at) = (Instant::now(), 0_u64, 0);
    while start.elapsed() < span {
        if sent > (start.elapsed().as_nanos() as u64).saturating_mul(per_second) / 1_000_000_000 {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        let batch = &mut heads[at..at + BATCH];
        // SAFETY: the heads point to parts, the parts to frames; all live through the call and nobody writes to them.
        let done = unsafe { libc::sendmmsg(socket.as_raw_fd(), batch.as_mut_ptr(), BATCH as u32, 0) };
        sent += u64::try_from(done).unwrap_or(0);
        at = (at + BATCH) % mix.len();
    }
    sent
}

/// A judge that looks at each packet, or hands it to the engine, and keeps what its thread has used.
struct Judge {
    engine: Option<Engine>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    cpu_ns: AtomicU64,
    tagged: AtomicU64,
    sum: AtomicU64,
}

impl Consumer for Judge {
    fn packets(&mut self, packets: &[Packet<'_>]) {
        let tagged = packets.iter().filter(|packet| packet.vlan == Some(12)).count();
        self.counts.tagged.fetch_add(tagged as u64, Ordering::Relaxed);
        match &mut self.engine {
            Some(engine) => packets.iter().for_each(|packet| engine.packet(packet)),
            None => drop(self.counts.sum.fetch_add(packets.iter().map(touch).sum(), Ordering::Relaxed)),
        }
    }

    fn tick(&mut self, _now: Nanos) {
        self.counts.cpu_ns.store(cpu_ns(), Ordering::Relaxed);
    }
}

/// What one run came to.
struct Run {
    sent: u64,
    received: u64,
    dropped: u64,
    tagged: u64,
    ns: f64,
}

fn watched(mix: &[Vec<u8>], per_second: u64, span: Duration, engine: Option<Engine>) -> Run {
    let counts = Arc::<Counts>::default();
    let options = Options { interfaces: vec!["mirror".into()], ring_octets: 64 << 20, threads: 1, promiscuous: true };
    let watch = Arc::new(Watch::new(options, Box::new(Judge { engine, counts: Arc::clone(&counts) })));
    let token = CancellationToken::new();
    let thread = {
        let (watch, token) = (Arc::clone(&watch), token.clone());
        std::thread::spawn(move || {
            watch.run(0, &token);
            cpu_ns()
        })
    };
    let now = || watch.board().interfaces().remove(0);
    while now().state != State::Watching {
        std::thread::sleep(Duration::from_millis(5));
    }
    // What it cost to begin is not what a packet costs.
    std::thread::sleep(Duration::from_millis(1500));
    let before = counts.cpu_ns.load(Ordering::Relaxed);
    let sent = send(mix, per_second, span);
    let start = Instant::now();
    while now().received + now().dropped < sent && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    token.cancel();
    let used = thread.join().unwrap() - before;
    let end = now();
    let tagged = counts.tagged.load(Ordering::Relaxed);
    Run { sent, received: end.received, dropped: end.dropped, tagged, ns: used as f64 / end.received.max(1) as f64 }
}

/// The same by pnet::datalink: a system call a packet, no tags, no count of what was lost.
fn by_pnet(mix: &[Vec<u8>], per_second: u64, span: Duration) -> Run {
    let interface = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == "mirror").unwrap();
    let config = pnet_datalink::Config { read_timeout: Some(Duration::from_millis(100)), ..pnet_datalink::Config::default() };
    let Channel::Ethernet(_, mut receiver) = pnet_datalink::channel(&interface, config).unwrap() else { panic!("no Ethernet") };
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let (before, mut received, mut tagged, mut sum) = (cpu_ns(), 0_u64, 0_u64, 0_u64);
        while !stopped.load(Ordering::Relaxed) {
            if let Ok(frame) = receiver.next() {
                let packet = headers::parse(Nanos(1), frame.len() as u32, Link::Ethernet, None, frame);
                received += 1;
                tagged += u64::from(packet.vlan.is_some());
                sum += touch(&packet);
            }
        }
        std::hint::black_box(sum);
        (received, tagged, cpu_ns() - before)
    });
    let sent = send(mix, per_second, span);
    std::thread::sleep(Duration::from_millis(300));
    stop.store(true, Ordering::Relaxed);
    let (received, tagged, used) = thread.join().unwrap();
    Run { sent, received, dropped: sent - received.min(sent), tagged, ns: used as f64 / received.max(1) as f64 }
}

fn ring(mix: &[Vec<u8>], measured: bool) {
    if !namespace() {
        return;
    }
    let span = if measured { Duration::from_secs(5) } else { Duration::from_millis(200) };
    let rates: &[u64] = if measured { &[300_000, 1_000_000] } else { &[20_000] };
    for &rate in rates {
        let pnet = by_pnet(mix, rate, span);
        let ours = watched(mix, rate, span, None);
        let judged = watched(mix, rate, span, Some(Engine::new(Settings::default(), Site::default(), 7)));
        for (name, run) in [("ring", &ours), ("ring, judged", &judged), ("pnet::datalink", &pnet)] {
            println!(
                "{rate} pps, {name}: {:.0} ns a packet ({:.1} % of a core), sent {} received {} dropped {} tagged {}",
                run.ns,
                run.ns * run.received as f64 / span.as_nanos() as f64 * 100.0,
                run.sent,
                run.received,
                run.dropped,
                run.tagged
            );
        }
        println!("{rate} pps: pnet::datalink costs {:.1} times the ring", pnet.ns / ours.ns);
        for run in [&ours, &judged] {
            assert_eq!(run.received + run.dropped, run.sent, "what was received and what was dropped is not what was sent");
        }
        if ours.dropped == 0 {
            assert_eq!(ours.tagged, (0..ours.sent).filter(|number| number % 4 == 0).count() as u64, "tags were not seen");
        }
        if measured && rate == 300_000 {
            assert_eq!((ours.dropped, judged.dropped), (0, 0), "packets were lost at 300,000 a second");
            assert!(pnet.ns >= 6.0 * ours.ns, "less than six times cheaper than pnet::datalink");
        }
    }
}
