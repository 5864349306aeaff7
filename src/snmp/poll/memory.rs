//! What is remembered of a device from one poll to the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::inventory::InventoryReader;
use super::packing::Packing;
use super::plan::{Chunk, Plan};
use crate::snmp::job::Credentials;
use crate::snmp::message::Version;

/// A device's plan, packing and last signs of life. It travels into each poll and comes back with the round.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(super) plan: Option<Arc<Plan>>,
    pub(super) packing: Packing,
    pub(super) uptime: Option<u32>,
    pub(super) identity_due: Option<Instant>,
    pub(super) identity_reads: u32,
    pub(super) answering: bool,
    pub(super) srtt: Option<Duration>,
    /// An identity read that a deadline cut off: the next turn goes on with it.
    pub(super) unfinished: Option<Box<InventoryReader>>,
    chunks: Option<(ChunkKey, Arc<[Chunk]>)>,
}

/// What requests depend on beside the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ChunkKey {
    classes: u32,
    limits: (usize, usize),
    bulk: bool,
}

impl Memory {
    /// Of a device not met yet.
    pub const fn new(version: Version) -> Self {
        Self::with(Packing::new(version))
    }

    /// The same for a device that is spoken to so.
    pub const fn of(credentials: &Credentials) -> Self {
        Self::with(Packing::of(credentials))
    }

    const fn with(packing: Packing) -> Self {
        Self {
            plan: None,
            packing,
            uptime: None,
            identity_due: None,
            identity_reads: 0,
            answering: false,
            srtt: None,
            unfinished: None,
            chunks: None,
        }
    }

    /// Whether the device answered anything at its last poll; false before the first.
    pub const fn answering(&self) -> bool {
        self.answering
    }

    /// What the device has shown it can take.
    pub const fn packing(&self) -> Packing {
        self.packing
    }

    /// How many times its identity was read.
    pub const fn identity_reads(&self) -> u32 {
        self.identity_reads
    }

    /// Smoothed round-trip time in microseconds.
    pub fn srtt_us(&self) -> Option<u32> {
        self.srtt.map(|srtt| u32::try_from(srtt.as_micros()).unwrap_or(u32::MAX))
    }

    /// The identity is read anew at the next poll.
    pub fn forget_identity(&mut self) {
        self.identity_due = None;
        self.plan = None;
        self.chunks = None;
        self.unfinished = None;
    }

    /// For a poll, which gives it back; what is unfinished is not copied, for it may be large.
    pub(super) fn lend(&mut self) -> Box<Self> {
        let unfinished = self.unfinished.take();
        Box::new(Self { unfinished, ..self.clone() })
    }

    pub(super) fn heard(&mut self, rtt: Duration) {
        self.answering = true;
        self.srtt = Some(self.srtt.map_or(rtt, |srtt| (srtt * 7 + rtt) / 8));
    }

    pub(super) fn replace_plan(&mut self, plan: Plan) {
        self.plan = Some(Arc::new(plan));
        self.chunks = None;
    }

    pub(super) fn forget_cells(&mut self, cells: &[super::plan::Cell]) {
        if let Some(plan) = self.plan.as_mut().filter(|_| !cells.is_empty()) {
            let plan = Arc::make_mut(plan);
            cells.iter().for_each(|&cell| plan.forget(cell));
            self.chunks = None;
        }
    }

    /// The requests of the plan for these classes, encoded anew only when something changed.
    pub(super) fn chunks(&mut self, classes: u32) -> Arc<[Chunk]> {
        let key = ChunkKey { classes, limits: self.packing.limits(), bulk: self.packing.bulk() };
        match (&self.chunks, &self.plan) {
            (Some((same, chunks)), _) if *same == key => Arc::clone(chunks),
            (_, Some(plan)) => {
                let chunks: Arc<[Chunk]> = Arc::from(plan.chunks(classes, self.packing));
                self.chunks = Some((key, Arc::clone(&chunks)));
                chunks
            }
            (_, None) => Arc::from([]),
        }
    }
}
