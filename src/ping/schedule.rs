//! Which probe is due when, and what became of each. Pure: the driver sends what is due and hands back what came.
//!
//! All times are nanoseconds on one steady line (the wall clock without its steps), so that the kernel's receive stamps
//! can be compared with the moments of sending. A host's probes are spread over its interval, and hosts over the time
//! between two probes. Nothing is looked up by hash: a reply names its host's place in an array.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use super::codec::{Arrival, Family, MARK_SIZE, Mark, Refusal};
use super::round::{MOST_PROBES, Outcome, Round, Tally};

/// How many probes of a host are remembered, answered or not: later replies to older ones are not told apart from noise.
const RING: u32 = 8;
/// The time between two extra probes.
const EXTRA_GAP_NS: i64 = 250_000_000;

/// A host's number, given once for good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(pub u32);

/// A host to be probed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Who.
    pub id: HostId,
    /// Where.
    pub address: IpAddr,
    /// The length of a round.
    pub interval: Duration,
    /// Probes in a round, 1 to [`MOST_PROBES`].
    pub probes: u8,
    /// Octets of payload of a probe.
    pub size: u16,
}

impl Target {
    fn gap_ns(&self) -> i64 {
        let probes = u32::from(self.probes.clamp(1, MOST_PROBES as u8));
        nanos(self.interval / probes).max(1_000_000)
    }
}

/// A probe that is to be sent now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// To whom.
    pub address: IpAddr,
    /// What it carries.
    pub mark: Mark,
    /// The sequence number of its header.
    pub seq: u16,
    /// Octets of payload.
    pub size: usize,
}

impl Probe {
    /// The family of its address.
    pub const fn family(&self) -> Family {
        Family::of(&self.address)
    }
}

/// What the schedule tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// What became of a probe.
    Probe {
        /// Of which host.
        host: HostId,
        /// When it was settled.
        at_ns: i64,
        /// Whether it was sent out of turn to make sure.
        extra: bool,
        /// What.
        outcome: Outcome,
    },
    /// A round is through.
    Round {
        /// Of which host.
        host: HostId,
        /// When.
        at_ns: i64,
        /// What it says.
        round: Round,
    },
}

/// What is counted of everything together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Probes sent.
    pub sent: u64,
    /// Replies in time.
    pub answered: u64,
    /// Probes given up.
    pub lost: u64,
    /// Errors that quoted one of our probes.
    pub refused: u64,
    /// Probes that say nothing.
    pub unmeasured: u64,
    /// Replies that came again.
    pub duplicates: u64,
    /// Replies that came too late.
    pub late: u64,
    /// Messages that only looked like ours: a wrong cookie or a wrong source.
    pub strange: u64,
}

struct Slot {
    target: Option<Target>,
    /// Which entry in `due` counts.
    epoch: u32,
    number: u32,
    pending: u8,
    answered: u8,
    extra: u8,
    extras_left: u8,
    next_ns: i64,
    next_extra_ns: i64,
    sent_ns: [i64; RING as usize],
    tally: Tally,
}

impl Slot {
    const EMPTY: Self = Self {
        target: None,
        epoch: 0,
        number: 0,
        pending: 0,
        answered: 0,
        extra: 0,
        extras_left: 0,
        next_ns: i64::MAX,
        next_extra_ns: i64::MAX,
        sent_ns: [0; RING as usize],
        tally: Tally::EMPTY,
    };

    fn due_ns(&self) -> i64 {
        self.next_ns.min(self.next_extra_ns)
    }
}

/// Probes given up after the same time, in the order of sending.
struct Patience {
    span_ns: i64,
    waiting: VecDeque<(i64, u32, u32)>,
}

/// The probes of all hosts.
pub struct Schedule {
    slots: Vec<Slot>,
    by_id: HashMap<HostId, u32>,
    free: Vec<u32>,
    due: BinaryHeap<Reverse<(i64, u32, u32)>>,
    patience: Vec<Patience>,
    timeout_ns: i64,
    cookies: RandomState,
    dropped_ns: i64,
    counts: Counts,
}

impl Schedule {
    /// No hosts yet; probes are given up after `timeout`, or when the next one of their host is due.
    pub fn new(timeout: Duration) -> Self {
        Self {
            slots: Vec::new(),
            by_id: HashMap::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            patience: Vec::new(),
            timeout_ns: nanos(timeout).clamp(1, i64::from(u32::MAX)),
            cookies: RandomState::new(),
            dropped_ns: i64::MIN,
            counts: Counts::default(),
        }
    }

