//! Every query of every panel, run by a real Prometheus that scrapes the real pages with the real rules, returns data.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netroom::demo::agent::{Clock, Running};
use netroom::demo::campus::{self, Campus};
use netroom::model::{Timestamp, clock};
use serde_json::Value;

use crate::metrics::{metrics, round, served};
use crate::prometheus::{Prometheus, dashboards};
use crate::table;

/// How long data may take to come: some polls of ten seconds each, on a busy machine.
const PATIENCE_S: u32 = 180;

#[tokio::test]
async fn every_panel_has_data_from_a_table() {
    let live = table::live(6, 24);
    let (own, pages) = metrics(&live);
    served(pages, async |address| {
        let Some(prometheus) = Prometheus::start(&configuration(address)).await else { return };
        // Traffic flows and polls go on while Prometheus looks.
        let traffic = async {
            loop {
                table::pass(&live, 60);
                own.polled(&round(None, 45));
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            () = traffic => {}
            () = check(&prometheus, 6) => {}
        }
    })
    .await;
}

/// The same of the whole program, which polls simulated switches over real SNMP, and one that does not answer.
#[tokio::test]
async fn every_panel_has_data_from_the_program() {
    let campus = Campus::new(campus::Options { port: 0, shown: None, ..campus::Options::default() });
    // Ten in the morning of a working day in Shanghai, whatever the clock says: at night few errors come about.
    let (morning, begun) = (Timestamp::from_millis(1_795_485_600_000), clock::monotonic());
    let time: Clock = Arc::new(move || morning + (clock::monotonic() - begun));
    let switches = Running::start(campus.agents(&time).unwrap()).unwrap();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dead = format!("\n[[device]]\nname = \"sw-dead\"\naddress = \"127.0.0.1\"\nport = {}\n", silent.local_addr().unwrap().port());
    let settings = campus.configuration(switches.addresses()).replace("interval = \"60s\"", "interval = \"10s\"") + &dead;
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(directory.path(), &settings);
    let address = program.address().await;
    let Some(prometheus) = Prometheus::start(&configuration(address)).await else { return };
    check(&prometheus, switches.addresses().len() + 1).await;
}

/// `netroom serve` in a directory of its own; stopped when dropped.
struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    fn start(directory: &Path, settings: &str) -> Self {
        let (file, log) = (directory.join("netroom.toml"), directory.join("log"));
        std::fs::write(&file, settings).unwrap();
        let output = std::fs::File::create(&log).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the program itself, from outside")]
        let child = Command::new(env!("CARGO_BIN_EXE_netroom"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(file)
            .arg("--data")
            .arg(directory.join("data"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Where it serves its pages, from its log.
    async fn address(&self) -> SocketAddr {
        for _ in 0..600 {
            let log = std::fs::read_to_string(&self.log).unwrap();
            let found = log.split("http://").skip(1).find_map(|rest| rest.split('/').next()?.parse().ok());
            if let Some(address) = found {
                return address;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the program did not say where it serves: {}", std::fs::read_to_string(&self.log).unwrap());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs all queries, patiently, until each has returned something.
async fn check(prometheus: &Prometheus, devices: usize) {
    let scraped = |answer: &Value| {
        let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        targets.len() == 2 + devices && targets.iter().all(|target| target["health"] == "up")
    };
    let targets = prometheus.wait(30, "/api/v1/targets", &[("state", "active")], scraped).await;
    assert!(targets.is_ok(), "not all targets are scraped: {targets:?}\n{}", prometheus.log());

    let mut waiting: BTreeMap<String, String> = BTreeMap::new();
    for (name, dashboard) in all_dashboards() {
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(panels.len() > 5, "{name}");
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            for target in panel["targets"].as_array().unwrap() {
                let expression = filled_in(target["expr"].as_str().unwrap());
                waiting.insert(expression, format!("{name}: {}", panel["title"].as_str().unwrap()));
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap().iter().filter(|variable| variable["type"] == "query") {
            let (series, label) = label_values(&filled_in(variable["query"]["query"].as_str().unwrap()));
            let path = format!("/api/v1/label/{label}/values");
            let found = prometheus.wait(PATIENCE_S, &path, &[("match[]", &series)], |answer| !empty(&answer["data"])).await;
            assert!(found.is_ok(), "{name}: the variable {} has no value; scrapes: {:?}", variable["name"], scrapes(prometheus).await);
        }
    }
    assert!(waiting.len() > 60, "only {} queries were found", waiting.len());

    let mut last = BTreeMap::new();
    for _ in 0..PATIENCE_S * 2 {
        for (expression, panel) in waiting.clone() {
            let answer = prometheus.get("/api/v1/query", &[("query", &expression)]).await;
            assert_eq!(answer["status"], "success", "{panel}: {expression}: {answer}");
            if !empty(&answer["data"]["result"]) {
                waiting.remove(&expression);
            }
            last.insert(expression, answer);
        }
        if waiting.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(waiting.is_empty(), "no data after {PATIENCE_S} s: {waiting:#?}; scrapes: {:?}", scrapes(prometheus).await);

    let rules = prometheus.get("/api/v1/rules", &[]).await;
    for rule in rules["data"]["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

/// What Prometheus says of each of its targets, for messages of failing tests.
async fn scrapes(prometheus: &Prometheus) -> Vec<String> {
    let answer = prometheus.get("/api/v1/targets", &[("state", "active")]).await;
    let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
    targets.iter().map(|target| format!("{} {} {}", target["scrapeUrl"], target["health"], target["lastError"])).collect()
}

/// Scrapes the pages twice a second: the program, its ports in one, and each device by service discovery.
fn configuration(address: SocketAddr) -> String {
    let rules = dashboards().join("prometheus");
    format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: ['{rules}/netroom-recording.yml', '{rules}/netroom-alerts.yml']
scrape_configs:
  - {{ job_name: netroom, static_configs: [ {{ targets: ['{address}'] }} ] }}
  - {{ job_name: netroom-ports, metrics_path: /metrics/ports, static_configs: [ {{ targets: ['{address}'] }} ] }}
  - job_name: netroom-devices
    http_sd_configs: [ {{ url: 'http://{address}/metrics/targets' }} ]
    metric_relabel_configs: [ {{ source_labels: [__name__], action: drop }} ]
",
        rules = rules.display()
    )
}

fn all_dashboards() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(dashboards().join("grafana")).unwrap().map(|entry| entry.unwrap().path());
    let all: Vec<_> =
        files.map(|file| (file.display().to_string(), serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap())).collect();
    assert_eq!(all.len(), 4);
    all
}

/// A query with Grafana's variables filled in as Grafana does.
fn filled_in(expression: &str) -> String {
    let mut filled = expression.to_owned();
    for (variable, value) in [("$__rate_interval", "10s"), ("$__range", "1h"), ("$device", ".+"), ("$ifname", ".+"), ("$site", ".*")] {
        filled = filled.replace(variable, value);
    }
    assert!(!filled.contains('$'), "a variable is not filled in: {filled}");
    filled
}

/// The series and the label of `label_values(series, label)`.
fn label_values(definition: &str) -> (String, String) {
    let inside = definition.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    let (series, label) = inside.rsplit_once(',').unwrap();
    (series.trim().to_owned(), label.trim().to_owned())
}

fn empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}
