//! What the transport counts, readable from any thread.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The transport's counters since its start.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)+
        }

        /// The counters where other threads read them.
        #[derive(Debug, Default)]
        pub(super) struct Shared {
            $($name: AtomicU64,)+
        }

        impl Shared {
            /// Makes `stats` visible.
            pub(super) fn publish(&self, stats: &Stats) {
                $(self.$name.store(stats.$name, Ordering::Relaxed);)+
            }

            /// The counters as last published.
            pub(super) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counters! {
    /// Datagrams sent, repetitions included.
    sent,
    /// Datagrams received.
    received,
    /// Answers accepted: the right source, request-id, version and community, for the first time.
    accepted,
    /// Requests sent again after a timeout.
    retries,
    /// Requests given up after all tries.
    timeouts,
    /// Answers to questions that are answered or given up already: duplicates and latecomers.
    stale,
    /// Datagrams from an address that was not asked, with a foreign request-id, community or version.
    foreign,
    /// Datagrams that are no SNMP.
    malformed,
    /// Datagrams the kernel dropped because the socket's buffer was full (`SO_RXQ_OVFL`).
    socket_drops,
    /// Requests that ended because the network said that the device cannot be reached.
    unreachable,
    /// SNMPv3 requests that the device refused.
    refused,
    /// Conversations taken.
    started,
    /// Conversations ended by their deadline.
    deadlines,
    /// Conversations running now (a gauge).
    running,
}
