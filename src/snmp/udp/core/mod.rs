//! The engine without sockets and clocks: datagrams, time and submissions go in, datagrams come out.
//!
//! An answer is accepted once, and only when it is a Response with the request-id of a question that is out, from the
//! address that was asked, with its version and community. The id names the slot and the question; it is changed before
//! the job hears of the answer, so a duplicate can never be taken for the answer to what the job asks next.

mod secured;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::conversation::{Complaint, Conversation, Known, Phase, Question, Submission};
use super::gate::Gate;
use super::ids::{Ids, SLOTS};
use super::outbox::Outbox;
use super::stats::Stats;
use super::window::Window;
use crate::model::Timestamp;
use crate::snmp::ber::{self, BerError, Writer};
use crate::snmp::job::{Answer, Ask, AskError, Credentials, End, Step};
use crate::snmp::message::{Message, PduKind, PduParts, Version};
use crate::snmp::v3::keys::Recipe;
use crate::snmp::v3::usm::Sealed;

/// So many devices are remembered (round-trip time, SNMPv3 engine); beyond that all are forgotten and learnt anew.
const REMEMBERED: usize = 1 << 17;

/// An id of so many questions ago, or less, is a latecomer or duplicate; an older one was never ours.
const RECENT: u16 = 64;

/// When a datagram arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// On the monotonic clock.
    pub(super) at: Instant,
    /// On the wall clock.
    pub(super) stamp: Timestamp,
}

#[derive(Default)]
struct Slot {
    generation: u16,
    conversation: Option<Box<Conversation>>,
}

/// All conversations, and what they wait for.
pub(super) struct Core {
    ids: Ids,
    slots: Vec<Slot>,
    free: Vec<u16>,
    peers: HashMap<SocketAddr, u16>,
    memory: HashMap<SocketAddr, Known>,
    timers: BinaryHeap<Reverse<(Instant, u16)>>,
    queue: VecDeque<(u16, u16)>,
    window: Window,
    /// How many questions are out or wait for their turn.
    asking: usize,
    gate: Arc<Gate>,
    writer: Writer,
    /// SNMPv3 keys to be made, each for the question with this slot and generation.
    pub(super) recipes: VecDeque<(u16, u16, Recipe)>,
    /// What is to be sent.
    pub(super) outbox: Outbox,
    /// What was counted.
    pub(super) stats: Stats,
}

impl Core {
    /// `seed` is random; `window` is how many packets may be out at once.
    pub(super) fn new(seed: u32, window: usize, gate: Arc<Gate>) -> Self {
        Self {
            ids: Ids::new(seed),
            slots: Vec::new(),
            free: Vec::new(),
            peers: HashMap::new(),
            memory: HashMap::new(),
            timers: BinaryHeap::new(),
            queue: VecDeque::new(),
            window: Window::new(window),
            asking: 0,
            gate,
            writer: Writer::with_capacity(2_048),
            recipes: VecDeque::new(),
            outbox: Outbox::default(),
            stats: Stats::default(),
        }
    }

