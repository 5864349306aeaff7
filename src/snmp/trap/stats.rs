//! What became of the notifications, by counters that anybody may read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a datagram was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// It is no notification that can be read.
    Malformed,
    /// Its community, or its v3 user, level or keys.
    Credentials,
    /// A repeated or outdated message of v3.
    Outdated,
    /// Its source sends too many.
    TooMany,
    /// Nobody took them out of the queue in time.
    QueueFull,
}

impl Refused {
    /// All reasons.
    pub const ALL: [Self; 5] = [Self::Malformed, Self::Credentials, Self::Outdated, Self::TooMany, Self::QueueFull];

    /// The word of metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Credentials => "credentials",
            Self::Outdated => "outdated",
            Self::TooMany => "too_many",
            Self::QueueFull => "queue_full",
        }
    }
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    received: AtomicU64,
    taken: AtomicU64,
    answered: AtomicU64,
    socket_drops: AtomicU64,
    refused: [AtomicU64; Refused::ALL.len()],
}

impl Stats {
    /// Datagrams that came in.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notifications handed upwards.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Informs and discoveries that were answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Datagrams that the socket had no room for.
    pub fn socket_drops(&self) -> u64 {
        self.socket_drops.load(Ordering::Relaxed)
    }

    /// Datagrams not taken for this reason.
    pub fn refused(&self, why: Refused) -> u64 {
        self.refused.get(why as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn count_received(&self, datagrams: u64) {
        self.received.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn count_taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_socket_drops(&self, datagrams: u64) {
        self.socket_drops.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn count_refused(&self, why: Refused) {
        if let Some(count) = self.refused.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
