//! An IPv6 router that is not ours (RFC 6104): it offers itself as the way out, and everybody follows.
//!
//! Where the site names its routers, an offer of any other is told at its first packet. Where it does not, the first on a VLAN
//! is believed, and a second one told as a suspect. A router that takes its offer back (lifetime 0) offers nothing.
//!
//! Facts: `server` (its link-local address), `claimed` (the prefix that it gives), `count` (its offers).

use super::claim::is_named_router;
use super::tell::{Now, Span, detection, evidence};
use crate::capture::packet::{Icmp, Ip, Packet};
use crate::capture::payload::nd::{self, Message};
use crate::detect::quick::{Fixed, Mixer, mac_number};
use crate::detect::sight::{is_unicast, is_virtual};
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::model::{Fact, MacAddr};

/// VLANs with a router of their own.
const VLANS: usize = 4096;
/// Routers that are not ours.
const OFFENDERS: usize = 256;

/// The judge.
#[derive(Debug)]
pub(super) struct RouterJudge {
    mixer: Mixer,
    believed: Fixed<MacAddr>,
    offenders: Fixed<Offender>,
}

#[derive(Debug)]
struct Offender {
    offers: u64,
    span: Span,
}

impl RouterJudge {
    pub(super) fn new(seed: u64) -> Self {
        Self { mixer: Mixer::new(seed ^ 0x726f_7574), believed: Fixed::new(VLANS), offenders: Fixed::new(OFFENDERS) }
    }

    pub(super) fn message(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, icmp: &Icmp<'_>, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let Some(mac) = packet.src_mac.filter(|mac| is_unicast(*mac) && !is_virtual(*mac)) else { return };
        let Some(Message::RouterAdvertisement { lifetime_s: 1.., prefix, .. }) = Message::parse(icmp.kind, icmp.data) else { return };
        if ip.hops != nd::HOPS || is_named_router(mac, sight) || sight.is_gateway(ip.src) {
            return;
        }
        let level = if is_named(sight) { Some(Level::Virus) } else { self.weigh(mac, packet.vlan, now) };
        let Some(level) = level else { return };
        let fresh = || Offender { offers: 0, span: Span::new(now) };
        let Some(offender) = self.offenders.entry(self.mixer.one(0, mac_number(mac)), now.second(), fresh) else { return };
        offender.offers += 1;
        if !offender.span.is_due(now, offender.offers) {
            return;
        }
        let mut facts = evidence([("server", Fact::Text(ip.src.to_string())), ("count", Fact::Count(offender.offers))]);
        if let Some((prefix, length)) = prefix {
            facts.insert("claimed".to_owned(), Fact::Text(format!("{prefix}/{length}")));
        }
        let machine = Machine { ip: Some(ip.src), mac: Some(mac), vlan: packet.vlan };
        out.push(detection(Kind::RogueRa, level, machine, now, &offender.span, offender.offers, facts));
    }

    fn weigh(&mut self, mac: MacAddr, vlan: Option<u16>, now: Now) -> Option<Level> {
        let key = self.mixer.one(1, vlan.map_or(0, |vlan| u64::from(vlan) + 1));
        let believed = self.believed.entry(key, now.second(), || mac)?;
        (*believed != mac).then_some(Level::Suspect)
    }
}

/// Whether the site names any router.
fn is_named(sight: &Sight) -> bool {
    !sight.site().routers.is_empty() || sight.site().gateways.iter().any(|(_, mac)| mac.is_some())
}
