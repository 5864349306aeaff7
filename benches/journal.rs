//! What the journal costs: 1,000,000 events appended in groups and verified with an anchor. Bar: verified in at most 10 s
//! of CPU. CPU time is that of this thread (the kernel's scheduler statistics).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::time::Duration;

use netroom::journal::{self, Actor, Anchor, Entry, Via};
use netroom::model::Timestamp;
use netroom::store::Store;
use serde_json::json;

/// Events of one transaction.
const GROUP: i64 = 1_000;

fn main() {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let events = if measured { 1_000_000 } else { 2_000 };
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(&dir.path().join("netroom.db")).expect("a database");
    let start = Timestamp::from_secs(1_700_000_000);
    for group in 0..events / GROUP {
        let write = store.write_blocking(move |change| {
            for index in group * GROUP..(group + 1) * GROUP {
                journal::append(change, &entry(start, index))?;
            }
            Ok(())
        });
        write.expect("a group of events");
    }
    let file = store.reader().expect("a reader");
    let anchor = Anchor(journal::head(&file).expect("the head"));
    let before = cpu_ns();
    let report = journal::verify(&file, &[anchor]).expect("a walk to the end");
    let spent_s = (cpu_ns() - before) as f64 / 1e9;
    assert_eq!((report.events, report.first_bad, report.anchors), (events, None, 1));
    let path = store.path().to_path_buf();
    drop(file);
    // Closing brings everything into the one file.
    drop(store);
    let bytes = std::fs::metadata(path).expect("the file").len();
    println!(
        "{events} events verified in {spent_s:.2} s CPU, {:.2} us an event; {:.0} octets an event on disk",
        spent_s * 1e6 / events as f64,
        bytes as f64 / events as f64
    );
    if measured {
        assert!(spent_s <= 10.0, "{spent_s:.2} s of CPU, more than 10");
    }
}

/// An event as they are in daily life: an incident that somebody acknowledges, a login.
fn entry(start: Timestamp, index: i64) -> Entry {
    let at = start + Duration::from_secs(30) * u32::try_from(index).unwrap_or(0);
    match index % 3 {
        0 => {
            let payload = json!({ "rule": "port.errors", "severity": "major", "value": "0.42", "comment": "光模块更换后观察" });
            Entry::new(at, Actor::person("李四", Via::Web), "incident.acknowledged", format!("incident:{index}"), payload)
        }
        1 => Entry::new(at, Actor::person("张三", Via::Web), "login.ok", "account:zhang", json!({ "source": "10.20.30.40" })),
        _ => Entry::new(at, Actor::daemon(), "incident.opened", format!("incident:{index}"), json!({ "subject": "port:sw-a3/Gi1/0/17" })),
    }
}

/// CPU time of this thread so far, nanoseconds.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("scheduler statistics");
    text.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}
