//! The table under the plot: current, average, maximum and 95th percentile of both directions, and the gaps in words.

use crate::i18n::{Lang, text};
use crate::model::Gap;

use super::band;
use super::chart::Trace;
use super::kind::Unit;
use super::svg;

/// The height of one line in pixels.
pub(super) const LINE: f64 = 17.0;

/// Where the table stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) right: f64,
    /// The baseline of the head.
    pub(super) top: f64,
}

/// The four figures of one direction; `None` is unknown.
pub(super) struct Figures {
    pub(super) current: Option<f64>,
    pub(super) average: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) p95: Option<f64>,
}

impl Figures {
    pub(super) fn of(trace: &Trace) -> Self {
        Self { current: trace.current, average: trace.mean(), maximum: trace.peak(), p95: trace.p95 }
    }

    fn cells(&self) -> [Option<f64>; 4] {
        [self.current, self.average, self.maximum, self.p95]
    }
}

/// Draws the table: its head, then one line a direction.
pub(super) fn table(out: &mut String, place: Place, figures: &[Figures; 2], unit: Unit, lang: Lang) {
    let columns = columns(place);
    for (index, (column, key)) in columns.iter().zip(["graph-current", "graph-average", "graph-maximum", "graph-p95"]).enumerate() {
        let head = text(lang, key);
        let sample = match index {
            2 => Some("ng-inmax"),
            3 => Some("ng-in95"),
            _ => None,
        };
        if let Some(class) = sample {
            let end = column - width(&head) - 5.0;
            svg::path_start(out, class);
            svg::command(out, 'M', &[end - 18.0, place.top - 4.0]);
            svg::command(out, 'H', &[end]);
            svg::path_end(out);
        }
        svg::text(out, "ng-r", *column, place.top, &head);
    }
    for (row, (figures, (key, class))) in figures.iter().zip([("graph-in", "ng-in"), ("graph-out", "ng-out")]).enumerate() {
        let y = place.top + LINE * (row as f64 + 1.0);
        if class == "ng-in" {
            svg::rect(out, class, [place.left, y - 8.5, 16.0, 8.0]);
        } else {
            svg::path_start(out, class);
            svg::command(out, 'M', &[place.left, y - 4.5]);
            svg::command(out, 'h', &[16.0]);
            svg::path_end(out);
        }
        svg::text(out, "ng-num", place.left + 22.0, y, &text(lang, key));
        for (column, value) in columns.iter().zip(figures.cells()) {
            let shown = value.map_or_else(|| "—".to_owned(), |value| unit.show(value));
            svg::text(out, "ng-num ng-r", *column, y, &shown);
        }
    }
}

/// Draws the line that says what the bands are.
pub(super) fn usual(out: &mut String, place: Place, lang: Lang) {
    for (class, shift) in [("ng-inusual", 0.0), ("ng-outusual", 8.0)] {
        svg::rect(out, class, [place.left + shift, place.top - 8.5, 8.0, 8.0]);
    }
    svg::text(out, "", place.left + 22.0, place.top, &svg::fit(&text(lang, "graph-usual"), place.right - place.left - 22.0, 11.0));
}

/// Draws the line that names the gaps, longest first.
pub(super) fn gaps(out: &mut String, place: Place, reasons: &[(Gap, i64)], lang: Lang) {
    let swatch = [place.left, place.top - 8.5, 16.0, 8.0];
    svg::rect(out, "ng-gap", swatch);
    svg::path_start(out, "ng-hatch");
    for shift in [2.0, 7.0, 12.0] {
        svg::command(out, 'M', &[place.left + shift - 2.0, place.top - 0.5]);
        svg::command(out, 'l', &[6.0, -8.0]);
    }
    svg::path_end(out);
    let named: Vec<String> =
        reasons.iter().take(3).map(|(gap, seconds)| format!("{} {}", band::reason(*gap, lang), band::duration(*seconds, lang))).collect();
    let more = if reasons.len() > 3 { " …" } else { "" };
    let line = format!("{}{}{more}", text(lang, "graph-no-data-because"), named.join(&text(lang, "graph-between")));
    svg::text(out, "", place.left + 22.0, place.top, &svg::fit(&line, place.right - place.left - 22.0, 11.0));
}

/// The right edges of the four columns.
fn columns(place: Place) -> [f64; 4] {
    let width = place.right - place.left;
    [0.37, 0.56, 0.77, 1.0].map(|share| place.left + width * share)
}

/// The width of a short head in pixels, estimated.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(|c| if c < '\u{2e80}' { 6.2 } else { 11.0 }).sum()
}
