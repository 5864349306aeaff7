//! What judging costs: 10,000 ports × 14 rules and their baselines once a minute, as a share of one core; and 10,000 changes
//! of state at once, from the first judgement until one storm is on the disk and one notice with it.
//! CPU time is that of this thread (the kernel's scheduler statistics).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use netroom::detect::baseline::{Baseline, Calendar, Learner, METRICS, values};
use netroom::incident::rules::Rules;
use netroom::incident::rules::anomaly::Anomalies;
use netroom::incident::rules::plan::Book;
use netroom::incident::rules::port::PORT_RULES;
use netroom::incident::scope::Scope;
use netroom::incident::{Board, Driver, Notices, Setup};
use netroom::model::{
    DeviceId, Evidence, Finding, IfIndex, Notice, PortId, PortIdentity, PortMetric, Severity, Subject, Timestamp, Verdict, Zone, clock,
};
use netroom::ports::live::{Counters, DeviceHealth, DeviceLabel, DeviceLive, DeviceState, PortLive, PortState, Rates};
use netroom::store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const START: i64 = 1_795_363_200;
const PORTS: usize = 50;

fn main() {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = std::env::args().any(|argument| argument == "--bench");
    judging(if measured { 200 } else { 4 }, measured);
    flood(if measured { 10_000 } else { 200 }, measured);
}

/// Sixty rounds of polls, each bringing every port once.
fn judging(devices: usize, measured: bool) {
    let ports = devices * PORTS;
    let calendar = Calendar::new(jiff::tz::TimeZone::UTC, [], []);
    let (mut rules, mut anomalies) = (Rules::new(Book::new(&[], &[]), Scope::default(), []), Anomalies::default());
    let baseline = Arc::new(baseline(&calendar));
    let (mut judging, mut comparing, mut told) = (Vec::new(), Vec::new(), 0);
    let nothing = HashSet::new();
    for round in 0..30 {
        let now = Timestamp::from_secs(START + round * 60);
        let fleet: Vec<Arc<DeviceLive>> = (0..devices).map(|device| snapshot(device, round, now)).collect();
        let mut findings = Vec::new();
        judging.push(cpu(|| findings = rules.look(&fleet, &|_: &str| None, &nothing, now)));
        told += findings.len();
        let mut odd = Vec::new();
        comparing.push(cpu(|| odd = anomalies.look(&fleet, &|_| Some(Arc::clone(&baseline)), &calendar, now)));
        told += odd.len();
    }
    let middle = |times: &mut Vec<u64>| {
        times.sort_unstable();
        times[times.len() / 2] as f64
    };
    let (judging, comparing) = (middle(&mut judging), middle(&mut comparing));
    let share = |nanos: f64| nanos / 60e9 * 100.0;
    println!(
        "{ports} ports × {} rules a minute: {:.2} ms CPU, {:.3} % of a core ({:.0} ns a port); {told} findings",
        PORT_RULES.len(),
        judging / 1e6,
        share(judging),
        judging / ports as f64
    );
    println!("their baselines: {:.2} ms CPU, {:.3} % of a core", comparing / 1e6, share(comparing));
    assert!(!measured || share(judging + comparing) <= 1.0, "judging takes more than 1 % of a core");
}

/// Counts the notices and writes none.
struct Counted(AtomicUsize);

