//! What an exposition costs: 100,000 ports of 2,084 switches through `/metrics/ports`, read piece by piece as a server
//! sends it. Bars: at most 50 ns of CPU a series, 0.1 s for all of it, 64 MB of memory beside the live table.
//! CPU time is that of this thread (the kernel's scheduler statistics).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

#[path = "../tests/it/table.rs"]
mod table;

use netroom::metrics::Form;
use netroom::metrics::ports::{Exposer, Filter};

fn main() {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let devices = if measured { 2084 } else { 20 };
    let live = table::live(devices, 48);
    table::pass(&live, 60);
    let exposer = Exposer::default();
    let before = resident_kib();

    for (name, filter) in
        [("all, first", Filter::default()), ("all", Filter::default()), ("up only", Filter { up_only: true, ..Filter::default() })]
    {
        let rounds = if name == "all, first" { 1 } else { 9 };
        let mut best = u64::MAX;
        let (mut octets, mut series, mut pieces) = (0, 0, 0);
        for _ in 0..rounds {
            (octets, series, pieces) = (0, 0, 0);
            let mut spent = 0;
            let mut start = cpu_ns();
            for piece in exposer.expose(&live, &filter, Form::Classic) {
                spent += cpu_ns() - start;
                octets += piece.len();
                series += piece.split(|byte| *byte == b'\n').filter(|line| line.first().is_some_and(|first| *first != b'#')).count();
                pieces += 1;
                start = cpu_ns();
            }
            spent += cpu_ns() - start;
            best = best.min(spent);
        }
        let per_series = best as f64 / series as f64;
        println!(
            "{name:10}  {series:8} series  {octets:10} octets in {pieces:5} pieces  {:7.1} ms CPU  {per_series:5.1} ns/series",
            best as f64 / 1e6
        );
        if measured && name == "all" {
            assert!(per_series <= 50.0, "{per_series:.1} ns a series, more than 50");
            assert!(best <= 100_000_000, "{best} ns for all ports, more than 0.1 s");
        }
    }
    let extra = resident_kib().saturating_sub(before) / 1024;
    println!("memory beside the live table: {extra} MiB");
    if measured {
        assert!(extra <= 64, "{extra} MiB, more than 64");
    }
}

/// CPU time of this thread so far, nanoseconds.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    text.split(' ').next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}

/// The memory in use now, KiB.
fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|field| field.parse().ok()).expect("KiB")
}
