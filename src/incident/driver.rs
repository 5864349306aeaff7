//! The task that owns the incidents: takes judgements from a bounded channel and orders from people, keeps what comes of them
//! in one transaction, and only then shows it.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::engine::{Action, Engine, Limits, Refused};
use super::scope::Scope;
use super::store::{self, Archive, Notices};
use super::windows::{Window, Windows};
use crate::journal::Actor;
use crate::model::{Finding, IncidentId, clock};
use crate::store::{Store, StoreError};

/// Judgements that may wait; beyond, judges wait.
pub const FINDINGS: usize = 16_384;
/// Orders that may wait.
const ORDERS: usize = 256;
/// Judgements taken at once.
const BATCH: usize = 16_384;
/// How long after a write that failed it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest sleep: the wall clock may be set while the task waits.
const NAP: Duration = Duration::from_secs(5);

/// What the configuration says of incidents.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How the engine behaves.
    pub limits: Limits,
    /// Where subjects belong.
    pub scope: Scope,
    /// The office's zone, for windows.
    pub zone: TimeZone,
    /// The windows of the configuration.
    pub windows: Vec<Window>,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It cannot be done.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such window.
    #[error("there is no such window, or it has been taken back")]
    NoWindow,
    /// The task is not there.
    #[error("incidents are not looked after at the moment; try again in a few seconds, and see the log")]
    Away,
}

enum Order {
    Act(IncidentId, Action, Actor, oneshot::Sender<Result<(), OrderError>>),
    Plan(Box<Window>, Actor, oneshot::Sender<Result<i64, OrderError>>),
    Unplan(i64, Actor, oneshot::Sender<Result<(), OrderError>>),
    Setup(Box<Setup>),
}

/// The way to the task for people's orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    orders: mpsc::Sender<Order>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

impl Desk {
    /// A person does something with an incident.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn act(&self, id: IncidentId, action: Action, actor: Actor) -> Result<(), OrderError> {
        self.order(|reply| Order::Act(id, action, actor, reply)).await
    }

    /// Plans a window; its number.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn plan(&self, window: Window, actor: Actor) -> Result<i64, OrderError> {
        self.order(|reply| Order::Plan(Box::new(window), actor, reply)).await
    }

    /// Takes a window back.
    ///
    /// # Errors
    /// When there is none, or the database does not take it.
    pub async fn unplan(&self, id: i64, actor: Actor) -> Result<(), OrderError> {
        self.order(|reply| Order::Unplan(id, actor, reply)).await
    }

    /// Takes over another configuration.
    pub async fn set_up(&self, setup: Setup) {
        // A task that is away reads its configuration when it starts.
        let _ = self.orders.send(Order::Setup(Box::new(setup))).await;
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<Result<T, OrderError>>) -> Order) -> Result<T, OrderError> {
        let (reply, done) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| OrderError::Away)?;
        done.await.unwrap_or(Err(OrderError::Away))
    }
}

/// The task.
pub struct Driver {
    store: Store,
    board: Arc<Board>,
    notices: Arc<dyn Notices>,
    setup: Setup,
    engine: Engine,
    orders: mpsc::Receiver<Order>,
}

