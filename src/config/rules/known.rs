//! The rules there are, with the thresholds that hold where nobody says otherwise.

use serde::Serialize;

use crate::model::Severity;

/// What a threshold is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleUnit {
    /// Share in percent.
    Percent,
    /// Bits per second.
    BitsPerSecond,
    /// Packets or other events per second.
    PerSecond,
    /// A count.
    Count,
    /// The rule has no threshold: it holds or not.
    None,
}

impl RuleUnit {
    /// Reads `90%`, `800Mbit/s`, `100/s`, `5`.
    pub fn parse(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        match self {
            Self::Percent => number(text.strip_suffix('%')?),
            Self::PerSecond => number(text.strip_suffix("/s")?),
            Self::Count => number(text),
            Self::BitsPerSecond => {
                let text = text.strip_suffix("bit/s")?.trim();
                let scales = [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("", 1.0)];
                scales.into_iter().find_map(|(prefix, scale)| Some(number(text.strip_suffix(prefix)?)? * scale))
            }
            Self::None => None,
        }
    }

    /// How a threshold is written.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Percent => "90%",
            Self::BitsPerSecond => "800Mbit/s",
            Self::PerSecond => "100/s",
            Self::Count => "5",
            Self::None => "",
        }
    }

    /// A threshold as it is written.
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value}%"),
            Self::BitsPerSecond => format!("{value}bit/s"),
            Self::PerSecond => format!("{value}/s"),
            Self::Count => format!("{value}"),
            Self::None => String::new(),
        }
    }
}

/// One rule with what holds where nobody says otherwise.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct KnownRule {
    /// Its name.
    pub name: &'static str,
    /// What its threshold is measured in.
    pub unit: RuleUnit,
    /// Whether it is judged.
    pub enabled: bool,
    /// From this value on.
    pub raise: f64,
    /// Below this value it is over.
    pub clear: f64,
    /// Whether it is raised below `raise` and cleared above `clear`.
    pub falls: bool,
    /// How long it must last, seconds.
    pub raise_for_s: u32,
    /// How long it must be over, seconds.
    pub clear_for_s: u32,
    /// How much it matters.
    pub severity: Severity,
}

const fn rule(name: &'static str, unit: RuleUnit, thresholds: (f64, f64), seconds: (u32, u32), severity: Severity) -> KnownRule {
    let (raise, clear) = thresholds;
    let (raise_for_s, clear_for_s) = seconds;
    KnownRule { name, unit, enabled: true, raise, clear, falls: false, raise_for_s, clear_for_s, severity }
}

const fn holds(name: &'static str, seconds: (u32, u32), severity: Severity) -> KnownRule {
    rule(name, RuleUnit::None, (0.5, 0.5), seconds, severity)
}

const fn behaviour(name: &'static str) -> KnownRule {
    holds(name, (0, 0), Severity::Major)
}

