//! Tables for the path of every packet: a seeded mix of addresses (folded multiplication), a set-associative table that never
//! grows beyond its size and forgets the longest unused first, and sets with a cheap hash for facts that come from ourselves.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;

use crate::model::MacAddr;

/// An address as a number: IPv4 as the IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
pub fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address of a number.
pub fn address(number: u128) -> IpAddr {
    let v6 = std::net::Ipv6Addr::from_bits(number);
    v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
}

/// A MAC address as a number.
pub fn mac_number(mac: MacAddr) -> u64 {
    let [a, b, c, d, e, f] = mac.0;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Mixes words into one of 128 bits that nobody can foresee who does not know the seed.
#[derive(Clone, Copy, Debug)]
pub struct Mixer {
    first: u64,
    second: u64,
}

impl Mixer {
    /// A mixer of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self {
            first: fold(seed ^ 0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03),
            second: fold(seed ^ 0x8cb9_2ba7_2f3d_8dd7, 0xaaaa_aaaa_aaaa_aaab) | 1,
        }
    }

    /// Two addresses and what else tells the thing apart.
    pub fn pair(self, a: u128, b: u128, rest: u64) -> u64 {
        let left = fold(a as u64 ^ self.first, (a >> 64) as u64 ^ b as u64 ^ self.second);
        let right = fold((b >> 64) as u64 ^ rest ^ self.second, b as u64 ^ self.first);
        fold(left ^ self.second, right ^ rest ^ self.first)
    }

    /// One address and what else tells the thing apart.
    pub fn one(self, a: u128, rest: u64) -> u64 {
        let left = fold(a as u64 ^ self.first, (a >> 64) as u64 ^ rest ^ self.second);
        fold(left ^ self.second, a as u64 ^ rest ^ self.first)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hasher of [`Quick`].
#[derive(Default, Debug)]
pub struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03);
    }
}

/// A set of facts of our own (never of what strangers send), quick to ask.
pub type Quick<T> = HashSet<T, BuildHasherDefault<QuickHasher>>;

/// How many entries may lie at one place.
const WAYS: usize = 8;

/// A table of a fixed number of places. Full places forget the entry that was unused for longest.
#[derive(Debug)]
pub struct Fixed<T> {
    sets: Vec<Option<Box<Set<T>>>>,
    forgotten: u64,
}

/// The entries at one place. The keys lie together, so that one look tells which it is; a key of 0 is none.
#[derive(Debug)]
struct Set<T> {
    keys: [u64; WAYS],
    used: [u32; WAYS],
    values: [Option<T>; WAYS],
}

impl<T> Set<T> {
    fn new() -> Self {
        Self { keys: [0; WAYS], used: [0; WAYS], values: std::array::from_fn(|_| None) }
    }

    fn way(&self, key: u64) -> Option<usize> {
        self.keys.iter().position(|held| *held == key)
    }
}

impl<T> Fixed<T> {
    /// At most so many entries, rounded up to a power of two and at least eight. Memory is taken when a place is first used.
    pub fn new(entries: usize) -> Self {
        let sets = entries.div_ceil(WAYS).next_power_of_two();
        Self { sets: std::iter::repeat_with(|| None).take(sets).collect(), forgotten: 0 }
    }

    /// How many entries were given up for others.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The entry of a key (a hash of [`Mixer`]).
    pub fn find(&mut self, key: u64) -> Option<&mut T> {
        let place = self.place(key);
        let set = self.sets.get_mut(place)?.as_mut()?;
        let way = set.way(key.max(1))?;
        set.values.get_mut(way)?.as_mut()
    }

    /// Whether there is an entry of a key.
    pub fn contains(&self, key: u64) -> bool {
        self.sets.get(self.place(key)).and_then(Option::as_ref).is_some_and(|set| set.way(key.max(1)).is_some())
    }

    /// The entry of a key, made when there is none. `now` is the time of use, in any unit that only grows.
    pub fn entry(&mut self, key: u64, now: u32, make: impl FnOnce() -> T) -> Option<&mut T> {
        self.entry_in(key, now, make, |set| set.used.iter().enumerate().min_by_key(|(_, used)| **used).map_or(0, |(way, _)| way))
    }

