//! Contacts whose outcome is awaited, oldest first. Each class waits the same time for all, so each has one queue in which what
//! falls due stands in front. Full queues give up their oldest without a judgement, and that is counted.

use std::collections::VecDeque;

/// What kind of contact it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Class {
    Tcp,
    Udp,
    Icmp,
    Arp,
}

impl Class {
    pub(super) const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Arp];

    /// What tells keys of this class and port apart from others.
    pub(super) const fn key(self, port: u16) -> u64 {
        (self as u64 + 1) << 16 | port as u64
    }
}

/// One contact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    /// The pair.
    pub(super) pair: u64,
    /// The machine that made it.
    pub(super) host: u64,
    /// With whom, in two halves: 16 octets without the alignment of one number.
    to: [u64; 2],
    /// When, in ticks.
    pub(super) made: u32,
    /// The port.
    pub(super) port: u16,
    /// The class.
    pub(super) class: Class,
}

impl Awaited {
    pub(super) const fn new(pair: u64, host: u64, to: u128, made: u32, port: u16, class: Class) -> Self {
        Self { pair, host, to: [(to >> 64) as u64, to as u64], made, port, class }
    }

    pub(super) const fn to(&self) -> u128 {
        (self.to[0] as u128) << 64 | self.to[1] as u128
    }
}

/// The queue of one class.
#[derive(Debug)]
struct Queue {
    waits: u32,
    most: usize,
    awaited: VecDeque<Awaited>,
    /// How many at the front were looked at before their time.
    looked: usize,
}

impl Queue {
    fn pop(&mut self) -> Option<Awaited> {
        self.looked = self.looked.saturating_sub(1);
        self.awaited.pop_front()
    }
}

/// The queues.
#[derive(Debug)]
pub(super) struct Pending {
    queues: [Queue; 4],
    given_up: u64,
}

impl Pending {
    /// At most so many together; how many ticks each class waits.
    pub(super) fn new(most: u32, waits: [u32; 4]) -> Self {
        let share = |eighths: usize| (most as usize / 8 * eighths).max(1);
        let shares = [share(4), share(2), share(1), share(1)];
        let queue = |(waits, most)| Queue { waits, most, awaited: VecDeque::new(), looked: 0 };
        let mut queues = waits.into_iter().zip(shares).map(queue);
        let mut next = || queues.next().unwrap_or_else(|| queue((0, 1)));
        Self { queues: [next(), next(), next(), next()], given_up: 0 }
    }

    /// How many were given up without a judgement.
    pub(super) const fn given_up(&self) -> u64 {
        self.given_up
    }

    pub(super) fn push(&mut self, awaited: Awaited) {
        let Some(queue) = self.queues.get_mut(awaited.class as usize) else { return };
        if queue.awaited.len() >= queue.most {
            queue.pop();
            self.given_up += 1;
        } else if queue.awaited.len() == queue.awaited.capacity() {
            // Grows by doubling, but never beyond its size.
            queue.awaited.reserve_exact(queue.awaited.len().max(64).min(queue.most - queue.awaited.len()));
        }
        queue.awaited.push_back(awaited);
    }

    /// The next of a class whose time is over at `tick`.
    pub(super) fn due(&mut self, class: Class, tick: u32) -> Option<Awaited> {
        let queue = self.queues.get_mut(class as usize)?;
        let due = queue.awaited.front().is_some_and(|first| tick.saturating_sub(first.made) >= queue.waits);
        if due { queue.pop() } else { None }
    }

    /// The next of a class that is open for `ticks` already, each of them once.
    pub(super) fn slow(&mut self, class: Class, tick: u32, ticks: u32) -> Option<Awaited> {
        let queue = self.queues.get_mut(class as usize)?;
        let awaited = *queue.awaited.get(queue.looked).filter(|next| tick.saturating_sub(next.made) >= ticks)?;
        queue.looked += 1;
        Some(awaited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(made: u32, class: Class) -> Awaited {
        Awaited::new(u64::from(made), 1, u128::MAX - 5, made, 80, class)
    }

    #[test]
    fn each_falls_due_after_its_time() {
        let mut pending = Pending::new(800, [80, 128, 64, 48]);
        pending.push(one(10, Class::Tcp));
        pending.push(one(10, Class::Arp));
        assert!(pending.due(Class::Tcp, 89).is_none());
        assert_eq!(pending.due(Class::Tcp, 90).map(|awaited| awaited.to()), Some(u128::MAX - 5));
        assert!(pending.due(Class::Tcp, 90).is_none() && pending.due(Class::Arp, 58).is_some());
    }

    #[test]
    fn it_never_grows_beyond_its_size() {
        let mut pending = Pending::new(1000, [80; 4]);
        (0..10_000).for_each(|at| pending.push(one(at, Class::Tcp)));
        assert_eq!(pending.given_up(), 9_500);
        assert!(pending.queues[0].awaited.capacity() <= 500);
        assert_eq!(pending.due(Class::Tcp, 20_000).map(|awaited| awaited.made), Some(9_500));
    }

    #[test]
    fn one_takes_forty_octets() {
        assert_eq!(size_of::<Awaited>(), 40);
    }
}
