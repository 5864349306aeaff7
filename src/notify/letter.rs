//! What a message says: the values that templates are given, in the reader's language and the office's time. Pure.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::route::{DRILL, NOBODY, NOT_DELIVERED};
use super::store::{Kind, Late, Parcel};
use super::templates::{TemplateError, Templates};
use crate::config::week::civil;
use crate::i18n::{self, Argument, Lang};
use crate::model::finding::Fact;
use crate::model::notice::Change;
use crate::model::units::si;
use crate::model::{Evidence, IncidentId, Notice, Severity, Subject, Timestamp};

/// Names behind a dead switch that are listed; of more the number is told.
const CHILDREN: usize = 50;
/// A subject line longer than this is cut.
const SUBJECT_MOST: usize = 160;

/// For whom a message is written.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The language.
    pub lang: Lang,
    /// The name.
    pub name: String,
    /// The office's zone.
    pub zone: TimeZone,
    /// What links begin with.
    pub url: Option<String>,
    /// The names of the rules that wanted the message.
    pub why: String,
    /// Whether it may have arrived before.
    pub is_repeat: bool,
    /// The Content-ID of the picture, when there is one.
    pub picture: Option<String>,
}

/// A message in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

impl Letter {
    /// The mail of a parcel.
    ///
    /// # Errors
    /// When a built-in template fails.
    pub fn mail(parcel: &Parcel, reader: &Reader, templates: &Templates) -> Result<Self, TemplateError> {
        let lang = reader.lang;
        if parcel.kind == Kind::Daily {
            let values = daily(parcel.body.as_deref().unwrap_or_default(), lang);
            let values =
                context! { to => reader.name.clone(), url => reader.url.clone(), day => day(parcel.created, &reader.zone), ..values };
            let subject = one_line(&templates.render("daily.subject.txt", lang, &values)?);
            return Ok(Self { subject, text: templates.render("daily.txt", lang, &values)?, html: None });
        }
        let values = values(&parcel.notices, parcel.total, reader);
        Ok(Self {
            subject: one_line(&templates.render("alarm.subject.txt", lang, &values)?),
            text: templates.render("alarm.txt", lang, &values)?,
            html: Some(templates.render("alarm.html", lang, &values)?),
        })
    }

    /// The message of a robot: the subject, and Markdown.
    ///
    /// # Errors
    /// When a built-in template fails.
    pub fn chat(parcel: &Parcel, reader: &Reader, templates: &Templates) -> Result<Self, TemplateError> {
        let lang = reader.lang;
        if parcel.kind == Kind::Second {
            let late: Vec<Late> = parcel.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            let late: Vec<Value> = late
                .iter()
                .map(|one| context! { to => one.target.clone(), since => time(one.due, &reader.zone), result => one.result.clone() })
                .collect();
            let values = context! { late, ..values(&parcel.notices, parcel.total, reader) };
            return Ok(Self { subject: i18n::text(lang, "notify-late"), text: templates.render("late.txt", lang, &values)?, html: None });
        }
        let values = values(&parcel.notices, parcel.total, reader);
        let subject = one_line(&templates.render("alarm.subject.txt", lang, &values)?);
        Ok(Self { subject, text: templates.render("chat.txt", lang, &values)?, html: None })
    }
}

/// The values of the alarm templates.
pub fn values(notices: &[Notice], total: usize, reader: &Reader) -> Value {
    let incidents: BTreeSet<IncidentId> = notices.iter().map(|notice| notice.incident).collect();
    // The worst comes first; of the equally bad the newest.
    let mut sorted: Vec<&Notice> = notices.iter().collect();
    sorted.sort_by_key(|notice| (std::cmp::Reverse(notice.severity), std::cmp::Reverse(notice.at), notice.event));
    let changes: Vec<Value> = sorted.iter().map(|notice| change(notice, reader)).collect();
    context! {
        changes,
        total,
        incidents => incidents.len(),
        escalated => reader.why.split(", ").any(|why| why.starts_with("ladder:")),
        repeat => reader.is_repeat,
        picture => reader.picture.clone(),
        to => reader.name.clone(),
        why => reader.why.clone(),
        url => reader.url.clone(),
    }
}

