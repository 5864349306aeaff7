//! Who is there: persons by name, those with a role, and the one on duty at a moment. Pure over the settings.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::config::Settings;
use crate::config::notify::Recipient;
use crate::config::people::{DutySettings, PersonSettings};
use crate::config::week::{TimeOfDay, civil};
use crate::model::Timestamp;

/// The office's reporting line, upwards: who stands in where a role has nobody.
pub const LINE: [&str; 4] = ["duty", "section_chief", "deputy", "director"];

/// Whom the outbox asks about people. The daemon decides what stands behind it.
pub trait People: Send + Sync {
    /// A person by name.
    fn person(&self, name: &str) -> Option<PersonSettings>;
    /// Who is on duty.
    fn on_duty(&self, at: Timestamp) -> Option<Arc<str>>;
    /// Everybody with a role.
    fn with_role(&self, role: &str) -> Vec<Arc<str>>;
}

/// The people and the table of duty of the configuration.
#[derive(Clone, Debug)]
pub struct Roster {
    people: Vec<PersonSettings>,
    duty: Vec<DutySettings>,
    handover: TimeOfDay,
    zone: TimeZone,
}

impl Roster {
    /// Of these settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            people: settings.people.clone(),
            duty: settings.duty.clone(),
            handover: settings.notify.handover,
            zone: settings.time_zone.clone(),
        }
    }
}

impl People for Roster {
    fn person(&self, name: &str) -> Option<PersonSettings> {
        self.people.iter().find(|person| &*person.name == name).cloned()
    }

    fn on_duty(&self, at: Timestamp) -> Option<Arc<str>> {
        let today = civil(at, &self.zone).date();
        // Until the hand-over the duty of the day before goes on.
        let day = if at < self.handover.on(today, &self.zone) { today.saturating_sub(1.day()) } else { today };
        if self.duty.is_empty() {
            return self.with_role("duty").into_iter().next();
        }
        let (with_end, without): (Vec<_>, Vec<_>) = self.duty.iter().rev().partition(|duty| duty.to.is_some());
        with_end.into_iter().chain(without).find_map(|duty| duty.on(day)).cloned()
    }

    fn with_role(&self, role: &str) -> Vec<Arc<str>> {
        let has = |person: &&PersonSettings| person.roles.iter().any(|one| &**one == role);
        self.people.iter().filter(has).map(|person| Arc::clone(&person.name)).collect()
    }
}

/// The persons behind a recipient at a moment; where there is nobody, those of the next role up the line.
pub fn resolve(people: &dyn People, recipient: &Recipient, at: Timestamp) -> Vec<Arc<str>> {
    let role = match recipient {
        Recipient::Person(name) => return vec![Arc::clone(name)],
        Recipient::Duty => match people.on_duty(at) {
            Some(name) => return vec![name],
            None => LINE[0],
        },
        Recipient::Role(role) => {
            let named = people.with_role(role);
            if !named.is_empty() {
                return named;
            }
            role
        }
    };
    let above = LINE.iter().position(|one| *one == role).map_or(1, |place| place + 1);
    LINE.iter().skip(above).map(|role| people.with_role(role)).find(|named| !named.is_empty()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::{Date, DateTime, date};

    use super::*;

    pub(crate) fn person(name: &str, roles: &[&str]) -> PersonSettings {
        PersonSettings {
            name: name.into(),
            email: Some(format!("{name}@example.org").into()),
            mobile: None,
            language: crate::i18n::Lang::En,
            roles: roles.iter().map(|role| (*role).into()).collect(),
            chat: None,
        }
    }

    pub(crate) fn roster(people: &[PersonSettings], duty: &[(&[&str], Date, Option<Date>)], zone: &str) -> Roster {
        let mut settings = Settings::new("");
        settings.people = people.to_vec();
        settings.duty = duty
            .iter()
            .map(|(persons, from, to)| DutySettings { persons: persons.iter().map(|name| (*name).into()).collect(), from: *from, to: *to })
            .collect();
        settings.time_zone = TimeZone::get(zone).unwrap();
        Roster::new(&settings)
    }

    pub(crate) fn moment(text: &str, zone: &str) -> Timestamp {
        let civil: DateTime = text.parse().unwrap();
        let instant = TimeZone::get(zone).unwrap().to_ambiguous_timestamp(civil).compatible().unwrap();
        Timestamp::from_millis(instant.as_millisecond())
    }

    #[test]
    fn duty_changes_at_the_hand_over_over_the_year_and_where_clocks_change() {
        let people = [person("a", &[]), person("b", &[]), person("c", &[])];
        let dec = date(2025, 12, 29);
        let table: [(&[&str], Date, Option<Date>); 3] = [
            (&["a", "b"], dec, None),
            (&["c"], date(2026, 1, 1), Some(date(2026, 1, 1))),
            (&["c"], date(2026, 3, 29), Some(date(2026, 3, 29))),
        ];
        let office = roster(&people, &table, "Europe/Berlin");
        for (text, who) in [
            ("2025-12-29T07:59", None),
            ("2025-12-29T08:00", Some("a")),
            ("2025-12-31T23:59", Some("a")),
            ("2026-01-01T07:59", Some("a")),
            ("2026-01-01T08:00", Some("c")),
            ("2026-01-02T07:59", Some("c")),
            ("2026-01-02T08:00", Some("a")),
            ("2026-01-05T07:59", Some("a")),
            ("2026-01-05T08:00", Some("b")),
            // The night of 2026-03-29 has seven hours less one.
            ("2026-03-29T07:59", Some("a")),
            ("2026-03-29T08:00", Some("c")),
            ("2026-03-30T08:00", Some("b")),
        ] {
            assert_eq!(office.on_duty(moment(text, "Europe/Berlin")).as_deref(), who, "{text}");
        }
    }

    #[test]
    fn where_nobody_is_the_next_up_the_line_stands_in() {
        let people = [person("deputy1", &["deputy"]), person("deputy2", &["deputy"]), person("boss", &["director"])];
        let office = roster(&people, &[(&["x"], date(2020, 1, 1), Some(date(2020, 1, 1)))], "UTC");
        let at = moment("2026-01-01T12:00", "UTC");
        for (recipient, who) in [
            (Recipient::Duty, &["deputy1", "deputy2"][..]),
            (Recipient::Role("section_chief".into()), &["deputy1", "deputy2"]),
            (Recipient::Role("director".into()), &["boss"]),
            (Recipient::Role("auditor".into()), &["deputy1", "deputy2"]),
            (Recipient::Person("x".into()), &["x"]),
        ] {
            assert_eq!(resolve(&office, &recipient, at).iter().map(|name| &**name).collect::<Vec<_>>(), who, "{recipient}");
        }
    }

    #[test]
    fn without_a_table_the_role_says_who_is_on_duty() {
        let office = roster(&[person("a", &["staff"]), person("b", &["duty"])], &[], "UTC");
        assert_eq!(office.on_duty(moment("2026-01-01T12:00", "UTC")).as_deref(), Some("b"));
    }
}
