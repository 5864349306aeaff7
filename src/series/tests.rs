//! The store as its users see it: what goes in comes out, whatever the keeper has done in between.

use super::history::{History, HistoryQuery, Tier};
use super::layout::{DAY_MS, HOUR_MS, time};
use super::sample::{DeviceSample, PortSample};
use super::*;
use crate::model::{DeviceId, Gap, METRICS, PortId, PortMetric};

/// 2026-11-02T00:00:00Z, a Monday.
const START: i64 = 1_793_577_600_000;

fn options() -> Options {
    let retention = RetentionSettings { disk_reserve: 0, low_space_percent: 0.0, ..RetentionSettings::default() };
    Options { retention, ..Options::default() }
}

fn sample(time_ms: i64, octets: u64) -> DeviceSample {
    let mut values = [None; METRICS];
    values[PortMetric::InOctets.index()] = Some(octets);
    values[PortMetric::OperStatus.index()] = Some(1);
    let rows = vec![PortSample { port: PortId(7), skew_ms: 0, mark: None, values }];
    DeviceSample { device: DeviceId(3), time: time(time_ms), interval_s: 60, gap: None, rows }
}

fn ask(reader: &Reader, from_ms: i64, to_ms: i64, step_s: u32) -> History {
    let metrics = vec![PortMetric::InOctets, PortMetric::OperStatus];
    reader.history(&HistoryQuery { port: PortId(7), metrics, from: time(from_ms), to: time(to_ms), step_s, origin_s: 0 }).unwrap()
}

/// 100 octets a second from `from_ms` on, a poll a minute.
fn steady(writer: &Writer, from_ms: i64, polls: i64) {
    for poll in 0..polls {
        let at = from_ms + poll * 60_000;
        assert!(writer.append(sample(at, ((at - START) / 10) as u64)));
        if poll % 1000 == 999 {
            writer.flush().unwrap();
        }
    }
    writer.flush().unwrap();
}

#[test]
fn a_steady_counter_reads_the_same_from_tail_open_day_sealed_day_and_tiers() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), options()).unwrap();
    steady(&writer, START, 3 * 1440);
    for (stage, now) in [("tail", START), ("open", START + DAY_MS), ("sealed", START + 3 * DAY_MS + 2 * HOUR_MS)] {
        keeper.tick(time(now)).unwrap();
        for step in [60, 300, 3600, 86_400] {
            let history = ask(&reader, START, START + 3 * DAY_MS - 60_000, step);
            let octets = &history.curves[0];
            assert!(octets.average.iter().all(|value| value.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)), "{stage} {step}");
            assert!(octets.maximum.iter().all(|value| value.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)), "{stage} {step}");
            assert!(history.curves[1].average.iter().flatten().all(|&status| status == 1.0), "{stage} {step}");
            assert_eq!(history.gaps, [], "{stage} {step}");
        }
    }
    let tiers: Vec<Tier> = [60, 300, 3600, 86_400].map(|step| ask(&reader, START, START + DAY_MS, step).tier).to_vec();
    assert_eq!(tiers, [Tier::Raw, Tier::Minutes5, Tier::Hour, Tier::Day]);
    let stats = reader.stats();
    assert_eq!((stats.stored_rows, stats.tail_polls, stats.sealed_days, stats.lost_rows), (3 * 1440, 0, 3, 0));
    keeper.close().unwrap();
    assert_eq!(verify(dir.path()).unwrap().damaged, []);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _, keeper) = open(dir.path(), options()).unwrap();
    steady(&writer, START, 30);
    keeper.close().unwrap();
    let (writer, reader, keeper) = open(dir.path(), options()).unwrap();
    let before = ask(&reader, START, START + 29 * 60_000, 60);
    assert!(before.curves[0].average.iter().all(Option::is_some));
    assert_eq!(before.gaps, []);
    // Ten minutes of standstill, then a first sample.
    let mut first = sample(START + 40 * 60_000, 5);
    first.rows[0].mark = Some(Gap::First);
    writer.append(first);
    writer.append(sample(START + 41 * 60_000, 605));
    writer.flush().unwrap();
    let after = ask(&reader, START, START + 41 * 60_000, 60);
    let holes: Vec<_> = after.gaps.iter().map(|gap| (gap.from.millis() - START, gap.to.millis() - START, gap.reason)).collect();
    assert_eq!(holes, [(29 * 60_000, 40 * 60_000, Gap::DaemonDown)]);
    assert_eq!(after.curves[0].average[29..40], [None; 11]);
    assert_eq!(after.curves[0].average[40], Some(10.0));
    keeper.close().unwrap();
}
