//! `netroom analyze FILE..`: the live detectors over captures. Nothing of it depends on the clock, on chance or on a
//! configuration: the same files give the same octets.

mod verdicts;

use std::path::{Path, PathBuf};

use anyhow::Context;

use self::verdicts::Verdicts;
use super::{Answer, Outcome, out};
use crate::capture::file::Capture;
use crate::capture::packet::Nanos;
use crate::detect::engine::Engine;
use crate::detect::settings::Settings;
use crate::detect::{Level, Site, site_file};

/// Places entries in the engine's tables; fixed, so that a file is judged the same each time.
const SEED: u64 = 0x6e65_7472_6f6f_6d00;
/// What was found is asked for after so many packets.
const EACH: u64 = 4096;

/// Judge the traffic in capture files
///
/// Runs the detectors that watch a mirror port over pcap or pcapng files, plain or compressed with gzip. Several files are
/// read one after another as one capture, as tcpdump -C writes them. Exit code 0: they were judged; 2: a file could not be
/// read to its end (what was whole is judged all the same). With --check, 1 says that something was suspect.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The captures
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is known of the site: a JSON object of lists (local, router, gateway, server, mail, resolver, dhcp, exempt, live)
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Print one JSON object a line for each behaviour of each machine, at its strongest
    #[arg(long)]
    json: bool,
    /// Exit with 1 when anything is suspect or worse; a mere label (p2p) does not count
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let site = args.site.as_deref().map_or_else(|| Ok(Site::default()), site)?;
    let mut analysis = Analysis::new(site);
    let broken = args.files.iter().find_map(|file| analysis.read(file).err());
    analysis.finish();
    if args.json {
        for verdict in analysis.verdicts.sorted() {
            out::say(verdict.json())?;
        }
    } else {
        for verdict in analysis.verdicts.sorted() {
            out::say(verdict.text())?;
        }
        out::say(analysis.summary())?;
    }
    match broken {
        Some(error) => Err(error),
        None if args.check && analysis.verdicts.strongest().is_some_and(|level| level > Level::Label) => Ok(Answer::No),
        None => Ok(Answer::Yes),
    }
}

fn site(path: &Path) -> anyhow::Result<Site> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    site_file::parse(&text).with_context(|| format!("{}", path.display()))
}

/// The detectors with what they have said so far.
struct Analysis {
    engine: Engine,
    verdicts: Verdicts,
    packets: u64,
    first: Option<Nanos>,
    last: Nanos,
}

impl Analysis {
    fn new(site: Site) -> Self {
        let engine = Engine::new(Settings::default(), site, SEED);
        Self { engine, verdicts: Verdicts::default(), packets: 0, first: None, last: Nanos(0) }
    }

    /// Reads one file. What comes before a fault in it has been judged when the fault is told.
    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut capture = Capture::open(path)?;
        while let Some(frame) = capture.next()? {
            // Merged captures are not always in order.
            self.first = Some(self.first.map_or(frame.at, |first| first.min(frame.at)));
            self.last = self.last.max(frame.at);
            self.packets += 1;
            self.engine.packet(&frame.parse());
            if self.packets.is_multiple_of(EACH) {
                self.take();
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.engine.finish();
        self.take();
    }

    fn take(&mut self) {
        self.engine.take().into_iter().for_each(|detection| self.verdicts.note(detection));
    }

    fn summary(&self) -> String {
        let span_s = self.first.map_or(0, |first| self.last.since(first)) / 1_000_000_000;
        let (machines, behaviours) = self.verdicts.counts();
        let found = match behaviours {
            0 => "nothing was found".to_owned(),
            1 => "1 behaviour of 1 machine".to_owned(),
            _ => format!("{behaviours} behaviours of {machines} machine{}", if machines == 1 { "" } else { "s" }),
        };
        format!("{} packets, {span_s} s of traffic: {found}", self.packets)
    }
}
