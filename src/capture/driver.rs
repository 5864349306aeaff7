//! The threads that watch interfaces: each has one ring, takes the headers off what comes, and hands it to the one judge of
//! all threads. An interface that is missing, down or renamed is told and looked for again; nothing here ends for that.
//!
//! The judge is locked for some hundred packets at a time and lends them from the ring. While it is busy with another
//! thread's, packets wait in the ring, which is the largest room there is, and what does not fit there the kernel counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio_util::sync::CancellationToken;

use super::filter;
use super::headers;
use super::interfaces::{self, Interface};
use super::link::Link;
use super::live::{Board, Row, State, Turn};
use super::packet::{Nanos, Packet};
use super::ring::{self, Ring};
use crate::model::clock;

/// Packets that the judge gets at once.
const BATCH: usize = 256;
/// How long a thread waits for frames before it looks at its token.
const WAIT: Duration = Duration::from_millis(250);
/// How often drops are counted and the interface is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What may still wait in the kernel when a ring looks empty: a block that is not yet handed over.
const BEHIND_NS: u64 = 100_000_000;

/// Who takes the packets.
pub trait Consumer: Send {
    /// Packets of one interface in the order in which they passed.
    fn packets(&mut self, packets: &[Packet<'_>]);

    /// Everything before `now` has been handed over: called each second at which a ring is empty.
    fn tick(&mut self, now: Nanos);
}

/// What is watched, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Interfaces by name.
    pub interfaces: Vec<Arc<str>>,
    /// Octets of each ring, rounded up to whole blocks of [`ring::BLOCK`].
    pub ring_octets: u64,
    /// Threads, with a ring each, for each interface.
    pub threads: u16,
    /// Whether frames for others are wanted, as on a mirror port.
    pub promiscuous: bool,
}

/// Everything that watches.
pub struct Watch {
    options: Options,
    board: Arc<Board>,
    judge: Mutex<Box<dyn Consumer>>,
    /// The groups in which the threads of an interface share its frames, one an interface.
    groups: Vec<u16>,
}

impl Watch {
    /// Nothing is watched before [`Self::run`].
    pub fn new(options: Options, judge: Box<dyn Consumer>) -> Self {
        let board = Arc::new(Board::new(&options.interfaces, clock::wall()));
        // Groups are numbers of the whole network namespace: those of other programs must not meet ours.
        let mut seed = [0; 2];
        if getrandom::fill(&mut seed).is_err() {
            seed = (std::process::id() as u16).to_ne_bytes();
        }
        let groups = (0..options.interfaces.len()).map(|number| u16::from_ne_bytes(seed).wrapping_add(number as u16)).collect();
        Self { options, board, judge: Mutex::new(judge), groups }
    }

    /// Each interface as it is now.
    pub const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// What is watched, and how.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The lives that [`Self::run`] is to be called for, each on a thread of its own, by name.
    pub fn lanes(&self) -> Vec<String> {
        let lane = |interface: &Arc<str>, number: u16| match self.options.threads {
            0 | 1 => format!("capture-{interface}"),
            _ => format!("capture-{interface}-{number}"),
        };
        let threads = self.options.threads.max(1);
        self.options.interfaces.iter().flat_map(|interface| (0..threads).map(move |number| lane(interface, number))).collect()
    }

    /// One lane's life, until told to end.
    pub fn run(&self, lane: usize, token: &CancellationToken) {
        let interface = lane / usize::from(self.options.threads.max(1));
        let (Some(row), Some(&group)) = (self.board.rows.get(interface), self.groups.get(interface)) else { return };
        let group = (self.options.threads > 1).then_some(group);
        let lane = Lane { watch: self, row, group };
        while !token.is_cancelled() {
            lane.try_once(token);
        }
    }
}

/// One thread with its ring.
struct Lane<'a> {
    watch: &'a Watch,
    row: &'a Row,
    group: Option<u16>,
}

