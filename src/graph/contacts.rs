//! The picture of one machine's day: first contacts in each five minutes as an area, those that failed as a line, and how many
//! different targets they went to as a dashed one. Pure.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::i18n::{Lang, text};
use crate::model::Timestamp;

use super::axis::Scale;
use super::chart::{LEFT, RIGHT, TimeAxis, value_axis};
use super::legend;
use super::svg;
use super::theme::Theme;

/// The upper edge of the plot.
const TOP: f64 = 12.0;

/// What was counted in one step.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Step {
    /// First contacts.
    pub contacts: f64,
    /// Those that failed.
    pub failed: f64,
    /// Different targets.
    pub targets: f64,
}

/// A day of a machine.
#[derive(Clone, Debug)]
pub struct ContactsChart {
    /// The start of the first step.
    pub from: Timestamp,
    /// The end of the last step, not included.
    pub to: Timestamp,
    /// The length of a step in seconds.
    pub step_s: u32,
    /// One for each step; `None` before the machine was first seen.
    pub steps: Vec<Option<Step>>,
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

impl ContactsChart {
    /// The picture.
    pub fn svg(&self) -> String {
        let plot = [LEFT, TOP, (f64::from(self.width) - LEFT - RIGHT).max(50.0), f64::from(self.plot_height.max(20))];
        let height = TOP + plot[3] + 22.0 + legend::LINE + 8.0;
        let mut out = String::with_capacity(16 * 1024);
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ng\" width=\"{0}\" height=\"{height}\" viewBox=\"0 0 {0} {height}\" \
             role=\"img\" aria-label=\"",
            self.width
        );
        svg::escape(&mut out, &self.said());
        out.push_str("\">");
        let style = self.theme.style();
        if !style.is_empty() {
            let _ = write!(out, "<style>{style}</style>");
        }
        svg::rect(&mut out, "ng-bg", [0.0, 0.0, f64::from(self.width), height]);
        let most = self.steps.iter().flatten().map(|step| step.contacts.max(step.failed)).fold(1.0, f64::max);
        let scale = Scale::fit(most * 1.1, None);
        value_axis(&mut out, plot, scale, "");
        TimeAxis { from: self.from, to: self.to, zone: &self.zone, lang: self.lang }.draw(&mut out, plot);
        self.area(&mut out, plot, scale);
        self.line(&mut out, plot, scale, "ng-in95", |step| step.targets);
        self.line(&mut out, plot, scale, "ng-out", |step| step.failed);
        self.key(&mut out, plot[0], TOP + plot[3] + 22.0 + legend::LINE);
        out.push_str("</svg>");
        out
    }

    /// The same in a sentence, for who cannot see it.
    fn said(&self) -> String {
        let sum = |of: fn(&Step) -> f64| self.steps.iter().flatten().map(of).sum::<f64>();
        let (contacts, failed) = (sum(|step| step.contacts), sum(|step| step.failed));
        format!("{} {contacts:.0}; {} {failed:.0}", text(self.lang, "graph-contacts"), text(self.lang, "graph-failed"))
    }

    fn edges(&self, plot: [f64; 4], place: usize) -> (f64, f64) {
        let step = plot[2] * f64::from(self.step_s) * 1000.0 / (self.to.millis() - self.from.millis()).max(1) as f64;
        let left = plot[0] + place as f64 * step;
        (left, left + step)
    }

    fn area(&self, out: &mut String, plot: [f64; 4], scale: Scale) {
        svg::path_start(out, "ng-in");
        let base = plot[1] + plot[3];
        for (place, step) in self.steps.iter().enumerate() {
            let Some(step) = step.filter(|step| step.contacts > 0.0) else { continue };
            let (left, right) = self.edges(plot, place);
            svg::command(out, 'M', &[left, base]);
            svg::command(out, 'V', &[height_of(plot, scale, step.contacts)]);
            svg::command(out, 'H', &[right]);
            svg::command(out, 'V', &[base]);
            out.push('Z');
        }
        svg::path_end(out);
    }

    /// A line of steps; where nothing was counted it stays at the foot, before the machine was seen there is none.
    fn line(&self, out: &mut String, plot: [f64; 4], scale: Scale, class: &str, of: fn(&Step) -> f64) {
        if self.steps.iter().flatten().all(|step| of(step) <= 0.0) {
            return;
        }
        svg::path_start(out, class);
        let mut is_drawing = false;
        for (place, step) in self.steps.iter().enumerate() {
            let Some(step) = step else {
                is_drawing = false;
                continue;
            };
            let ((left, right), y) = (self.edges(plot, place), height_of(plot, scale, of(step)));
            if is_drawing {
                svg::command(out, 'V', &[y]);
            } else {
                svg::command(out, 'M', &[left, y]);
            }
            svg::command(out, 'H', &[right]);
            is_drawing = true;
        }
        svg::path_end(out);
    }

    fn key(&self, out: &mut String, left: f64, y: f64) {
        let mut x = left;
        for (class, key) in [("ng-in", "graph-contacts"), ("ng-out", "graph-failed"), ("ng-in95", "graph-targets")] {
            if class == "ng-in" {
                svg::rect(out, class, [x, y - 8.5, 16.0, 8.0]);
            } else {
                svg::path_start(out, class);
                svg::command(out, 'M', &[x, y - 4.5]);
                svg::command(out, 'h', &[16.0]);
                svg::path_end(out);
            }
            let label = text(self.lang, key);
            svg::text(out, "ng-num", x + 22.0, y, &label);
            x += 22.0 + legend::width(&label) + 20.0;
        }
    }
}

fn height_of([_, y, _, height]: [f64; 4], scale: Scale, value: f64) -> f64 {
    y + height - (value / scale.top).clamp(0.0, 1.0) * height
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::png;

    fn chart(steps: Vec<Option<Step>>) -> ContactsChart {
        let from = Timestamp::from_secs(1_795_363_200);
        ContactsChart {
            from,
            to: Timestamp::from_secs(from.secs() + 300 * steps.len() as i64),
            step_s: 300,
            steps,
            lang: Lang::En,
            theme: Theme::Light,
            zone: TimeZone::UTC,
            width: 660,
            plot_height: 140,
        }
    }

    #[test]
    fn a_day_is_drawn_and_said() {
        let seen = |place: usize| (place >= 100).then_some(Step { contacts: place as f64, failed: 40.0, targets: 30.0 });
        let svg = chart((0..288).map(seen).collect()).svg();
        assert!(svg.contains("Failed 7520"), "{svg}");
        for class in ["ng-in\"", "ng-out\"", "ng-in95\""] {
            assert!(svg.contains(class), "{class}");
        }
        assert!(png::render(&svg, 1.0).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn nothing_at_all_is_a_picture_too() {
        for steps in [Vec::new(), vec![None; 288], vec![Some(Step::default()); 288]] {
            let svg = chart(steps).svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
