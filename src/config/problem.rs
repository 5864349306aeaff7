//! What is wrong with a configuration: all of it at once, each with its place, its code and what to do.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// Which rule was broken: a stable word, for scripts and for searching the documentation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A file or directory cannot be read.
    UnreadableFile,
    /// A file is not UTF-8.
    NotUtf8,
    /// A file is not TOML.
    Syntax,
    /// A key that does not exist.
    UnknownKey,
    /// A value of another type than the key takes, or outside its list of words.
    WrongType,
    /// A key that must be there is not.
    MissingKey,
    /// A name with characters that names may not have.
    BadName,
    /// A name given twice.
    DuplicateName,
    /// An address that is no IP address.
    BadAddress,
    /// Two devices at the same address and port.
    DuplicateAddress,
    /// A duration that cannot be read.
    BadDuration,
    /// A size or share that cannot be read.
    BadSize,
    /// A number or duration outside its bounds.
    OutOfRange,
    /// A pattern that cannot be read.
    BadPattern,
    /// A log filter that cannot be read.
    BadFilter,
    /// A time zone that is not known.
    UnknownTimeZone,
    /// A device without a community, or a user without a pass phrase.
    MissingSecret,
    /// One secret given in two ways.
    TwoSecrets,
    /// The file or credential of a secret cannot be read, or is empty.
    UnreadableSecret,
    /// A secret that others on this machine can read.
    ExposedSecret,
    /// Credentials that do not fit together.
    BadCredentials,
    /// An SNMPv3 user that is not defined.
    UnknownUser,
    /// Pages that would go over the network unencrypted.
    Plaintext,
    /// One thing said in two ways that exclude each other.
    TwoWays,
    /// A person, role or webhook that is not defined.
    UnknownName,
    /// A time of day, of the week, or a date that cannot be read.
    BadTime,
}

impl Code {
    /// All rules.
    pub const ALL: [Self; 26] = [
        Self::UnreadableFile,
        Self::NotUtf8,
        Self::Syntax,
        Self::UnknownKey,
        Self::WrongType,
        Self::MissingKey,
        Self::BadName,
        Self::DuplicateName,
        Self::BadAddress,
        Self::DuplicateAddress,
        Self::BadDuration,
        Self::BadSize,
        Self::OutOfRange,
        Self::BadPattern,
        Self::BadFilter,
        Self::UnknownTimeZone,
        Self::MissingSecret,
        Self::TwoSecrets,
        Self::UnreadableSecret,
        Self::ExposedSecret,
        Self::BadCredentials,
        Self::UnknownUser,
        Self::Plaintext,
        Self::TwoWays,
        Self::UnknownName,
        Self::BadTime,
    ];

    /// The word.
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// A place in a file, as editors count it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: u32,
    /// The column in characters, from 1; 0 when the whole file is meant.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 { write!(f, ":{}:{}", self.line, self.column) } else { Ok(()) }
    }
}

/// One thing that is wrong. No text here ever shows the value of a secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Which rule.
    pub code: Code,
    /// Where; `None` when no file is to blame.
    pub place: Option<Place>,
    /// What is wrong, one sentence without its full stop.
    pub message: String,
    /// What to do about it, one sentence without its full stop.
    pub remedy: String,
    /// The other place, when two contradict each other.
    pub other: Option<Place>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}[{}]: {}", self.code.word(), self.message)?;
        if let Some(other) = &self.other {
            write!(f, "\n  see also: {other}")?;
        }
        write!(f, "\n  to do: {}", self.remedy)
    }
}

/// All that is wrong with a configuration, in the order of the files.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Whether the configuration cannot be used.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// In the order of files and lines.
    pub fn sorted(mut self) -> Self {
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        self
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One problem a paragraph, then how many there are.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self {
            writeln!(f, "{problem}")?;
        }
        let errors = self.iter().filter(|problem| problem.severity == Severity::Error).count();
        write!(f, "{}, {}", counted(errors, "error"), counted(self.0.len() - errors, "warning"))
    }
}

impl std::error::Error for Problems {}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
