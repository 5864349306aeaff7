//! The picture of a host as SmokePing draws it: the median round-trip time as a line in the colour of its loss, the spread
//! of the other probes as smoke behind it, gaps hatched with their reason, the figures below. Of a service the line is how
//! long its check took.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::i18n::{Lang, format, text};
use crate::model::Timestamp;
use crate::ping::column::Column;
use crate::series::history::{GapSpan, History};

use super::axis::Scale;
use super::chart::{LEFT, RIGHT, TOP, TimeAxis, value_axis};
use super::legend::{self, Place};
use super::span::Span;
use super::theme::Theme;
use super::{band, svg};

/// From this loss in percent on the next colour counts, with the class of its line.
const LOSSES: [(f64, &str); 5] = [(0.0, "ng-loss0"), (0.01, "ng-loss1"), (10.0, "ng-loss2"), (50.0, "ng-loss3"), (100.0, "ng-loss4")];
/// The height of the strip that shows loss where there is no median.
const STRIP: f64 = 4.0;

/// A picture of one host or service. Build it with [`SmokeChart::new`], fill in what is known besides, then [`SmokeChart::svg`].
#[derive(Clone, Debug)]
pub struct SmokeChart {
    /// Which window it is, for its heading.
    pub span: Span,
    /// The heading.
    pub title: String,
    /// Below it: the address.
    pub subtitle: String,
    /// The start of the first bucket.
    pub from: Timestamp,
    /// The end of the last bucket, not included.
    pub to: Timestamp,
    /// The length of a bucket in seconds.
    pub step_s: u32,
    /// The share of lost probes, percent.
    pub loss: Vec<Option<f64>>,
    /// The times from the shortest to the longest, by [`Column::SPREAD`], milliseconds. Of a service only the median is known.
    pub times: [Vec<Option<f64>>; 5],
    /// The jitter, milliseconds.
    pub jitter: Vec<Option<f64>>,
    /// Where rounds are missing and why.
    pub gaps: Vec<GapSpan>,
    /// The language of all labels.
    pub lang: Lang,
    /// The colours.
    pub theme: Theme,
    /// The time zone of the time axis.
    pub zone: TimeZone,
    /// The width of the whole picture in pixels.
    pub width: u32,
    /// The height of the plot alone in pixels.
    pub plot_height: u32,
}

/// The columns to ask the store for.
pub const COLUMNS: [Column; 7] = [Column::Loss, Column::Min, Column::Q1, Column::Median, Column::Q3, Column::Max, Column::Jitter];

impl SmokeChart {
    /// A picture of an answer of the store that was asked for [`COLUMNS`].
    pub fn new(span: Span, history: &History, zone: TimeZone) -> Self {
        let of = |column: Column, unit: fn(f64) -> f64| -> Vec<Option<f64>> {
            let curve = history.curves.iter().find(|curve| curve.metric == column.metric());
            curve.map(|curve| curve.average.iter().map(|value| value.map(unit)).collect()).unwrap_or_default()
        };
        let loss = of(Column::Loss, Column::percent);
        let buckets = i64::try_from(loss.len()).unwrap_or(0);
        Self {
            span,
            title: String::new(),
            subtitle: String::new(),
            from: history.t0,
            to: Timestamp::from_millis(history.t0.millis() + buckets * i64::from(history.step_s) * 1000),
            step_s: history.step_s,
            loss,
            times: Column::SPREAD.map(|column| of(column, Column::millis)),
            jitter: of(Column::Jitter, Column::millis),
            gaps: history.gaps.clone(),
            lang: Lang::default(),
            theme: Theme::Light,
            zone,
            width: 660,
            plot_height: 160,
        }
    }

