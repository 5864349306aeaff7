//! The picture of a port as SVG: in filled, out as a line, maxima thin, 95th percentile dashed, the port's speed as a
//! rule, gaps hatched with their reason, and the figures as a table below.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::i18n::{Lang, format, text};
use crate::model::{PortMetric, Timestamp};
use crate::series::history::{GapSpan, History};

use super::axis::{Scale, local, ticks};
use super::band;
use super::kind::Kind;
use super::legend::{self, Figures, Place};
use super::span::Span;
use super::svg;
use super::theme::Theme;
use super::usual::Usual;

/// One direction over time, in the unit of the picture; one value a bucket, `None` is unknown.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trace {
    /// The average of each bucket.
    pub average: Vec<Option<f64>>,
    /// The largest value between two polls in each bucket; empty when it is not to be drawn.
    pub maximum: Vec<Option<f64>>,
    /// The value now: [`Trace::of`] takes the newest known average when it is recent; callers may know better.
    pub current: Option<f64>,
    /// The 95th percentile of the window (of 5-minute averages, as it is billed).
    pub p95: Option<f64>,
}

/// A picture of one port. Build it with [`PortChart::new`], fill in what is known besides, then [`PortChart::svg`].
#[derive(Clone, Debug)]
pub struct PortChart {
    /// What is drawn.
    pub kind: Kind,
    /// Which window it is, for its heading.
    pub span: Span,
    /// The heading: device and port.
    pub title: String,
    /// Below it: the port's alias; may be empty.
    pub subtitle: String,
    /// The start of the first bucket.
    pub from: Timestamp,
    /// The end of the last bucket, not included.
    pub to: Timestamp,
    /// The length of a bucket in seconds.
    pub step_s: u32,
    /// Inbound.
    pub inbound: Trace,
    /// Outbound.
    pub outbound: Trace,
    /// The port's speed in bits per second.
    pub speed_bps: Option<u64>,
    /// What is usual, in the unit of the picture, a bucket at a time.
    pub usual: Option<Usual>,
    /// Where samples are missing and why.
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

/// An average counts as current when it is one of so many last buckets: the one of now is often not complete yet.
const CURRENT_WITHIN: usize = 3;

pub(super) const LEFT: f64 = 64.0;
pub(super) const RIGHT: f64 = 20.0;
pub(super) const TOP: f64 = 52.0;

impl Trace {
    /// The sum of these metrics of an answer of the store, times `factor`. Maxima are given only for a single metric:
    /// the maxima of several need not fall on one moment.
    pub fn of(history: &History, metrics: &[PortMetric], factor: Option<f64>) -> Self {
        let buckets = history.curves.iter().map(|curve| curve.average.len()).max().unwrap_or(0);
        let Some(factor) = factor else { return Self { average: vec![None; buckets], ..Self::default() } };
        let curves: Vec<_> = history.curves.iter().filter(|curve| metrics.contains(&curve.metric)).collect();
        let average = (0..buckets)
            .map(|index| {
                let known = curves.iter().filter_map(|curve| curve.average.get(index).copied().flatten());
                known.map(|value| value * factor).reduce(|sum, value| sum + value).filter(|value| drawable(*value))
            })
            .collect::<Vec<_>>();
        let maximum = match (metrics, curves.as_slice()) {
            ([_], [one]) => one.maximum.iter().map(|value| value.map(|value| value * factor).filter(|value| drawable(*value))).collect(),
            _ => Vec::new(),
        };
        let current = average.iter().rev().take(CURRENT_WITHIN).flatten().next().copied();
        Self { average, maximum, current, p95: None }
    }

