//! Flow records of a real exporter (softflowd), read beside a real collector (nfcapd): what both count must be equal.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use netroom::capture::headers;
use netroom::capture::link;
use netroom::capture::packet::{Body, Nanos, Transport};
use netroom::flow::driver::Receiver;
use netroom::flow::record::Record;
use netroom::flow::stats::Stats;
use netroom::flow::{Allowed, Header, Link, Listener, Protocol};
use netroom::model::clock;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::process::{Daemon, PATIENCE, write};
use crate::trials::not_run;

#[path = "../../src/flow/tests/datagrams.rs"]
pub(crate) mod datagrams;
mod pcap;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FLOWS: u32 = 1_500;

#[expect(clippy::disallowed_methods, reason = "the test's peers are other programs")]
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn is_there(name: &str) -> bool {
    match program(name).arg("-V").status() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            not_run("flow records of a real exporter", &format!("{name} is missing; install softflowd and nfdump"));
            false
        }
        _ => true,
    }
}

/// Waits for what the kernel's table says of the socket at this port: its octets that wait, `None` while there is none.
fn until(port: u16, wanted: impl Fn(Option<u64>) -> bool) {
    let (begin, address) = (clock::monotonic(), format!("0100007F:{port:04X}"));
    loop {
        let table = fs::read_to_string("/proc/net/udp").unwrap();
        let line =
            table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>()).find(|words| words.get(1) == Some(&&*address));
        let waiting = line.and_then(|words| u64::from_str_radix(words[4].split_once(':')?.1, 16).ok());
        if wanted(waiting) {
            return;
        }
        assert!(clock::monotonic().duration_since(begin) < PATIENCE, "port {port}: {waiting:?}");
        std::thread::yield_now();
    }
}

/// What softflowd exports of a capture file.
fn export(version: &str, file: &Path, dir: &Path) -> Vec<Vec<u8>> {
    let socket = UdpSocket::from(socket2::Socket::from(UdpSocket::bind((LOOPBACK, 0)).unwrap()));
    socket2::SockRef::from(&socket).set_recv_buffer_size(8 << 20).unwrap();
    let to = socket.local_addr().unwrap().to_string();
    let own = |name: &str| dir.join(name).display().to_string();
    let ended = program("softflowd")
        .args(["-d", "-m", "100000", "-v", version, "-n", &to, "-c", &own("control"), "-p", &own("pid"), "-r"])
        .arg(file)
        .status()
        .unwrap();
    assert!(ended.success(), "softflowd: {ended}");
    // Loopback delivers within the sending call: all of it is here.
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 65_536];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())).collect()
}

/// nfcapd, which ends when it is dropped.
struct Nfcapd(Child, u16);

impl Nfcapd {
    fn start(dir: &Path) -> Self {
        let port = UdpSocket::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap().port();
        let child = program("nfcapd")
            .args(["-b", "127.0.0.1", "-t", "3600", "-B", "4000000", "-p", &port.to_string(), "-w"])
            .arg(dir)
            .spawn()
            .unwrap();
        until(port, |waiting| waiting.is_some());
        Self(child, port)
    }

