//! The lists that say which names and ports belong to which class of traffic: one file for each class in a directory, one name
//! a line, `port 1935/tcp` for a port, `#` before a remark. They are shipped, and a file of one's own replaces the shipped one.

use std::path::PathBuf;

use super::problem::{Code, Place, Problem, Severity};
use super::resolve::Judge;
use super::source::At;

/// All files together have no more lines that say something.
const MOST: usize = 500_000;

/// The lists as they are shipped, by the word of their class.
pub const SHIPPED: [(&str, &str); 7] = [
    ("film", include_str!("../../config/classes/film.txt")),
    ("game", include_str!("../../config/classes/game.txt")),
    ("chat", include_str!("../../config/classes/chat.txt")),
    ("p2p", include_str!("../../config/classes/p2p.txt")),
    ("update", include_str!("../../config/classes/update.txt")),
    ("mail", include_str!("../../config/classes/mail.txt")),
    ("web", include_str!("../../config/classes/web.txt")),
];

/// One line of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// A name and everything below it, in lower case.
    Name(Box<str>),
    /// Ports of servers.
    Ports {
        /// The first.
        first: u16,
        /// The last.
        last: u16,
        /// Of TCP.
        tcp: bool,
        /// Of UDP.
        udp: bool,
    },
}

/// A list, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassList {
    /// The word of the class.
    pub class: &'static str,
    /// What belongs to it.
    pub entries: Vec<Entry>,
}

/// A line that says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// The shipped lists.
pub fn shipped() -> Vec<ClassList> {
    SHIPPED.into_iter().map(|(class, text)| ClassList { class, entries: entries(text).0 }).collect()
}

/// Reads the lines of a list; those that say nothing are told.
pub fn entries(text: &str) -> (Vec<Entry>, Vec<LineError>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let words = line.split('#').next().unwrap_or_default().trim();
        if words.is_empty() {
            continue;
        }
        let entry = words.strip_prefix("port ").map_or_else(|| name(words), ports);
        match entry {
            Some(entry) => entries.push(entry),
            None => errors.push(LineError {
                line: number + 1,
                what: format!("this is neither a domain nor a port: \"{words}\""),
                remedy: "write a domain as v.qq.com, a port as `port 1935`, `port 1935/tcp` or `port 6881-6999/udp`",
            }),
        }
    }
    (entries, errors)
}

fn name(text: &str) -> Option<Entry> {
    let name = text.strip_prefix("*.").unwrap_or(text).trim_matches('.').to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let good = name.contains('.') && !name.contains("..") && name.len() <= 253 && name.chars().all(is_name);
    good.then(|| Entry::Name(name.into()))
}

fn ports(text: &str) -> Option<Entry> {
    let (ports, protocol) = text.trim().split_once('/').map_or((text, ""), |(ports, protocol)| (ports, protocol));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let (tcp, udp) = match protocol {
        "" => (true, true),
        "tcp" => (true, false),
        "udp" => (false, true),
        _ => return None,
    };
    (0 < first && first <= last).then_some(Entry::Ports { first, last, tcp, udp })
}

/// The shipped lists, with those of a directory in the place of theirs.
pub(super) fn resolve(judge: &mut Judge<'_>, directory: Option<&At<String>>) -> Vec<ClassList> {
    let mut lists = shipped();
    let Some(at) = directory else { return lists };
    let directory = judge.sources.relative(at.offset, &at.value);
    let mut own = 0;
    for list in &mut lists {
        let path = directory.join(format!("{}.txt", list.class));
        let text = match judge.secrets.list(&path) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(unreadable) => {
                judge.error(at.offset, Code::UnreadableFile, unreadable.why, unreadable.remedy);
                continue;
            }
        };
        own += 1;
        let (entries, errors) = entries(&text);
        errors.into_iter().for_each(|error| tell(judge, path.clone(), error));
        list.entries = entries;
    }
    if own == 0 {
        let message = format!("`detect.classes`: there is no list in {}", directory.display());
        judge.warn(
            at.offset,
            Code::UnreadableFile,
            message,
            "put film.txt, game.txt ... there, or leave the key out for the shipped lists",
        );
    }
    if lists.iter().map(|list| list.entries.len()).sum::<usize>() > MOST {
        judge.error(at.offset, Code::OutOfRange, format!("`detect.classes`: more than {MOST} lines"), "leave some out");
    }
    lists
}

fn tell(judge: &mut Judge<'_>, file: PathBuf, error: LineError) {
    let line = u32::try_from(error.line).unwrap_or(u32::MAX);
    judge.push(Problem {
        severity: Severity::Error,
        code: Code::BadPattern,
        place: Some(Place { file, line, column: 1 }),
        message: error.what,
        remedy: error.remedy.to_owned(),
        other: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_lists_are_without_fault() {
        for (class, text) in SHIPPED {
            let (entries, errors) = entries(text);
            assert_eq!(errors, [], "{class}");
            assert!(entries.len() > 5, "{class}");
        }
    }

    #[test]
    fn names_and_ports_are_read() {
        let (read, errors) = entries("# ours\nFilm.Example.CN  # the film server\n\n*.cinema.cn\nport 8554-8555/tcp\nport 53\n");
        assert_eq!(errors, []);
        let name = |text: &str| Entry::Name(text.into());
        let ports =
            [Entry::Ports { first: 8554, last: 8555, tcp: true, udp: false }, Entry::Ports { first: 53, last: 53, tcp: true, udp: true }];
        assert_eq!(read[..2], [name("film.example.cn"), name("cinema.cn")]);
        assert_eq!(read[2..], ports);
    }

    #[test]
    fn every_wrong_line_is_told() {
        let (read, errors) = entries("good.example\nhttp://bad.example/\nport 0\nport 9-8\nport 80/sctp\nnodots\nport 70000\na..b");
        assert_eq!(read.len(), 1);
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
    }
}
