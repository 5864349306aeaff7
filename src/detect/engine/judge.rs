//! The rules on contacts: when what is counted of a machine is a behaviour, and what is written down of it.
//!
//! Facts of each kind: `count` (what is counted), `window`, `threshold`, `sample` (at most eight destinations). Rules by outcome
//! (`tcp-scan`, `dark-contact`, slow `udp-worm`, `p2p`) add `failed`, `answered` and `port` (the port that leads), rules by count
//! `answered` where answers weigh.

use std::net::IpAddr;

use crate::detect::settings::Walk;
use crate::detect::{Detection, Kind};

use super::contact::{Contacts, Review, Scene};
use super::evidence::{Facts, places};
use super::host::Step;
use super::level;
use super::pairs::State;
use super::pending::Class;
use super::ports::Look;
use super::talks::Found;
use super::window::{TICKS, Window};

/// ARP requests of which the share of answers is judged.
const ARP_SHARE_OF: u32 = 50;
/// So many times as many targets are a sweep whatever is answered.
const ANYHOW: u16 = 4;

impl Contacts {
    pub(super) fn review(&mut self, review: Review, at: &mut Scene<'_>) {
        match review {
            Review::Vertical(pair) => self.judge_vertical(pair, at),
            Review::Echo(host) => self.judge_echo(host, at),
            Review::FastUdp(host) => self.judge_fast_udp(host, at),
            Review::Flood { talk, host, to, port } => self.judge_openings(talk, host, to, port, at),
            Review::Packets { talk, class, host, to, port } => self.judge_packets(talk, host, to, (class, port), at),
        }
    }

    /// Rules 1 and 8: outcomes. A worm by the ports of its failures; else, with many dead peers, the label `p2p`.
    pub(super) fn judge_walk(&mut self, key: u64, class: Class, at: &mut Scene<'_>) {
        let tcp = class == Class::Tcp;
        let walk = if tcp { self.settings.tcp_walk } else { self.settings.udp_walk.walk };
        let Some(host) = self.hosts.find(key) else { return };
        let (step, ports) = if tcp { (host.tcp, host.tcp_ports) } else { (host.udp, host.udp_ports) };
        let look = ports.look(&self.settings.ports);
        let alone = tcp && look.distance(&walk) >= 1.0;
        if !(alone || step.beyond(&walk, 1.0)) || self.one_way() {
            return;
        }
        let failures = if tcp { 0 } else { u32::from(self.settings.udp_walk.failures) };
        let machines = self.samples.failing_machines(key, class);
        let (kind, port) = match look {
            // Many ports of one machine have a rule of their own.
            Look::Worm { port, failed, .. } if failed >= failures && machines >= 2 => {
                (if tcp { Kind::TcpScan } else { Kind::UdpWorm }, Some(port))
            }
            Look::Peers if self.samples.failing_peers(key) >= usize::from(self.settings.ports.peer_machines) => (Kind::P2p, None),
            _ => return,
        };
        if self.said(key, kind, at) {
            return;
        }
        let sample = self.samples.of(key, class, |other| port.is_none_or(|port| port == other));
        // Where others succeed in between, the walk has begun again and again: the port's own outcomes are told.
        let (failed, answered, from) = match look {
            Look::Worm { failed, answered, .. } if alone => {
                (failed.max(step.failed.into()), answered, self.samples.begun(key, at.now.tick))
            }
            _ => (step.failed.into(), step.answered.into(), step.from),
        };
        let facts = outcomes(failed, answered, from, straight(&walk), at).text("sample", places(sample.into_iter()));
        let facts = port.into_iter().fold(facts, |facts, port| facts.number("port", port.into()));
        self.say(kind, key, from, u64::from(step.contacts).max((failed + answered).into()), facts, at);
    }

