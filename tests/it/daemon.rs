//! The whole daemon from outside: what it says when it cannot start, what it says of devices that misbehave, and how it
//! takes signals.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netroom::demo::agent::{Agent, Clock, Faults, Running};
use netroom::demo::campus::{self, Campus};
use netroom::model::clock;
use serde_json::Value;

/// Generous: a slow machine is no defect. Waiting ends when the thing has happened.
const PATIENCE: Duration = Duration::from_secs(90);

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netroom"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn write(dir: &Path, devices: &str) -> std::path::PathBuf {
    let file = dir.join("netroom.toml");
    let text = format!(
        "[snmp]\ncommunity = \"public\"\ninterval = \"10s\"\nmin_timeout = \"200ms\"\nmax_timeout = \"400ms\"\ntries = 2\n{devices}"
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn device(name: &str, address: SocketAddr, more: &str) -> String {
    format!("[[device]]\nname = \"{name}\"\naddress = \"{}\"\nport = {}\n{more}\n", address.ip(), address.port())
}

fn refused(dir: &Path, data: &Path, listen: &str) -> String {
    let config = write(dir, "");
    let Output { status, stderr, .. } =
        program().args(["serve", "--listen", listen, "--config"]).arg(config).arg("--data").arg(data).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    said
}

/// A running daemon; killed when dropped.
struct Daemon {
    child: Child,
    url: String,
    log: Arc<std::sync::Mutex<String>>,
}

impl Daemon {
    fn start(config: &Path, data: &Path) -> Self {
        let mut child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "text", "--config"])
            .arg(config)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(std::sync::Mutex::new(String::new()));
        let url = loop {
            let line = lines.next().expect("the daemon ended before it was ready").unwrap();
            log.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some((_, rest)) = line.split_once("ready: the pages are at ") {
                break rest.split_whitespace().next().unwrap().trim_end_matches('/').to_owned();
            }
        };
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, url, log }
    }

    async fn json(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }

    /// Waits until `happened` says yes to what `path` answers.
    async fn wait(&self, path: &str, what: &str, happened: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let answer = self.json(path).await;
                if happened(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}; the log:\n{}", self.log.lock().unwrap()))
    }

    #[expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Asks it to stop; it must end by itself, in order.
    async fn stop(mut self) -> String {
        self.signal("-TERM");
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let status = tokio::time::timeout(PATIENCE, waiting).await.expect("the daemon does not stop");
        let log = self.log.lock().unwrap().clone();
        assert!(status.success(), "{status}\n{log}");
        log
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already after stop().
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Agents like the campus's first switch on free ports of loopback, with community `public` and the faults given.
fn agents(faults: Vec<Faults>) -> Running {
    let campus = Campus::new(campus::Options::default());
    let clock: Clock = Arc::new(clock::wall);
    let mib = campus.agents(&clock).unwrap().remove(0).mib;
    Running::start(faults.into_iter().map(|faults| Agent { faults, ..Agent::new(loopback(), Arc::clone(&mib)) }).collect()).unwrap()
}

fn state<'a>(devices: &'a Value, name: &str) -> &'a Value {
    devices["devices"].as_array().unwrap().iter().find(|device| device["name"] == name).unwrap_or(&Value::Null)
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
