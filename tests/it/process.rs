//! A daemon as a process of its own, for tests that look at all of it from outside.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netroom::demo::agent::{Agent, Clock, Faults, Running};
use netroom::demo::campus::{self, Campus};
use netroom::model::clock;
use serde_json::Value;

/// Generous: a slow machine is no defect. Waiting ends when the thing has happened.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netroom"));
    command.env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn write(dir: &Path, devices: &str) -> std::path::PathBuf {
    let file = dir.join("netroom.toml");
    // How full the disk of the machine that tests is must not become an incident here.
    let roomy = if devices.contains("[retention]") { "" } else { "\n[retention]\nlow_space = \"0%\"\n" };
    let text = format!(
        "[snmp]\ncommunity = \"public\"\ninterval = \"10s\"\nmin_timeout = \"200ms\"\nmax_timeout = \"400ms\"\ntries = 2\n{devices}{roomy}"
    );
    std::fs::write(&file, text).unwrap();
    file
}

pub(crate) fn device(name: &str, address: SocketAddr, more: &str) -> String {
    format!("[[device]]\nname = \"{name}\"\naddress = \"{}\"\nport = {}\n{more}\n", address.ip(), address.port())
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) url: String,
    log: Arc<std::sync::Mutex<String>>,
}

impl Daemon {
    pub(crate) fn start(config: &Path, data: &Path) -> Self {
        Self::start_by(program(), config, data)
    }

    /// Started by another program that runs it: `command` ends with its path.
    pub(crate) fn start_by(mut command: Command, config: &Path, data: &Path) -> Self {
        let mut child = command
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

    pub(crate) async fn json(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().text().await.unwrap()
    }

    /// The value of a line of `/metrics` that begins so; 0 when it is not there.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let text = self.text("/metrics").await;
        let found = text.lines().find_map(|each| each.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or(0.0)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a metric is `wanted`.
    pub(crate) async fn wait_metric(&self, line: &str, what: &str, wanted: impl Fn(f64) -> bool) {
        let waiting = async {
            while !wanted(self.metric(line).await) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}; the log:\n{}", self.log.lock().unwrap()));
    }

    /// Waits until `happened` says yes to what `path` answers.
    pub(crate) async fn wait(&self, path: &str, what: &str, happened: impl Fn(&Value) -> bool) -> Value {
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
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Asks it to stop; it must end by itself, in order.
    pub(crate) async fn stop(mut self) -> String {
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

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Agents like the campus's first switch on free ports of loopback, with community `public` and the faults given.
pub(crate) fn agents(faults: Vec<Faults>) -> Running {
    let campus = Campus::new(campus::Options::default());
    let clock: Clock = Arc::new(clock::wall);
    let mib = campus.agents(&clock).unwrap().remove(0).mib;
    Running::start(faults.into_iter().map(|faults| Agent { faults, ..Agent::new(loopback(), Arc::clone(&mib)) }).collect()).unwrap()
}

pub(crate) fn state<'a>(devices: &'a Value, name: &str) -> &'a Value {
    devices["devices"].as_array().unwrap().iter().find(|device| device["name"] == name).unwrap_or(&Value::Null)
}
