//! Hours added up: how much of each class, and who had most of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Class, Hour, Octets, Report, Top};
use crate::detect::Machine;

/// Which hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Span {
    /// All that are kept: a day.
    #[default]
    Day,
    /// The one that runs.
    Hour,
    /// Of the day those in which the office works.
    Work,
}

impl Span {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Day, Self::Hour, Self::Work];

    /// The word of addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Work => "work",
        }
    }

    /// The span of this word; a day for any other.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|span| span.word() == word).unwrap_or_default()
    }
}

/// A machine with all that it had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Talker {
    /// The machine.
    pub machine: Machine,
    /// Octets in both directions.
    pub octets: u64,
    /// The class of most of them.
    pub most: Class,
}

/// Hours added up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// How many hours.
    pub hours: usize,
    /// Octets by class, in the order of [`Class::ALL`].
    pub totals: [Octets; Class::ALL.len()],
    /// Who had most of each class, the most first. Of an hour only the first five of each class are known, so that what a
    /// machine had in other hours may be missing.
    pub top: Vec<Top>,
    /// The same over all classes.
    pub talkers: Vec<Talker>,
}

impl Sum {
    /// Octets of all classes in both directions.
    pub fn all(&self) -> u64 {
        self.totals.iter().fold(0, |sum, octets| sum.saturating_add(octets.all()))
    }

    /// Those that had most of a class.
    pub fn top_of(&self, class: Class) -> impl Iterator<Item = &Top> {
        self.top.iter().filter(move |top| top.class == class)
    }
}

impl Report {
    /// Whether working hours are set.
    pub fn knows_work(&self) -> bool {
        self.hours.iter().any(|hour| hour.works.is_some())
    }

    /// The hours of a span, added up.
    pub fn sum(&self, span: Span) -> Sum {
        let running = self.hours.last().map(|hour| hour.start);
        let is_in = |hour: &&Hour| match span {
            Span::Day => true,
            Span::Hour => Some(hour.start) == running,
            Span::Work => hour.works == Some(true),
        };
        let mut sum = Sum::default();
        let mut had: BTreeMap<Machine, BTreeMap<Class, u64>> = BTreeMap::new();
        for hour in self.hours.iter().filter(is_in) {
            sum.hours += 1;
            for (total, octets) in sum.totals.iter_mut().zip(&hour.totals) {
                total.received = total.received.saturating_add(octets.received);
                total.sent = total.sent.saturating_add(octets.sent);
            }
            for top in &hour.top {
                let octets = had.entry(known_by(&top.machine)).or_default().entry(top.class).or_default();
                *octets = octets.saturating_add(top.octets);
            }
        }
        for (machine, classes) in had {
            let octets = classes.values().fold(0_u64, |sum, octets| sum.saturating_add(*octets));
            let most = classes.iter().max_by_key(|(_, octets)| **octets).map(|(class, _)| *class).unwrap_or_default();
            sum.talkers.push(Talker { machine, octets, most });
            sum.top.extend(classes.into_iter().map(|(class, octets)| Top { class, machine, octets }));
        }
        sum.top.sort_by_key(|top| (top.class, Reverse(top.octets), top.machine));
        sum.talkers.sort_by_key(|talker| (Reverse(talker.octets), talker.machine));
        sum
    }
}

/// A machine is the same one when its VLAN is another.
const fn known_by(machine: &Machine) -> Machine {
    Machine { ip: machine.ip, mac: machine.mac, vlan: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::Nanos;

    fn machine(last: u8) -> Machine {
        Machine { ip: Some([10, 1, 0, last].into()), mac: None, vlan: Some(last.into()) }
    }

    fn hour(number: u64, works: Option<bool>, top: &[(Class, u8, u64)]) -> Hour {
        let mut totals = [Octets::default(); Class::ALL.len()];
        for (class, _, octets) in top {
            totals[class.place()].received += octets;
        }
        let top = top.iter().map(|(class, last, octets)| Top { class: *class, machine: machine(*last), octets: *octets }).collect();
        Hour { start: Nanos(number), totals, top, works }
    }

    fn report() -> Report {
        let hours = vec![
            hour(1, Some(true), &[(Class::Film, 1, 100), (Class::Web, 1, 10), (Class::Web, 2, 60)]),
            hour(2, Some(false), &[(Class::Film, 3, 500)]),
            hour(3, Some(true), &[(Class::Film, 1, 50), (Class::Film, 2, 70)]),
        ];
        Report { hours, ..Report::default() }
    }

    #[test]
    fn hours_are_added_up_by_machine_and_class() {
        let sum = report().sum(Span::Day);
        assert_eq!((sum.hours, sum.all()), (3, 790));
        let film: Vec<_> = sum.top_of(Class::Film).map(|top| (top.machine.ip, top.octets)).collect();
        assert_eq!(film, [(machine(3).ip, 500), (machine(1).ip, 150), (machine(2).ip, 70)]);
        let talkers: Vec<_> = sum.talkers.iter().map(|talker| (talker.machine.ip, talker.octets, talker.most)).collect();
        let wanted = [(machine(3).ip, 500, Class::Film), (machine(1).ip, 160, Class::Film), (machine(2).ip, 130, Class::Film)];
        assert_eq!(talkers, wanted);
    }

    #[test]
    fn a_span_takes_its_hours_only() {
        let report = report();
        assert_eq!(report.sum(Span::Work).all(), 290);
        assert_eq!(report.sum(Span::Hour).all(), 120);
        assert!(report.knows_work());
        assert_eq!(Report::default().sum(Span::Day), Sum::default());
        assert_eq!((Span::from_word("work"), Span::from_word("?")), (Span::Work, Span::Day));
    }
}
