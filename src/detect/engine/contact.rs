//! Who contacts whom, and what comes of it. A contact is charged to the one who makes it; answers, refusals and what a flood's
//! victim sends back charge nobody.
//!
//! The walk of a contact: its pair is new in [`Pairs`] → it counts in the windows of its machine → its outcome is awaited →
//! an answer, a refusal or the end of the wait moves the machine's walk → the rules of [`judge`](super::judge) look at it.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::capture::packet::{Nanos, Packet};
use crate::detect::quick::{Fixed, Mixer, Recent, address, number};
use crate::detect::settings::Settings;
use crate::detect::sight::Sight;
use crate::detect::{Detection, Kind, Machine};
use crate::flow::record::Record;

use super::host::{Host, is_service};
use super::outage::Outages;
use super::pairs::{Pairs, State};
use super::pending::{Awaited, Class, Pending};
use super::sample::Samples;
use super::talks::Talks;
use super::verticals::Verticals;
use super::window::TICKS;

/// As a power of a walk's bound.
const HALF: f32 = 0.5;
/// What is looked at again a little later waits here, at most so many.
const REVIEWS: usize = 4096;
/// What tells keys of pairs apart that are no contacts.
const HOST: u64 = 1 << 32;
const LATERAL: u64 = 2 << 32;
const MAIL: u64 = 3 << 32;
const VERTICAL: u64 = 4 << 32;
pub(super) const TALK: u64 = 5 << 32;
const VERTICAL_UDP: u64 = 6 << 32;
/// Ports to which traceroute sends, a new one for each router on the way.
const TRACES: std::ops::RangeInclusive<u16> = 33_434..=33_534;
/// Ports where mail is taken and fetched. Who accepts that is a mail server, where the site names none.
const MAIL_PORTS: [u16; 7] = [25, 110, 143, 465, 587, 993, 995];
/// Local machines that were seen to serve, for each service.
const SERVERS: usize = 2048;
const NAMES: u64 = 7 << 32;
/// Where a capture begins amid a burst, of its first ticks only the repeated SYNs are seen, those without answer.
const AMID: u32 = TICKS * 5;
/// A TCP contact without answer after so many ticks makes a witness of an outage, though it has not failed yet.
const WITNESS: u32 = TICKS;

/// The time in the forms that the tables use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// The wire's time.
    pub(super) at: Nanos,
    /// The stamp of the last packet: at the end of a file time goes on without packets.
    pub(super) last: Nanos,
    /// Sixteenths of a second of the engine's clock.
    pub(super) tick: u32,
    /// Seconds of the engine's clock.
    pub(super) second: u32,
}

impl Now {
    /// The wire's time of a tick.
    pub(super) fn wire(&self, tick: u32) -> Nanos {
        let ago = u64::from(self.tick.saturating_sub(tick)) * (1_000_000_000 / u64::from(TICKS));
        Nanos(self.at.0.saturating_sub(ago)).min(self.last)
    }
}

/// The scene of a judgement: when, in the light of what, and to whom it is said.
pub(super) struct Scene<'a> {
    pub(super) now: Now,
    pub(super) sight: &'a Sight,
    pub(super) out: &'a mut Vec<Detection>,
}

/// What the mirror shows, and what it does not.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    contacts: u32,
    initiators: u32,
    replies: u32,
    /// Connections accepted by SYN-ACK, and those known to be accepted only by what the initiator sent next.
    accepted: u32,
    pub(super) inferred: u32,
    /// ARP requests for addresses, and how many were seen answered.
    pub(super) asked: u32,
    pub(super) told: u32,
}

impl Mirror {
    /// A SYN-ACK was seen. Long ago counts half, so that a mirror that changes is noticed.
    pub(super) fn accept(&mut self) {
        if self.accepted >= 1024 {
            (self.accepted, self.inferred) = (self.accepted / 2, self.inferred / 2);
        }
        self.accepted += 1;
    }

    /// Whether answers are seen as a rule.
    pub(super) const fn shows_both(&self) -> bool {
        self.accepted >= 16 && self.accepted / 4 >= self.inferred
    }
}

/// What is looked at again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Review {
    Vertical(u64),
    Echo(u64),
    FastUdp(u64),
    Flood { talk: u64, host: u64, to: IpAddr, port: u16 },
    Packets { talk: u64, class: u64, host: u64, to: IpAddr, port: u16 },
}

