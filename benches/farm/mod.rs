//! A farm of SNMP agents for benches: one process, one socket, thousands of devices, answers as fast as the kernel carries
//! them. Device N is 127.10.0.0+N (see [`formula::address`]), community `public`, v1 and v2c; system, ifTable 1 to 22 and
//! ifXTable 1 to 19 with counters that the asker can check ([`formula`]).
//!
//! Alone: `cargo bench --bench farm -- --port 16200 --devices 1000 --ports 48 --loss 0.05 --dead 10`.
//! From a bench: `#[path = "farm/mod.rs"] mod farm;`, `farm::serve_if_asked();` first in `main`, then
//! `let farm = farm::Child::start(&["--devices", "1000"])?` runs this same program again as the farm, on `farm.port`, in a
//! process of its own (its CPU time is not the bench's), until `farm` is dropped.

pub(crate) mod answer;
pub(crate) mod formula;
pub(crate) mod rows;
pub(crate) mod wire;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::process::{Child as Process, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use netroom::model::clock;
use netroom::snmp::oid::Oid;

use answer::Manners;
use rows::Moment;
use wire::{BATCH, Outgoing, Wire};

/// The first argument that turns a bench into the farm.
const SERVE: &str = "--serve-farm";

/// What the farm is asked for.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Options {
    /// UDP port on all of 127.10.0.0/16; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How many devices.
    #[arg(long, default_value_t = 1000)]
    pub(crate) devices: u32,
    /// How many ports each has, up to 16,383.
    #[arg(long, default_value_t = 48)]
    pub(crate) ports: u32,
    /// The largest answer in octets.
    #[arg(long, default_value_t = 1472)]
    pub(crate) maxresp: usize,
    /// Receive and send buffer of the socket in octets.
    #[arg(long, default_value_t = 16 << 20)]
    pub(crate) buffer: i32,
    /// Seed of the faults.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Share of requests that get no answer, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) loss: f64,
    /// Share of answers that come twice.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) duplicate: f64,
    /// Every answer takes at least this many milliseconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) delay_min_ms: u64,
    /// Every answer takes at most this many milliseconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) delay_max_ms: u64,
    /// Share of answers that come later by `--late-ms`.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) late: f64,
    /// How much later.
    #[arg(long, default_value_t = 3000)]
    pub(crate) late_ms: u64,
    /// Share of answers with another request-id and another device's values.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) wrong_id: f64,
    /// Percent of devices that never answer.
    #[arg(long, default_value_t = 0)]
    pub(crate) dead: u32,
    /// Percent of devices whose walks never leave a column.
    #[arg(long, default_value_t = 0)]
    pub(crate) looping: u32,
    /// Percent of devices that take only `--varbind-limit` names in a request.
    #[arg(long, default_value_t = 0)]
    pub(crate) weak: u32,
    /// See `--weak`.
    #[arg(long, default_value_t = 8)]
    pub(crate) varbind_limit: usize,
    /// Ends when standard input does.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

/// What a device is like, by its number: the asker can tell beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// It answers.
    Live,
    /// It never answers.
    Dead,
    /// Its walks never leave a column.
    Looping,
    /// It takes few names at once.
    Weak,
}

impl Options {
    /// Reads the arguments of a farm, as on the command line.
    pub(crate) fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::parse_from(std::iter::once("farm").chain(words))
    }

    /// The class of a device.
    pub(crate) const fn class(&self, device: u32) -> Class {
        let draw = (formula::mix(self.seed ^ ((device as u64) << 20)) % 100) as u32;
        if draw < self.dead {
            Class::Dead
        } else if draw < self.dead + self.looping {
            Class::Looping
        } else if draw < self.dead + self.looping + self.weak {
            Class::Weak
        } else {
            Class::Live
        }
    }
}

/// What the farm has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Datagrams that came to a device of the farm.
    pub(crate) requests: u64,
    /// Datagrams sent.
    pub(crate) answers: u64,
}

/// Serves until `stop`.
pub(crate) fn run(options: &Options, mut wire: Wire, stop: &AtomicBool) -> Result<Totals, Box<dyn std::error::Error>> {
    let mut farm = Farm {
        options,
        classes: (0..=options.devices).map(|device| options.class(device)).collect(),
        mib2: Oid::new(&[1, 3, 6, 1, 2, 1])?,
        started: clock::monotonic(),
        chance: options.seed,
        spare: Vec::new(),
        ready: Vec::new(),
        later: BinaryHeap::new(),
        totals: Totals::default(),
    };
    while !stop.load(Ordering::Relaxed) {
        let got = wire.receive(farm.wait_ms())?;
        farm.take(&wire, got);
        farm.send(&wire);
    }
    Ok(farm.totals)
}

/// An answer that waits: when it is due and its number, then what it is.
struct Later {
    due: Instant,
    number: u64,
    answer: Outgoing,
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

struct Farm<'o> {
    options: &'o Options,
    classes: Vec<Class>,
    mib2: Oid,
    started: Instant,
    chance: u64,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    ready: Vec<Outgoing>,
    later: BinaryHeap<Reverse<Later>>,
    totals: Totals,
}

