//! Rates under real traffic, held against the kernel's counters. No clock decides: a witness in the switch's namespace writes
//! down what the kernel counts and when, and each told rate must lie within what the witness saw.
//!
//! The agent copies the kernel's counters at most [`AGENT_AGE_MS`] before it answers. So a counter told at time S lies
//! between what the kernel had at S - age and at S, and rate × (S2 - S1) between the differences of these bounds. Where the
//! witness itself slept, its bounds are wider and the poll proves nothing; the test goes on until enough polls prove something.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::daemon::Daemon;
use crate::network::Network;
use crate::polling::TWO_SWITCHES;

/// The agent is told to copy the kernel's counters each second; its timer counts whole seconds.
const AGENT_AGE_MS: i64 = 2_000;
/// sysUpTime counts hundredths, at both ends of an interval.
const TICKS_MS: f64 = 20.0;
/// A device's time line bends by no more than this part of an interval towards our clock.
const BEND: f64 = 1.0 / 200.0;
/// A bracket wider than this part of what it brackets proves little: two ages of the agent's copy in an interval of 10 s, and a
/// fifth for the witness's own gaps.
const TIGHT: f64 = 0.6;
/// Intervals of each port that must be proven.
const PROVEN: usize = 2;

/// What is compared: the port's metric, the kernel's counter.
const PAIRS: [(&str, &str); 4] =
    [("in_octets", "rx_bytes"), ("out_octets", "tx_bytes"), ("in_ucast", "rx_packets"), ("out_ucast", "tx_packets")];

/// Writes down the counters of one port for as long as it lives.
struct Witness {
    child: Child,
    file: std::path::PathBuf,
}

impl Witness {
    fn of(network: &Network, switch: &str, port: &str, dir: &std::path::Path) -> Self {
        let script = format!(
            "import time\n\
             names = '{}'.split()\n\
             while True:\n\
             \x20   before = time.time_ns() // 1000000\n\
             \x20   values = [open('/sys/class/net/{port}/statistics/' + name).read().strip() for name in names]\n\
             \x20   print(before, *values, time.time_ns() // 1000000 + 1, flush=True)\n\
             \x20   time.sleep(0.02)\n",
            PAIRS.map(|(_, counter)| counter).join(" ")
        );
        let file = dir.join(format!("{switch}-{port}"));
        let out = std::fs::File::create(&file).unwrap();
        let mut command = network.command(switch, "python3");
        Self { child: command.args(["-c", &script]).stdout(out).spawn().unwrap(), file }
    }

