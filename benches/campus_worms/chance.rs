//! Chance by a seed: the same seed draws the same numbers on every machine (xoshiro256++ of Blackman and Vigna, begun by
//! splitmix64).

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: [u64; 4],
}

impl Chance {
    /// The stream `number` of `seed`. Streams do not depend on how much is drawn from others.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ mix(number.wrapping_add(0x1234_5678));
        let mut next = || {
            x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
            mix(x)
        };
        Self { state: [next(), next(), next(), next()] }
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let shifted = b << 17;
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ shifted, d.rotate_left(45)];
        out
    }

    /// A number from 0 up to `n`, without it; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` up to `high`, both included.
    pub(crate) fn among(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// A number from 0 up to 1, without it.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `low` up to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A waiting time with this mean.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Heavy-tailed: Pareto from `least` with this exponent, cut at `most`.
    pub(crate) fn heavy(&mut self, least: f64, alpha: f64, most: f64) -> f64 {
        (least * (1.0 - self.unit()).powf(-1.0 / alpha)).min(most)
    }

    /// One of them; the first when there is none but it. `None` of none.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }

    /// A rank among `n` that prefers low ones much as sites are preferred (about 1/rank).
    pub(crate) fn rank(&mut self, n: usize) -> usize {
        let rank = (n as f64).powf(self.unit()) - 1.0;
        (rank as usize).min(n.saturating_sub(1))
    }

    /// Lower-case letters.
    pub(crate) fn letters(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }

    /// Letters and digits as base32 has them.
    pub(crate) fn base32(&mut self, n: usize) -> String {
        const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        (0..n).map(|_| char::from(DIGITS[self.below(32) as usize])).collect()
    }
}

/// Spreads the bits of a number (the end of splitmix64).
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
