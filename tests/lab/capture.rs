//! The ring on a real interface: a pair of veth in a network namespace that the test's own thread makes and leaves. What is
//! sent is counted to the last frame, what is lost too, and an interface that goes away, comes back or changes its name is
//! told and found again. Needs root; says loudly when it did not run.
#![expect(unsafe_code, reason = "unshare(2) has no safe interface in the crates at hand")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netroom::capture::driver::{Consumer, Options, Watch};
use netroom::capture::file::Capture;
use netroom::capture::live::{InterfaceNow, State};
use netroom::capture::packet::{Body, Nanos, Packet, Transport};
use netroom::capture::tap::{self, Host, Order};
use netroom::model::MacAddr;
use pnet_datalink::{Channel, DataLinkSender};
use tokio_util::sync::CancellationToken;

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(30);
const US: [u8; 6] = [2, 0, 0, 0, 0, 7];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 8];

/// A namespace of this thread's own with the pair `wire` and `mirror`; `None`, said aloud, where that is not allowed.
fn namespace() -> Option<()> {
    // SAFETY: unshare takes no pointers; the thread gets a network namespace of its own, which nothing else depends on.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        let why = std::io::Error::last_os_error();
        assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "no network namespace: {why}");
        eprintln!("NOT RUN: no network namespace can be made here ({why})");
        return None;
    }
    // No frames but ours: the kernel greets neighbours on its own otherwise.
    std::fs::write("/proc/thread-self/root/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
    plug();
    Some(())
}

fn ip(arguments: &str) {
    let out = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(out.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&out.stderr));
}

fn plug() {
    ip("link add wire type veth peer name mirror");
    ip("link set wire up");
    ip("link set mirror up");
}

fn sender() -> Box<dyn DataLinkSender> {
    let interface = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == "wire").unwrap();
    match pnet_datalink::channel(&interface, pnet_datalink::Config::default()).unwrap() {
        Channel::Ethernet(sender, _) => sender,
        _ => panic!("no Ethernet"),
    }
}

/// A datagram of this number, every fourth with a tag.
fn frame(number: u32, octets: usize) -> Vec<u8> {
    let mut frame = [&OTHER[..], &US].concat();
    if number.is_multiple_of(4) {
        frame.extend([0x81, 0, 0, 42]);
    }
    let length = (octets - frame.len() - 2) as u16;
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 7, 10, 0, 0, 8]);
    frame.extend((10_000 + number as u16 % 10_000).to_be_bytes());
    frame.extend([0, 9]);
    frame.extend((length - 20).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(number.to_be_bytes());
    frame.resize(octets, 0);
    frame
}

fn send(count: u32, octets: usize) {
    let mut sender = sender();
    for number in 0..count {
        // The queue of the interface may be full for a moment: such a frame was not sent.
        while sender.send_to(&frame(number, octets), None).unwrap().is_err() {}
    }
}

/// What the judge was handed.
#[derive(Debug, Default)]
struct Seen {
    packets: u64,
    tagged: u64,
    data: u64,
    ticks: u64,
    last: Nanos,
}

struct Judge(Arc<Mutex<Seen>>);

impl Consumer for Judge {
    fn packets(&mut self, packets: &[Packet<'_>]) {
        let mut seen = self.0.lock().unwrap();
        for packet in packets {
            seen.packets += 1;
            seen.tagged += u64::from(packet.vlan == Some(42));
            assert_eq!(packet.src_mac, Some(MacAddr(US)));
            if let Body::Ip(ip) = packet.body
                && let Transport::Udp(udp) = ip.transport
            {
                seen.data += udp.data.len() as u64;
            }
            seen.last = packet.at;
        }
    }

    fn tick(&mut self, _now: Nanos) {
        self.0.lock().unwrap().ticks += 1;
    }
}

/// A watch that runs, with what it saw.
struct Running {
    watch: Arc<Watch>,
    seen: Arc<Mutex<Seen>>,
    token: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    fn start(threads: u16) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let options = Options { interfaces: vec!["mirror".into()], ring_octets: 4 << 20, threads, promiscuous: true };
        let watch = Arc::new(Watch::new(options, Box::new(Judge(Arc::clone(&seen)))));
        let token = CancellationToken::new();
        let lane = |lane| {
            let (watch, token) = (Arc::clone(&watch), token.clone());
            std::thread::spawn(move || watch.run(lane, &token))
        };
        let threads = (0..watch.lanes().len()).map(lane).collect();
        let running = Self { watch, seen, token, threads };
        running.until("it is watched", |now| now.state == State::Watching);
        running
    }

    fn now(&self) -> InterfaceNow {
        self.watch.board().interfaces().remove(0)
    }

