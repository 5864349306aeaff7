//! Detection on campuses by seeds, against the goals: `cargo bench --bench campus_worms`. Each campus has about 2,000 machines
//! for half an hour; `-- --seeds 4,5 --minutes 180 --benign` and the other words change that, `--write DIR` leaves a capture,
//! a site file and the truth for `netroom analyze`. Without `--bench` it is a smoke run of a tiny campus.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "mod.rs"]
mod campus;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use campus::engine::{Knowledge, Netroom};
use campus::score::{Fate, Run, quantile, run};
use campus::{Plan, Sight};
use clap::Parser;
use netroom::detect::Level;
use netroom::model::clock;

/// What may be asked for.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Given by cargo.
    #[arg(long)]
    bench: bool,
    /// Seeds, each a campus of its own.
    #[arg(long, value_delimiter = ',', default_value = "1,2,3")]
    seeds: Vec<u64>,
    #[arg(long, default_value_t = 2_000)]
    hosts: usize,
    #[arg(long, default_value_t = 30)]
    minutes: u32,
    /// Nobody does wrong.
    #[arg(long)]
    benign: bool,
    /// No hard events.
    #[arg(long)]
    calm: bool,
    /// Share of destinations that are gone, instead of the seed's.
    #[arg(long)]
    dead: Option<f64>,
    /// How busy people are, instead of the seed's (1 is usual).
    #[arg(long)]
    busy: Option<f64>,
    #[arg(long, value_parser = ["all", "without-routers", "without-live", "nothing"], default_value = "all")]
    knowledge: String,
    #[arg(long, value_parser = ["whole", "one-way", "inner"], default_value = "whole")]
    sight: String,
    /// Also tells of each offender and of each machine accused without reason.
    #[arg(long)]
    verbose: bool,
    /// Where captures are left, one of each seed.
    #[arg(long)]
    write: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let mut options = Options::parse();
    if !options.bench {
        (options.hosts, options.minutes) = (120, 2);
        options.seeds.truncate(1);
    }
    let mut runs = Vec::new();
    for seed in options.seeds.clone() {
        let plan = plan(&options, seed);
        let knowledge = match options.knowledge.as_str() {
            "nothing" => Knowledge::Nothing,
            "without-routers" => Knowledge::WithoutRouters,
            "without-live" => Knowledge::WithoutLive,
            _ => Knowledge::All,
        };
        let town = campus::town::Town::new(&plan);
        let mut judge = Netroom::new(&town, knowledge);
        let began = clock::monotonic();
        let done = match &options.write {
            None => run(&plan, &mut judge, &mut |_, _, _| {}),
            Some(directory) => write(&plan, &mut judge, directory)?,
        };
        let seconds = clock::monotonic().duration_since(began).as_secs_f64();
        println!("seed {seed}: {} machines, {} packets, {seconds:.1} s", done.world.town.hosts.len(), done.packets);
        if options.verbose {
            tell(&done);
        }
        runs.push(done);
    }
    table(&runs);
    Ok(())
}

fn plan(options: &Options, seed: u64) -> Plan {
    let seconds = options.minutes * 60;
    let mut plan = if options.benign { Plan::benign(seed, options.hosts, seconds) } else { Plan::new(seed, options.hosts, seconds) };
    plan.hard = !options.calm;
    plan.dead = options.dead.unwrap_or(plan.dead);
    plan.busy = options.busy.unwrap_or(plan.busy);
    plan.sight = match options.sight.as_str() {
        "one-way" => Sight::OneWay,
        "inner" => Sight::Inner,
        _ => Sight::Whole,
    };
    plan
}

/// The same with a capture (nanosecond pcap), the site and the truth left in a directory.
fn write(plan: &Plan, judge: &mut Netroom, directory: &Path) -> io::Result<Run> {
    std::fs::create_dir_all(directory)?;
    let at = |what: &str| directory.join(format!("campus-{}.{what}", plan.seed));
    let mut out = BufWriter::new(File::create(at("pcap"))?);
    let head: [u32; 6] = [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1];
    for word in head {
        out.write_all(&word.to_le_bytes())?;
    }
    let mut trouble = Ok(());
    let done = run(plan, judge, &mut |at, wire, octets| {
        if trouble.is_ok() {
            trouble = record(&mut out, at, wire, octets);
        }
    });
    trouble?;
    out.flush()?;
    std::fs::write(at("site.json"), done.world.town.site().to_string())?;
    std::fs::write(at("truth.json"), done.world.truth.json(&done.world.town).to_string())?;
    Ok(done)
}

