//! One supervisor for everything that runs: restarts what panics or fails, counts it, and ends all of it within a deadline.
//! Time is tokio's, so that tests can turn it.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;

/// What becomes of a task that ends while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// It is to run for as long as the daemon: started again whatever its end.
    Always,
    /// It has an end: started again only when it fails or panics.
    OnFailure,
}

/// In which order tasks are told to stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Told at once: whatever takes in work from outside.
    Intake,
    /// Told when all of the intake has ended: whatever keeps what the intake handed over (stores).
    Keeping,
}

/// A task by name and rules.
#[derive(Clone, Debug)]
pub struct Task {
    name: Arc<str>,
    restart: Restart,
    stage: Stage,
    backoff: Backoff,
}

impl Task {
    /// A task that runs for as long as the daemon.
    pub fn service(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), restart: Restart::Always, stage: Stage::Intake, backoff: Backoff::default() }
    }

    /// A task that has an end.
    pub fn errand(name: impl Into<Arc<str>>) -> Self {
        Self { restart: Restart::OnFailure, ..Self::service(name) }
    }

    /// When it is told to stop.
    pub fn stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// How long it waits before it is started again.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }
}

/// How one run of a task ended; made from `()` or from any `Result<(), E>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// In order.
    Done,
    /// With an error.
    Failed(String),
    /// With a panic.
    Panicked(String),
}

impl From<()> for Ended {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl<E: fmt::Display> From<Result<(), E>> for Ended {
    fn from(result: Result<(), E>) -> Self {
        result.map_or_else(|error| Self::Failed(error.to_string()), |()| Self::Done)
    }
}

/// What a task does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs.
    Running,
    /// It failed, and waits before it is started again.
    Waiting,
    /// It has ended for good.
    Ended,
}

/// A task as pages and metrics show it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Status {
    /// Its name.
    pub name: Arc<str>,
    /// What it does now.
    pub state: State,
    /// How often it was started.
    pub starts: u64,
    /// How often it panicked.
    pub panics: u64,
    /// How often it ended with an error, or ended although it should not.
    pub failures: u64,
    /// What it said when it last failed.
    pub last_error: Option<Arc<str>>,
}

/// Who did not stop in time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drained {
    /// The names; empty when all ended in order.
    pub unfinished: Vec<Arc<str>>,
}

/// Runs tasks and threads. Cheap to clone; all clones are the same supervisor.
#[derive(Clone, Debug)]
pub struct Supervisor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    intake: CancellationToken,
    keeping: CancellationToken,
    tasks: Mutex<BTreeMap<u64, Entry>>,
}

#[derive(Debug)]
struct Entry {
    status: Status,
    stage: Stage,
    handle: Option<JoinHandle<()>>,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Supervisor {
    /// Nothing runs yet.
    pub fn new() -> Self {
        let (intake, keeping) = (CancellationToken::new(), CancellationToken::new());
        Self(Arc::new(Inner { intake, keeping, tasks: Mutex::default() }))
    }

    /// Cancelled when the daemon begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.0.intake.clone()
    }

