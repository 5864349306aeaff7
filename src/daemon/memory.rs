//! What is seen of machines outlives a restart: read at the start, written each minute and at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::detect::Board;
use crate::detect::board::Source;
use crate::detect::kept::{Kept, VERSION, store};
use crate::model::clock;

/// How often what is seen is written.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Shows on the board what was kept. What cannot be read is told and set aside: the house runs without it.
pub(super) fn recall(data: &Path, board: &Board) {
    match store::read(data) {
        Ok(Some(kept)) => {
            tracing::info!(machines = kept.machines.len(), learnt = kept.learnt.len(), "{} machines are remembered", kept.machines.len());
            board.show_machines(Source::Mirror, kept.machines);
            board.show_learnt(Source::Mirror, kept.learnt);
        }
        Ok(None) => {}
        Err(error) => {
            let aside = store::set_aside(data).map_or_else(|error| error.to_string(), |path| format!("it is now {}", path.display()));
            tracing::warn!(%error, "what was seen of machines before is not remembered: {error}; {aside}");
        }
    }
}

/// The task that writes.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) data: PathBuf,
    pub(super) board: Arc<Board>,
}

impl Memory {
    /// One life of it.
    pub(super) async fn life(&self, token: CancellationToken) {
        let mut last_error = String::new();
        loop {
            // Ended early by the stop, else the next turn is due: it is written in both cases.
            let _ = tokio::time::timeout(SAVE_EVERY, token.cancelled()).await;
            let is_last = token.is_cancelled();
            let memory = self.clone();
            let written = tokio::task::spawn_blocking(move || memory.write()).await;
            let error = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).err().map(|error| error.to_string());
            // A disk that is full for hours is told once.
            match error {
                Some(error) if error != last_error => {
                    tracing::warn!(%error, "what is seen of machines could not be written, a restart would forget it: {error}");
                    last_error = error;
                }
                Some(_) => {}
                None => last_error.clear(),
            }
            if is_last {
                return;
            }
        }
    }

    /// Nothing is written as long as nothing was seen.
    fn write(&self) -> Result<(), store::KeptError> {
        let (machines, learnt, held) = (self.board.machines(), self.board.learnt(), self.board.held());
        if machines.is_empty() && learnt.is_empty() && held.is_empty() {
            return Ok(());
        }
        let kept = Kept { version: VERSION, at: clock::wall(), machines: machines.to_vec(), learnt: learnt.to_vec(), held: held.to_vec() };
        store::write(&self.data, &kept)
    }
}