/// The tables of contacts.
#[derive(Debug)]
pub(super) struct Contacts {
    pub(super) settings: Settings,
    pub(super) mixer: Mixer,
    pub(super) pairs: Pairs,
    pending: Pending,
    pub(super) hosts: Fixed<Host>,
    outages: Outages,
    pub(super) samples: Samples,
    pub(super) verticals: Verticals,
    pub(super) talks: Talks,
    /// Directions of conversations of which a packet was looked at within the last seconds.
    pub(super) memo: Recent,
    /// What was said within this second.
    pub(super) saying: Recent,
    pub(super) mirror: Mirror,
    reviews: VecDeque<(u32, Review)>,
    /// Local machines that serve mail and names.
    servers: Fixed<()>,
}

/// A first contact on its way through the rules.
pub(super) struct First {
    pub(super) host: u64,
    pub(super) pair: u64,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) port: u16,
    pub(super) class: Class,
}

impl Contacts {
    pub(super) fn new(settings: &Settings, mixer: Mixer) -> Self {
        let (sizes, contact) = (settings.sizes, settings.contact);
        let ticks = |ms: u32| ms.saturating_mul(TICKS) / 1000;
        let waits = [ticks(contact.tcp_ms), ticks(contact.udp_ms), ticks(contact.icmp_ms), ticks(contact.arp_ms)];
        Self {
            mixer,
            pairs: Pairs::new(sizes.pairs, contact.memory_s),
            pending: Pending::new(sizes.pending, waits),
            hosts: Fixed::new(sizes.hosts as usize),
            outages: Outages::new(settings.outage, mixer),
            samples: Samples::new(sizes.samples),
            verticals: Verticals::new(settings.port_scan),
            talks: Talks::new(settings.flood.clone(), settings.guessing.clone()),
            memo: Recent::new(32_768),
            saying: Recent::new(4096),
            mirror: Mirror::default(),
            reviews: VecDeque::new(),
            servers: Fixed::new(SERVERS),
            settings: settings.clone(),
        }
    }

    pub(super) fn set_settings(&mut self, settings: &Settings) {
        self.outages.set_settings(settings.outage);
        self.verticals.set_settings(settings.port_scan);
        self.talks.set_settings(settings.flood.clone(), settings.guessing.clone());
        // Tables have their sizes and waits from the start.
        let (sizes, contact) = (self.settings.sizes, self.settings.contact);
        self.settings = Settings { sizes, contact, ..settings.clone() };
    }

    /// Contacts whose outcome nobody waited for because too many were open.
    pub(super) const fn given_up(&self) -> u64 {
        self.pending.given_up()
    }

    /// Whether the mirror shows one direction only: then no answer says nothing.
    pub(super) fn one_way(&self) -> bool {
        let mirror = &self.mirror;
        mirror.replies == 0 && mirror.contacts >= self.settings.contact.one_way && mirror.initiators >= 4
    }

    /// Judges what has fallen due.
    pub(super) fn due(&mut self, at: &mut Scene<'_>) {
        while let Some(awaited) = self.pending.slow(Class::Tcp, at.now.tick, WITNESS) {
            if self.pairs.state(awaited.pair, at.now.second) == Some(State::Pending) && !self.leans(awaited.host, Class::Tcp) {
                let region = self.outages.region(address(awaited.to()), at.sight);
                self.outages.note(region, awaited.host, false, at.now.tick);
            }
        }
        for class in Class::ALL {
            while let Some(awaited) = self.pending.due(class, at.now.tick) {
                if self.pairs.state(awaited.pair, at.now.second) == Some(State::Pending) {
                    self.pairs.set(awaited.pair, at.now.second, State::Failed);
                    self.timeout(&awaited, at);
                }
            }
        }
        while self.reviews.front().is_some_and(|(due, _)| *due <= at.now.tick) {
            if let Some((_, review)) = self.reviews.pop_front() {
                self.review(review, at);
            }
        }
    }

    /// Looks at something again when answers have had a second to come.
    pub(super) fn later(&mut self, review: Review, at: &Scene<'_>) {
        if self.reviews.len() < REVIEWS {
            self.reviews.push_back((at.now.tick + TICKS, review));
        }
    }