fn record(out: &mut impl Write, at: u64, wire: u32, octets: &[u8]) -> io::Result<()> {
    for word in [(at / 1_000_000_000) as u32, (at % 1_000_000_000) as u32, octets.len() as u32, wire] {
        out.write_all(&word.to_le_bytes())?;
    }
    out.write_all(octets)
}

fn tell(run: &Run) {
    for fate in run.fates() {
        let mark = match (fate.named, fate.found, fate.suspect.is_some()) {
            (true, ..) => "     ",
            (_, true, _) => "OTHER",
            (.., true) => "weak ",
            _ => "MISS ",
        };
        println!(
            "  {mark} #{} {}: made {}, virus {:?}, suspect {:?}; {}",
            fate.host, fate.shape, fate.made, fate.virus, fate.suspect, fate.kinds
        );
    }
    for (whom, said) in run.accused(Level::Suspect) {
        println!("  FALSE {whom:?} {:?}{}: {said}", run.role(whom), if run.is_peer(whom) { " p2p" } else { "" });
    }
}

fn table(runs: &[Run]) {
    let fates: Vec<Fate> = runs.iter().flat_map(Run::fates).collect();
    let (scanners, others): (Vec<&Fate>, Vec<&Fate>) = fates.iter().partition(|fate| fate.scanner);
    let share = |of: &[&Fate], what: fn(&Fate) -> bool| {
        let count = of.iter().filter(|fate| what(fate)).count();
        format!("{count}/{} ({:.1} %)", of.len(), count as f64 * 100.0 / of.len().max(1) as f64)
    };
    println!("scanners found (virus)          {}", share(&scanners, |fate| fate.found));
    println!("scanners told (suspect)         {}", share(&scanners, |fate| fate.suspect.is_some()));
    println!("other kinds told (suspect)      {}", share(&others, |fate| fate.suspect.is_some()));
    println!("scanners with a right name      {}", share(&scanners, |fate| fate.named));
    println!("other kinds found               {}", share(&others, |fate| fate.found));
    println!("other kinds with the right name {}", share(&others, |fate| fate.named));
    let classes = [("slow <= 1/s", 0.0, 1.0), ("mid 5-100/s", 1.1, 100.0), ("fast >= 500/s", 101.0, 1e9)];
    for (name, low, high) in classes {
        let of = |what: fn(&Fate) -> Option<(usize, f64)>| -> Vec<(usize, f64)> {
            let within = |fate: &&Fate| fate.rate.is_some_and(|rate| rate >= low && rate <= high);
            fates.iter().filter(within).filter_map(what).collect()
        };
        for (level, of) in [("virus", of(|fate| fate.virus)), ("suspect", of(|fate| fate.suspect))] {
            let mut contacts: Vec<f64> = of.iter().map(|(contacts, _)| *contacts as f64).collect();
            let mut seconds: Vec<f64> = of.iter().map(|(_, seconds)| *seconds).collect();
            println!(
                "TCP {name:13} {level:7} contacts {:?} (p90 {:?}), seconds {:.2?} of {}",
                quantile(&mut contacts, 0.5).unwrap_or(f64::NAN),
                quantile(&mut contacts, 0.9).unwrap_or(f64::NAN),
                quantile(&mut seconds, 0.5).unwrap_or(f64::NAN),
                of.len(),
            );
        }
    }
    let machine_days: f64 = runs.iter().map(|run| 1_000.0 / run.rate_of(1)).sum();
    for (name, level) in [("suspect", Level::Suspect), ("virus", Level::Virus), ("block-worthy", Level::BlockWorthy)] {
        let accused: Vec<bool> = runs.iter().flat_map(|run| run.accused(level).into_iter().map(|(whom, _)| run.is_peer(whom))).collect();
        let peers = accused.iter().filter(|peer| **peer).count();
        println!(
            "false at {name:12} {} machines, {peers} of them p2p: {:.1} per 1,000 machines and day",
            accused.len(),
            accused.len() as f64 * 1_000.0 / machine_days
        );
    }
    let peers: usize = runs.iter().map(|run| run.world.truth.p2p.len()).sum();
    let called: usize = runs.iter().map(|run| run.accused(Level::Virus).iter().filter(|(whom, _)| run.is_peer(*whom)).count()).sum();
    println!("p2p machines called virus       {called}/{peers}");
}
