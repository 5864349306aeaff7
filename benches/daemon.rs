//! The whole daemon at an office's size: 200 switches of 50 ports answer from a farm, `netroom serve` polls them each minute
//! and keeps them, while pages are asked for as browsers do. Bars: first poll within 1 s of the start, overview and list of
//! all ports at most 50 ms at the 99th percentile, at most 200 MB resident.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "the program itself is what is measured")]

#[expect(dead_code, reason = "other benches use the rest")]
#[path = "farm/mod.rs"]
mod farm;

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use netroom::model::clock;

const DEVICES: u32 = 200;
const PORTS: u32 = 50;
const PAGES: [(&str, &str); 4] = [
    ("overview", "/"),
    ("all ports", "/ports"),
    ("all ports, busiest first", "/ports?sort=-in"),
    ("all ports, page 100", "/ports?page=100"),
];

/// The daemon; killed when dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already, or ended here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    farm::serve_if_asked();
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let farm = farm::Child::start(&["--devices", &DEVICES.to_string(), "--ports", &PORTS.to_string()]).expect("a farm");
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("netroom.toml");
    std::fs::write(&config, settings(farm.port)).expect("the configuration");
    let listen = free_address();
    let start = clock::monotonic();
    let daemon = Command::new(env!("CARGO_BIN_EXE_netroom"))
        .args(["serve", "--log", "warn", "--listen", &listen, "--config"])
        .arg(&config)
        .arg("--data")
        .arg(dir.path().join("data"))
        .stderr(Stdio::inherit())
        .spawn()
        .map(Daemon)
        .expect("the daemon");
    let url = format!("http://{listen}");
    polled(&url, 1.0).await;
    println!("start to the first whole poll: {:.0} ms", clock::monotonic().duration_since(start).as_secs_f64() * 1e3);
    polled(&url, f64::from(DEVICES) * 2.5).await;
    println!("after {:.0} s: {} MB resident", clock::monotonic().duration_since(start).as_secs_f64(), resident_kb(&daemon) / 1024);
    for (name, path) in PAGES {
        page(&url, name, path).await;
    }
    let (cpu, at) = (cpu_ticks(&daemon), clock::monotonic());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let share = (cpu_ticks(&daemon) - cpu) as f64 / clock::monotonic().duration_since(at).as_secs_f64();
    println!(
        "polling and keeping {} ports each minute: {share:.2} % of a core, {} MB resident",
        DEVICES * PORTS,
        resident_kb(&daemon) / 1024
    );
}

fn settings(port: u16) -> String {
    let mut text = "[snmp]\ncommunity = \"public\"\ninterval = \"60s\"\n".to_owned();
    for device in 0..DEVICES {
        let address = farm::formula::address(device);
        // Writing to a String cannot fail.
        let _ = write!(text, "[[device]]\nname = \"sw-{device}\"\naddress = \"{address}\"\nport = {port}\n");
    }
    text
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

/// Waits until this many polls were whole.
async fn polled(url: &str, wanted: f64) {
    loop {
        let text = match reqwest::get(format!("{url}/metrics")).await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let count = text.lines().find_map(|line| line.strip_prefix("netroom_polls_total{result=\"ok\"} "));
        if count.and_then(|count| count.parse::<f64>().ok()).is_some_and(|count| count >= wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(if wanted < 2.0 { 5 } else { 500 })).await;
    }
}

async fn page(url: &str, name: &str, path: &str) {
    let client = reqwest::Client::new();
    let mut times = Vec::new();
    for _ in 0..300 {
        let start = clock::monotonic();
        let answer = client.get(format!("{url}{path}")).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.bytes().await.expect("its body");
        times.push(clock::monotonic().duration_since(start));
    }
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    println!("{name}: median {:.1} ms, p99 {:.1} ms (bar 50)", at(50), at(99));
}

/// VmRSS in kB.
fn resident_kb(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.0.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// User and system time, hundredths of a second (proc(5): USER_HZ is 100).
fn cpu_ticks(daemon: &Daemon) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.0.id())).expect("its times");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    [11, 12].into_iter().filter_map(|field| fields.get(field)?.parse::<u64>().ok()).sum()
}
