//! The engine over labelled captures of others (`../shared/data/pcap`, overridable by NETROOM_SHARED), when they are there:
//! who does wrong is found by a right name, and in the others nobody is accused.

use std::path::{Path, PathBuf};

use netroom::capture::file::Capture;
use netroom::detect::engine::Engine;
use netroom::detect::settings::Settings;
use netroom::detect::{Detection, Level, Site};
use serde_json::Value;

/// The offenders' captures by a part of their names, with the kinds that name them rightly.
const NAMES: &[(&str, &[&str])] = &[
    ("445_scan", &["tcp-scan"]),
    ("port_scan", &["port-scan"]),
    ("nmap-vsn", &["arp-sweep"]),
    ("synscan", &["port-scan"]),
    ("EIGRP", &["arp-spoof"]),
    ("dhcp-request-flood", &["dhcp-starvation"]),
    ("syn-flood", &["flood"]),
    ("ipv6-dos", &["flood"]),
    ("iodine", &["dns-tunnel"]),
    ("bug-1158", &["dns-tunnel"]),
    ("bruteforce", &["password-guessing"]),
    ("gnutella", &["p2p"]),
];

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("NETROOM_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("data/pcap");
    if folder.join("labels.json").exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no labelled captures at {}", folder.display());
    None
}

fn judged(path: &Path) -> Vec<Detection> {
    let mut engine = Engine::new(Settings::default(), Site::default(), 1);
    let mut capture = Capture::open(path).unwrap();
    let mut told = Vec::new();
    while let Ok(Some(frame)) = capture.next() {
        engine.packet(&frame.parse());
        told.append(&mut engine.take());
    }
    engine.finish();
    told.append(&mut engine.take());
    told
}

fn is_about(detection: &Detection, offender: &Value) -> bool {
    let said = |key: &str| offender[key].as_str().filter(|text| !text.is_empty()).map(str::to_ascii_lowercase);
    let ip = detection.machine.ip.map(|ip| ip.to_string());
    let mac = detection.machine.mac.map(|mac| mac.to_string());
    (said("ip").is_some() && said("ip") == ip) || (said("mac").is_some() && said("mac") == mac)
}

#[test]
fn offenders_of_the_corpus_are_found_and_the_others_are_left_alone() {
    let Some(folder) = folder() else { return };
    let labels: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("labels.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for label in labels.as_array().unwrap() {
        let file = label["file"].as_str().unwrap();
        let told = judged(&folder.join(file));
        let words = || told.iter().map(|d| format!("{} {:?} {:?} {:?}", d.kind, d.level, d.machine.ip, d.evidence)).collect::<Vec<_>>();
        seen += 1;
        if label["cls"] == "benign" {
            if told.iter().any(|detection| detection.level > Level::Label) {
                wrong.push(format!("{file} ({}): {:?}", label["kind"], words()));
            }
            continue;
        }
        let (_, kinds) = NAMES.iter().find(|(part, _)| file.contains(part)).unwrap_or_else(|| panic!("{file} has no right name"));
        let offenders = label["offenders"].as_array().unwrap();
        let right = |detection: &Detection| {
            kinds.contains(&detection.kind.word()) && offenders.iter().any(|offender| is_about(detection, offender))
        };
        let peer = label["cls"] == "p2p";
        let blamed = peer && told.iter().any(|detection| detection.level >= Level::Virus);
        if blamed || !told.iter().any(right) {
            wrong.push(format!("{file} ({}): {:?}", label["kind"], words()));
        }
    }
    assert!(seen >= 40, "only {seen} captures");
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
}