    pub(super) fn key(&self, src: IpAddr, dst: IpAddr, class: Class, port: u16) -> u64 {
        self.mixer.pair(number(src), number(dst), class.key(port))
    }

    pub(super) fn host_key(&self, ip: IpAddr) -> u64 {
        self.mixer.one(number(ip), HOST)
    }

    /// The machine's entry, made when there is none; its key.
    pub(super) fn known(&mut self, packet: &Packet<'_>, src: IpAddr, at: &Scene<'_>) -> u64 {
        let machine = Machine { ip: Some(src), ..at.sight.machine(packet) };
        self.host_of(&machine, src, at)
    }

    /// The same, where the machine is known already.
    pub(super) fn host_of(&mut self, machine: &Machine, src: IpAddr, at: &Scene<'_>) -> u64 {
        let key = self.host_key(src);
        let initiators = &mut self.mirror.initiators;
        let make = || {
            *initiators = initiators.saturating_add(1);
            Host::new(machine, number(src), at.now.tick)
        };
        if let Some(host) = self.hosts.entry(key, at.now.second, make) {
            host.seen(machine, at.now.tick);
        }
        key
    }

    pub(super) fn first_tcp(&mut self, first: &First, at: &mut Scene<'_>) {
        self.mirror.contacts = self.mirror.contacts.saturating_add(1);
        if let Some(host) = self.hosts.find(first.host) {
            host.tcp.contact();
        }
        self.note(first, at);
        self.burst_tcp(first, at);
        self.lateral(first, at);
        if self.settings.spam.ports.contains(&first.port) && self.is_new(first, MAIL, at) {
            let window_s = self.settings.spam.window_s;
            let count = self.hosts.find(first.host).map_or(0, |host| host.mail.hit(at.now.tick, window_s));
            if count >= self.settings.spam.servers {
                self.judge_mail(first.host, at);
            }
        }
        self.vertical(first, VERTICAL, at);
        self.meets_the_dark(first, at);
    }

    pub(super) fn first_datagram(&mut self, first: &First, at: &mut Scene<'_>) {
        if let Some(host) = self.hosts.find(first.host) {
            host.udp.contact();
        }
        self.note(first, at);
        self.burst_udp(first, at);
        self.lateral(first, at);
        if !TRACES.contains(&first.port) {
            self.vertical(first, VERTICAL_UDP, at);
        }
        self.meets_the_dark(first, at);
    }

    /// One more port of one machine.
    fn vertical(&mut self, first: &First, rule: u64, at: &mut Scene<'_>) {
        let least = if rule == VERTICAL { self.settings.port_scan.ports } else { self.settings.port_scan.udp_ports };
        let vertical = self.mixer.pair(number(first.src), number(first.dst), rule);
        if self.verticals.contact(vertical, first.host, number(first.dst), first.port, least, at.now.tick) {
            self.later(Review::Vertical(vertical), at);
        }
        self.judge_vertical(vertical, at);
    }

    fn burst_tcp(&mut self, first: &First, at: &mut Scene<'_>) {
        let (burst, service) = (self.settings.fast_tcp, is_service(&self.settings.ports, first.port));
        let Some(host) = self.hosts.find(first.host) else { return };
        if host.fast_tcp.hit(at.now.tick, burst.window_s, first.port, service) > burst.contacts {
            self.judge_fast_tcp(first.host, at);
        }
    }

    fn burst_udp(&mut self, first: &First, at: &mut Scene<'_>) {
        let (burst, service) = (self.settings.fast_udp.burst, is_service(&self.settings.ports, first.port));
        let Some(host) = self.hosts.find(first.host) else { return };
        let count = host.fast_udp.hit(at.now.tick, burst.window_s, first.port, service);
        if count == burst.contacts.saturating_add(1) {
            self.later(Review::FastUdp(first.host), at);
        }
        if count > burst.contacts {
            self.judge_fast_udp(first.host, at);
        }
    }

    pub(super) fn first_echo(&mut self, first: &First, at: &mut Scene<'_>) {
        let settings = self.settings.icmp;
        let Some(host) = self.hosts.find(first.host) else { return };
        let count = host.echo.hit(at.now.tick, settings.window_s);
        self.note(first, at);
        if count == settings.targets {
            self.later(Review::Echo(first.host), at);
        } else if count > settings.targets {
            self.judge_echo(first.host, at);
        }
    }

