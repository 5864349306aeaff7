//! What people do with incidents.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::record::{Ack, Incident, Mute};
use super::{Engine, Timer};
use crate::model::notice::Change;
use crate::model::{IncidentId, Timestamp};

/// The longest comment, in characters.
const LONGEST: usize = 4000;

/// Something that a person does with an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// Takes it on. The comment says what is being done about it.
    Acknowledge {
        /// What is being done.
        comment: String,
        /// Until when that counts; `None` until the end.
        until: Option<Timestamp>,
    },
    /// Gives it back.
    Release {
        /// Why.
        comment: String,
    },
    /// Writes to it.
    Comment {
        /// What.
        comment: String,
    },
    /// Keeps it quiet for a while.
    Mute {
        /// Why.
        comment: String,
        /// Until when.
        until: Timestamp,
    },
    /// Lets it be heard again.
    Unmute,
}

impl Action {
    /// The word for the journal.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "incident.acknowledge",
            Self::Release { .. } => "incident.release",
            Self::Comment { .. } => "incident.comment",
            Self::Mute { .. } => "incident.mute",
            Self::Unmute => "incident.unmute",
        }
    }

    fn words(&self) -> &str {
        match self {
            Self::Acknowledge { comment, .. } | Self::Release { comment } | Self::Comment { comment } | Self::Mute { comment, .. } => {
                comment.trim()
            }
            Self::Unmute => "",
        }
    }
}

/// Why it is not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// No such number.
    #[error("there is no incident with this number; look it up in the list")]
    Unknown,
    /// It is over.
    #[error("the incident is over; write a comment instead")]
    Over,
    /// Nothing was said.
    #[error("a comment is needed: say what is being done, so that others need not ask")]
    NoComment,
    /// Too much was said.
    #[error("the comment is longer than 4000 characters; shorten it")]
    TooLong,
    /// The end is not in the future.
    #[error("the end lies in the past; give a later one")]
    Past,
    /// Nobody has acknowledged it, or nobody has muted it.
    #[error("nobody has acknowledged or muted it; there is nothing to take back")]
    Nothing,
}

impl Engine {
    /// Does what a person wants done.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub fn act(&mut self, id: IncidentId, person: &Arc<str>, action: &Action, now: Timestamp) -> Result<(), Refused> {
        let incident = self.incidents.get_mut(&id).ok_or(Refused::Unknown)?;
        let words = action.words();
        if words.is_empty() && *action != Action::Unmute {
            return Err(Refused::NoComment);
        }
        if words.chars().count() > LONGEST {
            return Err(Refused::TooLong);
        }
        if !incident.is_open() && !matches!(action, Action::Comment { .. }) {
            return Err(Refused::Over);
        }
        let change = match action {
            Action::Acknowledge { until, .. } => {
                if until.is_some_and(|until| until <= now) {
                    return Err(Refused::Past);
                }
                incident.ack = Some(Ack { by: Arc::clone(person), comment: words.to_owned(), at: now, until: *until });
                self.timers.extend(until.map(|until| (until, Timer::Incident(id))));
                Change::Acknowledged
            }
            Action::Release { .. } => {
                incident.ack.take().ok_or(Refused::Nothing)?;
                Change::Unacknowledged
            }
            Action::Comment { .. } => Change::Commented,
            Action::Mute { until, .. } => {
                if *until <= now {
                    return Err(Refused::Past);
                }
                // Written before it is muted: the log has it either way, and nobody is mailed about it.
                self.event(id, Change::Updated, now, Some((person, words)), true);
                let incident = self.incidents.get_mut(&id).ok_or(Refused::Unknown)?;
                incident.mute = Some(Mute { by: Arc::clone(person), comment: words.to_owned(), until: *until });
                self.timers.insert((*until, Timer::Incident(id)));
                return Ok(());
            }
            Action::Unmute => {
                incident.mute.take().ok_or(Refused::Nothing)?;
                Change::StillOpen
            }
        };
        self.event(id, change, now, Some((person, words)), false);
        Ok(())
    }

    /// Takes an incident of the past into memory for a while, to be commented.
    pub fn remember(&mut self, incident: Incident, now: Timestamp) {
        let id = incident.id;
        self.timers.insert((now + self.limits.reopen, Timer::Incident(id)));
        self.incidents.entry(id).or_insert(incident);
    }
}
