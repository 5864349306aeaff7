//! Small pieces of markup that many pages share: state marks, numbers with units, bars, sparklines.
//! Each is a value that writes itself as safe HTML; text inside is escaped here and nowhere else.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

use super::figure::Figure;
use super::spark::Spark;
use super::words::Words;
use crate::ports::live::{DeviceState, PortState};

/// Markup that is already safe.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Html(pub(crate) String);

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

impl Html {
    /// Whether there is nothing to show.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text for element content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The marks of the symbol sheet at the top of each page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    /// A disc: up.
    Up,
    /// A triangle: answers, but not whole.
    Degraded,
    /// A filled square: a device is down.
    Down,
    /// An open square: a port has no link.
    NoLink,
    /// A barred circle: shut by an administrator.
    Shut,
    /// A diamond: not known.
    Unknown,
}

impl Mark {
    const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::NoLink => "nolink",
            Self::Shut => "shut",
            Self::Unknown => "unknown",
        }
    }

    /// The mark alone, for places where its word stands near or in a title.
    pub(crate) fn html(self) -> Html {
        let name = self.name();
        Html(format!("<svg class=\"m m-{name}\" aria-hidden=\"true\"><use href=\"#m-{name}\"/></svg>"))
    }

    /// The mark with its word.
    pub(crate) fn with(self, word: &str) -> Html {
        Html(format!("<span class=\"st st-{}\">{}{}</span>", self.name(), self.html(), escape(word)))
    }
}

impl From<DeviceState> for Mark {
    fn from(state: DeviceState) -> Self {
        match state {
            DeviceState::Up => Self::Up,
            DeviceState::Degraded => Self::Degraded,
            DeviceState::Down => Self::Down,
            DeviceState::Unknown => Self::Unknown,
        }
    }
}

impl From<PortState> for Mark {
    fn from(state: PortState) -> Self {
        match state {
            PortState::Up => Self::Up,
            PortState::Down => Self::NoLink,
            PortState::Shut => Self::Shut,
            PortState::Unknown => Self::Unknown,
        }
    }
}

/// A device's state: mark and word.
pub(crate) fn device_state(words: Words, state: DeviceState) -> Html {
    Mark::from(state).with(&words.device_state(state))
}

/// A port's state: mark and word.
pub(crate) fn port_state(words: Words, state: PortState) -> Html {
    Mark::from(state).with(&words.port_state(state))
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Some(why) => {
                let why = escape(why);
                write!(f, "<span class=\"n none\" title=\"{why}\">—<span class=\"vh\">{why}</span></span>")
            }
            None if self.unit.is_empty() => write!(f, "<span class=\"n\">{}</span>", escape(&self.value)),
            // A zero is known and calm: it steps back behind what moves.
            None if self.value == "0" => write!(f, "<span class=\"n zero\">0 <small>{}</small></span>", escape(&self.unit)),
            None => write!(f, "<span class=\"n\">{} <small>{}</small></span>", escape(&self.value), escape(&self.unit)),
        }
    }
}

impl HtmlSafe for Figure {}

/// A utilisation as a bar; past 90 % it is drawn hot. Decoration: the number stands beside it.
pub(crate) fn bar(percent: Option<f64>) -> Html {
    let hot = percent.is_some_and(|percent| percent >= HOT_PERCENT);
    bar_of(percent.unwrap_or(0.0), if hot { " hot" } else { "" })
}

/// A share of a whole, 0 to 1, as a bar.
pub(crate) fn share(share: f64) -> Html {
    bar_of(share * 100.0, "")
}

fn bar_of(percent: f64, hot: &str) -> Html {
    let width = percent.clamp(0.0, 100.0);
    Html(format!(
        "<svg class=\"bar{hot}\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"{width:.1}\" height=\"4\"/></svg>"
    ))
}

/// From this utilisation on a port is called nearly full.
pub(crate) const HOT_PERCENT: f64 = 90.0;

const SPARK_WIDTH: f64 = 120.0;
const SPARK_HEIGHT: f64 = 28.0;

/// In as an area, out as a line, over the last day; one scale, from zero.
pub(crate) fn spark(spark: Option<&Spark>) -> Html {
    let mut svg =
        format!("<svg class=\"spark\" viewBox=\"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    if let Some(spark) = spark {
        let top = spark.inbound.iter().chain(&spark.outbound).flatten().fold(1.0_f32, |top, value| top.max(*value));
        let _ = write!(svg, "<path class=\"sa\" d=\"{}\"/>", trace(&spark.inbound, top, true));
        let _ = write!(svg, "<path class=\"sl\" d=\"{}\"/>", trace(&spark.outbound, top, false));
    }
    svg.push_str("</svg>");
    Html(svg)
}

fn trace(values: &[Option<f32>], top: f32, area: bool) -> String {
    let mut path = String::with_capacity(values.len() * 8);
    let step = SPARK_WIDTH / (values.len().max(2) - 1) as f64;
    let mut open: Option<f64> = None;
    for (index, value) in values.iter().enumerate() {
        let x = index as f64 * step;
        match (value, open) {
            (Some(value), _) => {
                let y = (SPARK_HEIGHT - 1.5) - f64::from(value / top) * (SPARK_HEIGHT - 3.0);
                if open.is_none() {
                    open = Some(x);
                    if area {
                        let _ = write!(path, "M{x:.0} {SPARK_HEIGHT}V{y:.1}");
                    } else {
                        let _ = write!(path, "M{x:.0} {y:.1}");
                    }
                } else {
                    let _ = write!(path, "L{x:.0} {y:.1}");
                }
            }
            (None, Some(_)) => {
                if area {
                    let _ = write!(path, "V{SPARK_HEIGHT}Z");
                }
                open = None;
            }
            (None, None) => {}
        }
    }
    if open.is_some() && area {
        let _ = write!(path, "V{SPARK_HEIGHT}Z");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_closes_before_a_gap_and_begins_anew_behind_it() {
        let values = [Some(1.0), Some(0.0), None, Some(1.0)];
        assert_eq!(trace(&values, 1.0, true), "M0 28V1.5L40 26.5V28ZM120 28V1.5V28Z");
        assert_eq!(trace(&values, 1.0, false), "M0 1.5L40 26.5M120 1.5");
    }

    #[test]
    fn an_unknown_figure_tells_why_and_cannot_break_out() {
        let html = Figure::unknown("<b>\"x\"").to_string();
        assert!(html.contains("—") && html.contains("title=\"&lt;b&gt;&quot;x&quot;\"") && !html.contains("<b>"));
    }
}
