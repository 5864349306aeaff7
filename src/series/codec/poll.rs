//! The blob of one poll of one device in the tail: the difference to the poll before it, so that a busy hour is small
//! in memory and in the write-ahead log. The first of an hour or after a start stands alone (a key).
//!
//! `flags, gap, interval, [ports], [marks], [skews], [masks], values`; values as differences, runs of zeros counted.

use crate::model::{DeviceId, Gap, METRICS, PortId, Timestamp};
use crate::series::sample::{DeviceSample, PortSample};
use crate::series::stretch::unfold;

use super::block::gap_of;
use super::wire::{Reader, begin, put_signed, put_varint, seal, unzigzag, zigzag};
use super::{DecodeError, MOST_ROWS};

const CODEC: u8 = 1;

const KEY: u8 = 1;
const PORTS: u8 = 2;
const MARKED: u8 = 4;
const MASKS: u8 = 8;

/// What both sides remember of a device's last poll that had rows.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    ports: Vec<PortId>,
    skews: Vec<i32>,
    masks: Vec<u16>,
    values: Vec<[u64; METRICS]>,
}

impl Chain {
    /// Whether a poll has the same ports as the one before, in the same order.
    pub fn has_ports_of(&self, sample: &DeviceSample) -> bool {
        self.ports.len() == sample.rows.len() && self.ports.iter().zip(&sample.rows).all(|(a, b)| *a == b.port)
    }

    /// Encodes a poll; `key` makes it readable without those before it.
    pub fn encode(&mut self, sample: &DeviceSample, key: bool) -> Vec<u8> {
        let same_ports = !key && self.has_ports_of(sample);
        let rows: Vec<(u16, [u64; METRICS])> = sample.rows.iter().map(|row| unfold(&row.values)).collect();
        let same_masks = same_ports && self.masks.iter().zip(&rows).all(|(a, (b, _))| a == b);
        let marked = sample.rows.iter().any(|row| row.mark.is_some());
        let mut out = begin(CODEC);
        let ports_flag = if same_ports { 0 } else { PORTS };
        let masks_flag = if same_masks { 0 } else { MASKS };
        out.push(if key { KEY } else { 0 } | ports_flag | masks_flag | if marked { MARKED } else { 0 });
        out.push(sample.gap.map_or(0, Gap::code));
        put_varint(&mut out, u64::from(sample.interval_s));
        if !same_ports {
            self.ports = sample.rows.iter().map(|row| row.port).collect();
            self.skews = vec![0; rows.len()];
            self.masks = vec![0; rows.len()];
            self.values = vec![[0; METRICS]; rows.len()];
            put_varint(&mut out, rows.len() as u64);
            let mut last = 0;
            for port in &self.ports {
                put_signed(&mut out, i64::from(port.0) - last);
                last = i64::from(port.0);
            }
        }
        if marked {
            out.extend(sample.rows.iter().map(|row| row.mark.map_or(0, Gap::code)));
        }
        let mut zeros = Zeros::default();
        for (row, skew) in sample.rows.iter().zip(&mut self.skews) {
            zeros.put(&mut out, zigzag(i64::from(row.skew_ms) - i64::from(*skew)));
            *skew = row.skew_ms;
        }
        zeros.end(&mut out);
        if !same_masks {
            out.extend(rows.iter().flat_map(|(mask, _)| mask.to_le_bytes()));
            self.masks = rows.iter().map(|(mask, _)| *mask).collect();
        }
        for ((mask, values), last) in rows.iter().zip(&mut self.values) {
            for (metric, (value, last)) in values.iter().zip(last).enumerate() {
                if mask >> metric & 1 == 1 {
                    zeros.put(&mut out, zigzag(value.wrapping_sub(*last) as i64));
                    *last = *value;
                }
            }
        }
        zeros.end(&mut out);
        seal(out)
    }

    /// Reads the poll that follows those read before.
    pub fn decode(&mut self, device: DeviceId, time: Timestamp, blob: &[u8]) -> Result<DeviceSample, DecodeError> {
        let mut reader = Reader::open(blob, CODEC)?;
        let flags = reader.byte()?;
        let gap = gap_of(reader.byte()?);
        let interval_s = u32::try_from(reader.varint()?).map_err(|_| DecodeError::Contradiction("an interval too long"))?;
        if flags & PORTS != 0 {
            let count = reader.count(MOST_ROWS)?;
            *self = Self { ports: Vec::new(), skews: vec![0; count], masks: vec![0; count], values: vec![[0; METRICS]; count] };
            let mut last = 0_i64;
            for _ in 0..count {
                last = last.wrapping_add(reader.signed()?);
                self.ports.push(PortId(u32::try_from(last).map_err(|_| DecodeError::Contradiction("a port number too large"))?));
            }
        }
        let count = self.ports.len();
        let marks = if flags & MARKED != 0 { reader.take(count)? } else { &[] };
        let mut zeros = Zeros::default();
        for skew in &mut self.skews {
            *skew = i64::from(*skew).wrapping_add(unzigzag(zeros.next(&mut reader)?)) as i32;
        }
        zeros.finish()?;
        if flags & MASKS != 0 {
            for mask in &mut self.masks {
                *mask = reader.mask()?;
            }
        }
        let mut zeros = Zeros::default();
        let mut rows = Vec::with_capacity(count);
        for (at, ((&port, &skew_ms), (&mask, values))) in
            self.ports.iter().zip(&self.skews).zip(self.masks.iter().zip(&mut self.values)).enumerate()
        {
            let mut row = PortSample { port, skew_ms, mark: marks.get(at).and_then(|&code| gap_of(code)), values: [None; METRICS] };
            for (metric, (value, into)) in values.iter_mut().zip(&mut row.values).enumerate() {
                if mask >> metric & 1 == 1 {
                    *value = value.wrapping_add(unzigzag(zeros.next(&mut reader)?) as u64);
                    *into = Some(*value);
                }
            }
            rows.push(row);
        }
        zeros.finish()?;
        reader.finish()?;
        Ok(DeviceSample { device, time, interval_s, gap, rows })
    }
}

/// Whether a blob can be read without those before it.
pub fn is_key(blob: &[u8]) -> bool {
    blob.get(1).is_some_and(|flags| flags & KEY != 0)
}

/// Whether a blob is what was written, by its checksum.
pub fn check(blob: &[u8]) -> Result<(), DecodeError> {
    Reader::open(blob, CODEC).map(|_| ())
}

/// Numbers of which most are 0: a 0 is followed by how many more zeros come.
#[derive(Default)]
struct Zeros {
    run: u64,
}

impl Zeros {
    fn put(&mut self, out: &mut Vec<u8>, value: u64) {
        if value == 0 {
            self.run += 1;
        } else {
            self.end(out);
            put_varint(out, value);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.run > 0 {
            out.push(0);
            put_varint(out, self.run - 1);
            self.run = 0;
        }
    }

    fn next(&mut self, reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(0);
        }
        let value = reader.varint()?;
        if value == 0 {
            self.run = reader.varint()?;
        }
        Ok(value)
    }

    const fn finish(&self) -> Result<(), DecodeError> {
        if self.run == 0 { Ok(()) } else { Err(DecodeError::Contradiction("more zeros than values")) }
    }
}
