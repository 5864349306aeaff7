//! Numbers as people read them: three significant digits, the unit beside them, and a reason where there is none.

use super::words::Words;
use crate::model::Gap;
use crate::model::units::si;
use crate::ports::live::{PortLive, PortState};

/// A number with its unit, or the reason why there is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Figure {
    pub(crate) value: String,
    pub(crate) unit: String,
    pub(crate) why: Option<String>,
}

impl Figure {
    /// A number that is not known, and why.
    pub(crate) fn unknown(why: &str) -> Self {
        Self { why: Some(why.to_owned()), ..Self::default() }
    }

    /// A value with its unit.
    pub(crate) fn new(value: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { value: value.into(), unit: unit.into(), why: None }
    }

    /// A rate with an SI step in front of its unit: `938` `Mbit/s`.
    pub(crate) fn rate(value: f64, unit: &str) -> Self {
        let (digits, prefix) = si(value);
        Self::new(digits, format!("{prefix}{unit}"))
    }

    /// Bits per second.
    pub(crate) fn bits(value: f64) -> Self {
        Self::rate(value, "bit/s")
    }

    /// A share in percent.
    pub(crate) fn percent(value: f64) -> Self {
        Self::new(percent(value), "%")
    }

    /// The plain text, for titles and machine-read places.
    pub(crate) fn text(&self) -> String {
        match &self.why {
            Some(_) => "—".to_owned(),
            None if self.unit.is_empty() => self.value.clone(),
            None => format!("{} {}", self.value, self.unit),
        }
    }
}

/// `0`, `<0.1`, `4.7`, `37`, `100`.
fn percent(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 0.1 {
        "<0.1".to_owned()
    } else if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// Thousands apart: `10,000`.
pub(crate) fn group(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A port's speed in a word: `1G`, `2.5G`, `100M`; empty when unknown.
pub(crate) fn speed(bps: Option<u64>) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let Some(bps) = bps.filter(|bps| *bps > 0) else { return String::new() };
    STEPS.iter().find(|(scale, _)| bps >= *scale).map_or_else(
        || bps.to_string(),
        |(scale, unit)| {
            let value = bps as f64 / *scale as f64;
            if value.fract() < 0.05 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
        },
    )
}

/// A port's name as people say it, for narrow places: `Ten-GigabitEthernet1/0/25` is `Te1/0/25`.
pub(crate) fn short_name(name: &str) -> String {
    const KINDS: [(&str, &str); 14] = [
        ("twentyfivegige", "25GE"),
        ("hundredgige", "100GE"),
        ("fortygigabitethernet", "Fo"),
        ("fortygige", "Fo"),
        ("ten-gigabitethernet", "Te"),
        ("tengigabitethernet", "Te"),
        ("tengige", "Te"),
        ("xgigabitethernet", "XG"),
        ("gigabitethernet", "Gi"),
        ("fastethernet", "Fa"),
        ("port-channel", "Po"),
        ("bridge-aggregation", "BAGG"),
        ("eth-trunk", "Eth-Trunk"),
        ("ethernet", "Eth"),
    ];
    let lower = name.to_ascii_lowercase();
    let short = KINDS.iter().find_map(|(long, short)| {
        let rest = lower.strip_prefix(long)?;
        let rest = name.get(name.len() - rest.len()..)?;
        rest.trim_start().starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{short}{}", rest.trim_start()))
    });
    short.unwrap_or_else(|| name.to_owned())
}

/// Why this port has no rate of a metric.
pub(crate) fn why(words: Words, port: &PortLive) -> String {
    if let Some(gap) = port.gap {
        return words.gap(gap);
    }
    match port.state {
        PortState::Unknown => words.t("web-why-unknown"),
        _ if port.sampled.is_none() => words.gap(Gap::First),
        _ => words.gap(Gap::Absent),
    }
}

/// Inbound traffic of a port now.
pub(crate) fn inbound(words: Words, port: &PortLive) -> Figure {
    port.in_bps().map_or_else(|| Figure::unknown(&why(words, port)), Figure::bits)
}

/// Outbound traffic of a port now.
pub(crate) fn outbound(words: Words, port: &PortLive) -> Figure {
    port.out_bps().map_or_else(|| Figure::unknown(&why(words, port)), Figure::bits)
}

/// The larger direction as a share of the port's speed.
pub(crate) fn utilisation(words: Words, port: &PortLive) -> Figure {
    match port.utilisation_percent() {
        Some(value) => Figure::percent(value),
        None if port.identity.speed_bps.is_none() => Figure::unknown(&words.t("web-why-no-speed")),
        None => Figure::unknown(&why(words, port)),
    }
}

/// Errors of a port now.
pub(crate) fn errors(words: Words, port: &PortLive) -> Figure {
    port.error_rate().map_or_else(|| Figure::unknown(&why(words, port)), |rate| Figure::rate(rate, "pps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened_as_people_say_them() {
        for (name, short) in [
            ("Ten-GigabitEthernet1/0/25", "Te1/0/25"),
            ("GigabitEthernet0/1", "Gi0/1"),
            ("FortyGigE1/0/32", "Fo1/0/32"),
            ("Ethernet interface", "Ethernet interface"),
            ("eth0", "eth0"),
            ("Vlanif10", "Vlanif10"),
        ] {
            assert_eq!(short_name(name), short);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (value, text) in [(0.0, "0"), (0.04, "<0.1"), (4.72, "4.7"), (37.2, "37"), (99.96, "100")] {
            assert_eq!(percent(value), text);
        }
        for (value, text) in [(7, "7"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(group(value), text);
        }
        for (bps, text) in
            [(None, ""), (Some(100_000_000), "100M"), (Some(2_500_000_000), "2.5G"), (Some(10_000_000_000), "10G"), (Some(64_000), "64k")]
        {
            assert_eq!(speed(bps), text);
        }
    }
}