    /// The mean over the known buckets.
    pub fn mean(&self) -> Option<f64> {
        let (sum, count) = self.average.iter().flatten().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// The largest value: of the maxima, else of the averages.
    pub fn peak(&self) -> Option<f64> {
        self.maximum.iter().chain(&self.average).flatten().copied().reduce(f64::max)
    }
}

impl PortChart {
    /// A picture of an answer of the store; `speed_bps` is the port's speed. Chinese, light, 660 x 160 pixels plot
    /// until the fields say otherwise.
    pub fn new(kind: Kind, span: Span, history: &History, speed_bps: Option<u64>, zone: TimeZone) -> Self {
        let factor = kind.factor(speed_bps);
        let inbound = Trace::of(history, kind.inbound(), factor);
        let outbound = Trace::of(history, kind.outbound(), factor);
        let buckets = i64::try_from(inbound.average.len()).unwrap_or(0);
        Self {
            kind,
            span,
            title: String::new(),
            subtitle: String::new(),
            from: history.t0,
            to: Timestamp::from_millis(history.t0.millis() + buckets * i64::from(history.step_s) * 1000),
            step_s: history.step_s,
            inbound,
            outbound,
            speed_bps,
            usual: None,
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
        let plot = self.plot();
        let reasons = band::reasons(&self.gaps, self.from, self.to);
        let table_top = plot[1] + plot[3] + 36.0;
        let lines = 2.0 + [self.usual.is_some(), !reasons.is_empty()].into_iter().map(|is| f64::from(u8::from(is))).sum::<f64>();
        let height = table_top + lines * legend::LINE + 10.0;
        let figures = [Figures::of(&self.inbound), Figures::of(&self.outbound)];

        let mut out = String::with_capacity(24 * 1024);
        self.open(&mut out, height, &figures);
        self.heading(&mut out);
        let scale = Scale::fit(self.reach(), self.rule());
        let axis = self.axis();
        band::draw(&mut out, &self.gaps, plot, (self.from, self.to), &|at| axis.when(at, true), self.lang);
        value_axis(&mut out, plot, scale, self.kind.unit().symbol());
        axis.draw(&mut out, plot);
        self.curves(&mut out, plot, scale);
        self.speed_rule(&mut out, plot, scale);
        let place = Place { left: plot[0], right: plot[0] + plot[2], top: table_top };
        legend::table(&mut out, place, &figures, self.kind.unit(), self.lang);
        if self.usual.is_some() {
            legend::usual(&mut out, Place { top: table_top + 3.0 * legend::LINE, ..place }, self.lang);
        }
        if !reasons.is_empty() {
            legend::gaps(&mut out, Place { top: table_top + lines * legend::LINE, ..place }, &reasons, self.lang);
        }
        out.push_str("</svg>");
        out
    }

    /// The plot as `[x, y, width, height]`.
    fn plot(&self) -> [f64; 4] {
        [LEFT, TOP, (f64::from(self.width) - LEFT - RIGHT).max(50.0), f64::from(self.plot_height.max(20))]
    }

    /// The largest value that has to fit.
    fn reach(&self) -> f64 {
        [&self.inbound, &self.outbound]
            .into_iter()
            .flat_map(|trace| [trace.peak(), trace.p95.filter(|value| drawable(*value))])
            .flatten()
            .fold(0.0, f64::max)
    }

    /// The port's speed in the unit of the picture.
    fn rule(&self) -> Option<f64> {
        match self.kind {
            Kind::Traffic => self.speed_bps.filter(|speed| *speed > 0).map(|speed| speed as f64),
            Kind::Utilisation => self.speed_bps.filter(|speed| *speed > 0).map(|_| 100.0),
            Kind::Packets | Kind::Broadcast | Kind::Errors | Kind::Discards => None,
        }
    }

    fn open(&self, out: &mut String, height: f64, figures: &[Figures; 2]) {
        let width = self.width;
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ng\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\""
        );
        svg::escape(out, &self.summary(figures));
        out.push_str("\">");
        let style = self.theme.style();
        if !style.is_empty() {
            let _ = write!(out, "<style>{style}</style>");
        }
        svg::rect(out, "ng-bg", [0.0, 0.0, f64::from(width), height]);
    }

    /// The picture in one sentence, for those who do not see it.
    fn summary(&self, figures: &[Figures; 2]) -> String {
        let show = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| self.kind.unit().show(value));
        let direction = |key: &str, figures: &Figures| {
            let [average, maximum] = ["graph-average", "graph-maximum"].map(|key| text(self.lang, key));
            format!("{}: {average} {}, {maximum} {}", text(self.lang, key), show(figures.average), show(figures.maximum))
        };
        let [inbound, outbound] = figures;
        format!(
            "{} {}, {}. {}; {}",
            self.title,
            self.subject(),
            self.axis().range(),
            direction("graph-in", inbound),
            direction("graph-out", outbound)
        )
    }