    /// The picture.
    pub fn svg(&self) -> String {
        let plot = [LEFT, TOP, (f64::from(self.width) - LEFT - RIGHT).max(50.0), f64::from(self.plot_height.max(20))];
        let reasons = band::reasons(&self.gaps, self.from, self.to);
        let table_top = plot[1] + plot[3] + 36.0;
        let height = table_top + if reasons.is_empty() { 2.0 } else { 3.0 } * legend::LINE + 6.0;
        let mut out = String::with_capacity(32 * 1024);
        self.open(&mut out, height);
        self.heading(&mut out);
        let scale = Scale::fit(self.reach(), None);
        let axis = TimeAxis { from: self.from, to: self.to, zone: &self.zone, lang: self.lang };
        band::draw(&mut out, &self.gaps, plot, (self.from, self.to), &|at| axis.when(at, true), self.lang);
        value_axis(&mut out, plot, scale, "ms");
        axis.draw(&mut out, plot);
        self.smoke(&mut out, plot, scale);
        self.median(&mut out, plot, scale);
        let place = Place { left: plot[0], right: plot[0] + plot[2], top: table_top };
        self.figures(&mut out, place);
        if !reasons.is_empty() {
            legend::gaps(&mut out, Place { top: table_top + 2.0 * legend::LINE, ..place }, &reasons, self.lang);
        }
        out.push_str("</svg>");
        out
    }

    fn medians(&self) -> &[Option<f64>] {
        &self.times[2]
    }

    /// The largest value that has to fit: single stragglers may leave the picture, or nothing else would be seen.
    fn reach(&self) -> f64 {
        let mut upper: Vec<f64> = self.times[3].iter().chain(self.medians()).flatten().copied().collect();
        upper.sort_by(f64::total_cmp);
        let most = upper.last().copied().unwrap_or(0.0);
        let usual = upper.get(upper.len() * 98 / 100).copied().unwrap_or(most);
        most.min(usual * 2.0).max(0.01) * 1.15
    }

