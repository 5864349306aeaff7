//! The machine's clock is set while the daemon runs: forward over midnight, back again, and back by half a minute. Only the
//! daemon sees it (libfaketime); monotonic time and the devices' own clocks run on, as they do when a real clock is set.

use std::path::{Path, PathBuf};

use super::not_run;
use crate::process::{Daemon, agents, device, program, state, write};
use netroom::model::clock;

const DAY_S: i64 = 86_400;

fn libfaketime() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let found = folders.iter().map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1")).find(|file| file.exists());
    if found.is_none() {
        not_run("a clock that is set", "libfaketime is missing: apt-get install libfaketime");
    }
    found
}

/// The daemon's wall clock: off from ours by so many seconds from now on.
fn set_clock(file: &Path, off_s: i64) {
    let next = file.with_extension("next");
    std::fs::write(&next, format!("{off_s:+}\n")).unwrap();
    std::fs::rename(next, file).unwrap();
}

/// Waits until the port was sampled at a time of the clock that is off by `off_s`, with a rate.
async fn wait_sampled(daemon: &Daemon, off_s: i64) {
    let what = format!("a rate under a clock that is {off_s} s off");
    daemon
        .wait("/api/v1/devices/switch", &what, |answer| {
            answer["ports"].as_array().into_iter().flatten().any(|port| {
                let known = port["in_bps"].as_f64().is_some_and(|rate| rate > 0.0 && rate < 100e9);
                let off = port["sampled"].as_i64().map(|sampled| sampled / 1000 - clock::wall().secs() - off_s);
                // Two intervals behind at most, never in its future.
                known && off.is_some_and(|off| (-25..=1).contains(&off))
            })
        })
        .await;
}

#[tokio::test]
async fn a_clock_that_is_set_costs_no_rate_and_no_file() {
    let Some(library) = libfaketime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let running = agents(vec![netroom::demo::agent::Faults::default()]);
    let config = write(dir.path(), &device("switch", running.addresses()[0], ""));
    let (data, offset) = (dir.path().join("data"), dir.path().join("offset"));
    set_clock(&offset, 0);
    let mut command = program();
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &offset).env("FAKETIME_NO_CACHE", "1");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    let daemon = Daemon::start_by(command, &config, &data);
    wait_sampled(&daemon, 0).await;
    let mut stream = reqwest::get(format!("{}/events?view=overview", daemon.url)).await.unwrap();

    set_clock(&offset, DAY_S + 7_200);
    wait_sampled(&daemon, DAY_S + 7_200).await;
    daemon.wait_metric("netroom_store_seals_total", "the day that has passed to be sealed", |days| days >= 1.0).await;
    set_clock(&offset, 0);
    let back = clock::wall();
    wait_sampled(&daemon, 0).await;
    // Long enough under the right clock that half a minute back is a time with samples.
    daemon
        .wait("/api/v1/devices/switch", "forty seconds of samples", |answer| {
            answer["ports"].as_array().into_iter().flatten().any(|port| port["sampled"].as_i64() > Some(back.millis() + 45_000))
        })
        .await;
    set_clock(&offset, -30);
    daemon.wait_metric("netroom_store_overlapping_polls_total", "the time that was stored already", |polls| polls > 0.0).await;
    wait_sampled(&daemon, -30).await;

    let said = tokio::time::timeout(crate::process::PATIENCE, stream.chunk()).await.expect("the live stream has dried up").unwrap();
    assert!(said.is_some_and(|chunk| !chunk.is_empty()));
    drop(stream);
    assert_eq!(state(&daemon.json("/api/v1/devices").await, "switch")["health"]["state"], "up");
    assert!(daemon.text("/?lang=en").await.contains("All is well"));
    assert_eq!(daemon.metric("netroom_store_lost_rows_total").await, 0.0);
    let log = daemon.stop().await;
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    let verify = program().args(["series", "verify", "--data"]).arg(&data).output().unwrap();
    assert!(verify.status.success(), "{}{}", String::from_utf8_lossy(&verify.stdout), String::from_utf8_lossy(&verify.stderr));

    // A start whose newest samples lie a day ahead.
    let daemon = Daemon::start(&config, &data);
    wait_sampled(&daemon, 0).await;
    daemon.stop().await;
}
