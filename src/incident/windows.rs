//! Maintenance windows and freezes: what is kept quiet when, and when nothing may be done by itself. Pure: the time and the
//! office's zone come in. Times of day are those of the office, also on days on which the clock is set.

use std::sync::Arc;

use jiff::ZonedDateTime;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::scope::Place;
use crate::config::Glob;
use crate::model::{Subject, Timestamp};

/// What a window is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Somebody works there: incidents are recorded, nobody is alarmed.
    #[default]
    Maintenance,
    /// Nothing may be changed by itself: no automatic action.
    Freeze,
}

/// What a window is about. Everything that fits one of the lists; all four empty is everything there is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// Devices, hosts and machines, patterns over their names or addresses.
    pub devices: Vec<String>,
    /// Sites, patterns.
    pub sites: Vec<String>,
    /// Ports, patterns over `DEVICE/PORT`.
    pub ports: Vec<String>,
    /// Tags, exactly.
    pub tags: Vec<String>,
}

/// When a window is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Once.
    Once {
        /// From here.
        from: Timestamp,
        /// To here, not included.
        to: Timestamp,
    },
    /// On days of the week.
    Weekly {
        /// 1 is Monday, 7 is Sunday.
        days: Vec<i8>,
        /// Minutes after midnight at which it begins.
        from: u16,
        /// Minutes after midnight at which it ends; not after `from` is the next day.
        to: u16,
    },
}

/// One window.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Its number in the database; negative for those of the configuration.
    pub id: i64,
    /// What for.
    pub purpose: Purpose,
    /// About what.
    pub target: Target,
    /// When.
    pub when: When,
    /// Who made it; empty for the configuration.
    pub by: Arc<str>,
    /// Why.
    pub comment: String,
}

/// All windows, ready to be asked.
#[derive(Clone, Debug)]
pub struct Windows {
    zone: TimeZone,
    windows: Vec<Compiled>,
}

#[derive(Clone, Debug)]
struct Compiled {
    window: Window,
    devices: Vec<Glob>,
    sites: Vec<Glob>,
    ports: Vec<Glob>,
}

impl Default for Windows {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, windows: Vec::new() }
    }
}

impl Windows {
    /// From a list. A pattern that cannot be read fits nothing; whoever takes windows in refuses it before.
    pub fn new(zone: TimeZone, windows: impl IntoIterator<Item = Window>) -> Self {
        let globs = |texts: &[String]| texts.iter().filter_map(|text| text.parse().ok()).collect();
        let compile = |window: Window| Compiled {
            devices: globs(&window.target.devices),
            sites: globs(&window.target.sites),
            ports: globs(&window.target.ports),
            window,
        };
        Self { zone, windows: windows.into_iter().map(compile).collect() }
    }

    /// The windows in their order.
    pub fn all(&self) -> impl Iterator<Item = &Window> {
        self.windows.iter().map(|compiled| &compiled.window)
    }

    /// The open window of this purpose that a subject is in.
    pub fn open(&self, purpose: Purpose, subject: &Subject, place: &Place, now: Timestamp) -> Option<&Window> {
        let fits = |compiled: &&Compiled| {
            compiled.window.purpose == purpose && self.is_open(&compiled.window, now) && compiled.fits(subject, place)
        };
        self.windows.iter().find(fits).map(|compiled| &compiled.window)
    }

    /// Whether a window is open.
    pub fn is_open(&self, window: &Window, now: Timestamp) -> bool {
        self.spans(window, now).any(|(from, to)| from <= now && now < to)
    }

    /// The next moment after `now` at which any window opens or closes.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let edges = self.windows.iter().flat_map(|compiled| self.spans(&compiled.window, now));
        edges.flat_map(|(from, to)| [from, to]).filter(|edge| *edge > now).min()
    }

    /// The span of a window that is open or comes next.
    pub fn next_span(&self, window: &Window, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.spans(window, now).filter(|(_, to)| *to > now).min()
    }

    /// The spans of a window around a moment: those from the day before to a week later.
    fn spans<'a>(&'a self, window: &'a Window, now: Timestamp) -> Box<dyn Iterator<Item = (Timestamp, Timestamp)> + 'a> {
        match &window.when {
            When::Once { from, to } => Box::new(std::iter::once((*from, *to))),
            When::Weekly { days, from, to } => {
                let today = self.local(now).map(|now| now.date());
                let begins = (-1_i64..=8).filter_map(move |offset| today?.checked_add(jiff::Span::new().days(offset)).ok());
                let of_week = move |date: &Date| days.contains(&date.weekday().to_monday_one_offset());
                let days_on = i64::from(to <= from);
                Box::new(begins.filter(of_week).filter_map(move |date| {
                    let end = date.checked_add(jiff::Span::new().days(days_on)).ok()?;
                    Some((self.at(date, *from)?, self.at(end, *to)?))
                }))
            }
        }
    }

    fn local(&self, now: Timestamp) -> Option<ZonedDateTime> {
        Some(jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned_datetime(self.zone.clone()))
    }

    fn at(&self, date: Date, minutes: u16) -> Option<Timestamp> {
        let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        let moment = date.to_datetime(time).to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Timestamp::from_millis(moment.timestamp().as_millisecond()))
    }
}

