//! The SNMP engine against the bare socket, net-snmp's C library and snmp_exporter: one farm, one machine, one run.
//!
//! `cargo bench --bench snmp`, or with the names of parts: `-- burst paced minute faults peers v3`. Without `--bench`, as
//! the tests start it, a few devices are polled to show that it works. The farm and the echo run
//! on CPU 0, whatever is measured on CPU 1. CPU time is user and system time of the measured process (getrusage).
//! A port poll is 13 values: eight 64-bit counters, ifOperStatus, discards and errors; every value is checked against the
//! farm's formula by what is measured.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to whoever started it")]

#[path = "../farm/mod.rs"]
mod farm;
mod job;
mod machine;
mod peers;
mod poller;
mod runs;
mod secured;
mod table;
mod yardstick;

use table::{Bound, Table};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    farm::serve_if_asked();
    yardstick::serve_if_asked()?;
    if !std::env::args().any(|word| word == "--bench") {
        return smoke();
    }
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    machine::pin(std::process::id(), 1);
    let mut table = Table::new();
    if wanted("burst") {
        let pairs = yardstick::pairs_per_cpu_second()?;
        table.row("bare UDP pairs, 300 B out, 1,400 B in", "pairs/CPU-s", pairs, Bound::None);
        let burst = runs::burst(1_000, 48, 7)?;
        table.row("engine, burst 1,000 x 48: requests", "pairs/CPU-s", burst.requests_per_cpu(), Bound::None);
        table.row("  of the bare pair rate", "%", burst.requests_per_cpu() / pairs * 100.0, Bound::AtLeast(50.0));
        table.row("  ports", "ports/CPU-s", burst.ports_per_cpu(), Bound::AtLeast(800_000.0));
        table.row("  wall time of a cycle", "s", burst.wall_s, Bound::None);
        table.row("  wrong or missing values", "", burst.wrong as f64, Bound::AtMost(0.0));
        if wanted("peers") {
            peers::compare(&mut table, burst.ports_per_cpu())?;
        }
    }
    if wanted("paced") {
        let paced = runs::paced(5_000, 48, std::time::Duration::from_secs(10))?;
        table.row("engine, paced 5,000 x 48 in 10 s: CPU", "CPU-s", paced.cpu_s, Bound::AtMost(0.7));
        table.row("  wrong or missing values", "", paced.wrong as f64, Bound::AtMost(0.0));
        table.row("  resident memory", "MB", paced.resident_mb, Bound::None);
    }
    if wanted("minute") {
        let minute = poller::minute(5_000, 48)?;
        let steady = minute.cpu_s / 60.0 * 100.0;
        // What the first polls cost more is mostly their identity reads, of which each device has one in a quarter of an hour.
        let reads = (minute.first_cpu_s - minute.cpu_s * minute.first_polls / minute.polls).max(0.0) / 900.0 * 100.0;
        table.row("whole poller, 5,000 x 48 each minute: share of a core", "%", steady, Bound::AtMost(2.0));
        table.row("  with the identity reads of every 15 min", "%", steady + reads, Bound::AtMost(2.0));
        table.row("  the first 75 s, with all identities", "CPU-s", minute.first_cpu_s, Bound::None);
        table.row("  requests of a poll", "", minute.requests / minute.polls, Bound::None);
        table.row("  resident memory", "MB", minute.resident_mb, Bound::AtMost(64.0));
        table.row("  wrong or missing values", "", minute.wrong as f64, Bound::AtMost(0.0));
    }
    if wanted("faults") {
        let faults = poller::faults(300, 48)?;
        table.row("whole poller, faulty network: values stored", "", faults.values as f64, Bound::None);
        table.row("  wrong values", "", faults.wrong as f64, Bound::AtMost(0.0));
        table.row("  live devices that were never polled whole", "", faults.incomplete as f64, Bound::AtMost(0.0));
        table.row("  whole polls of live devices", "%", faults.whole_share * 100.0, Bound::None);
    }
    if wanted("v3") {
        match secured::compare(64, 200) {
            Ok(rates) => {
                table.row("24 varbinds of snmpd by v2c", "req/CPU-s", rates.community, Bound::None);
                table.row("  by v3, SHA-1 and AES-128", "req/CPU-s", rates.secured, Bound::None);
                table.row("  v3 costs", "x", rates.community / rates.secured, Bound::None);
            }
            Err(error) => eprintln!("SKIPPED v3: {error}"),
        }
    }
    table.print();
    Ok(())
}

/// That each kind of run works, without a word about speed.
fn smoke() -> Result<(), Failure> {
    let burst = runs::burst(20, 8, 1)?;
    let paced = runs::paced(20, 8, std::time::Duration::from_millis(200))?;
    if burst.wrong + paced.wrong > 0 { Err("wrong or missing values".into()) } else { Ok(()) }
}
