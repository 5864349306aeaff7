//! The words of `src/i18n/texts`: every key that is asked for exists, every key that exists is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::tree;

const TEXTS: &str = "src/i18n/texts";

/// The keys with the file that each stands in, from the Chinese files; a unit test of `i18n` holds both languages equal.
fn keys() -> BTreeMap<String, PathBuf> {
    let mut keys = BTreeMap::new();
    for path in tree::files(TEXTS).into_iter().filter(|path| path.to_string_lossy().ends_with(".zh-CN.ftl")) {
        for line in tree::text(&path).unwrap().lines() {
            if let Some((key, _)) = line.split_once('=').filter(|(key, _)| key.starts_with(|c: char| c.is_ascii_lowercase())) {
                keys.insert(key.trim().to_owned(), path.clone());
            }
        }
    }
    assert!(keys.len() > 10, "the texts are not where they should be");
    keys
}

/// Everything in sources, pages and scripts that could be a key: each string, and each quoted word of a page.
fn asked() -> BTreeSet<String> {
    let mut asked: BTreeSet<String> = tree::sources().into_iter().flat_map(|source| source.strings).collect();
    for path in tree::files("src").into_iter().filter(|path| !path.starts_with(TEXTS) && !path.iter().any(|part| part == "vendor")) {
        if path.extension().is_some_and(|extension| ["html", "js", "txt", "svg"].iter().any(|ours| extension == *ours)) {
            let text = tree::text(&path).unwrap_or_default();
            asked.extend(text.split(['"', '\'', '`']).map(str::to_owned));
        }
    }
    asked
}

#[test]
fn every_key_is_used() {
    let asked = asked();
    // Keys that are put together, as `gap-{}` with the word of a gap: what stands before the first gap counts.
    let beginnings: Vec<&str> =
        asked.iter().filter_map(|text| text.split_once('{')).map(|(start, _)| start).filter(|start| start.ends_with('-')).collect();
    let built = |key: &str| beginnings.iter().any(|start| key.starts_with(start));
    let unused: Vec<String> = keys()
        .into_iter()
        .filter(|(key, _)| !asked.contains(key) && !built(key))
        .map(|(key, path)| format!("{}: {key}", path.display()))
        .collect();
    assert!(unused.is_empty(), "keys that nothing asks for:\n{}", unused.join("\n"));
}

#[test]
fn every_key_that_is_asked_for_exists() {
    let keys = keys();
    // Keys begin with the name of their room; a string of that form that is no key would be shown as it is.
    let rooms: BTreeSet<String> = keys
        .values()
        .filter_map(|path| path.file_name()?.to_str()?.split('.').next().map(|room| format!("{room}-")))
        .filter(|room| room != "common-")
        .collect();
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') && !text.ends_with('-');
    let missing: Vec<String> = asked()
        .into_iter()
        .filter(|text| rooms.iter().any(|room| text.starts_with(room.as_str())) && is_word(text) && !keys.contains_key(text))
        .collect();
    assert!(missing.is_empty(), "asked for, but in no file of {TEXTS}: {missing:?}");
}
