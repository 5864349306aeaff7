//! From the thresholds of the configuration to the plan of one port or device: of all that match, the most specific counts.

use std::time::Duration;

use crate::config::Glob;
use crate::config::rules::{KNOWN, KnownRule, PortClass, RuleSettings};
use crate::model::{PortIdentity, Severity};

use super::super::scope::Place;

/// From when on a rule holds, in its own unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Threshold {
    /// From this value on.
    pub raise: f64,
    /// Below this value it is over.
    pub clear: f64,
    /// Whether it holds below `raise` and is over above `clear`.
    pub falls: bool,
    /// How long it must last.
    pub raise_for: Duration,
    /// How long it must be over.
    pub clear_for: Duration,
    /// How long a port must have been up for its going down to count.
    pub up_for: Duration,
    /// How much it matters.
    pub severity: Severity,
}

/// Whom a plan is for.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// The device.
    pub device: &'a str,
    /// Where it belongs.
    pub place: &'a Place,
    /// The port, with its class.
    pub port: Option<(&'a str, PortClass)>,
}

/// The thresholds of the configuration over the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Book {
    rules: Vec<RuleSettings>,
    uplinks: Vec<Glob>,
}

impl Book {
    /// From the configuration.
    pub fn new(rules: &[RuleSettings], uplinks: &[Glob]) -> Self {
        let mut all = built_in();
        all.extend_from_slice(rules);
        // A stable sort: of equals the later one is applied later and counts.
        all.sort_by_key(|rule| rule.matches.specificity());
        Self { rules: all, uplinks: uplinks.to_vec() }
    }

    /// The class of a port.
    pub fn class_of(&self, device: &str, port: &PortIdentity) -> PortClass {
        let path = format!("{device}/{}", port.name);
        if self.uplinks.iter().any(|uplink| uplink.is_match(&path)) {
            PortClass::Uplink
        } else if port.alias.is_empty() {
            PortClass::Access
        } else {
            PortClass::Named
        }
    }

    /// What holds for somebody; `None` when the rule is not judged there.
    pub fn threshold(&self, rule: &str, whom: Whom<'_>) -> Option<Threshold> {
        let known = KNOWN.iter().find(|known| known.name == rule)?;
        let mut enabled = known.enabled;
        let mut threshold = base(known);
        for own in self.rules.iter().filter(|own| *own.name == *rule && fits(own, whom)) {
            enabled = own.enabled.unwrap_or(enabled);
            if let Some(raise) = own.raise {
                // Who moves one edge alone keeps the margin of the rule.
                let margin = if threshold.raise > 0.0 { threshold.clear / threshold.raise } else { 1.0 };
                threshold.raise = raise;
                threshold.clear = raise * margin;
            }
            threshold.clear = own.clear.unwrap_or(threshold.clear);
            threshold.raise_for = own.raise_for.unwrap_or(threshold.raise_for);
            threshold.clear_for = own.clear_for.unwrap_or(threshold.clear_for);
            threshold.up_for = own.up_for.unwrap_or(threshold.up_for);
            threshold.severity = own.severity.unwrap_or(threshold.severity);
        }
        enabled.then_some(threshold)
    }
}

/// What holds by class where nobody says otherwise: an uplink matters, a socket on a wall only if somebody used it for long.
fn built_in() -> Vec<RuleSettings> {
    let class = |name: &str, class| RuleSettings {
        name: name.into(),
        matches: crate::config::rules::RuleMatch { class: Some(class), ..Default::default() },
        ..RuleSettings::default()
    };
    let day = Duration::from_secs(86_400);
    vec![
        RuleSettings { severity: Some(Severity::Major), ..class("port-down", PortClass::Uplink) },
        RuleSettings { severity: Some(Severity::Info), up_for: Some(day), ..class("port-down", PortClass::Access) },
        RuleSettings { severity: Some(Severity::Major), ..class("port-utilisation", PortClass::Uplink) },
        RuleSettings { enabled: Some(false), ..class("port-flapping", PortClass::Access) },
        RuleSettings { enabled: Some(false), ..class("port-speed", PortClass::Access) },
    ]
}

fn base(known: &KnownRule) -> Threshold {
    Threshold {
        raise: known.raise,
        clear: known.clear,
        falls: known.falls,
        raise_for: Duration::from_secs(known.raise_for_s.into()),
        clear_for: Duration::from_secs(known.clear_for_s.into()),
        up_for: Duration::ZERO,
        severity: known.severity,
    }
}

fn fits(rule: &RuleSettings, whom: Whom<'_>) -> bool {
    let wanted = &rule.matches;
    let glob = |glob: &Option<Glob>, name: &str| glob.as_ref().is_none_or(|glob| glob.is_match(name));
    glob(&wanted.site, &whom.place.site)
        && glob(&wanted.device, whom.device)
        && wanted.tag.as_ref().is_none_or(|tag| whom.place.tags.contains(tag))
        && match whom.port {
            Some((name, class)) => glob(&wanted.port, name) && wanted.class.is_none_or(|wanted| wanted == class),
            None => wanted.port.is_none() && wanted.class.is_none(),
        }
}
