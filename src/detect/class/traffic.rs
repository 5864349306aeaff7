//! Who has how much of which class, by the hour; and, minute by minute, who has too much of the line.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use super::hog::{self, Hogging, Minute, Settings};
use super::{Class, Lists, Office};
use crate::capture::packet::{Body, Ip, Nanos, Packet, Transport};
use crate::capture::payload::{dns, tls};
use crate::detect::lan::Now;
use crate::detect::quick::{Fixed, Mixer, number};
use crate::detect::sight::is_unicast_ip;
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::flow::record::Record;
use crate::model::Fact;

/// Servers whose class is remembered.
const SERVERS: usize = 16_384;
/// Our machines whose traffic is counted. Who has little goes first.
const MACHINES: usize = 16_384;
/// Hours that are kept.
const HOURS: usize = 24;
/// Machines that are named for each class and hour.
const TOP: usize = 5;
const HOUR_NS: u64 = 3_600_000_000_000;
const MINUTE_MS: u64 = 60_000;
/// How many classes there are.
const CLASSES: usize = Class::ALL.len();

/// Octets on the wire, seen from our side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Octets {
    /// From outside.
    pub received: u64,
    /// To outside.
    pub sent: u64,
}

impl Octets {
    /// Both together.
    pub const fn all(self) -> u64 {
        self.received.saturating_add(self.sent)
    }

    const fn add(&mut self, octets: u64, is_out: bool) {
        if is_out {
            self.sent = self.sent.saturating_add(octets);
        } else {
            self.received = self.received.saturating_add(octets);
        }
    }
}

/// A machine that had much of a class in an hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Top {
    /// The class.
    pub class: Class,
    /// The machine.
    pub machine: Machine,
    /// Octets in both directions.
    pub octets: u64,
}

/// One hour, closed or running.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hour {
    /// When it began.
    pub start: Nanos,
    /// Octets by class, in the order of [`Class::ALL`].
    pub totals: [Octets; CLASSES],
    /// The machines with most of each class, at most five of each, the most first.
    pub top: Vec<Top>,
    /// Whether the office works in most of it; `None` where no working hours are set.
    pub works: Option<bool>,
}

/// What pages and metrics ask for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Octets by class since the start, in the order of [`Class::ALL`].
    pub totals: [Octets; CLASSES],
    /// The hours, the oldest first, the running one last.
    pub hours: Vec<Hour>,
}

/// The counter of traffic with the outside.
#[derive(Debug)]
pub struct Traffic {
    settings: Settings,
    lists: Arc<Lists>,
    office: Option<Office>,
    mixer: Mixer,
    servers: Fixed<Class>,
    machines: Fixed<Counts>,
    totals: [Octets; CLASSES],
    hour: u64,
    this_hour: [Octets; CLASSES],
    past: VecDeque<Hour>,
    minute_ms: u64,
}

#[derive(Debug)]
struct Counts {
    machine: Machine,
    minute: Octets,
    classes: [u64; CLASSES],
    record: hog::Record,
    first: Nanos,
}

