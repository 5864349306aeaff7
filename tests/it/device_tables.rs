//! Learnt addresses, neighbour caches and LLDP neighbours of recorded devices as `device test` reads them, against another
//! system's reading of the same recordings.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use netroom::demo::agent::{Agent, Recording, Running};
use serde_json::Value as Json;

use crate::poll::recordings::shared;

/// One row in words that both readings share.
type Row = (&'static str, String);

/// The rules by which the readings differ; `docs/decisions/004-reading-of-recordings.md` tells why. Each is needed, and no
/// more often than told.
const RULES: [Rule; 5] = [
    // CDP and the like: netroom reads LLDP.
    Rule { name: "another protocol", recordings: &["ios_2960x", "nxos_n3k-3064pq"], most: 9, holds: |d| d.missing && d.row.0 == "link" },
    // The other system takes these from the maker's own MIB.
    Rule { name: "maker's MIB", recordings: &["timos_fdb-table", "jetstream_sg2218p"], most: 26, holds: |d| d.missing },
    // A neighbour without a name is called there by its description.
    Rule {
        name: "named by its description",
        recordings: &["iosxe_ie32008t2s-ios17-12", "procurve"],
        most: 7,
        holds: |d| d.row.0 == "lldp" && (!d.missing || d.row.1.split('|').nth(1) == d.row.1.split('|').nth(2)),
    },
    // It shows of several neighbours at a port the one that it knows; we show every row of the device.
    Rule { name: "more neighbours", recordings: &[], most: 182, holds: |d| !d.missing && d.row.0 == "lldp" },
    // It lists neighbours of IPv6 elsewhere.
    Rule { name: "IPv6 neighbours", recordings: &["procera"], most: 2, holds: |d| !d.missing && d.row.0 == "arp" && d.row.1.contains(':') },
];

struct Rule {
    name: &'static str,
    /// Empty: any recording.
    recordings: &'static [&'static str],
    most: usize,
    holds: fn(&Difference<'_>) -> bool,
}

/// A row that only one of the two readings has.
struct Difference<'a> {
    recording: &'a str,
    /// Not in ours.
    missing: bool,
    row: &'a Row,
}

/// What the other system has: FDB as address, ifIndex and VLAN; ARP as two addresses; LLDP as port, neighbour's name and text.
fn theirs(expected: &Json) -> BTreeSet<Row> {
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let mut rows = BTreeSet::new();
    for row in list(&expected["fdb-table"]["ports_fdb"]) {
        rows.insert(("fdb", format!("{} {} {}", plain(&row["mac_address"]), plain(&row["ifIndex"]), plain(&row["vlan_vlan"]))));
    }
    for row in list(&expected["arp-table"]["ipv4_mac"]) {
        rows.insert(("arp", format!("{} {}", plain(&row["mac_address"]), plain(&row["ipv4_address"]))));
    }
    for row in list(&expected["discovery-protocols"]["links"]) {
        let kind = if row["protocol"] == "lldp" { "lldp" } else { "link" };
        let port = [&row["ifName"], &row["ifDescr"]].into_iter().map(plain).find(|text| !text.is_empty()).unwrap_or_default();
        rows.insert((kind, format!("{port}|{}|{}", plain(&row["remote_hostname"]), squeezed(&plain(&row["remote_version"])))));
    }
    rows
}

