//! Which share of the packets an exporter looked at, as it tells by options data.

/// Samplers remembered of one exporter.
const SAMPLERS: usize = 64;

/// The rates of one exporter: one packet of how many was looked at.
#[derive(Clone, Default, Debug)]
pub(super) struct Sampling {
    general: Option<u32>,
    by_sampler: Vec<(u64, u32)>,
}

impl Sampling {
    /// Notes a rate that was told for a sampler, or for all.
    pub(super) fn note(&mut self, sampler: Option<u64>, rate: u32) {
        let Some(sampler) = sampler else {
            self.general = Some(rate);
            return;
        };
        if let Some(known) = self.by_sampler.iter_mut().find(|(id, _)| *id == sampler) {
            known.1 = rate;
        } else {
            if self.by_sampler.len() >= SAMPLERS {
                self.by_sampler.remove(0);
            }
            self.by_sampler.push((sampler, rate));
        }
    }

    /// The rate for a record that names its sampler, or none. A single sampler holds for records that name none.
    pub(super) fn rate(&self, sampler: Option<u64>) -> u32 {
        let named = sampler.and_then(|sampler| self.by_sampler.iter().find(|(id, _)| *id == sampler)).map(|(_, rate)| *rate);
        let only = match self.by_sampler.as_slice() {
            [(_, rate)] if sampler.is_none() => Some(*rate),
            _ => None,
        };
        named.or(self.general).or(only).unwrap_or(1)
    }
}

/// The parts of which exporters tell a rate (IANA "IPFIX Information Elements").
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Told {
    /// samplingInterval (34) or samplerRandomInterval (50): one of so many.
    pub(super) interval: u32,
    /// samplingPacketInterval (305): so many in a row are taken ...
    pub(super) taken: u32,
    /// ... and samplingPacketSpace (306): so many are left out.
    pub(super) left_out: u32,
    /// samplingSize (309) of samplingPopulation (310).
    pub(super) size: u32,
    pub(super) population: u32,
}

impl Told {
    /// One of how many; `None` when nothing was told.
    pub(super) fn rate(self) -> Option<u32> {
        let of = |all: u32, some: u32| all.checked_div(some).filter(|rate| *rate > 0);
        if self.interval > 0 {
            Some(self.interval)
        } else if self.left_out > 0 {
            of(self.taken.saturating_add(self.left_out), self.taken)
        } else if self.population > 0 {
            of(self.population, self.size)
        } else {
            // Without the space some exporters mean: one of so many.
            Some(self.taken).filter(|taken| *taken > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SAMPLERS, Sampling, Told};

    #[test]
    fn each_way_of_telling_is_understood() {
        assert_eq!(Told { interval: 512, ..Told::default() }.rate(), Some(512));
        assert_eq!(Told { taken: 1, left_out: 999, ..Told::default() }.rate(), Some(1_000));
        assert_eq!(Told { taken: 100, ..Told::default() }.rate(), Some(100));
        assert_eq!(Told { size: 5, population: 1_000, ..Told::default() }.rate(), Some(200));
        assert_eq!(Told { population: 10, ..Told::default() }.rate(), None);
        assert_eq!(Told::default().rate(), None);
    }

    #[test]
    fn a_sampler_that_is_named_counts_before_what_holds_for_all() {
        let mut sampling = Sampling::default();
        assert_eq!(sampling.rate(Some(1)), 1);
        sampling.note(Some(1), 100);
        assert_eq!((sampling.rate(Some(1)), sampling.rate(None), sampling.rate(Some(2))), (100, 100, 1));
        sampling.note(Some(2), 200);
        assert_eq!((sampling.rate(Some(2)), sampling.rate(None)), (200, 1));
        sampling.note(None, 50);
        assert_eq!((sampling.rate(Some(1)), sampling.rate(None), sampling.rate(Some(9))), (100, 50, 50));
        for id in 0..10_000 {
            sampling.note(Some(id), 7);
        }
        assert!(sampling.by_sampler.len() <= SAMPLERS);
        assert_eq!(sampling.rate(Some(9_999)), 7);
    }
}
