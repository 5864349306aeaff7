//! The whole daemon from outside: what it says when it cannot start, what it says of devices that misbehave, and how it
//! takes signals.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use netroom::demo::agent::Faults;
use serde_json::Value;

use crate::process::{Daemon, PATIENCE, agents, device, loopback, program, state, write};

fn refused(dir: &Path, data: &Path, listen: &str) -> String {
    let config = write(dir, "");
    let Output { status, stderr, .. } =
        program().args(["serve", "--listen", listen, "--config"]).arg(config).arg("--data").arg(data).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    said
}

#[test]
fn a_daemon_that_cannot_start_says_why_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind(loopback()).unwrap();
    let said = refused(dir.path(), &dir.path().join("data"), &taken.local_addr().unwrap().to_string());
    assert!(said.contains("another program listens there") && said.contains("--listen"), "{said}");

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = refused(dir.path(), &file, "127.0.0.1:0");
    assert!(said.contains(file.to_str().unwrap()), "{said}");

    let daemon = Daemon::start(&write(dir.path(), ""), &dir.path().join("data"));
    let said = refused(dir.path(), &dir.path().join("data"), "127.0.0.1:0");
    assert!(said.contains("in use by another netroom") && said.contains(&daemon.child.id().to_string()), "{said}");
}

#[tokio::test]
async fn each_misbehaving_device_is_told_by_its_reason_and_the_rest_is_polled() {
    let dir = tempfile::tempdir().unwrap();
    let running = agents(vec![Faults::default(), Faults::default(), Faults { garbage: 1.0, ..Faults::default() }]);
    let [good, secretive, babbling] = running.addresses() else { panic!("three agents") };
    let closed = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let devices = [
        device("good", *good, ""),
        device("wrong-community", *secretive, "community = \"not-public\""),
        device("babbling", *babbling, ""),
        device("closed", closed, ""),
    ];
    let daemon = Daemon::start(&write(dir.path(), &devices.concat()), &dir.path().join("data"));
    let all = daemon
        .wait("/api/v1/devices", "a verdict on every device", |answer| {
            ["good", "wrong-community", "babbling", "closed"]
                .iter()
                .all(|name| !state(answer, name).is_null() && state(answer, name)["health"]["state"] != "unknown")
        })
        .await;
    for (name, wanted, gap) in [
        ("good", "up", Value::Null),
        ("wrong-community", "down", "timeout".into()),
        ("babbling", "down", "malformed".into()),
        ("closed", "down", "unreachable".into()),
    ] {
        let device = state(&all, name);
        assert_eq!((&device["health"]["state"], &device["health"]["gap"]), (&wanted.into(), &gap), "{device}");
    }
    for language in ["zh-CN", "en"] {
        let page = reqwest::get(format!("{}/?lang={language}", daemon.url)).await.unwrap().text().await.unwrap();
        assert!(page.contains("wrong-community") && page.contains(&format!("lang=\"{language}\"")), "{page}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn a_reload_is_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let running = agents(vec![Faults::default(), Faults::default()]);
    let [first, second] = running.addresses() else { panic!("two agents") };
    let one = device("first", *first, "");
    let config = write(dir.path(), &one);
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    daemon.wait("/api/v1/devices", "the first device", |all| state(all, "first")["health"]["state"] == "up").await;

    // Twice the same name: nothing of it is taken.
    write(dir.path(), &format!("{one}{one}{}", device("second", *second, "")));
    daemon.signal("-HUP");
    let reloads = |text: &str, result: &str| text.contains(&format!("netroom_config_reloads_total{{result=\"{result}\"}} 1"));
    let metrics = || async { reqwest::get(format!("{}/metrics", daemon.url)).await.unwrap().text().await.unwrap() };
    let refused = async {
        while !reloads(&metrics().await, "failed") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the failed reload is not counted");
    assert!(state(&daemon.json("/api/v1/devices").await, "second").is_null());

    write(dir.path(), &format!("{one}{}", device("second", *second, "")));
    daemon.signal("-HUP");
    daemon.wait("/api/v1/devices", "the second device", |all| state(all, "second")["health"]["state"] == "up").await;
    let log = daemon.stop().await;
    assert!(log.contains("was not reloaded"), "{log}");
}

#[tokio::test]
async fn open_streams_do_not_hold_up_the_stop() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&write(dir.path(), ""), &dir.path().join("data"));
    let mut stream = reqwest::get(format!("{}/events?view=overview", daemon.url)).await.unwrap();
    assert!(stream.status().is_success());
    let (log, ()) = tokio::join!(daemon.stop(), async { while let Ok(Some(_)) = stream.chunk().await {} });
    assert!(!log.contains("did not stop in time"), "{log}");
}
