//! `[capture]`: the mirror ports that are watched, and the room for what comes there.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::resolve::Judge;
use super::source::At;

/// What a ring may be, octets.
const LEAST: u64 = 4 << 20;
const MOST: u64 = 4 << 30;
/// After how long without a frame a mirror port may be told to be silent.
const SILENT: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30 * 86_400));
/// An interface's name has at most so many octets (linux/if.h).
const LONGEST_NAME: usize = 15;

/// `[capture]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCapture {
    /// The interfaces at which a switch's mirror port ends; none are watched when not given.
    pub interfaces: Option<Vec<At<String>>>,
    /// Room for packets that wait, of each interface and thread: 4MiB to 4GiB.
    pub ring: Option<At<String>>,
    /// Threads for each interface; one is enough for a million packets a second.
    #[schemars(range(min = 1, max = 16))]
    pub threads: Option<u16>,
    /// Whether frames for others are wanted, as on a mirror port.
    pub promiscuous: Option<bool>,
    /// A mirror port at which nothing passes for so long is told: 1m to 30d.
    pub silent: Option<At<String>>,
    /// How many persons a capture of one host takes: "two" or "one".
    pub approval: Option<Approval>,
}

/// How many persons a capture of one host takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Who asks is enough.
    One,
    /// Somebody else has to allow it.
    #[default]
    Two,
}

/// What is watched. Nothing, unless it is configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CaptureSettings {
    /// Interfaces by name; empty for none.
    pub interfaces: Vec<Arc<str>>,
    /// Octets of each ring.
    #[serde(rename = "ring")]
    pub ring_octets: u64,
    /// Threads for each interface.
    pub threads: u16,
    /// Whether frames for others are wanted.
    pub promiscuous: bool,
    /// After how long without a frame a mirror port is told to be silent.
    pub silent: Duration,
    /// How many persons a capture of one host takes.
    pub approval: Approval,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            ring_octets: 64 << 20,
            threads: 1,
            promiscuous: true,
            silent: Duration::from_secs(300),
            approval: Approval::Two,
        }
    }
}

pub(super) fn resolve(judge: &mut Judge<'_>, raw: &RawCapture) -> CaptureSettings {
    let default = CaptureSettings::default();
    let mut interfaces: Vec<Arc<str>> = Vec::new();
    for at in raw.interfaces.iter().flatten() {
        let name = at.value.as_str();
        let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(['/', ':']) && !name.contains(char::is_whitespace);
        if !is_name {
            let message = format!("`capture.interfaces` names no interface: \"{name}\"");
            judge.error(at.offset, Code::OutOfRange, message, "write its name as `ip link` shows it, as \"eth1\"");
        } else if interfaces.iter().any(|known| **known == *name) {
            judge.error(at.offset, Code::OutOfRange, format!("`capture.interfaces` names \"{name}\" twice"), "name it once");
        } else {
            interfaces.push(name.into());
        }
    }
    let mut ring_octets = judge.size(raw.ring.as_ref(), "capture.ring").unwrap_or(default.ring_octets);
    if !(LEAST..=MOST).contains(&ring_octets) {
        if let Some(at) = &raw.ring {
            judge.error(at.offset, Code::OutOfRange, format!("`capture.ring` is out of its range: \"{}\"", at.value), "take 4MiB to 4GiB");
        }
        ring_octets = default.ring_octets;
    }
    CaptureSettings {
        interfaces,
        ring_octets,
        threads: raw.threads.unwrap_or(default.threads).max(1),
        promiscuous: raw.promiscuous.unwrap_or(default.promiscuous),
        silent: judge.duration(raw.silent.as_ref(), "capture.silent", SILENT).unwrap_or(default.silent),
        approval: raw.approval.unwrap_or_default(),
    }
}