impl Lane<'_> {
    /// Looks for the interface and watches it for as long as it is there.
    fn try_once(&self, token: &CancellationToken) {
        match interfaces::list().into_iter().find(|interface| *interface.name == *self.row.name) {
            None => self.tell(State::Missing),
            Some(interface) => match self.open(&interface) {
                Ok(ring) => return self.watch(ring, &interface, token),
                Err(error) => self.tell(State::Refused(error.to_string().into())),
            },
        }
        let until = clock::monotonic() + LOOK;
        while !token.is_cancelled() && clock::monotonic() < until {
            // Nothing to wait for but the time.
            wait_any(&[], WAIT);
        }
    }

    fn open(&self, interface: &Interface) -> std::io::Result<Ring> {
        let options = &self.watch.options;
        Ring::open(&ring::Options {
            interface: interface.index,
            blocks: usize::try_from(options.ring_octets.div_ceil(ring::BLOCK as u64)).unwrap_or(1),
            promiscuous: options.promiscuous,
            fanout: self.group,
            filter: filter::snap(),
        })
    }

    fn watch(&self, mut ring: Ring, interface: &Interface, token: &CancellationToken) {
        self.tell(if interface.is_up { State::Watching } else { State::Down });
        let (mut turn, mut looked) = (Turn::default(), clock::monotonic());
        while !token.is_cancelled() {
            let is_empty = !self.block(&mut ring, &mut turn) && !wait(&ring);
            let now = clock::monotonic();
            if now - looked >= LOOK {
                looked = now;
                if !self.look(&mut ring, interface, &mut turn, is_empty) {
                    break;
                }
            }
        }
        // What came in the meantime is still taken, and what was lost is counted.
        while self.block(&mut ring, &mut turn) {}
        self.count(&mut ring, &mut turn);
    }

    /// Hands the next block to the judge; `false` when there is none.
    fn block(&self, ring: &mut Ring, turn: &mut Turn) -> bool {
        let Some(block) = ring.block() else { return false };
        let mut batch: Vec<Packet<'_>> = Vec::with_capacity(BATCH);
        for frame in block.frames() {
            turn.received += 1;
            turn.octets += u64::from(frame.wire_octets);
            let packet = headers::parse(frame.at, frame.wire_octets, Link::Ethernet, frame.vlan(), frame.octets);
            turn.tagged += u64::from(frame.tag.is_some());
            batch.push(packet);
            if batch.len() == BATCH {
                self.judge(&batch);
                batch.clear();
            }
        }
        if !batch.is_empty() {
            self.judge(&batch);
        }
        drop(batch);
        ring.release();
        true
    }

    fn judge(&self, batch: &[Packet<'_>]) {
        self.watch.judge.lock().unwrap_or_else(PoisonError::into_inner).packets(batch);
    }

    /// Each second: counts, time, and whether the interface is still what it was; `false` when it has to be opened anew.
    fn look(&self, ring: &mut Ring, interface: &Interface, turn: &mut Turn, is_empty: bool) -> bool {
        self.count(ring, turn);
        if is_empty {
            let now = u64::try_from(clock::wall_nanos()).unwrap_or(0);
            self.watch.judge.lock().unwrap_or_else(PoisonError::into_inner).tick(Nanos(now.saturating_sub(BEHIND_NS)));
        }
        match seen(&interfaces::list(), &self.row.name, interface.index) {
            Some(state) => {
                self.tell(state);
                true
            }
            None => false,
        }
    }

    fn count(&self, ring: &mut Ring, turn: &mut Turn) {
        if let Ok(drops) = ring.drops() {
            (turn.dropped, turn.full) = (drops.dropped, drops.full);
        }
        if turn.dropped > 0 {
            tracing::warn!(
                interface = &*self.row.name,
                dropped_packets = turn.dropped,
                "{} packets on {} found no room in the ring; a larger capture.ring or more capture.threads give more",
                turn.dropped,
                self.row.name
            );
        }
        self.row.counts.add(&std::mem::take(turn));
    }

    fn tell(&self, state: State) {
        let name = &*self.row.name;
        if !self.row.set(state.clone(), clock::wall()) {
            return;
        }
        match state {
            State::Starting => {}
            State::Watching => tracing::info!(interface = name, "watching {name}"),
            State::Down => tracing::warn!(interface = name, "{name} is down or has no carrier: nothing is seen there until it is up"),
            State::Renamed(to) => tracing::warn!(
                interface = name,
                now = &*to,
                "{name} is called {to} now; it is watched on, but capture.interfaces names what is no more"
            ),
            State::Missing => tracing::warn!(interface = name, "there is no interface {name}; it is looked for each second"),
            State::Refused(why) => tracing::error!(
                interface = name,
                error = &*why,
                "{name} cannot be watched: {why}; it needs CAP_NET_RAW, and memory for capture.ring; tried again each second"
            ),
        }
    }
}

/// What became of an interface that is watched by its index; `None` when another has its name, or it is gone.
fn seen(interfaces: &[Interface], name: &str, index: u32) -> Option<State> {
    let state = |interface: &Interface| if interface.is_up { State::Watching } else { State::Down };
    match interfaces.iter().find(|interface| interface.name == name) {
        Some(interface) if interface.index == index => Some(state(interface)),
        Some(_) => None,
        None => {
            interfaces.iter().find(|interface| interface.index == index).map(|interface| State::Renamed(interface.name.as_str().into()))
        }
    }
}

/// Waits for frames for a moment; whether there are any.
fn wait(ring: &Ring) -> bool {
    wait_any(std::slice::from_ref(ring), Duration::MAX);
    ring.block().is_some()
}

/// Waits until one of the rings has something, for a quarter of a second at most.
pub(super) fn wait_any(rings: &[Ring], longest: Duration) {
    let longest = Timespec { tv_sec: 0, tv_nsec: longest.min(WAIT).subsec_nanos().into() };
    let mut waited: Vec<PollFd<'_>> = rings.iter().map(|ring| PollFd::new(ring, PollFlags::IN)).collect();
    // Interrupted or not: what is there is found at the next turn.
    let _ = poll(&mut waited, Some(&longest));
    for (ring, fd) in rings.iter().zip(&waited) {
        if fd.revents().contains(PollFlags::ERR) {
            // The interface went down or away; taken, so that waiting waits again. What became of it is looked at each second.
            let _ = ring.take_error();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_followed_by_its_index_and_claimed_by_its_name() {
        let interface = |name: &str, index, is_up| Interface { name: name.to_owned(), index, mac: None, is_up };
        let now = [interface("lo", 1, true), interface("eth1", 7, true), interface("eth2", 8, false)];
        assert_eq!(seen(&now, "eth1", 7), Some(State::Watching));
        assert_eq!(seen(&now, "eth2", 8), Some(State::Down));
        assert_eq!(seen(&now, "mirror", 7), Some(State::Renamed("eth1".into())));
        // Another one has the name now: that one is meant.
        assert_eq!(seen(&now, "eth1", 9), None);
        assert_eq!(seen(&now, "gone", 9), None);
    }
}
