//! From what the engine says of machines to findings: pure, over the time that it is given. A label is shown and nothing
//! more; a suspect is recorded, a virus is mailed, and what is worth blocking is one step graver. Of a machine's news of one
//! kind at most one a minute passes, unless it grows to a new level or ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::rules::plan::{Book, Whom};
use super::scope::Scope;
use crate::capture::packet::Nanos;
use crate::config::rules::PortClass;
use crate::detect::{Detection, Kind, Level, Machine};
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict};

/// News of one machine and kind at most once in so long.
pub const UPDATE_EVERY: Duration = Duration::from_secs(60);
/// Machines and kinds that are followed at most; what comes beyond is counted.
pub const MOST: usize = 16_384;

/// The configured devices and hosts by their addresses.
#[derive(Clone, Debug, Default)]
pub struct Names(HashMap<IpAddr, Subject>);

impl Names {
    /// From addresses with their subjects. Of two with one address the first counts.
    pub fn new(all: impl IntoIterator<Item = (IpAddr, Subject)>) -> Self {
        let mut names = HashMap::new();
        for (address, subject) in all {
            names.entry(address.to_canonical()).or_insert(subject);
        }
        Self(names)
    }

    /// Whom a finding about a machine is about; `None` for one without any address.
    pub fn subject(&self, machine: &Machine) -> Option<Subject> {
        let configured = machine.ip.and_then(|ip| self.0.get(&ip.to_canonical()));
        configured.cloned().or_else(|| Some(Subject::Machine(machine.key()?.to_string().into())))
    }
}

/// What is known of the surroundings of one machine.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The thresholds of the configuration.
    pub book: &'a Book,
    /// Where devices belong.
    pub scope: &'a Scope,
    /// The port that the machine is behind, as device and port.
    pub port: Option<&'a (Arc<str>, Arc<str>)>,
}

/// What has passed of one machine and kind.
#[derive(Clone, Debug)]
struct Told {
    severity: Severity,
    at: Timestamp,
    /// What came since and waits.
    waits: Option<Finding>,
}

/// The gate. What passes is told to the incidents.
#[derive(Debug, Default)]
pub struct Behaviours {
    told: HashMap<(Subject, Kind), Told>,
    shed: u64,
}

impl Behaviours {
    /// Takes what the engine says of `subject`; what is to be told of it now.
    pub fn take(&mut self, detection: &Detection, subject: Subject, around: Around<'_>, now: Timestamp) -> Option<Finding> {
        let key = (subject.clone(), detection.kind);
        let severity = if detection.cleared { None } else { severity(detection, &subject, around) };
        let Some(severity) = severity else {
            self.told.remove(&key)?;
            return Some(finding(detection, subject, Verdict::Cleared, around));
        };
        let finding = finding(detection, subject, Verdict::Raised(severity), around);
        let is_full = self.told.len() >= MOST;
        match self.told.get_mut(&key) {
            Some(told) if told.severity == severity && now.since(told.at) < UPDATE_EVERY => {
                told.waits = Some(finding);
                None
            }
            Some(told) => {
                *told = Told { severity, at: now, waits: None };
                Some(finding)
            }
            None if is_full => {
                self.shed += 1;
                None
            }
            None => {
                self.told.insert(key, Told { severity, at: now, waits: None });
                Some(finding)
            }
        }
    }

    /// News that have waited long enough.
    pub fn due(&mut self, now: Timestamp) -> Vec<Finding> {
        let due = self.told.values_mut().filter(|told| now.since(told.at) >= UPDATE_EVERY);
        let mut findings: Vec<Finding> = due
            .filter_map(|told| {
                let finding = told.waits.take()?;
                told.at = now;
                Some(finding)
            })
            .collect();
        findings.sort_by(|one, other| (&one.subject, &one.rule).cmp(&(&other.subject, &other.rule)));
        findings
    }

    /// What found no room.
    pub const fn shed(&self) -> u64 {
        self.shed
    }
}

/// How much it matters; `None` for a label, or where the configuration says that the rule is not judged.
fn severity(detection: &Detection, subject: &Subject, around: Around<'_>) -> Option<Severity> {
    let place = around.port.map(|(device, _)| around.scope.place(&Subject::Device(Arc::clone(device))));
    let own = subject.holder().map(|_| around.scope.place(subject));
    let place = own.or(place).unwrap_or_default();
    let device = around.port.map(|(device, _)| &**device).or_else(|| subject.holder().map(|name| &**name)).unwrap_or_default();
    // A machine stands behind a socket: of uplinks nobody says that a machine is behind them.
    let port = around.port.map(|(_, port)| (&**port, PortClass::Access));
    let whom = Whom { device, place: &place, port };
    let usual = around.book.threshold(detection.kind.rule(), whom)?.severity;
    match detection.level {
        Level::Label => None,
        Level::Suspect => Some(Severity::Info),
        Level::Virus => Some(usual),
        Level::BlockWorthy => Some(graver(usual)),
    }
}

