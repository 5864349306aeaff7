//! Rule 14: a DHCP server that is not ours.
//!
//! Where the site lists its servers, an offer of any other is told at its first packet. Where it does not, the first server that
//! is heard on a VLAN is believed, and a second one told: a suspect, and more than that when it names another gateway.
//!
//! Facts: `server` (its address), `claimed` (the gateway it names), `count` (its answers), `sample` (addresses that it gave).

use std::net::{IpAddr, Ipv4Addr};

use super::claim::is_named_router;
use super::tell::{Now, Sample, Span, detection, evidence};
use crate::capture::packet::{Ip, Packet};
use crate::capture::payload::dhcp::{Kind as Type, Message};
use crate::detect::quick::{Fixed, Mixer, mac_number, number};
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::model::{Fact, MacAddr};

/// VLANs with a server of their own.
const VLANS: usize = 4096;
/// Servers that are not ours.
const OFFENDERS: usize = 256;

/// The judge.
#[derive(Debug)]
pub(super) struct LeaseJudge {
    mixer: Mixer,
    believed: Fixed<Believed>,
    offenders: Fixed<Offender>,
}

#[derive(Clone, Copy, Debug)]
struct Believed {
    server: IpAddr,
    mac: Option<MacAddr>,
    router: Option<Ipv4Addr>,
}

#[derive(Debug)]
struct Offender {
    answers: u64,
    given: Sample,
    span: Span,
}

impl LeaseJudge {
    pub(super) fn new(seed: u64) -> Self {
        Self { mixer: Mixer::new(seed ^ 0x6c65_6173), believed: Fixed::new(VLANS), offenders: Fixed::new(OFFENDERS) }
    }

    pub(super) fn message(
        &mut self,
        packet: &Packet<'_>,
        ip: &Ip<'_>,
        message: &Message,
        now: Now,
        sight: &Sight,
        out: &mut Vec<Detection>,
    ) {
        let gives = match message.kind {
            Type::Offer | Type::Ack | Type::Other(0) => !message.given.is_unspecified(),
            // Where from to boot, and answers to those who have an address: nothing is given.
            Type::Nak => true,
            Type::Discover | Type::Request | Type::Other(_) => false,
        };
        let server = message.server.map_or(ip.src, IpAddr::V4);
        let listed = sight.is_dhcp(Some(server), packet.src_mac) || sight.is_dhcp(Some(ip.src), None);
        if !message.is_reply || !gives || listed || server.is_unspecified() {
            return;
        }
        // A relay passes on what a server elsewhere gives, and that one is judged where it stands.
        let relayed = !message.relay.is_unspecified() && packet.src_mac.is_none_or(|mac| sight.is_router(mac));
        if relayed || packet.src_mac.is_some_and(|mac| is_named_router(mac, sight)) {
            return;
        }
        let level = if sight.knows_dhcp() { Some(Level::Virus) } else { self.weigh(packet, server, message, now) };
        if let Some(level) = level {
            self.tell(packet, server, message, level, now, out);
        }
    }

    /// Where no list is: the first is believed.
    fn weigh(&mut self, packet: &Packet<'_>, server: IpAddr, message: &Message, now: Now) -> Option<Level> {
        let key = self.mixer.one(0, packet.vlan.map_or(0, |vlan| u64::from(vlan) + 1));
        let (mac, router) = (packet.src_mac, message.router);
        let believed = self.believed.entry(key, now.second(), || Believed { server, mac, router })?;
        if believed.server == server || (mac.is_some() && believed.mac == mac) {
            believed.router = believed.router.or(router);
            return None;
        }
        let other_way = matches!((believed.router, router), (Some(ours), Some(theirs)) if ours != theirs);
        Some(if other_way { Level::Virus } else { Level::Suspect })
    }

    fn tell(&mut self, packet: &Packet<'_>, server: IpAddr, message: &Message, level: Level, now: Now, out: &mut Vec<Detection>) {
        let key = packet.src_mac.map_or_else(|| self.mixer.one(number(server), 1), |mac| self.mixer.one(0, mac_number(mac)));
        let fresh = || Offender { answers: 0, given: Sample::default(), span: Span::new(now) };
        let Some(offender) = self.offenders.entry(key, now.second(), fresh) else { return };
        offender.answers += 1;
        if !message.given.is_unspecified() {
            offender.given.add(|| message.given.to_string());
        }
        if !offender.span.is_due(now, offender.answers) {
            return;
        }
        let mut facts = evidence([
            ("server", Fact::Text(server.to_string())),
            ("count", Fact::Count(offender.answers)),
            ("sample", offender.given.fact()),
        ]);
        if let Some(router) = message.router {
            facts.insert("claimed".to_owned(), Fact::Text(router.to_string()));
        }
        let machine = Machine { ip: Some(server), mac: packet.src_mac, vlan: packet.vlan };
        out.push(detection(Kind::RogueDhcp, level, machine, now, &offender.span, offender.answers, facts));
    }
}
