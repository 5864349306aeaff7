//! Writing SVG text: numbers in tenths of a pixel, text that cannot break out of its place.

use std::fmt::Write as _;

/// Appends a coordinate with at most one decimal.
pub(super) fn number(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round() as i64;
    if tenths < 0 {
        out.push('-');
    }
    let tenths = tenths.unsigned_abs();
    let _ = write!(out, "{}", tenths / 10);
    if !tenths.is_multiple_of(10) {
        let _ = write!(out, ".{}", tenths % 10);
    }
}

/// Appends text for element content or a quoted attribute: markup escaped, characters that XML 1.0 forbids left out.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
}

/// Appends `<text>` at a place with a class.
pub(super) fn text(out: &mut String, class: &str, x: f64, y: f64, content: &str) {
    out.push_str("<text");
    if !class.is_empty() {
        let _ = write!(out, " class=\"{class}\"");
    }
    out.push_str(" x=\"");
    number(out, x);
    out.push_str("\" y=\"");
    number(out, y);
    out.push_str("\">");
    escape(out, content);
    out.push_str("</text>");
}

/// Appends `<rect>` without closing it, so that a tooltip can go inside: end with [`end`].
pub(super) fn rect_open(out: &mut String, class: &str, [x, y, width, height]: [f64; 4]) {
    let _ = write!(out, "<rect class=\"{class}\"");
    for (name, value) in [("x", x), ("y", y), ("width", width), ("height", height)] {
        let _ = write!(out, " {name}=\"");
        number(out, value);
        out.push('"');
    }
    out.push('>');
}

/// Appends a closed `<rect>`.
pub(super) fn rect(out: &mut String, class: &str, place: [f64; 4]) {
    rect_open(out, class, place);
    out.push_str("</rect>");
}

/// Begins `<path class=".." d="`: end with [`path_end`].
pub(super) fn path_start(out: &mut String, class: &str) {
    let _ = write!(out, "<path class=\"{class}\" d=\"");
}

/// Ends what [`path_start`] began.
pub(super) fn path_end(out: &mut String) {
    out.push_str("\"/>");
}

/// Appends one drawing command with its numbers.
pub(super) fn command(out: &mut String, letter: char, numbers: &[f64]) {
    out.push(letter);
    for (index, value) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        number(out, *value);
    }
}

/// Cuts a text to a width in pixels, estimated: East Asian characters are one em wide, others about 0.52.
pub(super) fn fit(text: &str, width: f64, em: f64) -> String {
    let advance = |c: char| if c < '\u{2e80}' { 0.52 * em } else { em };
    if text.chars().map(advance).sum::<f64>() <= width {
        return text.to_owned();
    }
    let mut left = width - em;
    let kept: String = text
        .chars()
        .take_while(|c| {
            left -= advance(*c);
            left >= 0.0
        })
        .collect();
    format!("{}…", kept.trim_end())
}
