//! Exemptions: machines about which some kinds of behaviour are not told, by configuration or by somebody's word in the
//! journal. Pure. One that has ended stops working at that moment: what was held back meanwhile is told then.

pub mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Detection, Kind, Machine};
use crate::config::exempt::{ExemptSettings, Who};
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict};

/// So long before its end an exemption is told.
pub const WARNING: Duration = Duration::from_secs(7 * 86_400);
/// The longest that one made at the command line or on a page may last.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// Machines and kinds that are followed at most; what comes beyond passes unless it is exempt, and is not taken back.
const MOST: usize = 65_536;
/// The rule that tells of an end that comes.
pub const EXPIRES: &str = "exemption-expires";

/// Where an exemption stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// In the configuration.
    Configured,
    /// In the database, under this number.
    Recorded(i64),
}

/// One exemption.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exemption {
    /// Where it stands.
    pub source: Source,
    /// Whom it is about.
    pub who: Who,
    /// Which kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// When it ends.
    pub until: Timestamp,
}

impl Exemption {
    /// Whether it is about this machine.
    pub fn is_about(&self, machine: &Machine) -> bool {
        self.who.is(machine.ip.map(|ip| ip.to_canonical()), machine.mac)
    }

    /// Whether this behaviour of this machine is not told now.
    pub fn covers(&self, kind: Kind, machine: &Machine, now: Timestamp) -> bool {
        now < self.until && (self.kinds.is_empty() || self.kinds.contains(&kind)) && self.is_about(machine)
    }
}

impl From<&ExemptSettings> for Exemption {
    fn from(settings: &ExemptSettings) -> Self {
        Self {
            source: Source::Configured,
            who: settings.who,
            kinds: settings.kinds.iter().filter_map(|word| Kind::from_word(word)).collect(),
            owner: Arc::clone(&settings.owner),
            reason: Arc::clone(&settings.reason),
            until: settings.until,
        }
    }
}

/// All that are known, in force or not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exemptions(Vec<Exemption>);

impl Exemptions {
    /// Those of the configuration and those of the database.
    pub fn new(configured: &[ExemptSettings], recorded: Vec<Exemption>) -> Self {
        Self(configured.iter().map(Exemption::from).chain(recorded).collect())
    }

    /// The one that says that this behaviour of this machine is not told now.
    pub fn covering(&self, kind: Kind, machine: &Machine, now: Timestamp) -> Option<&Exemption> {
        self.0.iter().find(|exemption| exemption.covers(kind, machine, now))
    }

    /// Whether this is not told now.
    pub fn excuses(&self, detection: &Detection, now: Timestamp) -> bool {
        self.covering(detection.kind, &detection.machine, now).is_some()
    }

    /// Those about a machine, in force or not.
    pub fn about<'a>(&'a self, machine: &'a Machine) -> impl Iterator<Item = &'a Exemption> {
        self.0.iter().filter(|exemption| exemption.is_about(machine))
    }

    /// All.
    pub fn all(&self) -> &[Exemption] {
        &self.0
    }
}

/// What stands between the engine and those who tell. It remembers what holds and whether it was told, so that the end of an
/// exemption, and a new one, count at once.
#[derive(Debug, Default)]
pub struct Gate {
    held: BTreeMap<(Kind, Machine), Held>,
}

#[derive(Debug)]
struct Held {
    detection: Detection,
    was_told: bool,
}

impl Gate {
    /// Of what the engine says, what is to be told.
    pub fn pass(&mut self, detections: Vec<Detection>, is_exempt: impl Fn(&Detection) -> bool) -> Vec<Detection> {
        detections.into_iter().filter_map(|detection| self.one(detection, &is_exempt)).collect()
    }

    fn one(&mut self, detection: Detection, is_exempt: &impl Fn(&Detection) -> bool) -> Option<Detection> {
        let key = (detection.kind, known_by(&detection.machine));
        if detection.cleared {
            // The end of something that nobody was told of is told to nobody.
            return self.held.remove(&key).is_none_or(|held| held.was_told).then_some(detection);
        }
        let is_exempt = is_exempt(&detection);
        let was_told = self.held.get(&key).is_some_and(|held| held.was_told);
        if self.held.len() < MOST || self.held.contains_key(&key) {
            self.held.insert(key, Held { detection: detection.clone(), was_told: !is_exempt });
        }
        match (is_exempt, was_told) {
            (false, _) => Some(detection),
            (true, true) => Some(Detection { cleared: true, ..detection }),
            (true, false) => None,
        }
    }

    /// What changes by the mere passing of time, or by other exemptions: told now, or taken back.
    pub fn again(&mut self, is_exempt: impl Fn(&Detection) -> bool) -> Vec<Detection> {
        let mut changed = Vec::new();
        for held in self.held.values_mut() {
            let is_exempt = is_exempt(&held.detection);
            if is_exempt == held.was_told {
                held.was_told = !is_exempt;
                changed.push(Detection { cleared: is_exempt, ..held.detection.clone() });
            }
        }
        changed
    }
}

/// A machine is the same one when its VLAN or, on its segment, its IP address is another.
const fn known_by(machine: &Machine) -> Machine {
    Machine { ip: if machine.mac.is_some() { None } else { machine.ip }, mac: machine.mac, vlan: None }
}

/// Tells of the ends that come within a week, and takes it back when they have come or were put off.
#[derive(Debug, Default)]
pub struct Expiry {
    told: BTreeMap<Subject, Timestamp>,
}

impl Expiry {
    /// Goes on with what was told before a restart.
    pub fn assume(&mut self, subject: Subject) {
        self.told.insert(subject, Timestamp::default());
    }

    /// What is to be told now.
    pub fn look(&mut self, exemptions: &Exemptions, now: Timestamp) -> Vec<Finding> {
        let mut soon: BTreeMap<Subject, &Exemption> = BTreeMap::new();
        for exemption in exemptions.all().iter().filter(|one| now < one.until && one.until <= now + WARNING) {
            let nearest = soon.entry(subject(exemption)).or_insert(exemption);
            if exemption.until < nearest.until {
                *nearest = exemption;
            }
        }
        let mut findings = Vec::new();
        let over: Vec<Subject> = self.told.keys().filter(|subject| !soon.contains_key(subject)).cloned().collect();
        for subject in over {
            self.told.remove(&subject);
            findings.push(finding(subject, Verdict::Cleared, now, Evidence::new()));
        }
        for (subject, exemption) in soon {
            if self.told.insert(subject.clone(), exemption.until) != Some(exemption.until) {
                let evidence = [
                    ("who", Fact::Text(exemption.who.to_string())),
                    ("owner", Fact::Text(exemption.owner.to_string())),
                    ("reason", Fact::Text(exemption.reason.to_string())),
                    ("until", Fact::Time(exemption.until)),
                ];
                let evidence = evidence.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect();
                findings.push(finding(subject, Verdict::Raised(Severity::Info), now, evidence));
            }
        }
        findings
    }
}

fn subject(exemption: &Exemption) -> Subject {
    Subject::Part(format!("exemption {}", exemption.who).into())
}

fn finding(subject: Subject, verdict: Verdict, at: Timestamp, evidence: Evidence) -> Finding {
    Finding { rule: EXPIRES.into(), subject, verdict, at, cause: None, evidence }
}

#[cfg(test)]
mod tests;
