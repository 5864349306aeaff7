//! Rule 16: an address that two machines claim, by ARP or by IPv6 neighbour discovery: spoofing, or a duplicate.
//!
//! A gateway's address claimed by anybody but a router is told at once. Any other address is told when it has changed hands
//! between the same two MAC addresses twice within ten minutes: a machine that moves once changes them once. Of the two, one
//! that says so unasked while the other does not is the spoofer; else it is a duplicate, and both are told. Where a reply may
//! have met a question by chance, that waits for one more change.
//!
//! Facts: `claimed` (the address), `server` (the MAC address that holds it too), `count` (changes of hands), `threshold`, `window`.

use std::net::IpAddr;

use super::settings::Claims;
use super::tell::{Now, Span, detection, evidence, window};
use crate::capture::packet::{Arp, Body, Icmp, Ip, Packet};
use crate::capture::payload::nd;
use crate::detect::quick::{Fixed, Mixer, number};
use crate::detect::sight::{is_unicast, is_unicast_ip, is_virtual};
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::model::{Fact, MacAddr};

/// Addresses that are remembered.
const ADDRESSES: usize = 32_768;

/// The judge.
#[derive(Debug)]
pub(super) struct ClaimJudge {
    settings: Claims,
    mixer: Mixer,
    claims: Fixed<Claim>,
}

/// Who has an address.
#[derive(Clone, Copy, Debug)]
struct Claim {
    holder: Side,
    rival: Option<Side>,
    /// Who had it first.
    first: MacAddr,
    flips: u16,
    asked_ms: u64,
    span: Span,
}

/// One who claims.
#[derive(Clone, Copy, Debug)]
struct Side {
    mac: MacAddr,
    /// Who sent the frame in which it was claimed.
    by: MacAddr,
    /// How often nobody had asked.
    unasked: u8,
    /// Whether it was the reply to one that had asked, perhaps by chance.
    replied: bool,
}

/// In which way it is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// As the sender of a question, or in a reply to one.
    Plain,
    /// To everybody.
    Announced,
    /// To one who had not asked.
    Unasked,
}

/// One claim.
struct Word {
    ip: IpAddr,
    mac: MacAddr,
    way: Way,
    /// A reply to a question: what proxies of routers send.
    is_answer: bool,
}

impl ClaimJudge {
    pub(super) fn new(settings: Claims, seed: u64) -> Self {
        Self { settings, mixer: Mixer::new(seed ^ 0x636c_6169), claims: Fixed::new(ADDRESSES) }
    }

    pub(super) const fn set_settings(&mut self, settings: Claims) {
        self.settings = settings;
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        match &packet.body {
            Body::Arp(arp) => self.arp(packet, arp, now, sight, out),
            Body::Ip(_) | Body::Other(..) => {}
        }
    }

    fn arp(&mut self, packet: &Packet<'_>, arp: &Arp, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let sender = IpAddr::V4(arp.sender);
        let own = arp.sender == arp.target;
        let to_all = packet.dst_mac.is_none_or(|mac| !is_unicast(mac));
        let is_answer = arp.operation == 2 && !to_all && !own;
        let way = match (arp.operation, own || to_all) {
            (1, _) if !own => Way::Plain,
            (_, true) => Way::Announced,
            (_, false) if self.was_asked(sender, packet.vlan, now) => Way::Plain,
            (_, false) => Way::Unasked,
        };
        self.claim(packet, &Word { ip: sender, mac: arp.sender_mac, way, is_answer }, now, sight, out);
        if arp.operation == 1 && !own {
            self.ask(IpAddr::V4(arp.target), packet.vlan, now);
        }
    }

