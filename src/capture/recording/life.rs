//! The life of a recording, pure: what may be done with it, by whom, when, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// How long a request waits for its second person.
pub const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How long after its approval a recording may still begin: later, it is not "now" any more.
pub const PROMPT: Duration = Duration::from_secs(600);
/// How long a file is kept unless somebody holds it.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// The longest reason, characters.
pub const LONGEST_REASON: usize = 400;

/// How many persons a recording takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Approval {
    /// Who asks is enough.
    One,
    /// Somebody else has to allow it.
    #[default]
    Two,
}

/// Where a recording stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a second person.
    Asked,
    /// It waits for the recorder.
    Approved,
    /// It is being made.
    Running,
    /// Its file is whole.
    Kept,
    /// It ended before its time; what its file holds is whole.
    Cut,
    /// Nothing could be recorded.
    Failed,
    /// The second person said no.
    Refused,
    /// Who asked took it back.
    Withdrawn,
    /// Nobody answered, or it could not begin, in time.
    Lapsed,
    /// Its file was deleted.
    Deleted,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Asked,
        Self::Approved,
        Self::Running,
        Self::Kept,
        Self::Cut,
        Self::Failed,
        Self::Refused,
        Self::Withdrawn,
        Self::Lapsed,
        Self::Deleted,
    ];

    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Running => "running",
            Self::Kept => "kept",
            Self::Cut => "cut",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
            Self::Deleted => "deleted",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether there is a file to be had.
    pub const fn has_file(self) -> bool {
        matches!(self, Self::Kept | Self::Cut)
    }

    /// Whether something still happens by itself or waits for somebody.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Asked | Self::Approved | Self::Running)
    }
}

/// What went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Netroom ended while it recorded, without a word.
    Crash,
    /// Netroom was told to stop.
    Stopped,
    /// There was no room on the disk.
    NoRoom,
    /// No interface is watched, or it is not there.
    NoInterface,
    /// The system does not let us listen.
    NotAllowed,
    /// The file could not be written.
    File,
}

impl Why {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Stopped => "stopped",
            Self::NoRoom => "no-room",
            Self::NoInterface => "no-interface",
            Self::NotAllowed => "not-allowed",
            Self::File => "file",
        }
    }
}

/// What went wrong, with the system's words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub why: Why,
    /// In the system's words; may be empty.
    pub detail: String,
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Frames.
    pub packets: u64,
    /// Octets of the file.
    pub octets: u64,
    /// Frames of the host for which there was no room in the ring.
    pub dropped: u64,
    /// Whether it was full before the time was over.
    pub is_full: bool,
}

/// Somebody's word at a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    /// Who; `None` for netroom itself.
    pub by: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
    /// What was said; may be empty.
    pub words: String,
}

/// One recording from its request to its deletion.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Its number.
    pub id: i64,
    /// Whose frames: a MAC address, or an IP address behind a router.
    pub machine: String,
    /// For how long, seconds.
    pub seconds: u64,
    /// How long the file may become, octets.
    pub most_octets: u64,
    /// Where it stands.
    pub state: State,
    /// Who asked, when and why.
    pub asked: Said,
    /// Who allowed, refused or withdrew it; netroom where it lapsed.
    pub answered: Option<Said>,
    /// When the recording began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What its file holds or held.
    pub counts: Option<Counts>,
    /// The SHA-256 of the file, hexadecimal.
    pub sha256: Option<String>,
    /// Why it was cut or failed.
    pub fault: Option<Fault>,
    /// Who keeps it for longer than thirty days, and why.
    pub hold: Option<Said>,
    /// Who deleted it; netroom where its time was over.
    pub deleted: Option<Said>,
}

/// What is done with a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// The second person allows it.
    Approve,
    /// The second person says no, and why.
    Refuse(String),
    /// Who asked takes it back.
    Withdraw,
    /// Its time to be answered or begun is over.
    Lapse,
    /// The recorder begins.
    Start,
    /// The recorder has it whole.
    End(Counts, String),
    /// It ended early; its file is good as far as it goes.
    Cut(Fault, Counts, String),
    /// There is nothing.
    Fail(Fault),
    /// Somebody takes a copy.
    Download,
    /// Somebody keeps it, and says why.
    Hold(String),
    /// Nobody needs it for longer.
    Release,
    /// Somebody deletes it before its time, and says why.
    Delete(String),
    /// Its time is over.
    Sweep,
}

impl Deed {
    /// The action in the journal.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Approve => "capture.approved",
            Self::Refuse(_) => "capture.refused",
            Self::Withdraw => "capture.withdrawn",
            Self::Lapse => "capture.lapsed",
            Self::Start => "capture.started",
            Self::End(..) => "capture.ended",
            Self::Cut(..) => "capture.cut",
            Self::Fail(_) => "capture.failed",
            Self::Download => "capture.downloaded",
            Self::Hold(_) => "capture.held",
            Self::Release => "capture.released",
            Self::Delete(_) | Self::Sweep => "capture.deleted",
        }
    }

    /// Whether netroom itself does it.
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Lapse | Self::Start | Self::End(..) | Self::Cut(..) | Self::Fail(_) | Self::Sweep)
    }
}

