//! Findings in the reader's words: the sentence of the rule with its facts filled in.

use fluent_bundle::FluentValue;

use crate::i18n;
use crate::model::units::si;
use crate::model::{Evidence, Fact, Subject};
use crate::web::time::Clock;
use crate::web::words::Words;

/// So many subjects are named; the others are counted.
const NAMED: usize = 5;
/// So many destinations stand in a sentence.
const SAMPLED: usize = 3;

/// What a rule says of a subject.
pub(crate) fn sentence(words: Words, clock: &Clock, subject: &Subject, rule: &str, evidence: &Evidence) -> String {
    let key = format!("incident-finding-{rule}");
    let named: Vec<(&str, FluentValue<'_>)> = evidence
        .iter()
        .filter(|(given, _)| *given != "subject")
        .map(|(given, fact)| match fact {
            Fact::Count(count) => (given.as_str(), FluentValue::from(*count)),
            Fact::Text(text) if ["rails", "note"].contains(&given.as_str()) => {
                (given.as_str(), FluentValue::from(i18n::coded(words.0, given, text)))
            }
            Fact::Text(sample) if given == "sample" => (given.as_str(), FluentValue::from(shortened(sample))),
            other => (given.as_str(), FluentValue::from(written(words, clock, other))),
        })
        .chain([("subject", FluentValue::from(name(words, subject)))])
        .collect();
    let text = words.filled(&key, &named);
    if text == key { format!("{} · {rule}", name(words, subject)) } else { text }
}

/// The first of some destinations; all of them are among the facts.
fn shortened(sample: &str) -> String {
    let named: Vec<&str> = sample.split(", ").take(SAMPLED).collect();
    let all = named.join(", ");
    if all.len() < sample.len() { all + " …" } else { all }
}

/// A subject's name; the whole network has one too.
pub(crate) fn name(words: Words, subject: &Subject) -> String {
    match subject {
        Subject::Site(site) if site.is_empty() => words.t("incident-whole-network"),
        other => other.name(),
    }
}

/// Every fact with its name, for the list of evidence.
pub(crate) fn all(words: Words, clock: &Clock, evidence: &Evidence) -> Vec<(String, String)> {
    let label = |name: &str| {
        let key = format!("incident-fact-{}", name.replace('_', "-"));
        let text = words.t(&key);
        if text == key { name.to_owned() } else { text }
    };
    let value = |name: &str, fact: &Fact| match (name, fact) {
        ("level", Fact::Text(level)) => words.t(&format!("incident-level-{level}")),
        ("rails" | "note", Fact::Text(text)) => i18n::coded(words.0, name, text),
        ("fault", Fact::Text(fault)) if !fault.is_empty() => words.t(&format!("host-fault-{fault}")),
        ("class", Fact::Text(class)) => words.t(&format!("machine-class-{class}")),
        _ => written(words, clock, fact),
    };
    evidence.iter().map(|(name, fact)| (label(name), value(name, fact))).collect()
}

pub(crate) fn written(words: Words, clock: &Clock, fact: &Fact) -> String {
    let prefixed = |value: f64, unit: &str| {
        let (digits, prefix) = si(value);
        format!("{digits}\u{a0}{prefix}{unit}")
    };
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Count(count) => count.to_string(),
        Fact::Percent(share) => format!("{share:.1}%"),
        Fact::BitsPerSecond(bps) => prefixed(*bps, "bit/s"),
        Fact::PerSecond(rate) => prefixed(*rate, "/s"),
        Fact::Millis(millis) if *millis < 1000.0 => format!("{millis:.1}\u{a0}ms"),
        Fact::Millis(millis) => words.span(std::time::Duration::from_millis(*millis as u64)),
        Fact::Time(at) => clock.full(*at),
        // Only of machines nothing is known here: where they are plugged in.
        Fact::Subjects(subjects) if subjects.is_empty() => words.t("incident-unknown-port"),
        Fact::Subjects(subjects) => {
            let names: Vec<String> = subjects.iter().take(NAMED).map(Subject::name).collect();
            let more = if subjects.len() > NAMED { format!(" … ({})", subjects.len()) } else { String::new() };
            names.join(", ") + &more
        }
    }
}