fn change(notice: &Notice, reader: &Reader) -> Value {
    let Reader { lang, zone, .. } = reader;
    let children: Vec<String> = notice.children.iter().take(CHILDREN).map(Subject::name).collect();
    let facts: Vec<Value> =
        notice.evidence.iter().map(|(name, value)| context! { name, value => worded(*lang, name, value, zone) }).collect();
    context! {
        incident => notice.incident.0,
        change => notice.change.word(),
        change_word => i18n::text(*lang, &format!("notify-change-{}", notice.change.word())),
        severity => notice.severity.word(),
        severity_word => i18n::text(*lang, &format!("notify-severity-{}", notice.severity.word())),
        colour => colour(notice.severity, notice.change),
        rule => &*notice.rule,
        title => title(*lang, &notice.rule),
        sentence => sentence(*lang, notice, zone),
        subject => notice.subject.name(),
        site => &*notice.site,
        since => time(notice.opened, zone),
        at => time(notice.at, zone),
        children_total => notice.children.len(),
        children,
        facts,
        person => notice.person.as_deref(),
        comment => notice.comment.clone(),
        url => reader.url.as_ref().map(|url| format!("{url}/incident/{}", notice.incident.0)),
    }
}

/// The rule's sentence with its facts; the rule's name where it has none.
pub fn sentence(lang: Lang, notice: &Notice, zone: &TimeZone) -> String {
    let arguments = arguments(lang, &notice.evidence, zone);
    let mut given: Vec<(&str, Argument<'_>)> = arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    given.push(("subject", notice.subject.name().into()));
    let key = format!("incident-finding-{}", notice.rule);
    let text = i18n::filled(lang, &key, &given);
    if text == key { title(lang, &notice.rule) } else { text }
}

fn title(lang: Lang, rule: &str) -> String {
    if [DRILL, NOT_DELIVERED, NOBODY].contains(&rule) {
        return i18n::text(lang, &format!("notify-title-{rule}"));
    }
    rule.to_owned()
}

/// Numbers stay numbers, so that a sentence may count by them; everything else is words.
fn arguments(lang: Lang, evidence: &Evidence, zone: &TimeZone) -> Vec<(String, Argument<'static>)> {
    let argument = |name: &str, value: &Fact| match value {
        Fact::Count(count) => Argument::from(*count),
        Fact::Text(text) => Argument::from(i18n::coded(lang, name, text)),
        other => Argument::from(fact(lang, other, zone)),
    };
    evidence.iter().map(|(name, value)| (name.clone(), argument(name, value))).collect()
}

/// The same, where its name says that it is words of ours.
fn worded(lang: Lang, name: &str, value: &Fact, zone: &TimeZone) -> String {
    match value {
        Fact::Text(text) => i18n::coded(lang, name, text),
        other => fact(lang, other, zone),
    }
}

/// One fact as people read it.
fn fact(lang: Lang, value: &Fact, zone: &TimeZone) -> String {
    let with_prefix = |value: f64, unit: &str| {
        let (digits, prefix) = si(value);
        format!("{digits} {prefix}{unit}")
    };
    match value {
        Fact::Text(text) => text.clone(),
        Fact::Count(count) => count.to_string(),
        Fact::Percent(share) => format!("{share:.1} %"),
        Fact::BitsPerSecond(bps) => with_prefix(*bps, "bit/s"),
        Fact::PerSecond(rate) => with_prefix(*rate, "/s"),
        Fact::Millis(millis) if *millis < 1_000.0 => format!("{millis:.1} ms"),
        Fact::Millis(millis) => span(lang, *millis),
        Fact::Time(at) => time(*at, zone),
        Fact::Subjects(subjects) if subjects.is_empty() => i18n::text(lang, "incident-unknown-port"),
        Fact::Subjects(subjects) => {
            let names: Vec<String> = subjects.iter().take(CHILDREN).map(Subject::name).collect();
            let more = if subjects.len() > CHILDREN { format!(" ({})", subjects.len()) } else { String::new() };
            names.join(", ") + &more
        }
    }
}

fn span(lang: Lang, millis: f64) -> String {
    let (key, n) = match millis / 1e3 {
        secs if secs < 120.0 => ("notify-span-seconds", secs),
        secs if secs < 7_200.0 => ("notify-span-minutes", secs / 60.0),
        secs => ("notify-span-hours", secs / 3_600.0),
    };
    i18n::format(lang, key, &[("n", Argument::from(format!("{n:.0}")))])
}

/// `2026-11-23 08:15:02`, the office's wall clock.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    civil(at, zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    civil(at, zone).strftime("%Y-%m-%d").to_string()
}

const fn colour(severity: Severity, change: Change) -> &'static str {
    match (change, severity) {
        (Change::Cleared, _) => "#1a7f37",
        (_, Severity::Critical) => "#b42318",
        (_, Severity::Major) => "#c4551a",
        (_, Severity::Minor) => "#8a5a00",
        (_, Severity::Info) => "#57606a",
    }
}

/// The counts of a proof of life with their names in the reader's language.
fn daily(body: &str, lang: Lang) -> Value {
    let counts: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let shown = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines: Vec<Value> = ["devices", "ports", "hosts", "incidents", "unsent"]
        .into_iter()
        .filter(|name| !counts[name].is_null())
        .map(|name| context! { name => i18n::text(lang, &format!("notify-daily-{name}")), value => shown(&counts[name]) })
        .collect();
    context! { lines, open => shown(&counts["incidents"]), head => shown(&counts["head"]) }
}

