//! Awaiting a conversation: for commands that ask one device and wait for what it says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::job::{Answer, AskError, End, Job, Request, Step, SubmitError, Target, Transport};
use super::message::Varbinds;
use crate::model::Timestamp;

/// Runs a job and gives it back with its fruit inside; [`Job::finish`] of `job` itself is not called.
///
/// # Errors
/// When the transport does not take the job, or stops with it.
pub async fn one<J: Job + 'static>(
    transport: &dyn Transport,
    target: &Arc<Target>,
    job: J,
    deadline: Instant,
) -> Result<(J, End), SubmitError> {
    let (done, end) = oneshot::channel();
    transport.submit(target, Box::new(Awaited { job, done }), deadline)?;
    end.await.map_err(|_| SubmitError::Stopped)
}

/// Asks one question.
///
/// # Errors
/// Why there is no answer.
pub async fn question(
    transport: &dyn Transport,
    target: &Arc<Target>,
    request: Request,
    deadline: Instant,
) -> Result<Reply, QuestionError> {
    let (question, end) = one(transport, target, Question { request: Some(request), reply: None }, deadline).await?;
    match (question.reply, end) {
        (Some(reply), _) => Ok(reply?),
        (None, End::Cancelled) => Err(SubmitError::Stopped.into()),
        (None, _) => Err(QuestionError::Deadline),
    }
}

/// Why a single question has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuestionError {
    /// It was not asked.
    #[error(transparent)]
    NotAsked(#[from] SubmitError),
    /// It was asked and not answered.
    #[error(transparent)]
    Unanswered(#[from] AskError),
    /// Its time was up before the device had used all its tries.
    #[error("the time for the question was up before an answer came")]
    Deadline,
}

/// An answer that outlives its datagram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// error-status.
    pub error_status: i64,
    /// error-index.
    pub error_index: i64,
    /// The encoded varbinds.
    pub octets: Vec<u8>,
    /// When the datagram arrived.
    pub received: Timestamp,
    /// From the last send to the arrival.
    pub rtt: Duration,
}

impl Reply {
    /// The varbinds.
    pub fn varbinds(&self) -> Varbinds<'_> {
        Varbinds::new(&self.octets)
    }
}

struct Awaited<J> {
    job: J,
    done: oneshot::Sender<(J, End)>,
}

impl<J: Job> Job for Awaited<J> {
    fn next(&mut self, now: Instant) -> Step {
        self.job.next(now)
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        self.job.answered(answer);
    }

    fn failed(&mut self, error: &AskError) {
        self.job.failed(error);
    }

    fn finish(self: Box<Self>, end: End) {
        // Nobody waits any more when the caller was dropped.
        drop(self.done.send((self.job, end)));
    }
}

struct Question {
    request: Option<Request>,
    reply: Option<Result<Reply, AskError>>,
}

impl Job for Question {
    fn next(&mut self, _now: Instant) -> Step {
        self.request.take().map_or(Step::Finished, Step::Send)
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        self.reply = Some(Ok(Reply {
            error_status: answer.error_status,
            error_index: answer.error_index,
            octets: answer.varbinds.octets().to_vec(),
            received: answer.received,
            rtt: answer.rtt,
        }));
    }

    fn failed(&mut self, error: &AskError) {
        self.reply = Some(Err(error.clone()));
    }

    fn finish(self: Box<Self>, _end: End) {}
}
