//! From datagrams to records: which protocol it is, whose templates it is read by, what is missing. Pure and bounded.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::bytes::Bytes;
use super::record::Record;
use super::sets::{self, Dialect, Session, Walk};
use super::{netflow, sflow};
use crate::model::Timestamp;

/// What an exporter speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// NetFlow v5.
    V5,
    /// NetFlow v9 (RFC 3954).
    V9,
    /// IPFIX (RFC 7011).
    Ipfix,
    /// sFlow v5.
    Sflow,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V5, Self::V9, Self::Ipfix, Self::Sflow];

    /// Its word in metrics and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V5 => "netflow5",
            Self::V9 => "netflow9",
            Self::Ipfix => "ipfix",
            Self::Sflow => "sflow5",
        }
    }
}

/// How much is remembered of exporters. All together: at most 512 × 128 templates of 128 fields of 4 octets, 34 MB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Sources: address, port, protocol and domain. Of more, the one that was silent longest is forgotten.
    pub sessions: usize,
    /// Templates of one source.
    pub templates: usize,
    /// Fields of one template. One with more is refused.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions: 512, templates: 128, fields: 128 }
    }
}

/// What became of one datagram.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Heard {
    /// What it was; `None` when it was nothing of ours.
    pub protocol: Option<Protocol>,
    /// Records that were made of it.
    pub records: u32,
    /// Records of something else than flows between IP addresses.
    pub other: u32,
    /// Sets whose template has not been seen.
    pub unknown_templates: u32,
    /// What is missing before it: records of v5 and IPFIX, datagrams of v9 and sFlow.
    pub lost: u32,
    /// Whether a part of it, or all, could not be read.
    pub malformed: bool,
    /// How far the sender's clock is behind ours, milliseconds; 0 while it is about right.
    pub clock_behind_ms: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    from: SocketAddr,
    protocol: Protocol,
    domain: u32,
}

/// Reads datagrams.
#[derive(Debug)]
pub struct Collector {
    sessions: HashMap<Key, Session>,
    limits: Limits,
    /// Datagrams so far: the age of what is remembered.
    now: u64,
}

impl Collector {
    /// One that has heard nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { sessions: HashMap::new(), limits, now: 0 }
    }

    /// Reads a datagram that came at `at`, and appends its records.
    pub fn read(&mut self, from: SocketAddr, at: Timestamp, datagram: &[u8], out: &mut Vec<Record>) -> Heard {
        self.now += 1;
        let before = out.len();
        let mut data = Bytes::new(datagram);
        let mut heard = Heard::default();
        let read = match data.u16() {
            Some(5) => self.v5(from, at, data, &mut heard, out),
            Some(9) => self.sets(Dialect::V9, from, at, data, &mut heard, out),
            Some(10) => self.sets(Dialect::Ipfix, from, at, data, &mut heard, out),
            // sFlow's version takes four octets.
            Some(0) if data.u16() == Some(5) => self.sflow(from, at, data, &mut heard, out),
            _ => None,
        };
        heard.malformed |= read.is_none();
        heard.records = u32::try_from(out.len() - before).unwrap_or(u32::MAX);
        heard
    }

    /// Sources that are remembered.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    fn v5(&mut self, from: SocketAddr, at: Timestamp, mut data: Bytes<'_>, heard: &mut Heard, out: &mut Vec<Record>) -> Option<()> {
        let header = netflow::Header::read(&mut data, at)?;
        heard.protocol = Some(Protocol::V5);
        heard.clock_behind_ms = header.clock.shift_ms();
        let session = self.session(Key { from, protocol: Protocol::V5, domain: header.engine.into() });
        heard.lost = session.sequence.advance(header.sequence, header.count().into());
        heard.malformed |= !header.records(data, from.ip(), out);
        Some(())
    }

    fn sets(
        &mut self,
        dialect: Dialect,
        from: SocketAddr,
        at: Timestamp,
        mut data: Bytes<'_>,
        heard: &mut Heard,
        out: &mut Vec<Record>,
    ) -> Option<()> {
        let (header, whole) = sets::Header::read(dialect, &mut data, at)?;
        let protocol = if dialect == Dialect::V9 { Protocol::V9 } else { Protocol::Ipfix };
        heard.protocol = Some(protocol);
        heard.clock_behind_ms = header.clock.shift_ms();
        heard.malformed |= !whole;
        let (limits, now) = (self.limits, self.now);
        let session = self.session(Key { from, protocol, domain: header.domain });
        let walk = Walk { header: &header, exporter: from.ip(), limits: &limits, now };
        let records = session.sets(&walk, data, heard, out);
        match (dialect, records) {
            // v9 counts datagrams, IPFIX records of data.
            (Dialect::V9, _) => heard.lost = session.sequence.advance(header.sequence, 1),
            (Dialect::Ipfix, Some(records)) => heard.lost = session.sequence.advance(header.sequence, records),
            (Dialect::Ipfix, None) => {
                heard.lost = session.sequence.advance(header.sequence, 0);
                session.sequence.forget();
            }
        }
        Some(())
    }

    fn sflow(&mut self, from: SocketAddr, at: Timestamp, mut data: Bytes<'_>, heard: &mut Heard, out: &mut Vec<Record>) -> Option<()> {
        let datagram = sflow::Datagram::read(&mut data)?;
        heard.protocol = Some(Protocol::Sflow);
        let session = self.session(Key { from, protocol: Protocol::Sflow, domain: datagram.sub_agent });
        heard.lost = session.sequence.advance(datagram.sequence, 1);
        datagram.samples(data, from.ip(), at, heard, out);
        Some(())
    }

    /// What is remembered of a source; room is made for a new one.
    fn session(&mut self, key: Key) -> &mut Session {
        if self.sessions.len() >= self.limits.sessions
            && !self.sessions.contains_key(&key)
            && let Some(oldest) = self.sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            self.sessions.remove(&oldest);
        }
        let session = self.sessions.entry(key).or_default();
        session.used = self.now;
        session
    }

    #[cfg(test)]
    pub(super) fn templates(&self) -> usize {
        self.sessions.values().map(Session::templates).sum()
    }
}
