//! What a sample costs: processor time, bytes written, bytes at rest, and how long answers take; beside rrdtool, Prometheus
//! and VictoriaMetrics when they are installed. One run, one table. `NETROOM_BENCH_PORTS` sets the size (10,000),
//! `NETROOM_BENCH_DIR` the place (better one on a disk than in memory).

#![expect(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a benchmark prints, and stops at the first error")]

mod cold;
mod generator;
mod measure;
mod peers;
mod rrd;
mod strain;

use std::path::Path;

use generator::{PORTS, Switch, TWELVE};
use measure::{Usage, bytes_of, bytes_written, median_ms};
use netroom::model::{PortId, PortMetric, Timestamp};
use netroom::series::history::HistoryQuery;
use netroom::series::{Keeper, Options, Reader, Writer, open};

/// 2026-11-02T00:00:00Z.
const START: i64 = 1_793_577_600_000;
const DAY: i64 = 86_400_000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    if cold::is_child() {
        return cold::child();
    }
    // Without `--bench` this is a smoke run of the tests: one switch for one day.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let ports = if measured { 10_000 } else { PORTS };
    let ports: u32 = std::env::var("NETROOM_BENCH_PORTS").ok().and_then(|ports| ports.parse().ok()).unwrap_or(ports);
    let root = std::env::var("NETROOM_BENCH_DIR").map_or_else(|_| tempfile::tempdir(), tempfile::tempdir_in).unwrap();
    let ours = day(&root.path().join("day"), ports / PORTS);
    if measured {
        cold::measure(&root.path().join("day"), ports);
        strain::one_commit_a_second(&root.path().join("second"), ports / PORTS);
        strain::while_hours_are_moved(&root.path().join("strain"), ports / PORTS);
        import(&root.path().join("years"));
        rrd::compare(&root.path().join("rrd"), ours);
        peers::compare(&root.path().join("peers"), ours);
    }
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn options() -> Options {
    let mut options = Options { queue: 100_000, ..Options::default() };
    options.retention.low_space_percent = 0.0;
    options.retention.disk_reserve = 0;
    options
}

/// A whole day minute by minute, one commit a poll; returns the processor seconds per million samples.
fn day(dir: &Path, switches: u32) -> f64 {
    let polls = 1440;
    let samples = f64::from(switches * PORTS) * polls as f64 * TWELVE.len() as f64;
    let mut fleet: Vec<Switch> = (0..switches).map(Switch::new).collect();
    let before = Usage::now();
    for poll in 0..polls {
        for switch in &mut fleet {
            std::hint::black_box(switch.poll(START + poll * 60_000, 60));
        }
    }
    let generator = Usage::now().since(before);

    let mut fleet: Vec<Switch> = (0..switches).map(Switch::new).collect();
    let (writer, reader, mut keeper) = open(dir, options()).unwrap();
    let (before, written) = (Usage::now(), bytes_written());
    let mut slowest_ms = 0.0_f64;
    for poll in 0..polls {
        let at = START + poll * 60_000;
        if poll % 60 == 3 {
            slowest_ms = slowest_ms.max(measure::ms(|| keeper.tick(time(at)).unwrap()));
        }
        for switch in &mut fleet {
            assert!(writer.append(switch.poll(at, 60)));
        }
        writer.flush().unwrap();
    }
    let ingest = Usage::now().since(before) - generator;
    today(&reader, switches);
    keeper.tick(time(START + DAY + 3_600_000)).unwrap();
    let seal_ms = measure::ms(|| keeper.tick(time(START + DAY + 2 * 3_600_000)).unwrap());
    writer.flush().unwrap();
    let all = Usage::now().since(before) - generator;
    let per_million = |seconds: f64| seconds * 1e6 / samples;
    let raw = bytes_of(&dir.join("day"));
    let tiers = bytes_of(&dir.join("m5")) + bytes_of(&dir.join("h1"));
    println!(
        "{} ports x {} metrics x {polls} polls = {:.1} M samples (generator {generator:.2} CPU-s, not counted)",
        switches * PORTS,
        TWELVE.len(),
        samples / 1e6
    );
    println!("  ingest and hourly blocks  {:.4} CPU-s per M samples", per_million(ingest));
    println!("  all in (seal, tiers)      {:.4} CPU-s per M samples   goal <= 0.06", per_million(all));
    println!("  sealed raw                {:.3} B per sample          goal <= 0.55", raw as f64 / samples);
    println!("  tiers                     {:.3} B per sample", tiers as f64 / samples);
    println!(
        "  written                   {:.2} B per sample           goal <= 6 (one commit a poll)",
        (bytes_written() - written) as f64 / samples
    );
    println!("  slowest hourly turn {slowest_ms:.0} ms on its own thread, seal {seal_ms:.0} ms, RSS peak {} MB", measure::peak_rss_mb());
    sealed(&reader, switches);
    drop(writer);
    keeper.close().unwrap();
    per_million(all)
}