    /// Whether nothing is running.
    pub(super) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }

    /// Whether an answer may come, or a question is to be sent.
    pub(super) const fn is_asking(&self) -> bool {
        self.asking > 0
    }

    /// How many packets are out, of those that count.
    pub(super) const fn out(&self) -> usize {
        self.window.out()
    }

    /// When [`Self::tick`] has something to do even if nothing arrives.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Starts a conversation whose place in the gate is taken.
    pub(super) fn submit(&mut self, submission: Submission, now: Instant) {
        let peer = submission.peer;
        let Some(slot) = self.free.pop().or_else(|| self.new_slot()) else {
            self.gate.leave(peer);
            submission.job.finish(End::Cancelled);
            return;
        };
        let known = self.memory.remove(&peer).unwrap_or_default();
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            place.conversation = Some(Box::new(Conversation::new(submission, known, now)));
        }
        self.peers.insert(peer, slot);
        self.stats.started += 1;
        self.stats.running += 1;
        self.step(slot, now);
    }

    fn new_slot(&mut self) -> Option<u16> {
        let slot = u16::try_from(self.slots.len()).ok().filter(|&slot| usize::from(slot) < SLOTS)?;
        self.slots.push(Slot::default());
        Some(slot)
    }

    /// Takes a datagram.
    pub(super) fn datagram(&mut self, from: SocketAddr, octets: &[u8], arrival: Arrival) {
        self.stats.received += 1;
        match Message::decode(octets) {
            Ok(message) if message.pdu.kind == PduKind::Response => self.response(from, &message, arrival),
            Ok(message) => self.garbage(from, || format!("a {:?} PDU instead of a Response", message.pdu.kind)),
            Err(BerError::Version(3)) => self.secured(from, octets, arrival),
            Err(_) if octets.first() != Some(&ber::SEQUENCE) => {
                self.garbage(from, || "it does not begin as an SNMP message does; is another service at this port?".to_owned());
            }
            Err(error) => self.garbage(from, || error.to_string()),
        }
    }

    fn response(&mut self, from: SocketAddr, message: &Message<'_>, arrival: Arrival) {
        let Some(slot) = self.asked(from, message.pdu.request_id) else { return };
        let Some(conversation) = self.conversation(slot) else { return };
        let speaks_alike = match &conversation.target.credentials {
            Credentials::Community { version, community } => *version == message.version && community.expose() == message.community,
            Credentials::User { .. } => false,
        };
        if !speaks_alike {
            conversation.complain(|| Complaint::Garbage("the answer carries another version or community".to_owned()));
            self.stats.foreign += 1;
            return;
        }
        let pdu = &message.pdu;
        let (received, rtt) = (arrival.stamp, Duration::ZERO);
        let answer = Answer { error_status: pdu.error_status, error_index: pdu.error_index, varbinds: pdu.varbinds, received, rtt };
        self.accept(slot, answer, arrival);
    }

    /// The slot whose question is out at `from` under this request-id; counts and tells what does not fit.
    fn asked(&mut self, from: SocketAddr, request_id: i32) -> Option<u16> {
        let Some((slot, generation)) = self.ids.split(request_id) else {
            self.stranger(from);
            return None;
        };
        let current = self.slots.get(usize::from(slot)).map(|place| place.generation);
        if current != Some(generation) {
            match current.map(|current| Ids::age(current, generation)) {
                Some(1..=RECENT) => self.stats.stale += 1,
                _ => self.stranger(from),
            }
            return None;
        }
        let Some(conversation) = self.conversation(slot).filter(|conversation| conversation.is_asking()) else {
            self.stranger(from);
            return None;
        };
        if conversation.peer != from {
            self.stats.foreign += 1;
            return None;
        }
        Some(slot)
    }

    /// Hands an answer to its job. From here on the question's id is void.
    fn accept(&mut self, slot: u16, answer: Answer<'_>, arrival: Arrival) {
        let Some(question) = self.close(slot) else { return };
        let Some(conversation) = self.conversation(slot) else { return };
        let rtt = question.last_sent.map_or(Duration::ZERO, |sent| arrival.at.saturating_duration_since(sent));
        // What a device needs to change itself says nothing of how long it needs to answer.
        if !question.is_set() {
            conversation.rtt.answered(rtt, question.tries);
        }
        conversation.job.answered(&Answer { rtt, ..answer });
        self.stats.accepted += 1;
        self.step(slot, arrival.at);
    }

    /// Ends the question that is out or queued, and makes its id void.
    fn close(&mut self, slot: u16) -> Option<Question> {
        let place = self.slots.get_mut(usize::from(slot))?;
        let conversation = place.conversation.as_mut()?;
        match std::mem::replace(&mut conversation.phase, Phase::Paused(conversation.deadline)) {
            Phase::Paused(until) => {
                conversation.phase = Phase::Paused(until);
                None
            }
            Phase::Queued(mut question) | Phase::Waiting(mut question) | Phase::Keying(mut question) => {
                place.generation = Ids::after(place.generation);
                self.asking -= 1;
                if let Some(credit) = question.credit.take() {
                    self.window.release(credit);
                }
                Some(question)
            }
        }
    }

    /// Octets from `from` that cannot be read.
    fn garbage(&mut self, from: SocketAddr, why: impl FnOnce() -> String) {
        self.stats.malformed += 1;
        if let Some(conversation) = self.peers.get(&from).copied().and_then(|slot| self.conversation(slot)) {
            conversation.complain(|| Complaint::Garbage(why()));
        }
    }

    /// A response with a request-id that was not given in recent times.
    fn stranger(&mut self, from: SocketAddr) {
        self.stats.foreign += 1;
        if let Some(conversation) = self.peers.get(&from).copied().and_then(|slot| self.conversation(slot)) {
            conversation.complain(|| Complaint::Garbage("the answer carries a request-id that was never asked".to_owned()));
        }
    }

    /// The network says that `peer` cannot be reached. A closed port ends the question at once; other reasons may pass,
    /// so the remaining tries are made.
    pub(super) fn unreachable(&mut self, peer: SocketAddr, why: &str, refused: bool, now: Instant) {
        let Some(&slot) = self.peers.get(&peer) else { return };
        let Some(conversation) = self.conversation(slot) else { return };
        conversation.complain(|| Complaint::Network(why.to_owned()));
        if refused && conversation.is_asking() {
            self.fail(slot, None, now);
        }
    }

    /// Does what is due, and fills the outbox.
    pub(super) fn tick(&mut self, now: Instant) {
        self.window.expire(now);
        while let Some(&Reverse((due, slot))) = self.timers.peek() {
            if due > now {
                break;
            }
            self.timers.pop();
            self.fire(slot, due, now);
        }
        while let Some(&(slot, generation)) = self.queue.front() {
            if self.slots.get(usize::from(slot)).is_none_or(|place| place.generation != generation) {
                self.queue.pop_front();
                continue;
            }
            if !self.transmit(slot, now) {
                break;
            }
            self.queue.pop_front();
        }
    }

    fn fire(&mut self, slot: u16, due: Instant, now: Instant) {
        let Some(conversation) = self.conversation(slot) else { return };
        if conversation.armed != Some(due) {
            return;
        }
        conversation.armed = None;
        if now >= conversation.deadline {
            return self.finish(slot, End::Deadline);
        }
        if now < conversation.due() {
            return self.arm(slot);
        }
        match &conversation.phase {
            Phase::Paused(_) => self.step(slot, now),
            Phase::Queued(_) | Phase::Keying(_) => self.arm(slot),
            Phase::Waiting(question) if question.tries < conversation.tries_for(question) => {
                self.stats.retries += 1;
                self.enqueue(slot);
            }
            Phase::Waiting(_) => self.fail(slot, None, now),
        }
    }

    /// Puts the question that is out, or waits for keys, back into the queue.
    fn enqueue(&mut self, slot: u16) {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return };
        let Some(conversation) = place.conversation.as_mut() else { return };
        match std::mem::replace(&mut conversation.phase, Phase::Paused(conversation.deadline)) {
            Phase::Queued(mut question) | Phase::Waiting(mut question) | Phase::Keying(mut question) => {
                if let Some(credit) = question.credit.take() {
                    self.window.release(credit);
                }
                conversation.phase = Phase::Queued(question);
                self.queue.push_back((slot, place.generation));
            }
            paused @ Phase::Paused(_) => conversation.phase = paused,
        }
        self.arm(slot);
    }

    /// Gives the question up, for the reason given or for the one that was noted while it waited.
    fn fail(&mut self, slot: u16, reason: Option<AskError>, now: Instant) {
        let Some(mut question) = self.close(slot) else { return };
        let Some(conversation) = self.conversation(slot) else { return };
        let peer = conversation.peer;
        let mut error = reason.unwrap_or_else(|| question.failure(peer, now));
        if let Some(usm) = &mut conversation.usm {
            if let (AskError::Timeout { .. }, Some(why)) = (&error, usm.suspicion().filter(|_| question.rounds > 0)) {
                error = AskError::Refused { peer, why };
            }
            usm.reset();
        }
        conversation.job.failed(&error);
        match error {
            AskError::Timeout { .. } | AskError::Malformed { .. } => self.stats.timeouts += 1,
            AskError::Unreachable { .. } => self.stats.unreachable += 1,
            AskError::Refused { .. } => self.stats.refused += 1,
        }
        self.step(slot, now);
    }

    /// Asks the job what it wants next.
    fn step(&mut self, slot: u16, now: Instant) {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return };
        let Some(conversation) = place.conversation.as_mut() else { return };
        match conversation.job.next(now) {
            Step::Send(request) => {
                conversation.phase = Phase::Queued(Question::new(request));
                self.asking += 1;
                self.queue.push_back((slot, place.generation));
                self.arm(slot);
            }
            Step::Pause(until) => {
                conversation.phase = Phase::Paused(until);
                self.arm(slot);
            }
            Step::Finished => self.finish(slot, End::Complete),
        }
    }

    /// Writes the question of a slot into the outbox; false when the window is full.
    fn transmit(&mut self, slot: u16, now: Instant) -> bool {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return true };
        let Some(conversation) = place.conversation.as_mut() else { return true };
        let Phase::Queued(question) = &mut conversation.phase else { return true };
        let Some(credit) = self.window.take(now) else { return false };
        question.tries = question.tries.saturating_add(1);
        question.credit = Some(credit);
        question.first_sent.get_or_insert(now);
        question.last_sent = Some(now);
        let patience = &conversation.target.patience;
        question.timeout = if question.is_set() { patience.max_timeout } else { conversation.rtt.timeout(patience, question.tries) };
        let id = self.ids.id(slot, place.generation);
        self.writer.clear();
        match (&conversation.target.credentials, &mut conversation.usm) {
            (Credentials::Community { version, community }, _) => {
                Message::encode(*version, community.expose(), &parts(*version, question, id), &mut self.writer);
            }
            (Credentials::User { .. }, Some(usm)) => {
                // What is sent once is not tried with another key.
                let tries = if question.is_set() { 1 } else { question.tries };
                let sealed = usm.seal(&parts(Version::V2c, question, id), tries, now, &mut self.writer);
                if !matches!(sealed, Sealed::Written) {
                    self.hold(slot, sealed, now);
                    return true;
                }
            }
            (Credentials::User { .. }, None) => {}
        }
        self.outbox.push(conversation.peer, self.writer.as_slice());
        self.stats.sent += 1;
        if let Phase::Queued(question) = std::mem::replace(&mut conversation.phase, Phase::Paused(now)) {
            conversation.phase = Phase::Waiting(question);
        }
        self.arm(slot);
        true
    }

    /// Sets a timer for what the conversation waits for, unless an earlier one is set: that one will set it on.
    fn arm(&mut self, slot: u16) {
        let Some(conversation) = self.slots.get_mut(usize::from(slot)).and_then(|place| place.conversation.as_mut()) else { return };
        let due = conversation.due();
        if conversation.armed.is_none_or(|armed| due < armed) {
            conversation.armed = Some(due);
            self.timers.push(Reverse((due, slot)));
        }
    }

    fn finish(&mut self, slot: u16, end: End) {
        self.close(slot);
        let Some(conversation) = self.slots.get_mut(usize::from(slot)).and_then(|place| place.conversation.take()) else { return };
        if self.memory.len() >= REMEMBERED {
            self.memory.clear();
        }
        let Conversation { peer, rtt, usm, job, .. } = *conversation;
        self.memory.insert(peer, Known { rtt, usm });
        self.peers.remove(&peer);
        self.free.push(slot);
        self.stats.running -= 1;
        self.stats.deadlines += u64::from(end == End::Deadline);
        // Before the job ends: what it sets off may submit the next job of this device.
        self.gate.leave(peer);
        job.finish(end);
    }

    /// Ends all conversations.
    pub(super) fn cancel(&mut self) {
        let slots: Vec<u16> = self.peers.values().copied().collect();
        slots.into_iter().for_each(|slot| self.finish(slot, End::Cancelled));
    }

    fn conversation(&mut self, slot: u16) -> Option<&mut Conversation> {
        self.slots.get_mut(usize::from(slot))?.conversation.as_deref_mut()
    }
}

/// The PDU of a question. Version 1 has no GETBULK and is asked for the successors only.
fn parts(version: Version, question: &Question, request_id: i32) -> PduParts<'_> {
    let (kind, first, second) = match question.request.ask {
        Ask::Get => (PduKind::Get, 0, 0),
        Ask::GetNext => (PduKind::GetNext, 0, 0),
        Ask::GetBulk { .. } if version == Version::V1 => (PduKind::GetNext, 0, 0),
        Ask::GetBulk { non_repeaters, max_repetitions } => (PduKind::GetBulk, non_repeaters, max_repetitions),
        Ask::Set(_) => (PduKind::Set, 0, 0),
    };
    PduParts { kind, request_id, error_status: first.into(), error_index: second.into(), varbinds: &question.request.varbinds }
}
