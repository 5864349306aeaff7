//! The rules by which our reading of recordings may differ from another system's. Each is named, says where it holds
//! and how often at most; a rule that is never needed fails too. `docs/decisions/004-reading-of-recordings.md` tells why.

use std::collections::BTreeMap;

use netroom::model::observe::{CounterRow, InterfaceRow};
use netroom::model::{DeviceText, PortMetric};

/// One value that the two readings do not share.
pub(super) struct Difference<'a> {
    pub(super) recording: &'a str,
    pub(super) if_index: u64,
    pub(super) key: &'a str,
    pub(super) expected: String,
    pub(super) got: String,
}

struct Rule {
    name: &'static str,
    /// Empty: any recording.
    recordings: &'static [&'static str],
    most: usize,
    holds: fn(&Difference<'_>) -> bool,
}

const RULES: [Rule; 8] = [
    // The other system hides ports that its per-system settings call uninteresting; we show every row of the device.
    Rule { name: "hidden there", recordings: &[], most: 1600, holds: |d| d.key == "row" && d.got == "present" },
    // It takes rows, counters, names or speeds of these systems from the maker's own MIB.
    Rule {
        name: "maker's MIB",
        recordings: &[
            "adva-fsp150cp_1",
            "airos-af",
            "airos-af-ltu",
            "ciena-sds",
            "cmm",
            "edgeosolt",
            "exalink-fusion",
            "horizon-quantum",
            "infinera-groove",
            "loop-telecom_loop-am3440-ccpb-a",
            "luminato_4x4",
            "mlos-nsp_ns9500",
            "procera",
        ],
        most: 520,
        holds: |d| d.got != "present",
    },
    // It renames ports by a rule for the system.
    Rule {
        name: "renamed there",
        recordings: &["zynos_ges1316", "fabos_6520"],
        most: 116,
        holds: |d| matches!(d.key, "ifName" | "ifAlias"),
    },
    // HC counter 0 while the 32-bit one counts: we take the one that counts.
    Rule { name: "stuck wide counter", recordings: &["chatsworth-pdu"], most: 8, holds: |d| d.expected.is_empty() && !d.got.is_empty() },
    // NULs, line breaks and other control characters are not shown, blanks around a text neither.
    Rule {
        name: "control characters",
        recordings: &[],
        most: 100,
        holds: |d| is_text(d.key) && (tidy(&d.expected) == tidy(&d.got) || d.expected == ".."),
    },
    // Quotation marks are taken out there; we show what the device sent.
    Rule {
        name: "quotation marks",
        recordings: &["rutos-2xx_rut240v7", "timos_fdb-table"],
        most: 250,
        holds: |d| d.got.contains('"') || d.got == "2222",
    },
    // Addresses sent as text, or of another length than six octets, are kept as sent; there some are dropped or guessed.
    Rule {
        name: "odd addresses",
        recordings: &["awplus_5.4.8-2", "gigavue", "ios", "ios_4506e", "teldat_teldatm1", "wavence_e", "xirrus_aos"],
        most: 125,
        holds: |d| d.key == "ifPhysAddress",
    },
    // ifHighSpeed 0: the speed is ifSpeed. There it is unknown for some.
    Rule { name: "slow ports", recordings: &["3com_4200", "wavence_e"], most: 2, holds: |d| d.key == "ifSpeed" && d.expected.is_empty() },
];

/// Counts differences by rule.
#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, difference: &Difference<'_>) {
        let here = |rule: &&Rule| rule.recordings.is_empty() || rule.recordings.contains(&difference.recording);
        match RULES.iter().filter(here).find(|rule| (rule.holds)(difference)) {
            Some(rule) => *self.counts.entry(rule.name).or_default() += 1,
            None => self.unexplained.push(format!(
                "{} ifIndex {} {}: {:?} there, {:?} here",
                difference.recording, difference.if_index, difference.key, difference.expected, difference.got
            )),
        }
    }

    pub(super) fn counts(&self) -> &BTreeMap<&'static str, usize> {
        &self.counts
    }

    /// Everything is explained, and no rule more often than written down.
    pub(super) fn finish(self) {
        assert!(self.unexplained.is_empty(), "{} differences without a rule:\n{}", self.unexplained.len(), self.unexplained.join("\n"));
        for rule in &RULES {
            let count = self.counts.get(rule.name).copied().unwrap_or(0);
            assert!(count > 0, "the rule {:?} is not needed", rule.name);
            assert!(count <= rule.most, "the rule {:?} was needed {count} times, written down are {}", rule.name, rule.most);
        }
    }
}