impl Traffic {
    /// Counts from nothing, by the shipped lists; the seed is that of the engine.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            lists: Arc::new(Lists::shipped()),
            office: None,
            mixer: Mixer::new(seed ^ 0x7472_6166),
            servers: Fixed::new(SERVERS),
            machines: Fixed::new(MACHINES),
            totals: [Octets::default(); CLASSES],
            hour: 0,
            this_hour: [Octets::default(); CLASSES],
            past: VecDeque::new(),
            minute_ms: 0,
        }
    }

    /// Takes other lists; what was counted stays.
    pub fn set_lists(&mut self, lists: Arc<Lists>) {
        self.lists = lists;
    }

    /// Takes other parameters; what was counted stays.
    pub const fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Holds who has too much to working hours; without an office it is held to none.
    pub fn set_office(&mut self, office: Option<Office>) {
        self.office = office;
    }

    /// Looks at one packet.
    pub fn packet(&mut self, packet: &Packet<'_>, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        self.tick(now, sight, out);
        let Body::Ip(ip) = &packet.body else { return };
        self.learn(ip, now);
        let (from_us, to_us) = (sight.is_local(ip.src), sight.is_local(ip.dst));
        let (is_out, ours, theirs) = match (from_us, to_us) {
            (true, false) if is_unicast_ip(ip.dst) => (true, ip.src, ip.dst),
            (false, true) if is_unicast_ip(ip.src) => (false, ip.dst, ip.src),
            _ => return,
        };
        self.roll(packet.at);
        let ports = match &ip.transport {
            Transport::Tcp(tcp) => Some((true, tcp.src_port, tcp.dst_port)),
            Transport::Udp(udp) => Some((false, udp.src_port, udp.dst_port)),
            _ => None,
        };
        let class = self.class(ports, theirs, is_out);
        for totals in [&mut self.totals, &mut self.this_hour] {
            if let Some(octets) = totals.get_mut(class.place()) {
                octets.add(packet.wire_octets.into(), is_out);
            }
        }
        let mac = if is_out { packet.src_mac } else { packet.dst_mac };
        let mac = mac.filter(|mac| !sight.is_router(*mac));
        let fresh = || Counts::of(Machine { ip: Some(ours), mac, vlan: packet.vlan }, packet.at);
        let key = self.mixer.one(number(ours), 1);
        let Some(counts) = self.machines.entry_by(key, now.second(), fresh, Counts::worth) else { return };
        counts.minute.add(packet.wire_octets.into(), is_out);
        if let Some(octets) = counts.classes.get_mut(class.place()) {
            *octets = octets.saturating_add(u64::from(packet.wire_octets));
        }
    }

    /// Counts one flow for the hour in which it ended. Exporters tell long flows in one piece, so nobody's minute is weighed.
    pub fn flow(&mut self, record: &Record, now: Now, sight: &Sight) {
        let (is_out, ours, theirs) = match (sight.is_local(record.src), sight.is_local(record.dst)) {
            (true, false) if is_unicast_ip(record.dst) => (true, record.src, record.dst),
            (false, true) if is_unicast_ip(record.src) => (false, record.dst, record.src),
            _ => return,
        };
        self.roll(Nanos::from(record.last));
        let ports = matches!(record.protocol, 6 | 17).then_some((record.protocol == 6, record.src_port, record.dst_port));
        let class = self.class(ports, theirs, is_out);
        for totals in [&mut self.totals, &mut self.this_hour] {
            if let Some(octets) = totals.get_mut(class.place()) {
                octets.add(record.octets, is_out);
            }
        }
        let machine = Machine { ip: Some(ours), mac: None, vlan: record.vlan };
        let fresh = || Counts::of(machine, Nanos::from(record.last));
        let key = self.mixer.one(number(ours), 1);
        let Some(counts) = self.machines.entry_by(key, now.second(), fresh, Counts::worth) else { return };
        if let Some(octets) = counts.classes.get_mut(class.place()) {
            *octets = octets.saturating_add(record.octets);
        }
    }

    /// Ends the minute when it is over.
    pub fn tick(&mut self, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        if self.minute_ms == 0 {
            self.minute_ms = now.ms;
        }
        let lasted_ms = now.ms.saturating_sub(self.minute_ms);
        if lasted_ms >= MINUTE_MS {
            self.minute_ms = now.ms;
            self.weigh(lasted_ms, now, sight, out);
        }
    }

    /// What is known now.
    pub fn report(&mut self) -> Report {
        let mut hours: Vec<Hour> = self.past.iter().cloned().collect();
        if self.hour > 0 {
            hours.push(self.close());
        }
        Report { totals: self.totals, hours }
    }

    /// A name that was asked for or called says which class its addresses are of from now on.
    fn learn(&mut self, ip: &Ip<'_>, now: Now) {
        match &ip.transport {
            Transport::Udp(udp) if udp.src_port == 53 => {
                let Some(message) = dns::Message::parse(udp.data).filter(|message| message.is_response && message.rcode == 0) else {
                    return;
                };
                let mut buffer = [0; dns::LONGEST_NAME];
                let Some(question) = message.question() else { return };
                let Ok(name) = std::str::from_utf8(question.name.text(&mut buffer)) else { return };
                let class = self.lists.of_name(name);
                for address in message.addresses() {
                    self.is_now(address, class, now);
                }
            }
            Transport::Tcp(tcp) if tcp.data.first() == Some(&22) => {
                let Some(name) = tls::server_name(tcp.data) else { return };
                let class = self.lists.of_name(&name.to_ascii_lowercase());
                self.is_now(ip.dst, class, now);
            }
            _ => {}
        }
    }

    fn is_now(&mut self, server: IpAddr, class: Option<Class>, now: Now) {
        let key = self.mixer.one(number(server), 0);
        match class {
            Some(class) => {
                if let Some(known) = self.servers.entry(key, now.second(), || class) {
                    *known = class;
                }
            }
            // An address that serves many: what it was for another name it is no longer.
            None => {
                self.servers.remove(key);
            }
        }
    }

    /// By what the server is known for, else by ports: whether of TCP, the source's, the destination's.
    fn class(&mut self, ports: Option<(bool, u16, u16)>, theirs: IpAddr, is_out: bool) -> Class {
        if let Some(class) = self.servers.find(self.mixer.one(number(theirs), 0)) {
            return *class;
        }
        let Some((is_tcp, from, to)) = ports else { return Class::Other };
        let (their_port, our_port) = if is_out { (to, from) } else { (from, to) };
        // Peers serve too: their port may be on our side.
        let ours = || self.lists.of_port(is_tcp, our_port).filter(|class| *class == Class::P2p);
        self.lists.of_port(is_tcp, their_port).or_else(ours).unwrap_or_default()
    }

    /// Closes the hour when the packet is of another; a packet that is a little late counts for the hour that runs.
    fn roll(&mut self, at: Nanos) {
        let hour = (at.0 / HOUR_NS).max(1);
        let is_late = hour + 1 == self.hour;
        if hour == self.hour || is_late {
            return;
        }
        if self.hour > 0 {
            let closed = self.close();
            self.past.push_back(closed);
            while self.past.len() >= HOURS {
                self.past.pop_front();
            }
        }
        self.hour = hour;
        self.this_hour = [Octets::default(); CLASSES];
        for (_, counts) in self.machines.values_mut() {
            counts.classes = [0; CLASSES];
        }
    }

    fn close(&mut self) -> Hour {
        let mut top = Vec::new();
        for class in Class::ALL {
            let mut of_class: Vec<Top> = self
                .machines
                .values_mut()
                .filter_map(|(_, counts)| {
                    let octets = counts.classes.get(class.place()).copied().filter(|octets| *octets > 0)?;
                    Some(Top { class, machine: counts.machine, octets })
                })
                .collect();
            of_class.sort_unstable_by_key(|top| (std::cmp::Reverse(top.octets), top.machine));
            top.extend(of_class.into_iter().take(TOP));
        }
        let start = self.hour.saturating_mul(HOUR_NS);
        let works = self.office.as_ref().map(|office| office.works(Nanos(start + HOUR_NS / 2)));
        Hour { start: Nanos(start), totals: self.this_hour, top, works }
    }

    /// The minute is over: whoever has too much is told.
    fn weigh(&mut self, lasted_ms: u64, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        let seconds = lasted_ms as f64 / 1000.0;
        let bps = |octets: Octets| octets.all() as f64 * 8.0 / seconds;
        let all = Minute::of(self.machines.values_mut().map(|(_, counts)| bps(counts.minute)));
        let counts_now = self.office.as_ref().is_none_or(|office| office.works(now.at));
        let settings = self.settings;
        let mut told = Vec::new();
        for (_, counts) in self.machines.values_mut() {
            let minute = std::mem::take(&mut counts.minute);
            let hogging = counts.record.minute(bps(minute), &all, &settings, counts_now);
            let serves = counts.machine.ip.is_some_and(|ip| sight.is_server(ip) || sight.is_mail(ip) || sight.is_resolver(ip));
            match hogging {
                Some(hogging) if !serves => told.push(counts.detection(&hogging, minute, &settings, now)),
                Some(_) => {}
                None => counts.first = now.at,
            }
        }
        told.sort_unstable_by_key(|detection| detection.machine);
        out.append(&mut told);
    }
}