    fn heading(&self, out: &mut String) {
        let right = f64::from(self.width) - RIGHT;
        let room = f64::from(self.width) - RIGHT - 12.0;
        svg::text(out, "ng-title", 12.0, 20.0, &svg::fit(&self.title, room * 0.6, 14.0));
        svg::text(out, "ng-r", right, 20.0, &self.subject());
        let speed = self.speed_bps.filter(|speed| *speed > 0).map(|speed| super::kind::Unit::BitsPerSecond.show(speed as f64));
        let below: Vec<&str> =
            [Some(self.subtitle.as_str()), speed.as_deref()].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        svg::text(out, "", 12.0, 36.0, &svg::fit(&below.join(" · "), room * 0.55, 11.0));
        svg::text(out, "ng-r", right, 36.0, &self.axis().range());
    }

    /// `流量 · 日图（5 分钟平均）`.
    fn subject(&self) -> String {
        let kind = text(self.lang, &format!("graph-kind-{}", self.kind.word()));
        let span = text(self.lang, &format!("graph-span-{}", self.span.word()));
        let step = band::step(self.step_s, self.lang);
        format(self.lang, "graph-subject", &[("kind", kind.into()), ("span", span.into()), ("step", step.into())])
    }

    const fn axis(&self) -> TimeAxis<'_> {
        TimeAxis { from: self.from, to: self.to, zone: &self.zone, lang: self.lang }
    }

    fn curves(&self, out: &mut String, plot: [f64; 4], scale: Scale) {
        let [x, y, width, height] = plot;
        let step = width * f64::from(self.step_s) * 1000.0 / (self.to.millis() - self.from.millis()).max(1) as f64;
        let frame = Frame { x, base: y + height, step, per_value: height / scale.top };
        if let Some(usual) = &self.usual {
            usual.draw(out, &frame, scale.top);
        }
        frame.area(out, "ng-in", &self.inbound.average);
        frame.line(out, "ng-inmax", &self.inbound.maximum);
        frame.line(out, "ng-outmax", &self.outbound.maximum);
        frame.line(out, "ng-out", &self.outbound.average);
        for (class, value) in [("ng-in95", self.inbound.p95), ("ng-out95", self.outbound.p95)] {
            if let Some(value) = value.filter(|value| drawable(*value)) {
                svg::path_start(out, class);
                svg::command(out, 'M', &[x, frame.height_of(value)]);
                svg::command(out, 'h', &[width]);
                svg::path_end(out);
            }
        }
        if self.inbound.average.iter().chain(&self.outbound.average).all(Option::is_none) {
            svg::text(out, "ng-empty ng-c", x + width / 2.0, y + height / 2.0, &text(self.lang, "graph-empty"));
        }
    }

    fn speed_rule(&self, out: &mut String, plot: [f64; 4], scale: Scale) {
        let Some(speed) = self.rule().filter(|speed| *speed <= scale.top) else { return };
        let [x, y, width, height] = plot;
        let at = y + height - speed * height / scale.top;
        svg::path_start(out, "ng-speed");
        svg::command(out, 'M', &[x, at]);
        svg::command(out, 'h', &[width]);
        svg::path_end(out);
        let label = format(self.lang, "graph-speed", &[("speed", self.kind.unit().show(speed).into())]);
        svg::text(out, "ng-r", x + width - 4.0, if at - y < 12.0 { at + 12.0 } else { at - 4.0 }, &label);
    }
}

/// The time axis of a picture.
#[derive(Clone, Copy)]
pub(super) struct TimeAxis<'a> {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) lang: Lang,
}

