//! How long to wait for a device: smoothed round-trip time and its variation (Jacobson and Karels, as in RFC 6298),
//! remembered from one conversation to the next.

use std::time::Duration;

use crate::snmp::job::Patience;

/// What is known of a device's round-trip time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Rtt {
    /// Smoothed round-trip time and its mean deviation.
    known: Option<(Duration, Duration)>,
    /// How often the timeout is doubled because answers came to repeated requests only.
    backoff: u32,
}

impl Rtt {
    /// The timeout of the given try (the first is 1).
    pub(super) fn timeout(&self, patience: &Patience, tries: u8) -> Duration {
        let base = self.known.map_or(patience.min_timeout, |(mean, deviation)| mean + deviation * 4).max(patience.min_timeout);
        let doublings = (self.backoff + u32::from(tries.saturating_sub(1))).min(16);
        (base * (1 << doublings)).min(patience.max_timeout)
    }

    /// An answer after `tries` sends. A repeated request does not tell which send was answered (Karn's rule): its time
    /// is not learnt from, but the longer timeout is kept until a request is answered at its first send.
    pub(super) fn answered(&mut self, rtt: Duration, tries: u8) {
        if tries > 1 {
            self.backoff = (self.backoff + u32::from(tries - 1)).min(6);
            return;
        }
        self.backoff = 0;
        self.known = Some(match self.known {
            None => (rtt, rtt / 2),
            Some((mean, deviation)) => ((mean * 7 + rtt) / 8, (deviation * 3 + mean.abs_diff(rtt)) / 4),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn timeouts_double_within_their_bounds() {
        let patience = Patience::default();
        let rtt = Rtt::default();
        let waits: Vec<_> = (1..=6).map(|tries| rtt.timeout(&patience, tries).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn a_slow_device_gets_a_longer_timeout() {
        let patience = Patience::default();
        let mut rtt = Rtt::default();
        rtt.answered(800 * MS, 2);
        assert_eq!(rtt.timeout(&patience, 1), 1_000 * MS, "one resend doubles what follows");
        rtt.answered(800 * MS, 1);
        assert_eq!(rtt.timeout(&patience, 1), 2_400 * MS);
        (0..50).for_each(|_| rtt.answered(800 * MS, 1));
        let settled = rtt.timeout(&patience, 1);
        assert!(settled > 790 * MS && settled < 850 * MS, "{settled:?}");
    }

    #[test]
    fn a_fast_device_keeps_the_lower_bound() {
        let mut rtt = Rtt::default();
        (0..9).for_each(|_| rtt.answered(MS, 1));
        assert_eq!(rtt.timeout(&Patience::default(), 1), 500 * MS);
    }
}
