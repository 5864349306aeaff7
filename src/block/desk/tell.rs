//! What the incidents are told, and by them whoever is on duty.

use super::{Desk, World};
use crate::block::case::Case;
use crate::block::gate::Rail;
use crate::block::note::Note;
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Verdict};

/// The rules of this room, each with its sentence `incident-finding-RULE`.
pub const RULES: [&str; 7] =
    ["block-would", "block-waiting", "block-refused", "block-made", "block-failed", "block-drift", "block-release-failed"];
/// The rule of the breaker.
const BREAKER: &str = "block-breaker";

impl<W: World> Desk<W> {
    /// Where a case stands; what it was told of before is over.
    pub(super) async fn told(&self, case: &Case, rule: &'static str, severity: Severity) {
        for other in RULES.into_iter().filter(|other| *other != rule) {
            self.world.tell(finding(case, other, Verdict::Cleared, self.world.now())).await;
        }
        self.world.tell(finding(case, rule, Verdict::Raised(severity), self.world.now())).await;
    }

    /// The case is over.
    pub(super) async fn cleared(&self, case: &Case) {
        for rule in RULES {
            self.world.tell(finding(case, rule, Verdict::Cleared, self.world.now())).await;
        }
    }

    /// The breaker has opened, or was closed.
    pub(super) async fn told_of_brake(&self, is_open: bool, why: &str) {
        let verdict = if is_open { Verdict::Raised(Severity::Major) } else { Verdict::Cleared };
        let evidence = [("reason".to_owned(), Fact::Text(why.to_owned()))].into();
        let subject = Subject::Part("block".into());
        self.world.tell(Finding { rule: BREAKER.into(), subject, verdict, at: self.world.now(), cause: None, evidence }).await;
    }
}

fn finding(case: &Case, rule: &'static str, verdict: Verdict, at: crate::model::Timestamp) -> Finding {
    let text = |text: String| Fact::Text(if text.is_empty() { "-".to_owned() } else { text });
    let rails = case.rails.iter().map(Rail::word).collect::<Vec<_>>().join(" ");
    // Words, where there are words: each reader gets them in the own language.
    let note = Note::of(&case.note).map_or_else(|| case.note.clone(), |note| note.word().to_owned());
    let evidence: Evidence = [
        ("case", text(case.id.to_string())),
        ("place", text(case.place())),
        ("reason", text(case.reason.clone())),
        ("rails", text(rails)),
        ("note", text(note)),
        ("until", case.until.map_or_else(|| text(String::new()), Fact::Time)),
    ]
    .into_iter()
    .map(|(name, fact)| (name.to_owned(), fact))
    .collect();
    Finding { rule: rule.into(), subject: Subject::Machine(case.machine().into()), verdict, at, cause: None, evidence }
}