impl Driver {
    /// Goes on from what the database holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(store: Store, board: Arc<Board>, notices: Arc<dyn Notices>, setup: Setup) -> Result<(Self, Desk), StoreError> {
        let now = clock::wall();
        let archive = Archive::new(store.clone());
        let saved = store::load(&store, now - setup.limits.reopen)?;
        let windows = all_windows(&archive, &setup)?;
        let engine = Engine::restore(setup.limits, setup.scope.clone(), windows, saved, now);
        let (sender, orders) = mpsc::channel(ORDERS);
        let driver = Self { store, board, notices, setup, engine, orders };
        driver.board.show_windows(driver.engine.windows().clone());
        driver.show(Some(archive.last_event()?));
        Ok((driver, Desk { orders: sender }))
    }

    /// Runs until cancelled; what waits in the channel is still worked off then.
    pub async fn run(mut self, findings: &mut mpsc::Receiver<Finding>, cancel: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            let nap = self.engine.next_deadline().map_or(NAP, |deadline| deadline.since(clock::wall()).min(NAP));
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(order) = self.orders.recv() => self.order(order, &cancel).await,
                count = findings.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                }
                () = tokio::time::sleep(nap) => {}
            }
            self.take(&mut batch, &cancel).await;
        }
        while let Ok(finding) = findings.try_recv() {
            batch.push(finding);
        }
        self.take(&mut batch, &cancel).await;
    }

    async fn take(&mut self, batch: &mut Vec<Finding>, cancel: &CancellationToken) {
        Board::count(&self.board.counts().findings, batch.len());
        let now = clock::wall();
        self.engine.set_watched(self.board.watched());
        for finding in batch.drain(..) {
            self.engine.take(finding, now);
        }
        self.engine.tick(now);
        self.keep(Actor::daemon(), cancel).await;
    }

    /// Brings what has come of it to the disk, however long that takes, and shows it then.
    async fn keep(&mut self, actor: Actor, cancel: &CancellationToken) {
        let outcome = self.engine.drain();
        if outcome.is_empty() {
            return;
        }
        let events = outcome.events.len();
        let outcome = Arc::new(outcome);
        let mut is_failing = false;
        let last = loop {
            let (outcome, actor, notices) = (Arc::clone(&outcome), actor.clone(), Arc::clone(&self.notices));
            match self.store.write(move |file| store::keep(file, &outcome, &actor, &*notices)).await {
                Ok(last) => break last,
                Err(error) => {
                    Board::count(&self.board.counts().failures, 1);
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::error!(%error, events, "{events} changes of incidents cannot be written, they wait: {error}");
                    }
                    if cancel.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                        return;
                    }
                }
            }
        };
        if is_failing {
            tracing::info!(events, "incidents are written again; {events} changes had waited");
        }
        Board::count(&self.board.counts().events, events);
        self.show(last);
    }

    fn show(&self, last: Option<i64>) {
        self.board.show(self.engine.open().cloned().map(Arc::new).collect(), self.engine.hearsay(), last);
    }

    async fn order(&mut self, order: Order, cancel: &CancellationToken) {
        match order {
            Order::Act(id, action, actor, reply) => {
                let done = self.act(id, &action, &actor);
                self.keep(actor, cancel).await;
                // Whoever gave the order may have gone away; it is done all the same. So below.
                let _ = reply.send(done);
            }
            Order::Plan(window, actor, reply) => {
                let now = clock::wall();
                let planned = self.store.write(move |file| store::put_window(file, &window, &actor, now)).await;
                let renewed = planned.and_then(|id| self.renew_windows().map(|()| id));
                self.engine.tick(clock::wall());
                self.keep(Actor::daemon(), cancel).await;
                let _ = reply.send(renewed.map_err(OrderError::from));
            }
            Order::Unplan(id, actor, reply) => {
                let now = clock::wall();
                let ended = self.store.write(move |file| store::end_window(file, id, &actor, now)).await;
                let renewed = ended.and_then(|is_ended| self.renew_windows().map(|()| is_ended));
                self.engine.tick(clock::wall());
                self.keep(Actor::daemon(), cancel).await;
                let _ =
                    reply.send(renewed.map_err(OrderError::from).and_then(|is_ended| is_ended.then_some(()).ok_or(OrderError::NoWindow)));
            }
            Order::Setup(setup) => {
                self.setup = *setup;
                self.engine.set_limits(self.setup.limits);
                self.engine.set_scope(self.setup.scope.clone());
                if let Err(error) = self.renew_windows() {
                    tracing::error!(%error, "the maintenance windows cannot be read, the old ones stay in force: {error}");
                }
            }
        }
    }

    fn act(&mut self, id: IncidentId, action: &Action, actor: &Actor) -> Result<(), OrderError> {
        let now = clock::wall();
        if self.engine.incident(id).is_none()
            && let Some(past) = Archive::new(self.store.clone()).incident(id)?
        {
            self.engine.remember(past, now);
        }
        let person = actor.person.clone().unwrap_or_else(|| "".into());
        Ok(self.engine.act(id, &person, action, now)?)
    }

    fn renew_windows(&mut self) -> Result<(), StoreError> {
        let windows = all_windows(&Archive::new(self.store.clone()), &self.setup)?;
        self.board.show_windows(windows.clone());
        self.engine.set_windows(windows, clock::wall());
        Ok(())
    }
}

fn all_windows(archive: &Archive, setup: &Setup) -> Result<Windows, StoreError> {
    let planned = archive.windows()?;
    Ok(Windows::new(setup.zone.clone(), setup.windows.iter().cloned().chain(planned)))
}

#[cfg(test)]
mod tests;
