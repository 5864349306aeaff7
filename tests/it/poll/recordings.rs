//! Recordings of real devices, polled by the real jobs: against the recordings themselves, and against another system's
//! reading of them (`docs/decisions/004-reading-of-recordings.md` says by which rules the two may differ).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use netroom::demo::agent::{Datum, Manners, Recording};
use netroom::model::observe::{CounterRow, PollRound};
use netroom::model::{Gap, METRICS, PortMetric};
use netroom::snmp::message::Version;
use serde_json::Value as Json;

use super::harness::{Line, Polled};
use super::rules::{self, Difference};

/// The folder with recordings that are not part of the project, or `None` with a loud word.
pub(crate) fn shared(below: &str) -> Option<PathBuf> {
    let root = std::env::var("NETROOM_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    let folder = Path::new(&root).join("data/snmp").join(below);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set NETROOM_SHARED to the folder of recordings", folder.display());
    None
}

fn files(folder: &Path, ending: &str) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.filter_map(|path| Some((path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned(), path.clone())));
    let mut files: Vec<_> = named.collect();
    files.sort();
    files
}

/// Recordings by name: the project's own, and all others that are there.
fn recordings() -> Vec<(String, Recording)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snmprec");
    let folders = [Some(own), shared("librenms"), shared("walks")];
    let mut all = Vec::new();
    for folder in folders.into_iter().flatten() {
        for (name, path) in files(&folder, ".snmprec") {
            all.push((name, Recording::parse(&std::fs::read(path).unwrap())));
        }
        for (name, path) in files(&folder, ".snmprec.bz2") {
            let mut text = Vec::new();
            bzip2::read::MultiBzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut text).unwrap();
            all.push((name, Recording::parse(&text)));
        }
    }
    all
}

/// What a recording holds of the interfaces: ifIndex, then column (`2.10` is ifTable 10, `31.6` ifXTable 6), then number.
fn interfaces(recording: &Recording) -> BTreeMap<u32, BTreeMap<String, Option<u64>>> {
    let mut rows: BTreeMap<u32, BTreeMap<String, Option<u64>>> = BTreeMap::new();
    for (name, datum) in recording.rows() {
        let name = name.to_string();
        let below = name.strip_prefix("1.3.6.1.2.1.2.2.1.").map(|rest| ("2", rest));
        let below = below.or_else(|| name.strip_prefix("1.3.6.1.2.1.31.1.1.1.").map(|rest| ("31", rest)));
        let Some((table, rest)) = below else { continue };
        let Some((column, Ok(index))) = rest.split_once('.').map(|(column, index)| (column, index.parse())) else { continue };
        rows.entry(index).or_default().insert(format!("{table}.{column}"), number(datum));
    }
    // A row is what has an identity or a counter; other columns alone (ifPromiscuousMode) make no port.
    let asked = |column: &String| {
        column.split_once('.').and_then(|(table, number)| Some((table, number.parse::<u32>().ok()?))).is_some_and(|(table, number)| {
            if table == "2" {
                (2..=20).contains(&number) && ![12, 18].contains(&number)
            } else {
                ![14, 16].contains(&number) && number < 20
            }
        })
    };
    rows.retain(|_, columns| columns.keys().any(asked));
    rows
}

fn number(datum: &Datum) -> Option<u64> {
    match datum {
        Datum::Integer(value) => u64::try_from(*value).ok(),
        Datum::Counter32(value) | Datum::Gauge32(value) | Datum::TimeTicks(value) => Some(u64::from(*value)),
        Datum::Counter64(value) => Some(*value),
        Datum::Octets(octets) => std::str::from_utf8(octets).ok()?.trim_matches(|c: char| c.is_whitespace() || c == '\0').parse().ok(),
        _ => None,
    }
}

/// For each metric its wide and narrow column.
const COLUMNS: [(PortMetric, Option<&str>, &str); METRICS] = [
    (PortMetric::InOctets, Some("31.6"), "2.10"),
    (PortMetric::OutOctets, Some("31.10"), "2.16"),
    (PortMetric::InUcast, Some("31.7"), "2.11"),
    (PortMetric::OutUcast, Some("31.11"), "2.17"),
    (PortMetric::InMulticast, Some("31.8"), "31.2"),
    (PortMetric::OutMulticast, Some("31.12"), "31.4"),
    (PortMetric::InBroadcast, Some("31.9"), "31.3"),
    (PortMetric::OutBroadcast, Some("31.13"), "31.5"),
    (PortMetric::InErrors, None, "2.14"),
    (PortMetric::OutErrors, None, "2.20"),
    (PortMetric::InDiscards, None, "2.13"),
    (PortMetric::OutDiscards, None, "2.19"),
    (PortMetric::InUnknownProtos, None, "2.15"),
    (PortMetric::OperStatus, None, "2.8"),
];

/// A recorded row as the rows of a poll should give it.
fn expected(columns: &BTreeMap<String, Option<u64>>) -> [Option<u64>; METRICS] {
    let mut values = [None; METRICS];
    for (metric, wide, narrow) in COLUMNS {
        let wide = wide.and_then(|column| columns.get(column).copied().flatten());
        let narrow = columns.get(narrow).copied().flatten();
        values[metric.index()] = match (wide, narrow) {
            (Some(0), Some(narrow)) if narrow > 0 => Some(narrow),
            (wide, narrow) => wide.or(narrow),
        };
    }
    values
}