    /// A message of neighbour discovery.
    pub(super) fn neighbour(
        &mut self,
        packet: &Packet<'_>,
        ip: &Ip<'_>,
        icmp: &Icmp<'_>,
        now: Now,
        sight: &Sight,
        out: &mut Vec<Detection>,
    ) {
        let (Some(message), nd::HOPS, Some(source)) = (nd::Message::parse(icmp.kind, icmp.data), ip.hops, packet.src_mac) else { return };
        match message {
            nd::Message::NeighbourSolicitation { target, mac } => {
                if let Some(mac) = mac {
                    self.claim(packet, &Word { ip: ip.src, mac, way: Way::Plain, is_answer: false }, now, sight, out);
                }
                self.ask(IpAddr::V6(target), packet.vlan, now);
            }
            // Without the override flag it is a proxy's, or one of many that share an address (RFC 4861, 7.2.4 and 7.2.7).
            nd::Message::NeighbourAdvertisement { target, solicited, overrides: true, mac, .. } => {
                let target = IpAddr::V6(target);
                let way = match (ip.dst.is_multicast(), solicited || self.was_asked(target, packet.vlan, now)) {
                    (true, _) => Way::Announced,
                    (false, true) => Way::Plain,
                    (false, false) => Way::Unasked,
                };
                let mac = mac.unwrap_or(source);
                self.claim(packet, &Word { ip: target, mac, way, is_answer: false }, now, sight, out);
            }
            nd::Message::NeighbourAdvertisement { .. } | nd::Message::RouterAdvertisement { .. } => {}
        }
    }

    fn key(&self, ip: IpAddr, vlan: Option<u16>) -> u64 {
        self.mixer.one(number(ip), vlan.map_or(0, |vlan| u64::from(vlan) + 1))
    }

    fn ask(&mut self, ip: IpAddr, vlan: Option<u16>, now: Now) {
        let key = self.key(ip, vlan);
        // Only of addresses that somebody has: a sweep asks for thousands that nobody has.
        if let Some(claim) = self.claims.find(key) {
            claim.asked_ms = now.ms;
        }
    }

    fn was_asked(&mut self, ip: IpAddr, vlan: Option<u16>, now: Now) -> bool {
        let (key, asked_ms) = (self.key(ip, vlan), u64::from(self.settings.asked_ms));
        // Of an address that was never heard of it is not known whether somebody asked.
        self.claims.find(key).is_none_or(|claim| now.ms.saturating_sub(claim.asked_ms) <= asked_ms)
    }

    fn claim(&mut self, packet: &Packet<'_>, word: &Word, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let &Word { ip, mac, way, is_answer } = word;
        let counts = is_unicast_ip(ip) && mac.0 != [0; 6] && is_unicast(mac) && !is_virtual(mac) && !is_cluster(mac);
        // Routers answer for others whom they reach (proxy ARP, RFC 1027).
        if !counts || (is_answer && way == Way::Plain && sight.is_router(mac) && !sight.is_gateway(ip)) {
            return;
        }
        let by = packet.src_mac.filter(|by| is_unicast(*by) && !is_virtual(*by) && !sight.is_router(*by)).unwrap_or(mac);
        let side = Side { mac, by, unasked: u8::from(way == Way::Unasked), replied: is_answer && way == Way::Plain };
        let key = self.key(ip, packet.vlan);
        let settings = self.settings;
        // Whoever is heard of first may have been asked before anything was known of the address.
        let fresh =
            Claim { holder: Side { unasked: 0, ..side }, rival: None, first: mac, flips: 0, asked_ms: now.ms, span: Span::new(now) };
        let Some(claim) = self.claims.entry(key, now.second(), || fresh) else { return };
        let gateway = sight.is_gateway(ip);
        if gateway && sight.gateway_mac(ip).is_some_and(|known| known != mac) {
            if !is_named_router(mac, sight) {
                claim.flips = claim.flips.saturating_add(1);
                let rival = sight.gateway_mac(ip).unwrap_or(mac);
                tell(claim, &settings, Level::Virus, &side, rival, (ip, packet.vlan), now, out);
            }
            return;
        }
        if claim.holder.mac == mac {
            claim.holder.unasked = claim.holder.unasked.saturating_add(side.unasked);
            return;
        }
        let before = std::mem::replace(&mut claim.holder, side);
        let returns = claim.rival.is_some_and(|rival| rival.mac == mac);
        if let Some(rival) = claim.rival.filter(|_| returns) {
            claim.holder.unasked = claim.holder.unasked.saturating_add(rival.unasked);
        }
        if !returns || claim.span.is_over(now, settings.window_s) {
            claim.flips = 0;
            claim.span = Span::new(now);
        }
        claim.rival = Some(before);
        claim.flips = claim.flips.saturating_add(1);
        let now_holds = claim.holder;
        if gateway && !is_named_router(mac, sight) {
            // Its own address is not known: the one that comes second is told.
            tell(claim, &settings, Level::Virus, &now_holds, before.mac, (ip, packet.vlan), now, out);
        } else if claim.flips >= settings.flips {
            let blamed = blamed(claim, &settings, before, sight);
            if !blamed.is_empty() && claim.span.is_due(now, u64::from(claim.flips)) {
                for (side, other, level) in blamed {
                    // A router that takes its gateway's address back is the victim.
                    if !(gateway && is_named_router(side.mac, sight)) {
                        say(claim, &settings, level, &side, other.mac, (ip, packet.vlan), now, out);
                    }
                }
            }
        }
    }
}

