//! The files of the project.

use std::fs;
use std::path::{Path, PathBuf};

use super::lexer::{Lexed, without_tests};

/// What is built, fetched or written by running; never part of the project.
const NOT_OURS: [&str; 7] = ["target", ".git", "data", "node_modules", "shared", "proptest-regressions", "fuzz"];

/// Where the package lies.
pub(crate) fn root() -> PathBuf {
    // Cargo says it at run time too; a test program that was moved to another checkout judges that one.
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// All files below a directory of the package, by paths relative to the package, sorted.
pub(crate) fn files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join(below), &mut found);
    let mut relative: Vec<PathBuf> = found.into_iter().map(|path| path.strip_prefix(root()).unwrap().to_owned()).collect();
    relative.sort();
    relative
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !NOT_OURS.iter().any(|other| name == *other) {
            walk(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

/// The text of a file of the package; `None` when it is not text.
pub(crate) fn text(path: &Path) -> Option<String> {
    fs::read(root().join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// One source file without its tests.
#[derive(Debug)]
pub(crate) struct Source {
    /// As `src/snmp/ber.rs`.
    pub path: PathBuf,
    /// Where it stands in the crate: `["snmp", "ber"]`; empty for `lib.rs` and `main.rs`.
    pub module: Vec<String>,
    /// Its text as it is.
    pub text: String,
    /// Its code without comments, strings and tests.
    pub code: String,
    /// The strings outside of comments, those of its tests too.
    pub strings: Vec<String>,
}

/// All sources but those that are compiled for tests only.
pub(crate) fn sources() -> Vec<Source> {
    let mut sources: Vec<Source> =
        files("src").iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).map(|path| source(path)).collect();
    let tests: Vec<PathBuf> = sources.iter().flat_map(test_files).collect();
    sources.retain(|source| !tests.iter().any(|test| source.path == *test || source.path.starts_with(test)));
    assert!(sources.len() > 20, "the sources are not where they should be");
    sources
}

fn source(path: &Path) -> Source {
    let text = text(path).unwrap();
    let lexed = Lexed::new(&text);
    let (code, _) = without_tests(&lexed.code);
    Source { path: path.to_owned(), module: module(path), text, code, strings: lexed.strings }
}

fn module(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// The files and directories of the test modules that a source declares.
fn test_files(source: &Source) -> Vec<PathBuf> {
    let (_, modules) = without_tests(&Lexed::new(&source.text).code);
    let directory = source.path.parent().unwrap();
    let own = match source.path.file_stem().unwrap().to_string_lossy().as_ref() {
        "mod" | "lib" | "main" => directory.to_owned(),
        stem => directory.join(stem),
    };
    let mut files: Vec<PathBuf> = modules.iter().flat_map(|name| [own.join(format!("{name}.rs")), own.join(name)]).collect();
    // #[path = "..."] counts from the directory of the file.
    files.extend(source.text.split("#[path = \"").skip(1).filter_map(|rest| Some(directory.join(rest.split_once('"')?.0))));
    files
}