    /// Runs a task. `start` is called for each run; it must return soon after its token is cancelled.
    pub fn spawn<F, Fut, O>(&self, task: Task, mut start: F)
    where
        F: FnMut(CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = O> + Send + 'static,
        O: Into<Ended>,
    {
        self.supervise(task, move |token| {
            // A panic while the future is made counts as one while it runs.
            let made = catch_unwind(AssertUnwindSafe(|| start(token)));
            async move {
                match made {
                    Ok(future) => AssertUnwindSafe(future).catch_unwind().await.map_or_else(panicked, Into::into),
                    Err(panic) => panicked(panic),
                }
            }
        });
    }

    /// Runs blocking work on a thread of its own. `work` is called for each run; it must return soon after its token is
    /// cancelled, for a thread cannot be stopped from outside.
    pub fn spawn_thread<F, O>(&self, task: Task, work: F)
    where
        F: FnMut(CancellationToken) -> O + Send + 'static,
        O: Into<Ended>,
    {
        let name = Arc::clone(&task.name);
        let work = Arc::new(Mutex::new(work));
        self.supervise(task, move |token| {
            let (done, end) = oneshot::channel();
            let work = Arc::clone(&work);
            let run = move || {
                let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
                let ended = catch_unwind(AssertUnwindSafe(|| work(token).into())).unwrap_or_else(panicked);
                drop(work);
                // Nobody listens any more once the drain deadline has passed.
                let _ = done.send(ended);
            };
            let started = std::thread::Builder::new().name(name.chars().take(15).collect()).spawn(run);
            async move {
                match started {
                    Ok(_) => end.await.unwrap_or_else(|_| Ended::Panicked("its thread vanished".into())),
                    Err(error) => Ended::Failed(format!("no thread could be started: {error}")),
                }
            }
        });
    }

    /// All tasks in the order they were started.
    pub fn tasks(&self) -> Vec<Status> {
        self.lock().values().map(|entry| entry.status.clone()).collect()
    }

    /// Tells the intake to stop, then the keeping, and waits until `deadline` has passed at most. What has not ended by
    /// then is aborted (tasks) or left behind (threads), and named.
    pub async fn shutdown(&self, deadline: Duration) -> Drained {
        let end = Instant::now() + deadline;
        // The keeping needs time after the intake: a stuck intake must not take all of it.
        let intake_end = Instant::now() + deadline.mul_f64(0.7);
        let mut drained = Drained::default();
        for (stage, token, end) in [(Stage::Intake, &self.0.intake, intake_end), (Stage::Keeping, &self.0.keeping, end)] {
            token.cancel();
            for (name, mut handle) in self.take_handles(stage) {
                if timeout_at(end, &mut handle).await.is_err() {
                    handle.abort();
                    tracing::error!(task = &*name, "task {name} did not stop in time");
                    drained.unfinished.push(name);
                }
            }
        }
        drained
    }

    fn take_handles(&self, stage: Stage) -> Vec<(Arc<str>, JoinHandle<()>)> {
        let mut tasks = self.lock();
        let of_stage = tasks.values_mut().filter(|entry| entry.stage == stage);
        of_stage.filter_map(|entry| Some((Arc::clone(&entry.status.name), entry.handle.take()?))).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "the supervisor is the one that starts tasks")]
    fn supervise<F, Fut>(&self, task: Task, run: F)
    where
        F: FnMut(CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = Ended> + Send + 'static,
    {
        let token = match task.stage {
            Stage::Intake => self.0.intake.child_token(),
            Stage::Keeping => self.0.keeping.child_token(),
        };
        let status = Status { name: Arc::clone(&task.name), state: State::Running, starts: 0, panics: 0, failures: 0, last_error: None };
        // Held until the handle is in its place, so that a shutdown at this moment misses no task.
        let mut tasks = self.lock();
        let id = tasks.last_key_value().map_or(0, |(id, _)| id + 1);
        tasks.insert(id, Entry { status, stage: task.stage, handle: None });
        let handle = tokio::spawn(Keeper { supervisor: self.clone(), id, task, token }.keep(run));
        if let Some(entry) = tasks.get_mut(&id) {
            entry.handle = Some(handle);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one task running.
struct Keeper {
    supervisor: Supervisor,
    id: u64,
    task: Task,
    token: CancellationToken,
}

impl Keeper {
    async fn keep<F, Fut>(mut self, mut run: F)
    where
        F: FnMut(CancellationToken) -> Fut + Send,
        Fut: Future<Output = Ended> + Send,
    {
        while !self.token.is_cancelled() {
            self.note(|status| (status.state, status.starts) = (State::Running, status.starts + 1));
            let started = Instant::now();
            let ended = run(self.token.clone()).await;
            let Some(wait) = self.judge(ended, started.elapsed()) else { break };
            tokio::select! {
                () = self.token.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.note(|status| status.state = State::Ended);
    }

    /// How long to wait before the next run; `None` when there is none.
    fn judge(&mut self, ended: Ended, ran: Duration) -> Option<Duration> {
        let stopping = self.token.is_cancelled();
        let (what, panicked) = match ended {
            Ended::Done if stopping || self.task.restart == Restart::OnFailure => return None,
            Ended::Done => ("it ended although it should run on".to_owned(), false),
            Ended::Failed(error) => (error, false),
            Ended::Panicked(panic) => (panic, true),
        };
        let wait = self.task.backoff.after(ran);
        let (name, ran_ms, wait_ms) = (&*self.task.name, ran.as_millis() as u64, wait.as_millis() as u64);
        let verb = if panicked { "panicked" } else { "failed" };
        if stopping {
            tracing::error!(task = name, panicked, ran_ms, "task {name} {verb} while stopping: {what}");
        } else {
            tracing::error!(task = name, panicked, ran_ms, wait_ms, "task {name} {verb}, starting it again in {wait:?}: {what}");
        }
        self.note(|status| {
            status.state = State::Waiting;
            *(if panicked { &mut status.panics } else { &mut status.failures }) += 1;
            status.last_error = Some(what.into());
        });
        (!stopping).then_some(wait)
    }

    fn note(&self, change: impl FnOnce(&mut Status)) {
        if let Some(entry) = self.supervisor.lock().get_mut(&self.id) {
            change(&mut entry.status);
        }
    }
}

/// The words of a panic.
fn panicked(panic: Box<dyn Any + Send>) -> Ended {
    let words = panic.downcast::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|panic| panic.downcast::<String>().map(|words| *words));
    Ended::Panicked(words.unwrap_or_else(|_| "without words".into()))
}

#[cfg(test)]
#[path = "supervise_tests.rs"]
mod tests;
