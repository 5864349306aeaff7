//! Rule 15: leases asked for until none is left.
//!
//! One machine that sends more than 400 requests in ten seconds is told, whatever addresses they bear, and one that asks for
//! dozens of others, which only relays do. A tool that invents a sender for each request is told by its invention: nearly
//! none of them was ever heard to speak of anything else, and they come from hundreds of makers, where the machines of a
//! building that has its power back come from a few dozen. Its subject is then one of the invented addresses, which the
//! forwarding tables of the switches show at the port where it stands.
//!
//! Facts: `count` (requests), `threshold`, `window`, `targets` (different client addresses seen in them, at most counted to 64
//! for one machine).

use super::settings::Starvation;
use super::tell::{Distinct, Now, Span, detection, evidence, window};
use crate::capture::packet::Packet;
use crate::capture::payload::dhcp::{Kind as Type, Message};
use crate::detect::quick::{Fixed, Mixer, mac_number};
use crate::detect::sight::is_unicast;
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::model::{Fact, MacAddr};

/// Machines whose requests are counted.
const MACHINES: usize = 4096;
/// Senders of one window that are told apart; more than the threshold may be set to.
const SENDERS: usize = 2048;
/// Makers of one window that are told apart.
const MAKERS: usize = 1024;

/// The judge.
#[derive(Debug)]
pub(super) struct StarvationJudge {
    settings: Starvation,
    mixer: Mixer,
    machines: Fixed<Asker>,
    crowd: Crowd,
}

/// One machine that asks.
#[derive(Debug)]
struct Asker {
    requests: u32,
    clients: Distinct<64>,
    span: Span,
}

/// All that ask, in the window at hand.
#[derive(Debug)]
struct Crowd {
    span: Option<Span>,
    senders: Marks,
    /// Of these, machines that were never heard to speak of anything else.
    strangers: u32,
    makers: Marks,
    /// Whom it is told of, as long as it goes on.
    machine: Option<Machine>,
}

impl StarvationJudge {
    pub(super) fn new(settings: Starvation, seed: u64) -> Self {
        let crowd = Crowd { span: None, senders: Marks::new(SENDERS), strangers: 0, makers: Marks::new(MAKERS), machine: None };
        Self { settings, mixer: Mixer::new(seed ^ 0x7374_6172), machines: Fixed::new(MACHINES), crowd }
    }

    pub(super) const fn set_settings(&mut self, settings: Starvation) {
        self.settings = settings;
    }

    pub(super) fn message(&mut self, packet: &Packet<'_>, message: &Message, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let asks = !message.is_reply && matches!(message.kind, Type::Discover | Type::Request | Type::Other(0));
        let Some(mac) = packet.src_mac.filter(|_| asks && message.relay.is_unspecified()) else { return };
        if sight.is_router(mac) {
            return;
        }
        self.one(packet, mac, message, now, out);
        self.all(packet, mac, now, sight, out);
    }

    fn one(&mut self, packet: &Packet<'_>, mac: MacAddr, message: &Message, now: Now, out: &mut Vec<Detection>) {
        let (settings, mixer) = (self.settings, self.mixer);
        let fresh = || Asker { requests: 0, clients: Distinct::new(), span: Span::new(now) };
        let Some(asker) = self.machines.entry(mixer.one(0, mac_number(mac)), now.second(), fresh) else { return };
        if asker.span.is_over(now, settings.window_s) {
            *asker = fresh();
        }
        asker.requests = asker.requests.saturating_add(1);
        asker.clients.insert(mixer.one(1, message.client.map_or(0, mac_number)));
        let requests = u64::from(asker.requests);
        let many = asker.requests > settings.requests || asker.clients.count() >= u32::from(settings.clients);
        if many && asker.span.is_due(now, requests) {
            let machine = Machine { ip: None, mac: Some(mac), vlan: packet.vlan };
            let facts = facts(&settings, requests, asker.clients.count());
            out.push(detection(Kind::DhcpStarvation, Level::Virus, machine, now, &asker.span, requests, facts));
        }
    }

    fn all(&mut self, packet: &Packet<'_>, mac: MacAddr, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let (settings, mixer, crowd) = (self.settings, self.mixer, &mut self.crowd);
        let span = crowd.span.get_or_insert_with(|| Span::new(now));
        if span.is_over(now, settings.window_s) {
            *span = Span::new(now);
            if crowd.senders.count() <= settings.requests {
                crowd.machine = None;
            }
            crowd.senders.clear();
            crowd.strangers = 0;
            crowd.makers.clear();
        }
        if crowd.senders.insert(mixer.one(0, mac_number(mac))) && !sight.has_spoken(mac) {
            crowd.strangers += 1;
        }
        // Addresses that are given locally (telephones do) have no maker; those of groups belong to nobody.
        if is_unicast(mac) && mac.0[0] & 2 == 0 {
            crowd.makers.insert(mixer.one(1, mac_number(mac) >> 24));
        }
        let senders = crowd.senders.count();
        let invented = crowd.makers.count() > u32::from(settings.makers) && crowd.strangers >= senders - senders / 10;
        if senders > settings.requests && invented && span.is_due(now, u64::from(senders)) {
            let machine = *crowd.machine.get_or_insert(Machine { ip: None, mac: Some(mac), vlan: packet.vlan });
            let facts = facts(&settings, u64::from(senders), senders);
            out.push(detection(Kind::DhcpStarvation, Level::Virus, machine, now, span, u64::from(senders), facts));
        }
    }
}

fn facts(settings: &Starvation, requests: u64, clients: u32) -> crate::model::Evidence {
    evidence([
        ("count", Fact::Count(requests)),
        ("threshold", Fact::Count(u64::from(settings.requests))),
        ("window", window(settings.window_s)),
        ("targets", Fact::Count(u64::from(clients))),
    ])
}

/// A set of hashes of a fixed size that counts what is new, by open addressing; a full one counts no more.
#[derive(Debug)]
struct Marks {
    places: Vec<u64>,
    count: u32,
}

impl Marks {
    fn new(places: usize) -> Self {
        Self { places: vec![0; places.next_power_of_two()], count: 0 }
    }

    const fn count(&self) -> u32 {
        self.count
    }

    /// Whether it is new; it is counted then.
    fn insert(&mut self, hash: u64) -> bool {
        let hash = hash | 1;
        let mask = self.places.len() - 1;
        for step in 0..16 {
            let Some(place) = self.places.get_mut(((hash >> 16) as usize + step) & mask) else { return false };
            if *place == hash {
                return false;
            }
            if *place == 0 {
                *place = hash;
                self.count += 1;
                return true;
            }
        }
        false
    }

    fn clear(&mut self) {
        self.places.fill(0);
        self.count = 0;
    }
}