impl Counts {
    fn of(machine: Machine, first: Nanos) -> Self {
        Self { machine, minute: Octets::default(), classes: [0; CLASSES], record: hog::Record::default(), first }
    }

    /// Who has much stays when the table is full.
    fn worth(&self) -> u32 {
        u32::try_from(self.minute.all() >> 10).unwrap_or(u32::MAX)
    }

    fn detection(&self, hogging: &Hogging, minute: Octets, settings: &Settings, now: Now) -> Detection {
        let most = Class::ALL.into_iter().max_by_key(|class| self.classes.get(class.place()).copied()).unwrap_or_default();
        let direction = if minute.received >= minute.sent { "in" } else { "out" };
        let facts = [
            ("rate", Fact::BitsPerSecond(hogging.bps)),
            ("share", Fact::Percent(hogging.share * 100.0)),
            ("count", Fact::Count(u64::from(hogging.minutes))),
            ("window", Fact::Millis(f64::from(hogging.minutes) * 60_000.0)),
            ("threshold", Fact::BitsPerSecond(settings.floor_bps)),
            ("class", Fact::Text(most.word().to_owned())),
            ("direction", Fact::Text(direction.to_owned())),
        ];
        Detection {
            kind: Kind::Hog,
            level: Level::Suspect,
            cleared: false,
            machine: self.machine,
            first: self.first.min(now.at),
            last: now.at,
            contacts: u64::from(hogging.minutes),
            evidence: facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
