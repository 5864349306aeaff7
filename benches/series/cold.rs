//! Answers by a process that has just started, from files whose pages have left the memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use netroom::series::open;
use rustix::fs::{Advice, fadvise};

use super::generator::TWELVE;
use super::measure::ms;
use super::{DAY, START, options, query};

const CHILD: &str = "NETROOM_BENCH_COLD";
const TURNS: u32 = 11;

pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Asks in fresh processes for the sealed day of one port each.
#[expect(clippy::disallowed_methods, reason = "only a fresh process has nothing in its own caches")]
pub(crate) fn measure(dir: &Path, ports: u32) {
    let mut took: Vec<f64> = (0..TURNS)
        .map(|turn| {
            let asked = format!("{}:{}", turn * 977 % ports, dir.display());
            let output = Command::new(std::env::current_exe().unwrap()).env(CHILD, asked).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        })
        .collect();
    took.sort_unstable_by(f64::total_cmp);
    println!(
        "  query one port, a sealed day, 12 metrics, cold             {:.2} ms (largest {:.2})   goal <= 1",
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

pub(crate) fn child() {
    let asked = std::env::var(CHILD).unwrap();
    let (port, dir) = asked.split_once(':').unwrap();
    let (_writer, reader, keeper) = open(Path::new(dir), options()).unwrap();
    forget(Path::new(dir));
    let question = query(port.parse().unwrap(), &TWELVE, START, START + DAY, 60);
    let took = ms(|| {
        let known = reader.history(&question).unwrap().curves[0].average.iter().flatten().count();
        assert!(known > 1000, "{known} minutes");
    });
    println!("{took}");
    keeper.close().unwrap();
}

/// Lets the pages of all files go.
fn forget(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            forget(&entry.path());
        } else {
            let file = File::open(entry.path()).unwrap();
            file.sync_all().unwrap();
            fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        }
    }
}
