//! How often somebody may guess: pure, `now` comes in.
//!
//! Failures are counted per (account, source net), per source net, per account over all strangers, and per known device.
//! Nobody can lock out the office: a browser that has logged in to this account before is counted for itself alone, and
//! past all limits of the whole house answers only come slower.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use super::token::TokenHash;
use crate::model::Timestamp;

/// Failures count this long.
pub(super) const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Failures of one account from one net, or from one known device.
const MOST: usize = 5;
/// Failures of one net over all accounts: many people may sit behind one address.
const MOST_OF_NET: usize = 30;
/// Failures of one account from everywhere but known devices.
const MOST_OF_STRANGERS: usize = 60;
/// Failures of the whole house in a minute past which strangers wait.
const CALM: usize = 30;
/// The longest that a stranger waits for an answer.
const SLOWEST: Duration = Duration::from_secs(3);
/// Counted keys at most; past it the one that was quiet longest is forgotten.
const KEYS: usize = 20_000;

/// Whose attempt it is.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The account's name as it was typed.
    pub login: &'a str,
    /// Where it comes from.
    pub source: IpAddr,
    /// The browser, when it has logged in to this account before.
    pub device: Option<TokenHash>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    Account(String, IpAddr),
    Net(IpAddr),
    Strangers(String),
    Device(TokenHash),
    House,
}

/// What an attempt gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// It may be tried, after this wait.
    After(Duration),
    /// It is not tried; again after this time.
    Locked(Duration),
}

/// A try as it is kept over a restart.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) at: Timestamp,
    pub(super) login: String,
    pub(super) source: IpAddr,
    pub(super) device: Option<TokenHash>,
    pub(super) has_failed: bool,
}

/// The failures of the last while.
#[derive(Debug, Default)]
pub struct Limits {
    failures: HashMap<Key, Vec<Timestamp>>,
}

impl Limits {
    /// Goes on from what was kept, the oldest first.
    pub(super) fn of(kept: &[Kept]) -> Self {
        let mut limits = Self::default();
        for one in kept {
            let attempt = Attempt { login: &one.login, source: one.source, device: one.device };
            if one.has_failed {
                limits.failed(&attempt, one.at);
            } else {
                limits.succeeded(&attempt);
            }
        }
        limits
    }

    /// Whether an attempt may be made.
    pub fn leave(&self, attempt: &Attempt<'_>, now: Timestamp) -> Leave {
        let locked = keys(attempt).into_iter().filter_map(|(key, most)| self.wait(&key, most, now)).max();
        if let Some(wait) = locked {
            return Leave::Locked(wait);
        }
        if attempt.device.is_some() {
            return Leave::After(Duration::ZERO);
        }
        let minute = now - Duration::from_secs(60);
        let lately = self.failures.get(&Key::House).map_or(0, |times| times.iter().filter(|at| **at > minute).count());
        let over = u32::try_from(lately.saturating_sub(CALM)).unwrap_or(u32::MAX);
        Leave::After((Duration::from_millis(100) * over.min(1000)).min(SLOWEST))
    }

    /// Counts a failure. True when this one has locked the account for its source.
    pub fn failed(&mut self, attempt: &Attempt<'_>, now: Timestamp) -> bool {
        let mut locks = false;
        for (key, most) in keys(attempt).into_iter().chain([(Key::House, usize::MAX)]) {
            let own = matches!(key, Key::Account(..) | Key::Device(_));
            self.make_room(&key);
            let times = self.failures.entry(key).or_default();
            times.retain(|at| now.since(*at) < WINDOW);
            // More than counts need not be kept.
            if times.len() >= MOST_OF_STRANGERS * 4 {
                times.remove(0);
            }
            times.push(now);
            locks |= own && times.len() == most;
        }
        locks
    }

    /// Somebody has logged in: what this source got wrong before does not count any more.
    pub fn succeeded(&mut self, attempt: &Attempt<'_>) {
        for (key, _) in keys(attempt) {
            if matches!(key, Key::Account(..) | Key::Device(_)) {
                self.failures.remove(&key);
            }
        }
    }

    /// How long a key stays locked.
    fn wait(&self, key: &Key, most: usize, now: Timestamp) -> Option<Duration> {
        let times = self.failures.get(key)?;
        let counted: Vec<Timestamp> = times.iter().copied().filter(|at| now.since(*at) < WINDOW).collect();
        let oldest = counted.get(counted.len().checked_sub(most)?)?;
        Some((*oldest + WINDOW).since(now))
    }

