//! Processor time, bytes and spans, from /proc.

use std::fs;
use std::path::Path;

use netroom::model::clock;

/// Processor time used so far by all threads of a process, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Usage(f64);

impl Usage {
    pub(crate) fn now() -> Self {
        Self::of("self")
    }

    pub(crate) fn of(process: &str) -> Self {
        let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().map(Result::unwrap);
        let nanoseconds = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        });
        Self(nanoseconds.sum::<f64>() / 1e9)
    }

    /// Nothing used yet.
    pub(crate) const fn none() -> Self {
        Self(0.0)
    }

    /// Of children that have ended and been waited for, in steps of 10 ms.
    pub(crate) fn of_children() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        // Behind the name in brackets: the state is field 3, cutime and cstime are 16 and 17.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[13..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
        Self(ticks / 100.0)
    }

    pub(crate) fn since(self, before: Self) -> f64 {
        self.0 - before.0
    }
}

/// Bytes this process has caused to be written to block devices.
pub(crate) fn bytes_written() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

/// The largest resident size so far in megabytes.
pub(crate) fn peak_rss_mb() -> u64 {
    field("/proc/self/status", "VmHWM:") / 1024
}

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The bytes of all files below a directory.
pub(crate) fn bytes_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { bytes_of(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

/// How long something takes, in milliseconds.
pub(crate) fn ms(mut work: impl FnMut()) -> f64 {
    let began = clock::monotonic();
    work();
    clock::monotonic().saturating_duration_since(began).as_secs_f64() * 1e3
}

/// The median of some turns, in milliseconds.
pub(crate) fn median_ms<T>(turns: u32, mut work: impl FnMut(u32) -> T) -> f64 {
    let mut took: Vec<f64> = (0..turns).map(|turn| ms(|| drop(std::hint::black_box(work(turn))))).collect();
    took.sort_unstable_by(f64::total_cmp);
    took[took.len() / 2]
}