    /// Its counts, by the names that nfdump gives them.
    fn counts(mut self, dir: &Path) -> BTreeMap<String, u64> {
        until(self.1, |waiting| waiting == Some(0));
        program("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        self.0.wait().unwrap();
        let Output { stdout, .. } = program("nfdump").args(["-I", "-R"]).arg(dir).stdout(Stdio::piped()).output().unwrap();
        let text = String::from_utf8(stdout).unwrap();
        text.lines().filter_map(|line| line.split_once(": ")).filter_map(|(name, value)| Some((name.into(), value.parse().ok()?))).collect()
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same counts of ours.
fn counts(records: &[Record]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for record in records {
        let kind = match record.protocol {
            6 => "tcp",
            17 => "udp",
            1 | 58 => "icmp",
            _ => "other",
        };
        for (name, count) in [("Flows", 1), ("Packets", record.packets), ("Bytes", record.octets)] {
            *counts.entry(name.to_owned()).or_insert(0) += count;
            *counts.entry(format!("{name}_{kind}")).or_insert(0) += count;
        }
    }
    counts
}

/// Runs our receiver until it has heard so many datagrams.
async fn receive(datagrams: &[Vec<u8>], allowed: Allowed) -> (Vec<Record>, std::sync::Arc<Stats>) {
    let listener = Listener::bind((LOOPBACK, 0).into(), 8 << 20).unwrap();
    let to = listener.address();
    let (queue, mut batches) = mpsc::channel(1_024);
    let receiver = Receiver::new(vec![listener], allowed, queue);
    let (stats, token) = (std::sync::Arc::clone(receiver.stats()), CancellationToken::new());
    let sender = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    for datagram in datagrams {
        sender.send_to(datagram, to).unwrap();
    }
    let heard = || {
        let exporters = stats.exporters();
        let taken: u64 = exporters.iter().map(|(_, exporter)| Protocol::ALL.map(|it| exporter.datagrams(it)).iter().sum::<u64>()).sum();
        let garbage: u64 = exporters.iter().map(|(_, exporter)| exporter.malformed()).sum();
        taken + garbage + stats.refused()
    };
    let mut records = Vec::new();
    let until = async {
        while heard() < datagrams.len() as u64 {
            tokio::task::yield_now().await;
        }
        token.cancel();
    };
    let (ran, _) = tokio::time::timeout(PATIENCE, async { tokio::join!(receiver.run(&token), until) }).await.expect("all are heard");
    ran.unwrap();
    drop(receiver);
    while let Some(batch) = batches.recv().await {
        records.extend(batch);
    }
    (records, stats)
}

fn everybody_here() -> Allowed {
    Allowed { addresses: [LOOPBACK].into(), networks: Vec::new() }
}

#[tokio::test]
async fn totals_equal_those_of_nfdump_for_each_protocol_of_softflowd() {
    if !["softflowd", "nfcapd", "nfdump"].into_iter().all(is_there) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("capture.pcap");
    let now = clock::wall();
    fs::write(&file, pcap::capture(FLOWS, now)).unwrap();
    for (version, protocol) in [("5", Protocol::V5), ("9", Protocol::V9), ("10", Protocol::Ipfix)] {
        let datagrams = export(version, &file, dir.path());
        assert!(datagrams.len() > 10, "v{version}: softflowd sent {}", datagrams.len());
        let files = tempfile::tempdir().unwrap();
        let peer = Nfcapd::start(files.path());
        let sender = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        for datagram in &datagrams {
            sender.send_to(datagram, (LOOPBACK, peer.1)).unwrap();
        }
        let told = peer.counts(files.path());
        let (records, stats) = receive(&datagrams, everybody_here()).await;
        let ours = counts(&records);
        let theirs: BTreeMap<_, _> = told.into_iter().filter(|(name, _)| ours.contains_key(name)).collect();
        assert_eq!(ours, theirs, "v{version}");
        let exporter = stats.exporter(LOOPBACK);
        assert_eq!((exporter.records(protocol), exporter.malformed(), exporter.unknown_templates()), (ours["Flows"], 0, 0), "v{version}");
        // Against the capture itself: nfdump 1.7.1 is 2^32 ms late when softflowd's uptime wraps within a v9 datagram.
        let times = records.iter().map(|record| (record.first.millis() - now.millis(), record.last.millis() - now.millis()));
        let (first, last) = times.fold((0, i64::MIN), |(first, last), (begin, end)| (first.min(begin), last.max(end)));
        assert!((first - pcap::BEGINS_MS).abs() <= 1_500 && (last - pcap::ENDS_MS).abs() <= 1_500, "v{version}: {first} to {last}");
        let six = records.iter().filter(|record| record.src.is_ipv6()).count();
        assert_eq!(six > 0, version != "5", "v{version}: {six} of IPv6");
    }
}

#[tokio::test]
async fn strangers_are_refused_and_garbage_is_counted() {
    let good = datagrams::v5(0, 0, &[datagrams::flow(1)]);
    let (records, stats) = receive(&[good.clone(), b"\x16\x03garbage".to_vec()], everybody_here()).await;
    assert_eq!((records.len(), stats.exporter(LOOPBACK).malformed(), stats.refused()), (1, 1, 0));
    let (records, stats) = receive(&[good.clone(), good], Allowed::default()).await;
    assert_eq!((records.len(), stats.refused()), (0, 2));
    assert!(stats.exporters().is_empty());
}

/// The same octets mean the same to the reference parser of sFlow, so that the datagrams of these tests are what they say.
#[test]
fn our_sflow_datagrams_are_read_alike_by_another_parser() {
    let head = datagrams::frame(&datagrams::flow(1), Some(12), 72);
    let datagram = datagrams::sflow(4, &[datagrams::sample(512, 90, &head)]);
    let read = flowparser_sflow::SflowParser::default().parse_bytes(&datagram);
    assert!(read.error.is_none());
    let flowparser_sflow::SflowSample::Flow(sample) = &read.datagrams[0].samples[0] else { panic!("{read:?}") };
    let flowparser_sflow::FlowRecord::RawPacketHeader(raw) = &sample.records[0] else { panic!("{sample:?}") };
    assert_eq!((sample.sampling_rate, sample.input, raw.frame_length, &raw.header[..]), (512, 3, 90, &head[..]));
}

/// The small reader of sampled heads and the reader of mirrored frames say the same of every frame of the labelled captures.
#[test]
fn sampled_heads_are_read_as_mirrored_frames_are() {
    let Some(folder) = crate::poll::recordings::shared("data/pcap") else { return };
    let mut compared = 0;
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "pcap")) {
        for frame in pcap::frames(&fs::read(&file).unwrap()) {
            let head = &frame[..frame.len().min(128)];
            let packet = headers::parse(Nanos(0), frame.len() as u32, link::Link::Ethernet, None, head);
            let Body::Ip(ip) = packet.body else { continue };
            let read = Header::read(Link::Ethernet, head).unwrap_or_else(|| panic!("{}: {packet:?}", file.display()));
            assert_eq!((read.src, read.dst, read.src_mac, read.vlan), (ip.src, ip.dst, packet.src_mac, packet.vlan), "{}", file.display());
            let (ports, protocol) = match ip.transport {
                Transport::Tcp(tcp) => ((tcp.src_port, tcp.dst_port), 6),
                Transport::Udp(udp) => ((udp.src_port, udp.dst_port), 17),
                Transport::Icmp(icmp) => ((0, u16::from(icmp.kind) << 8 | u16::from(icmp.code)), read.protocol),
                Transport::Other(_) => continue,
            };
            assert_eq!(((read.src_port, read.dst_port), read.protocol), (ports, protocol), "{}: {packet:?}", file.display());
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared} frames");
}

#[tokio::test]
async fn the_daemon_counts_what_an_exporter_sends() {
    let dir = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap().port();
    let to = SocketAddr::new(LOOPBACK, port);
    let config = write(dir.path(), &format!("[flow]\nenabled = true\nlisten = [\"{to}\"]\nexporters = [\"127.0.0.0/8\"]\n"));
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    let sender = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let flows: Vec<_> = (0..3).map(datagrams::flow).collect();
    sender.send_to(&datagrams::v5(0, 0, &flows), to).unwrap();
    sender.send_to(&datagrams::v5(13, 0, &flows), to).unwrap();
    sender.send_to(b"what is this", to).unwrap();
    daemon.wait_metric("netroom_flow_malformed_total{exporter=\"127.0.0.1\"}", "the garbage", |count| count == 1.0).await;
    let labels = "{exporter=\"127.0.0.1\",protocol=\"netflow5\"}";
    for (name, wanted) in [("records", 6.0), ("datagrams", 2.0), ("lost", 10.0)] {
        assert_eq!(daemon.metric(&format!("netroom_flow_{name}_total{labels}")).await, wanted, "{name}");
    }
    assert!(daemon.log().contains("cannot be read as NetFlow"), "{}", daemon.log());
    daemon.stop().await;
}

/// Flow records of a machine that knocks at the doors of sixty others, one packet each, and of one that browses.
fn a_scan() -> Vec<datagrams::Flow> {
    let step = |number: u32| datagrams::UPTIME_MS - 20_000 + number * 150;
    let knock = |number: u32| datagrams::Flow {
        src: "10.1.2.3".parse().unwrap(),
        dst: Ipv4Addr::from_bits(0x0a09_0001 + number).into(),
        ports: (40_000 + number as u16, 445),
        protocol: 6,
        flags: 2,
        packets: 1,
        octets: 48,
        first: step(number),
        last: step(number),
    };
    let browse = |number: u32| datagrams::Flow {
        src: "10.1.2.4".parse().unwrap(),
        dst: Ipv4Addr::from_bits(0xcb00_7101 + number).into(),
        ports: (50_000 + number as u16, 443),
        flags: 0x1b,
        packets: 40,
        octets: 50_000,
        ..knock(number)
    };
    let back = |there: datagrams::Flow| datagrams::Flow { src: there.dst, dst: there.src, ports: (there.ports.1, there.ports.0), ..there };
    (0..60).flat_map(|number| [knock(number), browse(number), back(browse(number))]).collect()
}

async fn found_by(datagrams: Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap().port();
    let to = SocketAddr::new(LOOPBACK, port);
    let config = write(dir.path(), &format!("[flow]\nenabled = true\nlisten = [\"{to}\"]\nexporters = [\"127.0.0.0/8\"]\n"));
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    let sender = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    for datagram in &datagrams {
        sender.send_to(datagram, to).unwrap();
    }
    let about = |incident: &serde_json::Value| incident["subject"].to_string().contains("10.1.2.3");
    let of = |open: &serde_json::Value| open["incidents"].as_array().is_some_and(|all| all.iter().any(about));
    let open = daemon.wait("/api/v1/incidents", "an incident about the machine that scans", of).await;
    let told: Vec<_> = open["incidents"].as_array().unwrap().iter().filter(|one| about(one)).collect();
    assert!(told.iter().any(|one| one["rule"] == "tcp-scan" || one["rule"] == "lateral"), "{told:?}");
    assert!(!open.to_string().contains("10.1.2.4"), "who browses is nobody's subject: {open}");
    // What only flows tell of a machine is on its page too.
    let seen = daemon.wait("/api/v1/machines/10.1.2.3", "its portrait", |machine| machine["seen"]["total"]["failed"] == 60).await;
    assert_eq!(seen["seen"]["total"]["contacts"], 60, "{seen}");
    let page = daemon.json("/api/v1/machines/10.1.2.3").await;
    let other = daemon.json("/api/v1/machines/10.1.2.4").await;
    assert_eq!((&other["seen"]["total"]["contacts"], &other["seen"]["total"]["answered"]), (&60.into(), &60.into()), "{other}");
    assert!(daemon.text("/machine/10.1.2.3").await.contains("tcp/445"));
    let traffic = daemon.wait("/api/v1/traffic", "classes", |traffic| traffic["classes"]["web"]["received"] == 3_000_000).await;
    assert_eq!(traffic["classes"]["web"]["sent"], 3_000_000, "{traffic}");
    daemon.stop().await;
    // What the daemon kept is told beside it, by the same weighing as the page's.
    let explain = |host: &str, form: &[&str]| {
        let output = crate::process::program()
            .args(["detect", "explain", host])
            .args(form)
            .arg("--config")
            .arg(&config)
            .arg("--data")
            .arg(dir.path().join("data"))
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = explain("10.1.2.3", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &told["seen"]["against"]), (1, &page["against"]), "{said}");
    assert!(told["seen"]["against"].to_string().contains("one-door") && told["seen"]["as_of"].is_i64(), "{said}");
    let (code, said) = explain("10.1.2.4", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("60 of 60 first contacts were answered (100.0%)") && said.ends_with("against it:\n  nothing\n"), "{said}");
    // A restart forgets nobody.
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    let seen = daemon.json("/api/v1/machines/10.1.2.3").await;
    assert_eq!((&seen["seen"]["total"]["contacts"], &seen["seen"]["total"]["failed"]), (&60.into(), &60.into()), "{seen}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_scan_that_only_netflow_tells_of_becomes_an_incident_with_a_face() {
    let flows = a_scan();
    let version_5 = flows.chunks(30).enumerate().map(|(at, flows)| datagrams::v5(at as u32 * 30, 0, flows)).collect();
    found_by(version_5).await;
    let template = datagrams::set(0, datagrams::template(300, &datagrams::V4_FIELDS));
    let set = |flows: &[datagrams::Flow]| {
        datagrams::set(300, flows.iter().flat_map(|flow| datagrams::record(&datagrams::V4_FIELDS, flow)).collect())
    };
    let version_9 = flows.chunks(25).enumerate().map(|(at, flows)| datagrams::v9(at as u32, 7, &[template.clone(), set(flows)])).collect();
    found_by(version_9).await;
}
