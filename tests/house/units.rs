//! The systemd unit, by systemd's own judgement (`systemd-analyze`).

use std::fs;
use std::process::{Command, Output};

use super::tree;

/// The most exposure (0 none, 10 all) that the unit may have.
const MOST_EXPOSED: f64 = 1.6;

/// Runs systemd-analyze; `None` when this machine has none, which is said aloud.
#[expect(clippy::disallowed_methods, reason = "the judgement of another program is what this test is about")]
fn analyze(arguments: &[&str]) -> Option<Output> {
    match Command::new("systemd-analyze").args(arguments).env("SYSTEMD_COLORS", "0").output() {
        Ok(output) => Some(output),
        Err(error) if std::env::var_os("NETROOM_REQUIRE_ALL").is_some() => panic!("systemd-analyze cannot be run: {error}"),
        Err(error) => {
            eprintln!("SKIPPED: the unit was not judged, for systemd-analyze cannot be run: {error}");
            None
        }
    }
}

/// The unit with the program as it was just built.
fn unit() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(tree::root().join("systemd/netroom.service")).unwrap();
    assert!(text.contains("ExecStart=/usr/bin/netroom serve"));
    let path = directory.path().join("netroom.service");
    fs::write(&path, text.replace("/usr/bin/netroom", env!("CARGO_BIN_EXE_netroom"))).unwrap();
    let path = path.display().to_string();
    (directory, path)
}

#[test]
fn systemd_understands_every_line() {
    let (_directory, path) = unit();
    let Some(output) = analyze(&["verify", "--man=no", &path]) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    // It also tells of other units of the machine.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("netroom")).collect();
    assert!(ours.is_empty(), "{}", ours.join("\n"));
}

#[test]
fn the_service_is_locked_in() {
    let (_directory, path) = unit();
    let Some(output) = analyze(&["security", "--offline=true", "--no-pager", &path]) else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    let verdict = said.lines().find(|line| line.contains("Overall exposure level")).unwrap_or_else(|| panic!("no verdict:\n{said}"));
    let score: f64 = verdict.split(':').nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap().parse().unwrap();
    println!("{}", verdict.trim());
    assert!(score <= MOST_EXPOSED, "{verdict}\n{said}");
}
