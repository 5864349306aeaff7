//! The engine without sockets, threads and clocks: to run jobs in tests and under a fuzzer, datagram by datagram.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::conversation::Submission;
use super::core::{Arrival, Core};
use super::gate::{Gate, canonical};
use super::stats::Stats;
use crate::model::Timestamp;
use crate::snmp::job::{Job, SubmitError, Target};

/// A transport that is moved by hand.
pub struct Offline {
    pub(super) core: Core,
    pub(super) gate: Arc<Gate>,
}

impl Offline {
    /// `seed` keys the request-ids; `window` is how many packets may be out at once.
    pub fn new(seed: u32, window: usize) -> Self {
        let gate = Arc::new(Gate::default());
        Self { core: Core::new(seed, window, Arc::clone(&gate)), gate }
    }

    /// Starts a conversation.
    ///
    /// # Errors
    /// When the device has one already.
    pub fn submit(&mut self, target: &Arc<Target>, job: Box<dyn Job>, deadline: Instant, now: Instant) -> Result<(), SubmitError> {
        let peer = canonical(target.address);
        self.gate.enter(peer)?;
        self.core.submit(Submission { target: Arc::clone(target), peer, job, deadline }, now);
        Ok(())
    }

    /// Does what is due, and gives what would be sent. SNMPv3 keys are made at once.
    pub fn tick(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        self.core.tick(now);
        while let Some((slot, generation, recipe)) = self.core.recipes.pop_front() {
            self.core.keyed(slot, generation, recipe.make(), now);
            self.core.tick(now);
        }
        let sent = self.core.outbox.packets(0).map(|(to, octets)| (to, octets.to_vec())).collect();
        self.core.outbox.clear();
        sent
    }

    /// Lets a datagram arrive.
    pub fn receive(&mut self, from: SocketAddr, octets: &[u8], now: Instant, stamp: Timestamp) {
        self.core.datagram(from, octets, Arrival { at: now, stamp });
    }

    /// Ends all conversations.
    pub fn cancel(&mut self) {
        self.core.cancel();
    }

    /// The counters.
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }
}
