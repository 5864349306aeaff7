//! The campus's past as the polls that would have seen it, for the store's writer: a fine grid for the last days, a coarse
//! one for the year before.

use std::sync::Arc;
use std::time::Duration;

use super::{Campus, Reader};
use crate::model::sample::{DeviceSample, PortSample};
use crate::model::{DeviceId, Gap, PortId, Timestamp};

/// The numbers that the catalogue has given to a switch and its ports, in the order of [`Campus::inventory`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryIds {
    /// The switch.
    pub device: DeviceId,
    /// Its ports; `None` for one that is not kept.
    pub ports: Vec<Option<PortId>>,
}

/// A stretch of the past with one interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// How long before now it begins; it ends where the next one begins.
    pub back: Duration,
    /// The interval between its polls, seconds.
    pub interval_s: u32,
}

/// A little over a year, each part as fine as the graph that shows it: two hours for the year, a quarter for the month,
/// 5 minutes for the week, and the last day as it is polled today.
pub fn default_spans() -> Vec<Span> {
    const HOUR: Duration = Duration::from_secs(3600);
    vec![
        Span { back: HOUR * 24 * 400, interval_s: 7200 },
        Span { back: HOUR * 24 * 35, interval_s: 900 },
        Span { back: HOUR * 24 * 8, interval_s: 300 },
        Span { back: HOUR * 30, interval_s: 60 },
    ]
}

/// Polls of the past in the order of time, device after device at each moment.
#[derive(Debug)]
pub struct History {
    campus: Arc<Campus>,
    ids: Vec<HistoryIds>,
    reader: Reader,
    /// Start and interval (s) of what is still to come, the first last.
    spans: Vec<(Timestamp, u32)>,
    until: Timestamp,
    at: Timestamp,
    interval_s: u32,
    device: usize,
    /// For each device, when it last answered.
    answered: Vec<Option<Timestamp>>,
}

impl History {
    /// The polls from the first span to `until`, not included.
    pub fn new(campus: Arc<Campus>, ids: Vec<HistoryIds>, spans: &[Span], until: Timestamp) -> Self {
        let start = |span: &Span| ((until - span.back).floor_to(i64::from(span.interval_s) * 1000), span.interval_s);
        let mut spans: Vec<_> = spans.iter().filter(|span| span.interval_s > 0).map(start).collect();
        spans.sort_by_key(|&(start, _)| std::cmp::Reverse(start));
        let (at, interval_s) = spans.pop().unwrap_or((until, 60));
        let reader = campus.reader();
        let answered = vec![None; ids.len()];
        Self { campus, ids, reader, spans, until, at, interval_s, device: 0, answered }
    }

    /// On to the next moment, and over to the next span where it begins.
    fn advance(&mut self) {
        self.device = 0;
        self.at = self.at + Duration::from_secs(u64::from(self.interval_s));
        if let Some(&(start, interval_s)) = self.spans.last()
            && self.at >= start
        {
            self.at = start.max(self.at.floor_to(i64::from(interval_s) * 1000));
            self.interval_s = interval_s;
            self.spans.pop();
        }
    }

    fn poll(&mut self) -> Option<DeviceSample> {
        let ids = self.ids.get(self.device)?;
        let (at, interval_s) = (self.at, self.interval_s);
        let sample = |gap, rows| DeviceSample { device: ids.device, time: at, interval_s, gap, rows };
        if !self.campus.answers(self.device, at) {
            return Some(sample(Some(Gap::Timeout), Vec::new()));
        }
        let booted = self.campus.booted(self.device, at)?;
        let mark = match self.answered.get(self.device).copied().flatten() {
            None => Some(Gap::First),
            Some(before) if before < booted => Some(Gap::Reset),
            Some(_) => None,
        };
        if let Some(answered) = self.answered.get_mut(self.device) {
            *answered = Some(at);
        }
        let counters = self.campus.counters(&mut self.reader, self.device, at);
        let rows = ids
            .ports
            .iter()
            .zip(counters)
            .filter_map(|(port, counters)| Some(PortSample { port: (*port)?, skew_ms: 0, mark, values: counters.map(Some) }));
        Some(sample(None, rows.collect()))
    }
}

impl Iterator for History {
    type Item = DeviceSample;

    fn next(&mut self) -> Option<DeviceSample> {
        if self.device >= self.ids.len() {
            self.advance();
        }
        if self.ids.is_empty() || self.at >= self.until {
            return None;
        }
        let sample = self.poll();
        self.device += 1;
        sample
    }
}