    /// What has been counted.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many hosts are probed.
    pub fn hosts(&self) -> usize {
        self.by_id.len()
    }

    /// Another time after which probes are given up, for those sent from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout_ns = nanos(timeout).clamp(1, i64::from(u32::MAX));
    }

    /// Replaces the list of hosts. Those that stay as they are keep their place in time.
    pub fn set_targets(&mut self, targets: &[Target], now_ns: i64) {
        let wanted: HashMap<HostId, &Target> = targets.iter().map(|target| (target.id, target)).collect();
        let gone: Vec<HostId> = self.by_id.keys().filter(|id| !wanted.contains_key(id)).copied().collect();
        for id in gone {
            let Some(place) = self.by_id.remove(&id) else { continue };
            if let Some(slot) = self.slots.get_mut(place as usize) {
                *slot = Slot { epoch: slot.epoch.wrapping_add(1), number: slot.number, ..Slot::EMPTY };
                self.free.push(place);
            }
        }
        self.slots.reserve_exact(targets.len().saturating_sub(self.slots.len()));
        for target in targets {
            let place = match self.by_id.get(&target.id) {
                Some(&place) => place,
                None => {
                    let place = self.free.pop().unwrap_or_else(|| {
                        self.slots.push(Slot::EMPTY);
                        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
                    });
                    self.by_id.insert(target.id, place);
                    place
                }
            };
            let Some(slot) = self.slots.get_mut(place as usize) else { continue };
            if slot.target.as_ref() == Some(target) {
                continue;
            }
            // The golden ratio spreads numbers given one after the other evenly.
            let share = u64::from(target.id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            let phase = (i128::from(target.gap_ns()) * i128::from(share)) >> 31;
            let (epoch, number) = (slot.epoch.wrapping_add(1), slot.number);
            *slot = Slot { target: Some(*target), epoch, number, next_ns: now_ns + phase as i64, ..Slot::EMPTY };
            self.due.push(Reverse((slot.next_ns, place, epoch)));
        }
    }

    /// Asks for extra probes of a host at once, outside of its rounds; while some are on their way this does nothing.
    pub fn probe_again(&mut self, host: HostId, count: u8, now_ns: i64) {
        let Some(&place) = self.by_id.get(&host) else { return };
        let Some(slot) = self.slots.get_mut(place as usize) else { return };
        if slot.extras_left > 0 || slot.pending & slot.extra != 0 {
            return;
        }
        slot.extras_left = count.min(RING as u8 / 2);
        slot.next_extra_ns = now_ns;
        slot.epoch = slot.epoch.wrapping_add(1);
        self.due.push(Reverse((now_ns, place, slot.epoch)));
    }

    /// When something is to be done next: a probe sent, or one given up.
    pub fn next_ns(&mut self) -> Option<i64> {
        while let Some(Reverse((_, place, epoch))) = self.due.peek() {
            if self.slots.get(*place as usize).is_some_and(|slot| slot.epoch == *epoch) {
                break;
            }
            self.due.pop();
        }
        let mut next = self.due.peek().map(|Reverse((at, ..))| *at);
        for patience in &mut self.patience {
            // What is answered needs no waking up for.
            while let Some(&(deadline, place, number)) = patience.waiting.front() {
                if self.slots.get(place as usize).is_some_and(|slot| is_pending(slot, number)) {
                    next = Some(next.map_or(deadline, |next| next.min(deadline)));
                    break;
                }
                patience.waiting.pop_front();
            }
        }
        next
    }

    /// The next probe that is due at `now_ns`. It must be sent (or not) and told by [`Self::sent`] or [`Self::unsent`].
    pub fn next_probe(&mut self, now_ns: i64) -> Option<Probe> {
        loop {
            let Reverse((at, place, epoch)) = *self.due.peek()?;
            if at > now_ns {
                return None;
            }
            self.due.pop();
            let Some(slot) = self.slots.get_mut(place as usize).filter(|slot| slot.epoch == epoch) else { continue };
            let Some(target) = slot.target else { continue };
            let extra = slot.next_extra_ns <= slot.next_ns;
            if extra {
                slot.extras_left = slot.extras_left.saturating_sub(1);
                slot.next_extra_ns = if slot.extras_left > 0 { now_ns + EXTRA_GAP_NS } else { i64::MAX };
            } else {
                let gap = target.gap_ns();
                slot.next_ns += gap;
                if slot.next_ns <= now_ns {
                    // We slept: what was missed is not made up for in a burst.
                    slot.next_ns += (now_ns - slot.next_ns) / gap * gap + gap;
                }
                slot.tally.sent = slot.tally.sent.saturating_add(1);
            }
            self.due.push(Reverse((slot.due_ns(), place, epoch)));
            let number = slot.number;
            slot.number = slot.number.wrapping_add(1);
            let bit = bit(number);
            slot.answered &= !bit;
            slot.pending |= bit;
            slot.extra = if extra { slot.extra | bit } else { slot.extra & !bit };
            let mark = Mark { slot: place, number, cookie: self.cookies.hash_one((place, number)) };
            return Some(Probe { address: target.address, mark, seq: seq(place, number), size: usize::from(target.size).max(MARK_SIZE) });
        }
    }

    /// The probe was handed to the kernel at `at_ns`.
    pub fn sent(&mut self, probe: &Probe, at_ns: i64) {
        let Some(slot) = self.slots.get_mut(probe.mark.slot as usize) else { return };
        let gap = slot.target.map_or(self.timeout_ns, |target| target.gap_ns());
        if let Some(sent) = slot.sent_ns.get_mut((probe.mark.number % RING) as usize) {
            *sent = at_ns;
        }
        self.counts.sent += 1;
        let span_ns = self.timeout_ns.min(gap);
        let waiting = (at_ns + span_ns, probe.mark.slot, probe.mark.number);
        match self.patience.iter_mut().find(|patience| patience.span_ns == span_ns) {
            Some(patience) => patience.waiting.push_back(waiting),
            None => self.patience.push(Patience { span_ns, waiting: VecDeque::from([waiting]) }),
        }
    }

    /// The probe could not be sent, for a reason of our own.
    pub fn unsent(&mut self, probe: &Probe, at_ns: i64, each: &mut impl FnMut(Event)) {
        self.settle(probe.mark.slot, probe.mark.number, at_ns, Outcome::Unmeasured, each);
    }

    /// Something came in from `from` (`None`: from the error queue) at `at_ns`.
    pub fn arrived(&mut self, from: Option<IpAddr>, at_ns: i64, arrival: Arrival, each: &mut impl FnMut(Event)) {
        match arrival {
            Arrival::Reply { mark, .. } => {
                let known = self.recognise(mark, from);
                self.reply(known, at_ns, each);
            }
            Arrival::Refused { refusal, to, seq, mark, .. } => {
                let known = match mark {
                    Some(mark) => self.recognise(mark, Some(to)),
                    None => self.find(to, seq),
                };
                match known {
                    Some((place, number)) => self.refused(place, number, at_ns, refusal, each),
                    None => self.counts.strange += 1,
                }
            }
        }
    }

    /// Our socket threw messages away until now: what stays unanswered meanwhile is not measured.
    pub const fn dropped(&mut self, now_ns: i64) {
        self.dropped_ns = now_ns;
    }

    /// Gives up what has waited too long. Everything that had come by `now_ns` must have been handed in.
    pub fn give_up(&mut self, now_ns: i64, each: &mut impl FnMut(Event)) {
        for at in 0..self.patience.len() {
            while let Some((deadline, place, number)) = self.patience.get(at).and_then(|patience| patience.waiting.front().copied()) {
                let is_pending = self.slots.get(place as usize).is_some_and(|slot| is_pending(slot, number));
                if is_pending && deadline > now_ns {
                    break;
                }
                if let Some(patience) = self.patience.get_mut(at) {
                    patience.waiting.pop_front();
                }
                if is_pending {
                    let sent_ns = self.sent_ns(place, number);
                    let outcome = if self.dropped_ns >= sent_ns { Outcome::Unmeasured } else { Outcome::Lost };
                    self.settle(place, number, now_ns, outcome, each);
                }
            }
        }
    }

    fn reply(&mut self, known: Option<(u32, u32)>, at_ns: i64, each: &mut impl FnMut(Event)) {
        let Some((place, number)) = known else {
            self.counts.strange += 1;
            return;
        };
        let sent_ns = self.sent_ns(place, number);
        let timeout_ns = self.timeout_ns;
        let Some(slot) = self.slots.get_mut(place as usize) else { return };
        if !is_pending(slot, number) {
            if slot.answered & bit(number) != 0 {
                slot.tally.duplicates = slot.tally.duplicates.saturating_add(1);
                self.counts.duplicates += 1;
            } else {
                slot.tally.late = slot.tally.late.saturating_add(1);
                self.counts.late += 1;
            }
            return;
        }
        let span_ns = timeout_ns.min(slot.target.map_or(timeout_ns, |target| target.gap_ns()));
        let taken_ns = at_ns.saturating_sub(sent_ns);
        if taken_ns > span_ns {
            slot.tally.late = slot.tally.late.saturating_add(1);
            self.counts.late += 1;
            self.settle(place, number, at_ns, Outcome::Lost, each);
            return;
        }
        slot.answered |= bit(number);
        let taken = u32::try_from(taken_ns.max(1)).unwrap_or(u32::MAX);
        self.settle(place, number, at_ns, Outcome::Answered(taken), each);
    }

    fn refused(&mut self, place: u32, number: u32, at_ns: i64, refusal: Refusal, each: &mut impl FnMut(Event)) {
        if self.slots.get(place as usize).is_some_and(|slot| is_pending(slot, number)) {
            self.settle(place, number, at_ns, Outcome::Refused(refusal), each);
        }
    }

    /// The host and probe of a mark, when the cookie is ours and the address fits.
    fn recognise(&self, mark: Mark, address: Option<IpAddr>) -> Option<(u32, u32)> {
        let slot = self.slots.get(mark.slot as usize)?;
        let age = slot.number.wrapping_sub(mark.number);
        let fits = (1..=RING).contains(&age)
            && slot.target.is_some_and(|target| address.is_none_or(|address| address == target.address))
            && self.cookies.hash_one((mark.slot, mark.number)) == mark.cookie;
        fits.then_some((mark.slot, mark.number))
    }

    /// The host and probe of an address and a sequence number.
    fn find(&self, to: IpAddr, seq: u16) -> Option<(u32, u32)> {
        let (first, low) = (usize::from(seq >> 3), u32::from(seq) % RING);
        self.slots.iter().enumerate().skip(first).step_by(1 << 13).find_map(|(place, slot)| {
            let newest = slot.number.wrapping_sub(1);
            let number = newest.wrapping_sub(newest.wrapping_sub(low) % RING);
            let fits = slot.target.is_some_and(|target| target.address == to) && is_pending(slot, number);
            fits.then_some((u32::try_from(place).ok()?, number))
        })
    }

    fn sent_ns(&self, place: u32, number: u32) -> i64 {
        let slot = self.slots.get(place as usize);
        slot.and_then(|slot| slot.sent_ns.get((number % RING) as usize)).copied().unwrap_or(i64::MAX)
    }

    fn settle(&mut self, place: u32, number: u32, at_ns: i64, outcome: Outcome, each: &mut impl FnMut(Event)) {
        match outcome {
            Outcome::Answered(_) => self.counts.answered += 1,
            Outcome::Lost => self.counts.lost += 1,
            Outcome::Refused(_) => self.counts.refused += 1,
            Outcome::Unmeasured => self.counts.unmeasured += 1,
        }
        let Some(slot) = self.slots.get_mut(place as usize) else { return };
        let Some(target) = slot.target else { return };
        let bit = bit(number);
        slot.pending &= !bit;
        let extra = slot.extra & bit != 0;
        each(Event::Probe { host: target.id, at_ns, extra, outcome });
        if !extra {
            slot.tally.add(outcome);
            if slot.tally.settled() >= target.probes {
                each(Event::Round { host: target.id, at_ns, round: slot.tally.finish() });
            }
        }
    }
}

const fn bit(number: u32) -> u8 {
    1 << (number % RING)
}

/// A sequence number by which an error that quotes nothing else can be matched: thirteen bits of the place, three of the probe.
const fn seq(place: u32, number: u32) -> u16 {
    (((place & 0x1fff) << 3) | (number % RING)) as u16
}

fn is_pending(slot: &Slot, number: u32) -> bool {
    slot.pending & bit(number) != 0 && (1..=RING).contains(&slot.number.wrapping_sub(number))
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
