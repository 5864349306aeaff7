//! The series store through the worst: killed at any moment, and a full disk.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use netroom::model::{DeviceId, Gap, METRICS, PortId, PortMetric, Timestamp};
use netroom::series::history::HistoryQuery;
use netroom::series::sample::{DeviceSample, PortSample};
use netroom::series::{Options, Reader, StoreState, open, verify};

/// 2026-11-02T20:00:00Z: four hours later a day ends and is sealed.
const START: i64 = 1_793_577_600_000 + 20 * 3_600_000;
const MINUTE: i64 = 60_000;
const DEVICES: u32 = 4;
const CHILD: &str = "NETROOM_SERIES_CHILD";

fn options() -> Options {
    let mut options = Options::default();
    options.retention.low_space_percent = 0.0;
    options.retention.disk_reserve = 0;
    options
}

fn sample(device: u32, minute: i64) -> DeviceSample {
    let rows = (0..3).map(|port| {
        let mut values = [None; METRICS];
        values[PortMetric::InOctets.index()] = Some((minute * 6000) as u64);
        PortSample { port: PortId(device * 3 + port), skew_ms: 0, mark: None, values }
    });
    let time = Timestamp::from_millis(START + minute * MINUTE);
    DeviceSample { device: DeviceId(device), time, interval_s: 60, gap: None, rows: rows.collect() }
}

/// The minutes of a port that are known, from the first on.
fn history(reader: &Reader, port: u32, minutes: i64) -> netroom::series::history::History {
    let (from, to) = (Timestamp::from_millis(START), Timestamp::from_millis(START + minutes * MINUTE));
    let query = HistoryQuery { port: PortId(port), metrics: vec![PortMetric::InOctets], from, to, step_s: 60, origin_s: 0 };
    reader.history(&query).unwrap()
}

