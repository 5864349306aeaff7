//! What is written reads back, for any numbers; what is damaged or hostile is an error and never a panic.

use proptest::prelude::*;

use super::block::{ALL, decode_port, decode_ports, decode_times, encode_port, encode_ports, encode_times};
use super::cells::{Cells, Column};
use super::poll::Chain;
use super::wire::seal;
use crate::model::{DeviceId, Gap, METRICS, PortId, Timestamp};
use crate::series::sample::{DeviceSample, PortSample};
use crate::series::stretch::{Poll, Rows, Stretch};

fn gap() -> impl Strategy<Value = Option<Gap>> {
    prop_oneof![8 => Just(None), 1 => proptest::sample::select(&Gap::ALL[..]).prop_map(Some)]
}

fn value() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![1 => Just(None), 1 => any::<u64>().prop_map(Some), 4 => (0..1000_u64).prop_map(Some), 1 => Just(Some(u64::MAX))]
}

fn row() -> impl Strategy<Value = PortSample> {
    (0..40_u32, any::<i32>(), gap(), proptest::array::uniform14(value())).prop_map(|(port, skew_ms, mark, values)| PortSample {
        port: PortId(port),
        skew_ms,
        mark,
        values,
    })
}

/// Polls in the order of time, each port at most once in each.
fn polls() -> impl Strategy<Value = Vec<DeviceSample>> {
    let poll = (1..100_000_i64, 10..900_u32, gap(), proptest::collection::vec(row(), 0..6));
    proptest::collection::vec(poll, 1..30).prop_map(|polls| {
        let mut at = 0;
        let sample = |(step, interval_s, gap, mut rows): (i64, u32, Option<Gap>, Vec<PortSample>)| {
            at += step;
            rows.sort_by_key(|row| row.port);
            rows.dedup_by_key(|row| row.port);
            DeviceSample { device: DeviceId(9), time: Timestamp::from_millis(at), interval_s, gap, rows }
        };
        polls.into_iter().map(sample).collect()
    })
}

fn stretch_of(polls: &[DeviceSample]) -> Stretch {
    let mut stretch = Stretch::new(DeviceId(9));
    polls.iter().for_each(|poll| stretch.push(poll));
    stretch
}

/// Rows as a reader sees them: a column is there or not, absent is absent.
fn seen(rows: &Rows) -> Vec<(u32, u8, i32, [Option<u64>; METRICS])> {
    let values = |row| std::array::from_fn(|metric| rows.value(metric, row));
    (0..rows.len()).map(|row| (rows.at[row], rows.mark[row], rows.skew_ms[row], values(row))).collect()
}

fn cells() -> impl Strategy<Value = Cells> {
    let column = |count: usize| {
        let values = move || proptest::collection::vec(any::<u64>(), count);
        (values(), values(), any::<bool>(), any::<bool>()).prop_map(|(sum, max, minima, own)| {
            let some = |wanted: bool, column: &Vec<u64>| if wanted { column.clone() } else { Vec::new() };
            Some(Column { min: some(minima, &sum), known_ms: some(own, &max), sum, max })
        })
    };
    (1..40_usize, 1..1000_u32).prop_flat_map(move |(count, scale_s)| {
        (proptest::collection::vec(0..14_u8, count), proptest::collection::vec(0..86_400_000_u64, count), column(count)).prop_map(
            move |(gap, known_ms, column)| {
                let mut cells = Cells { scale_s, gap, known_ms, ..Cells::default() };
                cells.metrics[3] = column;
                cells
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_come_back(polls in polls()) {
        let stretch = stretch_of(&polls);
        let mut scratch = Vec::new();
        prop_assert_eq!(&decode_times(&encode_times(&stretch.polls, &mut scratch)).unwrap(), &stretch.polls);
        for rows in stretch.ports.values() {
            let blob = encode_port(DeviceId(9), stretch.polls.len(), rows, &mut scratch);
            let block = decode_port(&blob, ALL).unwrap();
            prop_assert_eq!((block.device, block.polls), (DeviceId(9), stretch.polls.len()));
            prop_assert_eq!(seen(&block.rows), seen(rows));
            // Passing over columns leaves the others as they are.
            let one = decode_port(&blob, 1 << 5).unwrap();
            for row in 0..rows.len() {
                prop_assert_eq!(one.rows.value(5, row), rows.value(5, row));
                prop_assert_eq!(one.rows.value(4, row), None);
            }
        }
        let ports: Vec<PortId> = stretch.ports.keys().copied().collect();
        prop_assert_eq!(decode_ports(&encode_ports(ports.iter().copied())).unwrap(), ports);
    }

    #[test]
    fn the_tail_comes_back(polls in polls(), keys in proptest::collection::vec(any::<bool>(), 30)) {
        let (mut into, mut from) = (Chain::default(), Chain::default());
        for (at, poll) in polls.iter().enumerate() {
            let blob = into.encode(poll, at == 0 || keys[at]);
            prop_assert_eq!(&from.decode(DeviceId(9), poll.time, &blob).unwrap(), poll);
        }
    }

    #[test]
    fn cells_come_back(cells in cells()) {
        let blob = cells.encode(&mut Vec::new());
        prop_assert_eq!(&Cells::decode(&blob, ALL).unwrap(), &cells);
        prop_assert!(Cells::decode(&blob, 0).unwrap().metrics.iter().all(Option::is_none));
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&octets);
        // Behind a right checksum and codec id the content itself is reached.
        let mut framed = vec![1];
        framed.extend(octets);
        read_everything(&seal(framed));
    }

    #[test]
    fn a_changed_octet_is_told(polls in polls(), at: prop::sample::Index, with in 1..=255_u8) {
        let stretch = stretch_of(&polls);
        let mut blob = encode_times(&stretch.polls, &mut Vec::new());
        let at = at.index(blob.len());
        blob[at] ^= with;
        prop_assert!(decode_times(&blob).is_err());
        // With the checksum put right again the content may be nonsense, but nothing more.
        blob.truncate(blob.len() - 4);
        read_everything(&seal(blob));
    }
}

fn read_everything(octets: &[u8]) {
    for wanted in [ALL, 0, 5] {
        if let Ok(block) = decode_port(octets, wanted) {
            assert!(block.rows.len() <= block.polls);
        }
        let _refused_or_not = Cells::decode(octets, wanted);
    }
    if let Ok(polls) = decode_times(octets) {
        assert!(polls.windows(2).all(|pair: &[Poll]| pair[0].time_ms < pair[1].time_ms));
    }
    let _refused_or_not = decode_ports(octets);
    let mut chain = Chain::default();
    for _ in 0..2 {
        let _refused_or_not = chain.decode(DeviceId(1), Timestamp::from_millis(0), octets);
    }
}
