//! Whether the work goes on: loops beat, and one that stays silent for too long is stuck, not merely slow.
//! A beat is one increment of a number, so that hot loops may beat at every turn and threads need no clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

/// What a loop beats with. When it is dropped, the loop has ended and is no longer waited for.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// I am alive.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// All loops that promised to beat.
#[derive(Clone, Debug, Default)]
pub struct Liveness(Arc<Mutex<Vec<Vital>>>);

#[derive(Debug)]
struct Vital {
    name: Arc<str>,
    beats: Weak<AtomicU64>,
    /// How long it may be silent.
    patience: Duration,
    seen: u64,
    since: Instant,
}

impl Liveness {
    /// Registers a loop that beats at least once every `patience`; from `now` on its silence counts.
    pub fn pulse(&self, name: impl Into<Arc<str>>, patience: Duration, now: Instant) -> Pulse {
        let beats = Arc::new(AtomicU64::new(0));
        let vital = Vital { name: name.into(), beats: Arc::downgrade(&beats), patience, seen: 0, since: now };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(vital);
        Pulse(beats)
    }

    /// The loops that have been silent for longer than they promised.
    pub fn stuck(&self, now: Instant) -> Vec<Arc<str>> {
        let mut vitals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        vitals.retain_mut(|vital| {
            let Some(beats) = vital.beats.upgrade() else { return false };
            let count = beats.load(Ordering::Relaxed);
            if count != vital.seen {
                (vital.seen, vital.since) = (count, now);
            }
            true
        });
        let silent = |vital: &&Vital| now.saturating_duration_since(vital.since) > vital.patience;
        vitals.iter().filter(silent).map(|vital| Arc::clone(&vital.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_last_beat_seen() {
        let (liveness, start) = (Liveness::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let stuck = |seconds| liveness.stuck(at(seconds)).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let poll = liveness.pulse("poll", Duration::from_secs(10), at(0));
        let store = liveness.pulse("store", Duration::from_secs(30), at(0));
        assert!(stuck(10).is_empty());
        poll.beat();
        assert!(stuck(20).is_empty());
        assert_eq!(stuck(31), ["poll", "store"]);
        store.beat();
        assert_eq!(stuck(32), ["poll"]);
        drop(poll);
        assert!(stuck(33).is_empty(), "a loop that has ended is not stuck");
    }
}
