//! The rules over one device's polling.

use std::sync::Arc;
use std::time::Duration;

use super::gauge::Gauge;
use super::plan::{Book, Threshold, Whom};
use crate::model::{Evidence, Fact, Timestamp, Verdict};
use crate::ports::live::{DeviceLive, DeviceState};

const RULES: [&str; 4] = ["device-down", "device-silent", "device-rebooted", "device-poll-late"];
const DOWN: usize = 0;
const SILENT: usize = 1;
const REBOOTED: usize = 2;
const LATE: usize = 3;
/// A start that lies so near the one known is the same start, told from a clock that drifts.
const SAME_START: Duration = Duration::from_secs(120);

/// What is remembered of a device.
#[derive(Debug)]
pub(super) struct DeviceTrack {
    gauges: [Gauge; RULES.len()],
    thresholds: Option<[Option<Threshold>; RULES.len()]>,
    booted: Option<Timestamp>,
    /// When it was seen to have started anew.
    restarted: Option<Timestamp>,
}

impl DeviceTrack {
    /// With what was raised before a restart of the program.
    pub(super) fn new(assumed: &[Arc<str>]) -> Self {
        let gauges = RULES.map(|rule| if assumed.iter().any(|name| **name == *rule) { Gauge::raised() } else { Gauge::default() });
        let restarted = None;
        Self { gauges, thresholds: None, booted: None, restarted }
    }

    /// The configuration has changed.
    pub(super) fn plan_anew(&mut self) {
        self.thresholds = None;
    }

    pub(super) fn raised(&self) -> impl Iterator<Item = &'static str> {
        RULES.into_iter().zip(&self.gauges).filter(|(_, gauge)| gauge.is_raised()).map(|(rule, _)| rule)
    }

    /// Judges a device as it is now.
    pub(super) fn judge(
        &mut self,
        book: &Book,
        whom: Whom<'_>,
        live: &DeviceLive,
        answers: Option<bool>,
        now: Timestamp,
        mut tell: impl FnMut(&'static str, Verdict, Timestamp, Evidence),
    ) {
        let health = &live.health;
        if health.state == DeviceState::Unknown {
            return;
        }
        if let Some(booted) = health.booted {
            if self.booted.is_some_and(|known| booted > known + SAME_START) {
                self.restarted = Some(now);
            }
            self.booted = Some(booted);
        }
        let thresholds = *self.thresholds.get_or_insert_with(|| RULES.map(|rule| book.threshold(rule, whom)));
        for (at, (rule, threshold)) in RULES.into_iter().zip(thresholds).enumerate() {
            let Some(gauge) = self.gauges.get_mut(at) else { continue };
            let Some(mut threshold) = threshold else {
                if gauge.drop_it() {
                    tell(rule, Verdict::Cleared, now, Evidence::new());
                }
                continue;
            };
            let is_down = health.state == DeviceState::Down;
            let yes = |holds: bool| f64::from(u8::from(holds));
            let value = match at {
                // Whoever answers pings is not down, only deaf.
                DOWN => yes(is_down && answers != Some(true)),
                SILENT => yes(is_down && answers == Some(true)),
                REBOOTED => {
                    let shown = threshold.clear_for;
                    threshold.clear_for = Duration::ZERO;
                    yes(self.restarted.is_some_and(|restarted| restarted + shown > now))
                }
                LATE if is_down => continue,
                LATE => health.last_answer.map_or(0.0, |last| now.since(last).as_secs_f64() / f64::from(live.label.interval_s.max(1))),
                _ => continue,
            };
            if let Some(verdict) = gauge.take(value, now, &threshold) {
                let since = if matches!(verdict, Verdict::Raised(_)) && at < REBOOTED { health.since.unwrap_or(now) } else { now };
                tell(rule, verdict, since, evidence(at, value, &threshold, live));
            }
        }
    }
}

fn evidence(at: usize, value: f64, threshold: &Threshold, live: &DeviceLive) -> Evidence {
    let mut evidence = Evidence::new();
    let mut add = |name: &str, fact| evidence.insert(name.to_owned(), fact);
    add("address", Fact::Text(live.label.address.ip().to_string()));
    match at {
        DOWN | SILENT => {
            live.health.last_answer.map(|last| add("last", Fact::Time(last)));
            live.health.gap.map(|gap| add("reason", Fact::Text(gap.word().to_owned())));
        }
        REBOOTED => {
            live.health.booted.map(|booted| add("booted", Fact::Time(booted)));
        }
        _ => {
            add("value", Fact::Count(value as u64));
            add("threshold", Fact::Count(threshold.raise as u64));
        }
    }
    evidence
}