/// Why something cannot be done with a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It does not stand where that is possible.
    #[error("the capture does not stand where that can be done; look at its state")]
    State,
    /// Who asked cannot allow it.
    #[error("whoever asked for a capture cannot allow it: a second person has to (capture.approval)")]
    SamePerson,
    /// Only who asked can take it back.
    #[error("only whoever asked can take the request back")]
    OtherPerson,
    /// No person is known who does it.
    #[error("a person has to do that, and none is known")]
    Nobody,
    /// A reason is needed.
    #[error("say why: the reason is kept with the capture")]
    NoReason,
    /// The reason is too long.
    #[error("the reason is longer than {LONGEST_REASON} characters")]
    LongReason,
    /// Somebody holds it.
    #[error("the capture is held; release it first")]
    Held,
    /// Its time is not over.
    #[error("its time is not over")]
    Early,
}

impl Refused {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::SamePerson => "same-person",
            Self::OtherPerson => "other-person",
            Self::Nobody => "nobody",
            Self::NoReason => "no-reason",
            Self::LongReason => "long-reason",
            Self::Held => "held",
            Self::Early => "early",
        }
    }
}

/// A reason as it is kept.
///
/// # Errors
/// When there is none, or it is too long.
pub fn reason(words: &str) -> Result<String, Refused> {
    let words = words.trim();
    match words.chars().count() {
        0 => Err(Refused::NoReason),
        1..=LONGEST_REASON => Ok(words.to_owned()),
        _ => Err(Refused::LongReason),
    }
}

/// The recording after a deed.
///
/// # Errors
/// Why that cannot be done.
pub fn after(recording: &Recording, deed: &Deed, by: Option<&Arc<str>>, approval: Approval, now: Timestamp) -> Result<Recording, Refused> {
    let mut next = recording.clone();
    if !deed.is_own() && by.is_none() {
        return Err(Refused::Nobody);
    }
    let said = |words: &str| Some(Said { by: by.cloned().filter(|_| !deed.is_own()), at: now, words: words.to_owned() });
    let asked_it = recording.asked.by.as_ref() == by;
    match (deed, recording.state) {
        (Deed::Approve, State::Asked) if asked_it && approval == Approval::Two => return Err(Refused::SamePerson),
        (Deed::Approve, State::Asked) => (next.state, next.answered) = (State::Approved, said("")),
        (Deed::Refuse(words), State::Asked) => (next.state, next.answered) = (State::Refused, said(&reason(words)?)),
        (Deed::Withdraw, State::Asked) if !asked_it => return Err(Refused::OtherPerson),
        (Deed::Withdraw, State::Asked) => (next.state, next.answered) = (State::Withdrawn, said("")),
        (Deed::Lapse, State::Asked | State::Approved) if due(recording, now) != Some(Deed::Lapse) => return Err(Refused::Early),
        // Who had allowed it stays known.
        (Deed::Lapse, State::Approved) => next.state = State::Lapsed,
        (Deed::Lapse, State::Asked) => (next.state, next.answered) = (State::Lapsed, said("")),
        (Deed::Start, State::Approved) => (next.state, next.started) = (State::Running, Some(now)),
        (Deed::End(counts, digest), State::Running) => next.end(State::Kept, *counts, digest, now),
        (Deed::Cut(fault, counts, digest), State::Running) => {
            next.end(State::Cut, *counts, digest, now);
            next.fault = Some(fault.clone());
        }
        (Deed::Fail(fault), State::Approved | State::Running) => {
            (next.state, next.ended, next.fault) = (State::Failed, Some(now), Some(fault.clone()));
        }
        (Deed::Download, State::Kept | State::Cut) => {}
        (Deed::Hold(words), State::Kept | State::Cut) => next.hold = said(&reason(words)?),
        (Deed::Release, State::Kept | State::Cut) if recording.hold.is_some() => next.hold = None,
        (Deed::Delete(_) | Deed::Sweep, State::Kept | State::Cut) if recording.hold.is_some() => return Err(Refused::Held),
        (Deed::Delete(words), State::Kept | State::Cut) => (next.state, next.deleted) = (State::Deleted, said(&reason(words)?)),
        (Deed::Sweep, State::Kept | State::Cut) if due(recording, now) != Some(Deed::Sweep) => return Err(Refused::Early),
        (Deed::Sweep, State::Kept | State::Cut) => (next.state, next.deleted) = (State::Deleted, said("")),
        _ => return Err(Refused::State),
    }
    Ok(next)
}

/// What is due with a recording by the time alone.
pub fn due(recording: &Recording, now: Timestamp) -> Option<Deed> {
    let over = |from: Timestamp, span: Duration| now >= from + span;
    match recording.state {
        State::Asked => over(recording.asked.at, PATIENCE).then_some(Deed::Lapse),
        State::Approved => over(recording.answered.as_ref()?.at, PROMPT).then_some(Deed::Lapse),
        State::Kept | State::Cut => (recording.hold.is_none() && over(recording.ended?, KEPT_FOR)).then_some(Deed::Sweep),
        _ => None,
    }
}

impl Recording {
    fn end(&mut self, state: State, counts: Counts, digest: &str, now: Timestamp) {
        (self.state, self.ended, self.counts, self.sha256) = (state, Some(now), Some(counts), Some(digest.to_owned()));
    }

    /// When its file will be deleted by itself; `None` where there is none, or somebody holds it.
    pub fn until(&self) -> Option<Timestamp> {
        let ended = self.ended.filter(|_| self.state.has_file() && self.hold.is_none())?;
        Some(ended + KEPT_FOR)
    }
}

#[cfg(test)]
mod tests;