    fn open(&self, out: &mut String, height: f64) {
        let width = self.width;
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ng\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\""
        );
        svg::escape(out, &format!("{} {}. {}; {}", self.title, self.subject(), self.rtt_line(), self.loss_line()));
        out.push_str("\">");
        let style = self.theme.style();
        if !style.is_empty() {
            let _ = write!(out, "<style>{style}</style>");
        }
        svg::rect(out, "ng-bg", [0.0, 0.0, f64::from(width), height]);
    }

    fn heading(&self, out: &mut String) {
        let (right, room) = (f64::from(self.width) - RIGHT, f64::from(self.width) - RIGHT - 12.0);
        let axis = TimeAxis { from: self.from, to: self.to, zone: &self.zone, lang: self.lang };
        svg::text(out, "ng-title", 12.0, 20.0, &svg::fit(&self.title, room * 0.6, 14.0));
        svg::text(out, "ng-r", right, 20.0, &self.subject());
        svg::text(out, "", 12.0, 36.0, &svg::fit(&self.subtitle, room * 0.55, 11.0));
        svg::text(out, "ng-r", right, 36.0, &axis.range());
    }

    fn subject(&self) -> String {
        let kind = text(self.lang, "graph-smoke");
        let span = text(self.lang, &format!("graph-span-{}", self.span.word()));
        let step = band::step(self.step_s, self.lang);
        format(self.lang, "graph-subject", &[("kind", kind.into()), ("span", span.into()), ("step", step.into())])
    }

    /// The smoke: from the shortest to the longest time light, the middle half of them darker.
    fn smoke(&self, out: &mut String, plot: [f64; 4], scale: Scale) {
        let [min, q1, _, q3, max] = &self.times;
        for (class, low, high) in [("ng-smoke", min, max), ("ng-smoke2", q1, q3)] {
            let known = |bucket: usize| low.get(bucket).copied().flatten().zip(high.get(bucket).copied().flatten());
            if low.iter().all(Option::is_none) {
                continue;
            }
            svg::path_start(out, class);
            for bucket in 0..low.len() {
                let Some((low, high)) = known(bucket) else { continue };
                let (left, right) = self.edges(plot, bucket);
                let (top, base) = (height_of(plot, scale, high), height_of(plot, scale, low));
                // A spread of nothing is still seen.
                let base = base.max(top + 0.6);
                svg::command(out, 'M', &[left, base]);
                svg::command(out, 'V', &[top]);
                svg::command(out, 'H', &[right]);
                svg::command(out, 'V', &[base]);
                out.push('Z');
            }
            svg::path_end(out);
        }
    }

    /// The median, a path for each class of loss; where everything was lost a strip at the foot.
    fn median(&self, out: &mut String, plot: [f64; 4], scale: Scale) {
        for (at, (from, class)) in LOSSES.iter().enumerate() {
            let below = LOSSES.get(at + 1).map_or(f64::INFINITY, |(next, _)| *next);
            let buckets: Vec<usize> = (0..self.loss.len())
                .filter(|bucket| self.loss.get(*bucket).copied().flatten().is_some_and(|loss| (*from..below).contains(&loss)))
                .collect();
            if buckets.is_empty() {
                continue;
            }
            svg::path_start(out, class);
            for bucket in buckets {
                let (left, right) = self.edges(plot, bucket);
                let y = match self.medians().get(bucket).copied().flatten() {
                    Some(median) => height_of(plot, scale, median),
                    None => plot[1] + plot[3] - STRIP / 2.0,
                };
                svg::command(out, 'M', &[left, y]);
                svg::command(out, 'H', &[right]);
            }
            svg::path_end(out);
        }
        if self.loss.iter().all(Option::is_none) {
            svg::text(out, "ng-empty ng-c", plot[0] + plot[2] / 2.0, plot[1] + plot[3] / 2.0, &text(self.lang, "graph-empty"));
        }
    }

    /// The left and right edge of a bucket.
    fn edges(&self, plot: [f64; 4], bucket: usize) -> (f64, f64) {
        let step = plot[2] * f64::from(self.step_s) * 1000.0 / (self.to.millis() - self.from.millis()).max(1) as f64;
        let left = plot[0] + bucket as f64 * step;
        (left, left + step)
    }

    fn figures(&self, out: &mut String, place: Place) {
        svg::text(out, "ng-num", place.left, place.top, &self.rtt_line());
        let second = place.top + legend::LINE;
        svg::text(out, "ng-num", place.left, second, &self.loss_line());
        // What the colours mean, from the right.
        let mut right = place.right;
        for (from, class) in LOSSES.iter().rev() {
            let label = match *from {
                from if from <= 0.0 => "0".to_owned(),
                from if from < 1.0 => "> 0".to_owned(),
                from if from >= 100.0 => "100 %".to_owned(),
                from => format!("≥ {from}"),
            };
            svg::text(out, "ng-r", right, second, &label);
            right -= legend::width(&label) + 4.0;
            svg::path_start(out, class);
            svg::command(out, 'M', &[right - 12.0, second - 4.0]);
            svg::command(out, 'H', &[right]);
            svg::path_end(out);
            right -= 20.0;
        }
    }

    fn rtt_line(&self) -> String {
        let medians = self.medians();
        let now = medians.iter().rev().take(3).flatten().next().copied();
        let parts = [("graph-current", now), ("graph-average", mean(medians)), ("graph-maximum", most(&self.times[4]).or(most(medians)))];
        let figures = parts.map(|(key, value)| format!("{} {}", text(self.lang, key), millis(value)));
        let jitter = mean(&self.jitter).map(|jitter| format!(" · {} {}", text(self.lang, "graph-jitter"), millis(Some(jitter))));
        format!("{}: {}{}", text(self.lang, "graph-rtt"), figures.join(" · "), jitter.unwrap_or_default())
    }

    fn loss_line(&self) -> String {
        let show = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| super::kind::Unit::Percent.show(value));
        let [average, maximum] = ["graph-average", "graph-maximum"].map(|key| text(self.lang, key));
        let loss = text(self.lang, "graph-loss");
        format!("{loss}: {average} {} · {maximum} {}", show(mean(&self.loss)), show(most(&self.loss)))
    }
}

