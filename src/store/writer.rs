//! The one writer of a database: a thread that takes closures from a bounded queue and commits them in groups.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// How many writes may wait; beyond, callers wait.
const QUEUE: usize = 1024;
/// How many writes share one commit at most.
const GROUP: usize = 256;

/// A write on its way: runs once, then learns whether its group was committed.
pub(super) trait Job: Send {
    /// Does the work; false when its changes must be undone.
    fn run(&mut self, file: &Connection) -> rusqlite::Result<()>;
    /// Hands the outcome to the caller: `failure` of the group counts before the job's own result.
    fn finish(self: Box<Self>, path: &Path, failure: Option<&rusqlite::Error>);
}

struct Typed<T, W> {
    work: Option<W>,
    made: Option<Result<T, Failure>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

enum Failure {
    Sqlite(rusqlite::Error),
    Panic,
}

/// Wraps a closure; the receiver gets its result once it is on the disk.
pub(super) fn job<T, W>(work: W) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, done) = oneshot::channel();
    (Box::new(Typed { work: Some(work), made: None, reply }), done)
}

impl<T, W> Job for Typed<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, file: &Connection) -> rusqlite::Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        // A fault in one room's closure must not take the writer away from the others.
        match catch_unwind(AssertUnwindSafe(|| work(file))) {
            Ok(Ok(value)) => {
                self.made = Some(Ok(value));
                Ok(())
            }
            Ok(Err(error)) => {
                let told = again(&error);
                self.made = Some(Err(Failure::Sqlite(error)));
                Err(told)
            }
            Err(_) => {
                self.made = Some(Err(Failure::Panic));
                Err(rusqlite::Error::InvalidQuery)
            }
        }
    }

    fn finish(self: Box<Self>, path: &Path, failure: Option<&rusqlite::Error>) {
        let outcome = match (self.made, failure) {
            (Some(Err(Failure::Sqlite(error))), _) => Err(StoreError::sqlite(path, error)),
            (Some(Err(Failure::Panic)), _) => Err(StoreError::Fault { path: path.to_path_buf() }),
            (_, Some(error)) => Err(StoreError::sqlite(path, again(error))),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(StoreError::Closed { path: path.to_path_buf() }),
        };
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(outcome);
    }
}

/// The thread and the way to it.
#[derive(Debug)]
pub(super) struct Writer {
    path: Arc<Path>,
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; it ends when the writer is dropped, after everything in the queue is on the disk.
    pub(super) fn start(file: Connection, path: Arc<Path>) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let place = Arc::clone(&path);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(file, jobs, &place))
            .map_err(|error| StoreError::io(&path, error))?;
        Ok(Self { path, queue: Some(queue), thread: Some(thread) })
    }

    pub(super) async fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) => queue.send(job).await.map_err(|_| self.closed()),
            None => Err(self.closed()),
        }
    }

    pub(super) fn submit_blocking(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) => queue.blocking_send(job).map_err(|_| self.closed()),
            None => Err(self.closed()),
        }
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { path: self.path.to_path_buf() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches the panics of its jobs; nothing is left to be told here.
            let _ = thread.join();
        }
    }
}

fn serve(mut file: Connection, mut jobs: mpsc::Receiver<Box<dyn Job>>, path: &Path) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        let failure = commit(&mut file, &mut group).err();
        for job in group.drain(..) {
            job.finish(path, failure.as_ref());
        }
    }
    // Leaves a file without side files where nobody else reads; a failure leaves a WAL, which the next start reads.
    let _ = file.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(()));
}

/// All jobs in one transaction, each in a savepoint. An error here is one that undid the whole group.
fn commit(file: &mut Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        change.execute_batch("SAVEPOINT job")?;
        match job.run(&change) {
            Ok(()) => change.execute_batch("RELEASE job")?,
            // A full or failing disk makes SQLite undo everything by itself.
            Err(error) if change.is_autocommit() => return Err(error),
            Err(_) => change.execute_batch("ROLLBACK TO job; RELEASE job")?,
        }
    }
    change.commit()
}

/// The same error once more, for another caller.
fn again(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => rusqlite::Error::SqliteFailure(*code, text.clone()),
        other => rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR), Some(other.to_string())),
    }
}
