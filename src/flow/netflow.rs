//! NetFlow v5: a header of 24 octets, records of 48 (Cisco, "NetFlow Export Datagram Format").

use std::net::IpAddr;

use super::bytes::Bytes;
use super::clock::Clock;
use super::record::Record;
use crate::model::Timestamp;

const RECORD_OCTETS: usize = 48;

/// What stands before the records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    count: u16,
    pub(super) clock: Clock,
    pub(super) sequence: u32,
    /// Engine type and number: each counts its own flows.
    pub(super) engine: u16,
    sampling: u32,
}

impl Header {
    /// Reads what follows the version.
    pub(super) fn read(data: &mut Bytes<'_>, at: Timestamp) -> Option<Self> {
        let (count, uptime_ms, seconds, nanos) = (data.u16()?, data.u32()?, data.u32()?, data.u32()?);
        let (sequence, engine, sampling) = (data.u32()?, data.u16()?, data.u16()?);
        let export_ms = i64::from(seconds) * 1_000 + i64::from(nanos / 1_000_000);
        // The upper two bits are the mode.
        let sampling = u32::from(sampling & 0x3fff).max(1);
        Some(Self { count, clock: Clock::new(export_ms, Some(uptime_ms), at), sequence, engine, sampling })
    }

    /// How many records it announces.
    pub(super) const fn count(&self) -> u16 {
        self.count
    }

    /// Reads the records. Whether all that were announced are there.
    pub(super) fn records(&self, mut data: Bytes<'_>, exporter: IpAddr, out: &mut Vec<Record>) -> bool {
        for _ in 0..self.count {
            let Some(octets) = data.take(RECORD_OCTETS) else { return false };
            out.extend(self.record(Bytes::new(octets), exporter));
        }
        true
    }

    fn record(&self, mut data: Bytes<'_>, exporter: IpAddr) -> Option<Record> {
        let (src, dst, _next_hop) = (data.v4()?, data.v4()?, data.u32()?);
        let (input, output, packets, octets) = (data.u16()?, data.u16()?, data.u32()?, data.u32()?);
        let (first, last) = (data.u32()?, data.u32()?);
        let (src_port, dst_port, _pad) = (data.u16()?, data.u16()?, data.u8()?);
        let (tcp_flags, protocol) = (data.u8()?, data.u8()?);
        let last = self.clock.uptime(last, None)?;
        Some(Record {
            exporter,
            first: self.clock.uptime(first, None)?.min(last),
            last,
            src,
            dst,
            src_mac: None,
            vlan: None,
            protocol,
            src_port: if protocol == 1 { 0 } else { src_port },
            dst_port,
            tcp_flags,
            packets: u64::from(packets) * u64::from(self.sampling),
            octets: u64::from(octets) * u64::from(self.sampling),
            sampling: self.sampling,
            input: input.into(),
            output: output.into(),
        })
    }
}
