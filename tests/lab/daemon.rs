//! A netroom daemon inside the lab's monitor namespace, asked over HTTP as any client would.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::network::Network;

/// How long anything in the lab may take before a test says that it does not happen. Generous: a slow machine is no defect.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running daemon; killed when dropped.
pub(crate) struct Daemon<'a> {
    network: &'a Network,
    child: Child,
}

impl<'a> Daemon<'a> {
    /// Writes `config` (without listen and data) into `dir` and starts `netroom serve` with it.
    pub(crate) fn start(network: &'a Network, dir: &Path, config: &str) -> Self {
        let file = dir.join("netroom.toml");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
        let child = network
            .command("mon", env!("CARGO_BIN_EXE_netroom"))
            .args(["serve", "--listen", "127.0.0.1:8080", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(dir.join("data"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let daemon = Self { network, child };
        daemon.wait("the daemon to answer", || daemon.try_get("/healthz").is_some());
        daemon
    }

    /// The body of a page, or `None` when there is no good answer.
    pub(crate) fn try_get(&self, path: &str) -> Option<String> {
        let out = self.network.command("mon", "curl").args(["-fsS", "-m", "10", &format!("http://127.0.0.1:8080{path}")]).output().unwrap();
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// The body of a page that must be there.
    pub(crate) fn get(&self, path: &str) -> String {
        self.try_get(path).unwrap_or_else(|| panic!("no good answer for {path}"))
    }

    /// The value of a metric line that carries all of `marks`.
    pub(crate) fn metric(&self, path: &str, family: &str, marks: &[&str]) -> Option<f64> {
        let text = self.try_get(path)?;
        let line =
            text.lines().find(|line| line.split(['{', ' ']).next() == Some(family) && marks.iter().all(|mark| line.contains(mark)))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until `happened`; a deadline, not a duration: it returns at once when the thing is there.
    pub(crate) fn wait(&self, what: &str, mut happened: impl FnMut() -> bool) {
        let start = Instant::now();
        while !happened() {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Lets the daemon read its configuration again and waits until it has.
    pub(crate) fn reload(&self, dir: &Path, config: &str) {
        let reloads = || self.metric("/metrics", "netroom_config_reloads_total", &["result=\"ok\""]).unwrap_or(0.0);
        let before = reloads();
        std::fs::write(dir.join("netroom.toml"), config).unwrap();
        self.signal("-HUP");
        self.wait("the configuration to be read again", || reloads() > before);
    }

    /// Ends the daemon without a word, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.signal("-KILL");
        self.child.wait().unwrap();
    }

    /// Asks the daemon to stop; it must do so by itself and say success.
    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "the daemon ended with {status}");
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "the daemon does not stop");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    // `ip netns exec` replaces itself by the program, so the child is the daemon.
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // Already gone after kill() and stop().
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