/// Every rule over the live table, over netroom itself, and over what machines do.
pub const KNOWN: &[KnownRule] = &[
    holds("port-down", (0, 0), Severity::Minor),
    rule("port-utilisation", RuleUnit::Percent, (90.0, 80.0), (300, 300), Severity::Minor),
    KnownRule { enabled: false, ..rule("port-in-bps", RuleUnit::BitsPerSecond, (1e12, 9e11), (300, 300), Severity::Minor) },
    KnownRule { enabled: false, ..rule("port-out-bps", RuleUnit::BitsPerSecond, (1e12, 9e11), (300, 300), Severity::Minor) },
    rule("port-in-errors", RuleUnit::PerSecond, (10.0, 1.0), (180, 600), Severity::Minor),
    rule("port-out-errors", RuleUnit::PerSecond, (10.0, 1.0), (180, 600), Severity::Minor),
    rule("port-in-discards", RuleUnit::PerSecond, (100.0, 10.0), (300, 600), Severity::Minor),
    rule("port-out-discards", RuleUnit::PerSecond, (100.0, 10.0), (300, 600), Severity::Minor),
    rule("port-broadcast", RuleUnit::PerSecond, (1000.0, 500.0), (120, 300), Severity::Major),
    rule("port-multicast", RuleUnit::PerSecond, (20_000.0, 10_000.0), (300, 300), Severity::Info),
    // `for` is the window in which the changes are counted.
    rule("port-flapping", RuleUnit::Count, (5.0, 1.0), (600, 0), Severity::Minor),
    holds("port-speed", (60, 0), Severity::Minor),
    holds("port-duplex", (60, 0), Severity::Minor),
    rule("port-counter-unreliable", RuleUnit::Count, (5.0, 1.0), (0, 0), Severity::Info),
    holds("device-down", (0, 0), Severity::Major),
    holds("device-silent", (0, 0), Severity::Minor),
    // A moment, not a state: `clear_for` is how long it is shown.
    holds("device-rebooted", (0, 3600), Severity::Minor),
    rule("device-poll-late", RuleUnit::Count, (3.0, 2.0), (0, 0), Severity::Minor),
    holds("store-failing", (0, 60), Severity::Critical),
    // From when on is said by `retention.low_space`.
    holds("disk-low", (60, 300), Severity::Major),
    // What machines do (`detect`): the severity of a virus; a suspect is told as info, what is worth blocking one step higher.
    behaviour("tcp-scan"),
    behaviour("fast-scan"),
    behaviour("lateral"),
    behaviour("dark-contact"),
    behaviour("port-scan"),
    behaviour("arp-sweep"),
    behaviour("icmp-sweep"),
    behaviour("udp-worm"),
    behaviour("spam"),
    behaviour("dga"),
    behaviour("dns-tunnel"),
    behaviour("flood"),
    behaviour("hog"),
    behaviour("spoofed-source"),
    behaviour("rogue-dhcp"),
    behaviour("rogue-ra"),
    behaviour("dhcp-starvation"),
    behaviour("arp-spoof"),
    behaviour("broadcast-storm"),
    behaviour("password-guessing"),
    behaviour("mac-flap"),
    behaviour("port-anomaly"),
    holds("zone-breach", (0, 0), Severity::Critical),
    holds("new-mac", (0, 0), Severity::Minor),
    // What counters and tables of switches show. The first step of a storm is told one grade lower.
    holds("port-storm", (0, 0), Severity::Major),
    holds("port-hog", (0, 0), Severity::Minor),
    holds("port-crowded", (0, 0), Severity::Minor),
    holds("mac-flood", (0, 0), Severity::Major),
    holds("port-loop", (0, 0), Severity::Major),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_in_their_unit_only() {
        for (unit, text, value) in [
            (RuleUnit::Percent, "90%", Some(90.0)),
            (RuleUnit::Percent, "90", None),
            (RuleUnit::BitsPerSecond, "1.5Gbit/s", Some(1.5e9)),
            (RuleUnit::BitsPerSecond, "800 Mbit/s", Some(8e8)),
            (RuleUnit::BitsPerSecond, "64bit/s", Some(64.0)),
            (RuleUnit::BitsPerSecond, "64", None),
            (RuleUnit::PerSecond, "100/s", Some(100.0)),
            (RuleUnit::PerSecond, "-1/s", None),
            (RuleUnit::Count, "NaN", None),
            (RuleUnit::None, "1", None),
        ] {
            assert_eq!(unit.parse(text), value, "{text}");
            if let Some(value) = value {
                assert_eq!(unit.parse(&unit.write(value)), Some(value));
            }
        }
    }

    #[test]
    fn every_rule_has_a_margin_to_the_right_side() {
        for rule in KNOWN.iter().filter(|rule| rule.unit != RuleUnit::None) {
            assert_eq!(rule.clear > rule.raise, rule.falls, "{}", rule.name);
        }
    }
}
