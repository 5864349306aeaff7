//! `netroom analyze` from outside: what it says of a scan, of a file that is cut off, of a site file; and that it says the
//! same twice, compressed or not.

use std::path::Path;
use std::process::{Command, Output};

use netroom::capture::file::Writer;
use netroom::capture::packet::Nanos;

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
fn analyze(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netroom")).arg("analyze").args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// A SYN of 10.1.0.66 to each of so many outside addresses, twice a second, which nobody answers; and somebody who is.
fn scan(path: &Path, targets: u8) {
    let mut writer = Writer::new(std::fs::File::create(path).unwrap()).unwrap();
    for number in 0..targets {
        let at = |millis: u64| Nanos(1_700_000_000_000_000_000 + (u64::from(number) * 500 + millis) * 1_000_000);
        let (worm, server) = ([10, 1, 0, 66], [203, 0, 113, number]);
        writer.frame(at(0), 60, &[&segment(6, worm, server, 445, 2)]).unwrap();
        // Another machine is answered, so the mirror shows both directions and the way out works.
        let (office, site) = ([10, 1, 0, 7], [198, 51, 100, number]);
        writer.frame(at(10), 60, &[&segment(7, office, site, 443, 2)]).unwrap();
        writer.frame(at(20), 60, &[&answer(site, office, 443)]).unwrap();
    }
    writer.finish().unwrap();
}

fn ethernet(dst: u8, src: u8, from: [u8; 4], to: [u8; 4], ports: (u16, u16), flags: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
    frame.extend([from, to].concat());
    frame.extend([ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat());
    frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 4, 0, 0, 0, 0, 0]);
    frame.resize(60, 0);
    frame
}

fn segment(src: u8, from: [u8; 4], to: [u8; 4], port: u16, flags: u8) -> Vec<u8> {
    ethernet(1, src, from, to, (40_000, port), flags)
}

fn answer(from: [u8; 4], to: [u8; 4], port: u16) -> Vec<u8> {
    ethernet(7, 1, from, to, (port, 40_000), 0x12)
}

#[test]
fn a_scanner_is_named_the_same_each_time_and_compressed_too() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed, site) = (folder.path().join("scan.pcap"), folder.path().join("named-otherwise"), folder.path().join("site.json"));
    scan(&plain, 60);
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    std::io::copy(&mut std::fs::File::open(&plain).unwrap(), &mut gzip).unwrap();
    gzip.finish().unwrap();
    std::fs::write(&site, r#"{"local": ["10.1.0.0/16"], "router": ["02:00:00:00:00:01"]}"#).unwrap();
    let arguments = |file: &Path| analyze(&["--json", "--check", "--site", site.to_str().unwrap(), file.to_str().unwrap()]);
    let first = arguments(&plain);
    assert_eq!(first.status.code(), Some(1), "{}", text(&first.stderr));
    assert_eq!((&first.stdout, &first.stdout), (&arguments(&plain).stdout, &arguments(&packed).stdout));
    let lines: Vec<serde_json::Value> = text(&first.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = lines.iter().find(|line| line["kind"] == "tcp-scan").unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!((&found["subject"]["ip"], &found["role"]), (&"10.1.0.66".into(), &"source".into()));
    assert!(found["contacts"].as_u64().unwrap() <= 60 && found["evidence"].is_object());
    assert!(lines.iter().all(|line| line["subject"]["ip"] == "10.1.0.66"), "{lines:?}");
    // Nothing suspect is no failure without --check, and people get words.
    let told = analyze(&[plain.to_str().unwrap()]);
    assert!(told.status.success() && text(&told.stdout).contains("180 packets, 29 s of traffic"), "{}", text(&told.stdout));
}

#[test]
fn what_was_whole_is_judged_and_the_fault_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pcap");
    scan(&path, 60);
    let whole = std::fs::read(&path).unwrap();
    // 170 records of 76 octets and a part of the next.
    std::fs::write(&path, &whole[..24 + 170 * 76 + 30]).unwrap();
    let out = analyze(&["--json", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stdout).contains("tcp-scan"), "{}", text(&out.stdout));
    let expected = format!("netroom: {}: it is cut off at offset {}: 170 packets before it were whole\n", path.display(), 24 + 170 * 76);
    assert_eq!(text(&out.stderr), expected);
    let strange = folder.path().join("strange.json");
    std::fs::write(&strange, r#"{"rooter": []}"#).unwrap();
    let out = analyze(&["--site", strange.to_str().unwrap(), path.to_str().unwrap()]);
    assert!(out.status.code() == Some(2) && text(&out.stderr).contains("router"), "{}", text(&out.stderr));
}
