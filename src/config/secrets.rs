//! Where secrets come from: the configuration itself, files, systemd credentials.

use std::fmt;
use std::path::Path;

use super::secret::Secret;
use super::source::At;

/// A secret as it was read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The secret without its last newline.
    pub secret: Secret,
    /// Whether other accounts of this machine can read it.
    pub exposed: bool,
}

/// Why a secret could not be read: reads as the end of "the file ...".
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unreadable {
    pub why: String,
    pub remedy: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Reads secrets, and lists, that stand outside of the configuration.
pub(super) trait SecretSource {
    /// A file.
    fn file(&self, path: &Path) -> Result<Found, Unreadable>;
    /// A systemd credential (`LoadCredential=`).
    fn credential(&self, name: &str) -> Result<Found, Unreadable>;
    /// A text that is no secret; `None` when there is no such file.
    fn list(&self, path: &Path) -> Result<Option<String>, Unreadable>;
}

/// The three ways to give one secret: `KEY`, `KEY_file`, `KEY_credential`.
#[derive(Clone, Copy)]
pub(super) struct Ways<'a> {
    /// The key of the secret itself.
    pub key: &'a str,
    /// In the configuration.
    pub inline: Option<&'a At<String>>,
    /// In a file.
    pub file: Option<&'a At<String>>,
    /// In a systemd credential.
    pub credential: Option<&'a At<String>>,
}

impl Ways<'_> {
    /// The offsets of the ways that are used.
    pub(super) fn offsets(&self) -> impl Iterator<Item = usize> {
        [self.inline, self.file, self.credential].into_iter().flatten().map(|at| at.offset)
    }
}