impl Notices for Counted {
    fn enqueue(&self, _change: &rusqlite::Connection, _notice: &Notice) -> rusqlite::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn flood(ports: usize, measured: bool) {
    let dir = tempfile::tempdir().expect("a directory for the database");
    let store = Store::open(&dir.path().join("netroom.db")).expect("a database");
    let (board, notices) = (Arc::new(Board::default()), Arc::new(Counted(AtomicUsize::new(0))));
    board.watch_ports(ports);
    let setup = Setup {
        limits: netroom::incident::engine::Limits::default(),
        scope: Scope::new(HashMap::new()),
        zone: jiff::tz::TimeZone::UTC,
        windows: Vec::new(),
    };
    let (driver, _desk) = Driver::open(store, Arc::clone(&board), Arc::clone(&notices) as Arc<dyn Notices>, setup).expect("an engine");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let took = runtime.block_on(async {
        let (sender, mut receiver) = mpsc::channel(16_384);
        let cancel = CancellationToken::new();
        let (token, mut changed) = (cancel.clone(), board.last_event());
        let told = async {
            let begun = clock::monotonic();
            for number in 0..ports {
                let subject = Subject::Port(format!("sw{}", number / PORTS).into(), format!("Gi{}", number % PORTS).into());
                let verdict = Verdict::Raised(Severity::Minor);
                let finding =
                    Finding { rule: "port-down".into(), subject, verdict, at: clock::wall(), cause: None, evidence: Evidence::new() };
                sender.send(finding).await.expect("the task");
            }
            changed.changed().await.expect("the board");
            let took = clock::monotonic().duration_since(begun);
            // What would come late, comes now.
            tokio::time::sleep(Duration::from_secs(1)).await;
            cancel.cancel();
            took
        };
        tokio::join!(driver.run(&mut receiver, token), told).1
    });
    let (open, notices) = (board.open(), notices.0.load(Ordering::Relaxed));
    let affected = open.iter().map(|incident| incident.affected).sum::<usize>();
    println!(
        "{ports} changes at once: {} incident with {affected} children and {notices} notice on the disk after {:.0} ms, of which {} ms waiting for causes",
        open.len(),
        took.as_secs_f64() * 1e3,
        netroom::incident::engine::Limits::default().settle.as_millis()
    );
    assert!(
        !measured || (open.len() == 1 && notices == 1 && affected == ports && took <= Duration::from_secs(1)),
        "a storm is one, in time"
    );
}

fn snapshot(device: usize, round: i64, now: Timestamp) -> Arc<DeviceLive> {
    let name: Arc<str> = format!("sw{device}").into();
    let label = DeviceLabel {
        id: DeviceId(device as u32 + 1),
        name,
        address: SocketAddr::from(([10, 0, 0, 1], 161)),
        site: "".into(),
        zone: Zone::Outer,
        interval_s: 60,
    };
    let health = DeviceHealth {
        state: DeviceState::Up,
        gap: None,
        detail: None,
        since: None,
        last_poll: Some(now),
        last_answer: Some(now),
        rtt_us: None,
        poll_ms: None,
        booted: Some(Timestamp::from_secs(START)),
    };
    let ports = (0..PORTS).map(|port| port_live(device * PORTS + port, round)).collect();
    Arc::new(DeviceLive { label: Arc::new(label), system: None, health, ports })
}

fn port_live(number: usize, round: i64) -> PortLive {
    let identity = PortIdentity {
        id: PortId(number as u32 + 1),
        if_index: IfIndex(number as u32 + 1),
        name: format!("Gi0/{}", number % PORTS).into(),
        descr: "".into(),
        alias: "room".into(),
        if_type: 6,
        mac: None,
        speed_bps: Some(1_000_000_000),
        mtu: None,
        admin: 1,
        connector: Some(true),
        duplex: Some(3),
        last_change_ticks: None,
    };
    let level = 1e5 * (1.0 + ((number as i64 * 7 + round * 13) % 17) as f32 / 17.0);
    let mut rates = Rates::default();
    for metric in PortMetric::ALL.into_iter().filter(|metric| !metric.is_gauge()) {
        let scale = if matches!(metric, PortMetric::InOctets | PortMetric::OutOctets) { 1.0 } else { 1e-3 };
        let quiet = matches!(metric, PortMetric::InErrors | PortMetric::OutErrors | PortMetric::InDiscards | PortMetric::OutDiscards);
        rates.set(metric, Some(if quiet { 0.0 } else { level * scale }));
    }
    PortLive { identity: Arc::new(identity), state: PortState::Up, sampled: None, counters: Counters::default(), rates, gap: None }
}

/// Four weeks of such a port.
fn baseline(calendar: &Calendar) -> Baseline {
    let mut learner = Learner::default();
    for step in 0..4 * 7 * 288 {
        let at = Timestamp::from_secs(START - (4 * 7 * 288 - step) * 300);
        let port = port_live((step % 97) as usize, step);
        learner.take(at, calendar.slot(at), &values(METRICS.map(|metric| port.rate(metric))));
    }
    learner.finish().expect("four weeks are enough")
}

/// CPU time of this thread for `work`, nanoseconds.
fn cpu(work: impl FnOnce()) -> u64 {
    let before = cpu_ns();
    work();
    cpu_ns() - before
}

fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("scheduler statistics");
    text.split_whitespace().next().and_then(|first| first.parse().ok()).expect("nanoseconds")
}