/// A header has one line, and no control characters from anywhere.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(SUBJECT_MOST).collect()
}

/// What a template of this name is tried with.
pub fn sample(name: &str, lang: Lang) -> Value {
    let reader = Reader::sample(lang);
    if name.starts_with("daily") {
        let values = daily(r#"{"devices":3,"ports":72,"hosts":5,"incidents":1,"unsent":0,"head":"12 4f6a"}"#, lang);
        return context! { to => "王伟", day => "2026-11-23", url => "https://netroom.example.org", ..values };
    }
    let late = vec![context! { to => "王伟", since => "2026-11-23 08:00:00", result => "timeout" }];
    context! { late, ..values(&[sample_notice()], 1, &reader) }
}

/// A notice as it could come.
pub fn sample_notice() -> Notice {
    Notice {
        incident: IncidentId(17),
        event: 1,
        change: Change::Opened,
        rule: "port-down".into(),
        subject: Subject::Port("sw-a3".into(), "Gi0/17".into()),
        severity: Severity::Major,
        opened: Timestamp::from_secs(1_795_392_000),
        at: Timestamp::from_secs(1_795_392_005),
        site: "A3".into(),
        zone: None,
        tags: Vec::new(),
        children: vec![Subject::Host("dns1".into())],
        evidence: [("speed".to_owned(), Fact::BitsPerSecond(1e9)), ("up".to_owned(), Fact::Millis(90_000.0))].into(),
        person: None,
        comment: None,
        is_muted: false,
    }
}

impl Reader {
    /// A reader to try templates for.
    pub fn sample(lang: Lang) -> Self {
        Self {
            lang,
            name: "王伟".into(),
            zone: TimeZone::UTC,
            url: Some("https://netroom.example.org".into()),
            why: "core".into(),
            is_repeat: true,
            picture: Some("graph".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(notices: Vec<Notice>) -> Parcel {
        Parcel {
            id: 1,
            kind: Kind::Alarm,
            person: None,
            target: crate::notify::route::Target::Duty,
            why: "core, ladder:line".into(),
            message_id: "m1@x".into(),
            thread: None,
            is_repeat: false,
            created: Timestamp::from_secs(0),
            total: notices.len(),
            notices,
            body: None,
        }
    }

    fn reader(lang: Lang) -> Reader {
        Reader { is_repeat: false, picture: None, why: "core, ladder:line".into(), ..Reader::sample(lang) }
    }

    #[test]
    fn a_mail_says_what_where_since_when_and_leads_back() {
        let templates = Templates::built_in().unwrap();
        insta::assert_snapshot!(Letter::mail(&parcel(vec![sample_notice()]), &reader(Lang::ZhCn), &templates).unwrap().text);
        let letter = Letter::mail(&parcel(vec![sample_notice()]), &reader(Lang::En), &templates).unwrap();
        insta::assert_snapshot!(format!("{}\n\n{}", letter.subject, letter.text));
    }

    #[test]
    fn a_subject_has_one_line_whatever_a_device_calls_itself() {
        let mut notice = sample_notice();
        notice.subject = Subject::Device("a\r\nBcc: x@example.org\u{7}".into());
        let letter = Letter::mail(&parcel(vec![notice]), &reader(Lang::En), &Templates::built_in().unwrap()).unwrap();
        assert!(!letter.subject.contains(['\r', '\n', '\u{7}']), "{:?}", letter.subject);
    }

    #[test]
    fn two_hundred_changes_fit_into_the_fuel() {
        let notices: Vec<Notice> = (0..200).map(|n| Notice { incident: IncidentId(n), ..sample_notice() }).collect();
        let parcel = Parcel { total: 10_000, ..parcel(notices) };
        let letter = Letter::mail(&parcel, &reader(Lang::En), &Templates::built_in().unwrap()).unwrap();
        assert!(letter.text.contains("And 9800 more"), "{}", letter.text);
    }

    #[test]
    fn late_mail_is_told_with_what_it_was_about() {
        let late = [Late { delivery: 1, target: "anna".into(), due: Timestamp::from_secs(0), result: "connection refused".into() }];
        let parcel = Parcel { kind: Kind::Second, body: serde_json::to_string(&late).ok(), ..parcel(vec![sample_notice()]) };
        let letter = Letter::chat(&parcel, &reader(Lang::En), &Templates::built_in().unwrap()).unwrap();
        assert!(letter.text.contains("To anna, due at 1970-01-01 00:00:00: connection refused"), "{}", letter.text);
        assert!(letter.text.contains("sw-a3 Gi0/17"), "{}", letter.text);
    }
}