/// The child: takes polls as fast as it can, each acknowledged minute is a line; hours and a day go by.
#[test]
fn child_that_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let (writer, _, mut keeper) = open(Path::new(&dir), options()).unwrap();
    let mut out = std::io::stdout();
    for minute in 0..3000 {
        for device in 0..DEVICES {
            assert!(writer.append(sample(device, minute)));
        }
        writer.flush().unwrap();
        writeln!(out, "\nacknowledged {minute}").unwrap();
        if minute % 20 == 0 {
            keeper.tick(Timestamp::from_millis(START + minute * MINUTE)).unwrap();
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process is needed that can be killed")]
fn every_acknowledged_poll_survives_being_killed() {
    // Just before and in the middle of compaction, across midnight, and while the day is sealed (minutes 320 and on).
    for kill_after in [3, 61, 80, 125, 241, 320, 333, 345] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["series::child_that_is_killed", "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut told = lines.filter_map(|line| line.strip_prefix("acknowledged ").map(|minute| minute.parse::<i64>().unwrap()));
        assert!(told.any(|minute| minute >= kill_after), "the child ended early");
        child.kill().unwrap();
        // What it said before it died counts as well.
        let last = told.last().unwrap_or(kill_after);
        child.wait().unwrap();

        assert_eq!(verify(dir.path()).unwrap().damaged, [], "killed after {kill_after}");
        let (_, reader, mut keeper) = open(dir.path(), options()).unwrap();
        for stage in ["as found", "after maintenance"] {
            for port in 0..DEVICES * 3 {
                let history = history(&reader, port, last);
                let rates = &history.curves[0].average;
                let whole = rates.len() as i64 == last && rates.iter().all(|rate| rate.is_some_and(|rate| (rate - 100.0).abs() < 1e-9));
                assert!(whole && history.gaps.is_empty(), "killed after {kill_after}, last {last}, port {port}, {stage}");
            }
            keeper.tick(Timestamp::from_millis(START + 3000 * MINUTE)).unwrap();
        }
        keeper.close().unwrap();
        assert_eq!(verify(dir.path()).unwrap().damaged, [], "killed after {kill_after}, sealed");
    }
}

/// A small file system of its own, unmounted at the end.
struct Small(PathBuf);

impl Small {
    #[expect(clippy::disallowed_methods, reason = "mounting needs mount(8)")]
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.is_ok_and(|output| output.status.success())
        };
        let (image, place) = (at.join("image"), at.join("small"));
        fs::create_dir(&place).unwrap();
        fs::File::create(&image).unwrap().set_len(u64::from(megabytes) << 20).unwrap();
        let (image, target) = (image.to_str().unwrap(), place.to_str().unwrap());
        let ext4 = run("mkfs.ext4", &["-q", "-F", image]) && run("mount", &["-o", "loop", image, target]);
        let size = format!("size={megabytes}m");
        (ext4 || run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", target])).then_some(Self(place))
    }

    /// Fills what is free.
    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.0.join("ballast")).unwrap();
        for size in [1 << 20, 1 << 16, 1 << 12, 1] {
            let bytes = vec![1; size];
            while file.write_all(&bytes).and_then(|()| file.sync_data()).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    #[expect(clippy::disallowed_methods, reason = "unmounting needs umount(8)")]
    fn drop(&mut self) {
        let _done = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Power that fails leaves of what was not synced any part, or rubbish. What was acknowledged had been synced.
#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let (dir, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (writer, _, keeper) = open(dir.path(), options()).unwrap();
    let log = dir.path().join("tail.db-wal");
    let mut synced = vec![0];
    for minute in 0..50 {
        for device in 0..DEVICES {
            assert!(writer.append(sample(device, minute)));
        }
        writer.flush().unwrap();
        synced.push(fs::metadata(&log).unwrap().len());
    }
    // The files as they are now, while the store still runs; its log is cut, or spoilt, anywhere behind a commit.
    let (main, whole) = (fs::read(dir.path().join("tail.db")).unwrap(), fs::read(&log).unwrap());
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for turn in 0..60 {
        let place = cut.path().join(turn.to_string());
        fs::create_dir(&place).unwrap();
        fs::write(place.join("tail.db"), &main).unwrap();
        let at = random(whole.len() as u64 + 1);
        let mut rest = whole.clone();
        if turn % 2 == 0 {
            rest.truncate(at as usize);
        } else {
            rest[at as usize..].iter_mut().for_each(|octet| *octet = random(256) as u8);
        }
        fs::write(place.join("tail.db-wal"), rest).unwrap();
        let acknowledged = synced.iter().filter(|&&size| size > 0 && size <= at).count() as i64;
        let (_, reader, mut keeper) = open(&place, options()).unwrap();
        for stage in ["as found", "after maintenance"] {
            for port in 0..DEVICES * 3 {
                let history = history(&reader, port, 49);
                let rates = &history.curves[0].average;
                assert!(rates.iter().flatten().all(|rate| (rate - 100.0).abs() < 1e-9), "turn {turn}, {stage}: a wrong rate");
                let known = rates.iter().flatten().count() as i64;
                assert!(known >= acknowledged - 1, "turn {turn}, {stage}: {known} of {acknowledged} minutes, cut at {at}");
            }
            keeper.tick(Timestamp::from_millis(START + 3000 * MINUTE)).unwrap();
        }
        keeper.close().unwrap();
        assert_eq!(verify(&place).unwrap().damaged, [], "turn {turn}");
    }
    keeper.close().unwrap();
}

#[test]
fn a_past_month_can_be_read_when_the_disk_is_full() {
    let outside = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(outside.path(), 24) else {
        eprintln!("SKIPPED: a_past_month_can_be_read_when_the_disk_is_full needs root to mount a small file system");
        return;
    };
    let dir = disk.0.join("series");
    let mut options = options();
    options.retention.raw = std::time::Duration::from_secs(86_400);
    let (writer, _, mut keeper) = open(&dir, options.clone()).unwrap();
    (0..600).for_each(|minute| assert!(writer.append(sample(0, minute))));
    writer.flush().unwrap();
    // Sealed, and its raw samples dropped: what is left of it are the tiers.
    for hours in [6, 28, 52, 76, 100] {
        keeper.tick(Timestamp::from_millis(START + hours * 60 * MINUTE)).unwrap();
    }
    keeper.close().unwrap();
    let (_, reader, keeper) = open(&dir, options).unwrap();
    disk.fill();
    for turn in 0..2 {
        let (from, to) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 590 * MINUTE));
        let query = HistoryQuery { port: PortId(0), metrics: vec![PortMetric::InOctets], from, to, step_s: 300, origin_s: 0 };
        let told = reader.history(&query).unwrap();
        assert!(told.curves[0].average.iter().all(Option::is_some), "turn {turn}");
    }
    disk.free();
    keeper.close().unwrap();
}

