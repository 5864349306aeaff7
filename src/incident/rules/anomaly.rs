//! The baselines as a judge: ports whose traffic is not as usual at this hour of the week, and the network when very many
//! go the same way at once. Pure; the baselines are learnt elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::detect::baseline::{Baseline, Calendar, Group, METRICS, Measure, Shift, Told, Usual, Watch, Way, values};
use crate::model::{Evidence, Fact, Finding, PortId, Severity, Subject, Timestamp, Verdict};
use crate::ports::live::{DeviceLive, PortState};

/// The rule of the whole network.
const SHIFT: &str = "traffic-shift";

#[derive(Debug)]
struct Watched {
    watch: Watch,
    seen: Timestamp,
    subject: Subject,
}

/// The state of all ports against their baselines.
#[derive(Debug, Default)]
pub struct Anomalies {
    ports: HashMap<PortId, Watched>,
    group: Group,
}

impl Anomalies {
    /// Looks at all devices; `baseline` gives what is usual for a port, where that is known.
    pub fn look(
        &mut self,
        fleet: &[Arc<DeviceLive>],
        baseline: &dyn Fn(PortId) -> Option<Arc<Baseline>>,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut has_changed = false;
        for device in fleet {
            let Some(at) = device.health.last_answer else { continue };
            let slot = calendar.slot(at);
            for port in device.ports.iter().filter(|port| port.state == PortState::Up) {
                let id = port.identity.id;
                if self.ports.get(&id).is_some_and(|watched| watched.seen >= at) {
                    break;
                }
                let Some(baseline) = baseline(id) else { continue };
                has_changed = true;
                let watched = self.ports.entry(id).or_insert_with(|| Watched {
                    watch: Watch::default(),
                    seen: at,
                    subject: Subject::Port(Arc::clone(&device.label.name), Arc::clone(&port.identity.name)),
                });
                watched.seen = at;
                let subject = &watched.subject;
                watched.watch.judge(
                    &baseline,
                    slot,
                    &values(METRICS.map(|metric| port.rate(metric))),
                    self.group.is_guarding(),
                    |measure, told| {
                        findings.push(finding(measure, told, subject, at));
                    },
                );
            }
        }
        if has_changed {
            self.guard(now, &mut findings);
        }
        findings
    }

    /// Ports that are not there any more are not waited for.
    pub fn keep_only(&mut self, here: &HashSet<PortId>, now: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.ports.retain(|id, watched| {
            let stays = here.contains(id);
            if !stays {
                let raised = watched.watch.raised();
                findings.extend(raised.map(|(measure, way)| plain(rule(measure, way), &watched.subject, Verdict::Cleared, now)));
            }
            stays
        });
        findings
    }

    fn guard(&mut self, now: Timestamp, findings: &mut Vec<Finding>) {
        let leaning = |way| self.ports.values().filter(|watched| watched.watch.leaning() == Some(way)).count();
        let (up, down, judged) = (leaning(Way::Up), leaning(Way::Down), self.ports.len());
        let network = Subject::Site("".into());
        match self.group.look(up, down, judged) {
            Some(Shift::Began { ports, .. }) => {
                // What was raised in this very look belongs to it too.
                findings.retain(|finding| finding.verdict == Verdict::Cleared);
                let mut shift = plain(SHIFT, &network, Verdict::Raised(Severity::Minor), now);
                shift.evidence.insert("changed".to_owned(), Fact::Count(ports as u64));
                shift.evidence.insert("watched".to_owned(), Fact::Count(judged as u64));
                findings.push(shift);
            }
            Some(Shift::Ended) => findings.push(plain(SHIFT, &network, Verdict::Cleared, now)),
            None => {}
        }
    }
}

const fn rule(measure: Measure, way: Way) -> &'static str {
    match (way, measure) {
        (Way::Up, measure) => measure.rule(),
        (Way::Down, Measure::Out) => "port-drop-out",
        (Way::Down, _) => "port-drop-in",
    }
}

fn finding(measure: Measure, told: Told, subject: &Subject, at: Timestamp) -> Finding {
    match told {
        Told::Cleared { way } => plain(rule(measure, way), subject, Verdict::Cleared, at),
        Told::Raised { way, value, usual } => {
            let mut finding = plain(rule(measure, way), subject, Verdict::Raised(Severity::Minor), at);
            finding.evidence = evidence(measure, value, &usual);
            finding
        }
    }
}

/// The value and what is usual, in the measure's own unit.
fn evidence(measure: Measure, value: f64, usual: &Usual) -> Evidence {
    let fact = |value: f64| match measure {
        Measure::In | Measure::Out => Fact::BitsPerSecond(value),
        Measure::InPackets | Measure::OutPackets => Fact::PerSecond(value),
        Measure::Broadcast => Fact::Percent((value * 100.0).clamp(0.0, 100.0)),
        // As a ratio, which people can picture.
        Measure::Asymmetry => Fact::Text(format!("{:.1} : 1", value.exp())),
    };
    [("value", value), ("low", usual.low), ("high", usual.high)].into_iter().map(|(name, value)| (name.to_owned(), fact(value))).collect()
}

fn plain(rule: &str, subject: &Subject, verdict: Verdict, at: Timestamp) -> Finding {
    Finding { rule: rule.into(), subject: subject.clone(), verdict, at, cause: None, evidence: Evidence::new() }
}
