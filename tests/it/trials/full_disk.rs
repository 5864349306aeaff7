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

/// A daemon whose data lies on a file system of its own of 24 MiB, mounted at `small` where nobody else sees it.
#[expect(clippy::disallowed_methods, reason = "the daemon is started in a mount namespace by unshare(1)")]
fn on_small_disk(way: Vec<&'static str>, config: &Path, small: &Path) -> Daemon {
    let mut command = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=24m tmpfs \"$1\" && shift && exec \"$@\"";
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(way).args(["sh", "-c", mount, "sh"]).arg(small);
    command.arg(program().get_program());
    Daemon::start_by(command, config, &small.join("data"))
}

#[tokio::test]
async fn a_disk_that_fills_is_told_and_writing_resumes_by_itself() {
    let Some(way) = unshare() else { return };
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    let running = agents(vec![netroom::demo::agent::Faults::default()]);
    let late = quiet_address();
    let devices = [device("steady", running.addresses()[0], ""), device("late", late, "")].concat();
    let config = write(dir.path(), &format!("{devices}\n[retention]\ndisk_reserve = \"1MiB\"\n"));
    let daemon = on_small_disk(way, &config, &small);
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

/// Accounts and journal: what cannot be kept is not done, is said, and leaves the chain whole.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the command line is started in the daemon's mount namespace by nsenter(1)")]
async fn on_a_full_disk_nothing_about_people_is_half_done() {
    let Some(way) = unshare() else { return };
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    let config = write(dir.path(), "[retention]\ndisk_reserve = \"1MiB\"\n[access]\nanonymous = \"none\"\n");
    let user_namespace = way.len() > 1;
    let daemon = on_small_disk(way, &config, &small);
    let disk = Disk::of(&daemon, &small);
    // The command line as a second program beside the daemon, on the same files.
    let run = |arguments: &[&str], stdin: &str| {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &daemon.child.id().to_string()]).args(user_namespace.then_some("--user"));
        command.arg(program().get_program()).args(arguments).arg("--config").arg(&config).arg("--data").arg(small.join("data"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
    };
    let (code, said) = run(&["user", "add", "li", "--person", "李四", "--role", "duty", "--password-stdin"], "correct horse battery\n");
    assert_eq!(code, Some(0), "{said}");
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let login = async |language: &str| {
        let request = client.post(format!("{}/login", daemon.url)).header("accept-language", language);
        let form = request.header("content-type", "application/x-www-form-urlencoded").body("login=li&password=correct+horse+battery");
        let answer = form.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(login("en").await.0, 303);
    let events = || {
        let (code, said) = run(&["journal", "verify", "--json"], "");
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["events"].as_u64().unwrap()
    };

    // What is in the files already may take a little more.
    disk.fill();
    let mut added = 0;
    let refused = loop {
        let (code, said) = run(&["token", "add", "li", "--name", "wall", "--scope", "read", "--for", "1d"], "");
        disk.fill();
        if code != Some(0) {
            break said;
        }
        added += 1;
        assert!(added < 200, "the disk is never full");
    };
    assert!(refused.contains("no space left for") && refused.contains("free space on its file system"), "{refused}");
    let (status, page) = login("en").await;
    assert_eq!(status, 503, "{page}");
    assert!(page.contains("free space on its file system") && !page.contains("Set-Cookie"), "{page}");
    let (_, page) = login("zh-CN").await;
    assert!(page.contains("磁盘"), "{page}");
    let before = events();

    disk.free();
    assert_eq!(events(), before, "nothing was written by what was refused");
    assert_eq!(login("en").await.0, 303);
    let (code, said) = run(&["token", "add", "li", "--name", "wall", "--scope", "read", "--for", "1d"], "");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(events(), before + 2, "a login and a token");
    let log = daemon.stop().await;
    assert!(!log.contains("panicked"), "{log}");
}

fn agents_at(address: SocketAddr) -> netroom::demo::agent::Running {
    use netroom::demo::agent::{Agent, Clock, Running};
    use netroom::demo::campus::{Campus, Options};
    let clock: Clock = std::sync::Arc::new(netroom::model::clock::wall);
    let mib = Campus::new(Options::default()).agents(&clock).unwrap().remove(1).mib;
    Running::start(vec![Agent::new(address, mib)]).unwrap()
}