    fn make_room(&mut self, key: &Key) {
        if self.failures.len() < KEYS || self.failures.contains_key(key) {
            return;
        }
        let quietest = self.failures.iter().min_by_key(|(_, times)| times.last().copied()).map(|(key, _)| key.clone());
        if let Some(quietest) = quietest {
            self.failures.remove(&quietest);
        }
    }
}

/// What an attempt is counted by, with the most of each.
fn keys(attempt: &Attempt<'_>) -> Vec<(Key, usize)> {
    if let Some(device) = attempt.device {
        return vec![(Key::Device(device), MOST)];
    }
    let net = net(attempt.source);
    vec![
        (Key::Account(attempt.login.to_owned(), net), MOST),
        (Key::Net(net), MOST_OF_NET),
        (Key::Strangers(attempt.login.to_owned()), MOST_OF_STRANGERS),
    ]
}

/// One subscriber: an IPv4 address, the /64 of an IPv6 address.
fn net(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        },
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn from<'a>(login: &'a str, source: &str) -> Attempt<'a> {
        Attempt { login, source: source.parse().unwrap(), device: None }
    }

    #[test]
    fn five_failures_lock_an_account_for_its_source_for_a_quarter_of_an_hour() {
        let mut limits = Limits::default();
        let guess = from("li", "10.0.0.9");
        for index in 0..5 {
            assert_eq!(limits.leave(&guess, NOW), Leave::After(Duration::ZERO));
            assert_eq!(limits.failed(&guess, NOW), index == 4);
        }
        assert_eq!(limits.leave(&guess, NOW), Leave::Locked(WINDOW));
        assert_eq!(limits.leave(&from("li", "10.0.0.10"), NOW), Leave::After(Duration::ZERO), "another desk");
        assert_eq!(limits.leave(&from("zhang", "10.0.0.9"), NOW), Leave::After(Duration::ZERO), "another person at the same desk");
        assert_eq!(limits.leave(&guess, NOW + WINDOW), Leave::After(Duration::ZERO));
    }

    #[test]
    fn a_success_forgives_and_a_known_device_stands_for_itself() {
        let mut limits = Limits::default();
        let guess = from("li", "10.0.0.9");
        (0..4).for_each(|_| assert!(!limits.failed(&guess, NOW)));
        limits.succeeded(&guess);
        (0..4).for_each(|_| assert!(!limits.failed(&guess, NOW)));
        assert!(limits.failed(&guess, NOW));
        let known = Attempt { device: Some([7; 32]), ..guess };
        assert_eq!(limits.leave(&known, NOW), Leave::After(Duration::ZERO), "the owner's browser, at the very address that is locked");
        (0..5).for_each(|_| {
            limits.failed(&known, NOW);
        });
        assert_eq!(limits.leave(&known, NOW), Leave::Locked(WINDOW));
    }

    /// Hundreds of machines that guess at everybody: each owner at a known browser still gets in, at once.
    #[test]
    fn nobody_can_lock_out_the_office() {
        let mut limits = Limits::default();
        let people: Vec<String> = (0..20).map(|index| format!("person{index}")).collect();
        for machine in 0..300_u32 {
            let source = IpAddr::V4((0x0a00_0000 + machine).into());
            for login in &people {
                limits.failed(&Attempt { login, source, device: None }, NOW);
            }
        }
        for (index, login) in people.iter().enumerate() {
            let device = Some([index as u8; 32]);
            assert_eq!(limits.leave(&Attempt { login, source: "10.0.0.1".parse().unwrap(), device }, NOW), Leave::After(Duration::ZERO));
        }
        assert!(matches!(limits.leave(&from("person1", "192.0.2.1"), NOW), Leave::Locked(_)));
        assert_eq!(limits.leave(&from("newcomer", "192.0.2.1"), NOW), Leave::After(SLOWEST), "strangers wait, and get their answer");
        assert!(limits.failures.len() <= KEYS);
        assert!(limits.failures.values().all(|times| times.len() <= MOST_OF_STRANGERS * 4));
    }

    #[test]
    fn one_subscriber_is_one_source() {
        assert_eq!(net("2001:db8:1:2:3::4".parse().unwrap()), net("2001:db8:1:2:ffff::9".parse().unwrap()));
        assert_ne!(net("2001:db8:1:2::".parse().unwrap()), net("2001:db8:1:3::".parse().unwrap()));
        assert_eq!(net("::ffff:10.0.0.1".parse().unwrap()), net("10.0.0.1".parse().unwrap()));
    }
}
