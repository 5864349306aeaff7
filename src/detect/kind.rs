//! The kinds of behaviour that are judged, and how sure the judgement is. The words are stable: they stand in JSON, in rules
//! and in the names of incidents.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A behaviour. The word of each is its rule's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A worm or scanner of TCP ports, by the failures of its contacts.
    TcpScan,
    /// Very many new contacts in seconds, whatever their outcome.
    FastScan,
    /// Very many machines on ports by which worms enter, though they answer.
    Lateral,
    /// Contacts with local addresses where nobody lives.
    DarkContact,
    /// Many ports of one machine.
    PortScan,
    /// ARP requests for very many addresses.
    ArpSweep,
    /// Echo requests to many addresses.
    IcmpSweep,
    /// Unanswered UDP to very many addresses.
    UdpWorm,
    /// Mail straight to very many servers.
    Spam,
    /// Names that do not exist, by the dozen.
    Dga,
    /// Data carried inside names.
    DnsTunnel,
    /// Packets without answer at one target.
    Flood,
    /// Far more of the line than is usual.
    Hog,
    /// Source addresses that are not the sender's.
    SpoofedSource,
    /// A DHCP server that is not ours.
    RogueDhcp,
    /// An IPv6 router that is not ours.
    RogueRa,
    /// Leases asked for until none is left.
    DhcpStarvation,
    /// Another's address claimed: spoofing or a duplicate.
    ArpSpoof,
    /// Broadcast or repeated frames without end.
    Storm,
    /// Log-ins tried one after another.
    PasswordGuessing,
    /// One MAC address on several access ports in turn.
    MacFlap,
    /// A port whose counters are those of a scanner, or of no usual hour.
    PortAnomaly,
    /// Inner and outer network touching.
    ZoneBreach,
    /// A new MAC address on a port that is watched.
    NewMac,
    /// Peer-to-peer: a label, never a virus.
    P2p,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::TcpScan,
        Self::FastScan,
        Self::Lateral,
        Self::DarkContact,
        Self::PortScan,
        Self::ArpSweep,
        Self::IcmpSweep,
        Self::UdpWorm,
        Self::Spam,
        Self::Dga,
        Self::DnsTunnel,
        Self::Flood,
        Self::Hog,
        Self::SpoofedSource,
        Self::RogueDhcp,
        Self::RogueRa,
        Self::DhcpStarvation,
        Self::ArpSpoof,
        Self::Storm,
        Self::PasswordGuessing,
        Self::MacFlap,
        Self::PortAnomaly,
        Self::ZoneBreach,
        Self::NewMac,
        Self::P2p,
    ];

    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TcpScan => "tcp-scan",
            Self::FastScan => "fast-scan",
            Self::Lateral => "lateral",
            Self::DarkContact => "dark-contact",
            Self::PortScan => "port-scan",
            Self::ArpSweep => "arp-sweep",
            Self::IcmpSweep => "icmp-sweep",
            Self::UdpWorm => "udp-worm",
            Self::Spam => "spam",
            Self::Dga => "dga",
            Self::DnsTunnel => "dns-tunnel",
            Self::Flood => "flood",
            Self::Hog => "hog",
            Self::SpoofedSource => "spoofed-source",
            Self::RogueDhcp => "rogue-dhcp",
            Self::RogueRa => "rogue-ra",
            Self::DhcpStarvation => "dhcp-starvation",
            Self::ArpSpoof => "arp-spoof",
            Self::Storm => "storm",
            Self::PasswordGuessing => "password-guessing",
            Self::MacFlap => "mac-flap",
            Self::PortAnomaly => "port-anomaly",
            Self::ZoneBreach => "zone-breach",
            Self::NewMac => "new-mac",
            Self::P2p => "p2p",
        }
    }

    /// The name of the rule under which its findings become incidents: the word, but for a storm of frames, because an
    /// incident called `storm` stands for many others that came at once.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Storm => "broadcast-storm",
            other => other.word(),
        }
    }

    /// The kind whose findings go by this rule.
    pub fn from_rule(rule: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.rule() == rule)
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| serde::de::Error::custom(format_args!("there is no kind `{word}`")))
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How sure a judgement is, from the least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A name for what is seen, without blame (`p2p`).
    Label,
    /// Recorded.
    Suspect,
    /// Mailed.
    Virus,
    /// Two independent rules, or one that held: reason enough to cut the machine off, if it is not protected.
    BlockWorthy,
}

impl Level {
    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Suspect => "suspect",
            Self::Virus => "virus",
            Self::BlockWorthy => "block-worthy",
        }
    }

    /// From the least.
    pub const ALL: [Self; 4] = [Self::Label, Self::Suspect, Self::Virus, Self::BlockWorthy];

    /// The level of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_word_gives_its_kind_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
            assert_eq!(Kind::from_rule(kind.rule()), Some(kind));
        }
    }
}
