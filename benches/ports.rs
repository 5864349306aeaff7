//! What the meaning of counters costs: 5,000 switches of 48 ports in the tracker and the live table (memory), one poll of
//! each of them (CPU), and pages out of a list of 10,000 ports.
//! CPU time is that of this thread (the kernel's scheduler statistics).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use netroom::model::observe::{CounterRow, InterfaceRow, Inventory, PollRound, SystemInfo};
use netroom::model::{DeviceId, DeviceText, IfIndex, METRICS, PortMetric, Timestamp, Zone, clock};
use netroom::ports::clocks::Moment;
use netroom::ports::live::{DeviceCell, DeviceLabel, Live};
use netroom::ports::query::{PortQuery, PortSort};
use netroom::ports::store::Catalogue;
use netroom::ports::tracker::Tracker;

const PORTS: u32 = 48;
const START: Timestamp = Timestamp::from_secs(1_790_000_000);

fn main() {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let devices = if measured { 5_000 } else { 20 };

    let before = resident_kib();
    let mut bench = Bench::new(devices);
    bench.poll_all(0, true);
    let first = cpu(|| bench.poll_all(1, false));
    let second = cpu(|| bench.poll_all(2, false));
    let grown = resident_kib().saturating_sub(before);
    let ports = f64::from(devices * PORTS);
    println!(
        "{ports} ports: {:.1} MiB in tracker and live table, {:.0} octets a port",
        grown as f64 / 1024.0,
        grown as f64 * 1024.0 / ports
    );
    println!("one poll: {:.0} ns CPU a port ({:.1} ms for all)", first.min(second) as f64 / ports, first.min(second) as f64 / 1e6);

    let office = Bench::of(if measured { 208 } else { 2 });
    let fleet: Vec<_> = office.live.devices().iter().map(|cell| cell.load()).collect();
    for (name, query) in [
        ("first page", PortQuery::default()),
        ("by name", PortQuery { sort: PortSort::Name, ..PortQuery::default() }),
        ("by load", PortQuery { sort: PortSort::Utilisation, descending: true, ..PortQuery::default() }),
        ("text, last page", PortQuery { sort: PortSort::Alias, page: usize::MAX, ..PortQuery::default() }.text("room 3")),
    ] {
        let found = query.page(&fleet).found;
        let best = repeated(|| drop(query.page(&fleet)));
        println!("list of {found} ports, {name}: {:.2} ms CPU", best as f64 / 1e6);
        assert!(!measured || best <= 20_000_000, "{name}: more than 20 ms of the page's 50");
    }
}

struct Bench {
    tracker: Tracker,
    live: Live,
    cells: Vec<Arc<DeviceCell>>,
    origin: std::time::Instant,
}

impl Bench {
    fn new(devices: u32) -> Self {
        let origin = clock::monotonic();
        let mut tracker = Tracker::new(Catalogue::default(), origin);
        let cells: Vec<_> =
            tracker.set_devices((1..=devices).map(label).collect()).into_iter().map(|first| Arc::new(DeviceCell::holding(first))).collect();
        let live = Live::new();
        live.set_devices(cells.clone());
        Self { tracker, live, cells, origin }
    }

    /// Polled three times.
    fn of(devices: u32) -> Self {
        let mut bench = Self::new(devices);
        for turn in 0..3 {
            bench.poll_all(turn, turn == 0);
        }
        bench
    }

    fn poll_all(&mut self, turn: u32, identity: bool) {
        let passed = Duration::from_secs(u64::from(turn) * 60);
        let now = Moment { wall: START + passed, steady: self.origin + passed };
        for (number, cell) in (1..).zip(&self.cells) {
            let round = round(number, turn, now.wall, identity);
            let observed = self.tracker.observe(&round, now).expect("a configured device");
            cell.store(observed.live);
        }
    }
}

fn label(number: u32) -> Arc<DeviceLabel> {
    Arc::new(DeviceLabel {
        id: DeviceId(number),
        name: format!("sw-{number}").into(),
        address: ([192, 0, 2, 1], 161).into(),
        site: "main building".into(),
        zone: Zone::Inner,
        interval_s: 60,
    })
}

fn round(device: u32, turn: u32, wall: Timestamp, identity: bool) -> PollRound {
    let uptime = 100_000_000 + turn * 6_000;
    let inventory = || {
        Arc::new(Inventory {
            system: SystemInfo::default(),
            engine_time: None,
            interfaces: (1..=PORTS).map(|port| interface(device, port)).collect(),
        })
    };
    PollRound {
        device: DeviceId(device),
        due: wall,
        started: wall,
        finished: wall,
        uptime_ticks: Some(uptime),
        engine_time: None,
        rtt_us: Some(900),
        inventory: identity.then(inventory),
        rows: (1..=PORTS).map(|port| counters(device, port, turn, uptime, wall)).collect(),
        gap: None,
        detail: None,
    }
}

/// As a switch of the trade gives it: the same names on all of them, an alias of its own on every third port.
fn interface(device: u32, port: u32) -> InterfaceRow {
    let [_, a, b, c] = device.to_be_bytes();
    InterfaceRow {
        if_index: port,
        if_name: Some(DeviceText::from(format!("Gi1/0/{port}").as_str())),
        if_descr: Some(DeviceText::from(format!("GigabitEthernet1/0/{port}").as_str())),
        if_alias: Some(DeviceText::from(if port.is_multiple_of(3) { format!("room {device}-{port}") } else { String::new() }.as_str())),
        if_type: Some(6),
        phys_address: Some(vec![2, a, b, c, 0, port as u8]),
        if_high_speed: Some(1_000),
        if_mtu: Some(1_500),
        admin: Some(1),
        connector: Some(true),
        ..InterfaceRow::default()
    }
}

fn counters(device: u32, port: u32, turn: u32, uptime_ticks: u32, received: Timestamp) -> CounterRow {
    let pace = u64::from(device * 31 + port * 7) % 50_000;
    let mut values = [None; METRICS];
    for (metric, value) in PortMetric::ALL.into_iter().zip(values.iter_mut()) {
        *value = Some(if metric.is_gauge() { 1 } else { (1 << 33) + u64::from(turn) * pace * (14 - metric.index() as u64) });
    }
    CounterRow { if_index: IfIndex(port), uptime_ticks, received, values, narrow: 0, admin: Some(1), discontinuity: Some(0) }
}

/// The mean of a hundred times, because the kernel's figures move in steps.
fn repeated(work: impl Fn()) -> u64 {
    cpu(|| (0..100).for_each(|_| work())) / 100
}

fn cpu(work: impl FnOnce()) -> u64 {
    let start = cpu_ns();
    work();
    cpu_ns() - start
}

/// CPU time of this thread so far, nanoseconds.
fn cpu_ns() -> u64 {
    let stats = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel tells the time of a thread");
    stats.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds first")
}

/// Memory of this process that is in use, KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells the memory of a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line VmRSS");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("KiB")
}
