//! What offices without a mirror port see of their machines: rules over counters of ports and over the tables of bridges
//! and routers. Pure: readings and the time come in, [`Condition`]s come out, and [`Holding`] makes findings of them.
//!
//! [`counters`]: packets that are many and small, broadcasts, the one who takes the whole line. [`seats`]: machines that move,
//! crowds, floods of addresses, loops, strangers on watched ports. `super::zone`: inner and outer network touching.

pub mod counters;
mod holding;
pub mod seats;

use std::time::Duration;

pub use holding::Holding;

use crate::model::{Evidence, Fact, Severity, Subject};

/// Packets that are many, small and one-sided: a scanner behind a port.
pub const PORT_ANOMALY: &str = "port-anomaly";
/// Broadcasts of one access port.
pub const PORT_STORM: &str = "port-storm";
/// One port that takes most of the way out.
pub const PORT_HOG: &str = "port-hog";
/// A machine on several access ports in turn.
pub const MAC_FLAP: &str = "mac-flap";
/// More machines than a socket has.
pub const PORT_CROWDED: &str = "port-crowded";
/// New addresses by the dozen on one port.
pub const MAC_FLOOD: &str = "mac-flood";
/// Frames that come back.
pub const PORT_LOOP: &str = "port-loop";
/// A stranger on a watched port.
pub const NEW_MAC: &str = "new-mac";
/// Inner and outer network touching.
pub const ZONE_BREACH: &str = "zone-breach";

/// All of them.
pub const RULES: [&str; 9] = [PORT_ANOMALY, PORT_STORM, PORT_HOG, MAC_FLAP, PORT_CROWDED, MAC_FLOOD, PORT_LOOP, NEW_MAC, ZONE_BREACH];

/// Something that holds at this look.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// The rule.
    pub rule: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// How much it matters.
    pub severity: Severity,
    /// What anybody can check.
    pub evidence: Evidence,
    /// It is over when it was not seen for so long.
    pub quiet: Duration,
}

/// Facts by name.
pub(super) fn evidence<const N: usize>(facts: [(&str, Fact); N]) -> Evidence {
    facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
}

/// A sample of names with commas between them, at most eight.
pub(super) fn sample(names: impl IntoIterator<Item = String>) -> String {
    let mut names = names.into_iter();
    let mut text = names.by_ref().take(8).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        text.push_str(" ...");
    }
    text
}
