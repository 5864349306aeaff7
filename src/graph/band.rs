//! Gaps in the picture: hatched bands with their reason, and the sum of each reason for the legend.

use crate::i18n::{Lang, format, text};
use crate::model::{Gap, Timestamp};
use crate::series::history::GapSpan;

use super::svg;

/// Bands narrower than this are only tinted: hatching would be mud.
const HATCHED_FROM: f64 = 4.0;

/// A band in pixels with what it stands for.
struct Band {
    left: f64,
    right: f64,
    span: GapSpan,
}

/// Draws the gaps into the plot `[x, y, width, height]` that shows `from` to `to`. Neighbours with one reason that
/// touch on the screen become one band.
pub(super) fn draw(
    out: &mut String,
    gaps: &[GapSpan],
    plot: [f64; 4],
    (from, to): (Timestamp, Timestamp),
    when: &dyn Fn(Timestamp) -> String,
    lang: Lang,
) {
    let [x, y, width, height] = plot;
    let scale = width / (to.millis() - from.millis()).max(1) as f64;
    let place = |at: Timestamp| x + (at.millis().clamp(from.millis(), to.millis()) - from.millis()) as f64 * scale;
    let mut bands: Vec<Band> = Vec::new();
    for span in clipped(gaps, from, to) {
        let left = place(span.from).min(x + width - 1.0);
        let right = place(span.to).max(left + 1.0);
        match bands.last_mut() {
            Some(last) if last.span.reason == span.reason && left - last.right < 1.0 => {
                last.right = right.max(last.right);
                last.span.to = span.to.max(last.span.to);
            }
            _ => bands.push(Band { left, right, span }),
        }
    }
    let mut hatch = String::new();
    for Band { left, right, span } in &bands {
        svg::rect_open(out, "ng-gap", [*left, y, right - left, height]);
        out.push_str("<title>");
        svg::escape(out, &format!("{} – {}: {}", when(span.from), when(span.to), reason(span.reason, lang)));
        out.push_str("</title></rect>");
        if right - left >= HATCHED_FROM {
            diagonals(&mut hatch, [*left, y, *right, y + height], 6.0);
        }
    }
    if !hatch.is_empty() {
        svg::path_start(out, "ng-hatch");
        out.push_str(&hatch);
        svg::path_end(out);
    }
}

/// The reasons in a window with their total length in seconds, longest first.
pub(super) fn reasons(gaps: &[GapSpan], from: Timestamp, to: Timestamp) -> Vec<(Gap, i64)> {
    let mut sums: Vec<(Gap, i64)> = Vec::new();
    for span in clipped(gaps, from, to) {
        let seconds = (span.to.millis() - span.from.millis()) / 1000;
        match sums.iter_mut().find(|(gap, _)| *gap == span.reason) {
            Some((_, sum)) => *sum += seconds,
            None => sums.push((span.reason, seconds)),
        }
    }
    sums.sort_by_key(|(gap, seconds)| (std::cmp::Reverse(*seconds), *gap));
    sums
}

/// The words of a reason.
pub(super) fn reason(gap: Gap, lang: Lang) -> String {
    text(lang, &format!("gap-{}", gap.word().replace('_', "-")))
}

/// A length of time in its two largest units: `2 h 5 min`, `3 d`.
pub(super) fn duration(seconds: i64, lang: Lang) -> String {
    let minutes = (seconds + 30) / 60;
    let count = |key: &str, n: i64| format(lang, key, &[("n", n.to_string().into())]);
    let parts = match minutes {
        ..1 => return count("graph-seconds", seconds),
        1..60 => return count("graph-minutes", minutes),
        60..2880 => [("graph-hours", minutes / 60), ("graph-minutes", minutes % 60)],
        _ => [("graph-days", minutes / 1440), ("graph-hours", minutes % 1440 / 60)],
    };
    parts.iter().filter(|(_, n)| *n > 0).map(|(key, n)| count(key, *n)).collect::<Vec<_>>().join(" ")
}

/// A step as an adjective of "average": `5-minute`.
pub(super) fn step(seconds: u32, lang: Lang) -> String {
    let (key, count) = match seconds {
        s if s % 86_400 == 0 => ("graph-step-days", s / 86_400),
        s if s % 3600 == 0 => ("graph-step-hours", s / 3600),
        s if s % 60 == 0 => ("graph-step-minutes", s / 60),
        s => ("graph-step-seconds", s),
    };
    format(lang, key, &[("n", count.to_string().into())])
}

fn clipped(gaps: &[GapSpan], from: Timestamp, to: Timestamp) -> impl Iterator<Item = GapSpan> {
    gaps.iter().filter(move |gap| gap.to > from && gap.from < to && gap.to > gap.from).map(move |gap| GapSpan {
        from: gap.from.max(from),
        to: gap.to.min(to),
        reason: gap.reason,
    })
}

/// Diagonal lines through a rectangle `[left, top, right, bottom]`, on one grid for the whole picture so that bands match.
fn diagonals(out: &mut String, [left, top, right, bottom]: [f64; 4], pace: f64) {
    let mut sum = ((left + top) / pace).ceil() * pace;
    while sum < right + bottom {
        let (x0, x1) = ((sum - bottom).max(left), (sum - top).min(right));
        if x1 > x0 {
            svg::command(out, 'M', &[x0, sum - x0]);
            svg::command(out, 'L', &[x1, sum - x1]);
        }
        sum += pace;
    }
}