impl Farm<'_> {
    /// How long the farm may sleep.
    fn wait_ms(&self) -> i32 {
        self.later.peek().map_or(50, |Reverse(first)| {
            i32::try_from(first.due.saturating_duration_since(clock::monotonic()).as_micros().div_ceil(1000)).unwrap_or(50).min(50)
        })
    }

    fn take(&mut self, wire: &Wire, got: usize) {
        if got == 0 {
            return;
        }
        let now = clock::monotonic();
        let ticks = now.saturating_duration_since(self.started).as_millis() as u64 / 10;
        let first = u32::from(Ipv4Addr::new(127, 10, 0, 0));
        for slot in 0..got {
            let (from, asked, datagram) = wire.request(slot);
            let device = u32::from(asked).wrapping_sub(first);
            if device == 0 || device > self.options.devices {
                continue;
            }
            self.totals.requests += 1;
            let class = self.classes[device as usize];
            if class == Class::Dead || self.happens(self.options.loss) {
                continue;
            }
            let wrong = self.happens(self.options.wrong_id);
            let manners = Manners {
                max_response: self.options.maxresp,
                varbind_limit: if class == Class::Weak { self.options.varbind_limit } else { usize::MAX },
                looping: class == Class::Looping,
                id_step: i32::from(wrong),
            };
            let uptime_ticks = formula::uptime(device, ticks);
            let moment = Moment { device: if wrong { device + 100_000 } else { device }, ports: self.options.ports, uptime_ticks };
            let mut octets = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(2048));
            if answer::answer(datagram, &self.mib2, &manners, &moment, &mut octets) {
                self.route(Outgoing { from: asked, to: from, octets }, now);
            }
        }
    }

    fn route(&mut self, answer: Outgoing, now: Instant) {
        if self.happens(self.options.duplicate) {
            self.put(answer.clone(), now);
        }
        self.put(answer, now);
    }

    fn put(&mut self, answer: Outgoing, now: Instant) {
        let (least, most) = (self.options.delay_min_ms * 1000, self.options.delay_max_ms * 1000);
        let mut after = least;
        if most > least {
            after += self.draw() % (most - least);
        }
        if self.happens(self.options.late) {
            after += self.options.late_ms * 1000;
        }
        self.totals.answers += 1;
        if after == 0 {
            self.ready.push(answer);
        } else {
            self.later.push(Reverse(Later { due: now + Duration::from_micros(after), number: self.totals.answers, answer }));
        }
    }

    fn send(&mut self, wire: &Wire) {
        if self.later.peek().is_some() {
            let now = clock::monotonic();
            while self.later.peek().is_some_and(|Reverse(first)| first.due <= now) {
                self.ready.extend(self.later.pop().map(|Reverse(later)| later.answer));
            }
        }
        for batch in self.ready.chunks(BATCH) {
            let mut rest = batch;
            while !rest.is_empty() {
                rest = &rest[wire.send(rest).max(1)..];
            }
        }
        self.spare.extend(self.ready.drain(..).map(|answer| answer.octets));
        self.spare.truncate(4 * BATCH);
    }

    const fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        formula::mix(self.chance)
    }

    fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && ((self.draw() >> 11) as f64 / (1_u64 << 53) as f64) < share
    }
}

/// The body of the farm's process: says `farm PORT`, serves, says what it has done.
pub(crate) fn main(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let wire = Wire::open(options.port, options.buffer)?;
    writeln!(io::stdout(), "farm {}", wire.port()?)?;
    let stop = Arc::new(AtomicBool::new(false));
    if options.until_stdin_closes {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            // Whatever ends the reading ends the farm.
            let _ = io::stdin().read_to_end(&mut Vec::new());
            stop.store(true, Ordering::Relaxed);
        });
    }
    let totals = run(options, wire, &stop)?;
    writeln!(io::stdout(), "requests {} answers {} cpu {:.3}", totals.requests, totals.answers, wire::cpu_seconds())?;
    Ok(())
}

/// Turns this program into the farm when [`Child`] has started it so, and ends it then.
pub(crate) fn serve_if_asked() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == SERVE) {
        let served = main(&Options::from_words(words.iter().skip(1).map(String::as_str)));
        if let Err(error) = &served {
            let _ = writeln!(io::stderr(), "the farm cannot serve: {error}");
        }
        std::process::exit(i32::from(served.is_err()));
    }
}

/// The farm in a process of its own, until dropped.
pub(crate) struct Child {
    process: Process,
    output: BufReader<std::process::ChildStdout>,
    /// The UDP port of all devices.
    pub(crate) port: u16,
}

impl Child {
    /// Starts this program again as the farm and waits until it listens.
    pub(crate) fn start(words: &[&str]) -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the farm needs a process of its own, so that its CPU time can be told apart")]
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .args(words)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("the farm has no output"))?;
        let mut child = Self { process, output: BufReader::new(output), port: 0 };
        let line = child.line()?;
        child.port = line.strip_prefix("farm ").and_then(|port| port.trim().parse().ok()).ok_or_else(|| io::Error::other(line))?;
        Ok(child)
    }

    /// The farm's process number, for pinning it to a CPU or reading its usage.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends the farm; what it says of itself.
    pub(crate) fn stop(mut self) -> io::Result<String> {
        drop(self.process.stdin.take());
        let line = self.line()?;
        self.process.wait()?;
        Ok(line.trim().to_owned())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
