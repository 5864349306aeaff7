//! Carries jobs to agents in memory: real messages, no sockets, a clock of its own.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use netroom::demo::agent::{Manners, Mib, respond};
use netroom::model::{DeviceId, Timestamp, clock};
use netroom::snmp::ber::Writer;
use netroom::snmp::job::{Answer, Ask, AskError, End, Job, Request, Step};
use netroom::snmp::message::{Message, PduKind, PduParts, Version};
use netroom::snmp::poll::memory::Memory;
use netroom::snmp::poll::round::{Outcome, PollJob, Turn};

/// What an agent does with one datagram.
pub(super) type Reply = Option<Vec<u8>>;

type Hear<'a> = Box<dyn FnMut(usize, &[u8], Timestamp) -> Reply + 'a>;

/// A device in memory; `hear` gets the number of the request (from 0) and the datagram.
pub(super) struct Line<'a> {
    pub(super) version: Version,
    pub(super) hear: Hear<'a>,
    pub(super) sent: usize,
    pub(super) unanswered: usize,
    /// The longest request and answer in octets.
    pub(super) longest: (usize, usize),
    /// How long an exchange takes.
    pub(super) rtt: Duration,
    pub(super) now: Duration,
}

/// The moment at which all lines begin.
const BEGINNING: Timestamp = Timestamp::from_secs(1_800_000_000);

impl<'a> Line<'a> {
    /// To an agent that serves `mib` with these manners.
    pub(super) fn to(version: Version, mib: &'a dyn Mib, manners: Manners) -> Self {
        Self::scripted(version, move |_, datagram, now| respond(datagram, mib, &manners, now))
    }

    /// To an agent that does what the function says.
    pub(super) fn scripted(version: Version, hear: impl FnMut(usize, &[u8], Timestamp) -> Reply + 'a) -> Self {
        Self { version, hear: Box::new(hear), sent: 0, unanswered: 0, longest: (0, 0), rtt: Duration::from_millis(2), now: Duration::ZERO }
    }

    /// Runs a job to its end or deadline.
    pub(super) fn run(&mut self, mut job: Box<dyn Job>, deadline: Duration) -> End {
        let origin = clock::monotonic();
        let deadline = self.now + deadline;
        let end = loop {
            if self.now >= deadline {
                break End::Deadline;
            }
            match job.next(origin + self.now) {
                Step::Finished => break End::Complete,
                Step::Pause(until) => self.now = self.now.max(until.saturating_duration_since(origin)),
                Step::Send(request) => self.exchange(job.as_mut(), &request),
            }
        };
        job.finish(end);
        end
    }

    /// The request as a v1 or v2c transport sends it, three times at most.
    fn exchange(&mut self, job: &mut dyn Job, request: &Request) {
        let (kind, error_status, error_index) = match (request.ask, self.version) {
            (Ask::Get, _) => (PduKind::Get, 0, 0),
            (Ask::GetBulk { non_repeaters, max_repetitions }, Version::V2c) => {
                (PduKind::GetBulk, i64::from(non_repeaters), i64::from(max_repetitions))
            }
            (Ask::GetNext | Ask::GetBulk { .. }, _) => (PduKind::GetNext, 0, 0),
            (Ask::Set(_), _) => (PduKind::Set, 0, 0),
        };
        for attempt in 0..3 {
            let parts = PduParts { kind, request_id: self.sent as i32, error_status, error_index, varbinds: &request.varbinds };
            let mut writer = Writer::with_capacity(1500);
            Message::encode(self.version, b"public", &parts, &mut writer);
            self.longest.0 = self.longest.0.max(writer.len());
            let received = BEGINNING + self.now + self.rtt;
            let reply = (self.hear)(self.sent, writer.as_slice(), received);
            self.sent += 1;
            let Some(octets) = reply else {
                self.now += Duration::from_millis(500 << attempt);
                continue;
            };
            self.now += self.rtt;
            self.longest.1 = self.longest.1.max(octets.len());
            match Message::decode(&octets) {
                Ok(message) => {
                    let pdu = message.pdu;
                    let (error_status, error_index) = (pdu.error_status, pdu.error_index);
                    return job.answered(&Answer { error_status, error_index, varbinds: pdu.varbinds, received, rtt: self.rtt });
                }
                Err(error) => return job.failed(&AskError::Malformed { peer: peer(), why: error.to_string() }),
            }
        }
        self.unanswered += 1;
        job.failed(&AskError::Timeout { peer: peer(), tries: 3, waited: Duration::from_millis(3500) });
    }
}

fn peer() -> std::net::SocketAddr {
    std::net::SocketAddr::from(([192, 0, 2, 1], 161))
}

/// A device polled turn after turn.
pub(super) struct Polled {
    pub(super) memory: Box<Memory>,
    pub(super) identity_every: Duration,
    pub(super) deadline: Duration,
    pub(super) classes: u32,
    /// ifIndexes of the second class of ports.
    pub(super) second_class: Vec<u32>,
}

impl Polled {
    pub(super) fn new(version: Version) -> Self {
        Self {
            memory: Box::new(Memory::new(version)),
            identity_every: Duration::from_secs(900),
            deadline: Duration::from_secs(600),
            classes: 1,
            second_class: Vec::new(),
        }
    }

    /// One turn.
    pub(super) fn poll(&mut self, line: &mut Line<'_>) -> Outcome {
        let second_class = self.second_class.clone();
        let turn = Turn {
            device: DeviceId(1),
            due: BEGINNING,
            started: BEGINNING,
            classes: self.classes,
            identity_every: self.identity_every,
            class_of: Arc::new(move |row| u8::from(second_class.contains(&row.if_index))),
        };
        let (sender, receiver) = sync_channel(1);
        let job = PollJob::new(turn, self.memory.clone(), move |outcome| sender.try_send(outcome).unwrap());
        line.run(Box::new(job), self.deadline);
        let outcome = receiver.try_recv().expect("a job that is over has given its outcome");
        self.memory = outcome.memory.clone();
        outcome
    }
}