fn check(name: &str, round: &PollRound, recording: &Recording, in_v1: bool) -> usize {
    assert_eq!(round.gap, None, "{name}: {:?}", round.detail);
    let mut recorded = interfaces(recording);
    if in_v1 {
        let is_wide = |column: &str| column.strip_prefix("31.").and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| (6..=13).contains(&n));
        recorded.values_mut().for_each(|columns| columns.retain(|column, _| !is_wide(column)));
    }
    let indexes: BTreeSet<u32> = round.rows.iter().map(|row| row.if_index.0).collect();
    assert_eq!(indexes.len(), round.rows.len(), "{name}: a row stands twice");
    assert_eq!(indexes, recorded.keys().copied().collect(), "{name}");
    for row in &round.rows {
        assert_eq!(row.values, expected(&recorded[&row.if_index.0]), "{name} ifIndex {}", row.if_index.0);
    }
    round.rows.len()
}

#[test]
fn every_recorded_row_and_counter_is_read_as_recorded_twice() {
    let mut rows = 0;
    let all = recordings();
    for (name, recording) in &all {
        let mut line = Line::to(Version::V2c, recording, Manners::default());
        let mut device = Polled::new(Version::V2c);
        let first = device.poll(&mut line).round;
        rows += check(name, &first, recording, false);
        let asked = line.sent;
        let second = device.poll(&mut line).round;
        assert!(second.inventory.is_none(), "{name}: the identity is not read again within its time");
        assert!(line.sent - asked <= asked, "{name}: {} requests after {asked}", line.sent - asked);
        assert_eq!(first.rows, with_times_of(&first.rows, second.rows), "{name}");
        assert!(line.longest.1 <= 1472, "{name}");
    }
    println!("{rows} rows of {} recordings", all.len());
}

/// The recorded clock stands still; only the arrival differs.
fn with_times_of(first: &[CounterRow], mut second: Vec<CounterRow>) -> Vec<CounterRow> {
    for (row, model) in second.iter_mut().zip(first) {
        (row.received, row.uptime_ticks) = (model.received, model.uptime_ticks);
    }
    second
}

#[test]
fn weak_and_wayward_agents_give_the_same_rows() {
    let manners = [
        ("answers of 484 octets", Version::V2c, Manners { max_response: 484, ..Manners::default() }),
        ("ten names at most", Version::V2c, Manners { varbind_limit: Some(10), ..Manners::default() }),
        ("three names at most", Version::V2c, Manners { varbind_limit: Some(3), ..Manners::default() }),
        ("no GETBULK", Version::V2c, Manners { ignore_bulk: true, ..Manners::default() }),
        ("SNMPv1", Version::V1, Manners::default()),
    ];
    // Each tenth of the recordings is enough here, the project's own are among them.
    let some: Vec<_> = recordings().into_iter().enumerate().filter(|(place, _)| place % 10 == 0).map(|(_, named)| named).collect();
    assert!(!some.is_empty());
    for (manner, version, manners) in manners {
        for (name, recording) in &some {
            let mut line = Line::to(version, recording, manners.clone());
            let round = Polled::new(version).poll(&mut line).round;
            if interfaces(recording).values().flat_map(BTreeMap::keys).count() < 2_000 {
                check(&format!("{name}, {manner}"), &round, recording, version == Version::V1);
            } else {
                assert!(matches!(round.gap, None | Some(Gap::Deadline)), "{name}, {manner}: {:?}", round.detail);
            }
        }
    }
}

#[test]
fn the_other_systems_reading_differs_only_by_the_written_rules() {
    let Some(folder) = shared("librenms") else { return };
    let mut tally = rules::Tally::default();
    let mut ports = 0;
    for (name, path) in files(&folder, ".expect.json") {
        let json: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let recording = Recording::parse(&std::fs::read(folder.join(format!("{name}.snmprec"))).unwrap());
        let mut line = Line::to(Version::V2c, &recording, Manners::default());
        let round = Polled::new(Version::V2c).poll(&mut line).round;
        let listed = json["ports"].as_array().cloned().unwrap_or_default();
        ports += listed.len();
        compare(&name, &listed, &round, &mut tally);
    }
    println!("{ports} ports; differences by rule: {:?}", tally.counts());
    assert!(ports > 0);
    tally.finish();
}

fn compare(recording: &str, listed: &[Json], round: &PollRound, tally: &mut rules::Tally) {
    let inventory = round.inventory.as_deref().unwrap();
    let mut ours: BTreeMap<u64, _> = inventory.interfaces.iter().map(|row| (u64::from(row.if_index), row)).collect();
    for port in listed {
        let if_index = port["ifIndex"].as_u64().unwrap();
        let mut differs = |key: &str, expected: String, got: String| {
            if expected != got {
                tally.add(&Difference { recording, if_index, key, expected, got });
            }
        };
        let Some(row) = ours.remove(&if_index) else {
            differs("row", "present".into(), "absent".into());
            continue;
        };
        let counters = round.rows.iter().find(|counters| u64::from(counters.if_index.0) == if_index).unwrap();
        for (key, read) in rules::KEYS {
            // The other system stores 0 for what a device did not give; we keep it absent.
            let known = |text: String| if text == "0" { String::new() } else { text };
            differs(key, known(plain(&port[*key])), known(read(row, counters)));
        }
    }
    for if_index in ours.into_keys() {
        tally.add(&Difference { recording, if_index, key: "row", expected: "absent".into(), got: "present".into() });
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
