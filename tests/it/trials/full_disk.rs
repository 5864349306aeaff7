//! A disk that fills while the daemon runs: a small file system of its own, in a mount namespace of its own.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::not_run;
use crate::process::{Daemon, PATIENCE, agents, device, program, state, write};

/// What lets this user mount: `None`, said loudly, when nothing does.
#[expect(clippy::disallowed_methods, reason = "mount namespaces are made by unshare(1)")]
fn unshare() -> Option<Vec<&'static str>> {
    let ways = [vec!["--mount"], vec!["--map-root-user", "--mount"]];
    let works = |way: &Vec<&str>| {
        let mut command = Command::new("unshare");
        command
            .args(way)
            .args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let found = ways.into_iter().find(works);
    if found.is_none() {
        not_run("a full disk", "no mount namespace can be made (unshare --mount)");
    }
    found
}

/// The daemon's own view of the small file system.
struct Disk(PathBuf);

impl Disk {
    fn of(daemon: &Daemon, small: &Path) -> Self {
        Self(PathBuf::from(format!("/proc/{}/root", daemon.child.id())).join(small.strip_prefix("/").unwrap()))
    }

    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.0.join("ballast")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let octets = vec![1; size];
            while file.write_all(&octets).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

/// A free UDP port of an address that no other test uses.
fn quiet_address() -> SocketAddr {
    std::net::UdpSocket::bind("127.0.77.2:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the daemon is started in a mount namespace by unshare(1)")]
async fn a_disk_that_fills_is_told_and_writing_resumes_by_itself() {
    let Some(way) = unshare() else { return };
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    let running = agents(vec![netroom::demo::agent::Faults::default()]);
    let late = quiet_address();
    let devices = [device("steady", running.addresses()[0], ""), device("late", late, "")].concat();
    let config = write(dir.path(), &format!("{devices}\n[retention]\ndisk_reserve = \"1MiB\"\n"));
    let mut command = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=24m tmpfs \"$1\" && shift && exec \"$@\"";
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(way).args(["sh", "-c", mount, "sh"]).arg(&small);
    command.arg(program().get_program());
    let daemon = Daemon::start_by(command, &config, &small.join("data"));
    daemon.wait("/api/v1/devices", "the steady device", |all| state(all, "steady")["health"]["state"] == "up").await;
    daemon.wait_metric("netroom_store_rows_total", "the first samples on the disk", |rows| rows > 0.0).await;

    let disk = Disk::of(&daemon, &small);
    // Filled again and again: the store first gives up its reserve and drops what it may.
    let full = "netroom_store_state{state=\"full\"}";
    let filling = async {
        while daemon.metric(full).await != 1.0 {
            disk.fill();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, filling).await.expect("the full disk is not told");
    let polls = daemon.metric("netroom_polls_total{result=\"ok\"}").await;
    // A device that is new now has ports that the catalogue cannot take: their samples are lost, and counted.
    let second = agents_at(late);
    daemon.wait_metric("netroom_store_uncatalogued_rows_total", "the loss to be counted", |rows| rows > 0.0).await;
    daemon.wait_metric("netroom_polls_total{result=\"ok\"}", "polling to go on", |now| now > polls + 1.0).await;
    assert!(daemon.metric("netroom_store_held_polls").await > 0.0);
    for (language, full, lost) in [("zh-CN", "磁盘已满", "未能保存而丢失"), ("en", "The disk is full", "lost since the start")] {
        let page = daemon.text(&format!("/?lang={language}")).await;
        assert!(page.contains(full) && page.contains(lost), "{page}");
    }
    assert_eq!(daemon.json("/api/v1/overview").await["store"]["state"], "full");

    let stored = daemon.metric("netroom_store_rows_total").await;
    disk.free();
    daemon.wait_metric(full, "the disk to be used again", |full| full == 0.0).await;
    daemon.wait_metric("netroom_store_rows_total", "what was held to be written", |rows| rows > stored).await;
    assert_eq!(daemon.metric("netroom_store_held_polls").await, 0.0);
    assert_eq!(daemon.metric("netroom_store_lost_rows_total").await, 0.0, "memory had room for what waited");
    let uncatalogued = daemon.metric("netroom_store_uncatalogued_rows_total").await;
    daemon.wait_metric("netroom_polls_total{result=\"ok\"}", "two more polls", |now| now > polls + 6.0).await;
    assert_eq!(daemon.metric("netroom_store_uncatalogued_rows_total").await, uncatalogued, "the catalogue takes the new ports");
    let page = daemon.text("/?lang=en").await;
    assert!(!page.contains("The disk is full"), "{page}");
    drop(second);
    let log = daemon.stop().await;
    assert!(log.contains("samples reach the disk again") && !log.contains("panicked"), "{log}");
}

fn agents_at(address: SocketAddr) -> netroom::demo::agent::Running {
    use netroom::demo::agent::{Agent, Clock, Running};
    use netroom::demo::campus::{Campus, Options};
    let clock: Clock = std::sync::Arc::new(netroom::model::clock::wall);
    let mib = Campus::new(Options::default()).agents(&clock).unwrap().remove(1).mib;
    Running::start(vec![Agent::new(address, mib)]).unwrap()
}
