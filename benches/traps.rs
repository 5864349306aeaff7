//! The receiver of notifications: none lost in a second at 50,000 a second, and how many a second of CPU takes.
//! The sender is another process, so that the CPU of this one is the receiver's alone (on loopback the kernel charges the
//! delivery to who sends).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netroom::model::clock;
use netroom::snmp::ber::Writer;
use netroom::snmp::job::Secret;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_varbinds};
use netroom::snmp::oid::Oid;
use netroom::snmp::trap::{Engine, Limit, Options, Refused, Senders, start};
use netroom::snmp::value::Value;
use tokio::sync::mpsc;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--send") {
        let number = |offset: usize| words.get(at + offset).and_then(|word| word.parse().ok()).unwrap_or(0);
        return send(
            SocketAddr::from((LOOPBACK, u16::try_from(number(1)).unwrap_or(0))),
            number(2),
            number(3),
            words.iter().any(|word| word == "--inform"),
        );
    }
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = words.iter().any(|word| word == "--bench");
    let second: u64 = if measured { 50_000 } else { 500 };
    let bar = if measured { Some(500_000.0) } else { None };
    run("traps paced over a second", second, second, false, None);
    run("traps as fast as they come", second * 10, 0, false, bar);
    run("informs as fast as they come", second * 4, 0, true, None);
}

fn run(what: &str, count: u64, per_second: u64, inform: bool, bar: Option<f64>) {
    let directory = tempfile::tempdir().expect("a directory for the engine's number");
    let (queue, mut traps) = mpsc::channel(65_536);
    let options = Options {
        listen: vec![(LOOPBACK, 0).into()],
        receive_buffer: 64 << 20,
        limit: Limit { per_second: 1e9, burst: 1e9 },
        senders: Senders { devices: HashMap::from([(LOOPBACK, Secret::new(&b"traps"[..]))]), anywhere: Vec::new() },
        users: Vec::new(),
        engine: Engine::start(&directory.path().join("engine"), clock::monotonic()).expect("an engine"),
    };
    let handle = start(options, queue).expect("a receiver");
    let port = handle.addresses()[0].port();
    let before = receiver_cpu();
    #[expect(clippy::disallowed_methods, reason = "this bench itself, as the sender")]
    let mut sender = Command::new(std::env::current_exe().expect("our own path"))
        .args(["--send", &port.to_string(), &count.to_string(), &per_second.to_string(), if inform { "--inform" } else { "" }])
        .stdin(Stdio::null())
        .spawn()
        .expect("the sender");
    let stats = handle.stats();
    let mut last = (0, clock::monotonic());
    // Over when all have come, or nothing has come for two seconds.
    while stats.received() < count && clock::monotonic().duration_since(last.1) < Duration::from_secs(2) {
        while traps.try_recv().is_ok() {}
        if stats.received() != last.0 {
            last = (stats.received(), clock::monotonic());
        }
        std::thread::yield_now();
    }
    let cpu = receiver_cpu() - before;
    sender.wait().expect("the sender ends");
    let (received, drops) = (stats.received(), stats.socket_drops());
    let per_cpu = received as f64 / cpu.max(1e-9);
    println!(
        "{what}: {received} of {count} received, {drops} dropped by the socket, {} not taken, {cpu:.3} CPU-s, {per_cpu:.0} a CPU-second",
        Refused::ALL.iter().map(|&why| stats.refused(why)).sum::<u64>()
    );
    if per_second > 0 {
        assert_eq!((received, drops), (count, 0), "none may be lost");
    }
    if let Some(bar) = bar {
        println!("  aim: {bar:.0} a CPU-second: {}", if per_cpu >= bar { "met" } else { "missed" });
    }
}

/// CPU time of the receiver's thread, from the kernel's own account of it, seconds.
fn receiver_cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ours = tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "snmp-trap"));
    // Nanoseconds on a CPU are the first word of schedstat.
    let spent = ours.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse::<f64>().ok());
    spent.sum::<f64>() / 1e9
}

fn send(to: SocketAddr, count: u64, per_second: u64, inform: bool) {
    let socket = UdpSocket::bind((LOOPBACK, 0)).expect("a socket");
    socket.connect(to).expect("loopback");
    let datagram = link_down(if inform { PduKind::Inform } else { PduKind::TrapV2 });
    let begin: Instant = clock::monotonic();
    for number in 0..count {
        let due = (number * 1_000_000_000).checked_div(per_second).map_or(begin, |nanos| begin + Duration::from_nanos(nanos));
        while clock::monotonic() < due {
            std::hint::spin_loop();
        }
        // A full queue of the receiver is what is measured.
        let _ = socket.send(&datagram);
    }
}

fn link_down(kind: PduKind) -> Vec<u8> {
    let oid = |text: &str| text.parse::<Oid>().expect("an OID");
    let names = [
        (oid("1.3.6.1.2.1.1.3.0"), Value::TimeTicks(77)),
        (oid("1.3.6.1.6.3.1.1.4.1.0"), Value::Null),
        (oid("1.3.6.1.2.1.2.2.1.1.12"), Value::Integer(12)),
        (oid("1.3.6.1.2.1.2.2.1.7.12"), Value::Integer(1)),
        (oid("1.3.6.1.2.1.2.2.1.8.12"), Value::Integer(2)),
    ];
    let what = oid("1.3.6.1.6.3.1.1.5.3");
    let list = encode_varbinds(
        names.iter().map(|(name, value)| (name.as_ref(), if *value == Value::Null { Value::Oid(what.as_ref()) } else { *value })),
    );
    let parts = PduParts { kind, request_id: 7, error_status: 0, error_index: 0, varbinds: &list };
    let mut writer = Writer::with_capacity(256);
    Message::encode(Version::V2c, b"traps", &parts, &mut writer);
    writer.as_slice().to_vec()
}
