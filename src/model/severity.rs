//! How much something matters.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much an incident matters, from the least. The words are ITU-T X.733's where it has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to do (提示).
    Info,
    /// To be looked at in working hours (一般).
    Minor,
    /// People are affected (重要).
    Major,
    /// Many people are affected, or everything is (严重).
    Critical,
}

impl Severity {
    /// From the least to the most.
    pub const ALL: [Self; 4] = [Self::Info, Self::Minor, Self::Major, Self::Critical];

    /// The word of configuration, JSON and the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// A word that is no severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the severities are info, minor, major and critical")]
pub struct UnknownSeverity;

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(word: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL.into_iter().find(|severity| severity.word() == word).ok_or(UnknownSeverity)
    }
}
