//! The blob of one port over a run of its device's polls, and the blob of that run's times.
//!
//! Port: `flags, device, polls, [bits: rows present], [marks], [skews], masks, columns`. Times: `times, intervals, gaps`.

use crate::model::{DeviceId, Gap, METRICS, PortId};
use crate::series::stretch::{Poll, Rows};

use super::wire::{Reader, begin, bit, put_bits, put_varint, seal, unzigzag, zigzag};
use super::{DecodeError, MOST_ROWS, column};

/// The form written today. Readers of every earlier form stay.
pub const CODEC: u8 = 1;

/// All metrics wanted.
pub const ALL: u16 = u16::MAX;

const SPARSE: u8 = 1;
const MARKED: u8 = 2;
const SKEWED: u8 = 4;
const MIXED: u8 = 8;

/// Encodes a port's rows over `polls` polls of `device`.
pub fn encode_port(device: DeviceId, polls: usize, rows: &Rows, scratch: &mut Vec<u64>) -> Vec<u8> {
    let first_mask = rows.mask.first().copied().unwrap_or(0);
    let mut flags = 0;
    let mut flag = |bit: u8, set: bool| flags |= if set { bit } else { 0 };
    flag(SPARSE, rows.len() != polls);
    flag(MARKED, rows.mark.iter().any(|&mark| mark != 0));
    flag(SKEWED, rows.skew_ms.iter().any(|&skew| skew != 0));
    flag(MIXED, rows.mask.iter().any(|&mask| mask != first_mask));
    let mut out = begin(CODEC);
    out.push(flags);
    put_varint(&mut out, u64::from(device.0));
    put_varint(&mut out, polls as u64);
    if flags & SPARSE != 0 {
        let mut at = rows.at.iter().peekable();
        put_bits(&mut out, (0..polls as u32).map(|poll| at.next_if(|&&at| at == poll).is_some()));
    }
    let mut column_buffer: Vec<u64> = Vec::with_capacity(rows.len());
    if flags & MARKED != 0 {
        column_buffer.extend(rows.mark.iter().map(|&mark| u64::from(mark)));
        column::encode(&column_buffer, &mut out, scratch);
    }
    if flags & SKEWED != 0 {
        column_buffer.clear();
        column_buffer.extend(rows.skew_ms.iter().map(|&skew| zigzag(i64::from(skew))));
        column::encode(&column_buffer, &mut out, scratch);
    }
    if flags & MIXED != 0 {
        column_buffer.clear();
        column_buffer.extend(rows.mask.iter().map(|&mask| u64::from(mask)));
        column::encode(&column_buffer, &mut out, scratch);
    } else {
        out.extend_from_slice(&first_mask.to_le_bytes());
    }
    for (metric, values) in rows.values.iter().enumerate() {
        if flags & MIXED == 0 {
            if first_mask >> metric & 1 == 1 {
                column::encode(values, &mut out, scratch);
            }
        } else {
            column_buffer.clear();
            column_buffer.extend(rows.mask.iter().zip(values).filter(|(mask, _)| **mask >> metric & 1 == 1).map(|(_, value)| *value));
            column::encode(&column_buffer, &mut out, scratch);
        }
    }
    seal(out)
}

/// What a port's blob holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortBlock {
    /// Whose port it is.
    pub device: DeviceId,
    /// How many polls it spans.
    pub polls: usize,
    /// The rows; only the wanted metrics have values.
    pub rows: Rows,
}

/// Reads a port's blob; columns of metrics outside `wanted` (bits) are passed over and their presence bits cleared.
pub fn decode_port(blob: &[u8], wanted: u16) -> Result<PortBlock, DecodeError> {
    let mut reader = Reader::open(blob, CODEC)?;
    let flags = reader.byte()?;
    let device = DeviceId(u32::try_from(reader.varint()?).map_err(|_| DecodeError::Contradiction("a device number too large"))?);
    let polls = reader.count(MOST_ROWS)?;
    let mut rows = Rows::default();
    if flags & SPARSE != 0 {
        let bits = reader.take(polls.div_ceil(8))?;
        rows.at.extend((0..polls).filter(|&at| bit(bits, at)).map(|at| at as u32));
    } else {
        rows.at.extend(0..polls as u32);
    }
    let count = rows.at.len();
    let mut buffer = Vec::new();
    rows.mark.resize(count, 0);
    if flags & MARKED != 0 {
        column::decode(&mut reader, count, &mut buffer)?;
        rows.mark.iter_mut().zip(&buffer).for_each(|(mark, &code)| *mark = code as u8);
    }
    rows.skew_ms.resize(count, 0);
    if flags & SKEWED != 0 {
        column::decode(&mut reader, count, &mut buffer)?;
        rows.skew_ms.iter_mut().zip(&buffer).for_each(|(skew, &value)| *skew = unzigzag(value) as i32);
    }
    if flags & MIXED != 0 {
        column::decode(&mut reader, count, &mut buffer)?;
        rows.mask.extend(buffer.iter().map(|&mask| mask as u16));
    } else {
        let mask = reader.mask()?;
        rows.mask.resize(count, mask);
    }
    decode_columns(&mut reader, &mut rows, wanted, &mut buffer)?;
    reader.finish()?;
    rows.mask.iter_mut().for_each(|mask| *mask &= wanted);
    Ok(PortBlock { device, polls, rows })
}