fn ours(report: &Json) -> BTreeSet<Row> {
    let list = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    let first =
        |row: &Json, keys: [&str; 2]| keys.into_iter().map(|key| plain(&row[key])).find(|text| !text.is_empty()).unwrap_or_default();
    let mac = |text: String| text.replace(':', "");
    let mut rows = BTreeSet::new();
    for row in list("fdb") {
        let address = mac(first(&row, ["dot1qTpFdbAddress", "dot1dTpFdbAddress"]));
        rows.insert(("fdb", format!("{address} {} {}", plain(&row["ifIndex"]), first(&row, ["dot1qVlanIndex", "vtpVlanIndex"]))));
    }
    for row in list("arp") {
        let address = mac(first(&row, ["ipNetToMediaPhysAddress", "ipNetToPhysicalPhysAddress"]));
        rows.insert(("arp", format!("{address} {}", first(&row, ["ipNetToMediaNetAddress", "ipNetToPhysicalNetAddress"]))));
    }
    for row in list("neighbours") {
        let text = squeezed(&plain(&row["lldpRemSysDesc"]));
        rows.insert(("lldp", format!("{}|{}|{text}", plain(&row["ifName"]), plain(&row["lldpRemSysName"]))));
    }
    rows
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Line breaks are blanks there, and quotation marks around a text are left away.
fn squeezed(text: &str) -> String {
    text.trim_matches('"').split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the command line prints of a recording.
fn report(recording: &Path) -> Json {
    let mib = Recording::parse(&std::fs::read(recording).unwrap());
    let running = Running::start(vec![Agent::new(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(mib))]).unwrap();
    let port = running.addresses()[0].port().to_string();
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_netroom"));
    let output = command.args(["device", "test", "127.0.0.1", "-p", &port, "--json"]).env_remove("NETROOM_COMMUNITY").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Both readings of a recording, when the other system has such tables of it.
fn readings(folder: &Path, recording: &str) -> Option<(BTreeSet<Row>, BTreeSet<Row>)> {
    let text = std::fs::read(folder.join(format!("{recording}.expect.json"))).unwrap();
    let theirs = theirs(&serde_json::from_slice(&text).unwrap());
    if theirs.is_empty() {
        return None;
    }
    let mut ours = ours(&report(&folder.join(format!("{recording}.snmprec"))));
    // A table that the other system did not read for this device is no difference.
    ours.retain(|(kind, _)| theirs.iter().any(|(other, _)| other == kind));
    Some((theirs, ours))
}

#[test]
fn tables_differ_from_the_other_systems_reading_only_by_the_written_rules() {
    let Some(folder) = shared("librenms") else { return };
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter_map(|name| name.strip_suffix(".expect.json").map(str::to_owned)).collect();
    // Reading a device is mostly waiting for it.
    let all: Vec<_> = std::thread::scope(|scope| {
        let read = |names: &[String]| names.iter().filter_map(|name| Some((name.clone(), readings(&folder, name)?))).collect::<Vec<_>>();
        let threads: Vec<_> = names.chunks(names.len().div_ceil(8)).map(|names| scope.spawn(move || read(names))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (mut rows, mut alike, mut used, mut unruled) = (0, 0, [0; RULES.len()], Vec::new());
    for (recording, (theirs, ours)) in &all {
        rows += theirs.len();
        alike += theirs.intersection(ours).count();
        let missing = theirs.difference(ours).map(|row| Difference { recording, missing: true, row });
        for difference in missing.chain(ours.difference(theirs).map(|row| Difference { recording, missing: false, row })) {
            let here = |rule: &Rule| rule.recordings.is_empty() || rule.recordings.contains(&recording.as_str());
            match RULES.iter().position(|rule| here(rule) && (rule.holds)(&difference)) {
                Some(rule) => used[rule] += 1,
                None => {
                    unruled.push(format!("{} {} {:?}", difference.recording, if difference.missing { "-" } else { "+" }, difference.row));
                }
            }
        }
    }
    let by_rule: Vec<_> = RULES.iter().map(|rule| rule.name).zip(used).collect();
    println!("{alike} of {rows} rows of {} recordings alike; differences by rule: {by_rule:?}", all.len());
    assert!(unruled.is_empty(), "{}", unruled.join("\n"));
    for (rule, used) in RULES.iter().zip(used) {
        assert!((1..=rule.most).contains(&used), "{}: needed {used} times, {} at most", rule.name, rule.most);
    }
}