    pub(super) fn first_ask(&mut self, first: &First, at: &mut Scene<'_>) {
        let settings = self.settings.arp;
        let Some(host) = self.hosts.find(first.host) else { return };
        host.arp.contact();
        let count = host.asked.hit(at.now.tick, settings.window_s);
        self.note(first, at);
        if count > settings.targets {
            self.judge_asked(first.host, at);
        }
    }

    /// A contact that a flow tells of. Sampled ones count in bursts only.
    pub(super) fn flow_contact(&mut self, record: &Record, class: Class, port: u16, host: u64, sampled: bool, at: &mut Scene<'_>) {
        let pair = self.key(record.src, record.dst, class, port);
        if self.pairs.touch(pair, at.now.second, if sampled { State::Known } else { State::Pending }).is_some() {
            return;
        }
        let first = First { host, pair, src: record.src, dst: record.dst, port, class };
        match class {
            Class::Tcp if sampled => self.burst_tcp(&first, at),
            Class::Udp if sampled => self.burst_udp(&first, at),
            Class::Tcp => self.first_tcp(&first, at),
            Class::Udp => self.first_datagram(&first, at),
            Class::Icmp | Class::Arp => self.first_echo(&first, at),
        }
    }

    /// The contact was answered.
    pub(super) fn answer_of(&mut self, by: IpAddr, of: IpAddr, class: Class, port: u16, at: &Scene<'_>) {
        let pair = self.key(by, of, class, port);
        self.answer(pair, by, of, port, class, at);
    }

    /// A flow in the other direction of a contact that is known. Whether there is one.
    pub(super) fn back(&mut self, by: IpAddr, of: IpAddr, class: Class, port: u16, refused: bool, at: &mut Scene<'_>) -> bool {
        let pair = self.key(by, of, class, port);
        if self.pairs.state(pair, at.now.second).is_none() {
            return false;
        }
        if refused {
            self.refuse(pair, by, of, port, class, at);
        } else {
            self.answer(pair, by, of, port, class, at);
        }
        true
    }

    /// Keeps the contact as a sample and awaits its outcome.
    fn note(&mut self, first: &First, at: &Scene<'_>) {
        let to = number(first.dst);
        self.samples.note(first.host, to, first.port, first.class, false, at.now.tick);
        self.pending.push(Awaited::new(first.pair, first.host, to, at.now.tick, first.port, first.class));
    }

    /// A local machine has accepted mail, let it be fetched, or answered for names.
    fn serves(&mut self, server: IpAddr, what: u64, at: &Scene<'_>) {
        let key = self.mixer.one(number(server), what);
        self.servers.entry(key, at.now.second, || ());
    }

    /// Whether the traffic shows a resolver, which asks the whole world, dead name servers too. See `is_mail_server`.
    fn is_resolver(&self, ip: IpAddr, at: &Scene<'_>) -> bool {
        let shown = || self.servers.contains(self.mixer.one(number(ip), NAMES));
        at.sight.is_resolver(ip) || (at.sight.site().resolvers.is_empty() && shown())
    }

    /// Whether the traffic shows a mail server. Where the site names any, its word is the last.
    pub(super) fn is_mail_server(&self, ip: IpAddr, at: &Scene<'_>) -> bool {
        at.sight.site().mail.is_empty() && self.servers.contains(self.mixer.one(number(ip), MAIL))
    }

    /// Whether the machine is new to this one for a rule that counts machines, not ports.
    fn is_new(&mut self, first: &First, rule: u64, at: &Scene<'_>) -> bool {
        let key = self.mixer.pair(number(first.src), number(first.dst), rule | first.class.key(0));
        self.pairs.touch(key, at.now.second, State::Known).is_none()
    }

