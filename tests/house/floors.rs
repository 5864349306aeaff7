//! The floors (docs/ARCHITECTURE.md): a room uses only rooms below it, and each outer crate only where it belongs.

use std::collections::BTreeSet;
use std::path::Path;

use super::tree::{self, Source};

/// Every room with its height. Rooms of one height do not know each other.
const FLOORS: &[(&str, u32)] = &[
    // Floor 0: vocabulary.
    ("model", 0),
    ("i18n", 1),
    ("config", 2),
    ("calendar", 3),
    ("store", 4),
    ("journal", 5),
    ("accounts", 6),
    // Floor 1: the wire.
    ("snmp", 10),
    ("ping", 10),
    ("capture", 10),
    ("flow", 10),
    // Floor 2: understanding. Where machines sit is below the others, for the judges need it.
    ("locate", 15),
    ("ports", 20),
    ("series", 20),
    ("graph", 20),
    ("detect", 20),
    // Floor 3: what decides and tells.
    ("incident", 30),
    ("notify", 30),
    ("block", 31),
    // Floor 4: the ways in and out.
    ("web", 40),
    ("metrics", 40),
    // Floor 5: the only places that see everything.
    ("demo", 50),
    ("daemon", 51),
    ("cli", 52),
];

/// The one room that may use a room of its own floor.
const NEIGHBOURS: &[(&str, &str)] = &[("graph", "series")];

