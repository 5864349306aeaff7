//! A scanner and a worm among people at work: the daemon sees them at the mirror port of a real switch, tells of the right
//! machine within the contacts that the catalogue of rules states, and of nobody else; least of all of itself, which polls and pings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::alarm;
use crate::daemon::Daemon;
use crate::network::Network;

/// Rounds of work that everybody does before anything is asked: each is a name, a page, a file and a print.
const ROUNDS: u32 = 20;
/// Where everything is answered.
const SERVER: &str = "10.77.0.102";
/// A port scan is told by its tenth port at the latest.
const PORTS: u64 = 10;
/// Spreading on a port by which worms enter, by the 25th machine.
const MACHINES: u64 = 25;
/// Failures are told when seven came one after another and have had 5 s to be answered in; the worm knocks 20 times a second.
const FAILURES: u64 = 7 + 5 * 20;
/// An ARP sweep, by its 63rd target.
const TARGETS: u64 = 63;

/// Programs that run beside the test; ended when dropped.
pub(crate) struct Office<'a> {
    network: &'a Network,
    dir: &'a Path,
    running: Vec<Child>,
}

impl<'a> Office<'a> {
    /// A server, and everybody else at work with it.
    pub(crate) fn open(network: &'a Network, dir: &'a Path) -> Self {
        let mut office = Self { network, dir, running: Vec::new() };
        office.run("h2", &["serve"]);
        for host in ["h1", "h3", "h4", "h5"] {
            let file = office.rounds_of(host);
            office.run(host, &["work", SERVER, &file.display().to_string()]);
        }
        office
    }

    fn run(&mut self, host: &str, arguments: &[&str]) {
        let mut command = self.network.command(host, "/usr/bin/python3");
        let child = command.arg(script()).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.running.push(child.unwrap());
    }

    fn rounds_of(&self, host: &str) -> PathBuf {
        self.dir.join(format!("rounds-{host}"))
    }

    /// The rounds of whoever has done fewest.
    fn rounds(&self) -> u32 {
        let of = |host: &str| std::fs::read_to_string(self.rounds_of(host)).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        ["h1", "h3", "h4", "h5"].map(of).into_iter().min().unwrap_or(0)
    }
}

impl Drop for Office<'_> {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lab/office.py")
}

fn json(daemon: &Daemon<'_>, path: &str) -> Value {
    serde_json::from_str(&daemon.get(path)).unwrap()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The MAC addresses of those against whom anything is or was held; labels are not asked for.
fn accused(daemon: &Daemon<'_>) -> BTreeSet<String> {
    let lists = [json(daemon, "/api/v1/detections"), json(daemon, "/api/v1/detections?level=over")];
    let macs = lists.iter().flat_map(|list| rows(&list["detections"])).map(|held| held["subject"]["mac"].as_str().unwrap().to_owned());
    macs.collect()
}

/// The open incident of a rule about a machine, as it was opened.
fn incident(daemon: &Daemon<'_>, rule: &str, mac: &str) -> Option<Value> {
    let open = json(daemon, "/api/v1/incidents");
    let is_it = |one: &&Value| one["rule"] == rule && one["subject"] == format!("machine:{mac}");
    rows(&open["incidents"]).iter().find(is_it).cloned()
}

fn contacts(incident: &Value) -> u64 {
    incident["evidence"]["contacts"]["count"].as_u64().unwrap_or_else(|| panic!("no contacts in {incident}"))
}

/// Waits for an incident about this machine, and says on stderr after how many contacts it came.
fn told(daemon: &Daemon<'_>, rule: &str, mac: &str, most: u64) {
    let mut found = None;
    daemon.wait(&format!("{rule} of {mac}"), || {
        found = incident(daemon, rule, mac);
        found.is_some()
    });
    let contacts = contacts(&found.unwrap());
    eprintln!("{rule}: told after {contacts} contacts, {most} at most");
    assert!((1..=most).contains(&contacts), "{rule}: {contacts} contacts, {most} at most");
}

#[test]
fn a_scanner_and_a_worm_are_told_of_and_nobody_else() {
    if !has_nmap() {
        return;
    }
    let Some(network) = Network::up("nrtc") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mirrored = "\n[capture]\ninterfaces = [\"span0\"]\nring = \"4MiB\"\n";
    let daemon = Daemon::start(&network, dir.path(), &(alarm::office("10s", "") + mirrored));
    let office = Office::open(&network, dir.path());
    let mac = |host: &str| network.read(host, &["cat", "/sys/class/net/eth0/address"]).trim().to_owned();
    let (ill, monitor) = (mac("h3"), mac("mon"));
    // The monitor polls and pings all the while, and is seen on the wire as everybody is.
    daemon.wait("everybody to work, and to be seen at it", || {
        let machines = json(&daemon, "/api/v1/machines");
        let sees = |mac: &str| rows(&machines["machines"]).iter().any(|one| one["address"] == mac && one["total"]["answered"] != 0);
        let polls = daemon.metric("/metrics", "netroom_polls_total", &["result=\"ok\""]).unwrap_or(0.0);
        office.rounds() >= ROUNDS && ["h1", "h3", "h4", "h5", "mon"].iter().all(|host| sees(&mac(host))) && polls >= 4.0
    });
    assert_eq!(accused(&daemon), BTreeSet::new(), "people at work: {}", daemon.get("/api/v1/detections"));

    network.read("h3", &["nmap", "-n", "-Pn", "-sS", "--disable-arp-ping", "-p", "1-20", SERVER]);
    told(&daemon, "port-scan", &ill, PORTS);

    // A network behind the switch's own address, where nobody answers.
    network.read("h3", &["ip", "route", "add", "10.88.0.0/24", "via", "10.77.0.11"]);
    network.read("h3", &["/usr/bin/python3", &script().display().to_string(), "worm", "120", "0.05", "10.88.0."]);
    told(&daemon, "lateral", &ill, MACHINES);
    told(&daemon, "tcp-scan", &ill, FAILURES);

    // Its own network, where the dead show by ARP alone.
    network.read("h3", &["nmap", "-n", "-sn", "10.77.0.0/24"]);
    told(&daemon, "arp-sweep", &ill, TARGETS);

    let (before, accused) = (office.rounds(), accused(&daemon));
    assert_eq!(accused, [ill.clone()].into(), "nobody else, nor the monitor {monitor}: {}", daemon.get("/api/v1/detections"));
    daemon.wait("the others to go on with their work", || office.rounds() > before);
    let open = json(&daemon, "/api/v1/incidents");
    assert!(rows(&open["incidents"]).iter().all(|one| one["subject"] == format!("machine:{ill}")), "{open}");
    daemon.stop();
}

fn has_nmap() -> bool {
    let found = std::process::Command::new("nmap").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "nmap cannot be run");
        eprintln!("NOT RUN: no scanner: install nmap");
    }
    found
}
