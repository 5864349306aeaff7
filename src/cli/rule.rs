//! `netroom rule`: which rules there are, and what one would have said of the past.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::{Answer, Globals, Outcome, out};
use crate::config::Settings;
use crate::config::rules::{KNOWN, RuleUnit};
use crate::config::span;
use crate::incident::rules::plan::{Book, Whom};
use crate::incident::rules::port::{PORT_RULES, PortPlan};
use crate::incident::rules::replay::{self, Episode};
use crate::incident::scope::Place;
use crate::model::{PortIdentity, TextPool, Timestamp, clock};
use crate::ports::store as catalogue;
use crate::series::{self, history::HistoryQuery};
use crate::store::{DataDir, Store};

/// The most steps read of one port.
const STEPS: u64 = 50_000;

/// Look at the rules, or try one over the past
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print every rule with its built-in threshold
    List {
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Run a rule over stored samples and print what it would have raised
    ///
    /// Uses the thresholds of the configuration, so that another one can be tried with --config. The store must not be in
    /// use: stop the daemon, or copy its data directory. Exit code 0: nothing would have been raised; 1: something would.
    Test {
        /// The rule, as port-utilisation
        rule: String,
        /// How far back, like 30d
        #[arg(long, default_value = "7d", value_parser = duration)]
        since: Duration,
        /// Only this device
        #[arg(long)]
        device: Option<String>,
        /// Print one JSON object an episode
        #[arg(long)]
        json: bool,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    span::parse_duration(text).map_err(|error| format!("{error}; write it as 30d or 12h"))
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    match &args.what {
        What::List { json } => list(*json),
        What::Test { rule, since, device, json } => test(globals, rule, *since, device.as_deref(), *json),
    }
}

fn list(as_json: bool) -> Outcome {
    if as_json {
        out::say(serde_json::to_string_pretty(KNOWN)?)?;
        return Ok(Answer::Yes);
    }
    for rule in KNOWN {
        let mut line = format!("{:<24} {:<9}", rule.name, rule.severity.word());
        match rule.unit {
            RuleUnit::None => line.push_str("holds or not"),
            unit if !rule.enabled => write!(line, "off until `raise` is given, as \"{}\"", unit.example())?,
            unit => write!(line, "raise {}, clear {}", unit.write(rule.raise), unit.write(rule.clear))?,
        }
        let long = |seconds: u32| span::format_duration(Duration::from_secs(seconds.into()));
        write!(line, ", for {}, clear_for {}", long(rule.raise_for_s), long(rule.clear_for_s))?;
        out::say(line)?;
    }
    Ok(Answer::Yes)
}

fn test(globals: &Globals, rule: &str, since: Duration, only: Option<&str>, as_json: bool) -> Outcome {
    anyhow::ensure!(
        PORT_RULES.contains(&rule),
        "there are no stored samples for a rule \"{rule}\"; take one of: {}",
        PORT_RULES.join(", ")
    );
    let settings = globals.origin()?.load().map_err(|problems| anyhow::anyhow!("{problems}"))?.settings;
    anyhow::ensure!(settings.data.is_dir(), "{} is no directory; name the data directory with --data DIR", settings.data.display());
    let held = DataDir::take(&settings.data)?;
    let store = Store::open(&held.database())?;
    let ports = catalogue::load(&store)?.ports;
    let options = series::Options { retention: settings.retention.clone(), ..series::Options::default() };
    let (_writer, reader, keeper) = series::open(&held.series(), options)?;
    let now = clock::wall();
    let names = catalogue::names(&store)?;
    let mut found = 0;
    for (device, name) in names.iter().filter(|(_, name)| only.is_none_or(|only| **name == *only)) {
        for record in ports.get(device).into_iter().flatten() {
            let identity = record.identity(&mut TextPool::default());
            let plan = plan(&settings, name, &identity, rule);
            let from = now - since;
            let step_s = step(&settings, since);
            let query = HistoryQuery { port: record.id, metrics: replay::metrics(), from, to: now, step_s, origin_s: 0 };
            let history = reader.history(&query)?;
            for (rule, episode) in replay::run(&plan, &history, identity.speed_bps) {
                found += 1;
                tell(rule, &format!("{name} {}", identity.name), &episode, &settings, as_json)?;
            }
        }
    }
    keeper.close()?;
    if !as_json {
        let long = span::format_duration(since);
        out::note(format_args!("{rule} would have been raised {found} times in the last {long}"))?;
    }
    Ok(if found == 0 { Answer::Yes } else { Answer::No })
}

/// As fine as polled while that is not too much, else five minutes.
fn step(settings: &Settings, since: Duration) -> u32 {
    let polled = settings.devices.iter().map(|device| device.interval).min().unwrap_or(Duration::from_secs(60));
    let polled = u32::try_from(polled.as_secs()).unwrap_or(60).max(10);
    if since.as_secs() / u64::from(polled) <= STEPS { polled } else { 300 }
}

fn plan(settings: &Settings, device: &str, identity: &PortIdentity, rule: &str) -> PortPlan {
    let book = Book::new(&settings.rules, &settings.incident.uplinks);
    let configured = settings.devices.iter().find(|one| *one.name == *device);
    let place =
        configured.map_or_else(Place::default, |one| Place { site: one.site.clone(), zone: Some(one.zone), tags: one.tags.clone() });
    let class = book.class_of(device, identity);
    PortPlan::new(&book, Whom { device, place: &place, port: Some((&identity.name, class)) }).only(rule)
}

fn tell(rule: &str, subject: &str, episode: &Episode, settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let line = json!({ "rule": rule, "subject": subject, "from": episode.from, "to": episode.to, "evidence": episode.evidence });
        return out::say(line);
    }
    let time = |at: Timestamp| {
        let moment = jiff::Timestamp::from_millisecond(at.millis()).map(|at| at.to_zoned_datetime(settings.time_zone.clone()));
        moment.map_or_else(|_| at.millis().to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
    };
    let end = episode.to.map_or_else(|| "still".to_owned(), time);
    let facts: Vec<String> = episode.evidence.iter().map(|(name, fact)| format!("{name}={}", plain(fact))).collect();
    out::say(format_args!("{} .. {end}  {subject}  {}", time(episode.from), facts.join(" ")))
}

fn plain(fact: &crate::model::Fact) -> String {
    use crate::model::{BitsPerSecond, Fact};
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Count(count) => count.to_string(),
        Fact::Percent(share) => format!("{share:.1}%"),
        Fact::BitsPerSecond(bps) => BitsPerSecond(*bps).to_string(),
        Fact::PerSecond(rate) => format!("{rate:.1}/s"),
        Fact::Millis(millis) => span::format_duration(Duration::from_millis(*millis as u64)),
        Fact::Time(at) => at.millis().to_string(),
        Fact::Subjects(subjects) => subjects.len().to_string(),
    }
}
