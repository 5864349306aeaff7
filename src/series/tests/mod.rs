//! The store as its users see it: what goes in comes out, whatever the keeper has done in between.

use super::history::{History, HistoryQuery, Tier};
use super::layout::{DAY_MS, HOUR_MS, time};
use super::sample::{DeviceSample, PortSample};
use super::*;

use crate::model::{DeviceId, Gap, METRICS, PortId, PortMetric};

mod backup;
mod model;

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
fn gauges_are_averaged_in_every_tier_and_keep_their_extremes() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), Options { values: Values::Gauges, ..options() }).unwrap();
    // A minute of 400 in every five, else 100: falling values are no reset.
    for poll in 0..2 * 1440 {
        assert!(writer.append(sample(START + (poll + 1) * 60_000, if poll % 5 == 4 { 400 } else { 100 })));
    }
    writer.flush().unwrap();
    for now in [START, START + DAY_MS, START + 3 * DAY_MS] {
        keeper.tick(time(now)).unwrap();
        for step in [300, 3600, 86_400] {
            let octets = &ask(&reader, START, START + DAY_MS, step).curves[0];
            assert!(
                octets.average.iter().all(|value| value.is_some_and(|value| (value - 160.0).abs() < 1.0)),
                "{step} {:?}",
                octets.average
            );
            assert!(octets.maximum.iter().all(|value| *value == Some(400.0)), "{step}");
            assert!(octets.minimum.iter().all(|value| *value == Some(100.0)), "{step}");
        }
    }
    keeper.close().unwrap();
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

#[test]
fn history_written_in_bulk_reads_the_same_as_if_it_had_been_polled() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (polled, polled_reader, polled_keeper) = open(dir.path(), options()).unwrap();
    let (bulk, bulk_reader, mut keeper) = open(other.path(), options()).unwrap();
    for minute in 0..2 * 1440 {
        let sample = sample(START + minute * 60_000, (minute * minute) as u64);
        assert!(polled.append(sample.clone()));
        bulk.import(sample).unwrap();
    }
    polled.flush().unwrap();
    bulk.flush().unwrap();
    let end = START + 2 * DAY_MS - 60_000;
    let same = |step| assert_eq!(ask(&bulk_reader, START, end, step).curves, ask(&polled_reader, START, end, step).curves);
    same(60);
    keeper.tick(time(end + DAY_MS)).unwrap();
    assert_eq!(bulk_reader.stats().sealed_days, 2);
    same(60);
    assert_eq!(bulk_reader.span(PortId(7)).unwrap(), Some((time(START), time(end))));
    assert_eq!(bulk_reader.span(PortId(9)).unwrap(), None);
    keeper.close().unwrap();
    polled_keeper.close().unwrap();
}

#[test]
fn old_raw_days_go_and_their_averages_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut short = options();
    short.retention.raw = Duration::from_secs(2 * 86_400);
    let (writer, reader, mut keeper) = open(dir.path(), short).unwrap();
    steady(&writer, START, 5 * 1440);
    let end = START + 5 * DAY_MS;
    keeper.tick(time(end + 2 * HOUR_MS)).unwrap();
    let days = |reader: &Reader| reader.shared.days.all().into_iter().map(|(day, _)| day.start_ms() - START).collect::<Vec<_>>();
    assert_eq!(days(&reader), [3 * DAY_MS, 4 * DAY_MS]);
    let minutes = ask(&reader, START, START + DAY_MS, 60);
    assert_eq!((minutes.tier, minutes.gaps.len()), (Tier::Minutes5, 0));
    assert!(minutes.curves[0].average.iter().all(|rate| rate.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)));
    assert_eq!(reader.span(PortId(7)).unwrap(), Some((time(START), time(end - 60_000))));
    // A clock that jumps ten years ahead takes nothing away.
    keeper.tick(time(end + 3650 * DAY_MS)).unwrap();
    assert_eq!(days(&reader), [3 * DAY_MS, 4 * DAY_MS]);
    keeper.close().unwrap();
}

#[test]
fn the_bound_in_bytes_takes_the_oldest_days_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut small = options();
    small.retention.max_bytes = Some(1);
    let (writer, reader, mut keeper) = open(dir.path(), small).unwrap();
    steady(&writer, START, 4 * 1440);
    keeper.tick(time(START + 4 * DAY_MS + 2 * HOUR_MS)).unwrap();
    let days: Vec<_> = reader.shared.days.all().into_iter().map(|(day, _)| day.start_ms() - START).collect();
    assert_eq!(days, [2 * DAY_MS, 3 * DAY_MS], "the last two are spared");
    keeper.close().unwrap();
}

