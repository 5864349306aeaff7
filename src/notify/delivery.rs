//! What becomes of one message to one recipient by one way: a state machine without I/O. The point of no return is the end
//! of the message (RFC 5321 section 4.2.5: after the final dot the server is responsible, but its answer may be lost); the
//! state `Sending` is on the disk before that point, so that a crash can only ever make the one message uncertain that was
//! on its way, and that one is sent again with a mark.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// Waits between tries grow from the first to the last of these.
const WAITS: [Duration; 7] = [
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(240),
    Duration::from_secs(480),
    Duration::from_secs(900),
];
/// A server that cannot be reached is tried at least so often: when it is back, the mail is wanted soon.
const UNREACHABLE_MOST: Duration = Duration::from_secs(60);
/// How often a message is sent again that may have arrived.
const REPEATS_MOST: u32 = 3;

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for its time.
    Queued,
    /// It is on its way past the point of no return.
    Sending,
    /// The other side has taken it.
    Sent,
    /// It could not be sent and will be tried again.
    Deferred,
    /// It will not be tried again unless a person says so.
    Failed,
    /// Nobody can say whether it arrived; it will be sent again, with a mark.
    Uncertain,
    /// There was nothing left in it that the recipient had not been told already.
    Spared,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [Self::Queued, Self::Sending, Self::Sent, Self::Deferred, Self::Failed, Self::Uncertain, Self::Spared];

    /// The word of the database, JSON and the words' keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Spared => "spared",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether something is still to be done.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Deferred | Self::Uncertain)
    }
}

/// What happened to a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The next step hands over the last of the message.
    Passing,
    /// The other side has taken it.
    Accepted,
    /// It was not taken, and that is certain.
    Refused(Refusal),
    /// The last of it was handed over and no answer came.
    Unanswered,
    /// The program was started and finds it so.
    Restarted,
    /// A person wants it tried now.
    Retry,
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Nobody was there to take it: no route, refused, no TLS, no login.
    Unreachable,
    /// Not now.
    Temporary,
    /// Never.
    Permanent,
}

/// The part of a delivery that decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Course {
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub tries: u32,
    /// How often it went past the point of no return without an answer.
    pub repeats: u32,
    /// From when on giving up counts.
    pub since: Timestamp,
    /// Not to be tried before.
    pub not_before: Timestamp,
}

impl Course {
    /// A new one.
    pub const fn new(now: Timestamp, not_before: Timestamp) -> Self {
        Self { state: State::Queued, tries: 0, repeats: 0, since: now, not_before }
    }

