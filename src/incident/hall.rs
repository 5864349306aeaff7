//! What the pages stand on: what is wrong now, what was, and the way to give orders, whatever becomes of the task in between.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::board::Board;
use super::driver::{Desk, OrderError};
use super::engine::Action;
use super::store::Archive;
use super::windows::Window;
use crate::journal::Actor;
use crate::model::IncidentId;
use crate::store::Store;

/// The incidents, as others see them.
#[derive(Debug)]
pub struct Hall {
    board: Arc<Board>,
    archive: Archive,
    desk: ArcSwapOption<Desk>,
}

impl Hall {
    /// Over the database; nobody looks after the incidents yet.
    pub fn new(store: Store) -> Self {
        Self { board: Arc::default(), archive: Archive::new(store), desk: ArcSwapOption::empty() }
    }

    /// What is wrong now.
    pub const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// What was.
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The task has begun, or begun anew.
    pub fn install(&self, desk: Desk) {
        self.desk.store(Some(Arc::new(desk)));
    }

    /// The way to the task of the moment.
    ///
    /// # Errors
    /// When there is none.
    pub fn desk(&self) -> Result<Arc<Desk>, OrderError> {
        self.desk.load_full().ok_or(OrderError::Away)
    }

    /// A person does something with an incident.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn act(&self, id: IncidentId, action: Action, actor: Actor) -> Result<(), OrderError> {
        self.desk()?.act(id, action, actor).await
    }

    /// Plans a window; its number.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn plan(&self, window: Window, actor: Actor) -> Result<i64, OrderError> {
        self.desk()?.plan(window, actor).await
    }

    /// Takes a window back.
    ///
    /// # Errors
    /// When there is none, or the database does not take it.
    pub async fn unplan(&self, id: i64, actor: Actor) -> Result<(), OrderError> {
        self.desk()?.unplan(id, actor).await
    }
}
