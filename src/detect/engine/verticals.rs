//! Many ports of one machine (rule 5): for each (source, destination) the first contacts of the last minute, with their answers.
//!
//! Facts: `count` (ports), `window`, `threshold`, `failed`, `answered`, `targets` (the machine scanned), `sample` (its ports).

use crate::detect::quick::{Fixed, address};
use crate::detect::settings::PortScan;
use crate::model::Evidence;

use super::evidence::{Facts, SAMPLE, places};
use super::window::{TICKS, Window};

/// Pairs that are followed at one time.
const FOLLOWED: usize = 8192;

/// One pair.
#[derive(Debug)]
struct Vertical {
    host: u64,
    to: [u64; 2],
    window: Window,
    refused: u16,
    last: u32,
    ports: [u16; SAMPLE],
    least: u16,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Verticals {
    settings: PortScan,
    pairs: Fixed<Vertical>,
}

/// A scan that was found.
pub(super) struct Scan {
    /// Who scans.
    pub(super) host: u64,
    /// From when to when, in ticks.
    pub(super) from: u32,
    pub(super) last: u32,
    /// How many ports.
    pub(super) ports: u16,
    pub(super) evidence: Evidence,
}

impl Verticals {
    pub(super) fn new(settings: PortScan) -> Self {
        Self { settings, pairs: Fixed::new(FOLLOWED) }
    }

    pub(super) fn set_settings(&mut self, settings: PortScan) {
        self.settings = settings;
    }

    /// A first contact with a port. Whether the pair wants to be looked at again when answers have had time to come.
    pub(super) fn contact(&mut self, pair: u64, host: u64, to: u128, port: u16, least: u16, tick: u32) -> bool {
        let make = || Vertical {
            host,
            to: [(to >> 64) as u64, to as u64],
            window: Window::default(),
            refused: 0,
            last: tick,
            ports: [0; SAMPLE],
            least,
        };
        let worth = |vertical: &Vertical| u32::from(vertical.window.count);
        let Some(vertical) = self.pairs.entry_by(pair, tick, make, worth) else { return false };
        let count = vertical.window.hit(tick, self.settings.window_s);
        if count == 1 {
            (vertical.refused, vertical.ports) = (0, [0; SAMPLE]);
        }
        vertical.last = tick;
        if let Some(place) = vertical.ports.get_mut(usize::from(count) - 1) {
            *place = port;
        }
        count == least
    }

    /// An answer or a refusal has come.
    pub(super) fn outcome(&mut self, pair: u64, made: u32, answered: bool) {
        if let Some(vertical) = self.pairs.find(pair).filter(|vertical| made >= vertical.window.from) {
            if answered {
                vertical.window.answer(made);
            } else {
                vertical.refused = vertical.refused.saturating_add(1);
            }
        }
    }

    /// Whether the pair is a scan now.
    pub(super) fn judge(&mut self, pair: u64, tick: u32) -> Option<Scan> {
        let settings = self.settings;
        let vertical = self.pairs.find(pair)?;
        let (count, refused) = (vertical.window.count, vertical.refused);
        let waited = tick.saturating_sub(vertical.window.from) * 1000 >= settings.wait_ms * TICKS;
        let sure = waited || f32::from(refused) >= f32::from(count) * (1.0 - settings.answered);
        if count < vertical.least || !sure || !vertical.window.answered_below(settings.answered) {
            return None;
        }
        let to = address(u128::from(vertical.to[0]) << 64 | u128::from(vertical.to[1]));
        let ports = vertical.ports.iter().filter(|port| **port != 0).map(|port| (to, *port));
        let facts = Facts::counted(count.into(), settings.window_s, vertical.least.into())
            .number("failed", (count - vertical.window.answered.min(count)).into())
            .number("answered", vertical.window.answered.into())
            .text("targets", to.to_string())
            .text("sample", places(ports));
        Some(Scan { host: vertical.host, from: vertical.window.from, last: vertical.last, ports: count, evidence: facts.done() })
    }
}
