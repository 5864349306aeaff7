//! Manners of files: their length, their first lines, `unsafe`, and nothing of one machine in them.

use std::path::{Path, PathBuf};

use super::tree;

/// No source file is longer; from about 500 lines on it asks to be two.
const LONGEST: usize = 600;

/// The files that may say `unsafe`: tiny, measured as needed, with their proofs.
const UNSAFE: &[&str] = &["src/capture/sys.rs", "src/ping/sys.rs", "src/snmp/udp/sys.rs"];

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = [tree::files("src"), tree::files("tests"), tree::files("benches")]
        .concat()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some((tree::text(&path)?.lines().count(), path)))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("{}: {lines} lines, the most is {LONGEST}", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> =
        tree::sources().into_iter().filter(|source| !source.text.starts_with("//!")).map(|source| source.path).collect();
    assert!(silent.is_empty(), "no `//!` on top: {silent:?}");
    for source in tree::sources().iter().filter(|source| source.module.len() == 1 && source.path.ends_with("mod.rs")) {
        let said: usize = source.text.lines().take_while(|line| line.starts_with("//!")).map(|line| line.len() - 3).sum();
        let something_to_say = source.text.lines().count() > 3;
        assert!(
            !something_to_say || said >= 80,
            "{}: say what the room is for, and the walk of one datum through it",
            source.path.display()
        );
    }
}

#[test]
fn unsafe_stays_in_its_corner() {
    let mut found = Vec::new();
    for source in tree::sources() {
        let says_unsafe = source.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        if says_unsafe {
            found.push(source.path.to_string_lossy().into_owned());
            let blocks = source.code.matches("unsafe {").count();
            let proofs = source.text.matches("SAFETY:").count();
            assert!(proofs >= blocks, "{}: {blocks} unsafe blocks, {proofs} proofs (`// SAFETY:`)", source.path.display());
        }
    }
    found.sort();
    assert_eq!(found, UNSAFE, "files that say `unsafe` on the left, those that may on the right");
}

/// A path of the machine that a file was written on, or a home directory, works nowhere else.
#[test]
fn nothing_of_one_machine_is_in_the_tree() {
    let package = tree::root();
    let mut own: Vec<String> =
        package.ancestors().filter(|path| path.components().count() > 1).map(|path| path.display().to_string()).collect();
    own.retain(|path| !["/usr", "/tmp", "/opt", "/srv", "/var", "/mnt", "/home", "/root"].contains(&path.as_str()));
    own.extend(["/home/".to_owned(), "/root/".to_owned()]);
    let mut found = Vec::new();
    for path in tree::files("").into_iter().filter(|path| path != Path::new("tests/house/manners.rs")) {
        let Some(text) = tree::text(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(part) = own.iter().find(|part| names_path(line, part)) {
                found.push(format!("{}:{}: {part}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether a line names an absolute path that begins so: not as the middle of a longer one.
fn names_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().last();
        let behind = line[at + start.len()..].chars().next();
        let begins = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '/' | '}' | '%' | '$' | '~' | '*'));
        begins && (start.ends_with('/') || behind.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.')))
    })
}

/// Everything that is built comes from the public index, by its checksum.
#[test]
fn the_lock_file_names_only_the_public_index() {
    let lock: toml::Table = tree::text(Path::new("Cargo.lock")).unwrap().parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let Some(source) = package.get("source") else { continue };
        assert_eq!(source.as_str(), Some("registry+https://github.com/rust-lang/crates.io-index"), "{}", package["name"]);
        assert!(package.get("checksum").is_some(), "{} has no checksum", package["name"]);
    }
}

#[test]
fn paths_are_told_from_parts_of_paths() {
    assert!(names_path("cd /home/me", "/home/") && names_path("\"/a/b/c\"", "/a/b"));
    assert!(!names_path("x/home/y", "/home/") && !names_path("/a/bcd", "/a/b") && !names_path("${HOME}/home/", "/home/"));
}
