//! What came from whom and what did not, read at each scrape.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::collector::{Heard, Protocol};
use crate::model::Timestamp;

/// Exporters that are counted one by one; what more of them send is counted together.
const EXPORTERS: usize = 256;

/// Counts of the whole receiver, since the start of the program.
#[derive(Debug, Default)]
pub struct Stats {
    exporters: Mutex<BTreeMap<IpAddr, Arc<Exporter>>>,
    others: Arc<Exporter>,
    refused: AtomicU64,
    socket_drops: AtomicU64,
    shed: AtomicU64,
}

/// Counts of one exporter.
#[derive(Debug, Default)]
pub struct Exporter {
    datagrams: [AtomicU64; 4],
    records: [AtomicU64; 4],
    lost: [AtomicU64; 4],
    unknown_templates: AtomicU64,
    malformed: AtomicU64,
    other: AtomicU64,
    last_ms: AtomicI64,
    clock_behind_ms: AtomicI64,
}

impl Stats {
    /// The counts of an exporter, which are made when there is room for one more.
    pub fn exporter(&self, address: IpAddr) -> Arc<Exporter> {
        let mut exporters = self.exporters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = exporters.get(&address) {
            return Arc::clone(known);
        }
        if exporters.len() >= EXPORTERS {
            return Arc::clone(&self.others);
        }
        Arc::clone(exporters.entry(address).or_default())
    }

    /// Every exporter that has been heard, and last, without an address, all that are too many.
    pub fn exporters(&self) -> Vec<(Option<IpAddr>, Arc<Exporter>)> {
        let exporters = self.exporters.lock().unwrap_or_else(PoisonError::into_inner);
        let others = (self.others.last().is_some()).then(|| (None, Arc::clone(&self.others)));
        exporters.iter().map(|(address, exporter)| (Some(*address), Arc::clone(exporter))).chain(others).collect()
    }

    /// Datagrams of addresses that may not send.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Datagrams that the kernel dropped because a socket's buffer was full.
    pub fn socket_drops(&self) -> u64 {
        self.socket_drops.load(Ordering::Relaxed)
    }

    /// Records that the detectors had no room for.
    pub fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    pub(super) fn count_refused(&self) -> u64 {
        self.refused.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count_socket_drops(&self, datagrams: u64) {
        self.socket_drops.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn count_shed(&self, records: usize) -> u64 {
        self.shed.fetch_add(records as u64, Ordering::Relaxed)
    }
}

impl Exporter {
    /// Adds one datagram.
    pub fn count(&self, heard: &Heard, at: Timestamp) {
        self.last_ms.store(at.millis(), Ordering::Relaxed);
        let add = |counter: &AtomicU64, count: u64| {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        };
        if let Some(protocol) = heard.protocol {
            for (counters, count) in [(&self.datagrams, 1), (&self.records, heard.records), (&self.lost, heard.lost)] {
                if let Some(counter) = counters.get(protocol as usize) {
                    add(counter, count.into());
                }
            }
            self.clock_behind_ms.store(heard.clock_behind_ms, Ordering::Relaxed);
        }
        add(&self.unknown_templates, heard.unknown_templates.into());
        add(&self.malformed, heard.malformed.into());
        add(&self.other, heard.other.into());
    }

    fn of(counters: &[AtomicU64; 4], protocol: Protocol) -> u64 {
        counters.get(protocol as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Datagrams of this protocol.
    pub fn datagrams(&self, protocol: Protocol) -> u64 {
        Self::of(&self.datagrams, protocol)
    }

    /// Flow records of this protocol.
    pub fn records(&self, protocol: Protocol) -> u64 {
        Self::of(&self.records, protocol)
    }

    /// What did not arrive, by the sequence numbers: records of v5 and IPFIX, datagrams of v9 and sFlow.
    pub fn lost(&self, protocol: Protocol) -> u64 {
        Self::of(&self.lost, protocol)
    }

    /// Sets that could not be read because their template had not come.
    pub fn unknown_templates(&self) -> u64 {
        self.unknown_templates.load(Ordering::Relaxed)
    }

    /// Datagrams that could not be read, or not wholly.
    pub fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// Records of something else than flows between IP addresses.
    pub fn other(&self) -> u64 {
        self.other.load(Ordering::Relaxed)
    }

    /// When the last datagram came.
    pub fn last(&self) -> Option<Timestamp> {
        Some(self.last_ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0).map(Timestamp::from_millis)
    }

    /// How far its clock is behind ours, milliseconds; 0 while it is about right.
    pub fn clock_behind_ms(&self) -> i64 {
        self.clock_behind_ms.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{EXPORTERS, Stats};
    use crate::flow::collector::{Heard, Protocol};
    use crate::model::Timestamp;

    #[test]
    fn exporters_beyond_the_table_are_counted_together() {
        let stats = Stats::default();
        let heard = Heard { protocol: Some(Protocol::V9), records: 3, lost: 2, ..Heard::default() };
        for number in 0..1_000_u32 {
            stats.exporter(std::net::Ipv4Addr::from_bits(number).into()).count(&heard, Timestamp::from_secs(1));
        }
        let exporters = stats.exporters();
        assert_eq!(exporters.len(), EXPORTERS + 1);
        let records = |at: usize| exporters[at].1.records(Protocol::V9);
        assert_eq!((records(0), exporters[0].1.lost(Protocol::V9), exporters[0].1.records(Protocol::V5)), (3, 2, 0));
        assert_eq!((exporters[EXPORTERS].0, records(EXPORTERS)), (None, 3 * (1_000 - EXPORTERS as u64)));
    }
}