    /// The same; when the place is full, the entry with the least `worth` goes, among equals the longest unused.
    pub fn entry_by(&mut self, key: u64, now: u32, make: impl FnOnce() -> T, worth: impl Fn(&T) -> u32) -> Option<&mut T> {
        self.entry_in(key, now, make, |set| {
            let ways = set.values.iter().zip(set.used).enumerate();
            ways.min_by_key(|(_, (value, used))| (value.as_ref().map_or(0, &worth), *used)).map_or(0, |(way, _)| way)
        })
    }

    fn entry_in(&mut self, key: u64, now: u32, make: impl FnOnce() -> T, least: impl FnOnce(&Set<T>) -> usize) -> Option<&mut T> {
        let (place, key) = (self.place(key), key.max(1));
        let set = self.sets.get_mut(place)?.get_or_insert_with(|| Box::new(Set::new()));
        let known = set.way(key);
        let way = match known.or_else(|| set.way(0)) {
            Some(way) => way,
            None => {
                self.forgotten += 1;
                least(set)
            }
        };
        *set.used.get_mut(way)? = now;
        let value = set.values.get_mut(way)?;
        if known.is_none() {
            *set.keys.get_mut(way)? = key;
            *value = Some(make());
        }
        value.as_mut()
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: u64) -> Option<T> {
        let place = self.place(key);
        let set = self.sets.get_mut(place)?.as_mut()?;
        let way = set.way(key.max(1))?;
        *set.keys.get_mut(way)? = 0;
        set.values.get_mut(way)?.take()
    }

    /// Every entry, in the order of the places.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.sets.iter_mut().flatten().flat_map(|set| {
            let Set { keys, values, .. } = &mut **set;
            keys.iter().zip(values).filter_map(|(key, value)| value.as_mut().map(|value| (*key, value)))
        })
    }

    fn place(&self, key: u64) -> usize {
        (key >> 24) as usize & (self.sets.len() - 1)
    }
}

/// What was seen a moment ago: a direct-mapped memory of hashes, so that what repeats with every packet is looked at once.
#[derive(Debug)]
pub struct Recent(Vec<u64>);

impl Recent {
    /// Remembers at most so many, rounded up to a power of two.
    pub fn new(entries: usize) -> Self {
        Self(vec![0; entries.next_power_of_two()])
    }

    /// Whether the hash is remembered.
    pub fn holds(&self, hash: u64) -> bool {
        self.0.get(hash as usize & (self.0.len() - 1)) == Some(&hash)
    }

    /// Whether the hash was seen, and not overwritten since; it is remembered from now on.
    pub fn seen(&mut self, hash: u64) -> bool {
        let mask = self.0.len() - 1;
        let Some(place) = self.0.get_mut(hash as usize & mask) else { return false };
        std::mem::replace(place, hash) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_number_and_back() {
        for text in ["10.1.2.3", "0.0.0.0", "::1", "2001:db8::7", "::ffff:1.2.3.4"] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(address(number(ip)), ip.to_canonical());
        }
    }

    #[test]
    fn a_full_table_keeps_its_size_and_forgets_the_longest_unused() {
        let mut table = Fixed::new(8);
        for key in 1..=8 {
            table.entry(key, u32::try_from(key).unwrap(), || key);
        }
        table.entry(1, 9, || unreachable!());
        table.entry(20, 10, || 20);
        assert_eq!(table.find(2), None, "2 was unused for longest");
        assert_eq!((table.find(1).copied(), table.find(20).copied(), table.forgotten()), (Some(1), Some(20), 1));
        assert_eq!(table.remove(20), Some(20));
        assert_eq!(table.values_mut().count(), 7);
    }

    #[test]
    fn the_less_worthy_goes_first() {
        let mut table = Fixed::new(8);
        for key in 1..=8_u64 {
            table.entry(key, 1, || u32::from(key != 5));
        }
        table.entry_by(99, 2, || 7, |value| *value);
        assert_eq!(table.find(5), None);
    }

    #[test]
    fn seeds_place_the_same_pair_differently() {
        let (a, b) = (Mixer::new(1), Mixer::new(2));
        assert_ne!(a.pair(1, 2, 3), b.pair(1, 2, 3));
        assert_ne!(a.pair(1, 2, 3), a.pair(2, 1, 3));
        assert_eq!(a.one(5, 6), Mixer::new(1).one(5, 6));
    }

    #[test]
    fn what_was_just_seen_is_known() {
        let mut recent = Recent::new(4);
        assert!(!recent.seen(42));
        assert!(recent.seen(42));
        assert!(!recent.seen(46), "same place, another hash");
        assert!(!recent.seen(42));
    }
}
