//! What is printed of each behaviour of each machine: the strongest that was said of it, with what holds over all of its time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::capture::packet::Nanos;
use crate::detect::{Detection, Kind, Level, Machine};
use crate::model::Fact;

/// One line of the answer.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    strongest: Detection,
    /// When it was first said: the packet that decided.
    told: Nanos,
    first: Nanos,
    last: Nanos,
    contacts: u64,
}

/// A line of `analyze --json`. Its keys are an interface.
#[derive(Serialize)]
struct Line {
    kind: Kind,
    state: Level,
    subject: Subject,
    role: &'static str,
    first: Value,
    last: Value,
    told: Value,
    contacts: u64,
    evidence: Map<String, Value>,
}

#[derive(Serialize)]
struct Subject {
    ip: Option<String>,
    mac: Option<String>,
    vlan: Option<u16>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Verdicts(BTreeMap<(Machine, Kind), Verdict>);

impl Verdicts {
    pub(super) fn note(&mut self, detection: Detection) {
        let entry = self.0.entry((detection.machine, detection.kind));
        let verdict = entry.or_insert_with(|| Verdict {
            told: detection.last,
            first: detection.first,
            last: detection.last,
            contacts: detection.contacts,
            strongest: detection.clone(),
        });
        verdict.first = verdict.first.min(detection.first);
        verdict.last = verdict.last.max(detection.last);
        if !detection.cleared && detection.level >= verdict.strongest.level {
            verdict.strongest = detection;
        }
    }

    /// In the order in which they were first said.
    pub(super) fn sorted(&self) -> Vec<&Verdict> {
        let mut verdicts: Vec<&Verdict> = self.0.values().collect();
        // Those of one moment stay in the order of machine and kind.
        verdicts.sort_by_key(|verdict| verdict.told);
        verdicts
    }

    pub(super) fn strongest(&self) -> Option<Level> {
        self.0.values().map(|verdict| verdict.strongest.level).max()
    }

    /// How many machines, and how many behaviours of them.
    pub(super) fn counts(&self) -> (usize, usize) {
        let mut machines: Vec<&Machine> = self.0.keys().map(|(machine, _)| machine).collect();
        machines.dedup();
        (machines.len(), self.0.len())
    }
}

impl Verdict {
    pub(super) fn json(&self) -> String {
        let Detection { kind, level, machine, evidence, .. } = &self.strongest;
        let line = Line {
            kind: *kind,
            state: *level,
            subject: Subject { ip: machine.ip.map(|ip| ip.to_string()), mac: machine.mac.map(|mac| mac.to_string()), vlan: machine.vlan },
            role: "source",
            first: seconds(self.first),
            last: seconds(self.last),
            told: seconds(self.told),
            contacts: self.contacts,
            evidence: evidence.iter().map(|(name, fact)| (name.clone(), plain(fact))).collect(),
        };
        // A struct of strings and numbers can always be written.
        serde_json::to_string(&line).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        let Detection { kind, level, machine, evidence, .. } = &self.strongest;
        let level = match level {
            Level::Label => "label",
            Level::Suspect => "suspect",
            Level::Virus => "virus",
            Level::BlockWorthy => "block-worthy",
        };
        let mut text = format!("{level:<12}  {:<17}", kind.word());
        let names =
            [machine.ip.map(|ip| ip.to_string()), machine.mac.map(|mac| mac.to_string()), machine.vlan.map(|vlan| format!("VLAN {vlan}"))];
        for name in names.into_iter().flatten() {
            text.push_str("  ");
            text.push_str(&name);
        }
        let contacts = match self.contacts {
            1 => "1 contact".to_owned(),
            many => format!("{many} contacts"),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n    told after {contacts}; {} to {} UTC", clock(self.first), clock(self.last));
        for (name, fact) in evidence {
            let value = match plain(fact) {
                Value::String(words) => words,
                other => other.to_string(),
            };
            let _ = write!(text, "\n    {name}: {value}");
        }
        text
    }
}

/// A fact as a plain value: numbers in the fact's own unit, times in seconds since the epoch.
fn plain(fact: &Fact) -> Value {
    let number = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
    match fact {
        Fact::Text(words) => words.as_str().into(),
        Fact::Count(count) => (*count).into(),
        Fact::Percent(value) | Fact::BitsPerSecond(value) | Fact::PerSecond(value) | Fact::Millis(value) => number(*value),
        Fact::Time(at) => number(at.millis() as f64 / 1000.0),
        Fact::Subjects(subjects) => subjects.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
    }
}

/// Seconds since the epoch to the microsecond.
fn seconds(at: Nanos) -> Value {
    Number::from_f64((at.0 / 1000) as f64 / 1e6).map_or(Value::Null, Value::Number)
}

/// Date and time of day to the millisecond.
fn clock(at: Nanos) -> String {
    let time = jiff::Timestamp::from_nanosecond(at.0.into()).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn detection(kind: Kind, level: Level, last: u64, contacts: u64) -> Detection {
        let evidence = Evidence::from([
            ("count".to_owned(), Fact::Count(last)),
            ("sample".to_owned(), Fact::Text("10.0.0.2:445, 10.0.0.3:445".to_owned())),
        ]);
        let machine = Machine { ip: Some([10, 0, 0, 1].into()), mac: None, vlan: Some(12) };
        let second = |n: u64| Nanos((1_700_000_000 + n) * 1_000_000_000 + 250_000_000);
        Detection { kind, level, cleared: false, machine, first: second(0), last: second(last), contacts, evidence }
    }

    #[test]
    fn the_strongest_is_told_with_the_contacts_of_the_first() {
        let mut verdicts = Verdicts::default();
        verdicts.note(detection(Kind::TcpScan, Level::Suspect, 5, 7));
        verdicts.note(detection(Kind::TcpScan, Level::BlockWorthy, 8, 70));
        verdicts.note(detection(Kind::TcpScan, Level::Suspect, 9, 90));
        verdicts.note(Detection { cleared: true, ..detection(Kind::TcpScan, Level::BlockWorthy, 11, 90) });
        verdicts.note(detection(Kind::P2p, Level::Label, 3, 4));
        let [label, scan] = verdicts.sorted()[..] else { panic!("{verdicts:?}") };
        let json: Value = serde_json::from_str(&scan.json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "kind": "tcp-scan", "state": "block-worthy", "subject": { "ip": "10.0.0.1", "mac": null, "vlan": 12 },
                "role": "source", "first": 1_700_000_000.25, "last": 1_700_000_011.25, "told": 1_700_000_005.25, "contacts": 7,
                "evidence": { "count": 8, "sample": "10.0.0.2:445, 10.0.0.3:445" },
            })
        );
        assert!(
            label
                .text()
                .starts_with("label         p2p                10.0.0.1  VLAN 12\n    told after 4 contacts; 2023-11-14 22:13:20.250")
        );
        assert_eq!((verdicts.strongest(), verdicts.counts()), (Some(Level::BlockWorthy), (1, 2)));
    }
}
