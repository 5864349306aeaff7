//! `[[person]]` and `[[duty]]`: who is there, how each is reached, and who is on duty when.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::source::At;
use super::suggest::nearest;
use crate::i18n::Lang;
use crate::model::Role;

/// `[[person]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPerson {
    /// The person's name, unique: accounts, the duty table and the rules name people by it.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// Where mail goes.
    pub email: Option<At<String>>,
    /// The mobile number, as the robots of chat groups know it.
    pub mobile: Option<At<String>>,
    /// The language of mails: `zh-CN` or `en`.
    pub language: Option<Lang>,
    /// What the person is: `staff`, `network_admin`, `section_chief`, `deputy`, `director` ...
    pub roles: Option<Vec<At<String>>>,
    /// The person's id in WeCom or Feishu, to be named in a group.
    pub chat: Option<At<String>>,
}

/// `[[duty]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDuty {
    /// Who is on duty.
    pub person: Option<At<String>>,
    /// Several who take turns, a week each, from `from` on.
    pub rotation: Option<Vec<At<String>>>,
    /// A week, as `2026-W10`.
    pub week: Option<At<String>>,
    /// The first day, as `2026-03-02`.
    pub from: Option<At<String>>,
    /// The last day; without it the first day only, or for a rotation without end.
    pub to: Option<At<String>>,
}

/// One person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PersonSettings {
    /// The name, unique.
    pub name: Arc<str>,
    /// Where mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Arc<str>>,
    /// The mobile number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Arc<str>>,
    /// The language of mails.
    pub language: Lang,
    /// Words of [`Role`].
    pub roles: Vec<Arc<str>>,
    /// The id in WeCom or Feishu.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<Arc<str>>,
}

/// Days and who has duty on them. A later entry that names days counts over an earlier one; a rotation counts where no
/// entry with an end does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DutySettings {
    /// Who: one, or several who take turns by the week.
    pub persons: Vec<Arc<str>>,
    /// The first day.
    #[serde(serialize_with = "as_text")]
    pub from: Date,
    /// The last day; `None` is without end.
    #[serde(serialize_with = "as_text_or_none", skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl DutySettings {
    /// Who of this entry has duty on a day.
    pub fn on(&self, day: Date) -> Option<&Arc<str>> {
        if day < self.from || self.to.is_some_and(|to| day > to) {
            return None;
        }
        let weeks = (day - self.from).get_days() / 7;
        let turn = usize::try_from(weeks).ok()?.checked_rem(self.persons.len())?;
        self.persons.get(turn)
    }
}

fn as_text<S: serde::Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

fn as_text_or_none<S: serde::Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(serializer)
}

/// All people and the table of duty; those at fault are told.
pub(super) fn resolve(
    judge: &mut Judge<'_>,
    persons: Vec<At<RawPerson>>,
    duty: Vec<At<RawDuty>>,
) -> (Vec<PersonSettings>, Vec<DutySettings>) {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut people: Vec<PersonSettings> = Vec::with_capacity(persons.len());
    for raw in persons {
        if let Some(person) = person(judge, raw, &mut names) {
            people.push(person);
        }
    }
    let known: Vec<Arc<str>> = people.iter().map(|person| Arc::clone(&person.name)).collect();
    let duty = duty.into_iter().filter_map(|raw| turn(judge, raw, &known)).collect();
    (people, duty)
}

fn person(judge: &mut Judge<'_>, raw: At<RawPerson>, names: &mut HashMap<String, usize>) -> Option<PersonSettings> {
    let At { value: raw, offset } = raw;
    let Some(name) = raw.name else {
        if !judge.is_section_damaged("person") {
            judge.error(offset, Code::MissingKey, "this person has no `name`", "add a line like name = \"王伟\"");
        }
        return None;
    };
    let fits = !name.value.trim().is_empty()
        && name.value.chars().count() <= 63
        && name.value != "duty"
        && !name.value.chars().any(|c| c.is_control() || c == ':');
    if !fits {
        let message = format!("\"{}\" cannot be a person's name", name.value.escape_debug());
        judge.error(name.offset, Code::BadName, message, "take 1 to 63 characters without `:`, and not \"duty\"");
        return None;
    }
    if let Some(first) = names.get(&name.value.to_lowercase()).copied() {
        let message = format!("another person is called \"{}\" already", name.value);
        judge.conflict(name.offset, first, Code::DuplicateName, message, "give each person a name of their own");
        return None;
    }
    names.insert(name.value.to_lowercase(), name.offset);
    let email = raw.email.and_then(|at| address(judge, &at));
    let roles = raw.roles.unwrap_or_default().into_iter().filter_map(|at| known(judge, &at, "role", &Role::ALL.map(Role::word))).collect();
    Some(PersonSettings {
        name: name.value.into(),
        email,
        mobile: raw.mobile.map(|at| at.value.into()),
        language: raw.language.unwrap_or_default(),
        roles,
        chat: raw.chat.map(|at| at.value.into()),
    })
}

/// A mail address (RFC 5321 section 4.1.2, without quoted local parts and address literals).
pub(super) fn address(judge: &mut Judge<'_>, at: &At<String>) -> Option<Arc<str>> {
    if is_address(&at.value) {
        return Some(at.value.as_str().into());
    }
    judge.error(
        at.offset,
        Code::BadAddress,
        format!("\"{}\" is no mail address", at.value.escape_debug()),
        "write it as \"name@example.org\"",
    );
    None
}

