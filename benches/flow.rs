//! Records a CPU-second of each protocol: our reading, that of the parsers netflow_parser and flowparser-sflow over the same
//! octets, and over loopback beside nfcapd, which also writes its files.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::fs;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use netroom::flow::driver::Receiver;
use netroom::flow::{Allowed, Collector, Limits, Listener};
use netroom::model::{Timestamp, clock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[path = "../src/flow/tests/datagrams.rs"]
mod datagrams;

use datagrams::{SENT_S, V4_FIELDS, flow, frame, ipfix, record, sample, set, sflow, template, v5, v9};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const KINDS: [&str; 4] = ["v5", "v9", "IPFIX", "sFlow"];

fn main() {
    // Without `--bench` this is a smoke run of the tests.
    let measured = std::env::args().any(|word| word == "--bench");
    let (records, live) = if measured { (6_000_000, 30_000) } else { (2_000, 40) };
    for kind in KINDS {
        parse(kind, records, measured);
    }
    for kind in &KINDS[..3] {
        beside_nfcapd(kind, live, measured);
    }
}

/// Datagrams as they come in an office: about 1,400 octets each, the template in the first.
fn example(kind: &str, count: u32) -> (Vec<Vec<u8>>, u32) {
    let of = |datagram: u32, each: u32| (datagram * each..(datagram + 1) * each).map(flow);
    let sets = |datagram: u32| set(256, of(datagram, 26).flat_map(|flow| record(&V4_FIELDS, &flow)).collect());
    let make = |datagram: u32| match kind {
        "v5" => v5(datagram * 30, 0, &of(datagram, 30).collect::<Vec<_>>()),
        "v9" if datagram == 0 => v9(0, 0, &[set(0, template(256, &V4_FIELDS)), sets(0)]),
        "v9" => v9(datagram, 0, &[sets(datagram)]),
        "IPFIX" if datagram == 0 => ipfix(0, 0, &[set(2, template(256, &V4_FIELDS)), sets(0)]),
        "IPFIX" => ipfix(datagram * 26, 0, &[sets(datagram)]),
        _ => sflow(datagram, &of(datagram, 7).map(|flow| sample(512, 90, &frame(&flow, Some(3), 72))).collect::<Vec<_>>()),
    };
    let each = match kind {
        "v5" => 30,
        "sFlow" => 7,
        _ => 26,
    };
    ((0..count).map(make).collect(), each)
}

/// CPU seconds that this thread has used.
fn own_cpu() -> f64 {
    spent("/proc/thread-self/schedstat")
}

fn spent(file: &str) -> f64 {
    // Nanoseconds on a CPU are the first word.
    fs::read_to_string(file).ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn parse(kind: &str, records: u32, measured: bool) {
    let (datagrams, each) = example(kind, 1_000.min(records / 7));
    let rounds = (records / (each * datagrams.len() as u32)).max(1);
    let total = f64::from(rounds * each) * datagrams.len() as f64;
    let from: SocketAddr = (LOOPBACK, 9_000).into();
    let at = Timestamp::from_secs(SENT_S.into());
    let (mut collector, mut out, mut made) = (Collector::new(Limits::default()), Vec::new(), 0_usize);
    let begin = own_cpu();
    for _ in 0..rounds {
        for datagram in &datagrams {
            out.clear();
            collector.read(from, at, datagram, &mut out);
            made += black_box(&out).len();
        }
    }
    let ours = own_cpu() - begin;
    assert_eq!(made as f64, total, "{kind}");
    let mut peer = Peer::new(kind);
    let peer_rounds = (rounds / 8).max(1);
    let begin = own_cpu();
    for _ in 0..peer_rounds {
        for datagram in &datagrams {
            peer.read(from, datagram);
        }
    }
    let theirs = (own_cpu() - begin) * f64::from(rounds) / f64::from(peer_rounds);
    println!(
        "{kind}: {:.1} ns a record, {:.1} M a CPU-second; {} without making records {:.0} ns, {:.1} times as much",
        ours / total * 1e9,
        total / ours / 1e6,
        peer.name(),
        theirs / total * 1e9,
        theirs / ours
    );
    if measured {
        let aim = if kind == "sFlow" { 8.0 } else { 2.5 };
        println!("  aim: {aim} M a CPU-second: {}", if total / ours / 1e6 >= aim { "met" } else { "missed" });
    }
}

/// The parsers that we do not use, for comparison.
enum Peer {
    Netflow(Box<netflow_parser::AutoScopedParser>),
    Sflow(flowparser_sflow::SflowParser),
}

impl Peer {
    fn new(kind: &str) -> Self {
        if kind == "sFlow" { Self::Sflow(flowparser_sflow::SflowParser::default()) } else { Self::Netflow(Box::default()) }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Netflow(_) => "netflow_parser",
            Self::Sflow(_) => "flowparser-sflow",
        }
    }

    fn read(&mut self, from: SocketAddr, datagram: &[u8]) {
        match self {
            Self::Netflow(parser) => {
                let read = parser.parse_from_source(from, datagram);
                assert!(read.error.is_none(), "{:?}", read.error);
                drop(black_box(read));
            }
            Self::Sflow(parser) => {
                let read = parser.parse_bytes(datagram);
                assert!(read.error.is_none(), "{:?}", read.error);
                drop(black_box(read));
            }
        }
    }
}

/// The same datagrams over loopback to nfcapd and to our receiver, at 20,000 a second.
fn beside_nfcapd(kind: &str, count: u32, measured: bool) {
    let (datagrams, each) = example(kind, count);
    let total = f64::from(count * each);
    let directory = tempfile::tempdir().expect("a directory for its files");
    let port = UdpSocket::bind((LOOPBACK, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
    #[expect(clippy::disallowed_methods, reason = "the bench's peer is another program")]
    let peer = Command::new("nfcapd")
        .args(["-b", "127.0.0.1", "-t", "3600", "-B", "8000000", "-p", &port.to_string(), "-w"])
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let theirs = match peer {
        Ok(mut child) => {
            wait(|| waiting(port).is_some());
            send(&datagrams, (LOOPBACK, port).into());
            wait(|| waiting(port) == Some(0));
            let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
            let cpu: f64 = tasks.map(|task| spent(&task.path().join("schedstat").display().to_string())).sum();
            child.kill().and_then(|()| child.wait()).expect("nfcapd ends");
            Some(cpu)
        }
        Err(error) => {
            println!("{kind}: nfcapd cannot be run ({error}); install nfdump");
            None
        }
    };
    let (ours, made, dropped) = live(&datagrams);
    println!("{kind} over loopback: {:.0} ns a record, {made} of {total} received, {dropped} datagrams dropped", ours / made as f64 * 1e9);
    if let Some(theirs) = theirs {
        println!("  nfcapd: {:.0} ns a record of those sent; ours {:.2} times as much", theirs / total * 1e9, ours / theirs);
        if measured {
            println!("  aim: at most twice: {}", if ours <= theirs * 2.0 { "met" } else { "missed" });
        }
    }
}

/// Our receiver on a thread of its own: its CPU seconds, the records that came out, and what its socket dropped.
fn live(datagrams: &[Vec<u8>]) -> (f64, usize, u64) {
    let listener = Listener::bind((LOOPBACK, 0).into(), 8 << 20).expect("a socket");
    let to = listener.address();
    let (queue, mut batches) = mpsc::channel(1_024);
    let receiver = Receiver::new(vec![listener], Allowed { addresses: [LOOPBACK].into(), networks: Vec::new() }, queue);
    let (stats, token) = (receiver.stats().clone(), CancellationToken::new());
    let stop = token.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(receiver.run(&stop)).expect("it receives");
        own_cpu()
    });
    let reader = std::thread::spawn(move || {
        let mut records = 0;
        while let Some(batch) = batches.blocking_recv() {
            records += batch.len();
        }
        records
    });
    send(datagrams, to);
    wait(|| waiting(to.port()) == Some(0));
    token.cancel();
    let cpu = thread.join().expect("the receiver ends");
    (cpu, reader.join().expect("the reader ends"), stats.socket_drops())
}

fn send(datagrams: &[Vec<u8>], to: SocketAddr) {
    let socket = UdpSocket::bind((LOOPBACK, 0)).expect("a socket");
    let begin = clock::monotonic();
    for (number, datagram) in datagrams.iter().enumerate() {
        let due = begin + Duration::from_micros(number as u64 * 50);
        while clock::monotonic() < due {
            std::hint::spin_loop();
        }
        socket.send_to(datagram, to).expect("loopback");
    }
}

/// Octets that wait at a port of loopback, by the kernel's table.
fn waiting(port: u16) -> Option<u64> {
    let (table, address) = (fs::read_to_string("/proc/net/udp").ok()?, format!("0100007F:{port:04X}"));
    let words =
        table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>()).find(|words| words.get(1) == Some(&&*address))?;
    u64::from_str_radix(words.get(4)?.split_once(':')?.1, 16).ok()
}

fn wait(happened: impl Fn() -> bool) {
    let begin = clock::monotonic();
    while !happened() {
        assert!(clock::monotonic().duration_since(begin) < Duration::from_secs(60), "the receiver does not keep up");
        std::thread::yield_now();
    }
}