#[test]
fn a_full_disk_loses_only_what_it_says_and_heals_by_itself() {
    let outside = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(outside.path(), 24) else {
        eprintln!("SKIPPED: a_full_disk_loses_only_what_it_says_and_heals_by_itself needs root to mount a small file system");
        return;
    };
    let mut options = options();
    options.retention.disk_reserve = 4 << 20;
    options.hold_bytes = 4000;
    let dir = disk.0.join("series");
    let (writer, reader, mut keeper) = open(&dir, options).unwrap();
    keeper.tick(Timestamp::from_millis(START)).unwrap();
    assert_eq!(fs::metadata(dir.join("reserve")).unwrap().len(), 4 << 20);
    let take = |minutes: std::ops::Range<i64>| minutes.for_each(|minute| assert!(writer.append(sample(0, minute))));
    take(0..10);
    writer.flush().unwrap();

    // Full: the reserve is given up, and everything is stored.
    disk.fill();
    let mut minute = 10;
    while dir.join("reserve").exists() {
        take(minute..minute + 10);
        writer.flush().unwrap();
        minute += 10;
        assert!(minute < 20_000, "the disk never filled");
    }
    // Full again: polls are held, then lost and counted; the question is answered all the time.
    disk.fill();
    let mut held = Ok(());
    while held.is_ok() {
        take(minute..minute + 10);
        held = writer.flush();
        minute += 10;
        assert!(minute < 40_000, "the disk never filled");
    }
    assert_eq!(reader.stats().state, StoreState::Full, "{:?}", reader.stats().reason);
    let stored = minute - 10;
    while reader.stats().lost_rows == 0 {
        take(minute..minute + 10);
        assert!(writer.flush().is_err());
        minute += 10;
    }
    let lost_from = minute - 10;
    take(minute..minute + 5);
    assert!(writer.flush().is_err());
    minute += 5;
    let now = history(&reader, 0, stored);
    assert!(now.curves[0].average.iter().all(Option::is_some) && now.gaps.is_empty());
    let _still_full = keeper.tick(Timestamp::from_millis(START + minute * MINUTE));

    // Space again: what was held is written, the lost stretch is told, writing goes on.
    disk.free();
    writer.flush().unwrap();
    take(minute..minute + 10);
    writer.flush().unwrap();
    minute += 10;
    keeper.tick(Timestamp::from_millis(START + minute * MINUTE)).unwrap();
    assert_eq!(reader.stats().state, StoreState::Ok);
    assert!(dir.join("reserve").exists(), "the reserve is made again");
    let all = history(&reader, 0, minute - 1);
    assert_eq!(all.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [Gap::NotStored]);
    let gap = &all.gaps[0];
    assert!(gap.from.millis() >= START + (lost_from - 1) * MINUTE && gap.to.millis() <= START + (minute - 10) * MINUTE);
    assert!(all.curves[0].average[..lost_from as usize - 1].iter().all(Option::is_some));
    keeper.close().unwrap();
    assert_eq!(verify(&dir).unwrap().damaged, []);
}
