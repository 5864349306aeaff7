//! The door for those who have something to tell.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Notify;

use super::store;
use crate::model::Notice;

/// Takes notices. Cheap to clone; all clones wake the same sender.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    wake: Arc<Notify>,
}

impl Outbox {
    /// Writes a notice in the caller's transaction: it is kept when, and only when, the change that it tells is. The same
    /// event of the same incident is kept once.
    ///
    /// # Errors
    /// What SQLite says; the caller's change then must not be kept either.
    pub fn enqueue(&self, tx: &Connection, notice: &Notice) -> rusqlite::Result<()> {
        store::insert(tx, notice)?;
        // The sender reads through the same writer, so that it comes after the commit of this transaction.
        self.wake.notify_one();
        Ok(())
    }

    /// Has the sender look now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns when something was enqueued since the last call.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}