pub(super) fn is_address(text: &str) -> bool {
    let plain = |c: char| {
        !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']' | '@')
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            let dots = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
            dots(local) && dots(domain) && local.chars().all(plain) && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        })
}

/// A word of a list, else the problem with the nearest one.
pub(super) fn known(judge: &mut Judge<'_>, at: &At<String>, what: &str, words: &[impl AsRef<str>]) -> Option<Arc<str>> {
    if words.iter().any(|word| word.as_ref() == at.value) {
        return Some(at.value.as_str().into());
    }
    let remedy = match nearest(&at.value, words.iter().map(AsRef::as_ref)) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None if words.is_empty() => format!("there is no {what} yet; add one"),
        None => format!("take one of: {}", words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    };
    judge.error(at.offset, Code::UnknownName, format!("there is no {what} \"{}\"", at.value.escape_debug()), remedy);
    None
}

fn turn(judge: &mut Judge<'_>, raw: At<RawDuty>, people: &[Arc<str>]) -> Option<DutySettings> {
    let At { value: raw, offset } = raw;
    if judge.is_section_damaged("duty") {
        return None;
    }
    if let (Some(_), Some(_)) = (&raw.person, &raw.rotation) {
        judge.error(offset, Code::TwoWays, "this duty has both `person` and `rotation`", "keep one of them");
        return None;
    }
    if let (Some(at), Some(_)) = (&raw.week, raw.from.as_ref().or(raw.to.as_ref())) {
        judge.error(at.offset, Code::TwoWays, "this duty has both `week` and days", "keep the week, or `from` and `to`");
        return None;
    }
    let persons: Vec<&At<String>> = raw.person.iter().chain(raw.rotation.iter().flatten()).collect();
    if persons.is_empty() {
        judge.error(offset, Code::MissingKey, "this duty names nobody", "write person = \"...\", or rotation = [\"...\", \"...\"]");
        return None;
    }
    let named: Option<Vec<Arc<str>>> = persons.into_iter().map(|at| known(judge, at, "person", people)).collect();
    let (from, to) = match (&raw.week, &raw.from) {
        (Some(at), None) if raw.to.is_none() && raw.rotation.is_none() => {
            let monday = day(judge, at, "week", week)?;
            (monday, Some(monday.saturating_add(6.days())))
        }
        (None, Some(at)) => {
            let from = day(judge, at, "from", |text| text.parse().ok())?;
            let to = match &raw.to {
                Some(at) => Some(day(judge, at, "to", |text| text.parse().ok())?),
                None => raw.rotation.is_none().then_some(from),
            };
            (from, to)
        }
        _ => {
            judge.error(
                offset,
                Code::MissingKey,
                "this duty does not say when",
                "write week = \"2026-W10\", or from = \"2026-03-02\" and to = \"2026-03-08\"",
            );
            return None;
        }
    };
    if let (Some(at), Some(to)) = (raw.to.as_ref(), to)
        && to < from
    {
        judge.error(at.offset, Code::OutOfRange, "this duty ends before it begins", "make `to` the later day");
    }
    Some(DutySettings { persons: named?, from, to })
}

fn day(judge: &mut Judge<'_>, at: &At<String>, key: &str, read: impl Fn(&str) -> Option<Date>) -> Option<Date> {
    let day = read(&at.value);
    if day.is_none() {
        let remedy = if key == "week" { "write a week as \"2026-W10\" (ISO 8601)" } else { "write a day as \"2026-03-02\"" };
        judge.error(at.offset, Code::BadTime, format!("`duty.{key}` cannot be read: \"{}\"", at.value.escape_debug()), remedy);
    }
    day
}

/// The Monday of `2026-W10`.
fn week(text: &str) -> Option<Date> {
    let (year, week) = text.split_once("-W")?;
    if year.len() != 4 || week.len() != 2 {
        return None;
    }
    ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok().map(ISOWeekDate::date)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_are_those_of_iso_8601_over_the_year_too() {
        for (text, monday) in [
            ("2026-W01", Some(date(2025, 12, 29))),
            ("2026-W53", Some(date(2026, 12, 28))),
            ("2027-W01", Some(date(2027, 1, 4))),
            ("2025-W53", None),
            ("2026-W00", None),
            ("2026-10", None),
            ("26-W10", None),
        ] {
            assert_eq!(week(text), monday, "{text}");
        }
    }

    #[test]
    fn a_rotation_turns_by_the_week_from_its_first_day() {
        let turns = DutySettings { persons: vec!["a".into(), "b".into(), "c".into()], from: date(2025, 12, 29), to: None };
        for (day, who) in [
            (date(2025, 12, 28), None),
            (date(2025, 12, 29), Some("a")),
            (date(2026, 1, 4), Some("a")),
            (date(2026, 1, 5), Some("b")),
            (date(2026, 1, 18), Some("c")),
            (date(2026, 1, 19), Some("a")),
        ] {
            assert_eq!(turns.on(day).map(|name| &**name), who, "{day}");
        }
    }

    #[test]
    fn mail_addresses_are_told_from_slips() {
        for good in ["a@b", "wang.wei@office.example.org", "noc+alarm@10-0-0-1.example"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b@c", "<a@b>", "a@b\r\nBcc: c@d", ".a@b", "a@b..c", "a,b@c"] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
