//! Coarse classes of traffic, for rules about working hours: film, game, chat and so on, by lists that anybody can edit.
//!
//! The walk of a packet: an answer of DNS or the hello of a TLS client says which class a server is of now ([`Lists`]); each
//! packet between one of ours and that server counts for this class, by port where no name was seen ([`Traffic`]); each hour is
//! closed with its shares and the machines that had most of each class ([`Report`]).
//!
//! What is not kept: which site anybody has visited. A name is turned into its class at once and forgotten; of a machine there
//! are octets by class and hour, for a day.

mod hog;
mod list;
mod office;
mod sum;
mod traffic;

pub use hog::Settings as HogSettings;
pub use list::Lists;
pub use office::Office;
pub use sum::{Span, Sum, Talker};
pub use traffic::{Hour, Octets, Report, Top, Traffic};

/// A class of traffic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Films, live pictures, music.
    Film,
    /// Games.
    Game,
    /// Chat and social networks.
    Chat,
    /// Peer-to-peer.
    P2p,
    /// Updates of systems and programs.
    Update,
    /// Mail.
    Mail,
    /// The rest of the web, and work.
    Web,
    /// What no list names.
    #[default]
    Other,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 8] = [Self::Film, Self::Game, Self::Chat, Self::P2p, Self::Update, Self::Mail, Self::Web, Self::Other];

    /// The stable word: of labels, of JSON, and of the file with its list.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Film => "film",
            Self::Game => "game",
            Self::Chat => "chat",
            Self::P2p => "p2p",
            Self::Update => "update",
            Self::Mail => "mail",
            Self::Web => "web",
            Self::Other => "other",
        }
    }

    /// The class of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    const fn place(self) -> usize {
        self as usize
    }
}
