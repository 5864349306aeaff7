//! Findings in the reader's words: the sentence of the rule with its facts filled in.

use fluent_bundle::FluentValue;

use crate::i18n;
use crate::model::units::si;
use crate::model::{Evidence, Fact, Subject};
use crate::web::time::Clock;
use crate::web::words::Words;

/// So many subjects are named; the others are counted.
const NAMED: usize = 5;

/// What a rule says of a subject.
pub(crate) fn sentence(words: Words, clock: &Clock, subject: &Subject, rule: &str, evidence: &Evidence) -> String {
    let key = format!("incident-finding-{rule}");
    // A rule may come without one of its facts, after a restart for example: a dash stands for it.
    let known = i18n::text(words.0, &key);
    let mut values: Vec<(String, FluentValue<'_>)> = placeholders(&known).map(|name| (name.to_owned(), FluentValue::from("—"))).collect();
    for (name, fact) in evidence {
        let value = match fact {
            Fact::Count(count) => FluentValue::from(*count),
            other => FluentValue::from(written(words, clock, other)),
        };
        values.retain(|(earlier, _)| earlier != name);
        values.push((name.clone(), value));
    }
    values.retain(|(name, _)| name != "subject");
    values.push(("subject".to_owned(), FluentValue::from(name(words, subject))));
    let values: Vec<(&str, FluentValue<'_>)> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let text = words.with(&key, &values);
    if text == key { format!("{} · {rule}", name(words, subject)) } else { text }
}

/// A subject's name; the whole network has one too.
pub(crate) fn name(words: Words, subject: &Subject) -> String {
    match subject {
        Subject::Site(site) if site.is_empty() => words.t("incident-whole-network"),
        other => other.name(),
    }
}

/// The arguments that a sentence without arguments shows as `{$name}`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{$").skip(1).filter_map(|rest| rest.split('}').next())
}

/// Every fact with its name, for the list of evidence.
pub(super) fn all(words: Words, clock: &Clock, evidence: &Evidence) -> Vec<(String, String)> {
    let label = |name: &str| {
        let key = format!("incident-fact-{}", name.replace('_', "-"));
        let text = words.t(&key);
        if text == key { name.to_owned() } else { text }
    };
    evidence.iter().map(|(name, fact)| (label(name), written(words, clock, fact))).collect()
}

fn written(words: Words, clock: &Clock, fact: &Fact) -> String {
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
        Fact::Subjects(subjects) => {
            let names: Vec<String> = subjects.iter().take(NAMED).map(Subject::name).collect();
            let more = if subjects.len() > NAMED { format!(" … ({})", subjects.len()) } else { String::new() };
            names.join(", ") + &more
        }
    }
}
