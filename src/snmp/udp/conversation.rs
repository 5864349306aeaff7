//! One conversation in its slot: the job, the question that is out, and until when to wait.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::rtt::Rtt;
use super::window::Credit;
use crate::snmp::job::{Ask, AskError, Job, Request, Target};
use crate::snmp::v3::keys::User;
use crate::snmp::v3::usm::Usm;

/// A conversation as it was submitted.
pub(super) struct Submission {
    pub(super) target: Arc<Target>,
    /// The target's address in the form that datagrams come from.
    pub(super) peer: SocketAddr,
    pub(super) job: Box<dyn Job>,
    pub(super) deadline: Instant,
}

/// What is kept of a device from one conversation to the next.
#[derive(Default)]
pub(super) struct Known {
    pub(super) rtt: Rtt,
    pub(super) usm: Option<Box<Usm>>,
}

/// A running conversation.
pub(super) struct Conversation {
    pub(super) target: Arc<Target>,
    pub(super) peer: SocketAddr,
    pub(super) job: Box<dyn Job>,
    pub(super) deadline: Instant,
    pub(super) rtt: Rtt,
    /// The device's SNMPv3 state, when it is spoken to so.
    pub(super) usm: Option<Box<Usm>>,
    pub(super) phase: Phase,
    /// The earliest timer set for this conversation.
    pub(super) armed: Option<Instant>,
}

/// Where a conversation stands.
pub(super) enum Phase {
    /// The job wants nothing before this moment.
    Paused(Instant),
    /// The question waits for its turn to be sent (again).
    Queued(Question),
    /// The question is out.
    Waiting(Question),
    /// The question waits for SNMPv3 keys.
    Keying(Question),
}

/// A question from its first send to its end.
pub(super) struct Question {
    pub(super) request: Request,
    /// How often it was sent.
    pub(super) tries: u8,
    /// How often the device had to tell us something before it could be answered (SNMPv3).
    pub(super) rounds: u8,
    pub(super) first_sent: Option<Instant>,
    pub(super) last_sent: Option<Instant>,
    pub(super) timeout: Duration,
    pub(super) credit: Option<Credit>,
    pub(super) complaint: Option<Complaint>,
}

/// What came instead of an answer.
pub(super) enum Complaint {
    /// Something that is no valid answer.
    Garbage(String),
    /// A message of the network.
    Network(String),
}

impl Question {
    pub(super) const fn new(request: Request) -> Self {
        Self { request, tries: 0, rounds: 0, first_sent: None, last_sent: None, timeout: Duration::ZERO, credit: None, complaint: None }
    }

    /// Whether it changes the device.
    pub(super) const fn is_set(&self) -> bool {
        matches!(self.request.ask, Ask::Set(_))
    }

    /// Why there is no answer, now that it is given up.
    pub(super) fn failure(&mut self, peer: SocketAddr, now: Instant) -> AskError {
        match self.complaint.take() {
            Some(Complaint::Garbage(why)) => AskError::Malformed { peer, why },
            Some(Complaint::Network(why)) => AskError::Unreachable { peer, why },
            None => {
                let waited = self.first_sent.map_or(Duration::ZERO, |sent| now.saturating_duration_since(sent));
                AskError::Timeout { peer, tries: self.tries, waited }
            }
        }
    }
}

impl Conversation {
    pub(super) fn new(submission: Submission, known: Known, now: Instant) -> Self {
        let Submission { target, peer, job, deadline } = submission;
        let Known { rtt, usm } = known;
        let usm =
            usm.filter(|usm| usm.fits(&target.credentials)).or_else(|| User::of(&target.credentials).map(|user| Box::new(Usm::new(user))));
        Self { target, peer, job, deadline, rtt, usm, phase: Phase::Paused(now), armed: None }
    }

    /// When something has to happen even if nothing arrives.
    pub(super) fn due(&self) -> Instant {
        let phase = match &self.phase {
            Phase::Paused(until) => *until,
            Phase::Queued(_) | Phase::Keying(_) => self.deadline,
            Phase::Waiting(question) => question.last_sent.map_or(self.deadline, |sent| sent + question.timeout),
        };
        phase.min(self.deadline)
    }

    /// How often a question may be sent. What changes the device is sent once, for whether a lost answer was one to something
    /// done cannot be known; asking an SNMPv3 engine for its name is no part of that.
    pub(super) fn tries_for(&self, question: &Question) -> u8 {
        let discovers = self.usm.as_ref().is_some_and(|usm| !usm.knows_engine());
        if question.is_set() && !discovers { 1 } else { self.target.patience.tries }
    }

    /// Whether a question has been sent and not yet been answered.
    pub(super) const fn is_asking(&self) -> bool {
        match &self.phase {
            Phase::Queued(question) | Phase::Waiting(question) => question.tries > 0,
            Phase::Paused(_) | Phase::Keying(_) => false,
        }
    }

    /// The question that is out or waits for its turn.
    pub(super) const fn question(&mut self) -> Option<&mut Question> {
        match &mut self.phase {
            Phase::Queued(question) | Phase::Waiting(question) | Phase::Keying(question) => Some(question),
            Phase::Paused(_) => None,
        }
    }

    /// Remembers what came instead of an answer; the first reason stays, but the network's word counts more.
    pub(super) fn complain(&mut self, complaint: impl FnOnce() -> Complaint) {
        if let Some(question) = self.question()
            && !matches!(question.complaint, Some(Complaint::Network(_)))
        {
            let next = complaint();
            if question.complaint.is_none() || matches!(next, Complaint::Network(_)) {
                question.complaint = Some(next);
            }
        }
    }
}