/// Where an outer crate may be used: in which rooms, or in which files. A crate with an empty list may be used anywhere.
const CRATES: &[(&str, &[&str])] = &[
    ("arc-swap", &[]),
    ("bytes", &[]),
    ("futures-util", &[]),
    ("getrandom", &[]),
    ("jiff", &[]),
    ("schemars", &[]),
    ("serde", &[]),
    ("serde_json", &[]),
    ("sha2", &[]),
    ("thiserror", &[]),
    ("tokio", &[]),
    ("tokio-util", &[]),
    ("tracing", &[]),
    ("aes", &["snmp/v3"]),
    ("anyhow", &["cli", "daemon", "demo", "main.rs"]),
    ("askama", &["web"]),
    ("axum", &["web", "metrics", "daemon"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crc32c", &["series"]),
    ("encoding_rs", &["model", "snmp", "demo"]),
    ("flate2", &["capture", "detect/kept/store.rs"]),
    ("fluent-bundle", &["i18n", "graph", "web", "cli/detect"]),
    ("http-body-util", &["web", "ping", "notify"]),
    ("hyper", &["web", "ping", "notify"]),
    ("hyper-util", &["web", "ping", "notify"]),
    ("indicatif", &["cli"]),
    ("ipnet", &["config", "cli", "snmp", "web", "detect", "flow"]),
    ("libc", &["capture", "snmp", "ping", "store", "series", "daemon", "metrics"]),
    ("percent-encoding", &["web"]),
    ("pnet_datalink", &["capture", "daemon"]),
    ("png", &["graph"]),
    ("prometheus", &["metrics", "daemon"]),
    ("resvg", &["graph"]),
    (
        "rusqlite",
        &[
            "daemon/incident.rs",
            "daemon/notify.rs",
            "store",
            "series",
            "ports/store.rs",
            "journal",
            "accounts",
            "ping/store.rs",
            "locate/store.rs",
            "detect/exempt/store.rs",
            "block/store.rs",
            "capture/recording",
            "incident",
            "notify",
        ],
    ),
    ("rust-embed", &["web", "graph"]),
    ("rustix", &["capture", "series", "snmp"]),
    ("sd-notify", &["daemon"]),
    ("snmp2", &["snmp/v3"]),
    ("socket2", &["capture", "flow", "snmp", "ping", "demo", "cli", "daemon"]),
    ("surge-ping", &["cli", "ping"]),
    ("toml", &["config", "cli"]),
    ("tower-http", &["web", "metrics", "daemon"]),
    ("tracing-journald", &["cli"]),
    ("tracing-subscriber", &["cli"]),
    ("unic-langid", &["i18n"]),
    ("argon2", &["accounts"]),
    ("base64", &["accounts", "notify", "web"]),
    ("hickory-proto", &["ping"]),
    ("fast_qr", &["web"]),
    ("hmac", &["accounts", "notify", "snmp/v3"]),
    ("hyper-rustls", &["notify"]),
    ("lettre", &["notify"]),
    ("cbc", &["snmp/v3"]),
    ("cfb-mode", &["snmp/v3"]),
    ("des", &["snmp/v3"]),
    ("md-5", &["snmp/v3"]),
    ("minijinja", &["notify"]),
    ("rustls", &["web", "ping", "notify"]),
    ("sha1", &["snmp/v3", "accounts"]),
    ("tokio-rustls", &["web", "ping"]),
    ("x509-parser", &["ping"]),
];

#[test]
fn a_room_uses_only_rooms_below_it() {
    let mut wrong = Vec::new();
    for source in tree::sources() {
        let Some(room) = source.module.first() else { continue };
        let Some(height) = height(room) else {
            wrong.push(format!("{}: the room `{room}` has no floor; give it one in tests/house/floors.rs", source.path.display()));
            continue;
        };
        for other in rooms_used(&source) {
            match self::height(&other) {
                Some(below) if other == *room || below < height || NEIGHBOURS.contains(&(room.as_str(), other.as_str())) => {}
                Some(_) => wrong.push(format!("{}: `{room}` may not use `{other}`, which is no lower", source.path.display())),
                None => wrong.push(format!("{}: there is no room `{other}`", source.path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outer_crates_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for source in tree::sources() {
        let inside = source.path.strip_prefix("src").unwrap();
        for (name, places) in CRATES.iter().filter(|(_, places)| !places.is_empty()) {
            let at_home = places.iter().any(|place| inside.starts_with(place) || inside.with_extension("") == Path::new(place));
            if !at_home && uses_crate(&source.code, &name.replace('-', "_")) {
                wrong.push(format!("{}: `{name}` belongs to {}", source.path.display(), places.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_its_place() {
    let manifest: toml::Table = tree::text(Path::new("Cargo.toml")).unwrap().parse().unwrap();
    let listed: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    let depended: BTreeSet<&str> = manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    let homeless: Vec<&&str> = depended.difference(&listed).collect();
    assert!(homeless.is_empty(), "say in tests/house/floors.rs where these may be used: {homeless:?}");
}

fn height(room: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, height)| *height)
}

/// The rooms that a source names: `crate::room`, `crate::{a::x, b::y}`, `super::super::room`, `netroom::room`.
fn rooms_used(source: &Source) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    let up = "super::".repeat(source.module.len());
    for start in ["crate::", "netroom::", up.as_str()] {
        for (at, _) in source.code.match_indices(start).filter(|_| !start.is_empty()) {
            let before = source.code[..at].chars().last();
            let part_of_a_name = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'));
            if !part_of_a_name {
                rooms.extend(heads(&source.code[at + start.len()..]));
            }
        }
    }
    rooms
}

/// The first names of a path, or of each path in braces.
fn heads(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(inner) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut heads, mut start) = (0, Vec::new(), 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(name(&inner[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(name(&inner[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// Whether the code names an outer crate: `name::...` or `use name;`, not as part of another path.
fn uses_crate(code: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    // A module of ours by the same name, as `use crate::graph::{png, svg}`.
    let ours = code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()).any(|path| {
        let inside = ["crate::", "super::", "self::"].iter().any(|start| path.starts_with(start));
        inside && path.split(|c| !is_name(c)).any(|part| part == name)
    });
    if ours {
        return false;
    }
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].trim_end();
        let (glued, behind) = (code[..at].chars().last(), &code[at + name.len()..]);
        let starts = !glued.is_some_and(|c| is_name(c) || matches!(c, ':' | '.'));
        let imported = before.ends_with("use") && behind.trim_start().starts_with([';', ' ']);
        starts && (behind.starts_with("::") || imported)
    })
}

#[test]
fn edges_are_found_in_all_their_forms() {
    let source = |module: &[&str], code: &str| Source {
        path: "src/x.rs".into(),
        module: module.iter().map(|part| (*part).to_owned()).collect(),
        text: String::new(),
        code: code.to_owned(),
        strings: Vec::new(),
    };
    let used = |module: &[&str], code: &str| rooms_used(&source(module, code)).into_iter().collect::<Vec<_>>();
    assert_eq!(used(&["a"], "use crate::{b::{x, y}, c}; fn f(z: crate::d::E) {}"), ["b", "c", "d"]);
    assert_eq!(used(&["a", "b"], "use super::super::c::x; use super::d;"), ["c"]);
    assert_eq!(used(&[], "netroom::cli::main()"), ["cli"]);
    assert!(used(&["a"], "my_crate::b; $crate::c").is_empty());
    assert!(uses_crate("use png;", "png") && uses_crate("png::Encoder", "png") && uses_crate("#[derive(askama::Template)]", "askama"));
    assert!(!uses_crate("crate::png::x", "png") && !uses_crate("my_png::x", "png") && !uses_crate("self.png(1)", "png"));
    assert!(!uses_crate("use crate::graph::{png, svg}; fn f() { png::write() }", "png"));
}