impl TimeAxis<'_> {
    /// From when to when.
    pub(super) fn range(&self) -> String {
        let clock = self.to.secs() - self.from.secs() < 40 * 86_400;
        format!("{} – {}", self.when(self.from, clock), self.when(self.to, clock))
    }

    /// A time on the picture's own clock.
    pub(super) fn when(&self, at: Timestamp, clock: bool) -> String {
        let Some(at) = local(at, self.zone) else { return "—".to_owned() };
        let mut shown = format!("{}-{:02}-{:02}", at.year(), at.month(), at.day());
        if clock {
            let _ = write!(shown, " {:02}:{:02}", at.hour(), at.minute());
        }
        shown
    }

    /// Draws the axis with its grid.
    pub(super) fn draw(&self, out: &mut String, plot: [f64; 4]) {
        let [x, y, width, height] = plot;
        let scale = width / (self.to.millis() - self.from.millis()).max(1) as f64;
        let place = |at: Timestamp| x + (at.millis() - self.from.millis()) as f64 * scale;
        let ticks = ticks(self.from, self.to, self.zone, self.lang);
        for (class, strong) in [("ng-grid", false), ("ng-axis", true)] {
            svg::path_start(out, class);
            for tick in ticks.iter().filter(|tick| tick.strong == strong && tick.at >= self.from) {
                svg::command(out, 'M', &[place(tick.at), y]);
                svg::command(out, 'v', &[height + if tick.strong || !tick.label.is_empty() { 4.0 } else { 0.0 }]);
            }
            if strong {
                svg::command(out, 'M', &[x, y + height]);
                svg::command(out, 'h', &[width]);
            }
            svg::path_end(out);
        }
        let mut free = x - LEFT;
        for tick in ticks.iter().filter(|tick| !tick.label.is_empty()) {
            let at = place(tick.label_at);
            let half = legend::width(&tick.label) / 2.0;
            if at - half >= free && at + half <= x + width + RIGHT {
                svg::text(out, "ng-c", at, y + height + 15.0, &tick.label);
                free = at + half + 4.0;
            }
        }
    }
}

/// Draws the value axis with its grid.
pub(super) fn value_axis(out: &mut String, [x, y, width, height]: [f64; 4], scale: Scale, unit: &str) {
    svg::path_start(out, "ng-grid");
    for mark in scale.marks().filter(|mark| *mark > 0.0) {
        svg::command(out, 'M', &[x - 4.0, y + height - mark * height / scale.top]);
        svg::command(out, 'h', &[width + 4.0]);
    }
    svg::path_end(out);
    for mark in scale.marks() {
        let label =
            if mark + scale.step > scale.top * 1.000_001 { format!("{}{unit}", spaced(&scale.label(mark))) } else { scale.label(mark) };
        svg::text(out, "ng-r", x - 7.0, y + height - mark * height / scale.top + 4.0, &label);
    }
}

/// A label that the unit can follow: `1 G` takes it at once, `80` needs a space.
fn spaced(label: &str) -> String {
    if label.ends_with(|c: char| c.is_ascii_digit()) { format!("{label} ") } else { label.to_owned() }
}

/// Whether a value can be drawn at all: no counter of 64 bits yields more than this in a second.
fn drawable(value: f64) -> bool {
    (0.0..=1e21).contains(&value)
}

/// From buckets and values to pixels.
pub(super) struct Frame {
    x: f64,
    base: f64,
    step: f64,
    per_value: f64,
}

impl Frame {
    pub(super) fn height_of(&self, value: f64) -> f64 {
        self.base - value * self.per_value
    }

    pub(super) fn at(&self, bucket: usize) -> f64 {
        self.x + bucket as f64 * self.step
    }

    /// Steps through the known values; unknown ones interrupt the line.
    fn line(&self, out: &mut String, class: &str, values: &[Option<f64>]) {
        if values.iter().all(Option::is_none) {
            return;
        }
        svg::path_start(out, class);
        self.steps(out, values, false);
        svg::path_end(out);
    }

    /// The same, closed down to zero.
    fn area(&self, out: &mut String, class: &str, values: &[Option<f64>]) {
        if values.iter().all(Option::is_none) {
            return;
        }
        svg::path_start(out, class);
        self.steps(out, values, true);
        svg::path_end(out);
    }

    fn steps(&self, out: &mut String, values: &[Option<f64>], closed: bool) {
        let mut level: Option<i64> = None;
        for (bucket, value) in values.iter().copied().chain([None]).enumerate() {
            let next = value.map(|value| (self.height_of(value) * 10.0).round() as i64);
            if next == level {
                continue;
            }
            match (level, next) {
                (None, Some(next)) if closed => {
                    svg::command(out, 'M', &[self.at(bucket), self.base]);
                    svg::command(out, 'V', &[next as f64 / 10.0]);
                }
                (None, Some(next)) => svg::command(out, 'M', &[self.at(bucket), next as f64 / 10.0]),
                (_, Some(next)) => {
                    svg::command(out, 'H', &[self.at(bucket)]);
                    svg::command(out, 'V', &[next as f64 / 10.0]);
                }
                (_, None) => {
                    svg::command(out, 'H', &[self.at(bucket)]);
                    if closed {
                        svg::command(out, 'V', &[self.base]);
                        out.push('Z');
                    }
                }
            }
            level = next;
        }
    }
}