fn query(port: u32, metrics: &[PortMetric], from: i64, to: i64, step_s: u32) -> HistoryQuery {
    HistoryQuery { port: PortId(port), metrics: metrics.to_vec(), from: time(from), to: time(to), step_s, origin_s: 0 }
}

fn today(reader: &Reader, switches: u32) {
    let last = switches * PORTS;
    let took = median_ms(20, |turn| reader.history(&query(turn * 37 % last, &TWELVE, START, START + DAY, 60)).unwrap());
    println!("  query one port, today (hour blocks and tail), 12 metrics   {took:.2} ms");
    let took = median_ms(20, |_| reader.top(PortMetric::InOctets, time(START + DAY - 3_600_000), time(START + DAY), 20).unwrap());
    println!("  query top 20 of {last} ports, last hour                    {took:.3} ms   goal <= 1");
    let ports: Vec<PortId> = (0..PORTS).map(PortId).collect();
    let hour = (time(START + DAY - 3_600_000), time(START + DAY));
    let took = median_ms(10, |_| reader.sparklines(&ports, PortMetric::InOctets, hour.0, hour.1, 60).unwrap());
    println!("  query 50 sparklines of one hour                            {took:.2} ms");
}

fn sealed(reader: &Reader, switches: u32) {
    let last = switches * PORTS;
    let took = median_ms(20, |turn| reader.history(&query(turn * 37 % last, &TWELVE, START, START + DAY, 60)).unwrap());
    println!("  query one port, a sealed day, 12 metrics                   {took:.2} ms   goal <= 1");
}

/// Two years of one switch at five minutes, by the bulk path.
fn import(dir: &Path) {
    let days = 730;
    let begin = START - days * DAY;
    let (writer, reader, mut keeper) = open(dir, Options { retention: forever(), ..options() }).unwrap();
    let mut switch = Switch::new(1);
    let before = Usage::now();
    for poll in 0..days * 288 {
        writer.import(switch.poll(begin + poll * 300_000, 300)).unwrap();
    }
    writer.flush().unwrap();
    let seconds = measure::ms(|| seal_all(&writer, &reader, &mut keeper, days)) / 1e3;
    let samples = days as f64 * 288.0 * f64::from(PORTS) * 12.0;
    let cpu = Usage::now().since(before);
    println!(
        "import of two years, {PORTS} ports at 5 min = {:.0} M samples: {cpu:.1} CPU-s with generator, sealing {seconds:.1} s",
        samples / 1e6
    );
    let both = [PortMetric::InOctets, PortMetric::OutOctets];
    let port = PORTS + 30;
    let took = median_ms(20, |_| reader.history(&query(port, &both, begin, START, 3600)).unwrap());
    println!("  query one port, two years hourly, in and out               {took:.2} ms   goal <= 3");
    let took = median_ms(20, |_| reader.history(&query(port, &both, begin, START, 86_400)).unwrap());
    println!("  query one port, two years daily, in and out                {took:.2} ms");
    let took =
        median_ms(20, |_| reader.percentile(PortId(port), PortMetric::OutOctets, time(START - 31 * DAY), time(START), 300, 95.0).unwrap());
    println!("  query 95th percentile of a month                           {took:.2} ms   goal <= 1");
    drop(writer);
    keeper.close().unwrap();
}

fn forever() -> netroom::config::settings::RetentionSettings {
    let mut retention = options().retention;
    let long = std::time::Duration::from_secs(40 * 365 * 86_400);
    (retention.raw, retention.m5, retention.h1, retention.d1) = (long, long, long, long);
    retention
}

fn seal_all(writer: &Writer, reader: &Reader, keeper: &mut Keeper, days: i64) {
    writer.flush().unwrap();
    // A turn seals a few days and leaves the rest to the next.
    for turn in 0..days {
        keeper.tick(time(START + 2 * 3_600_000 + turn * 60_000)).unwrap();
        if reader.stats().sealed_days as i64 >= days {
            return;
        }
    }
}
