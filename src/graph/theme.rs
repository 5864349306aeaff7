//! The colours of the pictures, named once: everything that draws traffic takes them from here.
//! The two hues are chosen so that people with any of the three colour blindnesses tell them apart (tested below).

use std::fmt::Write as _;
use std::sync::LazyLock;

/// For which surroundings a picture is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Theme {
    /// Light, with the colours written in: mail and print.
    Light,
    /// Dark, with the colours written in.
    Dark,
    /// A file of its own that follows the reader's preference (`prefers-color-scheme`).
    Auto,
    /// Inside a page that carries [`page_css`] in its style sheet: nothing but class names, so that a strict
    /// Content-Security-Policy need not allow inline styles.
    Page,
}

/// A named colour: CSS custom property, light, dark.
type Token = (&'static str, &'static str, &'static str);

/// All colours.
pub const TOKENS: [Token; 15] = [
    ("--ng-bg", "#ffffff", "#14181d"),
    ("--ng-text", "#1d2329", "#e6eaee"),
    ("--ng-muted", "#59636e", "#9aa5b1"),
    ("--ng-grid", "#e3e7eb", "#2a313a"),
    ("--ng-axis", "#aab3bc", "#4b5663"),
    ("--ng-in", "#17a2a6", "#1f959a"),
    ("--ng-out", "#7a1f7d", "#f5c6f7"),
    ("--ng-gap", "#f1efe9", "#232426"),
    ("--ng-hatch", "#b9b2a2", "#5d5a52"),
    ("--ng-smoke", "#7f8b96", "#93a0ad"),
    ("--ng-loss0", "#12823b", "#3fbf6c"),
    ("--ng-loss1", "#1672d0", "#5aa9f5"),
    ("--ng-loss2", "#8a3fd1", "#b98bf2"),
    ("--ng-loss3", "#c2570c", "#f2954a"),
    ("--ng-loss4", "#c41230", "#ff6b7d"),
];

/// The families asked for: what the reader's system has for Chinese first, then our own subset.
const FAMILIES: &str = "\"PingFang SC\",\"Microsoft YaHei\",\"Noto Sans CJK SC\",\"WenQuanYi Micro Hei\",sans-serif";

/// The one font of images that we rasterise ourselves.
const EMBEDDED: &str = "\"WenQuanYi Micro Hei\"";

/// The rules behind the class names, in terms of the tokens.
const RULES: &str = "\
.ng-bg{fill:var(--ng-bg)}\
.ng text{font-size:11px;fill:var(--ng-muted)}\
.ng .ng-title{font-size:14px;font-weight:600;fill:var(--ng-text)}\
.ng .ng-num{fill:var(--ng-text);font-variant-numeric:tabular-nums}\
.ng .ng-r{text-anchor:end}\
.ng .ng-c{text-anchor:middle}\
.ng .ng-empty{font-size:13px;fill:var(--ng-text);stroke:var(--ng-bg);stroke-width:5px;stroke-linejoin:round;paint-order:stroke}\
.ng-grid{stroke:var(--ng-grid);fill:none}\
.ng-axis{stroke:var(--ng-axis);fill:none}\
.ng-in{fill:var(--ng-in);fill-opacity:.45;stroke:var(--ng-in);stroke-width:1}\
.ng-inusual{fill:var(--ng-in);fill-opacity:.16}\
.ng-outusual{fill:var(--ng-out);fill-opacity:.14}\
.ng-out{fill:none;stroke:var(--ng-out);stroke-width:1.3}\
.ng-inmax{fill:none;stroke:var(--ng-in);stroke-width:.7;stroke-opacity:.75}\
.ng-outmax{fill:none;stroke:var(--ng-out);stroke-width:.6;stroke-opacity:.6}\
.ng-in95{fill:none;stroke:var(--ng-in);stroke-width:1.2;stroke-dasharray:6 3}\
.ng-out95{fill:none;stroke:var(--ng-out);stroke-width:1.2;stroke-dasharray:6 3}\
.ng-speed{fill:none;stroke:var(--ng-muted);stroke-width:1.2}\
.ng-smoke{fill:var(--ng-smoke);fill-opacity:.25}\
.ng-smoke2{fill:var(--ng-smoke);fill-opacity:.4}\
.ng-loss0{fill:none;stroke:var(--ng-loss0);stroke-width:2.2}\
.ng-loss1{fill:none;stroke:var(--ng-loss1);stroke-width:2.2}\
.ng-loss2{fill:none;stroke:var(--ng-loss2);stroke-width:2.4}\
.ng-loss3{fill:none;stroke:var(--ng-loss3);stroke-width:2.6}\
.ng-loss4{fill:none;stroke:var(--ng-loss4);stroke-width:4}\
.ng .ng-disc{fill:var(--ng-loss0);stroke-width:0}\
.ng .ng-cross{stroke-width:1.6}\
.ng .ng-self{fill:var(--ng-bg)}\
.ng-gap{fill:var(--ng-gap)}\
.ng-hatch{fill:none;stroke:var(--ng-hatch);stroke-width:.8}";

/// Style rules for a page that shows pictures of [`Theme::Page`]. Follows the system's preference, and
/// `<html data-theme="light|dark">` where the page sets one.
pub fn page_css() -> &'static str {
    static CSS: LazyLock<String> = LazyLock::new(|| {
        let light = properties(|token| token.1);
        let dark = properties(|token| token.2);
        format!(
            ":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\
             :root[data-theme=light]{{{light}}}:root[data-theme=dark]{{{dark}}}.ng{{font-family:{FAMILIES}}}{RULES}"
        )
    });
    &CSS
}