type Read = fn(&InterfaceRow, &CounterRow) -> String;

/// The values compared, under the other system's names, and how we read them.
pub(super) const KEYS: &[(&str, Read)] = &[
    ("ifInOctets", |_, row| counter(row, PortMetric::InOctets)),
    ("ifOutOctets", |_, row| counter(row, PortMetric::OutOctets)),
    ("ifInUcastPkts", |_, row| counter(row, PortMetric::InUcast)),
    ("ifOutUcastPkts", |_, row| counter(row, PortMetric::OutUcast)),
    ("ifInMulticastPkts", |_, row| counter(row, PortMetric::InMulticast)),
    ("ifOutMulticastPkts", |_, row| counter(row, PortMetric::OutMulticast)),
    ("ifInBroadcastPkts", |_, row| counter(row, PortMetric::InBroadcast)),
    ("ifOutBroadcastPkts", |_, row| counter(row, PortMetric::OutBroadcast)),
    ("ifInErrors", |_, row| counter(row, PortMetric::InErrors)),
    ("ifOutErrors", |_, row| counter(row, PortMetric::OutErrors)),
    ("ifInDiscards", |_, row| counter(row, PortMetric::InDiscards)),
    ("ifOutDiscards", |_, row| counter(row, PortMetric::OutDiscards)),
    ("ifName", |row, _| name(row)),
    ("ifDescr", |row, _| descr(row)),
    ("ifAlias", |row, _| shown(row.if_alias.as_ref()).unwrap_or_else(|| descr(row))),
    ("ifSpeed", |row, _| speed(row)),
    ("ifMtu", |row, _| row.if_mtu.map(|mtu| mtu.to_string()).unwrap_or_default()),
    ("ifOperStatus", |row, _| state(row.oper)),
    ("ifAdminStatus", |row, _| state(row.admin)),
    ("ifPhysAddress", |row, _| row.phys_address.iter().flatten().map(|octet| format!("{octet:02x}")).collect()),
];

fn counter(row: &CounterRow, metric: PortMetric) -> String {
    row.values[metric.index()].map(|value| value.to_string()).unwrap_or_default()
}

fn shown(text: Option<&DeviceText>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| text.as_str().to_owned())
}

fn name(row: &InterfaceRow) -> String {
    shown(row.if_name.as_ref()).or_else(|| shown(row.if_descr.as_ref())).unwrap_or_default()
}

fn descr(row: &InterfaceRow) -> String {
    shown(row.if_descr.as_ref()).unwrap_or_else(|| name(row))
}

fn speed(row: &InterfaceRow) -> String {
    let high = row.if_high_speed.filter(|&speed| speed > 0).map(|speed| speed.saturating_mul(1_000_000));
    high.or(row.if_speed).map(|speed| speed.to_string()).unwrap_or_default()
}

fn state(state: Option<u8>) -> String {
    const WORDS: [&str; 7] = ["up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"];
    state
        .map(|state| usize::from(state).checked_sub(1).and_then(|place| WORDS.get(place)).map_or(state.to_string(), |&word| word.into()))
        .unwrap_or_default()
}

fn is_text(key: &str) -> bool {
    matches!(key, "ifName" | "ifDescr" | "ifAlias")
}

/// A text without what is not shown, and without the dots that stand for it there.
fn tidy(text: &str) -> String {
    text.trim_end_matches('.').split_whitespace().collect::<Vec<_>>().join(" ")
}
