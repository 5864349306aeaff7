//! One column of u64 values: as they are or as differences, whichever is smaller; less their least, in the bits that
//! most of them need; the others' upper parts kept apart. The cost of each width is known from a histogram of widths,
//! so the best one is found without trying.

use super::DecodeError;
use super::wire::{Reader, put_signed, put_varint};

const DELTA: u8 = 0x80;

/// Appends the column. Its length is not written: the reader knows it.
pub fn encode(values: &[u64], out: &mut Vec<u8>, scratch: &mut Vec<u64>) {
    let Some((&first, rest)) = values.split_first() else { return };
    if !rest.is_empty() && rest.iter().all(|value| *value == first) {
        // Nothing to weigh: differences of no width at all.
        out.push(DELTA);
        put_varint(out, first);
        put_signed(out, 0);
        put_varint(out, 0);
        return;
    }
    let plain_base = values.iter().copied().min().unwrap_or(0);
    let plain = Plan::of(values.iter().map(|value| value - plain_base));
    let steps = || values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) as i64);
    let delta_base = steps().min().unwrap_or(0);
    let delta = Plan::of(steps().map(|step| step.wrapping_sub(delta_base) as u64));
    scratch.clear();
    if delta.bytes + varint_len(first) <= plain.bytes + varint_len(plain_base) && !rest.is_empty() {
        out.push(DELTA | delta.width);
        put_varint(out, first);
        put_signed(out, delta_base);
        scratch.extend(steps().map(|step| step.wrapping_sub(delta_base) as u64));
        pack(scratch, delta.width, out);
    } else {
        out.push(plain.width);
        put_varint(out, plain_base);
        scratch.extend(values.iter().map(|value| value - plain_base));
        pack(scratch, plain.width, out);
    }
}

/// Reads a column of `count` values.
pub fn decode(reader: &mut Reader<'_>, count: usize, out: &mut Vec<u64>) -> Result<(), DecodeError> {
    out.clear();
    if count == 0 {
        return Ok(());
    }
    let head = Head::read(reader, count)?;
    out.reserve(count);
    if head.delta {
        out.push(head.base);
    }
    unpack(reader, head.width, head.packed, out)?;
    let start = usize::from(head.delta);
    exceptions(reader, head.packed, |at, high| {
        if let Some(value) = out.get_mut(start + at) {
            *value |= high.checked_shl(head.width).unwrap_or(0);
        }
    })?;
    if head.delta {
        let mut last = head.base;
        for value in out.iter_mut().skip(1) {
            last = last.wrapping_add(value.wrapping_add(head.step as u64));
            *value = last;
        }
    } else {
        for value in out.iter_mut() {
            *value = value.wrapping_add(head.base);
        }
    }
    Ok(())
}

/// Passes over a column of `count` values.
pub fn skip(reader: &mut Reader<'_>, count: usize) -> Result<(), DecodeError> {
    if count == 0 {
        return Ok(());
    }
    let head = Head::read(reader, count)?;
    reader.take(packed_len(head.packed, head.width))?;
    exceptions(reader, head.packed, |_, _| ())
}

struct Head {
    delta: bool,
    width: u32,
    base: u64,
    step: i64,
    /// How many values are packed: in delta form the first stands apart.
    packed: usize,
}

impl Head {
    fn read(reader: &mut Reader<'_>, count: usize) -> Result<Self, DecodeError> {
        let byte = reader.byte()?;
        let (delta, width) = (byte & DELTA != 0, u32::from(byte & !DELTA));
        if width > 64 {
            return Err(DecodeError::Contradiction("a value wider than 64 bits"));
        }
        let base = reader.varint()?;
        let step = if delta { reader.signed()? } else { 0 };
        Ok(Self { delta, width, base, step, packed: count - usize::from(delta) })
    }
}

/// The cheapest width for a column and its size in bytes.
struct Plan {
    width: u8,
    bytes: usize,
}