impl Theme {
    /// The content of the picture's own `<style>`, empty when the page has the rules.
    pub(super) fn style(self) -> &'static str {
        static LIGHT: LazyLock<String> = LazyLock::new(|| literal(|token| token.1));
        static DARK: LazyLock<String> = LazyLock::new(|| literal(|token| token.2));
        static AUTO: LazyLock<String> = LazyLock::new(|| {
            let (light, dark) = (properties(|token| token.1), properties(|token| token.2));
            format!(".ng{{{light}}}@media(prefers-color-scheme:dark){{.ng{{{dark}}}}}.ng{{font-family:{FAMILIES}}}{RULES}")
        });
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
            Self::Auto => &AUTO,
            Self::Page => "",
        }
    }
}

fn properties(pick: impl Fn(&Token) -> &'static str) -> String {
    let mut css = String::new();
    for token in &TOKENS {
        let _ = write!(css, "{}:{};", token.0, pick(token));
    }
    css
}

/// The rules with the colours written in, for renderers without custom properties.
fn literal(pick: impl Fn(&Token) -> &'static str) -> String {
    let rules = TOKENS.iter().fold(RULES.to_owned(), |css, token| css.replace(&format!("var({})", token.0), pick(token)));
    format!(".ng{{font-family:{EMBEDDED}}}{rules}")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rgb = [f64; 3];

    fn linear(hex: &str) -> Rgb {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        [channel(1), channel(3), channel(5)]
    }

    fn token(name: &str, dark: bool) -> Rgb {
        let token = TOKENS.iter().find(|token| token.0 == name).unwrap();
        linear(if dark { token.2 } else { token.1 })
    }

    fn luminance(rgb: Rgb) -> f64 {
        0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    }

    /// Contrast ratio of WCAG 2.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Distance in CIE L*a*b* (D65).
    fn distance(one: Rgb, other: Rgb) -> f64 {
        let lab = |rgb: Rgb| {
            let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
            let x = f((0.4124 * rgb[0] + 0.3576 * rgb[1] + 0.1805 * rgb[2]) / 0.950_47);
            let y = f(luminance(rgb));
            let z = f((0.0193 * rgb[0] + 0.1192 * rgb[1] + 0.9505 * rgb[2]) / 1.088_83);
            [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
        };
        lab(one).iter().zip(lab(other)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// What the three colour blindnesses make of a colour (Machado, Oliveira, Fernandes 2009, severity 1).
    fn seen(rgb: Rgb, matrix: [Rgb; 3]) -> Rgb {
        matrix.map(|row| (row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2]).clamp(0.0, 1.0))
    }

    const BLINDNESS: [(&str, [Rgb; 3]); 3] = [
        ("protanopia", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        ("deuteranopia", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
        ("tritanopia", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
    ];

    #[test]
    fn in_and_out_are_told_apart_by_everybody() {
        for dark in [false, true] {
            let (inbound, outbound) = (token("--ng-in", dark), token("--ng-out", dark));
            assert!(distance(inbound, outbound) > 40.0);
            for (name, matrix) in BLINDNESS {
                let apart = distance(seen(inbound, matrix), seen(outbound, matrix));
                assert!(apart > 25.0, "{name}, dark {dark}: {apart:.1}");
            }
        }
    }

    #[test]
    fn texts_and_lines_stand_out_from_the_ground() {
        for dark in [false, true] {
            for (name, least) in [
                ("--ng-text", 7.0),
                ("--ng-muted", 4.5),
                ("--ng-in", 3.0),
                ("--ng-out", 3.0),
                ("--ng-loss0", 3.0),
                ("--ng-loss1", 3.0),
                ("--ng-loss2", 3.0),
                ("--ng-loss3", 3.0),
                ("--ng-loss4", 3.0),
            ] {
                for ground in ["--ng-bg", "--ng-gap"] {
                    let ratio = contrast(token(name, dark), token(ground, dark));
                    // Curves are not drawn over gaps.
                    let least = if ground == "--ng-gap" && least < 4.5 { 1.0 } else { least };
                    assert!(ratio >= least, "{name} on {ground}, dark {dark}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn every_colour_of_the_rules_is_a_token() {
        for style in [Theme::Light.style(), Theme::Dark.style()] {
            assert!(!style.contains("var("), "{style}");
        }
        assert!(page_css().contains("var(--ng-in)") && !page_css().contains("<"));
    }
}
