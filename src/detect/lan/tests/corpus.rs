//! The judges over labelled captures, as far as these are there: offenders are told, and nobody else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::capture::file::Capture;
use crate::detect::settings::{Settings as All, Sizes};
use crate::detect::{Engine, Machine};

/// What these judges tell.
const OURS: [Kind; 7] = [Kind::ArpSpoof, Kind::Dga, Kind::DnsTunnel, Kind::RogueDhcp, Kind::RogueRa, Kind::DhcpStarvation, Kind::Hog];

/// Captures by a part of their name, with who does what in them.
const OFFENDERS: [(&str, Kind, &[&str]); 5] = [
    ("EIGRP__approach-v3__10", Kind::ArpSpoof, &["aa:bb:cc:00:0a:00", "aa:bb:cc:00:14:00"]),
    ("EIGRP__approach-v3__20", Kind::ArpSpoof, &["aa:bb:cc:00:0a:00", "aa:bb:cc:00:14:00"]),
    ("dhcp-request-flood", Kind::DhcpStarvation, &["de:ad:be:ef:aa:bb"]),
    ("dns-tunnel-iodine", Kind::DnsTunnel, &["10.0.2.30"]),
    ("bug-1158", Kind::DnsTunnel, &["10.30.28.90"]),
];

fn captures() -> Vec<PathBuf> {
    let root = std::env::var("NETROOM_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    let folder = std::path::Path::new(&root).join("data/pcap");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there; set NETROOM_SHARED to the folder of captures", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending != "json"));
    paths.sort();
    paths
}

fn told(path: &std::path::Path) -> BTreeSet<(Kind, String)> {
    let settings = All { sizes: Sizes::SMALL, ..All::default() };
    let mut engine = Engine::new(settings, Site::default(), 0);
    let mut capture = Capture::open(path).unwrap();
    while let Ok(Some(frame)) = capture.next() {
        engine.packet(&frame.parse());
    }
    engine.finish();
    let name = |machine: &Machine, kind| match (machine.mac, machine.ip) {
        (_, Some(ip)) if kind == Kind::DnsTunnel => ip.to_string(),
        (Some(mac), _) => mac.to_string(),
        (None, ip) => format!("{ip:?}"),
    };
    let ours = engine.take().into_iter().filter(|detection| OURS.contains(&detection.kind));
    ours.map(|detection| (detection.kind, name(&detection.machine, detection.kind))).collect()
}

#[test]
fn labelled_captures_are_judged_as_they_are_labelled() {
    for path in captures() {
        let file = path.file_name().unwrap().to_string_lossy();
        let expected: BTreeSet<(Kind, String)> = OFFENDERS
            .iter()
            .filter(|(part, ..)| file.contains(part))
            .flat_map(|(_, kind, who)| who.iter().map(|who| (*kind, (*who).to_owned())))
            .collect();
        assert_eq!(told(&path), expected, "{file}");
    }
}
