//! From what the configuration says to what the engine runs by: parameters, rules that are off, working hours, lists of classes.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::baseline::calendar::{Calendar, SLOTS};
use super::class::{Lists, Office};
use super::{Engine, Kind, Settings};
use crate::config::detect::{DetectMode, DetectSettings, Measure, Tuned};
use crate::model::Timestamp;

/// Monday, 2026-01-05, half past midnight: the middle of the first hour of a week.
const FIRST_HOUR_S: i64 = 1_767_573_000;

/// What an engine is given besides the facts of the site.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Whether machines are judged at all.
    pub is_on: bool,
    /// Its parameters.
    pub settings: Settings,
    /// Kinds that are not told.
    pub off: Vec<Kind>,
    /// The working hours.
    pub office: Option<Office>,
    /// The lists of classes of traffic.
    pub lists: Arc<Lists>,
}

impl Tuning {
    /// From the configuration; the calendar says what day a date counts as.
    pub fn new(config: &DetectSettings, calendar: Calendar) -> Self {
        let mut settings = settings(&config.tuned);
        settings.lan.tunnel.domains.extend(config.lookups.iter().cloned());
        let office = (!config.hours.is_empty()).then(|| {
            let hour = |slot: usize| Timestamp::from_secs(FIRST_HOUR_S + i64::try_from(slot).unwrap_or(0) * 3600);
            Office::new(calendar, std::array::from_fn::<bool, SLOTS, _>(|slot| config.hours.contains(hour(slot), &TimeZone::UTC)))
        });
        let off = config.off.iter().filter_map(|word| Kind::from_word(word)).collect();
        let is_on = config.mode == DetectMode::Observe;
        Self { is_on, settings, off, office, lists: Arc::new(Lists::new(&config.classes)) }
    }

    /// Hands all of it to an engine that runs.
    pub fn hand_to(&self, engine: &mut Engine) {
        engine.set_settings(self.settings.clone());
        engine.set_off(&self.off);
        engine.set_office(self.office.clone());
        engine.set_lists(Arc::clone(&self.lists));
    }
}

/// The defaults with these in their places. What does not fit its place leaves all at the defaults; a test holds that all fit.
fn settings(tuned: &[Tuned]) -> Settings {
    let Ok(mut all) = serde_json::to_value(Settings::default()) else { return Settings::default() };
    for one in tuned {
        let mut place = Some(&mut all);
        for part in one.parameter.path.split('.') {
            place = place.and_then(|value| value.get_mut(part));
        }
        if let Some(place) = place {
            *place = number(place, one.parameter.measure, one.value);
        }
    }
    serde_json::from_value(all).unwrap_or_default()
}

/// In the form of what stands there.
fn number(before: &Value, measure: Measure, value: f64) -> Value {
    let is_whole = before.is_u64() && matches!(measure, Measure::Count | Measure::Seconds);
    if is_whole { Value::from(value as u64) } else { Value::from(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::Nanos;
    use crate::config::detect::PARAMETERS;
    use crate::config::week::WeekTimes;

    fn calendar() -> Calendar {
        Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), ["2026-10-01".parse().unwrap()], [])
    }

    #[test]
    fn every_parameter_has_its_place_and_takes_its_bounds() {
        for parameter in &PARAMETERS {
            for value in [parameter.least, parameter.most] {
                let tuned = Tuned { parameter, rule: parameter.rule, name: parameter.name, value };
                let all = serde_json::to_value(settings(&[tuned])).unwrap();
                let found = parameter.path.split('.').fold(&all, |value, part| &value[part]).as_f64();
                let found = found.unwrap_or_else(|| panic!("{} is not there", parameter.path));
                assert!((found - value).abs() <= value.abs() * 1e-6, "{}: {found} instead of {value}", parameter.path);
            }
            assert!(Kind::from_word(parameter.rule).is_some(), "{}", parameter.rule);
        }
    }

    #[test]
    fn working_hours_follow_the_calendar() {
        let hours = WeekTimes::parse(["mon-fri 08:00-12:00", "mon-fri 14:00-18:00"]).unwrap();
        let config = DetectSettings { hours, off: vec!["hog"], ..DetectSettings::default() };
        let tuning = Tuning::new(&config, calendar());
        assert_eq!(tuning.off, [Kind::Hog]);
        let office = tuning.office.unwrap();
        // In Shanghai: Wednesday at 09:00, 13:00 and 17:59, Saturday at 09:00, and a holiday that is a Thursday at 09:00.
        for (time, works) in [
            ("2026-09-30T01:00:00Z", true),
            ("2026-09-30T05:00:00Z", false),
            ("2026-09-30T09:59:00Z", true),
            ("2026-10-03T01:00:00Z", false),
            ("2026-10-01T01:00:00Z", false),
        ] {
            let at = time.parse::<jiff::Timestamp>().unwrap();
            assert_eq!(office.works(Nanos(u64::try_from(at.as_nanosecond()).unwrap())), works, "{time}");
        }
        assert!(Tuning::new(&DetectSettings::default(), calendar()).office.is_none());
    }
}