impl Plan {
    fn of(values: impl Iterator<Item = u64>) -> Self {
        // Two histograms by turns, because neighbours have like widths and counting in one place waits for itself.
        let mut turns = [[0_u32; 65]; 2];
        let mut count = 0;
        for value in values {
            turns[count & 1][64 - value.leading_zeros() as usize] += 1;
            count += 1;
        }
        let [mut widths, other] = turns;
        widths.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        let widest = widths.iter().rposition(|&count| count > 0).unwrap_or(0);
        let mut best = Self { width: widest as u8, bytes: packed_len(count, widest as u32) };
        // From one width to the next narrower one: what just fitted stands apart now (its place and at least a byte),
        // and of what stood apart already every seventh width takes a byte more.
        let (mut apart, mut beyond) = (0_usize, [0_usize; 7]);
        for width in (0..widest).rev() {
            let leaving = widths.get(width + 1).map_or(0, |&count| count as usize);
            apart += beyond[(width + 1) % 7] + 2 * leaving;
            beyond[(width + 1) % 7] += leaving;
            let bytes = packed_len(count, width as u32) + apart;
            if bytes < best.bytes {
                best = Self { width: width as u8, bytes };
            }
        }
        best
    }
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

const fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

fn pack(values: &[u64], width: u8, out: &mut Vec<u8>) {
    let width = u32::from(width);
    let mask = low_bits(width);
    if width > 0 {
        let (mut word, mut filled) = (0_u64, 0_u32);
        for value in values {
            let low = value & mask;
            word |= low << filled;
            filled += width;
            if filled >= 64 {
                out.extend_from_slice(&word.to_le_bytes());
                filled -= 64;
                word = if filled == 0 { 0 } else { low >> (width - filled) };
            }
        }
        let left = (filled as usize).div_ceil(8);
        out.extend_from_slice(word.to_le_bytes().get(..left).unwrap_or_default());
    }
    let apart = || values.iter().enumerate().filter(|&(_, value)| value & !mask != 0);
    put_varint(out, apart().count() as u64);
    let mut next = 0;
    for (at, value) in apart() {
        put_varint(out, (at - next) as u64);
        put_varint(out, value >> width);
        next = at + 1;
    }
}

fn unpack(reader: &mut Reader<'_>, width: u32, count: usize, out: &mut Vec<u64>) -> Result<(), DecodeError> {
    let bytes = reader.take(packed_len(count, width))?;
    if width == 0 {
        out.resize(out.len() + count, 0);
        return Ok(());
    }
    let mask = low_bits(width);
    let (words, tail) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word)).chain(std::iter::once(u64::from_le_bytes(last)));
    let (mut held, mut have) = (0_u64, 0_u32);
    for _ in 0..count {
        if have >= width {
            out.push(held & mask);
            held = held.checked_shr(width).unwrap_or(0);
            have -= width;
        } else {
            let word = words.next().unwrap_or(0);
            out.push((held | word << have) & mask);
            let used = width - have;
            held = word.checked_shr(used).unwrap_or(0);
            have = 64 - used;
        }
    }
    Ok(())
}

fn exceptions(reader: &mut Reader<'_>, packed: usize, mut each: impl FnMut(usize, u64)) -> Result<(), DecodeError> {
    let mut next = 0_usize;
    for _ in 0..reader.count(packed)? {
        let at = next + reader.count(packed)?;
        if at >= packed {
            return Err(DecodeError::Contradiction("an exception past the end of its column"));
        }
        each(at, reader.varint()?);
        next = at + 1;
    }
    Ok(())
}

const fn low_bits(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(values: &[u64]) -> Vec<u64> {
        let (mut blob, mut out) = (Vec::new(), Vec::new());
        encode(values, &mut blob, &mut Vec::new());
        let mut reader = Reader::new(&blob);
        decode(&mut reader, values.len(), &mut out).unwrap();
        reader.finish().unwrap();
        let mut reader = Reader::new(&blob);
        skip(&mut reader, values.len()).unwrap();
        reader.finish().unwrap();
        out
    }

    #[test]
    fn a_still_counter_costs_four_bytes() {
        let mut blob = Vec::new();
        encode(&[7; 240], &mut blob, &mut Vec::new());
        assert!(blob.len() <= 4, "{blob:?}");
        assert_eq!(back(&[7; 240]), [7; 240]);
    }

    #[test]
    fn the_ends_of_u64_come_back() {
        for values in [&[][..], &[0], &[u64::MAX], &[0, u64::MAX, 0], &[u64::MAX, 0, 1 << 63, (1 << 63) - 1, 1, u64::MAX]] {
            assert_eq!(back(values), values);
        }
    }

    proptest! {
        #[test]
        fn any_column_comes_back(values in proptest::collection::vec(prop_oneof![any::<u64>(), 0..9_u64, Just(u64::MAX)], 0..300)) {
            prop_assert_eq!(back(&values), values);
        }

        #[test]
        fn any_growing_counter_comes_back(first: u64, steps in proptest::collection::vec(0..100_000_u64, 0..300)) {
            let values: Vec<u64> = steps.iter().scan(first, |at, step| { *at = at.wrapping_add(*step); Some(*at) }).collect();
            prop_assert_eq!(back(&values), values);
        }
    }
}