    fn lateral(&mut self, first: &First, at: &mut Scene<'_>) {
        let lateral = &self.settings.lateral;
        let (ports, least, window_s) = match first.class {
            Class::Tcp => (&lateral.tcp_ports, lateral.tcp_machines, lateral.window_s),
            _ => (&lateral.udp_ports, lateral.udp_machines, lateral.window_s),
        };
        if !ports.contains(&first.port) || !self.is_new(first, LATERAL, at) {
            return;
        }
        let Some(host) = self.hosts.find(first.host) else { return };
        let window = if first.class == Class::Tcp { &mut host.lateral_tcp } else { &mut host.lateral_udp };
        if window.hit(at.now.tick, window_s) >= least {
            self.judge_lateral(first.host, first.class, at);
        }
    }

    /// Where the site knows who lives, a contact with a dead address has failed before it is sent.
    fn meets_the_dark(&mut self, first: &First, at: &mut Scene<'_>) {
        if !at.sight.is_dark(first.dst) || self.excused_port(first.port, first.src, first.dst, first.class, at) {
            return;
        }
        self.pairs.set(first.pair, at.now.second, State::Failed);
        let window_s = self.settings.dark.window_s;
        if let Some(host) = self.hosts.find(first.host) {
            host.dark.hit(at.now.tick, window_s);
        }
        self.failed(first.host, number(first.dst), first.port, first.class, at.now.tick, at);
        self.judge_dark(first.host, first.class, at);
    }

    /// Ports where failures are no evidence: programs that look for their like in the LAN; a mail server's dead domains; a
    /// resolver's dead name servers.
    fn excused_port(&self, port: u16, src: IpAddr, dst: IpAddr, class: Class, at: &Scene<'_>) -> bool {
        let peers = matches!(class, Class::Tcp | Class::Udp) && self.settings.ports.lan_peers.contains(&port) && at.sight.is_local(dst);
        let mail = class == Class::Tcp && at.sight.is_mail(src) && self.settings.spam.ports.contains(&port);
        // Who installs updates or copies files for all finds many switched off or closed; not so at addresses that are nobody's.
        let serves = class == Class::Tcp && at.sight.is_server(src) && at.sight.is_local(dst) && !at.sight.is_dark(dst);
        peers || mail || serves || (port == 53 && self.is_resolver(src, at))
    }

    /// Whether somebody is looked for by name, out in the world: that it does not answer says nothing of who asks. A worm has
    /// addresses, no names. The ports by which worms enter are no such places.
    fn sought(&self, port: u16, to: IpAddr, class: Class, at: &Scene<'_>) -> bool {
        let enters = match class {
            Class::Tcp => self.settings.lateral.tcp_ports.contains(&port),
            Class::Udp => self.settings.lateral.udp_ports.contains(&port),
            Class::Icmp | Class::Arp => true,
        };
        !enters && at.sight.is_named(to) && !at.sight.is_local(to)
    }

    /// An answer to a contact. Whether one was awaited.
    pub(super) fn answer(&mut self, pair: u64, by: IpAddr, of: IpAddr, port: u16, class: Class, at: &Scene<'_>) -> bool {
        let state = self.pairs.state(pair, at.now.second);
        if !matches!(state, Some(State::Pending | State::Failed)) {
            return false;
        }
        self.pairs.set(pair, at.now.second, State::Answered);
        self.mirror.replies = self.mirror.replies.saturating_add(1);
        let key = self.host_key(by);
        let Some(host) = self.hosts.find(key) else { return true };
        match class {
            Class::Tcp => {
                host.tcp.succeed(&self.settings.tcp_walk);
                host.tcp_ports.note(port, true);
                host.fast_tcp.window.answer(at.now.tick);
                let vertical = self.mixer.pair(number(by), number(of), VERTICAL);
                self.verticals.outcome(vertical, at.now.tick, true);
                if at.sight.is_local(of) && MAIL_PORTS.contains(&port) {
                    self.serves(of, MAIL, at);
                }
            }
            Class::Udp => {
                let vertical = self.mixer.pair(number(by), number(of), VERTICAL_UDP);
                self.verticals.outcome(vertical, at.now.tick, true);
                host.udp.succeed(&self.settings.udp_walk.walk);
                host.udp_ports.note(port, true);
                host.fast_udp.window.answer(at.now.tick);
                if port == 53 && at.sight.is_local(of) {
                    self.serves(of, NAMES, at);
                }
            }
            Class::Icmp => host.echo.answer(at.now.tick),
            Class::Arp => {
                host.arp.succeed(&self.settings.arp.walk);
                host.asked.answer(at.now.tick);
            }
        }
        let region = self.outages.region(of, at.sight);
        self.outages.note(region ^ (class as u64 / 3), key, true, at.now.tick);
        true
    }