    /// Waits until something holds.
    fn until(&self, what: &str, holds: impl Fn(&InterfaceNow) -> bool) -> InterfaceNow {
        let start = Instant::now();
        loop {
            let now = self.now();
            if holds(&now) {
                return now;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {now:?}, {:?}", self.seen.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.token.cancel();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[test]
fn every_frame_is_counted_and_every_tag_is_seen() {
    let Some(()) = namespace() else { return };
    for threads in [1, 2] {
        let running = Running::start(threads);
        if threads == 2 {
            // Both have their ring before the first frame is sent.
            std::thread::sleep(Duration::from_millis(500));
        }
        send(20_000, 200);
        let now = running.until("all are counted", |now| now.received + now.dropped == 20_000);
        assert_eq!((now.dropped, now.received, now.tagged), (0, 20_000, 5_000));
        running.until("time goes on where nothing passes", |_| running.seen.lock().unwrap().ticks > 0);
        let seen = running.seen.lock().unwrap();
        assert_eq!((seen.packets, seen.tagged), (20_000, 5_000));
        // Cut to the headers: 128 octets of each, of which the tag is no more a part.
        assert_eq!(seen.data, 20_000 * (128 - 42));
        let now_ns = netroom::model::clock::wall_nanos() as u64;
        assert!(now_ns - seen.last.0 < 60_000_000_000, "the kernel's stamp is not of now");
    }
}

#[test]
fn what_does_not_fit_is_counted_to_the_last_frame() {
    let Some(()) = namespace() else { return };
    let running = Running::start(1);
    // The judge stands still: four blocks fill or run out of their time, and the rest is lost.
    let standing = running.seen.lock().unwrap();
    send(100_000, 120);
    drop(standing);
    let now = running.until("all are counted", |now| now.received + now.dropped == 100_000);
    assert!(now.dropped > 0 && now.received > 0, "{now:?}");
    // Whole again afterwards.
    send(1000, 120);
    running.until("all are counted", |after| after.received == now.received + 1000 && after.dropped == now.dropped);
}

#[test]
fn an_interface_that_goes_away_is_told_and_found_again() {
    let Some(()) = namespace() else { return };
    let running = Running::start(1);
    let sees = |count: u32| {
        let before = running.now().received;
        send(count, 100);
        running.until("what passes is seen", |now| now.received == before + u64::from(count));
    };
    sees(10);
    ip("link set mirror down");
    running.until("it is down", |now| now.state == State::Down);
    ip("link set mirror up");
    running.until("it is up", |now| now.state == State::Watching);
    sees(20);
    ip("link set mirror down");
    ip("link set mirror name other");
    ip("link set other up");
    running.until("it is renamed", |now| now.state == State::Renamed("other".into()));
    sees(30);
    ip("link del wire");
    running.until("it is missing", |now| now.state == State::Missing);
    plug();
    running.until("it is back", |now| now.state == State::Watching);
    sees(40);
    assert_eq!(running.now().dropped, 0);
}

#[test]
fn one_host_is_recorded_whole_while_all_are_watched_short() {
    let Some(()) = namespace() else { return };
    let running = Running::start(1);
    let folder = tempfile::tempdir().unwrap();
    let record = |host: Host, name: &str, most_octets: u64, count: u32| {
        let order = Order { host, interfaces: vec!["mirror".into()], promiscuous: true, longest: Duration::from_secs(20), most_octets };
        let (path, token) = (folder.path().join(name), CancellationToken::new());
        let (to, stop) = (path.clone(), token.clone());
        let thread = std::thread::spawn(move || tap::take(&order, &to, &stop));
        // The file is there when everything stands.
        let start = Instant::now();
        while !path.exists() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        let before = running.now().received;
        send(count, 1400);
        running.until("all have passed", |now| now.received == before + u64::from(count));
        std::thread::sleep(Duration::from_millis(300));
        token.cancel();
        (path, thread.join().unwrap().unwrap())
    };
    let (path, taken) = record(Host::Mac(MacAddr(US)), "mac.pcap", u64::MAX, 1000);
    assert_eq!((taken.packets, taken.dropped, taken.is_full), (1000, 0, false));
    assert_eq!(taken.octets, std::fs::metadata(&path).unwrap().len());
    let mut capture = Capture::open(&path).unwrap();
    let mut number = 0;
    while let Some(frame) = capture.next().unwrap() {
        // To the octet as it was sent, with the tag that the kernel had taken out.
        assert_eq!(frame.octets, self::frame(number, 1400));
        number += 1;
    }
    assert_eq!(number, 1000);
    opens_in_tcpdump(&path, 1000);
    let (_, taken) = record(Host::Ip([10, 0, 0, 8].into()), "ip.pcap", u64::MAX, 100);
    assert_eq!(taken.packets, 100);
    let (_, taken) = record(Host::Ip([10, 0, 0, 9].into()), "nobody.pcap", u64::MAX, 100);
    assert_eq!((taken.packets, taken.octets, taken.first), (0, 24, None));
    let (path, taken) = record(Host::Mac(MacAddr(OTHER)), "full.pcap", 100_000, 200);
    assert!(taken.is_full && taken.octets <= 100_000 && taken.packets == 70, "{taken:?}");
    opens_in_tcpdump(&path, 70);
}

fn opens_in_tcpdump(path: &PathBuf, packets: usize) {
    match Command::new("tcpdump").args(["-nn", "-r"]).arg(path).output() {
        Ok(out) => assert_eq!(String::from_utf8_lossy(&out.stdout).lines().count(), packets, "{}", String::from_utf8_lossy(&out.stderr)),
        Err(error) => eprintln!("NOT RUN: tcpdump: {error}"),
    }
}