    /// Whether it may be tried now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Queued | State::Deferred | State::Uncertain) && self.not_before <= now
    }

    /// What it becomes by an event; as it is, when the event cannot happen to it. `give_up` counts from `since`.
    #[must_use]
    pub fn after(self, event: Event, now: Timestamp, give_up: Duration) -> Self {
        let waiting = matches!(self.state, State::Queued | State::Deferred | State::Uncertain);
        match (self.state, event) {
            (_, Event::Passing) if waiting => Self { state: State::Sending, tries: self.tries + 1, ..self },
            (State::Sending, Event::Accepted) => Self { state: State::Sent, ..self },
            (State::Sending, Event::Refused(refusal)) => self.refused(refusal, now, give_up),
            // Before the point of no return nothing has been counted yet.
            (_, Event::Refused(refusal)) if waiting => Self { tries: self.tries + 1, ..self }.refused(refusal, now, give_up),
            (State::Sending, Event::Unanswered | Event::Restarted) => self.unanswered(now),
            (_, Event::Retry) if waiting => Self { not_before: now, ..self },
            (State::Failed, Event::Retry) => Self { state: State::Queued, tries: 0, since: now, not_before: now, ..self },
            _ => self,
        }
    }

    fn refused(self, refusal: Refusal, now: Timestamp, give_up: Duration) -> Self {
        if refusal == Refusal::Permanent || now.since(self.since) >= give_up {
            return Self { state: State::Failed, ..self };
        }
        let wait = match refusal {
            Refusal::Unreachable => self.wait().min(UNREACHABLE_MOST),
            _ => self.wait(),
        };
        // What may have arrived once stays so, whatever the server says the next time.
        let state = if self.repeats > 0 { State::Uncertain } else { State::Deferred };
        Self { state, not_before: now + wait, ..self }
    }

    fn unanswered(self, now: Timestamp) -> Self {
        let repeats = self.repeats + 1;
        let state = if repeats > REPEATS_MOST { State::Failed } else { State::Uncertain };
        Self { state, repeats, not_before: now + self.wait(), ..self }
    }

    fn wait(&self) -> Duration {
        let step = usize::try_from(self.tries).unwrap_or(usize::MAX).saturating_sub(1);
        WAITS.get(step).or(WAITS.last()).copied().unwrap_or(UNREACHABLE_MOST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn walk(events: &[Event]) -> Course {
        events.iter().fold(Course::new(at(0), at(0)), |course, event| course.after(*event, at(100), GIVE_UP))
    }

    #[test]
    fn the_walks_of_a_message() {
        use Event::*;
        for (events, state, repeats) in [
            (&[Passing, Accepted][..], State::Sent, 0),
            (&[Accepted], State::Queued, 0),
            (&[Refused(Refusal::Unreachable)], State::Deferred, 0),
            (&[Passing, Refused(Refusal::Temporary), Passing, Accepted], State::Sent, 0),
            (&[Passing, Refused(Refusal::Permanent)], State::Failed, 0),
            (&[Passing, Refused(Refusal::Permanent), Retry], State::Queued, 0),
            (&[Restarted], State::Queued, 0),
            (&[Passing, Restarted], State::Uncertain, 1),
            (&[Passing, Unanswered, Passing, Accepted], State::Sent, 1),
            (&[Passing, Unanswered, Refused(Refusal::Unreachable)], State::Uncertain, 1),
            (&[Passing, Accepted, Restarted, Retry, Passing, Unanswered], State::Sent, 0),
            (&[Passing, Unanswered, Passing, Unanswered, Passing, Unanswered, Passing, Unanswered], State::Failed, 4),
        ] {
            let course = walk(events);
            assert_eq!((course.state, course.repeats), (state, repeats), "{events:?}");
        }
    }

    #[test]
    fn a_server_that_is_down_for_a_day_is_asked_every_minute_and_loses_nothing() {
        let mut course = Course::new(at(0), at(0));
        let mut now = at(0);
        let mut asked = 0;
        while now < at(86_400) {
            assert!(course.is_due(now));
            course = course.after(Event::Refused(Refusal::Unreachable), now, GIVE_UP);
            assert_eq!(course.state, State::Deferred);
            asked += 1;
            now = course.not_before;
        }
        assert!((1_400..1_500).contains(&asked), "{asked}");
    }

    fn events() -> impl Strategy<Value = Vec<(Event, i64)>> {
        let event = prop::sample::select(vec![
            Event::Passing,
            Event::Accepted,
            Event::Refused(Refusal::Unreachable),
            Event::Refused(Refusal::Temporary),
            Event::Refused(Refusal::Permanent),
            Event::Unanswered,
            Event::Restarted,
            Event::Retry,
        ]);
        prop::collection::vec((event, 0_i64..100_000), 0..60)
    }

    proptest! {
        /// The rule of the house: what was taken is never sent again, and what goes past the point of no return a second
        /// time has a mark or was refused in between.
        #[test]
        fn nothing_is_sent_twice_unmarked(events in events()) {
            let (mut course, mut now) = (Course::new(at(0), at(0)), 0);
            let (mut taken, mut may_have_arrived) = (false, false);
            for (event, wait) in events {
                now += wait;
                let before = course.state;
                course = course.after(event, at(now), GIVE_UP);
                if before != State::Sending && course.state == State::Sending {
                    prop_assert!(!taken, "sent again after it was taken");
                    prop_assert!(!may_have_arrived || course.repeats > 0, "sent again without its mark");
                }
                taken |= before == State::Sending && event == Event::Accepted;
                may_have_arrived |= before == State::Sending && matches!(event, Event::Unanswered | Event::Restarted);
            }
        }

        /// Nothing gets stuck: whatever happened, it is done, it is on its way, or it has a time when it is due.
        #[test]
        fn nothing_is_lost(events in events()) {
            let (mut course, mut now) = (Course::new(at(0), at(0)), 0);
            for (event, wait) in events {
                now += wait;
                course = course.after(event, at(now), GIVE_UP);
                match course.state {
                    State::Queued | State::Deferred | State::Uncertain => prop_assert!(course.not_before <= at(now + 900)),
                    State::Failed => prop_assert_eq!(course.after(Event::Retry, at(now), GIVE_UP).state, State::Queued),
                    State::Sending | State::Sent | State::Spared => {}
                }
            }
        }
    }
}