#[test]
fn a_damaged_day_is_told_and_moved_aside_and_its_averages_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), options()).unwrap();
    steady(&writer, START, 2 * 1440);
    let path = dir.path().join("day/2026-11-02.db");
    let now = START + 2 * DAY_MS + 2 * HOUR_MS;
    keeper.tick(time(now)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() - 1000;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let report = verify(dir.path()).unwrap();
    assert_eq!(report.damaged.len(), 1);
    assert!(report.damaged[0].0.ends_with("2026-11-02.db") && report.damaged[0].1.contains("SHA-256"), "{report:?}");
    // One sealed day is looked at an hour, in turn.
    for hour in 1..3 {
        keeper.tick(time(now + hour * HOUR_MS)).unwrap();
    }
    assert!(!path.exists() && dir.path().join("damaged/2026-11-02.db").exists());
    assert_eq!(reader.stats().damaged_files, 1);
    let history = ask(&reader, START, START + DAY_MS, 300);
    assert!(history.curves[0].average.iter().all(Option::is_some));
    keeper.close().unwrap();
    assert_eq!(verify(dir.path()).unwrap().damaged, []);
}

#[test]
fn a_clock_set_back_makes_a_hole_and_never_a_spike() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), options()).unwrap();
    // 100 octets a second all the time; after three hours the clock is set back by two and a half.
    let real = |minute: i64| (minute * 6000) as u64;
    for minute in 0..180 {
        writer.append(sample(START + minute * 60_000, real(minute)));
    }
    writer.flush().unwrap();
    keeper.tick(time(START + 180 * 60_000)).unwrap();
    for minute in 180..400 {
        writer.append(sample(START + (minute - 150) * 60_000, real(minute)));
    }
    writer.flush().unwrap();
    for stage in 0..3 {
        let history = ask(&reader, START, START + 249 * 60_000, 60);
        for (at, rate) in history.curves[0].maximum.iter().enumerate() {
            assert!(rate.is_none_or(|rate| (rate - 100.0).abs() < 1e-6), "stage {stage}: minute {at}: {rate:?}");
        }
        assert!(history.curves[0].average.iter().flatten().count() > 240, "stage {stage}");
        keeper.tick(time(START + (250 + stage * 2000) * 60_000)).unwrap();
    }
    keeper.close().unwrap();
}

#[test]
fn the_busiest_ports_come_first_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = open(dir.path(), options()).unwrap();
    for minute in 0..90 {
        let mut poll = sample(START + minute * 60_000, 0);
        let row = poll.rows.remove(0);
        for port in 0..30 {
            let mut row = row.clone();
            row.port = PortId(port);
            row.values[0] = Some((minute * 60) as u64 * u64::from(port));
            poll.rows.push(row);
        }
        writer.append(poll);
    }
    writer.flush().unwrap();
    let end = START + 89 * 60_000;
    let best = |reader: &Reader, from: i64| {
        let best = reader.top(PortMetric::InOctets, time(from), time(end), 3).unwrap();
        best.into_iter().map(|(port, average, max)| (port.0, average.round() as u32, max.round() as u32)).collect::<Vec<_>>()
    };
    let expected = [(29, 29, 29), (28, 28, 28), (27, 27, 27)];
    assert_eq!(best(&reader, end - HOUR_MS), expected);
    assert_eq!(best(&reader, START), expected, "from the files");
    keeper.tick(time(end)).unwrap();
    keeper.close().unwrap();
    let (_, reader, keeper) = open(dir.path(), options()).unwrap();
    assert_eq!(best(&reader, end - HOUR_MS), expected);
    let lines = reader.sparklines(&[PortId(5), PortId(6)], PortMetric::InOctets, time(START), time(end), 600).unwrap();
    assert_eq!(lines.iter().map(|line| line[1].map(f64::round)).collect::<Vec<_>>(), [Some(5.0), Some(6.0)]);
    assert_eq!(reader.percentile(PortId(29), PortMetric::InOctets, time(START), time(end), 300, 95.0).unwrap().map(f64::round), Some(29.0));
    keeper.close().unwrap();
}

#[test]
fn what_the_queue_cannot_take_is_counted_and_told_as_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, keeper) = open(dir.path(), Options { queue: 1, ..options() }).unwrap();
    writer.append(sample(START, 0));
    writer.flush().unwrap();
    // While a day's file is being written the writer's thread waits for it, and the queue fills.
    let shared = Arc::clone(&reader.shared);
    let lost = shared.open_days.write(&shared, layout::Day::of(START), |_| {
        writer.import(sample(START - DAY_MS, 0)).unwrap();
        writer.import(sample(START - 2 * DAY_MS, 0)).unwrap();
        // Returns once the thread holds the second one, which must wait: the queue is empty then.
        writer.import(sample(START - 3 * DAY_MS, 0)).unwrap();
        Ok((1..=10).filter(|minute| !writer.append(sample(START + minute * 60_000, 0))).count())
    });
    assert!(lost.unwrap() >= 9);
    writer.flush().unwrap();
    let mut next = sample(START + 11 * 60_000, 0);
    next.rows[0].mark = None;
    writer.append(next);
    writer.flush().unwrap();
    assert!(reader.stats().lost_rows >= 9);
    let history = ask(&reader, START, START + 11 * 60_000, 60);
    assert_eq!(history.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [Gap::NotStored]);
    keeper.close().unwrap();
}