    /// The lines so far: began, counters, ended; the last line may be cut and is left out.
    fn lines(&self) -> Vec<Vec<i64>> {
        let text = std::fs::read_to_string(&self.file).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect()).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the kernel had of a counter at a time: at least, at most.
fn bounds(lines: &[Vec<i64>], counter: usize, at_ms: i64) -> Option<(i64, i64)> {
    let least = lines.iter().rev().find(|line| line[5] <= at_ms)?[1 + counter];
    let most = lines.iter().find(|line| line[0] >= at_ms)?[1 + counter];
    Some((least, most))
}

/// What was told of a port by one poll.
#[derive(Clone)]
struct Told {
    sampled_ms: i64,
    metrics: Value,
}

fn told(daemon: &Daemon<'_>, id: u64) -> Option<Told> {
    let answer: Value = serde_json::from_str(&daemon.try_get(&format!("/api/v1/ports/{id}"))?).unwrap();
    Some(Told { sampled_ms: answer["port"]["sampled"].as_i64()?, metrics: answer["metrics"].clone() })
}

fn port_id(daemon: &Daemon<'_>, switch: &str, port: &str) -> Option<u64> {
    let device: Value = serde_json::from_str(&daemon.try_get(&format!("/api/v1/devices/{switch}"))?).unwrap();
    device["ports"].as_array()?.iter().find(|row| row["name"] == port)?["id"].as_u64()
}

/// Judges one interval; how many of its metrics were proven. Panics when one is outside of what the kernel allows.
fn judge(what: &str, first: &Told, second: &Told, lines: &[Vec<i64>]) -> usize {
    let span_ms = (second.sampled_ms - first.sampled_ms) as f64;
    let slack = span_ms * BEND + TICKS_MS;
    let mut proven = 0;
    for (place, (metric, _)) in PAIRS.into_iter().enumerate() {
        let counter = |told: &Told| told.metrics[metric]["counter"].as_i64().unwrap();
        let Some(rate) = second.metrics[metric]["per_second"].as_f64() else { return 0 };
        // The rate is that of the told counters over the agent's own interval ...
        let moved = (counter(second) - counter(first)) as f64;
        let (slow, fast) = (moved * 1000.0 / (span_ms + slack), moved * 1000.0 / (span_ms - slack));
        assert!((slow..=fast).contains(&rate), "{what} {metric}: {rate}/s, but {moved} in {span_ms} ms");
        // ... and over that interval the kernel itself counted so much.
        let at = |told: &Told, before_ms| bounds(lines, place, told.sampled_ms - before_ms);
        let age = AGENT_AGE_MS + slack as i64;
        let (Some((first_least, _)), Some((_, first_most))) = (at(first, age), at(first, -(slack as i64))) else { continue };
        let (Some((second_least, _)), Some((_, second_most))) = (at(second, age), at(second, -(slack as i64))) else { continue };
        for (told, least, most) in [(first, first_least, first_most), (second, second_least, second_most)] {
            assert!((least..=most).contains(&counter(told)), "{what} {metric}: told {}, the kernel had {least} to {most}", counter(told));
        }
        let (least, most) = ((second_least - first_most) as f64, (second_most - first_least) as f64);
        let passed = rate * span_ms / 1000.0;
        let (low, high) = (least * (1.0 - slack / span_ms), most * (1.0 + slack / span_ms));
        assert!((low..=high).contains(&passed), "{what} {metric}: {passed} by the rate, the kernel counted {least} to {most}");
        proven += usize::from(least > 0.0 && most - least <= TIGHT * moved);
    }
    proven
}

#[test]
fn rates_equal_what_the_kernel_counted_over_v2c_and_v3() {
    let Some(network) = Network::up("nrt5") else { return };
    for switch in ["10.77.0.11", "10.77.0.12"] {
        // nsCacheTimeout of ifTable: how old the agent's copy of the kernel's counters may grow, seconds.
        network.read("mon", &["snmpset", "-v2c", "-c", "private", switch, "1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.2.2", "i", "1"]);
    }
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    // h1 sends to h4: in by port1 of sw1, over the uplink, out by port1 of sw2. 150 to 450 packets of 1,242 octets a second,
    // in waves, so that no two intervals are alike.
    let sender = "import math, socket, time\n\
                  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
                  while True:\n\
                  \x20   s.sendto(b'x' * 1200, ('10.77.0.104', 9))\n\
                  \x20   time.sleep(1 / (300 + 150 * math.sin(time.time() / 5)))\n";
    let mut traffic = network.command("h1", "python3").args(["-c", sender]).stdout(Stdio::null()).spawn().unwrap();
    let places = [("sw1", "port1"), ("sw1", "up1"), ("sw2", "up1"), ("sw2", "port1")];
    let witnesses = places.map(|(switch, port)| Witness::of(&network, switch, port, dir.path()));
    daemon.wait("the ports", || places.iter().all(|(switch, port)| port_id(&daemon, switch, port).is_some()));
    let ids = places.map(|(switch, port)| port_id(&daemon, switch, port).unwrap());
    let mut polls: [Vec<Told>; 4] = Default::default();
    let mut proven = [0; 4];
    daemon.wait("enough intervals that prove something", || {
        for (place, (switch, port)) in places.into_iter().enumerate() {
            let Some(now) = told(&daemon, ids[place]) else { continue };
            if polls[place].last().is_none_or(|last| last.sampled_ms != now.sampled_ms) {
                polls[place].push(now);
            }
            // The witness must have lived past the last poll, so the last interval but one is judged.
            if let [first, second, _] = polls[place].as_slice() {
                let consecutive = second.sampled_ms - first.sampled_ms < 15_000;
                let lines = witnesses[place].lines();
                if consecutive && judge(&format!("{switch} {port}"), first, second, &lines) >= 2 {
                    proven[place] += 1;
                }
                polls[place].remove(0);
            }
        }
        proven.iter().all(|count| *count >= PROVEN)
    });
    let _ = traffic.kill();
    let _ = traffic.wait();
    drop(witnesses);
    daemon.stop();
}

/// A witness of 30 s of 1,000 a second in each counter, every 20 ms, and two polls that a faithful agent would give.
fn example() -> (Vec<Vec<i64>>, Told, Told) {
    let lines = (0..1500).map(|line| vec![line * 20, line * 20, line * 20, line * 20, line * 20, line * 20 + 1]).collect();
    let told = |sampled_ms: i64, age_ms: i64| Told {
        sampled_ms,
        metrics: PAIRS
            .map(|(metric, _)| (metric.to_owned(), serde_json::json!({ "counter": sampled_ms - age_ms, "per_second": 950.0 })))
            .into_iter()
            .collect(),
    };
    (lines, told(10_000, 500), told(20_000, 1_000))
}

#[test]
fn the_judge_accepts_what_a_faithful_agent_gives() {
    let (lines, first, second) = example();
    assert_eq!(judge("example", &first, &second, &lines), PAIRS.len());
}

#[test]
#[should_panic(expected = "in_octets: 970/s")]
fn the_judge_refuses_a_rate_that_is_two_percent_off() {
    let (lines, first, mut second) = example();
    second.metrics["in_octets"]["per_second"] = 970.0.into();
    judge("example", &first, &second, &lines);
}

#[test]
#[should_panic(expected = "the kernel had")]
fn the_judge_refuses_counters_that_the_kernel_did_not_have() {
    let (lines, first, mut second) = example();
    second.metrics["out_ucast"] = serde_json::json!({ "counter": 21_000, "per_second": 1_150.0 });
    judge("example", &first, &second, &lines);
}
