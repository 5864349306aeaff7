//! The blob of one port in a consolidated tier: a run of buckets, each with the counters' growth over the known time,
//! that time, and the largest (for gauges also the smallest) rate, so that averages stay exact through resets and gaps.

use crate::model::METRICS;

use super::wire::{Reader, begin, put_varint, seal};
use super::{DecodeError, MOST_ROWS, column};

const CODEC: u8 = 1;
const MINIMA: u8 = 1;
const OWN_KNOWN: u8 = 2;

/// A run of buckets of one port.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cells {
    /// Maxima and minima of counters are counts per so many seconds.
    pub scale_s: u32,
    /// Why the longest hole of each bucket is there; 0 for none.
    pub gap: Vec<u8>,
    /// How much of each bucket is known, milliseconds.
    pub known_ms: Vec<u64>,
    /// The metrics; `None` is never present in this run.
    pub metrics: [Option<Column>; METRICS],
}

/// One metric over a run of buckets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Column {
    /// Counter: how much it grew. Gauge: value times known milliseconds.
    pub sum: Vec<u64>,
    /// Counter: the largest rate of a poll as counts per `scale_s`. Gauge: the largest value.
    pub max: Vec<u64>,
    /// The smallest; empty when not kept.
    pub min: Vec<u64>,
    /// How much of each bucket this metric is known, when it differs from the port's.
    pub known_ms: Vec<u64>,
}

impl Cells {
    /// `count` buckets without data.
    pub fn empty(count: usize) -> Self {
        Self { scale_s: 1, gap: vec![0; count], known_ms: vec![0; count], metrics: Default::default() }
    }

    /// Encodes the run.
    pub fn encode(&self, scratch: &mut Vec<u64>) -> Vec<u8> {
        let mut out = begin(CODEC);
        put_varint(&mut out, self.gap.len() as u64);
        put_varint(&mut out, u64::from(self.scale_s));
        let present = self.metrics.iter().enumerate().fold(0_u16, |mask, (at, metric)| mask | u16::from(metric.is_some()) << at);
        out.extend_from_slice(&present.to_le_bytes());
        let gaps: Vec<u64> = self.gap.iter().map(|&code| u64::from(code)).collect();
        column::encode(&gaps, &mut out, scratch);
        column::encode(&self.known_ms, &mut out, scratch);
        for metric in self.metrics.iter().flatten() {
            let minima = if metric.min.is_empty() { 0 } else { MINIMA };
            let own = if metric.known_ms.is_empty() { 0 } else { OWN_KNOWN };
            out.push(minima | own);
            for column in [&metric.sum, &metric.max, &metric.min, &metric.known_ms] {
                column::encode(column, &mut out, scratch);
            }
        }
        seal(out)
    }

    /// Reads a run; metrics outside `wanted` (bits) are passed over.
    pub fn decode(blob: &[u8], wanted: u16) -> Result<Self, DecodeError> {
        let mut reader = Reader::open(blob, CODEC)?;
        let count = reader.count(MOST_ROWS)?;
        let scale_s = u32::try_from(reader.varint()?.max(1)).map_err(|_| DecodeError::Contradiction("a scale too large"))?;
        let present = reader.mask()?;
        if present >> METRICS != 0 {
            return Err(DecodeError::Contradiction("an unknown metric"));
        }
        let mut cells = Self { scale_s, ..Self::default() };
        let mut gaps = Vec::new();
        column::decode(&mut reader, count, &mut gaps)?;
        cells.gap = gaps.iter().map(|&code| code as u8).collect();
        column::decode(&mut reader, count, &mut cells.known_ms)?;
        for (metric, into) in cells.metrics.iter_mut().enumerate() {
            if present >> metric & 1 == 0 {
                continue;
            }
            let flags = reader.byte()?;
            let lengths = [count, count, if flags & MINIMA != 0 { count } else { 0 }, if flags & OWN_KNOWN != 0 { count } else { 0 }];
            if wanted >> metric & 1 == 0 {
                lengths.into_iter().try_for_each(|length| column::skip(&mut reader, length))?;
                continue;
            }
            let mut read = Column::default();
            for (column, length) in [&mut read.sum, &mut read.max, &mut read.min, &mut read.known_ms].into_iter().zip(lengths) {
                column::decode(&mut reader, length, column)?;
            }
            *into = Some(read);
        }
        reader.finish()?;
        Ok(cells)
    }
}