    /// A refusal: the machine is there, or the last router says that it is not.
    pub(super) fn refuse(&mut self, pair: u64, by: IpAddr, of: IpAddr, port: u16, class: Class, at: &mut Scene<'_>) {
        if self.pairs.state(pair, at.now.second) != Some(State::Pending) {
            return;
        }
        self.pairs.set(pair, at.now.second, State::Failed);
        self.mirror.replies = self.mirror.replies.saturating_add(1);
        let (key, region) = (self.host_key(by), self.outages.region(of, at.sight));
        self.outages.note(region ^ (class as u64 / 3), key, true, at.now.tick);
        if matches!(class, Class::Tcp | Class::Udp) {
            let rule = if class == Class::Tcp { VERTICAL } else { VERTICAL_UDP };
            let vertical = self.mixer.pair(number(by), number(of), rule);
            self.verticals.outcome(vertical, at.now.tick, false);
            self.judge_vertical(vertical, at);
        }
        if !self.sought(port, of, class, at) && !self.excused_port(port, by, of, class, at) {
            self.failed(key, number(of), port, class, at.now.tick, at);
        }
    }

    fn timeout(&mut self, awaited: &Awaited, at: &mut Scene<'_>) {
        let to = address(awaited.to());
        let region = self.outages.region(to, at.sight) ^ (awaited.class as u64 / 3);
        let excused = self.outages.excuses(region, awaited.host, awaited.made, at.now.tick);
        // Several worms at once are no outage: who is half-way to being called one is no witness.
        if !self.leans(awaited.host, awaited.class) {
            self.outages.note(region, awaited.host, false, at.now.tick);
        }
        let Some(src) = self.hosts.find(awaited.host).and_then(|host| host.machine().ip) else { return };
        let amid = awaited.class == Class::Tcp && awaited.made < AMID && matches!(awaited.port, 80 | 443);
        if !excused
            && !amid
            && !self.sought(awaited.port, to, awaited.class, at)
            && !self.excused_port(awaited.port, src, to, awaited.class, at)
        {
            self.failed(awaited.host, awaited.to(), awaited.port, awaited.class, awaited.made, at);
        }
    }

    /// Whether a machine's own failures are half of what makes a worm.
    fn leans(&mut self, key: u64, class: Class) -> bool {
        let settings = &self.settings;
        self.hosts.find(key).is_some_and(|host| match class {
            Class::Tcp => {
                let walk = &settings.tcp_walk;
                host.tcp.beyond(walk, HALF) || host.tcp_ports.look(&settings.ports).distance(walk) >= HALF
            }
            Class::Udp => host.udp.beyond(&settings.udp_walk.walk, HALF),
            Class::Arp => host.arp.beyond(&settings.arp.walk, HALF),
            Class::Icmp => false,
        })
    }

    /// A contact has failed, and nothing excuses it.
    fn failed(&mut self, key: u64, to: u128, port: u16, class: Class, made: u32, at: &mut Scene<'_>) {
        let Some(host) = self.hosts.find(key) else { return };
        match class {
            Class::Tcp => {
                host.tcp.fail(&self.settings.tcp_walk, made);
                host.tcp_ports.note(port, false);
            }
            Class::Udp => {
                host.udp.fail(&self.settings.udp_walk.walk, made);
                host.udp_ports.note(port, false);
            }
            Class::Arp => host.arp.fail(&self.settings.arp.walk, made),
            Class::Icmp => {}
        }
        self.samples.note(key, to, port, class, true, made);
        match class {
            Class::Tcp | Class::Udp => self.judge_walk(key, class, at),
            Class::Arp => self.judge_asking(key, at),
            Class::Icmp => {}
        }
    }

    /// Whether this was said of the machine within this quarter of a second: what is over in half a second grows too.
    pub(super) fn said(&mut self, host: u64, kind: Kind, at: &Scene<'_>) -> bool {
        self.saying.seen(self.mixer.one(u128::from(host), (kind as u64) << 32 | u64::from(at.now.tick / 4)))
    }
}
