//! How many notifications of one source are taken: a bucket each, in a table that does not grow (RFC 3413 gives a receiver no
//! protection of its own). Time comes in as milliseconds of a clock that does not step.

use std::collections::HashMap;
use std::net::IpAddr;

/// Sources that are remembered at most; of more, those that were silent longest are forgotten.
const SOURCES: usize = 8_192;

/// What a source may send.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limit {
    /// In the long run, notifications a second.
    pub per_second: f64,
    /// At once.
    pub burst: f64,
}

impl Default for Limit {
    fn default() -> Self {
        Self { per_second: 50.0, burst: 200.0 }
    }
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Gate {
    limit: Limit,
    sources: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at_ms: u64,
}

impl Gate {
    pub(super) fn new(limit: Limit) -> Self {
        Self { limit, sources: HashMap::new() }
    }

    /// Whether one more of `source` is taken now.
    pub(super) fn admits(&mut self, source: IpAddr, now_ms: u64) -> bool {
        let limit = self.limit;
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
            self.forget(now_ms);
        }
        let bucket = self.sources.entry(source).or_insert(Bucket { left: limit.burst, at_ms: now_ms });
        let passed = now_ms.saturating_sub(bucket.at_ms) as f64 / 1e3;
        *bucket = Bucket { left: (bucket.left + passed * limit.per_second).min(limit.burst), at_ms: now_ms };
        let admitted = bucket.left >= 1.0;
        if admitted {
            bucket.left -= 1.0;
        }
        admitted
    }

    /// Forgets sources whose buckets are full again; when there is none, half of them, by their last word.
    fn forget(&mut self, now_ms: u64) {
        let full_after = (self.limit.burst / self.limit.per_second.max(f64::MIN_POSITIVE) * 1e3) as u64;
        self.sources.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < full_after);
        if self.sources.len() >= SOURCES {
            let mut times: Vec<u64> = self.sources.values().map(|bucket| bucket.at_ms).collect();
            let (_, &mut middle, _) = times.select_nth_unstable(SOURCES / 2);
            self.sources.retain(|_, bucket| bucket.at_ms > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn a_flood_of_one_source_is_cut_and_the_others_are_heard() {
        let mut gate = Gate::new(Limit { per_second: 10.0, burst: 20.0 });
        let taken = (0..1_000).filter(|&at_ms| gate.admits(source(1), at_ms)).count();
        assert_eq!(taken, 29, "20 at once and 10 in the second, the last of which is not whole yet");
        assert!(gate.admits(source(2), 999));
    }

    #[test]
    fn a_bucket_fills_again_and_the_clock_may_stand_still() {
        let mut gate = Gate::new(Limit { per_second: 1.0, burst: 1.0 });
        assert!(gate.admits(source(1), 0) && !gate.admits(source(1), 0) && !gate.admits(source(1), 999));
        assert!(gate.admits(source(1), 2_500));
    }

    #[test]
    fn the_table_does_not_grow_with_invented_sources() {
        let mut gate = Gate::new(Limit::default());
        (0..100_000_u32).for_each(|number| {
            gate.admits(source(number), u64::from(number / 1_000));
        });
        assert!(gate.sources.len() <= SOURCES);
    }
}