/// Milliseconds in three significant digits.
pub fn millis(value: Option<f64>) -> String {
    match value {
        None => "—".to_owned(),
        Some(value) if value >= 99.95 => format!("{value:.0} ms"),
        Some(value) if value >= 9.995 => format!("{value:.1} ms"),
        Some(value) if value >= 0.995 => format!("{value:.2} ms"),
        Some(value) => format!("{value:.3} ms"),
    }
}

fn height_of([_, y, _, height]: [f64; 4], scale: Scale, value: f64) -> f64 {
    y + height - (value / scale.top).clamp(0.0, 1.0) * height
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, count) = values.iter().flatten().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn most(values: &[Option<f64>]) -> Option<f64> {
    values.iter().flatten().copied().reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::png;
    use crate::model::Gap;
    use crate::series::history::{Curve, Tier};

    /// 2026-11-23T10:02:00+08:00.
    const NOW: i64 = 1_795_399_320;

    /// A day with an hour of loss, half an hour of silence, and an hour in which nobody measured.
    fn history(span: Span) -> History {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let window = span.window(Timestamp::from_secs(NOW), &zone);
        let buckets = ((window.to.secs() - window.from.secs()) / i64::from(window.step_s)) as usize;
        let value = |column: Column, bucket: usize| match (bucket, column) {
            (200..212, _) => None,
            (100..106, Column::Loss) => Some(10_000.0),
            (100..106, _) => None,
            (60..72, Column::Loss) => Some(2_000.0),
            (_, Column::Loss) => Some(0.0),
            (_, column) => Some(20_000.0 + column as u8 as f64 * 3_000.0 + (bucket as f64 / 9.0).sin() * 5_000.0),
        };
        let curves = COLUMNS.map(|column| Curve {
            metric: column.metric(),
            average: (0..buckets).map(|bucket| value(column, bucket)).collect(),
            maximum: Vec::new(),
            minimum: Vec::new(),
        });
        let at = |bucket: i64| Timestamp::from_secs(window.from.secs() + bucket * i64::from(window.step_s));
        let gaps = vec![GapSpan { from: at(200), to: at(212), reason: Gap::DaemonDown }];
        History { tier: Tier::Raw, t0: window.from, step_s: window.step_s, curves: curves.to_vec(), gaps }
    }

    fn chart(span: Span) -> SmokeChart {
        let mut chart = SmokeChart::new(span, &history(span), TimeZone::get("Asia/Shanghai").unwrap());
        (chart.title, chart.subtitle) = ("www".into(), "192.0.2.80".into());
        chart
    }

    #[test]
    fn the_picture_of_a_day() {
        let svg = chart(Span::Day).svg();
        for part in ["www", "192.0.2.80", "ng-smoke2", "ng-loss0", "ng-loss2", "ng-loss4", "ng-gap"] {
            assert!(svg.contains(part), "{part}");
        }
        // Nothing between 50 and 100 percent but its key in the legend.
        assert_eq!(svg.matches("class=\"ng-loss3\"").count(), 1);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let english = SmokeChart { lang: Lang::En, ..chart(Span::Year) }.svg();
        assert!(english.contains("Round-trip time") && english.contains("Loss"), "{english}");
        assert!(png::render(&chart(Span::Week).svg(), 1.0).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn nothing_known_is_said() {
        let history = History { tier: Tier::Raw, t0: Timestamp::from_secs(NOW), step_s: 300, curves: Vec::new(), gaps: Vec::new() };
        let svg = SmokeChart::new(Span::Day, &history, TimeZone::UTC).svg();
        assert!(svg.contains("ng-empty") && !svg.contains("NaN"));
    }

    #[test]
    fn times_read_in_three_digits() {
        for (value, shown) in [(0.0123, "0.012 ms"), (1.234, "1.23 ms"), (12.34, "12.3 ms"), (234.5, "234 ms")] {
            assert_eq!(millis(Some(value)), shown);
        }
        assert_eq!(millis(None), "—");
    }
}