    /// Rule 4: dead addresses, by a machine whose contacts fail anyway.
    pub(super) fn judge_dark(&mut self, key: u64, class: Class, at: &mut Scene<'_>) {
        let (dark, tcp) = (self.settings.dark, class == Class::Tcp);
        let walk = if tcp { self.settings.tcp_walk } else { self.settings.udp_walk.walk };
        let Some(host) = self.hosts.find(key) else { return };
        let (step, ports) = if tcp { (host.tcp, host.tcp_ports) } else { (host.udp, host.udp_ports) };
        let window = host.dark;
        if window.count < dark.addresses || !step.beyond(&walk, dark.walk) {
            return;
        }
        let Look::Worm { port, .. } = ports.look(&self.settings.ports) else { return };
        if self.said(key, Kind::DarkContact, at) {
            return;
        }
        let sample = self.samples.of(key, class, |other| other == port);
        let facts = counted(&window, dark.window_s, dark.addresses).number("failed", step.failed.into()).number("port", port.into());
        let contacts = u64::from(step.contacts.max(window.count));
        self.say(Kind::DarkContact, key, window.from, contacts, facts.text("sample", places(sample.into_iter())), at);
    }

    /// Rule 2: very many TCP contacts at once.
    pub(super) fn judge_fast_tcp(&mut self, key: u64, at: &mut Scene<'_>) {
        let burst = self.settings.fast_tcp;
        let Some(host) = self.hosts.find(key) else { return };
        let fast = host.fast_tcp;
        if !fast.window.answered_below(burst.answered) || !fast.one_service(self.settings.ports.service_share) || self.one_way() {
            return;
        }
        self.say_counted(Kind::FastScan, key, Class::Tcp, fast.window, burst.window_s, burst.contacts + 1, at);
    }

    /// Rules 2 and 8: very many UDP contacts at once.
    pub(super) fn judge_fast_udp(&mut self, key: u64, at: &mut Scene<'_>) {
        let settings = self.settings.fast_udp;
        let burst = settings.burst;
        let Some(host) = self.hosts.find(key) else { return };
        let fast = host.fast_udp;
        let age = at.now.tick.saturating_sub(fast.window.from) * 1000;
        let waited = age >= settings.wait_ms * TICKS || fast.window.answered == 0;
        let many = fast.window.count > burst.contacts && fast.window.answered_below(burst.answered);
        // A worm without a port of its own (Witty, 2004) gets next to no answers at all; peers do.
        let anywhere = fast.window.count > burst.contacts.saturating_mul(ANYHOW) && fast.window.answered_below(settings.anywhere);
        if many && waited && (anywhere || fast.one_service(self.settings.ports.service_share)) && !self.one_way() {
            self.say_counted(Kind::UdpWorm, key, Class::Udp, fast.window, burst.window_s, burst.contacts + 1, at);
        }
    }

    /// Rule 3: many machines on the ports by which worms enter.
    pub(super) fn judge_lateral(&mut self, key: u64, class: Class, at: &mut Scene<'_>) {
        let lateral = &self.settings.lateral;
        let (window_s, least) = (lateral.window_s, if class == Class::Tcp { lateral.tcp_machines } else { lateral.udp_machines });
        let Some(host) = self.hosts.find(key) else { return };
        let window = if class == Class::Tcp { host.lateral_tcp } else { host.lateral_udp };
        self.say_counted(Kind::Lateral, key, class, window, window_s, least, at);
    }

    /// Rule 5: many ports of one machine.
    pub(super) fn judge_vertical(&mut self, pair: u64, at: &mut Scene<'_>) {
        if self.one_way() {
            return;
        }
        let Some(scan) = self.verticals.judge(pair, at.now.tick) else { return };
        if !self.said(scan.host, Kind::PortScan, at) {
            self.tell(Kind::PortScan, scan.host, (scan.from, scan.last), scan.ports.into(), scan.evidence, at);
        }
    }

