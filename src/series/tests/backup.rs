//! Copies made while the store is written, compacted and sealed are whole, and hold all that was acknowledged before.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;

/// Every minute up to `minutes` is known, steadily at 100 octets a second.
fn assert_whole(reader: &Reader, minutes: i64, case: &str) {
    let history = ask(reader, START, START + minutes * 60_000, 60);
    let rates = &history.curves[0].average;
    assert!(rates.len() as i64 >= minutes && history.gaps.is_empty(), "{case}: {:?}", history.gaps);
    assert!(rates.iter().all(|rate| rate.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)), "{case}");
}

#[test]
fn a_copy_made_while_the_store_works_is_whole() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (writer, _reader, mut keeper) = open(dir.path(), options()).unwrap();
    let (acknowledged, ended) = (AtomicI64::new(-1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Two days and a half: hours are moved and days sealed meanwhile.
            for minute in 0..3600 {
                let at = START + minute * 60_000;
                assert!(writer.append(sample(at, (minute * 6000) as u64)));
                if minute % 7 == 0 {
                    writer.flush().unwrap();
                    acknowledged.store(minute, Ordering::SeqCst);
                }
                if minute % 20 == 0 {
                    keeper.tick(time(at)).unwrap();
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
        let mut turns = 0;
        while !ended.load(Ordering::SeqCst) || turns == 0 {
            let least = acknowledged.load(Ordering::SeqCst);
            let told = backup(dir.path(), copy.path()).unwrap();
            assert!(told.files > 0 && told.bytes > 0);
            assert_eq!(verify(copy.path()).unwrap().damaged, [], "turn {turns}");
            let (copy_writer, reader, copy_keeper) = open(copy.path(), options()).unwrap();
            if least > 0 {
                assert_whole(&reader, least, &format!("turn {turns}, {least} minutes acknowledged"));
            }
            drop(copy_writer);
            copy_keeper.close().unwrap();
            turns += 1;
        }
    });
    keeper.close().unwrap();
}

#[test]
fn a_later_copy_takes_only_what_changed_and_forgets_what_was_dropped() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut short = options();
    short.retention.raw = Duration::from_secs(2 * 86_400);
    let (writer, _, mut keeper) = open(dir.path(), short).unwrap();
    steady(&writer, START, 2 * 1440 + 300);
    keeper.tick(time(START + 2 * DAY_MS + 5 * HOUR_MS)).unwrap();
    let first = backup(dir.path(), copy.path()).unwrap();
    assert_eq!(first.kept, 0);
    let again = backup(dir.path(), copy.path()).unwrap();
    assert_eq!((again.kept, again.files), (2, first.files - 2));
    steady(&writer, START + 2 * DAY_MS + 5 * HOUR_MS, 1440);
    keeper.tick(time(START + 3 * DAY_MS + 6 * HOUR_MS)).unwrap();
    let later = backup(dir.path(), copy.path()).unwrap();
    assert_eq!(later.kept, 1);
    let names = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir.join("day")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| !name.to_str().unwrap().ends_with("-wal") && !name.to_str().unwrap().ends_with("-shm"));
        names.sort();
        names
    };
    assert_eq!(names(copy.path()), names(dir.path()), "the first day was dropped, the third sealed");
    keeper.close().unwrap();
    let (_writer, reader, keeper) = open(copy.path(), options()).unwrap();
    let history = ask(&reader, START + DAY_MS, START + 3 * DAY_MS + 4 * HOUR_MS, 60);
    assert!(history.gaps.is_empty() && history.curves[0].average.iter().all(Option::is_some));
    keeper.close().unwrap();
}

#[test]
fn a_sealed_day_that_is_damaged_is_not_copied() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (writer, _, mut keeper) = open(dir.path(), options()).unwrap();
    steady(&writer, START, 1440 + 120);
    keeper.tick(time(START + DAY_MS + 2 * HOUR_MS)).unwrap();
    let path = dir.path().join("day/2026-11-02.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let refused = backup(dir.path(), copy.path()).unwrap_err().to_string();
    assert!(refused.contains("2026-11-02.db") && refused.contains("SHA-256"), "{refused}");
    assert!(!copy.path().join("day/2026-11-02.db").exists());
    keeper.close().unwrap();
}