fn decode_columns(reader: &mut Reader<'_>, rows: &mut Rows, wanted: u16, buffer: &mut Vec<u64>) -> Result<(), DecodeError> {
    let Rows { mask, values, .. } = rows;
    for (metric, into) in values.iter_mut().enumerate() {
        let present = mask.iter().filter(|&&mask| mask >> metric & 1 == 1).count();
        if wanted >> metric & 1 == 0 {
            column::skip(reader, present)?;
        } else if present == mask.len() {
            column::decode(reader, present, into)?;
        } else if present > 0 {
            column::decode(reader, present, buffer)?;
            let mut next = buffer.iter();
            into.extend(mask.iter().map(|&mask| if mask >> metric & 1 == 1 { next.next().copied().unwrap_or(0) } else { 0 }));
        }
    }
    // Bits beyond the known metrics would say that there are columns which this version cannot pass over.
    if mask.iter().any(|&mask| mask >> METRICS != 0) { Err(DecodeError::Contradiction("an unknown metric")) } else { Ok(()) }
}

/// Encodes the times of a run of polls.
pub fn encode_times(polls: &[Poll], scratch: &mut Vec<u64>) -> Vec<u8> {
    let mut out = begin(CODEC);
    put_varint(&mut out, polls.len() as u64);
    let columns: [fn(&Poll) -> u64; 3] =
        [|poll| poll.time_ms as u64, |poll| u64::from(poll.interval_s), |poll| u64::from(poll.gap.map_or(0, Gap::code))];
    for column in columns {
        let values: Vec<u64> = polls.iter().map(column).collect();
        column::encode(&values, &mut out, scratch);
    }
    seal(out)
}

/// Reads the times of a run of polls. Times that do not grow are an error.
pub fn decode_times(blob: &[u8]) -> Result<Vec<Poll>, DecodeError> {
    let mut reader = Reader::open(blob, CODEC)?;
    let count = reader.count(MOST_ROWS)?;
    let (mut times, mut intervals, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    column::decode(&mut reader, count, &mut times)?;
    column::decode(&mut reader, count, &mut intervals)?;
    column::decode(&mut reader, count, &mut gaps)?;
    reader.finish()?;
    if times.windows(2).any(|pair| pair[0] as i64 >= pair[1] as i64) {
        return Err(DecodeError::Contradiction("times that do not grow"));
    }
    Ok(times
        .iter()
        .zip(intervals)
        .zip(gaps)
        .map(|((&time, interval), gap)| Poll { time_ms: time as i64, interval_s: interval as u32, gap: gap_of(gap as u8) })
        .collect())
}

/// Encodes a device's ports, in growing order.
pub fn encode_ports(ports: impl Iterator<Item = PortId>) -> Vec<u8> {
    let mut out = begin(CODEC);
    let ports: Vec<u64> = ports.map(|port| u64::from(port.0)).collect();
    put_varint(&mut out, ports.len() as u64);
    column::encode(&ports, &mut out, &mut Vec::new());
    seal(out)
}

/// Reads a device's ports.
pub fn decode_ports(blob: &[u8]) -> Result<Vec<PortId>, DecodeError> {
    let mut reader = Reader::open(blob, CODEC)?;
    let count = reader.count(MOST_ROWS)?;
    let mut ports = Vec::new();
    column::decode(&mut reader, count, &mut ports)?;
    reader.finish()?;
    ports
        .into_iter()
        .map(|port| u32::try_from(port).map(PortId).map_err(|_| DecodeError::Contradiction("a port number too large")))
        .collect()
}

/// The reason of a code on disk; one of a later version reads as "absent", so that the hole stays a hole.
pub fn gap_of(code: u8) -> Option<Gap> {
    (code != 0).then(|| Gap::from_code(code).unwrap_or(Gap::Absent))
}