    /// Rule 6 by count.
    pub(super) fn judge_asked(&mut self, key: u64, at: &mut Scene<'_>) {
        let settings = self.settings.arp;
        let Some(host) = self.hosts.find(key) else { return };
        let window = host.asked;
        self.say_counted(Kind::ArpSweep, key, Class::Arp, window, settings.window_s, settings.targets + 1, at);
    }

    /// Rule 6 by outcome, where answers to ARP can be seen.
    pub(super) fn judge_asking(&mut self, key: u64, at: &mut Scene<'_>) {
        let settings = self.settings.arp;
        let seen = self.mirror.asked >= ARP_SHARE_OF && self.mirror.told as f32 >= settings.replies * self.mirror.asked as f32;
        let Some(host) = self.hosts.find(key) else { return };
        let step = host.arp;
        if at.now.tick.saturating_sub(step.from) > settings.walk_s * TICKS {
            // What adds up over hours is a life, not a sweep.
            host.arp = Step::default();
            return;
        }
        if !seen || step.contacts < settings.least || !step.beyond(&settings.walk, 1.0) || self.said(key, Kind::ArpSweep, at) {
            return;
        }
        let sample = self.samples.of(key, Class::Arp, |_| true);
        let facts = outcomes(step.failed.into(), step.answered.into(), step.from, straight(&settings.walk), at);
        let contacts = u64::from(step.contacts.max(step.failed));
        self.say(Kind::ArpSweep, key, step.from, contacts, facts.text("sample", places(sample.into_iter())), at);
    }

    /// Rule 7: echo requests to many.
    pub(super) fn judge_echo(&mut self, key: u64, at: &mut Scene<'_>) {
        let settings = self.settings.icmp;
        let Some(host) = self.hosts.find(key) else { return };
        let window = host.echo;
        let anyhow = window.count >= settings.targets.saturating_mul(ANYHOW);
        if window.count >= settings.targets && (anyhow || window.answered_below(settings.answered)) {
            self.say_counted(Kind::IcmpSweep, key, Class::Icmp, window, settings.window_s, settings.targets, at);
        }
    }

    /// Rule 9: mail straight to many servers.
    pub(super) fn judge_mail(&mut self, key: u64, at: &mut Scene<'_>) {
        let Some(host) = self.hosts.find(key) else { return };
        let (window, machine) = (host.mail, host.machine());
        let serves = machine.ip.is_some_and(|ip| at.sight.is_mail(ip) || at.sight.is_server(ip) || self.is_mail_server(ip, at));
        if serves || self.said(key, Kind::Spam, at) {
            return;
        }
        let (ports, window_s, servers) = (self.settings.spam.ports.clone(), self.settings.spam.window_s, self.settings.spam.servers);
        let sample = self.samples.of(key, Class::Tcp, |port| ports.contains(&port));
        let facts = counted(&window, window_s, servers).text("sample", places(sample.into_iter()));
        self.say(Kind::Spam, key, window.from, window.count.into(), facts, at);
    }

    /// Rule 12: openings without answer at one target.
    pub(super) fn judge_openings(&mut self, talk: u64, key: u64, to: IpAddr, port: u16, at: &mut Scene<'_>) {
        match self.talks.openings(talk, to, port, at.now.tick) {
            Ok(Some(found)) => self.say_found(Kind::Flood, key, found, at),
            Ok(None) => {}
            // Answers have had no time yet: once for each such talk.
            Err(()) if !self.saying.seen(talk ^ u64::from(at.now.second)) => self.later(Review::Flood { talk, host: key, to, port }, at),
            Err(()) => {}
        }
    }

    /// Rule 12: packets of another class without answer at one target.
    pub(super) fn judge_packets(&mut self, talk: u64, key: u64, to: IpAddr, (class, port): (u64, u16), at: &mut Scene<'_>) {
        let recorded = self.settings.flood.records.contains(&port) && at.sight.is_local(to);
        if recorded || self.is_stream(key, to, at) {
            return;
        }
        if let Some(found) = self.talks.packets(talk, class, to, port, at.now.tick) {
            self.say_found(Kind::Flood, key, found, at);
        }
    }

