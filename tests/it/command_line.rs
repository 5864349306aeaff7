//! The command line from outside: what it prints where, and its exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs netroom in a directory with nothing of this shell's environment.
#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
fn netroom(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netroom"));
    command.current_dir(directory).env_clear();
    command
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = netroom(directory).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn with_config(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("config")).unwrap();
    fs::write(directory.path().join("config/netroom.toml"), text).unwrap();
    directory
}

const GOOD: &str = "[snmp]\ncommunity = \"Plugh\"\n[[device]]\nname = \"sw-a3\"\naddress = \"10.0.0.3\"\n";

#[test]
fn a_good_configuration_is_printed_without_its_secrets() {
    let directory = with_config(GOOD);
    let (code, printed, _) = run(directory.path(), &["check"]);
    assert_eq!(code, 0);
    let settings: toml::Table = printed.parse().unwrap();
    assert_eq!(settings["device"][0]["address"].as_str(), Some("10.0.0.3:161"));
    assert_eq!(settings["device"][0]["credentials"]["community"].as_str(), Some("(secret)"));
    assert!(!printed.contains("Plugh"));
}

#[test]
fn a_bad_configuration_is_a_no_and_says_where() {
    let directory = with_config("[web]\nlisten = 8080\n");
    let (code, printed, said) = run(directory.path(), &["check"]);
    assert_eq!((code, printed.as_str()), (1, ""));
    assert!(said.starts_with("config/netroom.toml:2:10: error[wrong-type]:"), "{said}");

    let (code, printed, _) = run(directory.path(), &["check", "--json"]);
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&report["ok"], &report["settings"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(report["problems"][0]["place"]["line"], 2);
    let keys: Vec<&String> = report["problems"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "message", "other", "place", "remedy", "severity"]);
}

#[test]
fn flags_win_over_the_environment_and_both_over_the_file() {
    let directory = with_config("[web]\nlisten = \"127.0.0.1:1\"\n[log]\nfilter = \"warn\"\n");
    let output = netroom(directory.path())
        .env("NETROOM_LISTEN", "127.0.0.1:2")
        .env("NETROOM_LOG", "debug")
        .args(["check", "--json", "--listen", "127.0.0.1:3"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["settings"]["web"]["listen"], "127.0.0.1:3");
    assert_eq!(report["settings"]["log"]["filter"], "debug");
}

#[test]
fn what_cannot_be_asked_is_one_sentence_and_two() {
    let directory = tempfile::tempdir().unwrap();
    let (code, printed, said) = run(directory.path(), &["check"]);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert_eq!(
        said,
        "netroom: there is no configuration at config/netroom.toml or /etc/netroom/netroom.toml; name one with --config FILE\n"
    );
}

#[test]
fn wrong_usage_is_sixty_four() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["chekc"][..], &["check", "--listen", "8080"], &[]] {
        let (code, printed, said) = run(directory.path(), arguments);
        assert_eq!((code, printed.as_str()), (64, ""), "{arguments:?}");
        assert!(said.contains("Usage") || said.contains("--help"), "{said}");
    }
    assert!(run(directory.path(), &["chekc"]).2.contains("'check'"), "a slip is understood");
    assert_eq!(run(directory.path(), &["--help"]).0, 0);
    assert_eq!(run(directory.path(), &["--version"]).0, 0);
}

#[test]
fn scripts_manual_and_schema_are_printed() {
    let directory = tempfile::tempdir().unwrap();
    let (code, script, _) = run(directory.path(), &["completions", "bash"]);
    assert!(code == 0 && script.contains("complete -F _netroom"));
    let (code, page, _) = run(directory.path(), &["man"]);
    assert!(code == 0 && page.contains(".TH netroom 1"));
    let (code, page, _) = run(directory.path(), &["man", "check"]);
    assert!(code == 0 && page.contains("netroom\\-check"), "{page}");
    assert_eq!(run(directory.path(), &["man", "dance"]).0, 2);
    let (code, schema, _) = run(directory.path(), &["check", "--schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert!(code == 0 && schema["properties"]["device"].is_object());
}

/// As with `netroom check --schema | head -1`.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = netroom(directory.path()).args(["check", "--schema"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
}
