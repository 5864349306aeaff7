//! Prometheus' own programs, as Debian packages them: `promtool` judges texts and rules, `prometheus` scrapes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program to run; `None`, said loudly, where it is not installed.
#[expect(clippy::disallowed_methods, reason = "the reference program runs as a program")]
pub(crate) fn program(name: &str) -> Option<Command> {
    if Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return Some(Command::new(name));
    }
    assert!(
        std::env::var_os("NETROOM_REQUIRE_ALL").is_none_or(|value| value != "1"),
        "{name} is not installed: apt-get install prometheus"
    );
    eprintln!("SKIPPED: {name} is not installed; install the Debian package prometheus");
    None
}

/// Runs promtool with an input; gives what it printed, or panics with that when it is not content.
pub(crate) fn promtool(arguments: &[&str], input: &[u8]) -> Option<String> {
    let mut command = program("promtool")?;
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    Some(said)
}

/// The folder of dashboards and rules.
pub(crate) fn dashboards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

/// A running Prometheus on loopback with its own temporary directory; stopped when dropped.
pub(crate) struct Prometheus {
    child: Child,
    address: String,
    client: reqwest::Client,
    directory: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one with this configuration and waits until it is ready; `None` where it is not installed.
    pub(crate) async fn start(configuration: &str) -> Option<Self> {
        program("prometheus")?;
        // A free port can be taken by another between our asking and Prometheus' binding: then another one is tried.
        for _ in 0..5 {
            if let Some(running) = Self::attempt(configuration).await {
                return Some(running);
            }
        }
        panic!("Prometheus did not start in five attempts");
    }

    async fn attempt(configuration: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let child = program("prometheus")?
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut running = Self { child, address, client: reqwest::Client::new(), directory };
        for _ in 0..600 {
            if running.child.try_wait().unwrap().is_some() {
                eprintln!("{}", running.log());
                return None;
            }
            let ready = running.client.get(format!("http://{}/-/ready", running.address)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Some(running);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// An answer of its HTTP API.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> serde_json::Value {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let url = format!("http://{}{path}?{}", self.address, query.join("&"));
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Asks until `enough` is content with the answer; gives the last answer as an error after `seconds`.
    pub(crate) async fn wait(
        &self,
        seconds: u32,
        path: &str,
        query: &[(&str, &str)],
        enough: impl Fn(&serde_json::Value) -> bool,
    ) -> Result<serde_json::Value, serde_json::Value> {
        let mut answer = serde_json::Value::Null;
        for _ in 0..seconds * 4 {
            answer = self.get(path, query).await;
            if enough(&answer) {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Err(answer)
    }

    /// What it logged, for messages of failing tests.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Percent-encodes everything but letters and digits.
fn encoded(value: &str) -> String {
    value.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
