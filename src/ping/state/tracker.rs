//! One host: its last probes, and the phase it is in.

use super::super::codec::Refusal;
use super::super::round::{Outcome, Round};

/// So many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Of {
    /// So many, 1 to `last`.
    pub count: u8,
    /// Of the last so many, at most 16.
    pub last: u8,
}

/// When a host counts as what.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Suspected of being down: so many of the last probes failed.
    pub down: Of,
    /// Up again: so many of the last probes were answered.
    pub up: Of,
    /// Lossy from this share of the last 25 probes, percent.
    pub lossy_percent: f64,
    /// No longer lossy from this share downwards, percent.
    pub clear_percent: f64,
    /// Slow from this median round-trip time in three rounds in a row, nanoseconds; no longer below four fifths of it.
    pub slow_ns: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { down: Of { count: 5, last: 5 }, up: Of { count: 3, last: 5 }, lossy_percent: 20.0, clear_percent: 5.0, slow_ns: 250e6 }
    }
}

/// What a host is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing is known yet, or no longer (we were blind).
    Unknown,
    /// It answers.
    Up,
    /// It is probed again to make sure; decided at this time (steady nanoseconds).
    Suspect {
        /// When it was suspected.
        since_ns: i64,
        /// When it is decided.
        deadline_ns: i64,
    },
    /// It does not answer, and nothing that it stands behind explains it.
    Down,
    /// It does not answer because something on the way to it is dead: its place in the list of hosts.
    Behind(u32),
}

impl Phase {
    /// The stable word of JSON, metrics and message keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up | Self::Suspect { .. } => "up",
            Self::Down => "down",
            Self::Behind(_) => "unreachable",
        }
    }

    /// Whether it is taken to be out of reach, for whichever reason.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Down | Self::Behind(_))
    }
}

/// Lossy is judged over so many probes.
const RECENT: u32 = 25;
/// ... and not before so many are known.
const RECENT_ENOUGH: u8 = 20;
/// Slow is raised and cleared after so many rounds.
const SLOW_ROUNDS: i8 = 3;
/// So many failures in a row since a suspicion, and no answer, make one that others stand behind count as dead.
const DEAD_STREAK: u8 = 3;
/// Downs within this time, and how many of them are flapping.
const FLAP_WITHIN_NS: i64 = 1_800_000_000_000;
const FLAPS: usize = 3;

/// A host's memory. Small: there may be fifty thousand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracker {
    pub(super) phase: Phase,
    /// Since when it is in this phase, for people: suspicion does not count.
    pub(super) since_ns: i64,
    /// The newest probe is bit 0; a set bit is a failure.
    window: u16,
    seen: u8,
    /// The same for the probes of rounds only.
    recent: u32,
    recent_seen: u8,
    pub(super) streak: u8,
    pub(super) last_answer_ns: i64,
    pub(super) refusal: Option<Refusal>,
    pub(super) is_lossy: bool,
    pub(super) is_slow: bool,
    pub(super) is_flapping: bool,
    slow_rounds: i8,
    downs_ns: [i64; FLAPS],
}

impl Tracker {
    pub(super) const fn new(now_ns: i64) -> Self {
        Self {
            phase: Phase::Unknown,
            since_ns: now_ns,
            window: 0,
            seen: 0,
            recent: 0,
            recent_seen: 0,
            streak: 0,
            last_answer_ns: i64::MIN,
            refusal: None,
            is_lossy: false,
            is_slow: false,
            is_flapping: false,
            slow_rounds: 0,
            downs_ns: [i64::MIN; FLAPS],
        }
    }

    /// Takes in what became of a probe; one that says nothing must not come here.
    pub(super) fn push(&mut self, outcome: Outcome, extra: bool, at_ns: i64) {
        let failed = !matches!(outcome, Outcome::Answered(_));
        self.window = self.window << 1 | u16::from(failed);
        self.seen = self.seen.saturating_add(1).min(16);
        if !extra {
            self.recent = self.recent << 1 | u32::from(failed);
            self.recent_seen = self.recent_seen.saturating_add(1).min(RECENT as u8);
        }
        if failed {
            self.streak = self.streak.saturating_add(1);
        } else {
            self.streak = 0;
            self.last_answer_ns = self.last_answer_ns.max(at_ns);
        }
        self.refusal = match outcome {
            Outcome::Refused(refusal) => Some(refusal),
            Outcome::Answered(_) => None,
            _ => self.refusal,
        };
    }

    fn failures(&self, last: u8) -> u8 {
        let last = last.min(self.seen);
        (u32::from(self.window) & ((1_u32 << last) - 1)).count_ones() as u8
    }

    /// Whether enough of its last probes failed.
    pub(super) fn looks_down(&self, thresholds: &Thresholds) -> bool {
        self.failures(thresholds.down.last) >= thresholds.down.count
    }

    /// Whether enough of its last probes were answered.
    pub(super) fn looks_up(&self, thresholds: &Thresholds) -> bool {
        let last = thresholds.up.last.min(self.seen);
        last - self.failures(last) >= thresholds.up.count
    }

    /// Whether it has not answered since `since_ns` although it was asked.
    pub(super) const fn is_silent_since(&self, since_ns: i64) -> bool {
        self.phase.is_gone() || self.streak >= DEAD_STREAK && self.last_answer_ns < since_ns
    }

    /// Forgets the probes: what came while we were blind, or from before an outage.
    pub(super) const fn forget(&mut self) {
        (self.window, self.seen, self.recent, self.recent_seen, self.streak) = (0, 0, 0, 0, 0);
    }

    /// The share of failures among the last probes of rounds, percent; `None` while there are too few.
    pub(super) fn loss_percent(&self) -> Option<f64> {
        let lost = (self.recent & ((1 << RECENT) - 1)).count_ones();
        (self.recent_seen >= RECENT_ENOUGH).then(|| f64::from(lost) * 100.0 / f64::from(self.recent_seen))
    }

    /// Judges a round's median; whether slow begins or ends with it.
    pub(super) fn slow(&mut self, round: &Round, thresholds: &Thresholds) -> Option<bool> {
        let median_ns = round.spread()?.median_ns;
        let (over, under) = (median_ns > thresholds.slow_ns, median_ns < thresholds.slow_ns * 0.8);
        self.slow_rounds = match (over, under) {
            (true, _) => self.slow_rounds.max(0) + 1,
            (_, true) => self.slow_rounds.min(0) - 1,
            _ => 0,
        }
        .clamp(-SLOW_ROUNDS, SLOW_ROUNDS);
        let now = if self.is_slow { self.slow_rounds > -SLOW_ROUNDS } else { self.slow_rounds >= SLOW_ROUNDS };
        (std::mem::replace(&mut self.is_slow, now) != now).then_some(now)
    }

    /// Notes that it went down; whether that makes it flapping.
    pub(super) fn went_down(&mut self, at_ns: i64) -> bool {
        self.downs_ns.rotate_right(1);
        self.downs_ns[0] = at_ns;
        let first = self.downs_ns[FLAPS - 1];
        let flapping = first > i64::MIN && at_ns - first <= FLAP_WITHIN_NS;
        flapping && !std::mem::replace(&mut self.is_flapping, true)
    }

    /// Whether flapping ends now: nothing happened for as long as flapping is counted over.
    pub(super) fn has_settled(&mut self, now_ns: i64) -> bool {
        let over = self.is_flapping && self.phase == Phase::Up && now_ns.saturating_sub(self.downs_ns[0]) > FLAP_WITHIN_NS;
        self.is_flapping &= !over;
        over
    }
}
