//! How sure a judgement is: what each behaviour weighs alone, held, and together with another.

use crate::detect::settings::Levels;
use crate::detect::{Kind, Level};

/// How sure a rule of contacts is when it first speaks.
pub(super) const fn first(kind: Kind) -> Level {
    match kind {
        Kind::FastScan | Kind::Lateral | Kind::UdpWorm | Kind::Flood | Kind::SpoofedSource | Kind::Spam => Level::Virus,
        Kind::P2p => Level::Label,
        _ => Level::Suspect,
    }
}

/// What the rule looks at. Two rules of one family are not independent; a behaviour without family is no sign of a virus.
pub(super) const fn family(kind: Kind) -> Option<u8> {
    match kind {
        Kind::TcpScan | Kind::DarkContact => Some(0),
        Kind::FastScan | Kind::UdpWorm => Some(1),
        Kind::Lateral => Some(2),
        Kind::PortScan => Some(3),
        Kind::ArpSweep => Some(4),
        Kind::IcmpSweep => Some(5),
        Kind::Spam => Some(6),
        Kind::Dga | Kind::DnsTunnel => Some(7),
        Kind::Flood | Kind::SpoofedSource => Some(8),
        Kind::ArpSpoof => Some(9),
        Kind::PasswordGuessing => Some(10),
        Kind::Hog
        | Kind::RogueDhcp
        | Kind::RogueRa
        | Kind::DhcpStarvation
        | Kind::Storm
        | Kind::MacFlap
        | Kind::PortAnomaly
        | Kind::ZoneBreach
        | Kind::NewMac
        | Kind::P2p => None,
    }
}

/// The least level of each when these stand against one machine: two independent rules are reason enough.
pub(super) fn together(standing: &[Kind]) -> Level {
    let families: std::collections::BTreeSet<u8> = standing.iter().filter_map(|kind| family(*kind)).collect();
    if families.len() >= 2 { Level::BlockWorthy } else { Level::Suspect }
}

/// The level that a behaviour has by lasting: twice the contacts make a suspect a virus; the rules of worms, held for a while,
/// are reason to cut the machine off.
pub(super) fn held(kind: Kind, levels: &Levels, lasted_s: u32, contacts: u64, contacts_raised: u64) -> Level {
    let worm = matches!(kind, Kind::TcpScan | Kind::FastScan | Kind::UdpWorm | Kind::Lateral);
    let grown = contacts.saturating_sub(contacts_raised);
    if worm && lasted_s >= levels.held_s && grown >= u64::from(levels.held_contacts) {
        Level::BlockWorthy
    } else if family(kind).is_some() && contacts_raised > 0 && contacts >= contacts_raised.saturating_mul(2) {
        Level::Virus
    } else {
        Level::Suspect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rules_of_one_family_are_one() {
        assert_eq!(together(&[Kind::TcpScan, Kind::DarkContact]), Level::Suspect);
        assert_eq!(together(&[Kind::TcpScan, Kind::Hog, Kind::P2p]), Level::Suspect);
        assert_eq!(together(&[Kind::TcpScan, Kind::Lateral]), Level::BlockWorthy);
    }

    #[test]
    fn a_worm_that_lasts_is_reason_to_block_it() {
        let levels = Levels::default();
        assert_eq!(held(Kind::TcpScan, &levels, 10, 17, 10), Level::BlockWorthy);
        assert_eq!(held(Kind::TcpScan, &levels, 9, 17, 10), Level::Suspect);
        assert_eq!(held(Kind::TcpScan, &levels, 10, 16, 10), Level::Suspect);
        assert_eq!(held(Kind::IcmpSweep, &levels, 60, 30, 15), Level::Virus);
        assert_eq!(held(Kind::Storm, &levels, 60, 30_000, 15), Level::Suspect);
    }
}