/// Who of the two that claim one address is told of, and how surely: the one that whispers, or both. Nobody as long as it may be
/// that somebody had asked by chance just before.
fn blamed(claim: &Claim, settings: &Claims, before: Side, sight: &Sight) -> Vec<(Side, Side, Level)> {
    let holds = claim.holder;
    // Where no gateway is named: through whom all went before somebody else claimed his address is the victim.
    let victim = |side: &Side| side.mac == claim.first && sight.is_router(side.mac);
    let whispers = |one: &Side, other: &Side| one.unasked > other.unasked.saturating_mul(2);
    if victim(&before) || (whispers(&holds, &before) && !victim(&holds)) {
        vec![(holds, before, Level::Virus)]
    } else if victim(&holds) || whispers(&before, &holds) {
        vec![(before, holds, Level::Virus)]
    } else if claim.flips > settings.flips || !(holds.replied || before.replied) {
        vec![(holds, before, Level::Suspect), (before, holds, Level::Suspect)]
    } else {
        Vec::new()
    }
}

#[expect(clippy::too_many_arguments, reason = "all of them are parts of one sentence")]
fn tell(
    claim: &mut Claim,
    settings: &Claims,
    level: Level,
    side: &Side,
    other: MacAddr,
    at: (IpAddr, Option<u16>),
    now: Now,
    out: &mut Vec<Detection>,
) {
    if claim.span.is_due(now, u64::from(claim.flips)) {
        say(claim, settings, level, side, other, at, now, out);
    }
}

#[expect(clippy::too_many_arguments, reason = "all of them are parts of one sentence")]
fn say(
    claim: &Claim,
    settings: &Claims,
    level: Level,
    side: &Side,
    other: MacAddr,
    (ip, vlan): (IpAddr, Option<u16>),
    now: Now,
    out: &mut Vec<Detection>,
) {
    let facts = evidence([
        ("claimed", Fact::Text(ip.to_string())),
        ("server", Fact::Text(other.to_string())),
        ("count", Fact::Count(u64::from(claim.flips))),
        ("threshold", Fact::Count(u64::from(if level == Level::Virus { 1 } else { settings.flips }))),
        ("window", window(settings.window_s)),
    ]);
    let machine = Machine { ip: Some(ip), mac: Some(side.by), vlan };
    out.push(detection(Kind::ArpSpoof, level, machine, now, &claim.span, u64::from(claim.flips), facts));
}

/// Whether the site itself names it a router: what was learnt from traffic may be the spoofer, who gets everybody's frames.
pub(super) fn is_named_router(mac: MacAddr, sight: &Sight) -> bool {
    let site = sight.site();
    site.routers.contains(&mac) || site.gateways.iter().any(|(_, known)| *known == Some(mac))
}

/// The address of a cluster of Windows servers (network load balancing), in its unicast form.
const fn is_cluster(mac: MacAddr) -> bool {
    matches!(mac.0, [0x02, 0xbf, ..])
}
