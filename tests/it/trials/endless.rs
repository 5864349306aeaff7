//! A device that answers without end must cost bounded time and memory, and nobody else anything.

use std::sync::Arc;

use netroom::demo::agent::{Agent, Datum, Endless, Manners, Running, Table};

use crate::process::{Daemon, agents, device, loopback, state, write};

/// Each of the two may make the walk keep 32 MiB of names and values, and as much again while a list grows; the rest is the
/// daemon itself.
const MOST_RESIDENT_KB: u64 = 200_000;

/// The largest resident memory that the process ever had, in kB.
fn most_resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn switch() -> Table {
    let rows = [
        ("1.3.6.1.2.1.1.1.0", Datum::octets("endless")),
        ("1.3.6.1.2.1.1.3.0", Datum::TimeTicks(500)),
        ("1.3.6.1.2.1.2.2.1.2.1", Datum::octets("ge-1")),
    ];
    rows.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect()
}

/// Sends as much as it can: datagrams up to the largest that UDP has, rows without end.
fn endless(row_octets: usize) -> Agent {
    let mib = Endless { inner: switch(), column: "1.3.6.1.2.1.2.2.1.2".parse().unwrap(), row_octets };
    let manners = Manners { max_response: 65_000, ..Manners::default() };
    Agent { manners, ..Agent::new(loopback(), Arc::new(mib)) }
}

#[tokio::test]
async fn a_device_that_never_ends_is_cut_off_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let good = agents(vec![netroom::demo::agent::Faults::default()]);
    let running = Running::start(vec![endless(20), endless(20_000)]).unwrap();
    let [many, large] = running.addresses() else { panic!("two agents") };
    let devices = [device("good", good.addresses()[0], ""), device("many-rows", *many, ""), device("large-rows", *large, "")].concat();
    let daemon = Daemon::start(&write(dir.path(), &devices), &dir.path().join("data"));
    let told = |all: &serde_json::Value, name: &str| !state(all, name)["health"]["gap"].is_null();
    let all = daemon.wait("/api/v1/devices", "a verdict on both", |all| told(all, "many-rows") && told(all, "large-rows")).await;
    for name in ["many-rows", "large-rows"] {
        let health = &state(&all, name)["health"];
        let said = health["detail"].as_str().unwrap();
        assert!(
            said.contains("1.3.6.1.2.1.2.2.1.2") && (said.contains("netroom device test") || said.contains("update its software")),
            "{said}"
        );
        assert_ne!(health["state"], "up", "{health}");
    }
    let polls = daemon.metric("netroom_polls_total{result=\"ok\"}").await;
    daemon.wait_metric("netroom_polls_total{result=\"ok\"}", "two more polls of the other", |now| now >= polls + 2.0).await;
    let most = most_resident_kb(daemon.child.id());
    assert!(most < MOST_RESIDENT_KB, "{most} kB resident");
    daemon.stop().await;
}
