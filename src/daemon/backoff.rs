//! How long to wait before something that failed is tried again.

use std::time::Duration;

/// Doubling waits, forgotten after a run that lasted.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    /// A run at least this long counts as sound: the next wait is the first one again.
    sound: Duration,
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(300))
    }
}

impl Backoff {
    /// Waits from `first` to `longest`; `sound` is how long a run must last to start over.
    pub const fn new(first: Duration, longest: Duration, sound: Duration) -> Self {
        Self { first, longest, sound, next: first }
    }

    /// The wait after a run that lasted `ran` and then failed.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= self.sound {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_sound_run() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(5), seconds(100));
        let waits = [0, 0, 99, 0, 100, 0].map(|ran| backoff.after(seconds(ran)).as_secs());
        assert_eq!(waits, [1, 2, 4, 5, 1, 2]);
    }
}