impl Compiled {
    fn fits(&self, subject: &Subject, place: &Place) -> bool {
        let target = &self.window.target;
        let is_all = target.devices.is_empty() && target.sites.is_empty() && target.ports.is_empty() && target.tags.is_empty();
        let named = |globs: &[Glob], name: &str| globs.iter().any(|glob| glob.is_match(name));
        is_all
            || subject.holder().is_some_and(|holder| named(&self.devices, holder))
            || (!place.site.is_empty() && named(&self.sites, &place.site))
            || matches!(subject, Subject::Machine(address) if named(&self.devices, address))
            || matches!(subject, Subject::Port(device, port) if named(&self.ports, &format!("{device}/{port}")))
            || place.tags.iter().any(|tag| target.tags.iter().any(|wanted| **wanted == **tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    /// Monday, 2026-11-23T00:00:00+08:00.
    const MONDAY: i64 = 1_795_363_200;

    fn window(target: Target, when: When) -> Window {
        Window { id: 1, purpose: Purpose::Maintenance, target, when, by: "li".into(), comment: "new switch".into() }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_secs(MONDAY + hours * HOUR)
    }

    fn shanghai(window: Window) -> Windows {
        Windows::new(TimeZone::get("Asia/Shanghai").unwrap(), [window])
    }

    #[test]
    fn a_weekly_window_runs_over_midnight_in_the_offices_own_time() {
        let when = When::Weekly { days: vec![1], from: 23 * 60, to: 2 * 60 };
        let windows = shanghai(window(Target::default(), when));
        let open = |hours| windows.open(Purpose::Maintenance, &Subject::Host("x".into()), &Place::default(), at(hours)).is_some();
        assert_eq!([22, 23, 25, 26, 47].map(open), [false, true, true, false, false]);
        assert!(open(23 + 7 * 24), "the next Monday too");
        assert!(windows.open(Purpose::Freeze, &Subject::Host("x".into()), &Place::default(), at(23)).is_none());
        assert_eq!(windows.next_change(at(0)), Some(at(23)));
        assert_eq!(windows.next_change(at(23)), Some(at(26)));
        assert_eq!(windows.next_change(at(30)), Some(at(23 + 7 * 24)));
    }

    #[test]
    fn a_window_is_about_what_it_names() {
        let target = Target {
            devices: vec!["sw-a*".into()],
            sites: vec!["三楼".into()],
            ports: vec!["core/Te1/0/[12]".into()],
            tags: vec!["lab".into()],
        };
        let windows = shanghai(window(target, When::Once { from: at(0), to: at(1) }));
        let place = |site: &str, tags: &[&str]| Place { site: site.into(), zone: None, tags: tags.iter().map(|&tag| tag.into()).collect() };
        let port = |device: &str, port: &str| Subject::Port(device.into(), port.into());
        for (subject, place, fits) in [
            (Subject::Device("sw-a3".into()), place("", &[]), true),
            (port("sw-a3", "Gi0/1"), place("", &[]), true),
            (Subject::Device("sw-b1".into()), place("", &[]), false),
            (Subject::Device("sw-b1".into()), place("三楼", &[]), true),
            (Subject::Host("dns".into()), place("", &["lab"]), true),
            (port("core", "Te1/0/2"), place("", &[]), true),
            (port("core", "Te1/0/3"), place("", &["labs"]), false),
            (Subject::Part("disk".into()), place("", &[]), false),
            (Subject::Machine("sw-a:not".into()), place("", &[]), true),
            (Subject::Machine("10.1.0.9".into()), place("", &[]), false),
        ] {
            assert_eq!(windows.open(Purpose::Maintenance, &subject, &place, at(0)).is_some(), fits, "{subject}");
        }
        assert!(windows.open(Purpose::Maintenance, &Subject::Device("sw-a3".into()), &Place::default(), at(1)).is_none());
    }
}