const fn graver(severity: Severity) -> Severity {
    match severity {
        Severity::Info => Severity::Minor,
        Severity::Minor => Severity::Major,
        Severity::Major | Severity::Critical => Severity::Critical,
    }
}

fn finding(detection: &Detection, subject: Subject, verdict: Verdict, around: Around<'_>) -> Finding {
    Finding {
        rule: detection.kind.rule().into(),
        subject,
        verdict,
        at: detection.last.timestamp(),
        cause: None,
        evidence: evidence(detection, around.port),
    }
}

/// The engine's facts, with who and where.
pub fn evidence(detection: &Detection, port: Option<&(Arc<str>, Arc<str>)>) -> Evidence {
    let Detection { level, machine, first, last, contacts, .. } = detection;
    let mut evidence = detection.evidence.clone();
    let texts = [("address", machine.ip.map(|ip| ip.to_string())), ("mac", machine.mac.map(|mac| mac.to_string()))];
    evidence.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Fact::Text(text?)))));
    evidence.extend(machine.vlan.map(|vlan| ("vlan".to_owned(), Fact::Count(vlan.into()))));
    let time = |at: &Nanos| Fact::Time(at.timestamp());
    // That nobody knows the port is said too: an empty list.
    let socket = port.map(|(device, port)| Subject::Port(Arc::clone(device), Arc::clone(port)));
    for (name, fact) in [
        ("level", Fact::Text(level.word().to_owned())),
        ("first", time(first)),
        ("last", time(last)),
        ("contacts", Fact::Count(*contacts)),
        ("socket", Fact::Subjects(socket.into_iter().collect())),
    ] {
        evidence.insert(name.to_owned(), fact);
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::super::scope::Place;
    use super::*;
    use crate::config::rules::{RuleMatch, RuleSettings};
    use crate::model::MacAddr;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_795_363_200 + seconds)
    }

    fn detection(kind: Kind, level: Level, cleared: bool) -> Detection {
        let machine = Machine { ip: "10.1.0.9".parse().ok(), mac: Some(MacAddr([2, 0, 0, 0, 0, 9])), vlan: Some(7) };
        let seen = Nanos::from(at(0));
        Detection { kind, level, cleared, machine, first: seen, last: seen, contacts: 7, evidence: Evidence::new() }
    }

    /// A gate with a book, and a socket that the machine is behind.
    struct Gate {
        behaviours: Behaviours,
        book: Book,
        scope: Scope,
        port: Option<(Arc<str>, Arc<str>)>,
    }

    impl Gate {
        fn new(rules: &[RuleSettings]) -> Self {
            let places = HashMap::from([("sw-a3".into(), Place { site: "A3".into(), ..Place::default() })]);
            let port = Some(("sw-a3".into(), "Gi0/17".into()));
            Self { behaviours: Behaviours::default(), book: Book::new(rules, &[]), scope: Scope::new(places), port }
        }

        fn take(&mut self, detection: &Detection, seconds: i64) -> Option<Verdict> {
            self.finding(detection, seconds).map(|finding| finding.verdict)
        }

        fn finding(&mut self, detection: &Detection, seconds: i64) -> Option<Finding> {
            let subject = Names::default().subject(&detection.machine)?;
            let around = Around { book: &self.book, scope: &self.scope, port: self.port.as_ref() };
            self.behaviours.take(detection, subject, around, at(seconds))
        }
    }

    #[test]
    fn what_is_surer_weighs_more_and_a_label_nothing() {
        let mut gate = Gate::new(&[]);
        for (kind, level, told) in [
            (Kind::P2p, Level::Label, None),
            (Kind::TcpScan, Level::Suspect, Some(Severity::Info)),
            (Kind::TcpScan, Level::Virus, Some(Severity::Major)),
            (Kind::TcpScan, Level::BlockWorthy, Some(Severity::Critical)),
        ] {
            assert_eq!(gate.take(&detection(kind, level, false), 0), told.map(Verdict::Raised), "{level:?}");
        }
        assert_eq!(gate.take(&detection(Kind::TcpScan, Level::BlockWorthy, true), 1), Some(Verdict::Cleared));
        assert_eq!(gate.take(&detection(Kind::TcpScan, Level::BlockWorthy, true), 1), None, "over is told once");
    }

    #[test]
    fn news_without_a_new_level_wait_a_minute_and_the_last_ones_pass() {
        let mut gate = Gate::new(&[]);
        let news = |contacts| Detection { contacts, ..detection(Kind::Flood, Level::Virus, false) };
        assert!(gate.take(&news(1), 0).is_some());
        assert!((1..60).all(|second| gate.take(&news(second as u64), second).is_none()));
        assert!(gate.behaviours.due(at(59)).is_empty());
        let due = gate.behaviours.due(at(60));
        assert_eq!(due.iter().map(|finding| finding.evidence.get("contacts").cloned()).collect::<Vec<_>>(), [Some(Fact::Count(59))]);
        assert!(gate.behaviours.due(at(300)).is_empty(), "told once");
        assert!(gate.take(&news(99), 61).is_none() && gate.take(&news(99), 120).is_some());
    }

    #[test]
    fn the_configuration_decides_by_the_place_of_the_socket() {
        let rule = |severity, enabled| RuleSettings {
            name: "tcp-scan".into(),
            matches: RuleMatch { site: "A3".parse().ok(), ..RuleMatch::default() },
            severity,
            enabled,
            ..RuleSettings::default()
        };
        let mut lab = Gate::new(&[rule(Some(Severity::Minor), None)]);
        assert_eq!(lab.take(&detection(Kind::TcpScan, Level::Virus, false), 0), Some(Verdict::Raised(Severity::Minor)));
        assert_eq!(lab.take(&detection(Kind::TcpScan, Level::BlockWorthy, false), 0), Some(Verdict::Raised(Severity::Major)));
        let mut off = Gate::new(&[rule(None, Some(false))]);
        assert_eq!(off.take(&detection(Kind::TcpScan, Level::Virus, false), 0), None);
        off.port = None;
        assert!(off.take(&detection(Kind::TcpScan, Level::Virus, false), 0).is_some(), "elsewhere it counts");
        // Switched off while it holds: it is taken back.
        off.port = Some(("sw-a3".into(), "Gi0/17".into()));
        assert_eq!(off.take(&detection(Kind::TcpScan, Level::Virus, false), 1), Some(Verdict::Cleared));
    }

    #[test]
    fn a_finding_says_who_and_where_also_that_nobody_knows_where() {
        let mut gate = Gate::new(&[]);
        let finding = gate.finding(&detection(Kind::Storm, Level::Virus, false), 0).unwrap();
        assert_eq!((&*finding.rule, finding.subject), ("broadcast-storm", Subject::Machine("02:00:00:00:00:09".into())));
        let port = Subject::Port("sw-a3".into(), "Gi0/17".into());
        assert_eq!(finding.evidence.get("socket"), Some(&Fact::Subjects(vec![port])));
        assert_eq!(finding.evidence.get("address"), Some(&Fact::Text("10.1.0.9".into())));
        gate.port = None;
        let finding = gate.finding(&detection(Kind::Dga, Level::Virus, false), 0).unwrap();
        assert_eq!(finding.evidence.get("socket"), Some(&Fact::Subjects(Vec::new())));
    }

    #[test]
    fn a_configured_machine_is_called_by_its_name() {
        let names = Names::new([("10.1.0.9".parse().unwrap(), Subject::Host("www".into()))]);
        let of = |ip: &str, mac| names.subject(&Machine { ip: ip.parse().ok(), mac, vlan: None });
        assert_eq!(of("::ffff:10.1.0.9", Some(MacAddr([2; 6]))), Some(Subject::Host("www".into())));
        assert_eq!(of("10.1.0.8", None), Some(Subject::Machine("10.1.0.8".into())));
        assert_eq!(of("", None), None);
    }

    #[test]
    fn every_behaviour_has_a_rule_that_can_be_set_and_words() {
        // What the tables of switches show has its words where it is judged.
        let elsewhere = [Kind::MacFlap, Kind::PortAnomaly, Kind::NewMac, Kind::ZoneBreach];
        for kind in Kind::ALL {
            assert_eq!(crate::config::rules::KNOWN.iter().any(|known| known.name == kind.rule()), kind != Kind::P2p, "{kind}");
            let key = format!("incident-finding-{}", kind.rule());
            if !elsewhere.contains(&kind) {
                assert!(crate::i18n::Lang::ALL.into_iter().all(|lang| crate::i18n::text(lang, &key) != key), "{kind}");
            }
        }
    }

    #[test]
    fn there_is_room_for_so_many_and_the_rest_is_counted() {
        let mut gate = Gate::new(&[]);
        for number in 0..MOST as u32 + 10 {
            let [a, b, c, d] = number.to_be_bytes();
            let machine = Machine { mac: Some(MacAddr([2, 0, a, b, c, d])), ..Machine::default() };
            gate.take(&Detection { machine, ..detection(Kind::TcpScan, Level::Virus, false) }, 0);
        }
        assert_eq!(gate.behaviours.shed(), 10);
    }
}
