//! Sparklines: the last hours of a port in a table cell. In filled, out as a line, no axes.

use std::fmt::Write as _;

use super::svg;
use super::theme::Theme;

/// A tiny picture. Both directions share one zero-based scale; unknown values leave a hole.
#[derive(Clone, Copy, Debug)]
pub struct Sparkline<'a> {
    /// Inbound values at equal steps.
    pub inbound: &'a [Option<f64>],
    /// Outbound values at the same steps.
    pub outbound: &'a [Option<f64>],
    /// What it shows in words, for those who do not see it.
    pub label: &'a str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The colours.
    pub theme: Theme,
}

impl Sparkline<'_> {
    /// The picture.
    pub fn svg(&self) -> String {
        let (width, height) = (self.width.max(1), self.height.max(1));
        let known = self.inbound.iter().chain(self.outbound).flatten().copied();
        let top = known.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let mut out = String::with_capacity(512);
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ng\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\""
        );
        svg::escape(&mut out, self.label);
        out.push_str("\">");
        let style = self.theme.style();
        if !style.is_empty() {
            let _ = write!(out, "<style>{style}</style>");
        }
        if top > 0.0 {
            for (class, values, closed) in [("ng-in", self.inbound, true), ("ng-out", self.outbound, false)] {
                curve(&mut out, class, values, closed, (f64::from(width), f64::from(height), top));
            }
        }
        out.push_str("</svg>");
        out
    }
}

fn curve(out: &mut String, class: &str, values: &[Option<f64>], closed: bool, (width, height, top): (f64, f64, f64)) {
    let pace = width / values.len().max(2).saturating_sub(1) as f64;
    let base = height - 0.5;
    let mut last: Option<f64> = None;
    svg::path_start(out, class);
    for (index, value) in values.iter().copied().chain([None]).enumerate() {
        let x = index as f64 * pace;
        let value = value.filter(|value| value.is_finite() && *value >= 0.0);
        match (last, value) {
            (None, Some(value)) => {
                let y = base - value / top * (height - 2.0);
                if closed {
                    svg::command(out, 'M', &[x, base]);
                    svg::command(out, 'L', &[x, y]);
                } else {
                    svg::command(out, 'M', &[x, y]);
                }
            }
            (Some(_), Some(value)) => svg::command(out, 'L', &[x, base - value / top * (height - 2.0)]),
            (Some(_), None) if closed => {
                svg::command(out, 'V', &[base]);
                out.push('Z');
            }
            (_, None) => {}
        }
        last = value;
    }
    svg::path_end(out);
}