    /// Whether two have agreed on a stream by TCP, as cameras, telephones and measurements of a line do.
    fn is_stream(&mut self, key: u64, to: IpAddr, at: &Scene<'_>) -> bool {
        let Some(from) = self.hosts.find(key).and_then(|host| host.machine().ip) else { return false };
        let agreed = |by, of, port| self.pairs.state(self.key(by, of, Class::Tcp, port), at.now.second) == Some(State::Answered);
        self.settings.flood.agreed.iter().any(|port| agreed(from, to, *port) || agreed(to, from, *port))
    }

    /// Rule 18: log-ins one after another.
    pub(super) fn judge_guessing(&mut self, pair: u64, key: u64, to: IpAddr, port: u16, at: &mut Scene<'_>) {
        let server = self.hosts.find(key).and_then(|host| host.machine().ip).is_some_and(|ip| at.sight.is_server(ip));
        if let Some(found) = self.talks.guesses(pair, to, port).filter(|_| !server) {
            self.say_found(Kind::PasswordGuessing, key, found, at);
        }
    }

    fn say_found(&mut self, kind: Kind, key: u64, found: Found, at: &mut Scene<'_>) {
        if !self.said(key, kind, at) {
            self.tell(kind, key, (found.from, at.now.tick), found.contacts, found.evidence, at);
        }
    }

    /// A rule that counts contacts in a window. Declared servers may turn to many.
    #[expect(clippy::too_many_arguments, reason = "the parts of one sentence")]
    fn say_counted(&mut self, kind: Kind, key: u64, class: Class, window: Window, window_s: u32, least: u16, at: &mut Scene<'_>) {
        let Some(ip) = self.hosts.find(key).and_then(|host| host.machine().ip) else { return };
        if at.sight.is_server(ip) || (kind == Kind::UdpWorm && at.sight.is_resolver(ip)) || self.said(key, kind, at) {
            return;
        }
        let ports = match (kind, class) {
            (Kind::Lateral, Class::Tcp) => self.settings.lateral.tcp_ports.clone(),
            (Kind::Lateral, _) => self.settings.lateral.udp_ports.clone(),
            _ => Vec::new(),
        };
        let sample = self.samples.of(key, class, |port| ports.is_empty() || ports.contains(&port));
        let facts = counted(&window, window_s, least).text("sample", places(sample.into_iter()));
        self.say(kind, key, window.from, window.count.into(), facts, at);
    }

    fn say(&mut self, kind: Kind, key: u64, from: u32, contacts: u64, facts: Facts, at: &mut Scene<'_>) {
        self.tell(kind, key, (from, at.now.tick), contacts, facts.done(), at);
    }

    fn tell(&mut self, kind: Kind, key: u64, span: (u32, u32), contacts: u64, evidence: crate::model::Evidence, at: &mut Scene<'_>) {
        let Some(host) = self.hosts.find(key) else { return };
        let (first, last) = (at.now.wire(span.0), at.now.wire(span.1));
        let machine = host.machine();
        at.out.push(Detection { kind, level: level::first(kind), cleared: false, machine, first, last, contacts, evidence });
    }
}

fn counted(window: &Window, window_s: u32, least: u16) -> Facts {
    Facts::counted(window.count.into(), window_s, least.into()).number("answered", window.answered.into())
}

fn outcomes(failed: u32, answered: u32, from: u32, straight: u64, at: &Scene<'_>) -> Facts {
    let window_s = at.now.tick.saturating_sub(from).div_ceil(TICKS);
    Facts::counted(failed.into(), window_s, straight).number("failed", failed.into()).number("answered", answered.into())
}

/// How many failures in a row reach the bound of a walk.
fn straight(walk: &Walk) -> u64 {
    (walk.bound.ln() / walk.failure().ln()).ceil().max(1.0) as u64
}
