//! The labelled captures beside the package, judged without any site facts: every offender by its kind, peer-to-peer as a label
//! only, and nothing above a label in benign traffic.

use std::path::PathBuf;

use crate::capture::file::Capture;
use crate::detect::{Detection, Engine, Kind, Level, Settings, Site};

fn folder() -> PathBuf {
    let shared = std::env::var_os("NETROOM_SHARED").map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").into(), PathBuf::from);
    shared.join("data/pcap")
}

fn judge(file: &str) -> Vec<Detection> {
    let mut capture = Capture::open(&folder().join(file)).unwrap();
    let mut engine = Engine::new(Settings::default(), Site::default(), 1);
    while let Some(frame) = capture.next().unwrap() {
        engine.packet(&frame.parse());
    }
    engine.finish();
    engine.take()
}

/// The kinds that say what the label says.
fn right(kind: &str) -> &'static [Kind] {
    let by_word: [(&str, &'static [Kind]); 9] = [
        ("tcp sweep", &[Kind::TcpScan]),
        ("vertical", &[Kind::PortScan]),
        ("nmap", &[Kind::ArpSweep]),
        ("duplicate IP", &[Kind::ArpSpoof]),
        ("DHCP starvation", &[Kind::DhcpStarvation]),
        ("SYN flood", &[Kind::Flood]),
        ("IPv6 extension", &[Kind::Flood]),
        ("DNS tunnel", &[Kind::DnsTunnel]),
        ("FTP password", &[Kind::PasswordGuessing]),
    ];
    by_word.into_iter().find(|(word, _)| kind.starts_with(word)).map_or(&[], |(_, kinds)| kinds)
}

#[test]
fn the_labelled_captures_are_judged_as_they_are_labelled() {
    let Ok(text) = std::fs::read_to_string(folder().join("labels.json")) else {
        eprintln!("SKIPPED: no labelled captures at {} (set NETROOM_SHARED)", folder().display());
        return;
    };
    let labels: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let (mut missed, mut false_alarms) = (Vec::new(), Vec::new());
    for label in &labels {
        let (file, kind, class) = (label["file"].as_str().unwrap(), label["kind"].as_str().unwrap(), label["cls"].as_str().unwrap());
        let found = judge(file);
        for offender in label["offenders"].as_array().unwrap() {
            let (ip, mac) = (offender["ip"].as_str().unwrap(), offender["mac"].as_str().unwrap());
            let is = |detection: &&Detection| {
                let machine = detection.machine;
                machine.ip.is_some_and(|own| own.to_string() == ip) || machine.mac.is_some_and(|own| own.to_string() == mac)
            };
            let told = found.iter().filter(is);
            let as_labelled = match class {
                "p2p" => found.iter().all(|detection| detection.level == Level::Label),
                _ => told.clone().any(|detection| right(kind).contains(&detection.kind)),
            };
            if !as_labelled {
                let kinds: Vec<Kind> = told.map(|detection| detection.kind).collect();
                missed.push(format!("{file}: {ip} {mac} should be {:?}, is {kinds:?}", right(kind)));
            }
        }
        let blamed = found.iter().filter(|detection| detection.level > Level::Label);
        if class == "benign" {
            false_alarms.extend(blamed.map(|detection| format!("{file}: {detection:?}")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(false_alarms.is_empty(), "{}", false_alarms.join("\n"));
}
