//! From conditions, which are seen again at each look, to findings, which are told once: raised, grown, over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Condition;
use crate::model::{Evidence, Finding, Severity, Subject, Timestamp, Verdict};

/// What is held at most; beyond it is counted, not told.
const MOST: usize = 8_192;
/// What was raised before a restart is given this time to be seen again.
const ASSUMED: Duration = Duration::from_secs(20 * 60);

#[derive(Clone, Copy, Debug)]
struct Held {
    severity: Severity,
    last: Timestamp,
    quiet: Duration,
}

/// What holds.
#[derive(Debug, Default)]
pub struct Holding {
    held: HashMap<(Arc<str>, Subject), Held>,
    shed: u64,
}

impl Holding {
    /// Goes on with what was raised before a restart.
    pub fn assume(&mut self, rule: Arc<str>, subject: Subject, now: Timestamp) {
        self.held.insert((rule, subject), Held { severity: Severity::Critical, last: now, quiet: ASSUMED });
    }

    /// Takes what was seen at this look; tells each change.
    pub fn settle(&mut self, conditions: impl IntoIterator<Item = Condition>, now: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        for condition in conditions {
            let Condition { rule, subject, severity, evidence, quiet } = condition;
            let key = (Arc::<str>::from(rule), subject);
            let before = self.held.get(&key).map(|held| held.severity);
            if before.is_none() && self.held.len() >= MOST {
                self.shed += 1;
                continue;
            }
            let is_told = before.is_some_and(|before| before >= severity);
            let worst = before.map_or(severity, |before| before.max(severity));
            self.held.insert(key.clone(), Held { severity: worst, last: now, quiet });
            if !is_told {
                findings.push(finding(key, Verdict::Raised(severity), now, evidence));
            }
        }
        let over: Vec<_> = self.held.extract_if(|_, held| now.since(held.last) >= held.quiet).map(|(key, _)| key).collect();
        findings.extend(over.into_iter().map(|key| finding(key, Verdict::Cleared, now, Evidence::new())));
        findings
    }

    /// Conditions that were too many.
    pub const fn shed(&self) -> u64 {
        self.shed
    }
}

fn finding(key: (Arc<str>, Subject), verdict: Verdict, at: Timestamp, evidence: Evidence) -> Finding {
    let (rule, subject) = key;
    Finding { rule, subject, verdict, at, cause: None, evidence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(severity: Severity) -> Condition {
        let (subject, quiet) = (Subject::Port("sw".into(), "Gi0/1".into()), Duration::from_secs(180));
        Condition { rule: super::super::PORT_STORM, subject, severity, evidence: Evidence::new(), quiet }
    }

    fn verdicts(findings: &[Finding]) -> Vec<Verdict> {
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn a_condition_is_told_once_grows_once_and_ends_once() {
        let mut holding = Holding::default();
        let at = Timestamp::from_secs;
        assert_eq!(verdicts(&holding.settle([condition(Severity::Minor)], at(0))), [Verdict::Raised(Severity::Minor)]);
        assert_eq!(verdicts(&holding.settle([condition(Severity::Minor)], at(60))), []);
        assert_eq!(verdicts(&holding.settle([condition(Severity::Major)], at(120))), [Verdict::Raised(Severity::Major)]);
        assert_eq!(verdicts(&holding.settle([condition(Severity::Minor)], at(180))), [], "less is no news");
        assert_eq!(verdicts(&holding.settle([], at(359))), []);
        assert_eq!(verdicts(&holding.settle([], at(360))), [Verdict::Cleared]);
        assert_eq!(verdicts(&holding.settle([], at(361))), []);
    }

    #[test]
    fn what_was_raised_before_a_restart_is_not_raised_again_and_ends() {
        let mut holding = Holding::default();
        let at = Timestamp::from_secs;
        let seen = condition(Severity::Major);
        holding.assume(seen.rule.into(), seen.subject.clone(), at(0));
        assert_eq!(verdicts(&holding.settle([seen.clone()], at(60))), []);
        assert_eq!(verdicts(&holding.settle([], at(240))), [Verdict::Cleared]);
        holding.assume(seen.rule.into(), seen.subject, at(300));
        assert_eq!(verdicts(&holding.settle([], at(300 + 20 * 60))), [Verdict::Cleared]);
    }
}
