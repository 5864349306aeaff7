//! The store at its daily pace: a commit a second, and commits while a full hour is moved into the day's file.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use netroom::series::open;

use super::generator::{PORTS, Switch, TWELVE};
use super::measure::{Usage, bytes_written, ms};
use super::{START, options, time};

/// An hour whose polls come evenly over each minute, with a commit each second; then the hour is moved.
pub(crate) fn one_commit_a_second(dir: &Path, switches: u32) {
    let (writer, _reader, mut keeper) = open(dir, options()).unwrap();
    let mut fleet: Vec<Switch> = (0..switches).map(Switch::new).collect();
    let (before, written) = (Usage::now(), bytes_written());
    for minute in 0..60 {
        let mut second = 0;
        for (number, switch) in (0..).zip(&mut fleet) {
            let due = number * 60 / switches;
            if due != second {
                writer.flush().unwrap();
                second = due;
            }
            assert!(writer.append(switch.poll(START + minute * 60_000 + i64::from(due) * 1000, 60)));
        }
        writer.flush().unwrap();
    }
    keeper.tick(time(START + 63 * 60_000)).unwrap();
    writer.flush().unwrap();
    let samples = f64::from(switches * PORTS) * 60.0 * TWELVE.len() as f64;
    println!(
        "one commit a second, an hour of {} ports: {:.2} B written per sample (goal <= 20), {:.4} CPU-s per M samples with generator",
        switches * PORTS,
        (bytes_written() - written) as f64 / samples,
        Usage::now().since(before) * 1e6 / samples
    );
    drop(writer);
    keeper.close().unwrap();
}

/// How long a poll takes to be safe on the disk, alone and while an hour of all ports is compacted on another thread.
pub(crate) fn while_hours_are_moved(dir: &Path, switches: u32) {
    let (writer, _reader, mut keeper) = open(dir, options()).unwrap();
    let mut fleet: Vec<Switch> = (0..switches).map(Switch::new).collect();
    for minute in 0..60 {
        fleet.iter_mut().for_each(|switch| assert!(writer.append(switch.poll(START + minute * 60_000, 60))));
        writer.flush().unwrap();
    }
    let mut at = START + 60 * 60_000;
    let mut commit = |turn: usize| {
        at += 1000;
        let poll = fleet[turn % switches as usize].poll(at, 60);
        ms(|| {
            assert!(writer.append(poll.clone()));
            writer.flush().unwrap();
        })
    };
    let mut alone: Vec<f64> = (0..200).map(&mut commit).collect();
    let moved = AtomicBool::new(false);
    let mut meanwhile = Vec::new();
    let mut turn_ms = 0.0;
    std::thread::scope(|scope| {
        let turn = scope.spawn(|| {
            let took = ms(|| keeper.tick(time(START + 63 * 60_000)).unwrap());
            moved.store(true, Ordering::Relaxed);
            took
        });
        while !moved.load(Ordering::Relaxed) {
            meanwhile.push(commit(meanwhile.len()));
        }
        turn_ms = turn.join().unwrap();
    });
    alone.sort_unstable_by(f64::total_cmp);
    meanwhile.sort_unstable_by(f64::total_cmp);
    let at = |took: &[f64], percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    println!(
        "a poll is on the disk after {:.1} ms (p99 {:.1}); while an hour is moved ({turn_ms:.0} ms, {} commits) {:.1} ms, p99 {:.1}   goal: p99 <= 20",
        at(&alone, 50),
        at(&alone, 99),
        meanwhile.len(),
        at(&meanwhile, 50),
        at(&meanwhile, 99)
    );
    drop(writer);
    keeper.close().unwrap();
}
