//! What is peculiar about a case, by a word that each language has a sentence for.

use std::fmt;

/// What is written into [`super::Case::note`]; anything else there is what a device said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// The program ended before it was set; the gate is asked again.
    NotSet,
    /// The switch does not have the VLAN that the port is to go into.
    NoVlan,
    /// The device took the change and did not make it.
    NotMade,
    /// The switch has restarted without it.
    Restarted,
    /// Somebody has changed it by hand.
    ByHand,
    /// Nothing was held any more when it was to be given back.
    NothingHeld,
    /// Other cases hold the port still.
    HeldByOthers,
    /// There was nothing to put back.
    NothingBack,
    /// It was as before already.
    AsBefore,
    /// It was changed by hand meanwhile, and is left so.
    LeftChanged,
    /// Ten minutes after the release it is not as it was given back.
    NotAsGiven,
}

impl Note {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NotSet,
        Self::NoVlan,
        Self::NotMade,
        Self::Restarted,
        Self::ByHand,
        Self::NothingHeld,
        Self::HeldByOthers,
        Self::NothingBack,
        Self::AsBefore,
        Self::LeftChanged,
        Self::NotAsGiven,
    ];

    /// The word, as in evidence and in the words' keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotSet => "not-set",
            Self::NoVlan => "no-vlan",
            Self::NotMade => "not-made",
            Self::Restarted => "restarted",
            Self::ByHand => "by-hand",
            Self::NothingHeld => "nothing-held",
            Self::HeldByOthers => "held-by-others",
            Self::NothingBack => "nothing-back",
            Self::AsBefore => "as-before",
            Self::LeftChanged => "left-changed",
            Self::NotAsGiven => "not-as-given",
        }
    }

    /// The note that a text is.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|note| note.to_string() == text)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSet => "it was not set before the program ended; asked again",
            Self::NoVlan => "the switch does not have that VLAN; nothing was set",
            Self::NotMade => "the device took the change and did not make it",
            Self::Restarted => "the switch has restarted without it",
            Self::ByHand => "somebody has changed it by hand",
            Self::NothingHeld => "nothing was held any more",
            Self::HeldByOthers => "other cases hold the port still",
            Self::NothingBack => "there was nothing to put back",
            Self::AsBefore => "it was as before already",
            Self::LeftChanged => "the port was changed by hand meanwhile and is left so",
            Self::NotAsGiven => "ten minutes after the release the port is not as it was given back",
        })
    }
}
